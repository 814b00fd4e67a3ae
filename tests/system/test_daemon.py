"""How poold starts, and each way in which it refuses to."""

import os
import re
import socket
import subprocess

import pytest

import pool as pool_module
from simulated import POOLD
from sessions import wait_until


@pytest.fixture
def stopped(make_pool):
    """A server whose poold was never started."""
    return make_pool(start=False).servers[0]


def refuse(server, status, *words):
    done = server.run_poold('run', '--config', server.config)
    assert done.returncode == status, done.stderr
    for word in words:
        assert word in done.stderr
    assert server.scm.says() == ('running', 'automatic', True)
    return done.stderr


def rewrite(server, old, new):
    text = server.config.read_text()
    assert old in text
    server.config.write_text(text.replace(old, new))


def test_it_says_where_it_serves_and_stops_cleanly(stopped):
    stopped.start_poold()
    assert f'127.0.1.1 port {stopped.pool.api_port}' in stopped.log()
    assert stopped.stop_poold() == 0
    assert 'every drain stays in force' in stopped.log()


def test_a_port_in_use(stopped):
    with socket.socket() as other:
        other.bind((stopped.address, stopped.pool.api_port))
        other.listen()
        refuse(stopped, 10, 'cannot listen', str(stopped.pool.api_port))


def test_two_poold_on_one_state_directory(stopped):
    stopped.start_poold()
    with open(stopped.config, 'a') as config:
        config.write('listen: 127.0.1.1:0\n')
    refuse(stopped, 12, 'another poold', 'poold.lock')
    assert stopped.document()['phase'] == 'serving'


def test_a_state_directory_that_is_a_file(stopped):
    (stopped.folder / 'state').write_text('not a directory')
    refuse(stopped, 11, 'state')


def test_a_state_directory_that_cannot_be_made(stopped):
    rewrite(stopped, f'{stopped.folder}/state', '/proc/nowhere/state')
    refuse(stopped, 11, '/proc/nowhere/state')


def test_an_unreadable_state_directory(stopped):
    state = stopped.folder / 'state'
    state.mkdir(mode=0o000)
    if os.geteuid() == 0:
        command = ['setpriv', '--reuid=nobody', '--clear-groups', '--inh-caps=-all',
                   '--bounding-set=-all']
        for folder in [stopped.folder, *stopped.folder.parents]:
            if folder.owner() == 'root' and folder != folder.parent and 'pytest' in str(folder):
                folder.chmod(0o755)
    else:
        command = []
    done = subprocess.run([*command, POOLD, 'run', '--config', stopped.config],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 11, done.stderr
    assert 'poold.lock' in done.stderr
    state.chmod(0o700)


def test_a_store_that_is_no_database(stopped):
    (stopped.folder / 'state').mkdir()
    (stopped.folder / 'state/poold.sqlite').write_text('garbage' * 1000)
    refuse(stopped, 11, 'poold.sqlite')


def test_addresses_beyond_loopback_are_refused_with_the_reason(stopped):
    with open(stopped.config, 'a') as config:
        config.write('listen: 0.0.0.0:8650\n')
    refuse(stopped, 2, 'TLS', 'loopback', '127.0.0.1:8650')


def test_a_server_that_is_in_no_pool(stopped):
    rewrite(stopped, 'server: frontend01', 'server: frontent01')
    refuse(stopped, 2, "'frontent01'", "did you mean 'frontend01'?")


def test_mistakes_in_the_configuration_are_all_told(stopped):
    rewrite(stopped, 'tick: 50ms', 'tick: 50\nstate_dri: x\n')
    text = refuse(stopped, 2)
    assert re.search(r'poold.yaml:6:\d+: .*50', text)
    assert re.search(r'poold.yaml:7:1: .*state_dri.*did you mean .state_dir.', text)


def test_a_configuration_that_is_not_there(stopped):
    done = stopped.run_poold('run', '--config', '/nowhere/poold.yaml')
    assert done.returncode == 2 and '/nowhere/poold.yaml' in done.stderr


def test_the_windows_scm_needs_windows(stopped):
    rewrite(stopped, 'scm: simulated', 'scm: windows')
    refuse(stopped, 2, 'simulated')
    assert 'needs Windows' in stopped.run_poold('install', '--config', stopped.config).stderr


def test_a_service_that_left_the_pool_file_while_it_was_out(make_pool):
    pool = make_pool()
    server = pool.servers[0]
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    server.stop_poold()
    text = pool.file.read_text()
    pool.file.write_text(text.replace('RTCSRV', 'OTHER'))
    done = server.run_poold('run', '--config', server.config)
    assert done.returncode == 2 and 'add it again' in done.stderr
    assert server.scm.says()[0] == 'paused'
    pool.file.write_text(text)
    server.start_poold()
    assert pool.poolctl('resume', 'frontend01').returncode == 0
    assert server.scm.says() == ('running', 'automatic', True)


def test_a_service_that_goes_missing_and_returns(make_pool):
    server = make_pool().servers[0]
    content = server.scm.path.read_text()
    server.scm.write({'services': {}})
    server.service_process.stop()
    server.wait_phase('attention')
    assert 'not installed' in server.service()['message']
    server.scm.path.write_text(content)
    server.wait_phase('serving')


def test_uninstall_keeps_who_holds_something(make_pool):
    pool = make_pool()
    server = pool.servers[0]
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    done = server.run_poold('uninstall', '--config', server.config)
    assert done.returncode == 5 and 'poolctl resume frontend01' in done.stderr


def test_the_decision_table_is_the_one_in_the_docs():
    printed = subprocess.run([POOLD, '--dump-states'], capture_output=True, text=True, check=True)
    page = (pool_module.ROOT / 'docs/states.md').read_text()
    assert printed.stdout.strip() in page
    assert printed.stdout.count('\n') > 30


@pytest.mark.parametrize('args, status, word', [
    (['--help'], 0, 'Usage: poold'), ([], 2, 'Usage: poold'), (['fly'], 2, "'fly'"),
    (['--version'], 0, 'poold 0.'), (['run', '--config'], 2, '--config needs a value'),
    (['runn'], 2, "did you mean 'run'?"), (['run', '--confg=x'], 2, "did you mean '--config'?"),
    (['run', 'now'], 2, "unexpected argument 'now'"), (['help', 'check'], 0, 'poold check'),
    (['--config=/nowhere', 'check'], 2, '/nowhere'),
])
def test_the_command_line(args, status, word):
    done = subprocess.run([POOLD, *args], capture_output=True, text=True, check=False)
    assert done.returncode == status and word in done.stdout + done.stderr


def test_a_restart_does_not_repeat_an_index(make_pool):
    server = make_pool().servers[0]
    before = server.document()
    server.stop_poold()
    server.start_poold()
    after = server.document()
    assert after['index'] > before['index'] and after['epoch'] != before['epoch']
    assert after['boot_id'] == before['boot_id']
    wait_until(lambda: server.document()['phase'] == 'serving', 'serving')


def test_it_stops_cleanly_while_many_wait(make_pool):
    pool = make_pool()
    server = pool.servers[0]
    for _ in range(5):
        waiting = [pool.start_poolctl('wait', 'frontend01', '--for', 'drained', '--timeout', '30s')
                   for _ in range(10)]
        wait_until(lambda: all(each.lines for each in waiting), 'all watch')
        assert server.stop_poold() == 0
        for each in waiting:
            each.process.kill()
            each.process.wait()
        server.start_poold()
