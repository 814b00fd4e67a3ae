"""Benchmarks of many watchers of one poold: memory, and how soon the last has a change."""

import contextlib
import json
import pathlib
import re
import resource
import selectors
import socket
import subprocess
import time
from urllib.parse import urlsplit

from tools import (ADDRESS, ROOT, START_LIMIT_S, Api, compare, credential, ending, free_port, in_turn,
                   native_poold, row, temporary_folder, wait_until)

BARE_SOURCE, BARE = ROOT / 'tests/bench/bare_watch.c', ROOT / 'build/bench/bare_watch'
WATCHERS, ROUNDS, WATCHER_LIMIT_KIB = 1000, 40, 20
GET = b'GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n'
LIMIT_S = 30


def pss_kib(process):
    text = pathlib.Path(f'/proc/{process.pid}/smaps_rollup').read_text()
    return int(re.search(r'^Pss:\s+(\d+) kB', text, re.MULTILINE)[1])


class Watchers:
    """Streams of one server, all read by this process."""

    def __init__(self, url, count):
        self.selector, self.sockets = selectors.EpollSelector(), []
        for _ in range(count):
            each = socket.create_connection((ADDRESS, urlsplit(url).port), LIMIT_S)
            each.sendall(GET.replace(b'\r\n\r\n', ''.join(
                f'\r\n{name}: {value}' for name, value in credential(url).items()).encode() +
                b'\r\n\r\n'))
            each.setblocking(False)
            self.selector.register(each, selectors.EVENT_READ, bytearray())
            self.sockets.append(each)

    def wait_for(self, text):
        """Until each of them has got this text, and nothing of it is kept."""
        waiting = set(self.sockets)
        end = time.monotonic() + LIMIT_S
        while waiting:
            if time.monotonic() > end:
                raise RuntimeError(f'{len(waiting)} watchers do not have {text}')
            for key, _ in self.selector.select(1):
                key.data.extend(key.fileobj.recv(65536))
                at = key.data.find(text)
                if at >= 0:
                    del key.data[:at + len(text)]
                    waiting.discard(key.fileobj)

    def close(self):
        for each in self.sockets:
            each.close()
        self.selector.close()


def put_ms(api, watchers, path, text, **fields):
    """From the request for a change until the last watcher has it."""
    body = json.dumps({'reason': 'benchmark'} | fields)
    begin = time.perf_counter()
    api.send('PUT', path, body, Content_Type='application/json')
    watchers.wait_for(text)
    passed_ms = (time.perf_counter() - begin) * 1e3
    api.receive()
    return passed_ms


class Ours:
    """A drain is begun, and its event is what has to arrive; then it is ended again."""

    def __init__(self, url):
        self.api, self.count = Api(url), 0
        self.watchers = Watchers(url, WATCHERS)
        self.watchers.wait_for(b'id: ')

    def change_ms(self):
        self.count += 1
        drain = f'bench{self.count}'
        passed_ms = put_ms(self.api, self.watchers, f'/v1/drains/{drain}',
                           f'"text":"drain {drain}: requested"'.encode(),
                           reservation=self.api.reserve(drain))
        self.api.wait_out(drain)
        self.api.end_drain(drain)
        last = self.api.request('GET', '/v1/events?after=0&limit=1')['last']
        self.watchers.wait_for(f'{{"id":{last},'.encode())
        return passed_ms


class Bare:
    """The bare program says as much, with bytes that were an event of poold's."""

    def __init__(self, url, event):
        self.api, self.event = Api(url), event
        self.watchers = Watchers(url, WATCHERS)
        self.watchers.wait_for(event[-40:])

    def change_ms(self):
        return put_ms(self.api, self.watchers, '/', self.event[-40:])


def an_event(url):
    """The bytes with which poold tells that a drain was begun."""
    api = Api(url)
    api.send_drain('first')
    api.receive()
    api.wait_out('first')
    api.end_drain('first')
    event = next(each for each in api.request('GET', '/v1/events')['events']
                 if each['kind'] == 'drain_created')
    data = json.dumps(event, separators=(',', ':'))
    return f'id: {event["id"]}\nevent: drain_created\ndata: {data}\n\n'.encode()


def listens(port):
    with contextlib.suppress(OSError):
        socket.create_connection((ADDRESS, port)).close()
        return True
    return False


@contextlib.contextmanager
def bare_watch(folder, event):
    """The bare program; gives its process and URL."""
    (folder / 'event').write_bytes(event)
    BARE.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(['cc', '-std=c11', '-O2', '-D_GNU_SOURCE', '-o', BARE, BARE_SOURCE,
                    '-lmicrohttpd', '-lpthread'], check=True)
    port = free_port([ADDRESS])
    # In poold's folder, so that both write to the same disk.
    with ending(subprocess.Popen([BARE, str(port), folder / 'event',
                                  folder / 'log'])) as process:
        wait_until(lambda: listens(port), 'bare_watch listens', START_LIMIT_S)
        yield process, f'http://{ADDRESS}:{port}'


def watchers():
    """Memory of poold for each of many watchers, and the time until all have a change.

    The reference is a program that does with the same library what no such server can do
    without: it flushes the request to the disk, wakes all streams, and sends each as many
    bytes as poold does.  It composes nothing, and drains nothing.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * WATCHERS + 500
    # The bare program inherits it.
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(wanted, hard)), hard))
    with temporary_folder() as folder, native_poold(folder) as (process, url):
        event = an_event(url)
        with bare_watch(folder, event) as (bare_process, bare_url):
            before, bare_before = pss_kib(process), pss_kib(bare_process)
            sides = Ours(url), Bare(bare_url, event)
            ours, reference = in_turn(ROUNDS, *(side.change_ms for side in sides))
            ours_kib = (pss_kib(process) - before) / WATCHERS
            bare_kib = (pss_kib(bare_process) - bare_before) / WATCHERS
            for side in sides:
                side.watchers.close()
    return [row(f'memory of 1 of {WATCHERS:,} watchers', 'KiB', ours_kib, bare_kib, 1,
                WATCHER_LIMIT_KIB),
            compare(f'change to last of {WATCHERS:,}', 'ms', ours, reference, 3)]
