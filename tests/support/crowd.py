"""Many servers of one pool, each at its own address, that answer GET /v1/server; one thread."""

import contextlib
import json
import pathlib
import selectors
import socket
import threading

from canned import view
from pool import SERVICE


class Crowd:
    """Servers frontend0001 …; those of `silent` read what they are asked, and say nothing.

    `most` is how many connections were open at once.
    """

    def __init__(self, folder, count, silent=()):
        self.selector, self.stopping = selectors.DefaultSelector(), threading.Event()
        self.open, self.most, self.asked = 0, 0, []
        self.names = [f'frontend{i:04}' for i in range(1, count + 1)]
        self.silent = {self.names[i] for i in silent}
        servers = {}
        for i, name in enumerate(self.names):
            address = f'127.2.{i // 200}.{i % 200 + 1}'
            listening = socket.create_server((address, 0), backlog=8)
            self.selector.register(listening, selectors.EVENT_READ, (self.accept, name))
            url = f'http://{address}:{listening.getsockname()[1]}'
            servers[name] = {'address': address, 'url': url}
        self.file = pathlib.Path(folder) / 'pool.yaml'
        # JSON is YAML.
        self.file.write_text(json.dumps({'pools': {'fe-pool01': {
            'services': {SERVICE: {'ports': [7000]}}, 'servers': servers}}}))
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stopping.is_set():
            # What was closed before another was opened is not open any more.
            for key, _ in sorted(self.selector.select(0.1),
                                 key=lambda ready: ready[0].data[0] == self.accept):
                act, name = key.data
                act(key.fileobj, name)
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()

    def accept(self, listening, name):
        connection, _ = listening.accept()
        self.open += 1
        self.most = max(self.most, self.open)
        self.selector.register(connection, selectors.EVENT_READ, (self.answer, name))

    def answer(self, connection, name):
        # A request without a body comes as a whole.
        asked = b''
        with contextlib.suppress(ConnectionError):
            asked = connection.recv(65536)
        if not asked:
            self.selector.unregister(connection)
            connection.close()
            self.open -= 1
        elif name not in self.silent:
            body = json.dumps(view(name)).encode()
            # Who asked may be gone.
            with contextlib.suppress(ConnectionError):
                connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
                                   b'Content-Length: %d\r\n\r\n%s' % (len(body), body))
            self.asked.append(name)

    def close(self):
        self.stopping.set()
        self.thread.join()
