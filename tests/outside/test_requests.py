"""Cases E and H: what anybody may send to poold."""

import contextlib
import datetime
import json
import os
import re
import socket
import sqlite3
import subprocess
import threading
import time

import pytest

from pool import check_problem
from sessions import wait_until
from simulated import POOLD
from watching import Stream

GOOD = {'reason': 'patch', 'owner': 'alice'}
WRITE = {'Poolctl-Request': '1'}

# Every route, with all that its query may have.
ROUTES = [('GET', '/v1/server', 'index=1&wait=0'),
          ('GET', '/v1/preflight',
           'services=RTCSRV&until=resume&on_deadline=stop&deadline_s=60'),
          ('GET', '/v1/drains', ''), ('GET', '/v1/drains/kb1', ''), ('PUT', '/v1/drains/kb1', ''),
          ('DELETE', '/v1/drains/kb1', 'index=9&reservation=T'),
          ('GET', '/v1/services/RTCSRV/sessions', 'limit=5'),
          ('GET', '/v1/events', 'after=0&limit=5'), ('GET', '/metrics', ''), ('GET', '/livez', ''),
          ('GET', '/readyz', '')]


def raw(server, data):
    """Sends bytes as they are, and reads until the server closes."""
    with socket.create_connection((server.address, server.pool.api_port), 30) as connection:
        connection.sendall(server.authorize(data))
        got = b''
        while part := connection.recv(65536):
            got += part
        return got


@pytest.fixture
def drained(server):
    """With a drain kb1, which the test must not end."""
    assert server.put('kb1', GOOD)[0] == 201
    yield server
    assert [drain['id'] for drain in server.document()['drains']] == ['kb1']


# ---- E13: what a web page makes a browser send ----

@pytest.fixture
def named(make_pool):
    """A server whose url has a name, in a pool with one."""
    pool = make_pool(start=False)
    text = pool.file.read_text()
    text = text.replace('    settle:', '    fqdn: pool01.contoso.com\n    settle:', 1)
    pool.file.write_text(text.replace('url: http://127.0.1.1:', 'url: http://me:pw@fe.Contoso.com:'))
    server = pool.servers[0]
    with open(server.config, 'a', encoding='utf-8') as config:
        config.write(f'listen: {server.address}:{pool.api_port}\n')
    server.start_poold()
    return server


@pytest.mark.case('E13')
@pytest.mark.parametrize('method, path, known', ROUTES)
def test_no_route_serves_a_web_page(server, method, path, known):
    for headers, code in (({'Host': 'evil.example'}, 'unknown_host'),
                          ({'Host': f'evil.example:{server.pool.api_port}'}, 'unknown_host'),
                          ({'Origin': 'http://evil.example'}, 'origin_refused'),
                          ({'Origin': 'null'}, 'origin_refused'),
                          ({'Origin': f'http://127.0.0.1:{server.pool.api_port}'}, 'origin_refused')):
        check_problem(server.request(method, path, json.dumps(GOOD), WRITE | headers | {
            'Content-Type': 'application/json'}), 403, code)
    assert server.document()['drains'] == [] and not server.document()['reservation']


@pytest.mark.case('E13')
@pytest.mark.parametrize('host', [
    'frontend01.evil.example', 'evil.example.', 'localhost.evil.example', '127.0.0.1.evil.example',
    'xlocalhost', 'pool01.contoso.com.evil.example', '.', ':8650', '[', 'a' * 300, '127.0.0.1@evil.example', '127.0.0.1/evil.example', 'me:pw@fe.contoso.com', '\xff'])
def test_a_name_that_is_not_the_servers(named, host):
    status, _, problem = named.request('GET', '/livez', headers={'Host': host})
    assert (status, problem['code']) == (403, 'unknown_host')


@pytest.mark.case('E13')
@pytest.mark.parametrize('host', [
    'localhost', 'LOCALHOST:8650', '127.0.0.1', '10.9.8.7:1', '[::1]:8650', '[::1]', 'frontend01:9090',
    'FRONTEND01', 'fe.contoso.com', 'fe.contoso.com.:80', 'pool01.contoso.com',
    'Pool01.Contoso.com:443', socket.gethostname(), ''])
def test_its_names_and_addresses_are_served(named, host):
    assert named.request('GET', '/readyz', headers={'Host': host})[0] == 200


@pytest.mark.brother('E13')
def test_a_probe_without_a_name_is_served(named):
    assert b' 200 ' in raw(named, b'GET /readyz HTTP/1.0\r\n\r\n')


@pytest.mark.brother('E13')
def test_poolctl_says_which_name_is_not_known(make_pool):
    """Its own pool.yaml has another name for the server than poold's."""
    pool = make_pool(start=False)
    server = pool.servers[0]
    server.address = '127.0.0.1'
    with open(server.config, 'a', encoding='utf-8') as config:
        config.write(f'listen: 127.0.0.1:{pool.api_port}\n')
    server.start_poold()
    pool.file.write_text(pool.file.read_text().replace('url: http://127.0.1.1:',
                                                       'url: http://fe1.localhost:'))
    done = pool.poolctl('status', 'frontend01')
    assert "has no name 'fe1.localhost:" in done.stdout + done.stderr, done


# ---- E14: JSON by another spelling ----

@pytest.mark.case('E14')
@pytest.mark.parametrize('kind', [
    'Application/Json', 'APPLICATION/JSON; charset=UTF-8', 'application/json;charset=utf-8',
    'application/json ; charset="utf-8"', ' application/json\t;x=y'])
def test_a_media_type_has_no_case(server, kind):
    assert server.put('kb1', GOOD, **{'Content-Type': kind})[0] == 201


@pytest.mark.case('E14')
def test_a_byte_order_mark_is_not_a_mistake(server):
    token = server.reserve('kb1', GOOD)[2]['reservation']['token']
    body = b'\xef\xbb\xbf' + json.dumps(GOOD | {'reservation': token}).encode()
    assert server.put_as_is('kb1', body)[0] == 201
    for wrong in (b'\xef\xbb\xbf', b'\xef\xbb\xbf' + body, body[1:], body + b'\xef\xbb\xbf'):
        check_problem(server.put_as_is('kb1', wrong), 400, 'invalid_json')


@pytest.mark.brother('E14')
@pytest.mark.parametrize('kind', ['application/jsonx', 'text/application/json', 'application',
                                  'text/plain, application/json', ''])
def test_another_media_type_is_refused(server, kind):
    check_problem(server.put('kb1', GOOD, **{'Content-Type': kind}), 415, 'unsupported_media_type')


@pytest.mark.brother('E14')
@pytest.mark.parametrize('accept, is_stream', [
    ('Text/Event-Stream', True), ('application/json, TEXT/EVENT-STREAM;q=0.9', True),
    ('text/html,text/event-stream', True), ('text/event-streams', False),
    ('x-text/event-stream', False)])
def test_a_stream_is_asked_for_in_any_case(server, accept, is_stream):
    got = raw(server, f'HEAD /v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n'
              'Connection: close\r\n\r\n'.encode())
    assert (b'text/event-stream' in got) == is_stream, got


# ---- H5: nothing of a request is ignored ----

@pytest.mark.case('H5')
@pytest.mark.parametrize('query, code, word', [
    ('?reservation', 'invalid_request', 'no value'), ('?reservation=', 'invalid_request', 'no value'),
    ('?reservaton=T', 'unknown_field', "'reservaton'"), ('?Reservation=T', 'unknown_field', 'Reservation'),
    ('?reservation=T&reservation=U', 'invalid_request', 'twice'),
    ('?index=1%00', 'invalid_request', 'control'), ('?index=1%0A', 'invalid_request', 'control'),
    ('?res%00ervation=T', 'invalid_request', 'control'), ('?=T', 'unknown_field', "''"),
    ('?%ff=T', 'unknown_field', '')])
def test_a_query_that_is_not_understood_ends_no_drain(drained, query, code, word):
    status, _, problem = drained.delete('kb1', query)
    assert (status, problem['code']) == (400, code)
    assert word in problem.get('detail', '')


@pytest.mark.case('H5')
@pytest.mark.parametrize('path', ['kb1%00', 'kb1%00.old', 'kb1%0a', 'kb1%7F', '%00kb1', 'kb1%%00'])
def test_a_control_character_hides_no_part_of_the_path(drained, path):
    check_problem(drained.delete(path), 400, 'invalid_request', 'control character')


@pytest.mark.case('H5')
def test_a_zero_byte_hides_no_part_of_the_path(drained):
    for line in (b'DELETE /v1/drains/kb1\0.old HTTP/1.1', b'DELETE /v1/drains/kb1\0 HTTP/1.1',
                 b'DELETE /v1/drains/kb1?index=9\0 HTTP/1.1',
                 b'DELETE /v1/drains/kb1\0HTTP/1.1 HTTP/1.1'):
        got = raw(drained, line + b'\r\nHost: 127.0.0.1\r\nPoolctl-Request: 1\r\n'
                  b'Connection: close\r\n\r\n')
        assert got.startswith(b'HTTP/1.1 400 ') and b'NUL byte' in got, got


@pytest.mark.brother('H5')
@pytest.mark.parametrize('method, path, known', ROUTES)
def test_no_route_ignores_a_part_of_its_query(server, method, path, known):
    for query in ('service=X', known + '&x=1', known + '&x', known.upper() or 'X=1'):
        status, _, problem = server.request(method, f'{path}?{query}', headers=WRITE)
        assert (status, problem['code']) == (400, 'unknown_field'), query
    for name in known.split('&') if known else []:
        for query in (f'{known}&{name}', name.split('=')[0], name.split('=')[0] + '='):
            status, _, problem = server.request(method, f'{path}?{query}', headers=WRITE)
            assert (status, problem['code']) == (400, 'invalid_request'), query


@pytest.mark.brother('H5')
@pytest.mark.parametrize('method, path, known', [route for route in ROUTES if route[2]])
def test_every_route_knows_its_query(server, method, path, known):
    status, _, body = server.request(method, f'{path}?{known}', headers=WRITE)
    assert status == 200, body


# ---- G5: a view is as old as its oldest look ----

class SlowScm:
    """The simulated SCM's file as a pipe: each question takes its time, and counts."""

    def __init__(self, server, services):
        self.asked, self.delay, self.on_answer = 0, 0, lambda: None
        self.services = {name: server.scm.read() | {'pid': 1} for name in services}
        server.service_process.stop()
        self.path, self.is_over = server.scm.path, False
        self.path.unlink()
        os.mkfifo(self.path)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.is_over:
            # poold may end while it asks.
            with (contextlib.suppress(BrokenPipeError),
                  open(self.path, 'w', encoding='utf-8') as pipe):
                self.asked += 1
                time.sleep(self.delay)
                pipe.write(json.dumps({'services': self.services}))
            self.on_answer()
            time.sleep(0.02)  # until the reader has closed it


@pytest.fixture
def slow(make_pool):
    """A server with three services, and its SCM."""
    pool = make_pool(start=False)
    ports = pool.file.read_text().split('ports: ')[1].split('\n')[0]
    pool.file.write_text(pool.file.read_text().replace(
        '    services:\n', f'    services:\n      A: {{ports: {ports}}}\n      B: {{ports: {ports}}}\n'))
    server = pool.servers[0]
    scm = SlowScm(server, ['A', 'B', 'RTCSRV'])
    server.start_poold()
    yield server, scm
    scm.is_over = True


@pytest.mark.case('G5')
def test_the_time_of_a_view_is_that_of_its_oldest_look(slow):
    """The process of A changes after each question, about whichever service."""
    server, scm = slow
    begun = [0, time.time()]  # when each process began, by its number

    def change():
        scm.services['A'] = scm.services['A'] | {'pid': len(begun)}
        begun.append(time.time())
    scm.delay, scm.on_answer = 0.3, change

    def is_seen_through():
        document = server.document()
        at = datetime.datetime.fromisoformat(document['time'].replace('Z', '+00:00')).timestamp()
        pid = document['services'][0]['observed']['pid']
        assert len(begun) == pid + 1 or at <= begun[pid + 1], 'it was another process by then'
        return pid > 12
    wait_until(is_seen_through, 'four rounds')


@pytest.mark.case('G5')
def test_a_view_with_an_old_look_is_stale(slow):
    """No question takes too long, but all of them do."""
    server, scm = slow
    assert server.get('/readyz')[0] == 200
    scm.delay, before = 5.5, scm.asked
    wait_until(lambda: scm.asked >= before + 6, 'all three are asked')
    for path in ('/v1/server', '/readyz', '/v1/drains'):
        check_problem(server.request('GET', path), 503, 'stale', 'Service Control Manager')


# ---- H15: the newest end is the one that came last ----

@pytest.mark.case('H15')
def test_an_end_may_be_repeated_after_the_clock_was_set_back(server):
    assert server.put('kb1', GOOD)[0] == 201
    server.stop_poold()
    later = int(time.time() * 1000) + 86400000
    with contextlib.closing(sqlite3.connect(server.folder / 'state/poold.sqlite')) as store, store:
        store.executemany(
            'INSERT INTO drains(id, owner, reason, services, created_at, ended_at, ended_by, '
            "end_reason) VALUES(?, 'bob', 'r', '[]', ?, ?, 'bob', 'request')",
            [(f'old{i}', later + i, later + i) for i in range(1000)])
    server.start_poold()
    for _ in range(2):
        status, _, drain = server.delete('kb1')
        assert (status, drain['phase']) == (200, 'ended'), drain
    assert server.get('/v1/drains/kb1')[1]['end_reason'] == 'request'


# ---- E11: what nobody can guess ----

@pytest.mark.case('E11')
def test_a_token_cannot_be_guessed_from_what_everybody_sees(server):
    tokens = []
    for _ in range(40):
        tokens.append(server.reserve('kb1', GOOD)[2]['reservation']['token'])
        assert server.delete('kb1', f'?reservation={tokens[-1]}')[2]['withdrawn']
    assert all(re.fullmatch('[0-9a-f]{32}', token) for token in tokens)
    assert len(set(tokens)) == 40 and server.document()['epoch'] not in ''.join(tokens)
    # No digit counts, or stays: of 40, one has three values but for a chance of 1 in 10^33.
    assert all(len(set(digits)) > 2 for digits in zip(*tokens))


@pytest.mark.brother('E11')
def test_a_renewal_keeps_the_token_and_a_restart_makes_another(server):
    token = server.reserve('kb1', GOOD)[2]['reservation']['token']
    assert server.reserve('kb1', GOOD)[2]['reservation']['token'] == token
    server.stop_poold()
    server.start_poold()
    assert server.reserve('kb1', GOOD)[2]['reservation']['token'] != token
    check_problem(server.commit('kb1', GOOD, token), 409, 'not_reserved')


# ---- H11, H16, E10: clients that only hold a connection ----

def connect(server, data=b''):
    connection = socket.create_connection((server.address, server.pool.api_port), 30)
    connection.sendall(server.authorize(data))
    return connection


def poll(server):
    """A long poll that nothing ends."""
    index = server.document()['index']
    return (f'GET /v1/server?index={index}&wait=300 HTTP/1.1\r\nHost: localhost\r\n\r\n').encode()


def connections(server):
    """How many poold has open: its sockets, but for the one that listens."""
    count, folder = -1, f'/proc/{server.poold.pid}/fd'
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            count += os.readlink(f'{folder}/{name}').startswith('socket:')
    return count


@pytest.fixture
def narrow(make_pool):
    """A poold that the system lets have 120 open files: 60 connections."""
    server = make_pool(start=False).servers[0]
    with open(server.folder / 'poold.log', 'a') as log:
        server.poold = subprocess.Popen(
            ['sh', '-c', 'ulimit -n 120; exec "$0" "$@"', POOLD, 'run', '--config', server.config],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    server.wait_answer()
    return server


@pytest.mark.case('H11')
def test_long_polls_whose_clients_have_gone_keep_nobody_out(server):
    request = poll(server)
    for _ in range(23):
        batch = [connect(server, request) for _ in range(100)]
        wait_until(lambda: connections(server) >= 100, 'they are connected')
        for each in batch:
            each.close()
    assert server.get('/livez')[0] == 200
    wait_until(lambda: connections(server) == 0, 'they are gone')


@pytest.mark.case('H11')
def test_long_polls_leave_connections_for_others(narrow):
    request = poll(narrow)
    waiting = [connect(narrow, request) for _ in range(52)]
    def refusal():
        status, _, problem = narrow.request('GET', request.decode().split()[1])
        return status == 503 and problem['code'] == 'busy' and problem['retryable']
    wait_until(refusal, 'one more is refused')
    assert narrow.get('/readyz')[0] == 200
    assert narrow.put('kb1', GOOD)[0] == 201
    for each in waiting:
        assert b'"kb1"' in each.recv(1 << 16)
        each.close()


@pytest.mark.brother('H11')
def test_streams_whose_clients_have_gone_are_noticed(server):
    streams = [Stream(server) for _ in range(50)]
    for stream in streams:
        stream.wait(stream.messages)
    assert connections(server) >= 50
    # Before the second heartbeat, which a connection that is closed refuses.
    began = time.monotonic()
    for stream in streams:
        stream.close()
    wait_until(lambda: connections(server) == 0, 'they are gone')
    assert time.monotonic() - began < 15


@pytest.mark.brother('H11')
def test_requests_that_the_supervisor_owes_leave_connections_for_others(narrow):
    """The supervisor is stopped by its SCM: a named pipe instead of the file."""
    narrow.service_process.stop()
    fifo = narrow.scm.path.with_suffix('.fifo')
    os.mkfifo(fifo)
    content = narrow.scm.path.read_text()
    fifo.rename(narrow.scm.path)
    time.sleep(0.3)
    asked = [connect(narrow, b'GET /v1/preflight HTTP/1.1\r\nHost: localhost\r\n\r\n')
             for _ in range(40)]
    assert narrow.get('/livez')[0] == 200
    status, _, problem = narrow.request('GET', '/v1/preflight')
    assert (status, problem['code']) == (503, 'busy')
    fresh = narrow.scm.path.with_suffix('.fresh')
    fresh.write_text(content)
    with open(narrow.scm.path, 'w', encoding='utf-8') as pipe:
        fresh.rename(narrow.scm.path)
        pipe.write(content)
    for each in asked:
        each.close()


@pytest.mark.case('H16')
def test_idle_connections_do_not_keep_poold_from_its_services(narrow):
    assert narrow.put('kb1', GOOD)[0] == 201
    idle = [connect(narrow) for _ in range(200)]
    for _ in range(3):
        narrow.scm.change(state='running')
        wait_until(lambda: narrow.scm.says()[0] == 'paused', 'it is paused again')
    for each in idle:
        each.close()
    wait_until(lambda: narrow.get('/livez')[0] == 200, 'it answers')
    assert narrow.service()['sessions']['known']
    assert 'limit of open files lets poold take 60 connections' in narrow.log()


@pytest.mark.brother('H16')
def test_idle_connections_make_room_when_few_are_left(narrow):
    """Others need not wait for the 20 s that an idle connection may usually take."""
    for _ in range(2):
        idle = [connect(narrow) for _ in range(60)]
        began = time.monotonic()
        assert narrow.get('/livez')[0] == 200
        assert time.monotonic() - began < 15
        for each in idle:
            each.close()


@pytest.mark.case('E10')
def test_a_client_that_does_not_read_its_replies_is_cut(server):
    for i in range(200):
        assert server.put('kb1', GOOD | {'reason': 'x' * 500, 'deadline_s': 1000 + i})[0] < 300
    def deaf(target, count):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        connection.connect((server.address, server.pool.api_port))
        connection.settimeout(0.2)
        try:
            connection.sendall(server.authorize(
                f'GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode()) * count)
        except TimeoutError:
            pass
        return connection
    clients = [deaf('/v1/events', 1), deaf('/v1/events', 30), deaf('/v1/server', 3000)]
    time.sleep(1)
    # A look for sessions has a socket of its own for a moment.
    wait_until(lambda: connections(server) == 3, 'they are connected')
    began = time.monotonic()
    wait_until(lambda: connections(server) == 0, 'they are cut', 50)
    assert time.monotonic() - began > 10
    for each in clients:
        each.close()
