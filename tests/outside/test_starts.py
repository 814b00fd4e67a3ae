"""What a start must neither miss nor forget, broken on purpose: more of cases F13 and H."""

import os

import pytest

from sessions import wait_until

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
