"""The main job on three Windows servers: drain, sessions end, power cut, boot, resume."""

import json
import os
import re
import signal
import socket
import time

import pytest

from pool import DISPLAY, SERVICE
from sessions import Prober, Talker, wait_until
from windows_pool import WindowsPool
from wine import ROOT, ScmError, windows_path

SESSIONS = 50


@pytest.fixture(scope='module')
def pool(three_machines, tmp_path_factory):
    made = WindowsPool(tmp_path_factory.mktemp('pool'), three_machines)
    for server in made.servers:
        server.machine.install(SERVICE, made.port, display=DISPLAY)
        server.machine.start(SERVICE)
        server.install_poold()
    return made


def scm_says(server):
    answer = server.machine.scm('query', server.pool.service_name)
    return answer['state'], answer['start_type']


def wait_until_out(server, command):
    try:
        # A session that is tried before the pause is taken, and counted.
        wait_until(lambda: scm_says(server) == ('paused', 'manual'), 'paused and manual')
        assert server.try_new() in ('refused', 'busy')
    except AssertionError as error:
        raise AssertionError(f'{error}; poolctl: {command.text()}; poold: '
                             f'{server.log()[-3000:]}') from None


def end_all(talker, command):
    """Ends the sessions one by one; no count that poolctl prints is less than the truth."""
    while talker.sessions:
        talker.end_one()
        time.sleep(0.03)
    assert command.process.poll() is None, command.text()


def check_counts(command, talker):
    """Each line came after its sample, so it may say too many, but never too few."""
    counts = [(at, int(match[1])) for at, line in command.lines
              if (match := re.search(r'(\d+) of \d+ (?:sessions )?left', line))]
    assert counts, command.text()
    assert [count for _, count in counts] == sorted((c for _, c in counts), reverse=True)
    for at, count in counts:
        ended_then = sum(end <= at for end in talker.ends)
        assert count >= SESSIONS - ended_then - 0, (at, count, ended_then)


@pytest.mark.parametrize('when_paused', ['close', 'refuse'])
def test_drain_power_cut_and_resume(pool, when_paused, request):
    first, second, third = pool.servers
    with first.session() as session:
        session.set('when-paused', when_paused)
    talker = Talker(first, SESSIONS)
    # If this fails, the next tests shall not meet its sessions.
    request.addfinalizer(talker.stop)
    talker.check_alive()

    # 1 and 2: the drain, and what it means at once.
    command = pool.start_poolctl('drain', 'frontend01', '--reason', 'patch day')
    wait_until_out(first, command)
    assert {first.try_new() for _ in range(5)} <= {'refused', 'busy'}
    assert (second.try_new(), third.try_new()) == ('taken', 'taken')
    assert (scm_says(second), scm_says(third)) == (('running', 'automatic'),) * 2
    talker.check_alive()
    assert first.document()['phase'] == 'draining'
    wait_until(lambda: first.service()['sessions']['count'] == SESSIONS, 'all are counted')

    # 3: the sessions end by themselves.
    end_all(talker, command)
    assert command.wait() == 0, command.text()
    ended_at = time.monotonic()
    assert not talker.failure
    talker.stop()
    check_counts(command, talker)
    drained = [at for at, line in command.lines if 'drained' in line]
    assert drained and min(drained) >= talker.ends[-1] + 2, 'said before the settle time'
    assert ended_at - talker.ends[-1] < 30
    assert first.document()['phase'] == 'drained'
    assert f'{SESSIONS} sessions ended' in command.text()

    # 4: a power cut, and a client that tries all along.
    first.machine.power_cut()
    prober = Prober(first)
    first.machine.boot()
    first.wait_answer()
    waited = pool.poolctl('wait', 'frontend01', '--for', 'drained', '--timeout', '60s')
    assert waited.returncode == 0, waited.stderr
    assert scm_says(first) == ('stopped', 'manual')
    outcomes = prober.stop()
    assert len(outcomes) > 20 and 'taken' not in {outcome for _, outcome in outcomes}

    # 5: back, exactly.
    resumed = pool.poolctl('resume', 'frontend01')
    assert resumed.returncode == 0, resumed.stderr
    assert scm_says(first) == ('running', 'automatic')
    assert first.try_new() == 'taken'
    document = first.document()
    assert (document['phase'], document['drains']) == ('serving', [])
    assert document['services'][0]['saved'] is None
    again = pool.poolctl('resume', 'frontend01')
    assert again.returncode == 0 and 'already' in again.stdout + again.stderr


def test_poold_asks_to_hear_of_a_shutdown_first(pool):
    """Wine announces none, so this is what it can show."""
    stop, parameters, preshutdown = 0x1, 0x8, 0x100
    accepts = pool.servers[0].machine.scm('query', 'poold')['accepts']
    assert accepts == stop | parameters | preshutdown


def test_a_deadline_that_stops(pool):
    second = pool.servers[1]
    sessions = [second.session() for _ in range(5)]
    wait_until(lambda: second.service()['sessions']['count'] == 5, 'all are counted')
    command = pool.poolctl('drain', 'frontend02', '--deadline', '2s', '--on-deadline', 'stop')
    assert command.returncode == 7 and '5 sessions were cut' in command.stderr, command.stderr
    assert scm_says(second) == ('stopped', 'manual')
    assert not any(session.alive() for session in sessions)
    resumed = pool.poolctl('resume', 'frontend02')
    assert resumed.returncode == 0, resumed.stderr
    assert scm_says(second) == ('running', 'automatic')
    kinds = [event['kind'] for event in second.get('/v1/events')[1]['events']]
    assert (kinds.count('cut'), kinds.count('drift')) == (1, 0)
    verified = pool.poolctl('events', 'frontend02', '--verify')
    assert verified.returncode == 0 and 'unbroken' in verified.stdout


def test_a_drain_until_the_next_boot(pool):
    third = pool.servers[2]
    assert pool.poolctl('drain', 'frontend03', '--id', 'kb7', '--until', 'reboot').returncode == 0
    assert scm_says(third) == ('paused', 'automatic')
    third.machine.power_cut()
    third.machine.boot()
    third.wait_answer()
    third.wait_phase('serving')
    assert scm_says(third) == ('running', 'automatic')
    wait_until(lambda: third.try_new() == 'taken', 'it takes sessions')
    assert third.get('/v1/drains/kb7')[1]['end_reason'] == 'reboot'
    assert third.service()['saved'] is None


def test_a_drain_survives_a_stop_and_a_crash_of_poold(pool):
    first = pool.servers[0]
    assert pool.poolctl('drain', 'frontend01', '--no-wait').returncode == 0
    first.machine.scm('stop', 'poold')
    first.machine.wait_state('poold', 'stopped')
    assert scm_says(first) == ('paused', 'manual')
    first.machine.scm('start', 'poold')
    first.wait_answer()
    assert first.document()['wanted'] == 'drained'
    for pid in first.machine.processes('wine64-preloader') + first.machine.processes('wine64'):
        with open(f'/proc/{pid}/cmdline', 'rb') as file:
            if b'poold' in file.read():
                os.kill(pid, signal.SIGKILL)
    assert scm_says(first) == ('paused', 'manual')
    first.machine.scm('start', 'poold')
    first.wait_answer()
    assert pool.poolctl('wait', 'frontend01', '--for', 'drained').returncode == 0
    assert pool.poolctl('resume', 'frontend01').returncode == 0
    assert scm_says(first) == ('running', 'automatic')


def test_somebody_continues_the_service(pool):
    first = pool.servers[0]
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    first.machine.scm('continue', SERVICE)
    wait_until(lambda: scm_says(first)[0] == 'paused', 'paused again')
    first.machine.scm('startup', SERVICE, 'automatic')
    wait_until(lambda: scm_says(first)[1] == 'manual', 'manual again')
    events = pool.poolctl('events', 'frontend01')
    assert events.returncode == 0 and 'drift' in events.stdout
    assert pool.poolctl('resume', 'frontend01').returncode == 0


def test_a_taken_port_does_not_keep_poold_from_holding_a_drain(pool):
    second = pool.servers[1]
    assert pool.poolctl('drain', 'frontend02').returncode == 0
    second.machine.scm('stop', 'poold')
    second.machine.wait_state('poold', 'stopped')
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((second.address, pool.api_port))
        other.listen()
        second.machine.scm('start', 'poold')
        second.machine.wait_state('poold', 'running')
        second.machine.scm('continue', SERVICE)
        wait_until(lambda: scm_says(second)[0] == 'paused', 'paused again')
        assert 'poold tries again' in second.log()
    second.wait_answer()
    assert pool.poolctl('resume', 'frontend02').returncode == 0


def test_uninstall_is_refused_while_poold_holds_something(pool):
    third = pool.servers[2]
    assert pool.poolctl('drain', 'frontend03').returncode == 0
    refused = third.poold('uninstall', check=False)
    assert refused.returncode == 5 and 'resume' in refused.stderr
    assert pool.poolctl('resume', 'frontend03').returncode == 0
    again = third.poold('install', check=False)
    assert again.returncode == 5 and 'installed already' in again.stderr
    third.poold('uninstall')
    with pytest.raises(ScmError):
        third.machine.scm('start', 'poold')
    third.install_poold()


def test_poolctl_runs_on_windows_too(pool):
    def poolctl(*args):
        return pool.servers[1].machine.run(
            [ROOT / 'build/windows/poolctl.exe', '--config', windows_path(pool.file), *args],
            check=False)
    assert poolctl('version').stdout.startswith('poolctl ')
    status = poolctl('status')
    assert status.returncode == 0 and 'frontend03' in status.stdout, status.stderr
    drained = poolctl('drain', 'frontend02', '--reason', 'Prüfung')
    assert drained.returncode == 0, drained.stderr
    assert 'drained' in drained.stdout
    events = poolctl('events', 'frontend02', '-o', 'json').stdout
    assert events.isascii() and 'Prüfung' in {event['why'] for event in json.loads(events)}
    assert poolctl('drain', 'frontend09').returncode == 2
    assert poolctl('resume', 'frontend02').returncode == 0


# ---- 6: services that are not as one would like ----

@pytest.fixture
def odd(machine, tmp_path, request):
    """A pool of one server whose service has the options given."""
    made = []

    def make(name, is_installed=True, start=True, **options):
        pool = WindowsPool(tmp_path, [machine], service=name, settle='1s', tick='200ms')
        if is_installed:
            machine.install(name, pool.port, **options)
        if is_installed and start:
            machine.start(name)
        pool.servers[0].install_poold()
        made.append(pool)
        return pool, pool.servers[0]

    yield make
    for pool in made:
        server = pool.servers[0]
        if server.document()['drains']:
            pool.poolctl('resume', 'frontend01', '--all', '--timeout', '90s')
        server.poold('uninstall')
        machine.remove(pool.service_name)


def test_a_service_that_does_not_accept_pause(odd):
    pool, server = odd('DENIES', pause='deny')
    command = pool.poolctl('drain', 'frontend01')
    assert command.returncode == 4
    assert 'does not accept pause' in command.stderr
    assert scm_says(server) == ('running', 'automatic')
    assert server.try_new() == 'taken'
    assert pool.poolctl('resume', 'frontend01').returncode == 0
    assert scm_says(server) == ('running', 'automatic')


def test_a_service_that_hangs_in_pause_pending(odd):
    pool, server = odd('HANGS', pause='hang')
    with server.session() as session:
        command = pool.poolctl('drain', 'frontend01')
        assert command.returncode == 9
        assert 'hangs while pausing' in command.stderr
        assert scm_says(server) == ('pause_pending', 'manual')
        assert server.document()['phase'] == 'attention'
        session.release()
        wait_until(lambda: scm_says(server)[0] == 'paused', 'paused at last')
        session.end()
    assert pool.poolctl('wait', 'frontend01', '--for', 'drained').returncode == 0
    assert pool.poolctl('resume', 'frontend01').returncode == 0
    assert scm_says(server) == ('running', 'automatic')


def test_a_hanging_pause_can_be_given_up(odd):
    pool, server = odd('GIVENUP', pause='hang')
    assert pool.poolctl('drain', 'frontend01').returncode == 9
    assert pool.poolctl('resume', 'frontend01', '--timeout', '60s').returncode == 0
    assert scm_says(server) == ('running', 'automatic')


def test_a_service_that_takes_its_time(odd):
    pool, server = odd('SLOW', pause='slow')
    command = pool.poolctl('drain', 'frontend01')
    assert command.returncode == 0, command.stderr
    assert 'attention' not in command.stderr
    assert scm_says(server) == ('paused', 'manual')
    assert pool.poolctl('resume', 'frontend01').returncode == 0


def test_a_service_that_takes_the_pause_and_still_runs(odd):
    pool, server = odd('IGNORES', pause='ignore')
    command = pool.poolctl('drain', 'frontend01', timeout=60)
    assert command.returncode == 9
    assert 'still runs' in command.stderr
    assert server.document()['phase'] == 'attention'


def test_a_service_that_is_not_installed(odd):
    pool, server = odd('ABSENT', is_installed=False)
    command = pool.poolctl('drain', 'frontend01')
    assert command.returncode == 4
    assert 'not installed' in command.stderr
    assert server.get('/readyz')[0] == 503


def test_a_service_that_was_stopped_before(odd):
    pool, server = odd('STOPPED')
    server.machine.scm('stop', 'STOPPED')
    server.machine.wait_state('STOPPED', 'stopped')
    assert scm_says(server) == ('stopped', 'automatic')
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    assert scm_says(server) == ('stopped', 'manual')
    resumed = pool.poolctl('resume', 'frontend01')
    assert resumed.returncode == 9 and 'stopped' in resumed.stderr
    assert scm_says(server) == ('stopped', 'automatic')
    assert server.service()['saved'] is None


def test_a_service_that_somebody_else_had_paused(odd):
    pool, server = odd('PAUSED')
    server.machine.scm('pause', 'PAUSED')
    server.machine.wait_state('PAUSED', 'paused')
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    assert scm_says(server) == ('paused', 'manual')
    resumed = pool.poolctl('resume', 'frontend01')
    assert resumed.returncode == 9 and 'poold did not pause it' in resumed.stderr
    assert scm_says(server) == ('paused', 'automatic')
