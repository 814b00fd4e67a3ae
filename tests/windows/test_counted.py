"""What a Windows service's sessions are counted by, all the way: poold.exe, its sources, its
proof of refusal, and poolctl."""

import contextlib
import json
import subprocess

import pytest

from pool import SERVICE
from sessions import try_new_session, wait_until
from wine import TOOLS, kill, windows_path
from windows_pool import POOLD, WindowsPool

MISSING = r'\LS:SIP - Peers(Clients)\SIP - Connections Active'
SECOND = 1_000_000_000


@pytest.fixture
def serve(machine, tmp_path):
    """serve('counters: ...'): a server whose service has these keys beside its ports."""
    with contextlib.ExitStack() as stack:
        def make(*keys, poold=(), env=None, **options):
            pool = WindowsPool(tmp_path, [machine], tick='200ms')
            text = pool.file.read_text()
            port = f'        ports: [{pool.port}]\n'
            pool.file.write_text(text.replace(port, port + ''.join(
                f'        {key}\n' for key in keys).replace('PORT', str(pool.port))))
            machine.install(SERVICE, pool.port, **options)
            stack.callback(machine.remove, SERVICE)
            machine.start(SERVICE)
            server = pool.servers[0]
            server.configure_poold()
            with open(machine.prefix / 'drive_c/ProgramData/poolctl/poold.yaml', 'a') as file:
                file.write(''.join(f'{line}\n' for line in poold))
            with open(tmp_path / 'poold.log', 'w') as log:
                process = machine.popen([POOLD, 'run'], stdout=log, stderr=log,
                                        stdin=subprocess.DEVNULL, env=env or {})
            stack.callback(process.wait)
            stack.callback(kill, [process.pid], 9)
            server.wait_answer()
            stack.callback(end_drain, server)
            return server
        yield make


def sources(server):
    return {source['kind']: source for source in server.service()['sessions']['sources']}


def end_drain(server):
    server.delete('kb1')
    wait_until(lambda: not server.service()['saved'], 'nothing is held')


def drain(server):
    assert server.put('kb1', {'reason': 'patches'})[0] == 201


def test_a_counter_that_is_missing_is_never_drained_and_says_why(serve):
    server = serve(f"counters: [{{path: '{MISSING}'}}]")
    drain(server)
    wait_until(lambda: 'no such counter' in server.service()['message'], 'the reason')
    done = server.pool.poolctl('wait', 'frontend01', '--for', 'drained', '--timeout', '5s')
    assert done.returncode == 6
    assert sources(server)['tcp']['count'] == 0 and not sources(server)['counter']['known']
    done = server.pool.poolctl('status')
    assert MISSING in done.stdout and 'since' in done.stdout
    assert server.document()['phase'] == 'draining'


def test_a_counter_that_may_be_unknown_leaves_it_to_the_others(serve):
    server = serve(f"counters: [{{path: '{MISSING}', ignore_unknown: true}}]")
    with server.session():
        drain(server)
        wait_until(lambda: server.service()['message'] == '1 sessions left', 'the session')
    server.wait_phase('drained')


def test_a_counter_that_wine_has_is_the_most_of_all(serve):
    server = serve(r"counters: [{path: '\System\System Up Time'}]")
    wait_until(lambda: server.service()['sessions']['known'], 'both are known')
    assert server.service()['sessions']['count'] == sources(server)['counter']['count'] >= 1


def test_a_program_counts_beside_the_connections(serve, tmp_path):
    file = tmp_path / 'count'
    file.write_text('3')
    program = windows_path(TOOLS / 'program.exe')
    server = serve('combine: sum', poold=[
        f"commands: [{{service: {SERVICE}, run: ['{program}', type, '{windows_path(file)}'], "
        'every: 200ms}]'])
    with server.session():
        wait_until(lambda: server.service()['sessions']['count'] == 4, 'both are counted')
        drain(server)
        file.write_text('none')
        wait_until(lambda: 'is not JSON' in server.service()['message'], 'the reason')
        file.write_text('0')
        wait_until(lambda: server.service()['message'] == '1 sessions left', 'the session')
    server.wait_phase('drained')


def test_sessions_of_remote_desktop_are_shown_with_user_and_state(serve, machine, tmp_path):
    library = machine.prefix / 'drive_c/windows/system32/wtsapi32.dll'
    own, listed = library.read_bytes(), tmp_path / 'rds'
    services = f'0\t4\t-\t-\t-\t0\t0\t0\t0\t{SECOND}\n'
    times = '\t'.join(str(SECOND - ago) for ago in (86400, 3600, 1800, 7200))
    listed.write_text(services + f'3\t4\tanna\tCORP\tLAPTOP\t{times}\t{SECOND}\n')
    library.unlink()
    library.write_bytes((TOOLS / 'wtsapi32.dll').read_bytes())
    try:
        server = serve('rds: {states: [active, disconnected]}', env={
            'RDS_FILE': windows_path(listed),
            'WINEDLLOVERRIDES': f'{machine.env["WINEDLLOVERRIDES"]};wtsapi32=n'})
        wait_until(lambda: server.service()['sessions']['count'] == 1, 'the session')
        with server.session():
            done = server.pool.poolctl('sessions', 'frontend01')
            first, second, *sources = done.stdout.splitlines()[1:]
            assert first.split()[:3] == ['CORP\\anna', SERVICE, 'rds']
            assert first.endswith('disconnected, suspect') and second.split()[2] == 'tcp'
            assert [line.split(',')[0] for line in sources] == [
                f'{SERVICE}: tcp: counted 1', f'{SERVICE}: rds: counted 1']
            done = server.pool.poolctl('sessions', 'frontend01', '-o', 'jsonl')
            row = json.loads(done.stdout.splitlines()[0])
            assert (row['user'], row['state'], row['idle_s']) == (
                'CORP\\anna', 'disconnected', 1800)
        drain(server)
        wait_until(lambda: server.service()['message'] == '1 sessions left', 'she is there')
        listed.write_text(services)
        server.wait_phase('drained')
    finally:
        library.unlink(missing_ok=True)
        library.write_bytes(own)


@pytest.mark.parametrize('when_paused, probe, met', [
    ('close', '{port: PORT, every: 300ms}', 'refused'),
    ('refuse', '{port: PORT, every: 300ms, taken: READY}', 'busy')])
def test_a_service_that_refuses_is_proved_to(serve, when_paused, probe, met):
    server = serve(f'probe: {probe}', when_paused=when_paused)
    drain(server)
    server.wait_phase('drained')
    wait_until(lambda: server.service()['probe']['result'] == 'refused', 'a try')
    assert try_new_session(server.address, server.pool.port) == met
    assert server.document()['phase'] == 'drained'


def test_a_service_that_takes_sessions_while_it_is_paused_is_found_out(serve):
    server = serve('probe: {port: PORT, every: 300ms, taken: READY}', when_paused='accept')
    drain(server)
    server.wait_phase('attention')
    assert 'takes new sessions although it is out' in server.service()['message']
    assert 'drift' in [event['kind'] for event in server.get('/v1/events')[1]['events']]
