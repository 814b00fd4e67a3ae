"""Cases F: what an administrator is told, and what to do next."""

import subprocess

import pytest

from pool import ROOT
from sessions import wait_until
from simulated import POOLD


def availability(pool, text):
    """Changes the pool's limits in pool.yaml, for poolctl."""
    lines = [f'    availability: {{{text}}}' if 'availability:' in line else line
             for line in pool.file.read_text().splitlines()]
    pool.file.write_text('\n'.join(lines) + '\n')


@pytest.fixture
def pair(make_pool):
    return make_pool(2)


# ---- gates ----

@pytest.mark.case('F10')
def test_the_remedy_of_a_gate_is_not_to_force_it(pair):
    availability(pair, 'floor: 1, max_out: 1')
    assert pair.poolctl('drain', 'frontend01').returncode == 0
    refused = pair.poolctl('drain', 'frontend02')
    assert refused.returncode == 4
    for gate in 'last', 'floor', 'max_out':
        said = refused.stderr.split(f'gate {gate} refuses')[1].split('\n')
        assert said[1] == ('    remedy: bring another server back first: '
                           'poolctl resume frontend01')
        assert said[2] == f'    at your own risk: --force={gate}'


@pytest.mark.brother('F10')
def test_the_remedy_for_a_server_that_is_silent(pair):
    availability(pair, 'floor: 1')
    pair.servers[0].stop_poold()
    refused = pair.poolctl('drain', 'frontend02')
    assert 'first: see whether poold runs on frontend01\n' in refused.stderr


@pytest.mark.brother('F10')
def test_the_remedy_in_a_pool_of_one(pool):
    availability(pool, 'floor: 1')
    refused = pool.poolctl('drain', 'frontend01')
    assert 'remedy: add a server to the pool, or lower the pool\'s limits' in refused.stderr


@pytest.mark.case('F14')
@pytest.mark.parametrize('word', ['yes', 'frontend01'])
def test_a_confirmation_that_is_not_the_name_of_the_pool(pool, server, word):
    refused = pool.poolctl('drain', 'frontend01', '--force=floor', f'--confirm={word}')
    assert refused.returncode == 2
    assert 'fe-pool01' in refused.stderr and 'not a terminal' not in refused.stderr
    assert server.document()['drains'] == []


@pytest.mark.case('F21')
@pytest.mark.parametrize('args', [('check', 'frontend02'), ('drain', 'frontend02', '--dry-run')])
def test_the_headline_says_that_a_gate_refuses(pair, args):
    availability(pair, 'floor: 2')
    said = pair.poolctl(*args)
    assert said.returncode == 4
    assert said.stdout.splitlines()[0] == 'frontend02: a drain is refused by the gates: floor'


@pytest.mark.case('F21')
def test_the_headline_says_that_the_server_needs_attention(pool, server):
    server.scm.change(on_pause='refuse')
    assert pool.poolctl('drain', 'frontend01').returncode != 0
    said = pool.poolctl('check', 'frontend01')
    assert said.returncode == 9
    assert said.stdout.startswith('frontend01: needs attention; RTCSRV: ')


# ---- servers that do not answer ----

@pytest.mark.brother('F16')
def test_a_server_that_is_down_is_said_once_with_what_to_check(pool, server):
    server.stop_poold()
    for args in ('status',), ('events', 'frontend01'), ('drain', 'frontend01', '--timeout', '0s'):
        done = pool.poolctl(*args)
        said = done.stdout + done.stderr
        assert done.returncode == 3 and 'check that poold runs there' in said
        assert said.count('connect') == 1, said


# ---- progress ----

@pytest.mark.case('F22')
def test_a_pause_that_hangs_is_named_before_the_sessions(pool, server):
    server.scm.change(on_pause='hang', wait_hint_ms=60000)
    with server.session():
        said = pool.poolctl('drain', 'frontend01', '--timeout', '1s').stderr.splitlines()
    assert any(line.startswith('frontend01: draining, RTCSRV: pausing, 1 of 1 sessions left')
               for line in said), said


@pytest.mark.brother('F22')
def test_a_refused_pause_is_named_before_the_sessions(pool, server):
    server.scm.change(on_pause='refuse')
    with server.session():
        said = pool.poolctl('drain', 'frontend01', '--timeout', '3s').stderr.splitlines()
    trouble = [line for line in said if line.startswith('frontend01: attention')]
    assert trouble and all('refuses to pause' in line.split('sessions')[0] for line in trouble)


@pytest.mark.brother('F22')
def test_what_the_deadline_did_stands_before_how_many_it_cut(pool, server):
    with server.session():
        done = pool.poolctl('drain', 'frontend01', '--deadline', '1s', '--on-deadline', 'stop')
    assert done.returncode == 7
    assert 'stopped at the deadline, 1 session was cut' in done.stderr


@pytest.mark.case('F11')
def test_many_silent_sources_take_one_short_note(pool, server):
    sources = ''.join(f"          - {{path: '\\No\\Such {i}'}}\n" for i in range(13))
    pool.file.write_text(pool.file.read_text().replace(
        '    availability', f'        counters:\n{sources}    availability'))
    server.kill_poold()
    server.start_poold()
    said = pool.poolctl('status').stdout
    assert '13 session sources cannot be read: poolctl sessions frontend01' in said
    assert len(said) < 500


@pytest.mark.case('F9')
def test_the_shortest_files_of_the_install_page_are_good(tmp_path):
    """pool.yaml of the quick start for Windows, and the one line of poold.yaml."""
    start = (ROOT / 'docs/start.md').read_text().split("@'\n")[1].split("'@")[0]
    (tmp_path / 'pool.yaml').write_text(start)
    (tmp_path / 'poold.yaml').write_text(
        f'server: frontend01\npool_file: pool.yaml\nstate_dir: {tmp_path}/state\n'
        'scm: simulated\nsimulated_file: scm.json\n')
    (tmp_path / 'scm.json').write_text('{}')
    assert 'server: frontend01\n' in (ROOT / 'docs/install.md').read_text()
    done = subprocess.run([POOLD, 'check', '--config', tmp_path / 'poold.yaml'],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('\n') == 1


@pytest.mark.case('F20')
def test_the_preflight_of_poold_is_for_people(server):
    done = server.run_poold('preflight', '--config', server.config)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == 'frontend01: a drain is possible' and len(lines) < 15
    assert '    step: pause' in lines
    assert server.run_poold('preflight', '-o', 'json', '--config', server.config).stdout[0] == '{'


@pytest.mark.brother('F6')
def test_a_drain_that_is_not_there_is_named(pool, server):
    done = pool.poolctl('resume', 'frontend01', '--id', 'nosuch')
    assert done.returncode == 0 and "no drain 'nosuch' is active" in done.stdout


@pytest.mark.brother('F9')
def test_a_wait_for_a_drain_that_nobody_asked_for_says_so(make_pool):
    pool = make_pool(2)
    said = 'frontend01: nothing drains it; poolctl waits until somebody does'
    waiting = pool.start_poolctl('wait', 'frontend01', '--for', 'drained')
    wait_until(lambda: said in waiting.text(), 'it is said')
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    assert waiting.wait() == 0 and waiting.text().count('nothing drains it') == 1
    again = pool.poolctl('wait', 'frontend01', '--for', 'drained')
    assert again.returncode == 0 and 'nothing drains it' not in again.stderr


@pytest.mark.brother('F9')
def test_the_list_of_counters_fails_with_a_message():
    done = subprocess.run([POOLD, 'counters', 'LS:*'], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode and done.stderr.startswith('poold: performance counters exist only')


@pytest.mark.brother('F20')
@pytest.mark.parametrize('command', ['check', 'preflight', 'install', 'uninstall'])
def test_a_command_of_poold_speaks_as_poolctl_does(tmp_path, command):
    done = subprocess.run([POOLD, command, '--config', tmp_path / 'nosuch.yaml'],
                          capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 2 and done.stderr.startswith('poold: cannot open '), done


@pytest.mark.brother('F16')
def test_a_pool_file_that_is_not_there_is_named_where_it_stands(tmp_path):
    config = tmp_path / 'poold.yaml'
    config.write_text(f'server: fe1\npool_file: nosuch.yaml\nstate_dir: {tmp_path}/state\n'
                      'scm: simulated\nsimulated_file: scm.json\n')
    done = subprocess.run([POOLD, 'check', '--config', config], capture_output=True, text=True,
                          timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 2 and "check 'pool_file' in poold.yaml" in done.stderr, done
    assert 'POOLCTL_CONFIG' not in done.stderr
