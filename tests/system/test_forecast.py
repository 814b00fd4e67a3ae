"""How long a drain will take: what poold learns, keeps, and says, and what poolctl makes of
it.  Whether it comes true is for tests/sessions/test_coverage.py."""

import contextlib
import sqlite3

import pytest

from pool import SERVICE
from sessions import wait_until

ENDS = 15


@pytest.fixture
def connect():
    """Opens a session, and closes all of them at the end."""
    with contextlib.ExitStack() as stack:
        def make(server):
            return stack.enter_context(server.session())
        yield make


def forecast(server, query=''):
    status, body = server.get(f'/v1/preflight{query}')
    assert status == 200, body
    return body['forecast']


def progress(server):
    return server.document()['progress']


def watch_some(server, connect, count=ENDS):
    """Sessions that poold has seen come and go."""
    wait_until(lambda: progress(server)['known'], 'a first sample')
    some = [connect(server) for _ in range(count)]
    wait_until(lambda: server.sessions()['count'] == count, 'all are seen')
    for session in some:
        session.end()
    wait_until(lambda: server.sessions()['count'] == 0, 'none is left')


def test_without_ends_it_is_not_known_and_says_why(server, connect):
    watch_some(server, connect, 2)
    connect(server)
    wait_until(lambda: server.sessions()['count'] == 1, 'it is seen')
    assert forecast(server, '?deadline_s=60') == {
        'known': False, 'half_s': None, 'nine_tenths_s': None, 'basis': None, 'deadline_s': 60,
        'chance': None, 'reason': f'{SERVICE}: poold has seen 2 of the 10 session ends that it needs'}
    done = server.pool.poolctl('check', server.name)
    assert done.returncode == 0 and 'unknown' in done.stdout, done
    done = server.pool.poolctl('check', server.name, '--deadline', '1m')
    assert done.returncode == 4 and 'unknown whether it fits' in done.stdout, done


def test_without_sessions_it_takes_the_settle_time(make_pool):
    pool = make_pool(settle='7s')
    server = pool.servers[0]
    wait_until(lambda: progress(server)['known'], 'a first sample')
    assert forecast(server, '?deadline_s=7') == {
        'known': True, 'half_s': 7, 'nine_tenths_s': 7, 'basis': 'lifetimes', 'deadline_s': 7,
        'chance': 1.0, 'reason': None}
    assert forecast(server, '?deadline_s=6')['chance'] == 0
    done = pool.poolctl('check', server.name, '--deadline', '6s')
    assert done.returncode == 4 and 'does not fit' in done.stdout, done
    assert pool.poolctl('check', server.name, '--deadline', '7s').returncode == 0


def test_what_was_learned_tells_how_long_a_drain_takes(server, connect):
    watch_some(server, connect)
    session = connect(server)
    wait_until(lambda: server.sessions()['count'] == 1, 'it is seen')
    told = forecast(server, '?deadline_s=86400')
    assert told['known'] and told['basis'] == 'lifetimes' and told['reason'] is None
    assert 0 <= told['half_s'] <= told['nine_tenths_s'] < 3600
    assert told['chance'] >= 0.9
    assert progress(server)['eta_s'] is None and progress(server)['eta_unknown'] is None

    server.put('kb1', {'reason': 'patch', 'owner': 'me', 'deadline_s': 3600})
    eta = wait_until(lambda: progress(server) if progress(server)['eta_basis'] else None,
                     'an estimate')
    assert eta['eta_basis'] == 'lifetimes' and eta['eta_unknown'] is None
    assert 0 <= eta['eta_s'] <= eta['eta_90_s'] < 3600
    session.end()
    server.wait_phase('drained')
    wait_until(lambda: progress(server)['eta_s'] is None, 'nothing is left to estimate')
    assert progress(server)['eta_90_s'] is None and progress(server)['eta_basis'] is None


def test_a_drain_says_what_it_does_not_know(server, connect):
    watch_some(server, connect, 1)
    connect(server)
    wait_until(lambda: server.sessions()['count'] == 1, 'it is seen')
    server.put('kb1', {'reason': 'patch', 'owner': 'me'})
    told = wait_until(lambda: progress(server) if progress(server)['eta_unknown'] else None,
                      'why it is not known')
    assert told['eta_unknown'].startswith(f'{SERVICE}: poold has seen 1 of the 10 session ends')
    assert told['eta_s'] is None and told['eta_90_s'] is None and told['eta_basis'] is None


def test_what_was_learned_is_there_after_a_restart(server, connect):
    watch_some(server, connect)
    server.stop_poold()
    server.start_poold()
    wait_until(lambda: progress(server)['known'], 'a first sample')
    connect(server)
    wait_until(lambda: server.sessions()['count'] == 1, 'it is seen')
    assert forecast(server)['basis'] == 'lifetimes'


def test_damage_to_what_was_learned_costs_nothing_else(server, connect):
    watch_some(server, connect)
    server.put('kb1', {'reason': 'patch', 'owner': 'me'})
    server.wait_phase('drained')
    server.stop_poold()
    with contextlib.closing(sqlite3.connect(server.folder / 'state/poold.sqlite')) as store, store:
        assert store.execute('UPDATE lifetimes SET text = ?', ('garbage',)).rowcount == 1
    server.start_poold()
    server.wait_phase('drained')
    assert 'learned anew' in server.log()
    server.delete('kb1')
    server.wait_phase('serving')
    wait_until(lambda: server.try_new() == 'taken', 'the service takes sessions again')
    connect(server)
    wait_until(lambda: server.sessions()['count'] == 1, 'it is seen')
    assert 'session ends that it needs' in forecast(server)['reason']


def test_a_session_that_was_there_before_poold_teaches_nothing(make_pool, connect):
    pool = make_pool(start=False)
    server = pool.servers[0]
    early = [connect(server) for _ in range(ENDS)]
    server.start_poold()
    wait_until(lambda: server.sessions()['count'] == ENDS, 'all are seen')
    for session in early:
        session.end()
    wait_until(lambda: server.sessions()['count'] == 0, 'none is left')
    connect(server)
    wait_until(lambda: server.sessions()['count'] == 1, 'it is seen')
    assert forecast(server)['reason'] == (
        f'{SERVICE}: poold has seen 0 of the 10 session ends that it needs')


def test_a_drain_is_warned_of_a_deadline_that_may_come_first(server, connect):
    watch_some(server, connect, 1)
    session = connect(server)
    wait_until(lambda: server.sessions()['count'] == 1, 'it is seen')
    done = server.pool.poolctl('drain', server.name, '--deadline', '1m', '--no-wait')
    assert done.returncode == 0
    assert 'the deadline may come first' in done.stderr and 'session ends that it needs' in done.stderr
    session.end()


@pytest.mark.parametrize('query', ['?deadline_s=soon', '?deadline_s=-1', '?deadline_s=1e3',
                                   f'?deadline_s={367 * 86400}'])
def test_a_deadline_that_is_none_is_refused(server, query):
    status, _, body = server.request('GET', f'/v1/preflight{query}')
    assert status == 400 and body['code'] == 'invalid_request'
