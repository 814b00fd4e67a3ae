"""Operators who drain servers of one pool at random, all at once, and what goes wrong
meanwhile: a bad network between them and the poolds, poolds that are killed, poolctls that
are killed, or stopped until what they reserved is gone.
"""

import asyncio
import collections
import contextlib
import itertools
import json
import math
import random
import signal
import subprocess
import threading
import time

from observers import RESERVED_S, PooldObserver, ScmObserver
from pool import POOLCTL
from proxy import AnswerCut, Cut, Fault, Late, LateAnswer, Network
from sessions import LIMIT, free_port, wait_until

OPERATORS = 8
LOCK_WAITS = [['--lock-wait', '0s'], []]
HELD = 5
NOTHING_CHANGED = (4, HELD)
EXPECTED = {0: 'drained', 3: 'unreachable', 4: 'refused', HELD: 'held', 6: 'timeout',
            9: 'not verified', -signal.SIGKILL: 'killed'}
POOLCTL_S = 150
LATE_S = RESERVED_S + 2   # what was reserved is gone then, and others had their turn
SLOW_S = (0.05, 0.5)
PATIENCE_S = 1            # of who was refused, with others
MAINTENANCE_S = (0.1, 0.6)
POOLD_LIVES_S, POOLD_DEAD_S = (0.5, 3), (0, 0.5)
# How often a request meets which; a poolctl is killed at its request for a drain.  Its operator
# comes back at once, but its commit may come after that.
FAULTS = (('slow request', 0.01), ('slow answer', 0.01), ('request cut', 0.005),
          ('answer cut', 0.005))
KILLED = ('killed', 0.03)
COMMITTED_AFTER_S = (0, 3)
# What takes as long as a reservation lasts comes in turn, once in so many rounds, so that
# there is time for others.
LONG_FAULTS = ('left commit', 'stopped', 'late reserve', 'left')
LONG_EVERY = 120


def write_pool(file, pool, port, **keys):
    """pool.yaml, as JSON is YAML, with poold at this port."""
    file.write_text(json.dumps({'pools': {'fe-pool01': keys | {
        'settle': pool.settle, 'services': {pool.service_name: {'ports': [pool.port]}},
        'servers': {server.name: {'address': server.address,
                                  'url': f'http://{server.address}:{port}',
                                  'token_file': str(server.credential_file())}
                    for server in pool.servers}}}}))


class Killed(Late):
    """The poolctl that asks is dead when the request arrives."""

    def __init__(self, name, seconds, process):
        super().__init__(name, seconds)
        self.process = process

    async def before(self, request):
        self.process.kill()
        return await super().before(request)

    async def after(self, request):
        return False


class Stopped(Fault):
    """It stands still once it is answered, until what it has reserved is gone."""

    def __init__(self, name, process):
        super().__init__(name)
        self.process = process

    async def after(self, request):
        self.process.send_signal(signal.SIGSTOP)
        asyncio.get_running_loop().call_later(LATE_S, self.process.send_signal, signal.SIGCONT)
        return True


class World:
    """A pool whose operators work until so many rounds are over; then join() returns."""

    def __init__(self, pool, floor, rounds, seed):
        self.pool, self.rounds = pool, rounds
        self.random = random.Random(seed)
        self.port = free_port([server.address for server in pool.servers])
        self.file = pool.folder / 'operators.yaml'
        self.processes = {}     # the drains that poolctl is asking for, by id
        self.left = set()       # ids of those that died, and nobody comes back
        self.long_faults = itertools.cycle(LONG_FAULTS)
        self.long_fault, self.next_long = next(self.long_faults), LONG_EVERY / 2
        self.pending, self.reserved = collections.Counter(), {}
        self.lock = threading.Lock()
        self.resumed = threading.Condition()
        self.statuses, self.problems = collections.Counter(), []
        self.poold_kills = self.begun = 0
        self.is_over = threading.Event()
        self.network = Network([server.address for server in pool.servers], self.port,
                               pool.api_port, self.draw, self.passing)
        self.scms = ScmObserver(pool.servers, floor)
        self.poolds = PooldObserver(pool.servers, self.reserved_at)
        self.operators = [Operator(self, f'op{number}', self.random.random())
                          for number in range(OPERATORS)]
        self.killer = threading.Thread(target=self.kill_poolds,
                                       args=(random.Random(self.random.random()),))

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            for each in self.network, self.scms, self.poolds:
                stack.enter_context(each)
            stack.callback(self.end)
            for each in self.killer, *self.operators:
                each.start()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def join(self):
        for each in self.operators:
            each.join()

    def end(self):
        self.rounds = 0
        self.join()
        self.is_over.set()
        self.killer.join(LIMIT)

    def told(self):
        statuses = ', '.join(f'{word} {self.statuses[status]}'
                             for status, word in EXPECTED.items())
        faults = ', '.join(f'{name} {count}' for name, count in self.network.faults.items())
        return (f'{self.begun} rounds: {statuses}; requests: {faults}; poold killed '
                f'{self.poold_kills}, reservations seen {len(self.poolds.seen)}, '
                f'looks {self.scms.looks}, {1000 * self.scms.longest_s:.0f} ms apart at most, '
                f'{self.scms.most_out} out at most, {len(self.scms.violations)} violations')

    # ---- the network ----

    def draw(self, address, request):
        process = self.processes.get(request.drain()) if request.method == 'PUT' else None
        if (process and self.begun >= self.next_long
                and request.is_commit() == self.long_fault.endswith('commit')):
            name, self.long_fault = self.long_fault, next(self.long_faults)
            self.next_long += LONG_EVERY
            return self.fault(name, request, process)
        chance = self.random.random()
        for name, share in FAULTS + ((KILLED,) if process else ()):
            chance -= share
            if chance < 0:
                return self.fault(name, request, process)
        return Fault('passed')

    def fault(self, name, request, process):
        slow_s = self.random.uniform(*SLOW_S)
        if name == 'killed':
            after_s = self.random.uniform(*COMMITTED_AFTER_S) if request.is_commit() else 0
            return Killed(name, after_s, process)
        if name.startswith('left'):
            self.left.add(request.drain())
            return Killed(name, LATE_S if name == 'left commit' else 0, process)
        if name == 'stopped':
            return Stopped(name, process)
        if name.endswith('cut'):
            return (AnswerCut if name == 'answer cut' else Cut)(name)
        if name == 'slow answer':
            return LateAnswer(name, slow_s)
        return Late(name, LATE_S if name == 'late reserve' else slow_s)

    @contextlib.contextmanager
    def passing(self, address, request):
        """Notes when a server was asked for a reservation."""
        key = (address, request.drain())
        with contextlib.ExitStack() as stack:
            if request.is_reserve():
                self.pending[key] += 1
                stack.callback(self.answered, key)
            yield

    def answered(self, key):
        self.reserved[key] = time.time()
        self.pending[key] -= 1

    def reserved_at(self, server, drain):
        key = (server.address, drain)
        return math.inf if self.pending[key] else self.reserved.get(key)

    # ---- the servers ----

    def kill_poolds(self, chance):
        while not self.is_over.wait(chance.uniform(*POOLD_LIVES_S)):
            server = chance.choice(self.pool.servers)
            server.kill_poold()
            self.poold_kills += 1
            self.is_over.wait(chance.uniform(*POOLD_DEAD_S))
            server.launch_poold()

    # ---- the operators ----

    def begin_round(self):
        with self.lock:
            if self.begun >= self.rounds:
                return False
            self.begun += 1
            return True

    def came_to(self, status):
        with self.lock:
            self.statuses[status] += 1

    def has_resumed(self):
        with self.resumed:
            self.resumed.notify_all()

    def wait_resumed(self):
        with self.resumed:
            self.resumed.wait(PATIENCE_S)


class Operator(threading.Thread):
    """Drains and resumes, always under the same id: what comes late from one round meets the
    next."""

    def __init__(self, world, name, seed):
        super().__init__(name=name, daemon=True)
        self.world, self.random = world, random.Random(seed)

    def run(self):
        try:
            while self.world.begin_round():
                self.end_what_came_late()
                self.round(self.random.choice(self.world.pool.servers))
        except Exception as error:  # for the test to see
            self.world.problems.append(f'{self.name}: {error!r}')

    def poolctl(self, command, server, *args, is_in_danger=False):
        """Its exit status, negative if it was killed, and what it said."""
        process = subprocess.Popen(
            [POOLCTL, '--config', self.world.file, command, server.name, '--id', self.name,
             '--owner', self.name, *args], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        if is_in_danger:
            self.world.processes[self.name] = process
        try:
            _, said = process.communicate(timeout=POOLCTL_S)
        finally:
            self.world.processes.pop(self.name, None)
            process.kill()
        return process.returncode, said

    def round(self, server):
        status, said = self.poolctl('drain', server, '--reason', 'one round',
                                    *self.random.choice(LOCK_WAITS), is_in_danger=True)
        if status == 0 and server.scm.says()[0] != 'paused':
            self.world.problems.append(f'{server.name} is not drained: {server.scm.says()}')
        if status not in EXPECTED:
            self.world.problems.append(f'drain {server.name}: {status} {said}')
        self.world.came_to(status)
        if status in NOTHING_CHANGED:
            return self.world.wait_resumed()
        if status == 0:
            # So that as many are out as may be, most of the time.
            self.world.is_over.wait(self.random.uniform(*MAINTENANCE_S))
        if self.name in self.world.left:
            return self.world.left.discard(self.name)
        self.resume(server)

    def resume(self, server):
        """Until it is; or until only others keep it out."""
        wait_until(lambda: self.poolctl('resume', server)[0] in (0, HELD),
                   f'{self.name} resumes {server.name}')
        self.world.has_resumed()

    def end_what_came_late(self):
        for server in self.world.pool.servers:
            if self.name in self.world.poolds.drains(server):
                self.resume(server)
