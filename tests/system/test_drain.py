"""Drains of simulated servers, end to end: poolctl, poold, real TCP sessions."""

import contextlib
import json
import re
import sqlite3
import time

import pytest

from sessions import Talker, wait_until

OUT = ('paused', 'manual', True)
BACK = ('running', 'automatic', True)


def test_sessions_end_by_themselves(make_pool):
    pool = make_pool(count=3)
    first, second, third = pool.servers
    talker = Talker(first, 20)
    command = pool.start_poolctl('drain', 'frontend01')
    wait_until(lambda: first.scm.says() == OUT, 'paused and manual')
    # A new session that is tried is one too many to count, until the service has heard.
    wait_until(lambda: '20 of 20' in command.text(), 'the count is shown')
    wait_until(lambda: first.try_new() == 'refused', 'refused')
    assert (second.try_new(), third.try_new()) == ('taken', 'taken')
    while talker.sessions:
        talker.check_alive()
        talker.end_one()
    assert command.wait() == 0, command.text()
    talker.stop()
    counts = [int(match[1]) for _, line in command.lines
              if (match := re.search(r'(\d+) of 20 (?:sessions )?left', line))]
    assert counts and counts == sorted(counts, reverse=True)
    assert all(at >= talker.ends[-1] + 0.2 for at, line in command.lines if 'drained' in line)
    assert pool.poolctl('resume', 'frontend01').returncode == 0
    assert first.scm.says() == BACK
    wait_until(lambda: first.try_new() == 'taken', 'takes sessions again')


def test_one_session_keeps_the_server_draining(pool, server):
    with server.session() as session:
        command = pool.poolctl('drain', 'frontend01', '--timeout', '1s')
        assert command.returncode == 6
        assert 'goes on' in command.stderr
        assert server.document()['phase'] == 'draining'
        session.end()
    assert pool.poolctl('wait', 'frontend01', '--for', 'drained').returncode == 0


def test_settle_time_is_waited_for(make_pool):
    pool = make_pool(settle='1500ms')
    began = time.monotonic()
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    assert time.monotonic() - began >= 1.5


def test_no_wait_returns_when_the_service_is_out(pool, server):
    with server.session():
        command = pool.poolctl('drain', 'frontend01', '--no-wait')
        assert command.returncode == 0, command.stderr
        assert 'acknowledged' in command.stdout
        assert server.scm.says() == OUT


def test_what_is_there_already_is_said_and_is_success(pool):
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    again = pool.poolctl('drain', 'frontend01')
    assert again.returncode == 0 and 'already' in again.stdout + again.stderr
    assert pool.poolctl('resume', 'frontend01').returncode == 0
    again = pool.poolctl('resume', 'frontend01')
    assert again.returncode == 0 and 'already' in again.stdout + again.stderr


def test_a_drain_of_another_is_not_ended_by_mistake(pool, server):
    assert pool.poolctl('drain', 'frontend01', '--id', 'kb1', '--owner', 'alice').returncode == 0
    other = pool.poolctl('resume', 'frontend01')
    assert other.returncode == 5 and 'alice' in other.stderr and 'kb1' in other.stderr
    taken = pool.poolctl('drain', 'frontend01', '--id', 'kb1', '--owner', 'bob')
    assert taken.returncode == 5 and 'alice' in taken.stderr
    assert pool.poolctl('drain', 'frontend01', '--id', 'kb2', '--owner', 'bob').returncode == 0
    still = pool.poolctl('resume', 'frontend01', '--id', 'kb1', '--owner', 'alice')
    assert still.returncode == 5 and 'kb2' in still.stderr
    assert server.scm.says() == OUT
    assert pool.poolctl('resume', 'frontend01', '--all').returncode == 0
    assert server.scm.says() == BACK


def test_several_servers_at_once(make_pool):
    pool = make_pool(count=3)
    command = pool.poolctl('drain', 'frontend01', 'frontend02', '-o', 'json')
    results = json.loads(command.stdout)
    assert command.returncode == 0
    assert {each['server']: each['result'] for each in results} == {
        'frontend01': 'drained', 'frontend02': 'drained'}
    assert pool.servers[2].scm.says() == BACK


def test_a_server_that_does_not_answer_does_not_hang_the_rest(make_pool):
    pool = make_pool(count=3)
    pool.servers[1].kill_poold()
    command = pool.poolctl('drain', 'frontend01', 'frontend02')
    assert command.returncode == 8
    assert pool.servers[0].document()['phase'] == 'drained'
    assert 'frontend02' in command.stderr
    status = pool.poolctl('status')
    assert status.returncode == 8
    assert 'does not answer' in status.stdout
    alone = pool.poolctl('drain', 'frontend02')
    assert alone.returncode == 3


@pytest.mark.parametrize('end', ['stop_poold', 'kill_poold'])
def test_a_drain_survives_the_end_of_poold(pool, server, end):
    with server.session() as session:
        assert pool.poolctl('drain', 'frontend01', '--no-wait').returncode == 0
        getattr(server, end)()
        assert server.scm.says() == OUT
        server.start_poold()
        assert server.document()['wanted'] == 'drained'
        session.talk()
        session.end()
    assert pool.poolctl('wait', 'frontend01', '--for', 'drained').returncode == 0
    assert pool.poolctl('resume', 'frontend01').returncode == 0
    assert server.scm.says() == BACK


def test_an_attached_drain_goes_on_after_poold_restarts(pool, server):
    with server.session() as session:
        command = pool.start_poolctl('drain', 'frontend01')
        wait_until(lambda: server.scm.says() == OUT, 'out')
        server.kill_poold()
        server.start_poold()
        session.end()
    assert command.wait() == 0, command.text()


def kept_peak(server):
    with contextlib.closing(sqlite3.connect(server.folder / 'state/poold.sqlite')) as store:
        return store.execute('SELECT peak FROM saved').fetchall()


def test_sessions_that_ended_before_a_restart_are_not_forgotten(pool, server):
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(server.session()) for _ in range(3)]
        command = pool.start_poolctl('drain', 'frontend01', '--id', 'kb1')
        wait_until(lambda: kept_peak(server) == [(3,)], 'the peak is on disk')
        sessions[0].end()
        sessions[1].end()
        wait_until(lambda: server.document()['progress']['sessions'] == 1, 'two have ended')
        server.kill_poold()
        server.start_poold()
        wait_until(lambda: server.document()['progress']['known'], 'it is counted')
        progress = server.document()['progress']
        assert (progress['peak'], progress['ended']) == (3, 2)
    assert command.wait() == 0, command.text()
    assert 'drained (3 sessions ended' in command.text()
    pool.poolctl('resume', 'frontend01', '--id', 'kb1')
    wait_until(lambda: server.try_new() == 'taken', 'takes sessions again')
    with server.session():
        wait_until(lambda: server.document()['progress']['sessions'] == 1, 'a new one')
        assert server.put('kb2', {'reason': 'another'})[0] == 201
        wait_until(lambda: server.document()['progress']['known'], 'it is counted')
        assert server.document()['progress']['peak'] == 1


def test_drift_is_undone_and_recorded(pool, server):
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    server.scm.change(state='running', start_type='automatic')
    wait_until(lambda: server.scm.says() == OUT, 'out again')
    events = pool.poolctl('events', 'frontend01', '-o', 'json')
    kinds = [event['kind'] for event in json.loads(events.stdout)]
    assert 'drift' in kinds


def test_a_drain_that_somebody_ends_is_not_called_drained(pool, server):
    with server.session():
        command = pool.start_poolctl('drain', 'frontend01', '--id', 'kb1')
        wait_until(lambda: server.document()['drains'], 'the drain')
        assert pool.poolctl('resume', 'frontend01', '--id', 'kb1').returncode == 0
        assert command.wait() == 9, command.text()


@pytest.mark.parametrize('fields, words', [
    ({'on_pause': 'refuse'}, '1052'),
    ({'on_pause': 'fail'}, '1053'),
    ({'on_pause': 'hang', 'wait_hint_ms': 100}, 'hangs while pausing'),
])
def test_a_service_that_cannot_be_paused_needs_attention(make_pool, fields, words):
    pool = make_pool(fields=fields)
    command = pool.poolctl('drain', 'frontend01')
    assert command.returncode == 9
    assert words in command.stderr
    assert 'poolctl resume frontend01' in command.stderr
    assert pool.servers[0].get('/readyz')[0] == 503


def test_a_service_that_does_not_accept_pause_is_left_alone(make_pool):
    pool = make_pool(fields={'accepts_pause': False})
    command = pool.poolctl('drain', 'frontend01', '--force=preflight', '--confirm', 'fe-pool01')
    assert command.returncode == 4
    assert 'gate preflight' in command.stderr and 'does not accept pause' in command.stderr
    assert pool.servers[0].document()['drains'] == []


def test_the_session_count_is_of_this_server_and_port_alone(make_pool):
    pool = make_pool(count=2)
    first, second = pool.servers
    mine = [first.session() for _ in range(3)]
    others = [second.session() for _ in range(5)]
    wait_until(lambda: first.service()['sessions']['count'] == 3, 'three')
    wait_until(lambda: second.service()['sessions']['count'] == 5, 'five')
    for session in mine + others:
        session.close()


def test_interrupt_stops_watching_and_not_the_drain(pool, server):
    with server.session():
        command = pool.start_poolctl('drain', 'frontend01')
        wait_until(lambda: server.scm.says() == OUT, 'out')
        wait_until(lambda: '1 of 1' in command.text(), 'it watches')
        command.process.send_signal(2)
        assert command.wait() == 130
        assert 'goes on' in command.text()
        assert server.document()['wanted'] == 'drained'
