"""Benchmarks of the native programs: replies, start-up, memory, CPU."""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

from tools import (ADDRESS, POOLCTL, ROOT, SERVER, compare, credential, free_port, get, get_json, in_turn,
                   native_poold, row, run_once, serving, temporary_folder, wait_until)

BARE_SOURCE, BARE = ROOT / 'tests/bench/bare_httpd.c', ROOT / 'build/bench/bare_httpd'
# Many short rounds: what else this machine does spoils some of them, and the median of the
# rounds' ratios passes over those.
LOAD_ROUNDS, LOAD = 21, ('wrk', '-t1', '-c16', '-d1s', '--latency')
START_ROUNDS = 150
IDLE_S, IDLE_LIMIT_KIB = 5, 6144
SESSIONS, COUNTING_S, COUNTING_LIMIT_PERCENT = 1000, 30, 0.5


# ---- replies ----

@contextlib.contextmanager
def bare_httpd(folder, body, kind, *tls):
    """A program that does nothing but answer with these bytes; gives its URL.

    `tls`: the files of a certificate and its key, and the priorities of GnuTLS."""
    file = folder / 'body'
    file.write_bytes(body)
    BARE.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(['cc', '-std=c11', '-O2', '-D_GNU_SOURCE', '-o', BARE, BARE_SOURCE,
                    '-lmicrohttpd'], check=True)
    port = free_port([ADDRESS])
    url = f'http{"s" if tls else ""}://{ADDRESS}:{port}/'
    with serving(subprocess.Popen([BARE, str(port), file, kind, *tls]), url):
        if get(url) != (body, kind):
            raise RuntimeError('bare_httpd does not answer with the bytes it was given')
        yield url


def load(url):
    """What wrk sees: requests each second, and the 99th percentile of the latency in us."""
    headers = [f'-H{name}: {value}' for name, value in credential(url).items()]
    text = subprocess.run([*LOAD, *headers, url], capture_output=True, text=True,
                          check=True).stdout
    rate = re.search(r'Requests/sec:\s+([\d.]+)', text)
    p99 = re.search(r'99%\s+([\d.]+)(us|ms|s)\n', text)
    if not rate or not p99 or 'Socket errors' in text or 'Non-2xx' in text:
        raise RuntimeError(f'wrk with {url} says:\n{text}')
    return float(rate[1]), float(p99[1]) * {'us': 1, 'ms': 1e3, 's': 1e6}[p99[2]]


def replies():
    """GET /v1/server, against the least that the same HTTP library can do."""
    with temporary_folder() as folder, native_poold(folder) as (_, url):
        url += '/v1/server'
        with bare_httpd(folder, *get(url)) as bare:
            ours, reference = in_turn(LOAD_ROUNDS, lambda: load(url), lambda: load(bare))
    our_rates, our_p99s = zip(*ours)
    rates, p99s = zip(*reference)
    # A rate of ten times the reference is no success: it is a reference that did not work.
    return [compare('GET /v1/server, rate', '1/s', our_rates, rates, [0.8, 10]),
            compare('GET /v1/server, p99', 'us', our_p99s, p99s, 1.5)]


# ---- start-up ----

def stopwatch(*command):
    def measure():
        begin = time.perf_counter()
        run_once(*command)
        return (time.perf_counter() - begin) * 1e3
    return measure


def start_up():
    """Starting poolctl, against a curl that does the same GET."""
    with temporary_folder() as folder, native_poold(folder) as (_, url):
        status = POOLCTL, 'status', SERVER, '--config', folder / 'pool.yaml'
        done = subprocess.run(status, capture_output=True, text=True, check=True)
        if not re.search(f'{SERVER} +serving', done.stdout):
            raise RuntimeError(f'poolctl status says:\n{done.stdout}')
        versions, statuses, curls = in_turn(
            START_ROUNDS, stopwatch(POOLCTL, 'version'), stopwatch(*status),
            stopwatch(shutil.which('curl'), '-s', *[
                f'-H{name}: {value}' for name, value in credential(url).items()],
                      url + '/v1/server'))
    return [compare('poolctl version', 'ms', versions, curls, 1.5),
            compare(f'poolctl status {SERVER}', 'ms', statuses, curls, 1.5)]


# ---- what poold takes ----

def memory():
    """The memory of a poold that has nothing to do, with its share of the libraries.

    That share is smaller while another poold runs on this machine.
    """
    with temporary_folder() as folder, native_poold(folder) as (process, _):
        time.sleep(IDLE_S)
        text = pathlib.Path(f'/proc/{process.pid}/smaps_rollup').read_text()
    pss_kib = int(re.search(r'^Pss:\s+(\d+) kB', text, re.MULTILINE)[1])
    return [row('memory of an idle poold', 'KiB', pss_kib, IDLE_LIMIT_KIB, 1)]


def cpu_s(pid):
    """The CPU time of all threads; schedstat counts nanoseconds, stat only ticks of 10 ms."""
    return sum(int(pathlib.Path(f'/proc/{pid}/task/{thread}/schedstat').read_text().split()[0])
               for thread in os.listdir(f'/proc/{pid}/task')) / 1e9


@contextlib.contextmanager
def open_sessions(count):
    """Connections from this process to itself; gives the port they are to."""
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.create_server((ADDRESS, 0)))
        for _ in range(count):
            sockets.enter_context(socket.create_connection(listener.getsockname()))
            sockets.enter_context(listener.accept()[0])
        yield listener.getsockname()[1]


def counting():
    """CPU of a poold that counts many sessions each second; ss does the same beside it."""
    with (temporary_folder() as folder, open_sessions(SESSIONS) as port,
          native_poold(folder, port) as (process, url)):
        wait_until(lambda: get_json(url + '/v1/server')['progress']['sessions'] == SESSIONS,
                   f'poold counts {SESSIONS} sessions')
        ss, ss_s = shutil.which('ss'), 0
        begin, before_s = time.monotonic(), cpu_s(process.pid)
        for second in range(COUNTING_S):
            if ss:
                usage = run_once(ss, '-Htn', 'state', 'established', f'( sport = :{port} )')
                ss_s += usage.ru_utime + usage.ru_stime
            time.sleep(max(0, begin + second + 1 - time.monotonic()))
        ours_s, passed_s = cpu_s(process.pid) - before_s, time.monotonic() - begin
    return [row(f'CPU counting {SESSIONS} sessions', '% core', ours_s / passed_s * 100,
                ss_s / passed_s * 100 if ss else None, 1, COUNTING_LIMIT_PERCENT)]
