"""The proof that a service that is out refuses new sessions."""

import contextlib
import socket
import threading

import pytest

from sessions import free_port, wait_until


class Impostor:
    """Listens where the service should not any more, says what it is told to, and holds the
    session, or closes it (`holds`), or listens no more then (`is_late`)."""

    def __init__(self, address, port, greeting, holds=True, is_late=False):
        self.listener = socket.create_server((address, port), reuse_port=False)
        self.greeting, self.held, self.is_over = greeting, [], False
        self.holds, self.is_late = holds, is_late
        self.listener.settimeout(0.05)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.is_over:
            with contextlib.suppress(TimeoutError):
                session, _ = self.listener.accept()
                session.sendall(self.greeting)
                self.held.append(session)
                if not self.holds:
                    session.close()
                if self.is_late:
                    return self.listener.close()

    def close(self):
        self.is_over = True
        self.thread.join()
        for each in [*self.held, self.listener]:
            each.close()


@pytest.fixture
def make_server(make_pool):
    def make(probe, port=None, every='100ms'):
        pool = make_pool(start=False)
        pool.file.write_text(pool.file.read_text().replace(
            '        ports:',
            f'        probe: {{port: {port or pool.port}, every: {every}, {probe}}}\n'
            '        ports:'))
        server = pool.servers[0]
        server.start_poold()
        return server
    return make


def result(server):
    return server.service()['probe']['result']


def drifts(server):
    return [event['text'] for event in server.get('/v1/events')[1]['events'] if event['kind'] == 'drift']


def drained(server):
    assert server.put('kb1', {'reason': 'r'})[0] == 201
    server.wait_phase('drained')


def test_without_a_probe_nothing_is_said(server):
    assert server.service()['probe'] is None


@pytest.mark.parametrize('probe', ['', 'taken: READY', 'send: HELO, taken: READY'])
def test_what_refuses_is_drained_and_the_proof_is_shown(make_server, probe):
    server = make_server(probe)
    assert result(server) is None
    drained(server)
    assert result(server) == 'refused'
    probe = server.service()['probe']
    assert probe['error'] is None
    wait_until(lambda: probe['at'] <= server.document()['time'], 'a look after the probe')
    assert server.document()['phase'] == 'drained' and not drifts(server)


def impostor_from_the_start(make_server, probe, *greeting, **options):
    port = free_port(['127.0.0.1'])
    server = make_server(probe, port, every='1h')
    return server, Impostor(server.address, port, *greeting, **options)


@pytest.mark.parametrize('probe, greeting', [('', b''), ('taken: READY', b'READY 1\r\n')])
def test_nothing_is_drained_before_the_first_try(make_server, probe, greeting):
    server, impostor = impostor_from_the_start(make_server, probe, greeting)
    try:
        done = server.pool.poolctl('drain', 'frontend01', '--reason', 'r', '--timeout', '20s')
        assert done.returncode != 0 and server.document()['phase'] == 'attention'
        assert server.document()['drains'][0]['drained_at'] is None
        assert result(server) == 'taken' and len(drifts(server)) == 1
    finally:
        impostor.close()


def test_a_first_try_without_an_outcome_is_waited_for_and_is_enough(make_server):
    server, impostor = impostor_from_the_start(make_server, 'taken: READY, timeout: 1s', b'')
    try:
        drained(server)
        assert result(server) == 'unknown'
    finally:
        impostor.close()


def test_another_drain_of_what_is_out_has_a_try_of_its_own(make_server):
    port = free_port(['127.0.0.1'])
    server = make_server('taken: READY', port, every='1h')
    server.scm.change(state='stopped')
    wait_until(lambda: result(server) == 'refused', 'a try')
    impostor = Impostor(server.address, port, b'READY')
    try:
        assert server.put('kb1', {'reason': 'r'})[0] == 201
        server.wait_phase('attention')
        assert result(server) == 'taken'
    finally:
        impostor.close()


def test_a_service_that_closes_its_port_a_little_late_refuses(make_server):
    server, impostor = impostor_from_the_start(make_server, '', b'', is_late=True)
    drained(server)
    assert len(impostor.held) == 1 and result(server) == 'refused' and not drifts(server)
    impostor.close()


@pytest.mark.parametrize('holds', [True, False])
def test_a_greeting_needs_no_line_end(make_server, holds):
    server, impostor = impostor_from_the_start(make_server, 'taken: "220"', b'220 welcome',
                                               holds=holds)
    try:
        assert server.put('kb1', {'reason': 'r'})[0] == 201
        server.wait_phase('attention')
        assert result(server) == 'taken'
    finally:
        impostor.close()


def test_half_a_greeting_is_shown(make_server):
    server, impostor = impostor_from_the_start(make_server, 'taken: "220", timeout: 300ms',
                                               b'22')
    try:
        drained(server)
        probe = server.service()['probe']
        assert probe['result'] == 'unknown'
        assert probe['error'] == "it was connected, and said '22' and no more"
    finally:
        impostor.close()


@pytest.mark.parametrize('probe, greeting', [('', b''), ('taken: READY', b'READY 1\r\n')])
def test_what_takes_a_session_needs_attention(make_server, probe, greeting):
    server = make_server(probe)
    drained(server)
    impostor = Impostor(server.address, server.pool.port, greeting)
    try:
        server.wait_phase('attention')
        assert result(server) == 'taken'
        assert 'takes new sessions although it is out' in server.service()['message']
        [drift] = drifts(server)
        assert f'port {server.pool.port}' in drift and 'paused' in drift
    finally:
        impostor.close()
    server.wait_phase('drained')
    wait_until(lambda: result(server) == 'refused', 'a try')
    assert len(drifts(server)) == 1


def test_a_service_that_answers_otherwise_refuses(make_server):
    server = make_server('taken: READY')
    drained(server)
    wait_until(lambda: result(server) == 'refused', 'a try')
    impostor = Impostor(server.address, server.pool.port, b'BUSY paused\n')
    try:
        before = server.service()['probe']['at']
        wait_until(lambda: len(impostor.held) > 2, 'three tries')
        wait_until(lambda: server.service()['probe']['at'] > before, 'another look')
        assert result(server) == 'refused' and not drifts(server)
    finally:
        impostor.close()


def test_a_try_without_an_outcome_changes_nothing(make_server):
    server = make_server('taken: READY, timeout: 200ms')
    drained(server)
    impostor = Impostor(server.address, server.pool.port, b'')
    try:
        wait_until(lambda: result(server) == 'unknown', 'a try')
        assert 'said nothing' in server.service()['probe']['error']
        assert server.document()['phase'] != 'attention' and not drifts(server)
    finally:
        impostor.close()


def test_tries_end_with_the_drain_and_the_next_one_begins_anew(make_server):
    server = make_server('')
    drained(server)
    wait_until(lambda: result(server) == 'refused', 'a try')
    assert server.delete('kb1')[0] == 200
    server.wait_phase('serving')
    assert result(server) is None
    wait_until(lambda: server.service_process.listener, 'the service listens')
    # It serves: to be connected is nothing that anybody would complain about.
    with server.session():
        assert server.sessions()['count'] == 1
    assert not drifts(server)
