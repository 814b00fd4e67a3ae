"""How drains end: deadlines, other drains, the record; poolctl and poold together."""

import json
import sqlite3

import pytest

from sessions import wait_until

OUT = ('paused', 'manual', True)
BACK = ('running', 'automatic', True)


def settings(pool, *lines):
    """Adds lines to the pool in pool.yaml, for poolctl and for a poold that starts anew."""
    text = pool.file.read_text()
    pool.file.write_text(text.replace('    servers:', ''.join(
        f'    {line}\n' for line in lines) + '    servers:', 1))


def kinds(server):
    return [event['kind'] for event in server.get('/v1/events')[1]['events']]


def test_a_deadline_that_gives_up(pool, server):
    with server.session() as session:
        command = pool.poolctl('drain', 'frontend01', '--deadline', '1s', '--on-deadline', 'resume')
        assert command.returncode == 9
        assert 'the deadline passed with 1 session left' in command.stderr
        wait_until(lambda: server.scm.says() == BACK, 'back')
        session.talk()
    assert server.get('/v1/drains')[1] == {'drains': []}
    assert pool.poolctl('resume', 'frontend01').returncode == 0


def test_a_deadline_that_stops_and_counts_what_it_cuts(pool, server):
    with server.session() as session:
        command = pool.poolctl('drain', 'frontend01', '--deadline', '1s', '--on-deadline', 'stop')
        assert command.returncode == 7 and '1 session was cut' in command.stderr
        assert server.scm.says() == ('stopped', 'manual', True)
        assert not session.alive()
        waited = pool.poolctl('wait', 'frontend01', '--for', 'drained')
        assert waited.returncode == 7
    assert pool.poolctl('resume', 'frontend01').returncode == 0
    assert server.scm.says() == BACK
    assert kinds(server).count('cut') == 1
    assert server.document()['progress']['cut'] == 0


def test_a_deadline_that_is_only_said(pool, server):
    with server.session() as session:
        command = pool.poolctl('drain', 'frontend01', '--deadline', '1s', '--timeout', '2s')
        assert command.returncode == 6 and 'overdue' in command.stderr
        assert 'overdue since' in pool.poolctl('status').stdout
        assert server.scm.says() == OUT
        session.end()
    waited = pool.poolctl('wait', 'frontend01', '--for', 'drained')
    assert waited.returncode == 0
    drain, = server.document()['drains']
    assert not drain['overdue'] and drain['drained_at']


def test_a_deadline_that_was_met_does_nothing_more(pool, server):
    command = pool.poolctl('drain', 'frontend01', '--deadline', '1s', '--on-deadline', 'stop')
    assert command.returncode == 0, command.stderr
    deadline = server.document()['drains'][0]['deadline_at']
    # A service that its administrator starts for a test is paused again, and not stopped.
    wait_until(lambda: server.document()['time'] > deadline, 'the deadline')
    server.scm.change(state='running')
    wait_until(lambda: 'undone' in kinds(server), 'paused again')
    server.wait_phase('drained')
    assert server.scm.says() == OUT
    assert 'cut' not in kinds(server)


def test_the_deadline_of_pool_yaml(pool, server):
    settings(pool, 'deadline: 1s', 'on_deadline: resume')
    with server.session():
        assert pool.poolctl('drain', 'frontend01').returncode == 9
        wait_until(lambda: server.scm.says() == BACK, 'back')
        command = pool.poolctl('drain', 'frontend01', '--deadline', 'none', '--no-wait')
        assert command.returncode == 0, command.stderr
        assert server.document()['drains'][0]['deadline_at'] is None


def test_a_service_that_is_disabled_while_it_is_drained(pool, server):
    settings(pool, 'startup_while_drained: disabled')
    server.kill_poold()
    server.start_poold()
    held = ('paused', 'disabled', True)
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    assert server.scm.says() == held
    server.kill_poold()
    server.scm.change(start_type='manual')
    server.start_poold()
    wait_until(lambda: server.scm.says() == held, 'disabled again')
    assert 'drift' in kinds(server)
    # A boot leaves it stopped; then it is started as it was.
    server.scm.change(state='stopped')
    assert pool.poolctl('resume', 'frontend01').returncode == 0
    assert server.scm.says() == BACK


def test_the_startup_type_follows_the_drains(pool, server):
    until_reboot = pool.poolctl('drain', 'frontend01', '--id', 'kb1', '--until', 'reboot')
    assert until_reboot.returncode == 0
    assert server.scm.says() == ('paused', 'automatic', True)
    assert pool.poolctl('drain', 'frontend01', '--id', 'kb2').returncode == 0
    assert server.scm.says() == OUT
    held = pool.poolctl('resume', 'frontend01', '--id', 'kb2')
    assert held.returncode == 5 and 'kb1' in held.stderr
    wait_until(lambda: server.scm.says() == ('paused', 'automatic', True), 'left alone again')
    assert 'drift' not in kinds(server)
    assert pool.poolctl('resume', 'frontend01', '--all', '--owner', 'operator').returncode == 0
    assert server.scm.says() == BACK
    ended = [event for event in server.get('/v1/events')[1]['events']
             if event['kind'] == 'drain_ended']
    assert [event['who'] for event in ended][1] == 'operator'


@pytest.mark.parametrize('fields, status, words', [
    ({}, 0, 'startup type: automatic (delayed) -> manual'),
    ({'accepts_pause': False}, 4, 'does not accept pause'),
    ({'triggers': 2, 'recovery': 'restart'}, 0, 'triggers can start it'),
])
def test_a_dry_run_changes_nothing(make_pool, fields, status, words):
    pool = make_pool(fields=fields)
    server, = pool.servers
    before = server.scm.path.read_bytes()
    command = pool.poolctl('drain', 'frontend01', '--dry-run')
    assert command.returncode == status and words in command.stdout
    assert server.scm.path.read_bytes() == before
    assert kinds(server) == ['poold_started']


def test_a_record_that_was_changed_shows(pool, server):
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    whole = pool.poolctl('events', 'frontend01', '--verify', '-o', 'json')
    assert whole.returncode == 0
    head = json.loads(whole.stdout)['head']
    assert pool.poolctl('events', 'frontend01', '--verify', '--head', head).returncode == 0
    server.stop_poold()
    with sqlite3.connect(server.folder / 'state/poold.sqlite') as database:
        [[event]] = database.execute("UPDATE events SET who = 'nobody' WHERE kind = 'drain_created' "
                                     'RETURNING id').fetchall()
    database.close()
    server.start_poold()
    changed = pool.poolctl('events', 'frontend01', '--verify')
    assert changed.returncode == 9 and f'event {event} does not match' in changed.stderr
