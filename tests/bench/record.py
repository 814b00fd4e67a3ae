"""Benchmarks of what poold keeps on disk: the fsyncs of a drain, and a start with a long record."""

import contextlib
import hashlib
import json
import re
import sqlite3
import subprocess
import time
from statistics import median

from tools import (POOLCTL, ROOT, SERVER, START_LIMIT_S, Api, answers, compare, ending, get_json,
                   in_turn, row, serving, simulate, start_poold, temporary_folder)

from faults import LIBRARY, Fault

# A request makes three transactions.  SQLite's log is written back when none came for a tick,
# or when it is very long.
SERVICES, DRAINS = {1: '1 service', 8: '8 services'}, 120
FSYNCS = 3
EVENTS, START_ROUNDS = 100_000, 40


# ---- fsyncs ----

# The simulated SCM's file stands for the SCM and is none of the state directory's.
FSYNC = re.compile(r'^\d+ (?:fsync|fdatasync) (?!scm\.json)', re.MULTILINE)


def count_fsyncs(fault):
    return len(FSYNC.findall(fault.trace.read_text()))


def fsyncs_of_drains(count):
    """How many fsyncs there are between each PUT and its reply, with so many services."""
    services = [f'SERVICE{i}' for i in range(1, count + 1)]
    fsyncs = []
    with temporary_folder() as folder:
        url = simulate(folder / 'poold', services=services)
        with (contextlib.closing(Fault(folder, folder / 'poold')) as fault,
              serving(start_poold(folder / 'poold', fault.env), url + '/v1/server')):
            if not count_fsyncs(fault):
                raise RuntimeError('a poold that made its store was seen to sync nothing')
            api = Api(url)
            for i in range(DRAINS):
                before = count_fsyncs(fault)
                api.send_drain(f'bench{i}')
                api.receive()
                fsyncs.append(count_fsyncs(fault) - before)
                api.wait_out(f'bench{i}')
                api.end_drain(f'bench{i}')
    return fsyncs


def fsyncs():
    """The first drain after a start, the drains after it, and the one that has most."""
    subprocess.run(['make', '-s', '-C', ROOT, LIBRARY.relative_to(ROOT)], check=True)
    rows, most = [], 0
    for count, words in SERVICES.items():
        first, *later = fsyncs_of_drains(count)
        most = max(most, first, *later)
        rows += [row(f'fsyncs of first PUT, {words}', '', first, FSYNCS, 1),
                 row(f'fsyncs of later PUT, {words}', '', median(later), FSYNCS, 1)]
    return rows + [row(f'fsyncs of a PUT, most of {DRAINS}', '', most, FSYNCS, 1)]


# ---- start ----

def add_events(path):
    """Goes on with the chain of poold's own events; docs/api.md has how it is made."""
    now_ms = time.time_ns() // 1_000_000
    texts = {'kind': 'action', 'service': 'RTCSRV', 'who': 'poold', 'from': None,
             'why': 'drain kb1 of ci@runner7: patch day', 'text': 'pause'}
    before, after = {'startup': 'manual', 'state': 'running'}, {'state': 'paused'}
    with contextlib.closing(sqlite3.connect(path)) as store, store:
        last, hash_ = store.execute('SELECT id, hash FROM events ORDER BY id DESC').fetchone()
        for i in range(last + 1, last + 1 + EVENTS):
            ms = now_ms + i
            moment = time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(ms // 1000))
            event = canonical({'id': i, 'time': f'{moment}.{ms % 1000:03}Z', 'before': before,
                               'after': after} | texts)
            hash_ = hashlib.sha256(f'{hash_}\n{event}'.encode()).hexdigest()
            store.execute('INSERT INTO events VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
                          (i, ms, *texts.values(), canonical(before), canonical(after), hash_))


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(',', ':'), ensure_ascii=False)


def check_record(folder, url):
    """What the start is measured with has to be a record that poold could have written."""
    with serving(start_poold(folder), url + '/v1/server'):
        last = get_json(f'{url}/v1/events?after={EVENTS}')['last']
        done = subprocess.run([POOLCTL, 'events', SERVER, '--verify', '--config',
                               folder / 'pool.yaml'], capture_output=True, text=True)
    if last <= EVENTS or done.returncode:
        raise RuntimeError(f'{last} events, poolctl says:\n{done.stdout}{done.stderr}')


def start_ms(folder, url):
    """From the exec to the first answer."""
    begin = time.perf_counter()
    with ending(start_poold(folder)) as process:
        while not answers(url + '/v1/server'):
            if process.poll() is not None or time.perf_counter() > begin + START_LIMIT_S:
                raise RuntimeError(f'poold does not answer; see {folder}/poold.log')
        return (time.perf_counter() - begin) * 1e3


def starts():
    """A start with many events in the store, against one with none but those of starts."""
    with temporary_folder() as folder:
        urls = {each: simulate(each) for each in (folder / 'long', folder / 'short')}
        for each, url in urls.items():
            start_ms(each, url)
        add_events(folder / 'long/state/poold.sqlite')
        check_record(folder / 'long', urls[folder / 'long'])
        ours, reference = in_turn(START_ROUNDS, *(lambda each=each: start_ms(each, urls[each])
                                                  for each in urls))
    return [compare(f'start with {EVENTS:,} events', 'ms', ours, reference, 1.5)]
