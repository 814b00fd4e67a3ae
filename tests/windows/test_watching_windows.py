"""Watching a Windows server: the stream of poold.exe, over a restart of its service."""

import json
import signal

import pytest

from sessions import wait_until
from watching import Stream

WATCHERS = 1000
GOOD = {'reason': 'test', 'owner': 'tester'}


@pytest.fixture
def server(server):
    server.install_poold()
    return server


def test_watchers_get_each_change_and_the_end_and_go_on_after_a_restart(server):
    command = server.pool.start_poolctl('events', 'frontend01', '--follow', '--after', '0', '-o',
                                        'jsonl')

    def ids():
        return [json.loads(line)['id'] for _, line in list(command.lines)
                if line.startswith('{')]
    streams = [Stream(server) for _ in range(WATCHERS)]
    for stream in streams:
        stream.wait(stream.messages)
    assert server.put('d1', GOOD)[0] == 201
    for stream in streams:
        stream.wait(stream.events)
        assert stream.events()[0]['kind'] == 'drain_created'
    stream.wait(lambda: any('' in each for each in stream.messages()))
    server.machine.scm('stop', 'poold')
    for stream in streams:
        while stream.receive():
            pass
        assert stream.is_ended
        stream.close()
    server.machine.wait_state('poold', 'stopped')
    server.machine.scm('start', 'poold')
    server.wait_answer()
    assert server.delete('d1')[0] == 200
    server.wait_phase('serving')
    last = server.get('/v1/events')[1]['last']
    wait_until(lambda: ids() and ids()[-1] >= last, 'the last event')
    command.process.send_signal(signal.SIGINT)
    assert command.wait() == 130
    assert ids() == list(range(1, ids()[-1] + 1))
    assert 'connection lost' in command.text() and 'reconnected after' in command.text()
