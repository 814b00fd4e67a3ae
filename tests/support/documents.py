"""HTTP servers for the session source `http`, honest and not, and authorities for TLS.

    with serve(b'{"sessions": 7}') as server:
        Source('http', server.url, '/sessions', 5000)
"""

import contextlib
import socket
import ssl
import subprocess
import threading

ADDRESS = '127.0.0.1'


class Server:
    """Answers each request with the bytes of `reply`, which may be changed meanwhile.

    A reply that is a function gets the connection, and does with it what it likes.
    """

    def __init__(self, reply, context=None, close=True):
        self.reply, self.context, self.close_each = reply, context, close
        self.requests, self.connections = [], 0
        self.open = set()
        self.listener = socket.create_server((ADDRESS, 0))
        port = self.listener.getsockname()[1]
        self.url = f'http{"s" if context else ""}://{ADDRESS}:{port}/status'
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open.add(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        plain = connection
        with contextlib.suppress(OSError):
            if self.context:
                connection = self.context.wrap_socket(plain, server_side=True)
                self.open.add(connection)
            while self.take_request(connection):
                if callable(self.reply):
                    self.reply(connection)
                else:
                    connection.sendall(self.reply)
                if self.close_each:
                    break
        with contextlib.suppress(OSError):
            connection.close()
            plain.close()

    def take_request(self, connection):
        request = b''
        while not request.endswith(b'\r\n\r\n'):
            more = connection.recv(4096)
            if not more:
                return False
            request += more
            if not b'GET '.startswith(request[:4]):
                return False
        self.requests.append(request.decode())
        return True

    def stop(self):
        # Closed alone, the listener would still be waited on.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        for connection in self.open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


def ok(body, **headers):
    """A whole reply with that body."""
    return reply(200, body, **headers)


def reply(status, body=b'', **headers):
    headers = {'Content_Length': len(body)} | headers
    lines = ''.join(f'{name.replace("_", "-")}: {value}\r\n'
                    for name, value in headers.items() if value is not None)
    return f'HTTP/1.1 {status} Something\r\n{lines}\r\n'.encode() + body


@contextlib.contextmanager
def serve(answer, **options):
    server = Server(answer, **options)
    try:
        yield server
    finally:
        server.stop()


class Authority:
    """A certificate authority in a folder; makes certificates of servers.

    RSA, as Wine refuses one ECDSA signature in 64; see docs/windows.md.
    """

    def __init__(self, folder, name='Tests'):
        folder.mkdir()
        self.folder, self.file, self.key = folder, folder / 'ca.pem', folder / 'ca.key'
        openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', self.key,
                '-out', self.file, '-days', 30,
                '-subj', f'/CN={name} authority')

    def server(self, alternative=f'IP:{ADDRESS}', days=10):
        """A server's context; a negative number of days is a certificate that is over."""
        name = f'{alternative}{days}'.replace(':', '_').replace('.', '_')
        key, request, file = (self.folder / f'{name}.{end}' for end in ('key', 'csr', 'pem'))
        extensions = self.folder / f'{name}.ext'
        extensions.write_text(f'subjectAltName={alternative}\n'
                              'basicConstraints=critical,CA:FALSE\n'
                              'extendedKeyUsage=serverAuth\n')
        openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                '-keyout', key, '-out', request, '-subj', '/CN=server')
        openssl('x509', '-req', '-in', request, '-CA', self.file, '-CAkey', self.key,
                '-CAcreateserial', '-out', file, '-extfile', extensions, '-days', days)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file, key)
        return context


def openssl(*arguments):
    subprocess.run(['openssl', *map(str, arguments)], check=True, capture_output=True,
                   stdin=subprocess.DEVNULL)
