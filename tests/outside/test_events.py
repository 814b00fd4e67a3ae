"""Cases E: what poold hears of at once, and what it does then."""

import time

import pytest

from sessions import wait_until

OUT = ('paused', 'manual', True)
LONG_S = 20


@pytest.fixture
def pool(make_pool):
    """Nothing that a test sees comes from a tick."""
    return make_pool(settle='100ms', tick=f'{LONG_S}s')


@pytest.fixture
def drained(pool, server):
    server.put('kb1', {'reason': 'patch'})
    wait_until(lambda: server.scm.says() == OUT, 'it is out')
    return server


def kinds(server):
    return [event['kind'] for event in server.get('/v1/events')[1]['events']]


@pytest.mark.case('E9')
@pytest.mark.parametrize('change', [
    {'state': 'running'}, {'start_type': 'automatic'}, {'state': 'running', 'pid': 2000}])
def test_what_somebody_changes_is_undone_at_once(drained, change):
    began = time.monotonic()
    drained.scm.change(**change)
    wait_until(lambda: 'undone' in kinds(drained), 'it is undone')
    assert drained.scm.says() == OUT and time.monotonic() - began < LONG_S / 2


@pytest.mark.brother('E9')
def test_a_service_that_comes_and_goes_is_seen_at_once(pool, server):
    content = server.scm.read()
    server.scm.write({'services': {}})
    wait_until(lambda: server.service()['observed']['state'] == 'missing', 'it is missed',
               limit=LONG_S / 2)
    server.scm.write({'services': {pool.service_name: content}})
    wait_until(lambda: server.service()['observed']['state'] == 'running', 'it is back',
               limit=LONG_S / 2)


@pytest.mark.brother('E9')
def test_a_process_that_follows_one_that_was_asked_is_paused_at_once(pool, server):
    """The one before took the pause, and died of it; a recovery action started another."""
    server.scm.change(on_pause='ignore')
    server.put('kb1', {'reason': 'patch'})
    wait_until(lambda: 'has asked the service to pause' in server.service()['message'], 'asked')
    server.scm.change(pid=2000, on_pause='pause')
    wait_until(lambda: server.scm.says() == OUT, 'it is out')
    # Nothing waited for the one before until it was late.
    assert not [event for event in server.get('/v1/events')[1]['events']
                if 'still runs' in (event['text'] or '')]
