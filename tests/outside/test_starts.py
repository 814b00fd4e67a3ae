"""What a start must neither miss nor forget, broken on purpose: more of cases F13 and H."""

import fcntl
import os
import re
import shutil
import sqlite3

import pytest

from faults import Fault
from sessions import wait_until

OUT = ('paused', 'manual', True)
BACK = ('running', 'automatic', True)
BODY = {'reason': 'patch day', 'owner': 'alice'}


@pytest.mark.brother('F13')
def test_a_file_that_is_changed_during_the_start_is_used(make_pool):
    """The SCM's file is a pipe, so that poold stands still between the files and the rest."""
    server = make_pool(start=False).servers[0]
    real, pipe = server.scm.path, server.folder / 'pipe.json'
    os.mkfifo(pipe)
    server.config.write_text(server.config.read_text().replace(str(real), str(pipe)))
    server.launch_poold()
    with open(pipe, 'w') as file:
        pipe.unlink()
        pipe.symlink_to(real)
        server.pool_file.write_text(server.pool_file.read_text().replace('200ms', '300ms'))
        file.write(real.read_text())
    wait_until(lambda: 'the change of pool.yaml is in use now' in server.log(), 'it is in use')


@pytest.mark.brother('H3')
def test_a_stop_that_comes_after_a_start_is_known_and_undone(server):
    """The service takes the stop, and stops when another poold runs and the drain is over."""
    with server.session():
        server.scm.change(on_stop='ignore')
        body = BODY | {'deadline_s': 1, 'on_deadline': 'stop'}
        assert server.put('kb1', body)[0] == 201
        wait_until(lambda: 'asked the service to stop' in server.service()['message'], 'asked')
        server.kill_poold()
        # The next one sends none that could be meant.
        server.scm.change(on_stop='refuse')
        server.start_poold()
        wait_until(lambda: 'does not stop' in server.service()['message'], 'refused')
        assert server.delete('kb1')[0] == 200
        wait_until(lambda: server.scm.says() == BACK, 'back')
        wait_until(lambda: 'may still arrive' in server.service()['message'], 'it is waited for')
        server.scm.change(state='stopped')
        server.wait_phase('serving')
    assert server.scm.says() == BACK
    texts = [event['text'] for event in server.get('/v1/events')[1]['events']]
    assert texts.count('1 sessions were cut by the stop at the deadline') == 1


@pytest.mark.brother('A13')
def test_a_drain_that_begins_while_another_is_put_back_has_cut_nothing(pool, server):
    with server.session():
        body = BODY | {'deadline_s': 1, 'on_deadline': 'stop'}
        assert server.put('kb1', body)[0] == 201
        server.wait_phase('drained')
    assert server.document()['progress']['cut'] == 1
    server.scm.change(on_start='block', block_ms=3000)
    assert server.delete('kb1')[0] == 200
    wait_until(lambda: server.service()['phase'] == 'resuming', 'on its way back')
    drained = pool.poolctl('drain', 'frontend01', '--id', 'kb2')
    assert drained.returncode == 0, drained
    assert server.document()['progress']['cut'] == 0
    server.kill_poold()
    server.start_poold()
    assert server.document()['progress']['cut'] == 0


# ---- the store ----

def drain(server):
    assert server.put('kb1', BODY)[0] == 201
    server.wait_phase('drained')
    assert server.scm.says() == OUT


def saved_names(server):
    store = sqlite3.connect(server.folder / 'state/poold.sqlite')
    names = [row[0] for row in store.execute('SELECT service FROM saved')]
    store.close()
    return names


@pytest.mark.brother('H10')
def test_another_spelling_on_a_disk_that_takes_no_writes_is_the_same_service(server):
    drain(server)
    server.kill_poold()
    server.pool.file.write_text(server.pool.file.read_text().replace('RTCSRV', 'rtcsrv'))
    server.scm.change(state='running')
    folder = server.folder / 'fault'
    folder.mkdir()
    fault = Fault(folder, server.folder / 'state', 1, 'ENOSPC', is_lasting=True)
    server.start_poold(fault.env)
    wait_until(lambda: server.scm.says() == OUT, 'out again')
    assert server.service()['saved']['state'] == 'running'
    assert server.document()['drains'][0]['out']
    fault.lift()
    wait_until(lambda: not server.document()['store']['failing'], 'written again')
    wait_until(lambda: saved_names(server) == ['rtcsrv'], 'spelled anew')
    assert server.delete('kb1')[0] == 200
    wait_until(lambda: server.scm.says() == BACK and not server.service()['saved'], 'back')
    fault.close()


def remove(state):
    for path in state.glob('poold.sqlite*'):
        path.unlink()


def empty(state):
    (state / 'poold.sqlite').write_bytes(b'')


LOSSES = {'removed': remove, 'emptied': empty,
          'log removed': lambda state: (state / 'poold.sqlite-wal').unlink(),
          'log spoilt': lambda state: (state / 'poold.sqlite-wal').write_bytes(bytes(9999))}


@pytest.mark.brother('H14')
@pytest.mark.parametrize('loss', LOSSES)
def test_a_start_without_what_was_saved_is_refused(server, loss):
    """Else the service stays paused, and poold says that somebody else did it."""
    drain(server)
    server.kill_poold()
    state = server.folder / 'state'
    LOSSES[loss](state)
    text = (state / 'saved.txt').read_bytes()
    for command in 'check', 'run':
        done = server.run_poold(command, '--config', server.config)
        assert done.returncode == 11, done
        assert 'saved.txt says what is to be put back' in done.stderr
        assert "'Repair a damaged store' in the runbooks" in done.stderr
    assert server.scm.says() == OUT and (state / 'saved.txt').read_bytes() == text
    # As the runbook says.
    remove(state)
    (state / 'saved.txt').unlink()
    server.start_poold()


@pytest.mark.brother('H14')
def test_a_store_that_is_removed_while_nothing_is_out_is_made_anew(server):
    drain(server)
    assert server.delete('kb1')[0] == 200
    wait_until(lambda: server.scm.says() == BACK and not server.service()['saved'], 'back')
    assert server.stop_poold() == 0
    remove(server.folder / 'state')
    server.start_poold()
    drain(server)


# ---- the locks ----

def locks(server):
    return [server.folder / 'state/poold.lock', *server.folder.glob('scm.json-*.lock')]


def taken(server):
    """How many locks poold has taken anew."""
    return sum(map(int, re.findall(r'replaced (\d+) lock', server.log())))


def is_refused(server):
    done = server.run_poold('run', '--config', server.config)
    return done.returncode == 12 and 'it has locked' in done.stderr


@pytest.mark.brother('H14')
@pytest.mark.parametrize('replaced', [False, True])
def test_a_lock_that_is_removed_is_taken_anew(server, replaced):
    """As programs do that clean up files nobody has changed for days."""
    drain(server)
    assert len(locks(server)) == 2
    for count in 2, 4:
        for path in locks(server):
            path.unlink()
            if replaced:
                path.touch(0o600)
        wait_until(lambda: taken(server) == count, 'made anew')
        assert is_refused(server)
    assert server.document()['store']['failing'] is False
    assert server.delete('kb1')[0] == 200
    wait_until(lambda: server.scm.says() == BACK, 'back')


@pytest.mark.brother('H14')
def test_a_lock_that_another_program_has_by_now_is_said(server):
    path = server.folder / 'state/poold.lock'
    other = path.with_name('other.lock')
    with open(other, 'w') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        other.rename(path)
        wait_until(lambda: 'a lock of poold was removed' in server.log(), 'it is said')
    wait_until(lambda: taken(server) == 1, 'it has the lock')
    drain(server)


# ---- another state directory ----

def move_state(server):
    text = server.config.read_text()
    server.config.write_text(text.replace('/state\n', '/state2\n'))
    return lambda: server.config.write_text(text)


@pytest.mark.brother('G8')
def test_another_state_directory_is_refused_while_a_service_is_out(server):
    drain(server)
    assert server.stop_poold() == 0
    move_back = move_state(server)
    state = server.folder / 'state'
    for command in 'check', 'run':
        done = server.run_poold(command, '--config', server.config)
        assert done.returncode == 11, done
        assert f'took out RTCSRV with the state_dir {state}, and it is {state}2' in done.stderr
    move_back()
    server.start_poold()
    assert server.service()['saved']['state'] == 'running'
    assert server.delete('kb1')[0] == 200
    wait_until(lambda: server.scm.says() == BACK and not server.service()['saved'], 'back')


@pytest.mark.brother('G8')
@pytest.mark.parametrize('copy', [shutil.copytree, shutil.move])
def test_a_state_directory_may_be_moved(server, copy):
    drain(server)
    assert server.stop_poold() == 0
    move_state(server)
    copy(server.folder / 'state', server.folder / 'state2')
    server.start_poold()
    assert server.service()['saved']['state'] == 'running'


@pytest.mark.brother('G8')
def test_another_state_directory_is_used_while_nothing_is_out(server):
    assert server.stop_poold() == 0
    move_state(server)
    server.start_poold()
    drain(server)
