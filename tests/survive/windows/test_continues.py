"""Another program continues the held service, again and again, while clients want in.

SURVIVE_CONTINUES says how often; SURVIVE_SEED repeats the moments.
"""

import json
import os
import random
import statistics
import subprocess
import threading
import time

import pytest

from faults import report
from pool import DISPLAY, SERVICE
from sessions import try_new_session, wait_until
from windows_pool import WindowsPool

SEED = int(os.environ.get('SURVIVE_SEED') or random.randrange(1 << 32))
CONTINUES = int(os.environ.get('SURVIVE_CONTINUES') or 24)
# poold undoes the fifth within a minute later, and forgets its count when it starts.
A_START = 4


@pytest.fixture(scope='module')
def server(machine, tmp_path_factory):
    pool = WindowsPool(tmp_path_factory.mktemp('pool'), [machine], settle='300ms')
    server = pool.servers[0]
    machine.install(SERVICE, pool.port, display=DISPLAY)
    machine.start(SERVICE)
    server.install_poold()
    return server


class OtherProgram:
    """scm.exe, which stays, so that a continue takes no start of a process."""

    def __init__(self, machine):
        self.process = machine.popen([machine.tool('scm'), 'poll', SERVICE],
                                     stderr=subprocess.DEVNULL)

    def ask(self, command):
        self.process.stdin.write(command + '\n')
        line = self.process.stdout.readline().strip()
        assert line and not line.startswith('error'), (command, line)
        return line if line == 'ok' else json.loads(line)

    def close(self):
        self.process.kill()
        self.process.communicate()


class Client:
    """Tries to connect all the time: when each try began and ended that was taken."""

    def __init__(self, server):
        self.server, self.taken, self.tries, self.is_over = server, [], 0, False
        self.silent = 0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.is_over:
            began = time.monotonic()
            self.tries += 1
            try:
                outcome = try_new_session(self.server.address, self.server.pool.port, limit=2)
            except TimeoutError:
                # It was in the listener's queue when the service was paused.
                outcome, self.silent = 'silence', self.silent + 1
            if outcome == 'taken':
                self.taken.append((began, time.monotonic()))
            time.sleep(0.001)

    def stop(self):
        self.is_over = True
        self.thread.join()


def restart_poold(server):
    server.machine.scm('stop', 'poold')
    server.machine.wait_state('poold', 'stopped')
    server.machine.scm('start', 'poold')
    server.machine.wait_state('poold', 'running')
    server.wait_answer()


def count_drifts(server):
    count, after = 0, 0
    while True:
        events = server.get(f'/v1/events?after={after}')[1]['events']
        if not events:
            return count
        count += sum(event['kind'] == 'drift' for event in events)
        after = events[-1]['id']


def test_each_continue_is_undone_and_recorded(server):
    print(f'SURVIVE_SEED={SEED}')
    chance, windows = random.Random(SEED), []
    server.put('kb1', {'reason': 'patch day'})
    server.wait_phase('drained')
    other, client = OtherProgram(server.machine), Client(server)
    try:
        for number in range(CONTINUES):
            if number and number % A_START == 0:
                restart_poold(server)
            time.sleep(chance.random())
            began = time.monotonic()
            other.ask('continue')
            wait_until(lambda: other.ask('query')['state'] == 'paused', 'it is paused again')
            windows.append((began, time.monotonic()))
            wait_until(lambda: count_drifts(server) == number + 1, 'it is in the record')
    finally:
        client.stop()
        other.close()
    took_ms = sorted((end - began) * 1e3 for began, end in windows)
    print(f'continues {CONTINUES}: out again after {statistics.median(took_ms):.0f} ms in the '
          f'median, {took_ms[-1]:.0f} ms at worst; {len(client.taken)} of {client.tries} tries '
          f'to connect were taken, {client.silent} met silence')
    strays = [each for each in client.taken
              if not any(began <= each[1] and each[0] <= end for began, end in windows)]
    report('continues', fault=CONTINUES, violations=len(strays))
    assert not strays
    server.wait_phase('drained')
    assert server.delete('kb1')[0] == 200
    server.wait_phase('serving')
