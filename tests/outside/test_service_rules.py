"""Cases E and H: what poold does of a service as Windows and others change it."""

import sqlite3
import time

import pytest

from sessions import wait_until

FLAGS = {'manual': {'start_type': 'manual'}, 'disabled': {'start_type': 'disabled'},
         'not delayed': {'delayed_auto_start': False}}
STUCK = {'denied': {'on_set_startup': 'refuse'}, 'without effect': {'on_set_startup': 'ignore'},
         'marked for deletion': {'marked_for_deletion': True}}


def kinds(server):
    return [event['kind'] for event in server.get('/v1/events')[1]['events']]


def count(server, kind):
    return kinds(server).count(kind)


def let_be(server, seconds=1):
    """Many ticks, in which nothing may happen."""
    index = server.document()['index']
    server.get(f'/v1/server?index={index}&wait={seconds}')


def drain(pool, *args):
    done = pool.poolctl('drain', 'frontend01', '--id', 'kb1', '--reason', 'patch', *args)
    assert done.returncode == 0, done.stderr


def ask_for(server, **fields):
    assert server.put('kb1', {'reason': 'patch', 'owner': 'alice'} | fields)[0] == 201


def another_boot(server):
    """As if the drains were asked for in an earlier boot."""
    with sqlite3.connect(server.folder / 'state/poold.sqlite') as store:
        store.execute("UPDATE drains SET boot_id = 'another'")
    store.close()


# ---- who stops it ----

@pytest.mark.case('E1')
def test_an_orderly_stop_is_no_drift(pool, server):
    drain(pool)
    server.scm.change(state='stop_pending')
    server.wait_phase('draining')
    server.scm.change(state='stopped')
    server.wait_phase('drained')
    assert count(server, 'drift') == count(server, 'undone') == 0
    assert pool.poolctl('resume', 'frontend01', '--id', 'kb1').returncode == 0
    assert server.scm.says() == ('running', 'automatic', True)


@pytest.mark.brother('E1')
def test_a_stop_over_a_restart_of_poold_is_no_drift(pool, server):
    drain(pool)
    server.scm.change(state='stop_pending')
    server.wait_phase('draining')
    server.kill_poold()
    server.start_poold()
    server.scm.change(state='stopped')
    server.wait_phase('drained')
    assert count(server, 'drift') == count(server, 'undone') == 0


@pytest.mark.brother('E1')
def test_a_stop_that_ends_in_running_is_drift(pool, server):
    drain(pool)
    server.scm.change(state='stop_pending')
    server.wait_phase('draining')
    server.scm.change(state='running')
    wait_until(lambda: count(server, 'undone') == 1, 'undone')
    assert server.scm.read()['state'] == 'paused' and count(server, 'drift') == 1


# ---- a state in motion ----

@pytest.mark.case('E2')
@pytest.mark.parametrize('moving, settled', [
    ('stop_pending', 'running'), ('start_pending', 'running'), ('pause_pending', 'paused'),
    ('continue_pending', 'running')])
def test_a_state_in_motion_is_saved_once_it_has_settled(pool, server, moving, settled):
    server.scm.change(state=moving)
    ask_for(server)
    let_be(server)
    assert server.service()['saved'] is None and server.scm.read()['start_type'] == 'automatic'
    server.scm.change(state=settled)
    server.wait_phase('drained')
    assert server.service()['saved']['state'] == settled


@pytest.mark.brother('E2')
def test_a_restart_of_the_service_is_no_stop(pool, server):
    server.scm.change(state='stopped')
    wait_until(lambda: server.service()['observed']['state'] == 'stopped', 'stopped')
    ask_for(server)
    let_be(server)
    assert server.service()['saved'] is None
    server.scm.change(state='running')
    server.wait_phase('drained')
    assert server.service()['saved']['state'] == 'running'


# ---- starts that Windows has yet to make ----

@pytest.mark.case('E3')
@pytest.mark.parametrize('fields, saved', [({}, 'running'), ({'triggers': 1}, 'stopped')])
def test_one_that_windows_has_yet_to_start(make_pool, fields, saved):
    pool = make_pool(start=False, fields={'state': 'stopped', 'never_started': True} | fields)
    pool.start()
    server = pool.servers[0]
    ask_for(server)
    wait_until(lambda: server.service()['saved'], 'saved')
    assert server.service()['saved']['state'] == saved


@pytest.mark.case('H7')
def test_a_delayed_start_is_left_to_windows(pool, server):
    drain(pool, '--until', 'reboot')
    server.stop_poold()
    another_boot(server)
    server.scm.change(state='stopped', never_started=True)
    server.start_poold()
    server.wait_phase('resuming')
    let_be(server)
    assert server.scm.read()['state'] == 'stopped'
    assert 'Windows has not started it yet' in server.service()['message']
    server.scm.change(state='running', never_started=False)
    server.wait_phase('serving')
    assert count(server, 'drift') == 0


# ---- the startup type ----

@pytest.mark.case('E6')
def test_what_is_disabled_while_drained_is_left_and_recorded(pool, server):
    drain(pool)
    server.scm.change(start_type='disabled')
    wait_until(lambda: count(server, 'drift') == 1, 'recorded')
    let_be(server)
    assert server.scm.read()['start_type'] == 'disabled'
    assert count(server, 'undone') == 0 and count(server, 'drift') == 1
    assert server.document()['phase'] == 'drained'
    assert pool.poolctl('resume', 'frontend01', '--id', 'kb1').returncode == 0
    assert server.scm.says() == ('running', 'automatic', True)


@pytest.mark.brother('E6')
def test_what_was_disabled_and_stopped_runs_again(pool, server):
    drain(pool)
    server.scm.change(start_type='disabled', state='stopped')
    wait_until(lambda: count(server, 'drift') == 1, 'recorded')
    assert pool.poolctl('resume', 'frontend01', '--id', 'kb1').returncode == 0
    assert server.scm.says() == ('running', 'automatic', True)


@pytest.mark.case('H6')
@pytest.mark.parametrize('what', FLAGS)
def test_until_a_reboot_the_startup_type_is_left_alone(pool, server, what):
    drain(pool, '--until', 'reboot')
    before = kinds(server)
    server.scm.change(**FLAGS[what])
    changed = server.scm.read()
    let_be(server, 2)
    assert server.scm.read() == changed and kinds(server) == before
    assert server.document()['phase'] == 'drained'


@pytest.mark.case('E5')
@pytest.mark.parametrize('how', STUCK)
def test_one_whose_startup_cannot_be_set_is_out_all_the_same(pool, server, how):
    server.scm.change(**STUCK[how])
    session = server.session()
    ask_for(server, deadline_s=1, on_deadline='stop')
    wait_until(lambda: server.scm.read()['state'] == 'paused', 'paused')
    server.wait_phase('attention')
    assert 'the startup type cannot be set' in server.service()['message']
    wait_until(lambda: server.scm.read()['state'] == 'stopped', 'stopped at the deadline')
    session.close()
    wait_until(lambda: count(server, 'cut') == 1, 'recorded')
    assert count(server, 'failed') == 1
    server.scm.change(on_set_startup='set', marked_for_deletion=False)
    server.wait_phase('drained')


@pytest.mark.case('H2')
@pytest.mark.parametrize('how', STUCK)
def test_one_whose_startup_cannot_be_restored_runs_all_the_same(pool, server, how):
    drain(pool)
    server.scm.change(**STUCK[how])
    if how == 'marked for deletion':
        wait_until(lambda: how in server.service()['message'], 'said while drained')
        assert server.document()['phase'] == 'drained'
    assert server.delete('kb1')[0] == 200
    wait_until(lambda: server.scm.read()['state'] == 'running', 'running')
    server.wait_phase('attention')
    assert 'runs again, but the startup type cannot be restored' in server.service()['message']
    assert server.service()['saved']['start_type'] == 'automatic'
    server.scm.change(on_set_startup='set', marked_for_deletion=False)
    server.wait_phase('serving')
    assert server.scm.says() == ('running', 'automatic', True)


@pytest.mark.brother('E5')
@pytest.mark.parametrize('fields, code', [({'protected': True}, 'protected'),
                                          ({'marked_for_deletion': True}, 'marked_for_deletion')])
def test_preflight_says_what_may_not_be_set(pool, server, fields, code):
    server.scm.change(**fields)
    (service,) = server.get('/v1/preflight')[1]['services']
    assert code in [finding['code'] for finding in service['findings']]


# ---- a pause that comes late ----

@pytest.mark.case('H3')
def test_a_pause_that_is_carried_out_late_is_undone(pool, server):
    server.scm.change(on_pause='ignore')
    ask_for(server)
    wait_until(lambda: 'asked the service to pause' in server.service()['message'], 'asked')
    assert server.delete('kb1')[0] == 200
    # More than ten seconds, which were too few.
    time.sleep(12)
    assert server.document()['phase'] == 'resuming'
    server.scm.change(state='paused', on_pause='pause')
    server.wait_phase('serving')
    assert server.scm.says() == ('running', 'automatic', True)
    assert not any('did not pause it' in (event['text'] or '')
                   for event in server.get('/v1/events')[1]['events'])


# ---- uninstall ----

@pytest.mark.case('E7')
def test_uninstall_is_refused_while_a_drain_is_active(make_pool):
    """Also if it has nothing to put back: somebody counts on it."""
    pool = make_pool(fields={'accepts_pause': False})
    server = pool.servers[0]
    ask_for(server)
    assert server.service()['saved'] is None
    done = server.run_poold('uninstall', '--config', server.config)
    assert done.returncode == 5
    assert 'drains are active (kb1)' in done.stderr and 'poolctl resume frontend01' in done.stderr
