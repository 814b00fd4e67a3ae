"""Benchmarks of poolctl with pools of many servers: status of all, and a drain of one."""

import asyncio
import contextlib
import json
import subprocess
import threading
import time
import urllib.request
from statistics import median
from urllib.parse import urlsplit

from tools import (POOLCTL, POOLD, SERVICE, START_LIMIT_S, Api, compare, credential,
                   credential_of, ending, free_port, get,
                   in_turn, row, temporary_folder, wait_until)

# A tick of a minute: they answer from what they saw, and cost nothing while nobody asks.
MANY, MANY_ROUNDS, MANY_AT_ONCE, LONG_TICK = 1000, 15, 100, '1m'
MEMBERS, DRAINS, DELAY_S, ROUND_TRIPS = 20, 15, 0.2, 2.5
CURL = '/usr/bin/curl'
SCM = {'display_name': 'Skype for Business Server Front-End', 'state': 'running',
       'start_type': 'automatic', 'delayed_auto_start': True, 'pid': 2140}


def write_pool(file, urls, credentials=None):
    servers = {name: {'address': address, 'url': url} for name, (address, url) in urls.items()}
    if credentials:
        for name, server in servers.items():
            server['token_file'] = str(credential_of(credentials[name][1]))
    file.write_text(json.dumps({'pools': {'fe-pool01': {
        'services': {SERVICE: {'ports': [5061]}}, 'servers': servers}}}))
    return file


def start_member(folder, name, pool_file, tick):
    folder.mkdir()
    scm = folder / 'scm.json'
    scm.write_text(json.dumps({'services': {SERVICE: SCM}}))
    (folder / 'poold.yaml').write_text(json.dumps({
        'server': name, 'state_dir': str(folder / 'state'), 'pool_file': str(pool_file),
        'scm': 'simulated', 'simulated_file': str(scm), 'tick': tick}))
    with open(folder / 'poold.log', 'a') as log:
        return subprocess.Popen([POOLD, 'run', '--config', folder / 'poold.yaml'],
                                stdin=subprocess.DEVNULL, stdout=log, stderr=log)


@contextlib.contextmanager
def pool_of(folder, count, tick):
    """A pool whose poolds run, each at its own address; gives pool.yaml and (address, URL) of
    each by its name."""
    addresses = [f'127.3.{i // 250}.{i % 250 + 1}' for i in range(count)]
    port = free_port(addresses)
    urls = {f'frontend{i:04}': (address, f'http://{address}:{port}')
            for i, address in enumerate(addresses, 1)}
    file = write_pool(folder / 'pool.yaml', urls)
    with contextlib.ExitStack() as running:
        started = []
        for name in urls:
            started.append(start_member(folder / name, name, file, tick))
            running.enter_context(ending(started[-1]))
        # All are told to end before one is waited for.
        running.callback(lambda: [each.terminate() for each in started])
        for process, (_, url) in zip(started, urls.values()):
            wait_until(lambda: process.poll() is not None or is_serving(url), url, START_LIMIT_S)
            if process.poll() is not None:
                raise RuntimeError(f'poold of {url} ended with {process.returncode}')
        yield file, urls


def is_serving(url):
    with contextlib.suppress(OSError):
        return json.loads(get(f'{url}/v1/server')[0])['phase'] == 'serving'
    return False


# ---- status ----

def check_status(file):
    done = subprocess.run([POOLCTL, '--config', file, 'status', '-o', 'jsonl'],
                          capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode or [each.get('phase') for each in lines] != ['serving'] * MANY:
        raise RuntimeError(f'{len(lines)} of {MANY}, poolctl ended with {done.returncode}')


def wall_ms(*command):
    begin = time.perf_counter()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True)
    passed_ms = (time.perf_counter() - begin) * 1e3
    if done.returncode:
        raise RuntimeError(f'{command} ended with {done.returncode}: {done.stderr}')
    return passed_ms


def status():
    """poolctl status of many servers, against curl that only fetches the same documents."""
    with temporary_folder() as folder, pool_of(folder, MANY, LONG_TICK) as (file, urls):
        check_status(file)
        fetched = folder / 'curl.conf'
        # A header holds for one URL alone: `next` begins anew.
        fetched.write_text('next\n'.join(
            f'fail\nno-progress-meter\nurl = "{url}/v1/server"\noutput = "/dev/null"\n'
            f'header = "Authorization: {credential(url)["Authorization"]}"\n'
            for _, url in urls.values()))
        ours, reference = in_turn(
            MANY_ROUNDS,
            lambda: wall_ms(POOLCTL, '--config', file, 'status'),
            lambda: wall_ms(CURL, '--parallel', '--parallel-max', str(MANY_AT_ONCE), '--config',
                            fetched))
    return [compare(f'status of {MANY:,} servers', 'ms', ours, reference, 1.2)]


# ---- drain ----

class Slow:
    """Passes on what it is sent to a URL, and each answer DELAY_S late."""

    def __init__(self, address, url):
        self.to, self.port = urlsplit(url), None
        self.loop, self.is_ready = asyncio.new_event_loop(), threading.Event()
        self.thread = threading.Thread(target=self.run, args=(address,), daemon=True)
        self.thread.start()
        if not self.is_ready.wait(START_LIMIT_S):
            raise RuntimeError('the slow way does not open')

    def run(self, address):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self.serve, address, 0))
        self.port = server.sockets[0].getsockname()[1]
        self.is_ready.set()
        self.loop.run_forever()
        server.close()

    async def serve(self, reader, writer):
        try:
            back, forth = await asyncio.open_connection(self.to.hostname, self.to.port)
            await asyncio.gather(self.copy(reader, forth, 0), self.copy(back, writer, DELAY_S))
        except OSError:
            writer.close()

    @staticmethod
    async def copy(reader, writer, delay_s):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await asyncio.sleep(delay_s)
                writer.write(data)
                await writer.drain()
        writer.close()

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(START_LIMIT_S)


def round_trip_ms(url, own_url):
    request = urllib.request.Request(f'{url}/v1/server', headers=credential(own_url))
    begin = time.perf_counter()
    with urllib.request.urlopen(request, timeout=START_LIMIT_S) as reply:
        reply.read()
    return (time.perf_counter() - begin) * 1e3


def pause_ms(url):
    """From the commit of a drain until poold says that it is out, over a connection that is
    open already."""
    api = Api(url)
    token = api.reserve('bare')
    begin = time.perf_counter()
    api.send_drain('bare', token)
    is_out = api.receive()['out']
    if not is_out:
        api.wait_out('bare')
    passed_ms = (time.perf_counter() - begin) * 1e3
    api.end_drain('bare')
    return passed_ms


def drain_ms(file, name, url):
    passed_ms = wall_ms(POOLCTL, '--config', file, 'drain', name, '--id', 'bench', '--reason',
                        'benchmark', '--no-wait')
    api = Api(url)
    if not api.request('GET', '/v1/drains/bench')['out']:
        raise RuntimeError(f'poolctl says that {name} is out, and poold does not')
    api.end_drain('bench')
    return passed_ms


def drain():
    """A drain of one in a pool of many, up to the acknowledgement.

    It may take as long as ROUND_TRIPS times a GET /v1/server of the slowest member, the pause
    itself, and the start of poolctl, all measured in turn with it.
    """
    with temporary_folder() as folder, pool_of(folder, MEMBERS, '500ms') as (file, urls):
        first, *_, last = urls
        address, url = urls[last]
        with contextlib.closing(Slow(address, url)) as slow:
            slow_url = f'http://{address}:{slow.port}'
            seen = write_pool(folder / 'seen.yaml', urls | {last: (address, slow_url)}, urls)
            ours, trips, pauses, starts = in_turn(
                DRAINS,
                lambda: drain_ms(seen, first, urls[first][1]),
                lambda: round_trip_ms(slow_url, url),
                lambda: pause_ms(urls[first][1]),
                lambda: wall_ms(POOLCTL, 'version'))
    limits = [ROUND_TRIPS * trip + pause + start
              for trip, pause, start in zip(trips, pauses, starts)]
    return [row(f'drain of 1 in {MEMBERS}, 1 of them slow', 'ms', median(ours), median(trips), 1,
                median(limits), median(our / limit for our, limit in zip(ours, limits)))]
