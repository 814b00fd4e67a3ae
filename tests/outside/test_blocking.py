"""Case E4: a service whose handler hangs in a control leaves no other unguarded."""

import json
import socket
import threading
import time

import pytest

from sessions import free_port, wait_until

HANGS, OTHER = 'RTCSRV', 'OTHERSRV'
LONG_MS = 10000
SOON = 5


class Two:
    """A server with two services; `port` is the other's."""

    def __init__(self, pool):
        self.pool, self.server, self.port = pool, pool.servers[0], free_port()
        content = json.loads(self.server.scm.path.read_text())
        content['services'][OTHER] = dict(content['services'][HANGS])
        self.server.scm.write(content)
        pool.file.write_text(pool.file.read_text().replace(
            '    availability:', f'      {OTHER}: {{ports: [{self.port}]}}\n    availability:'))

    def hang(self, control, ms=LONG_MS):
        self.change(HANGS, **{f'on_{control}': 'block', 'block_ms': ms})

    def change(self, name, **fields):
        content = json.loads(self.server.scm.path.read_text())
        content['services'][name].update(fields)
        self.server.scm.write(content)

    def scm(self, name):
        return json.loads(self.server.scm.path.read_text())['services'][name]

    def service(self, name):
        services = self.server.document()['services']
        return next(service for service in services if service['name'] == name)

    def texts(self, name, kind):
        events = self.server.get('/v1/events')[1]['events']
        return [event['text'] for event in events
                if event['service'] == name and event['kind'] == kind]

    def ask_for(self, **fields):
        assert self.server.put('kb1', {'reason': 'patch', 'owner': 'alice'} | fields)[0] == 201

    def wait_unanswered(self, control):
        wait_until(lambda: self.service(HANGS)['message'] ==
                   f'poold has asked the service to {control}; it has not answered yet', control)

    def check_guarded(self):
        """The other one is out, held so, and counted."""
        undone = len(self.texts(OTHER, 'undone'))
        wait_until(lambda: self.scm(OTHER)['state'] == 'paused', 'the other is out', SOON)
        self.change(OTHER, state='running', start_type='automatic')
        wait_until(lambda: len(self.texts(OTHER, 'undone')) > undone, 'undone', SOON)
        assert (self.scm(OTHER)['state'], self.scm(OTHER)['start_type']) == ('paused', 'manual')
        with socket.create_server((self.server.address, self.port)) as listener:
            with socket.create_connection((self.server.address, self.port)):
                wait_until(lambda: self.service(OTHER)['sessions']['count'] == 1, 'counted', SOON)
            listener.accept()[0].close()


@pytest.fixture
def two(make_pool):
    made = Two(make_pool(start=False))
    made.pool.start()
    return made


class Reader(threading.Thread):
    """Reads GET /v1/server again and again: each status, and how long it took at worst."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.statuses, self.is_over = server, set(), False
        self.start()

    def run(self):
        while not self.is_over:
            self.statuses.add(self.server.get('/v1/server')[0])
            time.sleep(0.05)

    def end(self):
        self.is_over = True
        self.join()
        return self.statuses


@pytest.mark.case('E4')
def test_one_that_hangs_in_its_pause_leaves_no_other_unguarded(two):
    two.hang('pause', 20000)
    began = time.monotonic()
    reader = Reader(two.server)
    two.ask_for()
    two.wait_unanswered('pause')
    two.check_guarded()
    assert time.monotonic() - began < 20, 'all of that was while it hung'
    assert two.service(HANGS)['observed']['state'] == 'running'
    assert two.scm(HANGS)['start_type'] == 'manual' and not two.texts(HANGS, 'action')[1:]
    assert not two.server.document()['drains'][0]['out']
    # What takes so long needs somebody's attention, and ends by itself.
    wait_until(lambda: two.service(HANGS)['phase'] == 'attention', 'attention')
    two.server.wait_phase('drained')
    assert two.texts(HANGS, 'action') == ['set startup', 'pause'] and reader.end() == {200}


@pytest.mark.brother('E4')
def test_one_that_hangs_at_its_deadline_leaves_no_other_unguarded(two):
    two.change(HANGS, accepts_pause=False)
    two.hang('stop')
    two.ask_for(deadline_s=1, on_deadline='stop')
    two.wait_unanswered('stop')
    two.check_guarded()
    assert two.scm(HANGS)['state'] == 'running', 'all of that was while it hung'
    wait_until(lambda: two.service(HANGS)['observed']['state'] == 'stopped', 'stopped')
    assert two.texts(HANGS, 'action').count('stop') == 1


@pytest.mark.brother('E4')
@pytest.mark.parametrize('control, state', [('continue', 'paused'), ('start', 'stopped')])
def test_one_that_hangs_on_its_way_back_keeps_no_other_from_it(two, control, state):
    two.ask_for()
    two.server.wait_phase('drained')
    two.change(HANGS, state=state)
    two.hang(control)
    assert two.server.delete('kb1')[0] == 200
    two.wait_unanswered(control)
    wait_until(lambda: two.service(OTHER)['phase'] == 'serving', 'the other serves', SOON)
    assert two.scm(HANGS)['state'] == state, 'all of that was while it hung'
    two.server.wait_phase('serving')
    assert two.scm(HANGS)['start_type'] == 'automatic'
    assert two.texts(HANGS, 'action').count(control) == 1


@pytest.mark.brother('E4')
def test_a_drain_that_ends_while_one_hangs_forgets_nothing(two):
    two.hang('pause', 4000)
    two.ask_for()
    two.wait_unanswered('pause')
    assert two.server.delete('kb1')[0] == 200
    wait_until(lambda: two.service(OTHER)['phase'] == 'serving', 'the other serves', SOON)
    assert two.service(HANGS)['saved'] and two.service(HANGS)['phase'] == 'resuming'
    two.server.wait_phase('serving')
    assert two.texts(HANGS, 'action') == [
        'set startup', 'restore startup', 'pause', 'continue']
    assert (two.scm(HANGS)['state'], two.scm(HANGS)['start_type']) == ('running', 'automatic')


@pytest.mark.brother('E4')
def test_poold_ends_while_one_hangs_and_loses_nothing(two):
    two.hang('pause', 60000)
    two.ask_for()
    two.wait_unanswered('pause')
    began = time.monotonic()
    assert two.server.stop_poold() == 0 and time.monotonic() - began < SOON
    assert 'the call is left behind' in two.server.log()
    two.change(HANGS, on_pause='pause')
    two.change(OTHER, state='running')
    two.server.start_poold()
    two.server.wait_phase('drained')
    assert two.service(HANGS)['saved'] == {
        'state': 'running', 'start_type': 'automatic', 'delayed_auto_start': True}
    assert len(two.texts(OTHER, 'undone')) == 1


@pytest.mark.brother('E4')
def test_a_pause_that_was_under_way_as_poold_ended_may_come_after_its_drain(two):
    two.hang('pause', 60000)
    two.ask_for()
    two.wait_unanswered('pause')
    assert two.server.stop_poold() == 0
    # The next one sends none that could be meant.
    two.change(HANGS, on_pause='refuse')
    two.server.start_poold()
    wait_until(lambda: 'refuses to pause' in two.service(HANGS)['message'], 'refused')
    assert two.server.delete('kb1')[0] == 200
    wait_until(lambda: two.service(OTHER)['phase'] == 'serving', 'the other serves', SOON)
    assert two.service(HANGS)['saved']
    two.change(HANGS, state='paused')
    two.server.wait_phase('serving')
    assert two.scm(HANGS)['state'] == 'running'
