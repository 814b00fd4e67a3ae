"""Benchmarks of drift: somebody continues a held service; how long until it is paused again."""

import contextlib
import json
import os
import time
from statistics import median

from tools import (SERVICE, Api, row, serving, simulate, start_poold, temporary_folder,
                   wait_until)
from windows import Scm, windows_machine, windows_poold

TICK_MS = 1000  # poold's default
# poold undoes the fifth drift within a minute later, and forgets its count when it starts.
POOLDS, DRIFTS = 25, 4
LIMITS_MS = {'median': 20, 'worst': 50}


class SimulatedScm:
    """The file of the simulated SCM, with the commands that scm.exe has."""

    def __init__(self, folder):
        self.path = folder / 'scm.json'

    def ask(self, command):
        content = json.loads(self.path.read_text())
        if command == 'query':
            return content['services'][SERVICE]
        content['services'][SERVICE]['state'] = {'continue': 'running'}[command]
        fresh = self.path.with_suffix('.fresh')
        fresh.write_text(json.dumps(content))
        return os.replace(fresh, self.path)

    def wait_state(self, state):
        wait_until(lambda: self.ask('query')['state'] == state, f'the service is {state}')


def drift_ms(api, scm):
    """From the continue until the SCM says paused; returns once poold has recorded that."""
    last = api.request('GET', '/v1/events?limit=1')['last']
    begin = time.perf_counter()
    # No state before this is seen: it returns when the service runs.
    scm.ask('continue')
    scm.wait_state('paused')
    ms = (time.perf_counter() - begin) * 1e3
    wait_until(lambda: 'undone' in [event['kind'] for event in api.request(
        'GET', f'/v1/events?after={last}')['events']], 'poold says that it undid the drift')
    return ms


def drifts(poold, scm):
    """Drifts at moments that are spread evenly over a tick; poold() starts one that is new."""
    took = []
    for turn in range(POOLDS):
        with poold() as url:
            api, drain = Api(url), f'bench{turn}'
            api.send_drain(drain)
            api.receive()
            scm.wait_state('paused')
            for i in range(DRIFTS):
                # The tick begins anew when poold has paused the service.
                time.sleep((i * POOLDS + turn + 0.5) / (POOLDS * DRIFTS) * TICK_MS / 1e3)
                took.append(drift_ms(api, scm))
            api.end_drain(drain)
            scm.wait_state('running')
    return took


def rows(where, took):
    return [row(f'drift to paused{where}, {name}', 'ms', figure(took), TICK_MS, 1,
                LIMITS_MS[name])
            for name, figure in (('median', median), ('worst', max))]


def simulated():
    """Beside one tick: without the SCM's word, it takes up to that."""
    with temporary_folder() as folder:
        url = simulate(folder)

        @contextlib.contextmanager
        def poold():
            with serving(start_poold(folder), url + '/v1/server'):
                yield url

        return rows('', drifts(poold, SimulatedScm(folder)))


def windows():
    """The same with the SCM of Wine."""
    with temporary_folder() as folder, windows_machine(folder) as (machine, url):

        @contextlib.contextmanager
        def poold():
            with windows_poold(folder, machine, url):
                yield url

        return rows(', Wine', drifts(poold, Scm(machine, SERVICE)))
