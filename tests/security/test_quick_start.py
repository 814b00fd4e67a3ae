"""The steps of docs/install.md from nothing to a drain across the network, as they stand there."""

import json
import os
import re
import subprocess

import pool as pool_module
from sessions import wait_until
from simulated import POOLD, SimulatedPool

TEXT = (pool_module.ROOT / 'docs/install.md').read_text()


def steps():
    """The commands of each numbered step."""
    text = TEXT.split('## Reaching poold from another machine')[1].split('\n## ')[0]
    blocks = [re.findall(r'^ +\$ (.*)$', block, re.M)
              for block in re.findall(r'```console\n(.*?)```', text, re.S)]
    assert [len(block) for block in blocks] == [2, 2, 1, 2, 4]
    return blocks


def test_from_nothing_to_a_drain_across_the_network(tmp_path):
    make, first_token, other_token, trust, use = steps()
    with SimulatedPool(tmp_path, 2, settle='200ms', tick='50ms') as pool:
        url = f':{pool.api_port}\n'
        pool.file.write_text(pool.file.read_text().replace('url: http://', 'url: https://'))
        assert url in pool.file.read_text()
        pins = {}
        for server in pool.servers:
            server.copy_pool_file()
            made = run(make[0], on(server))
            tls = re.search(r'^(tls: .*)$', made, re.M)[1]
            server.config.write_text(f'{server.config.read_text()}{tls}\n')
            pins[server.name] = re.search(r'sha256//\S{44}', run(make[1], on(server)))[0]
        one, other = pool.servers
        token = run(first_token[0], on(one))
        [listed] = json.loads(run(first_token[1], on(one)))['tokens']
        assert run(other_token[0].replace('HASH', listed['sha256']), on(other)) == ''
        for server in pool.servers:
            server.launch_poold()
        try:
            wait_until(lambda: all('serves' in server.log() for server in pool.servers), 'both serve')
            admin = administrator(pool, tmp_path / 'home', token)
            for command in trust:
                name = command.split()[2]
                run(command.replace('PIN', pins[name]), admin)
            said = run('\n'.join(use), admin)
            assert 'frontend01' in said and 'drained' in said
            assert one.scm.says() == ('running', 'automatic', True)
            kinds = {event['kind']: event['who']
                     for event in json.loads(run('poolctl events frontend01 -o json', {
                         **admin, 'POOLCTL_TOKEN': token.strip()}))}
            assert kinds['drain_created'] == 'anna'
            # Without the token, nothing goes.
            assert subprocess.run(['bash', '-c', 'poolctl drain frontend01 --reason x'],
                                  env=admin, cwd=tmp_path).returncode == 3
        finally:
            for server in pool.servers:
                server.kill_poold()


def on(server):
    """The environment of an administrator on the server: poold finds its own poold.yaml."""
    place = server.folder / 'bin'
    place.mkdir(exist_ok=True)
    program = place / 'poold'
    program.write_text(f'#!/bin/sh\nexec {POOLD} "$@" --config {server.config}\n')
    program.chmod(0o755)
    return os.environ | {'PATH': f'{place}:{os.environ["PATH"]}'}


def administrator(pool, home, token):
    """The environment of a machine that has poolctl and the token, and is none of the servers."""
    place = home / '.config/poolctl'
    place.mkdir(parents=True)
    (place / 'token').write_text(token)
    (place / 'token').chmod(0o600)
    return os.environ | {
        'HOME': str(home), 'POOLCTL_CONFIG': str(pool.file), 'POOLCTL_LOCAL_DIR': str(home / 'none'),
        'PATH': f'{pool_module.POOLCTL.parent}:{os.environ["PATH"]}'}


def run(script, env):
    done = subprocess.run(['bash', '-e', '-c', script], env=env, capture_output=True, text=True,
                          timeout=120, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, (script, done.stdout, done.stderr)
    return done.stdout
