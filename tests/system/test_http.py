"""The HTTP API as any client meets it: what it says, and what it refuses."""

import concurrent.futures
import json
import socket
import threading
import time

import pytest

from pool import check_problem
from sessions import wait_until

GOOD = {'reason': 'test', 'owner': 'tester'}


@pytest.fixture(autouse=True)
def unchanged(server, request):
    """Whatever is refused changes no service; tests that change one say so."""
    yield
    if 'changes' not in request.keywords:
        assert server.scm.says() == ('running', 'automatic', True)
        assert server.document()['drains'] == []


@pytest.mark.parametrize('body, code, words', [
    ('{"reason": ', 'invalid_json', ['line 1']),
    ('', 'invalid_json', []),
    ('[]', 'invalid_json', ['object']),
    ('{"reason":"a","reason":"b"}', 'invalid_json', []),
    ({'owner': 'x'}, 'invalid_request', ['reason']),
    ({'reason': 7}, 'invalid_request', ['reason']),
    ({'reason': ''}, 'invalid_request', ['reason']),
    ({'reason': 'a' * 600}, 'invalid_request', ['reason', '512']),
    ({'reason': 'a\nb'}, 'invalid_request', ['control']),
    ({'reason': 'x', 'owner': None}, 'invalid_request', ['owner']),
    ({'reason': 'x', 'raeson': 'y'}, 'unknown_field', ['raeson']),
    ({'reason': 'x', 'services': []}, 'invalid_request', ['services']),
    ({'reason': 'x', 'services': 'RTCSRV'}, 'invalid_request', ['services']),
    ({'reason': 'x', 'services': [1]}, 'invalid_request', ['services[0]']),
    ({'reason': 'x', 'until': 'tomorrow'}, 'invalid_request', ['until', 'resume']),
    (b'{"reason":"\xff\xfe"}', 'invalid_json', []),
    ('[' * 5000, 'invalid_json', []),
])
def test_a_wrong_body_is_refused_and_named(server, body, code, words):
    check_problem(server.put('d1', body), 400, code, *words)


def test_an_unknown_service_is_named_with_those_that_there_are(server):
    check_problem(server.put('d1', GOOD | {'services': ['RTCSRX']}), 404, 'unknown_service',
                  'RTCSRX', 'RTCSRV')


def test_an_unknown_drain(server):
    check_problem(server.request('GET', '/v1/drains/none'), 404, 'unknown_drain', 'none')
    check_problem(server.delete('none'), 404, 'unknown_drain', 'none')


@pytest.mark.parametrize('drain', ['-x', '.x', 'a' * 65, 'a%20b', '%00', 'ü', 'a%2Fb'])
def test_a_drain_id_that_is_none(server, drain):
    path = '/v1/drains/' + drain.replace('ü', '%C3%BC')
    status, _, body = server.request('PUT', path, json.dumps(GOOD),
                                     {'Content-Type': 'application/json'})
    assert status in (400, 404) and body['code'] in ('invalid_request', 'unknown_path')


def test_paths_and_methods(server):
    check_problem(server.request('GET', '/v2/server'), 404, 'unknown_path', '/v2/server')
    check_problem(server.request('GET', '/v1/drains/'), 404, 'unknown_path')
    check_problem(server.request('POST', '/v1/server'), 405, 'method_not_allowed', 'POST')
    assert server.request('POST', '/v1/server')[1]['Allow'] == 'GET, HEAD'
    assert server.request('HEAD', '/v1/server')[0] == 200


def test_writes_need_what_a_browser_does_not_send(server):
    reply = server.put('d1', GOOD, **{'Content-Type': 'text/plain'})
    check_problem(reply, 415, 'unsupported_media_type')
    reply = server.request('PUT', '/v1/drains/d1', json.dumps(GOOD))
    check_problem(reply, 415, 'unsupported_media_type')
    check_problem(server.request('DELETE', '/v1/drains/d1'), 403, 'write_header_missing')


def test_a_body_over_64_kib(server):
    check_problem(server.put('d1', {'reason': 'x' * 70000}), 413, 'body_too_large')


def test_a_chunked_body_over_64_kib(server):
    def chunks():
        for _ in range(20):
            yield b'x' * 8192
    status, _, body = server.request('PUT', '/v1/drains/d1', chunks(),
                                     {'Content-Type': 'application/json'})
    assert status == 413 and body['code'] == 'body_too_large'


def raw(server, data, limit=30):
    """Sends bytes as they are, and reads until the server closes."""
    with socket.create_connection((server.address, server.pool.api_port), limit) as connection:
        connection.sendall(server.authorize(data))
        got = b''
        while part := connection.recv(65536):
            got += part
        return got


def test_headers_that_are_too_large(server):
    got = raw(server, b'GET /v1/server HTTP/1.1\r\nHost: x\r\nX: ' + b'y' * 40000 + b'\r\n\r\n')
    assert b' 431 ' in got.split(b'\r\n')[0] or b' 413 ' in got.split(b'\r\n')[0]


NONSENSE = [b'\0\0\0\0\r\n\r\n', b'GET\r\n\r\n', b'\xff' * 5000 + b'\r\n\r\n',
            b'PUT /v1/drains/x HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n']


def test_nonsense_is_answered_or_closed_a_slow_client_is_cut_and_others_go_on(server):
    """All of them at once, as what is neither answered nor refused waits for poold's limit."""
    with concurrent.futures.ThreadPoolExecutor() as clients:
        ends = [clients.submit(raw, server, data) for data in NONSENSE]
        be_slow_until_cut(server)
        for end in ends:
            end.result()
    assert server.get('/livez')[0] == 200


def be_slow_until_cut(server):
    began = time.monotonic()
    with socket.create_connection((server.address, server.pool.api_port), 60) as slow:
        for byte in b'GET /v1/server HTTP/1.1\r\nHost: x\r\nX-Slow: ':
            slow.sendall(bytes([byte]))
        assert server.get('/livez')[0] == 200
        slow.settimeout(60)
        while True:
            try:
                slow.sendall(b'y')
                slow.settimeout(0.5)
                if slow.recv(1000) == b'':
                    break
            except TimeoutError:
                assert time.monotonic() - began < 50, 'not cut'
            except OSError:
                break
    assert time.monotonic() - began > 10


def test_many_connections_at_once(server):
    connections = []
    for _ in range(1000):
        connections.append(socket.create_connection((server.address, server.pool.api_port), 30))
    assert server.get('/livez')[0] == 200
    for connection in connections:
        connection.close()


# ---- what is asked for ----

def test_etag_and_waiting(server):
    _, headers, document = server.request('GET', '/v1/server')
    status, _, body = server.request('GET', '/v1/server', headers={
        'If-None-Match': headers['ETag']})
    assert (status, body) == (304, None)
    began = time.monotonic()
    index = document['index']
    status, _, same = server.request('GET', f'/v1/server?index={index}&wait=1')
    assert status == 200 and same['index'] == index
    assert 0.9 <= time.monotonic() - began < 10
    old = server.request('GET', f'/v1/server?index={index - 1}&wait=300')[2]
    assert old['index'] == index


@pytest.mark.changes
def test_a_waiting_reader_hears_of_a_change(server):
    # It would hear of the reservation first.
    token = server.reserve('d1', GOOD)[2]['reservation']['token']
    index = server.document()['index']
    heard = []
    waiter = threading.Thread(target=lambda: heard.append(
        server.get(f'/v1/server?index={index}&wait=60')))
    waiter.start()
    assert server.commit('d1', GOOD, token)[0] == 201
    waiter.join(30)
    assert heard and heard[0][1]['index'] > index
    assert heard[0][1]['wanted'] == 'drained'


@pytest.mark.parametrize('query', ['index=x', 'wait=301', 'index=-1', 'wait=1.5', 'index='])
def test_a_wrong_query(server, query):
    check_problem(server.request('GET', f'/v1/server?{query}'), 400, 'invalid_request',
                  query.split('=')[0])
    check_problem(server.request('GET', '/v1/events?limit=1001'), 400, 'invalid_request', 'limit')


@pytest.mark.changes
def test_the_life_of_a_drain(server):
    status, _, drain = server.put('kb1', GOOD)
    assert status == 201
    assert drain['out'] is True and drain['phase'] == 'active'
    assert drain['services'] == ['RTCSRV']
    assert server.put('kb1', GOOD)[0] == 200
    changed = server.put('kb1', GOOD | {'reason': 'another'})
    assert changed[0] == 200 and changed[2]['reason'] == 'another'
    check_problem(server.put('kb1', GOOD | {'owner': 'other'}), 409, 'held', 'tester')
    assert server.get('/v1/drains')[1]['drains'][0]['id'] == 'kb1'
    assert server.get('/v1/drains/kb1')[1]['reason'] == 'another'
    assert server.get('/readyz')[0] == 503
    assert server.get('/livez')[0] == 200
    server.wait_phase('drained')
    status, _, ended = server.delete('kb1')
    assert (status, ended['phase']) == (200, 'ended')
    assert server.delete('kb1')[0] == 200
    assert server.get('/v1/drains/kb1')[1]['phase'] == 'ended'
    server.wait_phase('serving')
    assert server.get('/readyz')[0] == 200
    document = server.document()
    assert document['services'][0]['saved'] is None and document['drains'] == []
    kinds = [event['kind'] for event in server.get('/v1/events')[1]['events']]
    assert kinds.index('drain_created') < kinds.index('saved') < kinds.index('drain_ended')
    last = server.get('/v1/events')[1]['last']
    assert server.get(f'/v1/events?after={last}')[1]['events'] == []
    assert len(server.get('/v1/events?limit=2')[1]['events']) == 2


@pytest.mark.changes
def test_two_drains_and_the_last_one_ends_it(server):
    assert server.put('a', GOOD)[0] == 201
    assert server.put('b', GOOD)[0] == 201
    server.delete('a')
    assert server.document()['wanted'] == 'drained'
    assert server.scm.says()[0] == 'paused'
    server.delete('b')
    wait_until(lambda: server.scm.says() == ('running', 'automatic', True), 'back')


@pytest.mark.changes
def test_the_document_has_what_the_contract_names(server):
    server.put('a', GOOD)
    document = server.document()
    assert {'server', 'pool', 'version', 'epoch', 'index', 'boot_id', 'time', 'phase', 'wanted',
            'reservation', 'drains', 'progress', 'services'} <= set(document)
    assert {'known', 'sessions', 'peak', 'ended', 'cut', 'rate_per_min', 'eta_s', 'eta_90_s',
            'eta_basis', 'eta_unknown'} <= set(
        document['progress'])
    service = document['services'][0]
    assert {'name', 'display_name', 'components', 'phase', 'wanted', 'method', 'message',
            'observed', 'saved', 'sessions'} <= set(service)
    assert service['saved'] == {'state': 'running', 'start_type': 'automatic',
                                'delayed_auto_start': True}
