"""A pool as the tests meet it: poold over HTTP, poolctl as a program.

POOLCTL and POOLD name the programs; what they run on is for simulated.py and the Windows
tests to say.
"""

import atexit
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time

from sessions import LIMIT, Session, free_port, try_new_session, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
POOLCTL = pathlib.Path(os.environ.get('POOLCTL', ROOT / 'build/native/poolctl'))
SERVICE = 'RTCSRV'
DISPLAY = 'Skype for Business Server Front-End'
RESERVES = 5
# poold refuses files that others may write, as they can where this is 002.
os.umask(0o022)
# Where the poolds of these tests leave the credential of the administrators, and poolctl
# finds it; not where those of this machine do.
if 'POOLCTL_LOCAL_DIR' not in os.environ:
    os.environ['POOLCTL_LOCAL_DIR'] = tempfile.mkdtemp(prefix='poolctl-local-')
    atexit.register(shutil.rmtree, os.environ['POOLCTL_LOCAL_DIR'], ignore_errors=True)
LOCAL = pathlib.Path(os.environ['POOLCTL_LOCAL_DIR'])
for name in 'POOLCTL_TOKEN', 'POOLCTL_TOKEN_FILE':
    os.environ.pop(name, None)


def check_problem(reply, status, code, *words):
    got, headers, body = reply
    assert got == status, body
    assert headers['Content-Type'] == 'application/problem+json'
    assert body['code'] == code and body['status'] == status
    assert {'type', 'title', 'detail', 'retryable', 'exit_code'} <= set(body)
    for word in words:
        assert word in body['detail']


def may_leave(count):
    """What lets all servers of a pool of that size leave but the last; one alone, too."""
    return f'floor: {min(count - 1, 1)}, max_out: {max(count - 1, 1)}'


def credential_file(address, port):
    """Where a poold here leaves the credential of the administrators."""
    return LOCAL / f'{address}-{port}'


def credential_in(file):
    """The header with the credential of a file; {} if there is none (yet)."""
    with contextlib.suppress(OSError):
        return {'Authorization': f'Bearer {file.read_text().strip()}'}
    return {}


class Server:
    """One server of a pool, as its poold shows it."""

    def __init__(self, pool, name, address):
        self.pool, self.name, self.address = pool, name, address

    # poolctl finds the credential by itself, as the server is this machine.
    is_here = True

    def connection(self):
        return http.client.HTTPConnection(self.address, self.pool.api_port, timeout=LIMIT)

    def credential_file(self):
        return credential_file(self.address, self.pool.api_port)

    def credential(self):
        """The header that opens all doors of this server."""
        return credential_in(self.credential_file())

    def authorize(self, requests):
        """Bytes of HTTP, with the credential in each request that has a first line."""
        lines = ''.join(f'{name}: {value}\r\n' for name, value in self.credential().items())
        return re.sub(rb'(?m)(^[A-Z]+ .* HTTP/1\.[01]\r\n)', rb'\1' + lines.encode(), requests)

    def page(self, path):
        """A page that is no JSON: its status, its headers and its text."""
        connection = self.connection()
        try:
            connection.connect()
            connection.request('GET', path, headers=self.credential())
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read().decode()
        finally:
            connection.close()

    def request(self, method, path, body=None, headers=None):
        """The status, the headers and the JSON body of a reply (None for an empty one).

        It is the request of an administrator of the machine, unless `headers` has an
        Authorization (None: the request has none)."""
        known = self.credential()
        reply = self.exchange(method, path, body, known | (headers or {}))
        # A poold that began to listen a moment ago has just replaced what was read here.
        if reply[0] == 401 and self.credential() != known:
            reply = self.exchange(method, path, body, self.credential() | (headers or {}))
        return reply

    def exchange(self, method, path, body, headers):
        connection = self.connection()
        try:
            connection.request(method, path, body, {
                name: value for name, value in headers.items() if value is not None})
            reply = connection.getresponse()
            text = reply.read()
            # It is reset: who asks a hundred times a second would leave as many in TIME_WAIT,
            # and Wine reads through those of the whole machine.
            if connection.sock:
                connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                           struct.pack('ii', 1, 0))
            return reply.status, reply.headers, json.loads(text) if text else None
        finally:
            connection.close()

    def get(self, path):
        status, _, body = self.request('GET', path)
        return status, body

    def put_as_is(self, drain, body, **headers):
        text = body if isinstance(body, (str, bytes)) else json.dumps(body)
        return self.request('PUT', f'/v1/drains/{drain}', text,
                            {'Content-Type': 'application/json'} | headers)

    def reserve(self, drain, body, **fields):
        return self.put_as_is(drain, body | {'phase': 'reserved'} | fields)

    def commit(self, drain, body, token):
        return self.put_as_is(drain, body | {'reservation': token})

    def put(self, drain, body, **headers):
        """Asks for a drain; where that takes a reservation, makes one and asks again."""
        reply = self.put_as_is(drain, body, **headers)
        # poold may end between the two.
        for _ in range(RESERVES):
            if reply[0] != 409 or reply[2]['code'] != 'not_reserved':
                break
            reply = self.put_as_is(drain, body | {'phase': 'reserved'}, **headers)
            if reply[0] < 300:
                reply = self.put_as_is(drain, body | {
                    'reservation': reply[2]['reservation']['token']}, **headers)
        return reply

    def delete(self, drain, query=''):
        return self.request('DELETE', f'/v1/drains/{drain}{query}',
                            headers={'Poolctl-Request': '1'})

    def document(self):
        """As poolctl, asks again if poold has just started, also by itself with new files."""
        reply = wait_until(lambda: (asked := self.get('/v1/server'))[0] != 503 and asked,
                           'a state')
        assert reply[0] == 200, reply
        return reply[1]

    def service(self):
        return self.document()['services'][0]

    def wait_answer(self):
        def answers():
            try:
                # What needs no credential first: one is there before anything is served, and a
                # request without it would be an event of the record.
                return (self.exchange('GET', '/livez', None, {})[0] == 200 and
                        self.get('/v1/server')[0] == 200)
            except (OSError, http.client.HTTPException):
                return False
        try:
            wait_until(answers, f'poold of {self.name} answers')
        except AssertionError as error:
            raise AssertionError(f'{error}; its log:\n{self.log()}') from None

    def wait_phase(self, phase):
        wait_until(lambda: self.document()['phase'] == phase, f'{self.name} {phase}')

    def session(self, source=''):
        return Session(self.address, self.pool.port, source=source)

    def sessions(self, query=''):
        """Who is still connected, as poold says it."""
        status, body = self.get(f'/v1/services/{self.pool.service_name}/sessions{query}')
        assert status == 200, body
        return body

    def try_new(self):
        return try_new_session(self.address, self.pool.port)


class Pool:
    """A pool.yaml, and poolctl with it.  Who makes one adds the servers and writes it."""

    def __init__(self, folder, service=SERVICE, settle='2s', tick='500ms'):
        self.service_name, self.settle, self.tick = service, settle, tick
        self.port = free_port(hold=True)
        self.api_port = free_port()
        self.folder = pathlib.Path(folder)
        self.file = self.folder / 'pool.yaml'
        self.servers = []

    def write(self):
        lines = ['pools:', '  fe-pool01:', f'    settle: {self.settle}', '    services:',
                 f'      {self.service_name}:', f'        ports: [{self.port}]',
                 f'    availability: {{{may_leave(len(self.servers))}}}',
                 '    servers:']
        for server in self.servers:
            lines += [f'      {server.name}:', f'        address: {server.address}',
                      f'        url: http://{server.address}:{self.api_port}']
            if not server.is_here:
                lines.append(f'        token_file: {server.credential_file()}')
        self.file.write_text('\n'.join(lines) + '\n')

    def through(self, server, place):
        """The text of pool.yaml for a poolctl that reaches a server at another ADDRESS:PORT,
        where something passes its requests on."""
        url = f'url: http://{server.address}:{self.api_port}'
        text = self.file.read_text()
        assert url in text
        return text.replace(
            url, f'url: http://{place}\n        token_file: {server.credential_file()}')

    def poolctl(self, *args, timeout=120, **options):
        """Runs poolctl to its end: a CompletedProcess with text."""
        return subprocess.run([POOLCTL, '--config', self.file, *args], capture_output=True,
                              text=True, timeout=timeout, stdin=subprocess.DEVNULL, **options)

    def start_poolctl(self, *args):
        return Poolctl([POOLCTL, '--config', self.file, *args])


class Poolctl:
    """A poolctl that runs beside the test: its lines, each with the time it came at."""

    def __init__(self, args, env=None):
        self.process = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        stdin=subprocess.DEVNULL, text=True, bufsize=1, env=env)
        self.lines = []
        self.readers = [threading.Thread(target=self.read, args=(stream,), daemon=True)
                        for stream in (self.process.stdout, self.process.stderr)]
        for reader in self.readers:
            reader.start()

    def read(self, stream):
        for line in stream:
            self.lines.append((time.monotonic(), line.rstrip('\n')))

    def wait(self, timeout=120):
        status = self.process.wait(timeout)
        for reader in self.readers:
            reader.join(timeout)
        return status

    def text(self):
        return '\n'.join(line for _, line in self.lines)
