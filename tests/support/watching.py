"""Watchers of a server's record, and a proxy that loses their connections."""

import contextlib
import json
import random
import socket
import threading

from sessions import LIMIT

ASK = ('GET /v1/events{query} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{headers}\r\n')


class Stream:
    """One that reads the stream as it is: its head, its events, its comments."""

    def __init__(self, server, after=None, query='', receive_bytes=None, authorization=None):
        self.socket = socket.socket()
        if receive_bytes:
            # Small segments keep the sender's buffer small as well.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        self.socket.settimeout(LIMIT)
        self.socket.connect((server.address, server.pool.api_port))
        headers = '' if after is None else f'Last-Event-ID: {after}\r\n'
        headers += ''.join(f'{name}: {value}\r\n' for name, value in (
            authorization or server.credential()).items())
        self.socket.sendall(ASK.format(query=query, headers=headers).encode())
        self.raw, self.body, self.head = b'', b'', None
        self.is_ended = False  # with the last chunk, as it should

    def receive(self):
        """Takes what came; False at the end."""
        part = self.socket.recv(1 << 16)
        self.raw += part
        if self.head is None and b'\r\n\r\n' in self.raw:
            head, self.raw = self.raw.split(b'\r\n\r\n', 1)
            self.head = head.decode()
        while self.head is not None and b'\r\n' in self.raw:
            length, rest = self.raw.split(b'\r\n', 1)
            length = int(length, 16)
            if len(rest) < length + 2:
                break
            self.body, self.raw = self.body + rest[:length], rest[length + 2:]
            self.is_ended = self.is_ended or length == 0
        return bool(part) and not self.is_ended

    def wait(self, condition):
        """Receives until the condition holds."""
        while not condition():
            assert self.receive(), self.body

    def messages(self):
        """The whole ones: a dict of fields for each; comments have the field ''."""
        *blocks, _ = self.body.decode().split('\n\n')
        return [dict(line.split(': ', 1) if not line.startswith(':') else ('', line)
                     for line in block.split('\n')) for block in blocks]

    def events(self):
        return [json.loads(each['data']) for each in self.messages() if 'data' in each]

    def close(self):
        self.socket.close()


class CuttingProxy:
    """Passes connections on, and cuts each after a random number of bytes from the server: of
    the stream, if there is one, and of some from the beginning on."""

    def __init__(self, address, target, seed):
        self.target, self.random, self.cuts, self.is_over = target, random.Random(seed), 0, False
        self.is_cutting = True
        self.listener = socket.create_server((address, 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                limit = self.random.choice([1, 200, 600, 900, 1500, 3000]) if self.is_cutting else 1 << 40
                threading.Thread(target=self.serve, args=(client, limit), daemon=True).start()

    def serve(self, client, limit):
        try:
            server = socket.create_connection(self.target)
        except OSError:
            return client.close()
        threading.Thread(target=self.pass_on, args=(client, server, 1 << 40),
                         daemon=True).start()
        self.pass_on(server, client, limit, self.random.random() < 0.8)

    def pass_on(self, source, sink, limit, is_stream_meant=False):
        before = b''
        with contextlib.suppress(OSError):
            while limit and (part := source.recv(min(limit, 4096))):
                sink.sendall(part)
                before += part if is_stream_meant else b''
                if is_stream_meant and b'text/event-stream' not in before:
                    continue
                is_stream_meant, before = False, b''
                limit -= len(part)
            self.cuts += not limit
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def close(self):
        self.listener.close()
