"""Somebody else changes the service, in every phase; the service crashes while it is out."""

import contextlib
import json
import threading
import time

import pytest

from pool import DISPLAY, SERVICE
from sessions import Session, wait_until

OUT = ('paused', 'manual', True)
BACK = ('running', 'automatic', True)
STOPPED = ('stopped', 'manual', True)
OTHER_NAME = 'Front-End, renamed'


# ---- how each phase is reached, and held ----

def ask_for_drain(server):
    status, _, body = server.put('kb1', {'reason': 'patch day'})
    assert (status, body['out']) == (201, True), body


@contextlib.contextmanager
def serving(server):
    yield


@contextlib.contextmanager
def draining(server):
    with server.session():
        ask_for_drain(server)
        wait_until(lambda: server.service()['sessions']['count'] == 1, 'counted')
        assert server.document()['phase'] == 'draining'
        yield


@contextlib.contextmanager
def drained(server):
    ask_for_drain(server)
    server.wait_phase('drained')
    yield


@contextlib.contextmanager
def resuming(server):
    """A service that takes its time to start holds poold in this phase."""
    ask_for_drain(server)
    server.wait_phase('drained')
    server.scm.change(state='start_pending', wait_hint_ms=60000)
    assert server.delete('kb1')[0] == 200
    server.wait_phase('resuming')
    assert server.scm.says() == ('start_pending', 'automatic', True)
    yield


PHASES = {each.__name__: each for each in (serving, draining, drained, resuming)}


# ---- what somebody does ----

def delete_and_put_back(server):
    """As an installer does: the service comes back as it was at first."""
    content = server.scm.path.read_text()
    server.scm.write({'services': {}})
    server.wait_phase('attention')
    document = server.document()['services'][0]
    assert 'not installed' in document['message']
    # poold may have seen it before the service has.
    wait_until(lambda: server.sessions()['count'] == 0, 'the service has ended')
    fresh = json.loads(content)
    fresh['services'][SERVICE] |= {'state': 'running', 'start_type': 'automatic',
                                   'delayed_auto_start': True}
    server.scm.write(fresh)


ACTS = {
    'continues': lambda server: server.scm.change(state='running'),
    'pauses': lambda server: server.scm.change(state='paused'),
    'stops': lambda server: server.scm.change(state='stopped'),
    'restarts': lambda server: server.scm.change(state='running', pid=2000),
    'sets automatic': lambda server: server.scm.change(start_type='automatic'),
    'sets manual': lambda server: server.scm.change(start_type='manual'),
    'disables': lambda server: server.scm.change(start_type='disabled'),
    'takes the delay away': lambda server: server.scm.change(delayed_auto_start=False),
    'renames': lambda server: server.scm.change(display_name=OTHER_NAME),
    'deletes': delete_and_put_back,
}

DISABLED = ('paused', 'disabled', True)
LEFT = 'drift that is not undone'

# In which phase somebody does what -> the phase after, what the SCM says then, and whether it
# was drift.
EXPECTED = {
    ('serving', 'continues'): ('serving', BACK, False),
    ('serving', 'pauses'): ('attention', ('paused', 'automatic', True), False),
    ('serving', 'stops'): ('attention', ('stopped', 'automatic', True), False),
    ('serving', 'restarts'): ('serving', BACK, False),
    ('serving', 'sets automatic'): ('serving', BACK, False),
    ('serving', 'sets manual'): ('serving', ('running', 'manual', True), False),
    ('serving', 'disables'): ('serving', ('running', 'disabled', True), False),
    ('serving', 'takes the delay away'): ('serving', ('running', 'automatic', False), False),
    ('serving', 'renames'): ('serving', BACK, False),
    ('serving', 'deletes'): ('serving', BACK, False),
    ('draining', 'continues'): ('draining', OUT, True),
    ('draining', 'pauses'): ('draining', OUT, False),
    # Its sessions end with it, and it takes no new ones: what is asked for.
    ('draining', 'stops'): ('drained', STOPPED, False),
    ('draining', 'restarts'): ('drained', OUT, True),
    ('draining', 'sets automatic'): ('draining', OUT, True),
    ('draining', 'sets manual'): ('draining', OUT, False),
    # What is disabled is out as well: recorded, and left.
    ('draining', 'disables'): ('draining', DISABLED, LEFT),
    ('draining', 'takes the delay away'): ('draining', ('paused', 'manual', False), False),
    ('draining', 'renames'): ('draining', OUT, False),
    # A service that is deleted ends its sessions.
    ('draining', 'deletes'): ('drained', OUT, True),
    ('drained', 'continues'): ('drained', OUT, True),
    ('drained', 'pauses'): ('drained', OUT, False),
    ('drained', 'stops'): ('drained', STOPPED, False),
    ('drained', 'restarts'): ('drained', OUT, True),
    ('drained', 'sets automatic'): ('drained', OUT, True),
    ('drained', 'sets manual'): ('drained', OUT, False),
    ('drained', 'disables'): ('drained', DISABLED, LEFT),
    ('drained', 'takes the delay away'): ('drained', ('paused', 'manual', False), False),
    ('drained', 'renames'): ('drained', OUT, False),
    ('drained', 'deletes'): ('drained', OUT, True),
    ('resuming', 'continues'): ('serving', BACK, False),
    # A pause that comes while poold puts the service back is undone with the rest.
    ('resuming', 'pauses'): ('serving', BACK, False),
    ('resuming', 'stops'): ('serving', BACK, False),
    ('resuming', 'restarts'): ('serving', BACK, False),
    ('resuming', 'sets automatic'): ('resuming', ('start_pending', 'automatic', True), False),
    ('resuming', 'sets manual'): ('resuming', ('start_pending', 'automatic', True), False),
    ('resuming', 'disables'): ('resuming', ('start_pending', 'automatic', True), False),
    ('resuming', 'takes the delay away'): ('resuming', ('start_pending', 'automatic', True),
                                           False),
    ('resuming', 'renames'): ('resuming', ('start_pending', 'automatic', True), False),
    ('resuming', 'deletes'): ('serving', BACK, False),
}


def events(server, kind):
    return [event for event in server.get('/v1/events')[1]['events'] if event['kind'] == kind]


def is_new(server, kind, before):
    return len(events(server, kind)) > before[kind]


def some_ticks(server, count=4):
    seen = set()

    def looked():
        seen.add(server.document()['time'])
        return len(seen) > count
    wait_until(looked, f'{count} ticks')


def finish(server):
    """Whatever was done, the end of the drain puts back what was saved, to the letter."""
    if server.document()['drains']:
        assert server.delete('kb1')[0] == 200
    if server.scm.read()['state'] == 'start_pending':
        server.scm.change(state='running')
    wait_until(lambda: server.scm.says() == BACK and server.document()['phase'] == 'serving'
               and not server.service()['saved'], 'all as before')


@pytest.mark.parametrize('phase, act', EXPECTED)
def test_somebody_interferes(server, phase, act):
    expected_phase, expected_scm, is_drift = EXPECTED[phase, act]
    server.start_poold()
    server.wait_phase('serving')
    with PHASES[phase](server):
        # What led to the phase may have been a drift, too.
        before = {kind: len(events(server, kind)) for kind in ('drift', 'undone')}
        ACTS[act](server)
        name = OTHER_NAME if act == 'renames' else DISPLAY
        wait_until(lambda: server.document()['phase'] == expected_phase
                   and server.scm.says() == expected_scm
                   and server.service()['display_name'] == name
                   and (not is_drift
                        or is_new(server, 'undone' if is_drift is True else 'drift', before)),
                   f'{expected_phase} and {expected_scm}', 10)
        some_ticks(server)
        document = server.document()
        assert (document['phase'], server.scm.says()) == (expected_phase, expected_scm), document
        assert is_new(server, 'drift', before) == bool(is_drift)
        assert is_new(server, 'undone', before) == (is_drift is True)
        if phase == 'serving':
            return
    finish(server)
    assert server.scm.read()['display_name'] == name


def test_what_is_serving_and_changed_by_others_is_left_alone_for_good(server):
    server.start_poold()
    server.wait_phase('serving')
    server.scm.change(state='paused', start_type='disabled')
    server.wait_phase('attention')
    before = server.scm.path.read_bytes()
    some_ticks(server, 10)
    assert server.scm.path.read_bytes() == before
    assert not server.service()['saved']
    server.scm.change(state='running', start_type='automatic')
    server.wait_phase('serving')


# ---- the service crashes while it is paused ----

TICK_S = 0.5
SLACK_S = 0.4  # for a machine that is busy


class Crowd:
    """Clients that all come as fast as they can, and stay."""

    def __init__(self, server):
        self.server, self.sessions, self.taken_at, self.is_over = server, [], [], False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.is_over:
            with contextlib.suppress(OSError):
                session = Session(self.server.address, self.server.pool.port)
                self.taken_at.append(time.monotonic())
                self.sessions.append(session)
            time.sleep(0.02)

    def close(self):
        self.is_over = True
        self.thread.join()
        for session in self.sessions:
            session.close()


def test_the_service_crashes_and_is_restarted_running(server):
    text = server.config.read_text()
    server.config.write_text(text.replace('tick: 50ms', f'tick: {TICK_S * 1000:.0f}ms'))
    server.start_poold()
    with server.session() as session:
        ask_for_drain(server)
        wait_until(lambda: server.service()['sessions']['count'] == 1, 'counted')
        crowd = Crowd(server)
        for pid in (2000, 3000, 4000):
            crashed_at = time.monotonic()
            server.scm.change(state='running', pid=pid)
            wait_until(lambda: server.scm.says() == OUT, 'paused again')
            assert time.monotonic() - crashed_at < TICK_S + SLACK_S
            wait_until(lambda: not session.alive(), 'the sessions of the process ended')
            taken = [at for at in crowd.taken_at if at > crashed_at]
            assert all(at < crashed_at + TICK_S + SLACK_S for at in taken)
            # Each is counted: none of them can be cut unseen.
            living = sum(each.pid == pid for each in crowd.sessions)
            wait_until(lambda: server.service()['sessions']['count'] == living,
                       f'{living} sessions are counted')
            for kind in ('drift', 'undone'):
                wait_until(lambda: len(events(server, kind)) == pid // 1000 - 1, kind, 10)
            drift = events(server, 'drift')[-1]
            assert drift['service'] == SERVICE and 'running' in drift['text']
            assert drift['after']['state'] == 'running'
            assert drift['after'].get('pid', pid) == pid
            assert not living or server.document()['phase'] == 'draining'
        crowd.close()
    server.wait_phase('drained')
    finish(server)


def test_a_drift_that_keeps_coming(server):
    """poold does not fight for ever: it says so, and asks at a growing distance."""
    server.start_poold()
    ask_for_drain(server)
    server.wait_phase('drained')
    pauses_before = server.log().count('RTCSRV: pause')
    began = time.monotonic()
    was_attention = False
    while time.monotonic() < began + 10:
        if server.scm.read()['state'] == 'paused':
            server.scm.change(state='running')
        was_attention = was_attention or server.document()['phase'] == 'attention'
        time.sleep(0.05)
    pauses = server.log().count('RTCSRV: pause') - pauses_before
    assert was_attention
    assert 5 <= pauses <= 20
    # From here on nobody interferes.  That it is calm again after two minutes is for the unit
    # tests, whose clock is quicker; that attention is no obstacle to ending it, is seen here.
    wait_until(lambda: server.scm.says() == OUT, 'held again')
    assert server.document()['phase'] == 'attention'
    finish(server)
