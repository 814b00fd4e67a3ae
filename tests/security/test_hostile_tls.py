"""What is no TLS, or half of it, hinders nobody else; and poolctl goes to no other host."""

import contextlib
import http.server
import os
import random
import socket
import ssl
import threading

import pytest

from certificates import authority, good, make_tls_pool, self_signed  # noqa: F401
from sessions import wait_until

GARBAGE_SEED = int(os.environ.get('GARBAGE_SEED', random.randrange(1 << 32)))
# What an old poold answers with plain HTTP; a record of TLS that never ends; an alert.
BEGINNINGS = [b'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n', b'\x16\x03\x01\x40\x00' + b'\x01' * 100,
              b'\x15\x03\x03\x00\x02\x02\x28', b'\x80\x2e\x01\x03\x01', b'']


def test_garbage_and_half_handshakes_hinder_nobody(make_tls_pool, good):
    print('GARBAGE_SEED', GARBAGE_SEED)
    chance = random.Random(GARBAGE_SEED)
    server = make_tls_pool(good).servers[0]
    address = server.address, server.pool.api_port
    # A real first flight, cut anywhere.
    hello = client_hello()
    with contextlib.ExitStack() as stack:
        for i in range(150):
            sent = chance.choice(BEGINNINGS + [hello[:chance.randrange(1, len(hello))],
                                               chance.randbytes(chance.randrange(1, 600)), hello])
            stranger = stack.enter_context(socket.create_connection(address))
            stranger.sendall(sent)
            if i % 10 == 0:
                assert server.get('/v1/server')[0] == 200
    assert server.get('/v1/server')[0] == 200
    # It is logged, and not once for each.
    wait_until(lambda: 'http: ' in server.log(), 'it is logged')
    assert server.log().count('http: ') < 100


def client_hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl._create_unverified_context().wrap_bio(incoming, outgoing)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def test_a_handshake_that_is_never_finished_is_ended(make_tls_pool, good):
    server = make_tls_pool(good).servers[0]
    with socket.create_connection((server.address, server.pool.api_port)) as stranger:
        stranger.sendall(client_hello())
        stranger.settimeout(60)
        received = b''
        # poold sends its part, and then the end.
        with contextlib.suppress(ConnectionResetError):
            while part := stranger.recv(4096):
                received += part
        assert received


@pytest.fixture
def elsewhere(tmp_path):
    """Two servers of strangers with one certificate: the first sends everybody to the second."""
    pair = self_signed(tmp_path, 'stranger')
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    asked = []

    class Redirect(http.server.BaseHTTPRequestHandler):
        def answer(self):
            asked.append((self.server.server_port, self.command))
            self.send_response(307)
            self.send_header('Location', f'https://127.0.1.1:{ports[1]}{self.path}')
            self.send_header('Content-Length', '0')
            self.end_headers()

        do_GET = do_PUT = do_DELETE = answer

        def log_message(self, *_):
            pass

    with contextlib.ExitStack() as stack:
        ports = []
        for _ in range(2):
            server = stack.enter_context(
                http.server.ThreadingHTTPServer(('127.0.1.1', 0), Redirect))
            server.socket = context.wrap_socket(server.socket, server_side=True)
            ports.append(server.server_port)
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
        yield pair, ports, asked


def test_no_redirect_is_followed(make_tls_pool, good, elsewhere):
    pair, ports, asked = elsewhere
    pool = make_tls_pool(good, start=False, trust=f'    pin: {pair.pin()}\n')
    pool.file.write_text(pool.file.read_text().replace(f':{pool.api_port}', f':{ports[0]}'))
    for args in ['status'], ['drain', 'frontend01', '--reason', 'patch'], ['events', 'frontend01']:
        done = pool.poolctl(*args)
        assert done.returncode == 3, done
    wait_until(lambda: len(asked) >= 3, 'the first one was asked')
    assert {port for port, _ in asked} == {ports[0]}
