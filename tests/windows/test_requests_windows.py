"""What anybody may send to poold.exe."""

import re
import socket

import pytest

from pool import check_problem
from sessions import wait_until
from watching import Stream

CLOSE_WAIT = '08'
GOOD = {'reason': 'test', 'owner': 'tester'}


@pytest.fixture
def server(server):
    server.install_poold()
    return server


def left_behind(server):
    """The connections of poold whose clients have closed them."""
    with open('/proc/net/tcp', encoding='ascii') as table:
        lines = [line.split() for line in table][1:]
    return sum(int(line[1].split(':')[1], 16) == server.pool.api_port and line[3] == CLOSE_WAIT
               for line in lines)


def test_clients_that_have_gone_are_noticed(server):
    index = server.document()['index']
    polls = [socket.create_connection((server.address, server.pool.api_port)) for _ in range(30)]
    for each in polls:
        each.sendall(server.authorize(
            f'GET /v1/server?index={index}&wait=300 HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode()))
    streams = [Stream(server) for _ in range(30)]
    for stream in streams:
        stream.wait(stream.messages)
    for each in polls + streams:
        each.close()
    assert server.get('/livez')[0] == 200
    wait_until(lambda: not left_behind(server), 'poold has closed them too')


def test_requests_of_strangers_and_tokens(server):
    check_problem(server.request('GET', '/livez', headers={'Host': 'evil.example'}), 403, 'unknown_host')
    assert server.request('GET', '/livez', headers={'Host': f'{socket.gethostname()}:1'})[0] == 200
    check_problem(server.request('GET', '/v1/drains/kb1%00'), 400, 'invalid_request')
    tokens = set()
    for _ in range(5):
        token = server.reserve('kb1', GOOD)[2]['reservation']['token']
        assert re.fullmatch('[0-9a-f]{32}', token)
        tokens.add(token)
        assert server.delete('kb1', f'?reservation={token}')[2]['withdrawn']
    assert len(tokens) == 5
