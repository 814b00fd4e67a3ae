"""Cases D: what sessions do while their service is out."""

import contextlib
import http.server
import socket
import threading
import time

import pytest

from sessions import free_port, wait_until

FAST = 'refused_within: 300ms'


def with_service(pool, *lines):
    """Adds lines to the service in pool.yaml."""
    text = pool.file.read_text()
    ports = f'        ports: [{pool.port}]\n'
    pool.file.write_text(text.replace(ports, ports + ''.join(f'        {line}\n' for line in lines)))
    return pool


def events(server, kind):
    return [event['text'] for event in server.get('/v1/events')[1]['events']
            if event['kind'] == kind]


def ask_for(server):
    assert server.put('kb1', {'reason': 'patch', 'owner': 'alice'})[0] == 201


def metric(server, name):
    return next(float(line.split()[-1]) for line in server.page('/metrics')[2].splitlines()
                if line.startswith(name + '{'))


@contextlib.contextmanager
def listener_beside(server):
    """A listener on the service's port that goes on while the service is paused."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((server.address, server.pool.port))
        listener.listen(16)
        yield listener


def use(server, seconds):
    """A user of a service that goes on accepting."""
    with socket.create_connection((server.address, server.pool.port)):
        time.sleep(seconds)


@pytest.fixture
def paused(make_pool):
    """A drained server."""
    pool = with_service(make_pool(start=False), FAST).start()
    server = pool.servers[0]
    ask_for(server)
    server.wait_phase('drained')
    # It has the time to close its port.
    time.sleep(1.2)
    return server


# ---- sessions that begin while the service is out ----

@pytest.mark.case('D1')
def test_a_paused_service_that_accepts_is_said(paused):
    with listener_beside(paused):
        use(paused, 0.6)
        paused.wait_phase('attention')
        wait_until(lambda: paused.document()['progress']['sessions'] == 0, 'it ended')
        document = paused.document()
        service = document['services'][0]
        assert document['phase'] == 'attention'
        assert service['sessions']['accepted_while_out'] == 1
        assert document['progress']['accepted_while_out'] == 1
        assert 'accepted 1 session while it was out' in service['message']
        assert metric(paused, 'poold_accepted_while_out') == 1
        assert metric(paused, 'poold_drift_total') == 1
        (said,) = events(paused, 'drift')
        assert f'accepted a session on port {paused.pool.port} although it is paused' in said
        done = paused.pool.poolctl('wait', 'frontend01', '--for', 'drained')
        assert done.returncode == 9
        assert 'accepted 1 session while it was out' in done.stderr


@pytest.mark.brother('D1')
def test_one_after_the_other_is_one_drift(paused):
    with listener_beside(paused):
        for _ in range(3):
            use(paused, 0.6)
        wait_until(lambda: paused.document()['progress']['accepted_while_out'] == 3, 'all three')
        assert len(events(paused, 'drift')) == 1


@pytest.mark.brother('D1')
def test_a_refused_handshake_is_no_session(paused):
    with listener_beside(paused):
        for _ in range(5):
            use(paused, 0.1)
        time.sleep(0.5)
    assert paused.document()['progress']['accepted_while_out'] == 0
    paused.wait_phase('drained')


@pytest.mark.brother('D1')
def test_a_session_from_before_is_no_news(make_pool):
    pool = with_service(make_pool(start=False), FAST).start()
    server = pool.servers[0]
    with server.session():
        ask_for(server)
        time.sleep(2)
        assert server.document()['phase'] == 'draining'
        assert server.document()['progress']['accepted_while_out'] == 0
    server.wait_phase('drained')


@pytest.mark.brother('D1')
def test_a_resume_ends_it(paused):
    with listener_beside(paused):
        use(paused, 0.6)
        paused.wait_phase('attention')
    assert paused.delete('kb1')[0] == 200
    paused.wait_phase('serving')
    assert paused.document()['progress']['accepted_while_out'] == 0


# ---- sources that are part of the service ----

class Status(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'0')

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def status_page(server):
    page = http.server.HTTPServer((server.address, free_port()), Status)
    thread = threading.Thread(target=page.serve_forever)
    thread.start()
    try:
        yield page
    finally:
        page.shutdown()
        thread.join()
        page.server_close()


def drain_and_stop(server):
    ask_for(server)
    server.wait_phase('drained')
    server.scm.change(state='stopped')
    wait_until(lambda: server.service()['observed']['state'] == 'stopped', 'stopped')


@pytest.mark.case('D3')
@pytest.mark.parametrize('key, phase', [('', 'drained'), (', while_stopped: unknown', 'draining')])
def test_a_page_that_went_with_its_service_is_zero(make_pool, key, phase):
    pool = make_pool(start=False)
    server = pool.servers[0]
    with status_page(server) as page:
        url = f'http://{server.address}:{page.server_port}/'
        with_service(pool, f"http: [{{url: '{url}', every: 100ms{key}}}]").start()
        drain_and_stop(server)
    server.stop_poold()
    server.start_poold()
    wait_until(lambda: server.service()['sessions']['known'] == (phase == 'drained') and
               server.document()['phase'] == phase, phase)
    if phase == 'draining':
        time.sleep(0.5)
        assert server.document()['phase'] == 'draining'
        assert 'the number left is unknown' in server.service()['message']


@pytest.mark.brother('D3')
@pytest.mark.parametrize('key, phase', [('zero', 'drained'), ('unknown', 'draining')])
def test_so_is_a_command_if_a_key_says_so(make_pool, key, phase):
    pool = make_pool(start=False)
    server = pool.servers[0]
    count = server.folder / 'count'
    count.write_text('0')
    with open(server.config, 'a') as config:
        config.write(f"commands:\n  - {{service: RTCSRV, run: [/bin/cat, '{count}'], "
                     f"every: 100ms, while_stopped: {key}}}\n")
    pool.start()
    drain_and_stop(server)
    count.unlink()
    wait_until(lambda: server.service()['sessions']['known'] == (phase == 'drained'), key)
    server.wait_phase(phase)


@pytest.mark.case('D5')
def test_no_source_is_read_of_a_service_that_is_not_installed(make_pool):
    pool = make_pool(start=False)
    server = pool.servers[0]
    runs = server.folder / 'runs'
    count = server.folder / 'count'
    count.write_text(f'#!/bin/sh\necho >> {runs}\necho 0\n')
    count.chmod(0o755)
    with_service(pool, 'optional: true')
    with open(server.config, 'a') as config:
        config.write(f"commands:\n  - {{service: RTCSRV, run: ['{count}'], every: 100ms}}\n")
    installed = server.scm.read()
    server.scm.write({'services': {}})
    pool.start()
    wait_until(lambda: server.service()['observed']['state'] == 'absent', 'absent')
    time.sleep(0.5)
    before = runs.read_text() if runs.exists() else ''
    time.sleep(1)
    assert (runs.read_text() if runs.exists() else '') == before
    server.scm.write({'services': {'RTCSRV': installed}})
    wait_until(lambda: server.service()['sessions']['known'], 'it is counted')
    assert runs.read_text() != before


# ---- connections of the server to itself ----

def codes(server):
    (service,) = server.get('/v1/preflight')[1]['services']
    return {finding['code']: finding['text'] for finding in service['findings']}


@pytest.mark.case('D4')
def test_a_server_is_no_client_of_its_own(make_pool):
    pool = make_pool(start=False)
    pool.file.write_text(pool.file.read_text().replace('    settle:', '    count_own: false\n    settle:'))
    server = pool.start().servers[0]
    with server.session(source=server.address):
        ask_for(server)
        server.wait_phase('drained')
        reply = server.sessions()
        assert (reply['count'], reply['sessions'], reply['own_not_counted']) == (0, [], 1)
        done = pool.poolctl('sessions', 'frontend01')
        assert '1 connections of the server to itself are not counted' in done.stdout
        assert f'1 from {server.address}' in codes(server)['own_not_counted']


@pytest.mark.brother('D4')
def test_one_that_counts_is_named(pool, server):
    with server.session(source=server.address), server.session():
        wait_until(lambda: server.document()['progress']['sessions'] == 2, 'counted')
        assert f'1 from {server.address}' in codes(server)['own_connections']
        done = pool.poolctl('sessions', 'frontend01')
        (own,) = [line for line in done.stdout.splitlines() if line.startswith(server.address)]
        assert own.endswith('the server itself') and done.stdout.count('itself') == 1
        assert [each['own'] for each in server.sessions()['sessions']].count(True) == 1


# ---- sessions that end with the pause ----

def end_with_pause(server, sessions):
    """A service that ends these as soon as it is paused."""
    def run():
        wait_until(lambda: server.scm.read()['state'] == 'paused', 'paused')
        for session in sessions:
            session.close()
    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.case('D2')
def test_sessions_that_end_with_the_pause_are_said(pool, server):
    sessions = [server.session() for _ in range(24)]
    wait_until(lambda: server.document()['progress']['sessions'] == 24, 'counted')
    thread = end_with_pause(server, sessions[2:])
    ask_for(server)
    thread.join()
    wait_until(lambda: events(server, 'ended'), 'recorded')
    said = '22 of 24 sessions ended within 2 s of the pause'
    assert events(server, 'ended') == [said]
    service = server.service()
    assert said in service['message'] and '2 sessions left' in service['message']
    assert service['sessions']['before_pause'] == 24
    assert service['sessions']['ended_with_pause'] == 22
    for session in sessions[:2]:
        session.end()
    done = pool.poolctl('wait', 'frontend01', '--for', 'drained')
    assert done.returncode == 0
    assert 'RTCSRV: 22 of 24 sessions ended with the pause' in done.stdout


@pytest.mark.brother('D2')
def test_all_that_end_with_the_pause_are_said(pool, server):
    sessions = [server.session() for _ in range(3)]
    wait_until(lambda: server.document()['progress']['sessions'] == 3, 'counted')
    thread = end_with_pause(server, sessions)
    done = pool.poolctl('drain', 'frontend01', '--id', 'kb1', '--reason', 'patch')
    thread.join()
    assert done.returncode == 0
    assert '3 of 3 sessions ended with the pause' in done.stdout
    assert len(events(server, 'ended')) == 1


@pytest.mark.brother('D2')
def test_sessions_that_end_later_are_not(pool, server):
    sessions = [server.session() for _ in range(8)]
    wait_until(lambda: server.document()['progress']['sessions'] == 8, 'counted')
    ask_for(server)
    sessions.pop().end()
    wait_until(lambda: server.service()['sessions']['ended_with_pause'] is not None, 'known')
    for session in sessions:
        session.end()
    server.wait_phase('drained')
    assert server.service()['sessions']['ended_with_pause'] == 1
    assert not events(server, 'ended') and 'pause' not in server.service()['message']
