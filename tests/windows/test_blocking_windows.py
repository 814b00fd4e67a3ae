"""A service whose handler does not return from a pause, beside one that is held."""

import time

import pytest

from sessions import free_port, wait_until
from windows_pool import WindowsPool

HANGS, OTHER = 'HANGS', 'OTHER'
# Wine gives a control up after ten seconds.
HANGS_MS = 9000


@pytest.fixture
def server(machine, tmp_path):
    pool = WindowsPool(tmp_path, [machine], service=HANGS, settle='1s', tick='200ms')
    port = free_port()
    pool.file.write_text(pool.file.read_text().replace(
        '    availability:', f'      {OTHER}: {{ports: [{port}]}}\n    availability:'))
    machine.install(HANGS, pool.port, pause='late', slow_ms=HANGS_MS)
    machine.install(OTHER, port)
    machine.start(HANGS)
    machine.start(OTHER)
    pool.servers[0].install_poold()
    yield pool.servers[0]
    pool.servers[0].delete('kb1')
    pool.servers[0].wait_phase('serving')
    pool.servers[0].poold('uninstall')
    machine.remove(HANGS)
    machine.remove(OTHER)


def undone(server):
    events = server.get('/v1/events')[1]['events']
    return [event['service'] for event in events if event['kind'] == 'undone']


def test_the_other_is_held_while_one_hangs_and_poold_ends_at_once(server):
    began = time.monotonic()
    assert server.put('kb1', {'reason': 'patch'})[0] == 201
    wait_until(lambda: 'not answered yet' in server.service()['message'], 'it hangs')
    server.machine.wait_state(OTHER, 'paused')
    server.machine.scm('continue', OTHER)
    wait_until(lambda: undone(server) == [OTHER], 'out again')
    assert server.machine.state(OTHER) == 'paused'
    server.machine.scm('stop', 'poold')
    server.machine.wait_state('poold', 'stopped')
    assert time.monotonic() - began < HANGS_MS / 1000, 'all of that was while it hung'
    assert server.machine.state(HANGS) == 'running'
    server.machine.scm('start', 'poold')
    server.wait_answer()
    server.wait_phase('drained')
    assert server.service()['saved']['state'] == 'running'
