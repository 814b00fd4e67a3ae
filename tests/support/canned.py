"""A server that answers poolctl with what a test says, and keeps what it was asked."""

import contextlib
import datetime
import email.utils
import hashlib
import http.server
import json
import pathlib
import subprocess
import threading
import time
import urllib.parse

from pool import POOLCTL, SERVICE, Poolctl, may_leave


def drain(**fields):
    return {'id': 'kb1', 'phase': 'active', 'services': [SERVICE], 'owner': 'alice@desk',
            'reason': 'patch', 'created_at': '2026-05-01T08:00:00Z', 'ended_at': None,
            'ended_by': None, 'end_reason': None, 'deadline_at': None, 'on_deadline': 'hold',
            'until': 'resume', 'drained_at': None, 'overdue': False, 'out': True} | fields


def reservation(**fields):
    """As GET /v1/server shows it to everybody."""
    return {'id': 'kb9', 'owner': 'bob@desk', 'reason': 'disk',
            'created_at': '2026-05-01T08:29:50Z', 'expires_in_s': 5} | fields


def view(name, phase='serving', drains=(), sessions=0, cut=0):
    """GET /v1/server, at half past eight."""
    wanted = 'drained' if drains else 'serving'
    return {'server': name, 'epoch': 'e', 'index': 1, 'time': '2026-05-01T08:30:00Z',
            'phase': phase, 'wanted': wanted, 'drains': list(drains),
            'progress': {'known': True, 'sessions': sessions, 'peak': 12,
                         'ended': 12 - sessions, 'cut': cut, 'rate_per_min': 0},
            'services': [{'name': SERVICE, 'phase': phase, 'wanted': wanted, 'message': 'as asked',
                          'saved': {'state': 'running'} if drains else None,
                          'sessions': {'known': True, 'count': sessions}}]}


def preflight(name, *refusals):
    findings = [{'code': 'no_pause', 'level': 'refusal', 'text': text, 'remedy': 'do it'}
                for text in refusals]
    return {'server': name, 'possible': not findings, 'findings': [],
            'services': [{
                'name': SERVICE, 'display_name': 'Front-End', 'possible': not findings,
                'observed': {'state': 'running', 'start_type': 'automatic'},
                'sessions': {'known': True, 'count': 12}, 'dependants': None,
                'changes': ['pause'], 'findings': findings}]}


def record(count, who='poold'):
    """Events as poold writes them."""
    events, head = [], '0' * 64
    for i in range(1, count + 1):
        event = {'id': i, 'time': '2026-05-01T08:30:00.000Z', 'kind': 'action', 'service': SERVICE,
                 'who': who, 'from': None, 'why': 'Wartungstür', 'text': f'step {i}',
                 'before': {'state': 'running', 'start_type': 'automatic',
                            'delayed_auto_start': True, 'sessions': 3},
                 'after': {'state': 'paused', 'start_type': 'manual', 'delayed_auto_start': True}}
        text = json.dumps(event, sort_keys=True, separators=(',', ':'), ensure_ascii=False)
        head = hashlib.sha256(f'{head}\n{text}'.encode()).hexdigest()
        events.append(event | {'hash': head})
    return events


def message(event):
    """It, as a stream has it."""
    return f'id: {event["id"]}\nevent: {event["kind"]}\ndata: {json.dumps(event)}\n\n'.encode()


class CannedRecord:
    """The record of a server: in pages, and in streams that go on until it is replaced."""

    def __init__(self, server, events):
        self.events, self.generation, self.changed = events, 0, threading.Condition()
        self.streams = 0  # that show the events of a generation; what is replaced later, cuts them
        server.replies |= {'GET /v1/server': view(server.name), 'GET /v1/events': self.page,
                           'STREAM /v1/events': self.stream}

    def page(self, query):
        page = [event for event in self.events if event['id'] > int(query['after'])]
        return {'events': page[:int(query['limit'])],
                'last': self.events[-1]['id'] if self.events else 0}

    def stream(self, after):
        generation = self.generation
        self.streams += 1
        yield f'id: {after}\n\n'.encode()
        while generation == self.generation:
            with self.changed:
                self.changed.wait_for(lambda: generation != self.generation or (
                    self.events and self.events[-1]['id'] > after), 60)
            for event in [event for event in self.events if event['id'] > after]:
                if generation == self.generation:
                    yield message(event)
                    after = event['id']

    def replace(self, events, is_cut=True):
        """Other events, or more of them; streams end if they are cut."""
        with self.changed:
            self.generation += is_cut
            self.events = events
            self.changed.notify_all()


RESERVATION = {'id': 'kb1', 'owner': 'alice@desk', 'reason': 'patch', 'token': 'e-1',
               'expires_in_s': 15, 'created_at': '2026-05-01T08:30:00Z'}


class Canned:
    """One server of a pool; `replies` has an object, a status and an object, or a function of
    the query that gives one, for each "METHOD /path"; or bytes, which are sent as they are, and the connection is
    closed.  That of "STREAM /path" is a function that is given the id to go on from, and yields
    the bytes of a stream.

    `headers` go with every reply; `now` is the time of its Date, if that is not the time of what
    it says.

    A PUT that only reserves has the method RESERVE, and is granted unless a test says
    otherwise; so is a drain possible.
    """

    def __init__(self, name, address):
        self.name, self.address, self.requests = name, address, []
        self.replies = {'GET /v1/preflight': preflight(name)}
        self.headers, self.now = {}, None
        self.credentials = []  # the header Authorization of each request, or None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def answer(self):
                url = urllib.parse.urlsplit(self.path)
                outer.credentials.append(self.headers.get('Authorization'))
                if (f'STREAM {url.path}' in outer.replies and
                        'event-stream' in self.headers.get('Accept', '')):
                    return self.stream(url.path)
                body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
                query = dict(urllib.parse.parse_qsl(url.query))
                fields = json.loads(body) if body else None
                method = self.command
                if fields and fields.get('phase') == 'reserved':
                    method = 'RESERVE'
                outer.requests.append((method, url.path, query, fields))
                reply = outer.replies.get(f'{method} {url.path}')
                if method == 'RESERVE' and reply is None:
                    reply = {'reservation': RESERVATION}
                reply = reply(query) if callable(reply) else reply
                if isinstance(reply, bytes):
                    self.close_connection = True
                    return self.wfile.write(reply)
                status = 404 if reply is None else 200
                if isinstance(reply, tuple):
                    status, reply = reply
                text = json.dumps(reply if reply is not None else {
                    'title': 'Nothing lives at this path', 'code': 'unknown_path',
                    'exit_code': 2}).encode()
                self.send_response_only(status)
                self.send_header('Date', outer.date(reply))
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header('Content-Type', 'application/json')
                self.send_header('Content-Length', str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def stream(self, path):
                after = self.headers.get('Last-Event-ID')
                outer.requests.append(('STREAM', path, {'after': after, 'at': time.monotonic()},
                                       None))
                self.close_connection = True
                parts = outer.replies[f'STREAM {path}'](int(after))
                with contextlib.suppress(OSError):
                    if isinstance(parts, bytes):
                        return self.wfile.write(parts)
                    self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n'
                                     b'Connection: close\r\n\r\n')
                    for part in parts:
                        self.wfile.write(part)

            do_GET = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def date(self, reply):
        """That of the reply: of its own time, unless the test says which time it is now."""
        now = self.now
        if now is None and isinstance(reply, dict) and isinstance(reply.get('time'), str):
            with contextlib.suppress(ValueError):
                now = datetime.datetime.fromisoformat(reply['time'].replace('Z', '+00:00')).timestamp()
        return email.utils.formatdate(now, usegmt=True)

    def asked(self, method, path):
        """The queries and bodies of such requests."""
        return [(query, body) for one, where, query, body in self.requests
                if (one, where) == (method, path)]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class CannedPool:
    """frontend01, 02 … and a pool.yaml with them, to which a test may add keys."""

    def __init__(self, folder, count):
        self.file = pathlib.Path(folder) / 'pool.yaml'
        self.servers = [Canned(f'frontend{i:02}', f'127.0.1.{i}') for i in range(1, count + 1)]
        self.write()

    def write(self, pool='', server=''):
        lines = ['pools:', '  fe-pool01:', *([f'    {pool}'] if pool else []),
                 f'    availability: {{{may_leave(len(self.servers))}}}',
                 # Nobody listens.
                 f'    services: {{{SERVICE}: {{ports: [7000], after_resume: none}}}}', '    servers:']
        for each in self.servers:
            lines.append(f'      {each.name}: {{address: {each.address}, '
                         f'url: "http://{each.address}:{each.port}"'
                         f'{", " if server else ""}{server}}}')
        self.file.write_text('\n'.join(lines) + '\n')

    def poolctl(self, *args, **options):
        return subprocess.run([POOLCTL, '--config', self.file, *args], capture_output=True,
                              text=True, timeout=120, stdin=subprocess.DEVNULL, check=False,
                              **options)

    def start_poolctl(self, *args):
        return Poolctl([POOLCTL, '--config', self.file, *args])

    def close(self):
        for each in self.servers:
            each.close()
