"""Benchmarks of counting: many connections, their ages, and what comes after the last one."""

import contextlib
import json
import shutil
import socket
import subprocess
import time
from statistics import median

from native import cpu_s
from sessions import Session
from tools import (ADDRESS, ROOT, SERVICE, Api, compare, free_port, get_json, in_turn,
                   row, run_once, serving, simulate, start_poold, temporary_folder, wait_until)
from windows import windows_machine, windows_poold

CROWD = ROOT / 'build/native/tests/crowd'
COUNTER = ROOT / 'build/native/tests/count_sessions'
# Each process may have so many open files only, and a session takes two.
A_CROWD = 8400
MANY, MANY_ROUNDS, MANY_BOUND = 50_000, 21, 1.2
TRACKED, TRACKED_ROUNDS, TRACKING_S, TRACKING_LIMIT_MS = 20_000, 15, 20, 30
TICK_MS = 1000  # poold's default
SETTLE_MS, SETTLINGS, SETTLINGS_WINDOWS = 2000, 16, 8
# Of the last session's end poold knows within a fifth of a second; beside that there is what a
# look, a record and a reply take.
SETTLING_LATE_MS, SETTLING_BOUND = 250, 1.1


def make_tools():
    subprocess.run(['make', '-s', '-C', ROOT, *(each.relative_to(ROOT)
                                                for each in (CROWD, COUNTER))], check=True)


@contextlib.contextmanager
def crowd(count):
    """So many sessions, in several processes with an address each; gives those and the port."""
    with contextlib.ExitStack() as stack:
        addresses = [f'127.0.3.{i + 1}' for i in range(-(-count // A_CROWD))]
        port = free_port(addresses)
        crowds = []
        for i, address in enumerate(addresses):
            each = min(A_CROWD, count - i * A_CROWD)
            process = subprocess.Popen([CROWD, 'hold', address, str(port), str(each),
                                        f'127.0.4.{i + 1}'], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            crowds.append(process)
        for process in crowds:
            if process.stdout.readline() != b'ready\n':
                raise RuntimeError(f'the crowd of {count} did not come together')
        yield addresses, port


@contextlib.contextmanager
def edited(file):
    """The pool of a pool.yaml that write_config() wrote, to be changed."""
    config = json.loads(file.read_text())
    yield config['pools']['fe-pool01']
    file.write_text(json.dumps(config))


# ---- many connections ----

def counted(command, count):
    """Runs it to its end; what it took in ms, once it has said that there are so many."""
    begin = time.perf_counter()
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    ms = (time.perf_counter() - begin) * 1e3
    if int(done.stdout.split()[0]) != count:
        raise RuntimeError(f'{command} says {done.stdout}, not {count}')
    return ms


def many():
    """A program that counts once, as poold does, against ss and wc."""
    make_tools()
    ss = shutil.which('ss')
    if not ss:
        raise RuntimeError('ss is not installed: apt-get install iproute2')
    with crowd(MANY) as (_, port):
        ours, reference = in_turn(
            MANY_ROUNDS, lambda: counted(f'{COUNTER} list {port} 1', MANY),
            lambda: counted(f"{ss} -Htn state established '( sport = :{port} )' | wc -l", MANY))
    return [compare(f'counting {MANY:,} sessions', 'ms', ours, reference, MANY_BOUND)]


# ---- their ages ----

def count_cpu_ms(port):
    """The CPU of one sample, of some: all but the first know the sessions already."""
    done = subprocess.run([COUNTER, 'track', str(port), '6'], capture_output=True, text=True,
                          check=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    if any(int(number) != TRACKED for number, _ in lines):
        raise RuntimeError(f'not {TRACKED} sessions: {lines}')
    return median(float(us) for _, us in lines[1:]) / 1e3


def ss_cpu_ms(port):
    usage = run_once(shutil.which('ss'), '-Htn', 'state', 'established',
                     f'( sport = :{port} )')
    return (usage.ru_utime + usage.ru_stime) * 1e3


def tracking():
    """CPU of a sample of sessions whose ages are followed: alone, and of a whole poold."""
    make_tools()
    with crowd(TRACKED) as (addresses, port):
        ours, reference = in_turn(TRACKED_ROUNDS, lambda: count_cpu_ms(port),
                                  lambda: ss_cpu_ms(port))
        with temporary_folder() as folder:
            url = simulate(folder, port)
            with edited(folder / 'pool.yaml') as pool:
                pool['services'][SERVICE]['addresses'] = addresses
            with serving(start_poold(folder), url + '/v1/server') as process:
                wait_until(lambda: get_json(url + '/v1/server')['progress']['sessions']
                           == TRACKED, f'poold counts {TRACKED} sessions')
                before_s = cpu_s(process.pid)
                time.sleep(TRACKING_S)
                poold_ms = (cpu_s(process.pid) - before_s) / TRACKING_S * TICK_MS
    return [row(f'CPU of a sample, {TRACKED:,} tracked', 'ms', median(ours), median(reference),
                1, TRACKING_LIMIT_MS),
            row('the same, all of poold, a tick', 'ms', poold_ms, median(reference), 1,
                TRACKING_LIMIT_MS)]


# ---- after the last one ----

def settling_ms(api, drain, end):
    """From the end of the last session, which end() brings about, until poold says drained."""
    api.send_drain(drain)
    api.receive()
    api.wait_out(drain)
    document = api.request('GET', '/v1/server')
    if document['phase'] != 'draining' or document['progress']['sessions'] != 1:
        raise RuntimeError(f'not draining with one session: {document}')
    end()
    begin = time.perf_counter()
    while document['phase'] != 'drained':
        document = api.request('GET', f'/v1/server?index={document["index"]}&wait=10')
        if time.perf_counter() > begin + 10 * SETTLE_MS / 1e3:
            raise RuntimeError(f'not drained: {document}')
    ms = (time.perf_counter() - begin) * 1e3
    api.end_drain(drain)
    return ms


def settlings(api, count, connect):
    """Ends at moments that are spread evenly over a tick; connect() gives what ends it."""
    took = []
    for i in range(count):
        end = connect()
        wait_until(lambda: api.request('GET', '/v1/server')['progress']['sessions'] == 1,
                   'poold counts the session')

        def later(end=end, i=i):
            time.sleep((i + 0.5) / count * TICK_MS / 1e3)
            end()
        took.append(settling_ms(api, f'bench{i}', later))
    return took


def settling_rows(where, took):
    limit = SETTLE_MS + SETTLING_LATE_MS
    return [row(f'end to drained{where}, {name}', 'ms', figure(took), SETTLE_MS,
                SETTLING_BOUND, limit) for name, figure in (('median', median), ('worst', max))]


def settling():
    """Against the settle time and a quarter of a second; the session is a real connection."""
    with temporary_folder() as folder, socket.create_server((ADDRESS, 0)) as listener:
        def connect():
            client = socket.create_connection(listener.getsockname())
            server = listener.accept()[0]

            def end():
                client.close()
                server.close()
            return end

        url = simulate(folder, listener.getsockname()[1])
        with edited(folder / 'pool.yaml') as pool:
            pool['settle'] = f'{SETTLE_MS}ms'
        with serving(start_poold(folder), url + '/v1/server'):
            return settling_rows('', settlings(Api(url), SETTLINGS, connect))


def settling_windows():
    """The same under Wine."""
    with temporary_folder() as folder, windows_machine(folder) as (machine, url):
        with edited(folder / 'poold/pool.yaml') as pool:
            pool['settle'] = f'{SETTLE_MS}ms'
            port, = pool['services'][SERVICE]['ports']
        with windows_poold(folder, machine, url):
            took = settlings(Api(url), SETTLINGS_WINDOWS, lambda: Session(ADDRESS, port).end)
        return settling_rows(', Wine', took)
