"""The truth about sessions, to hold against what poold counts.

Whoever opens and ends sessions notes when: each life has the moments when it began to be
opened, was surely there, began to end, and was surely gone.  A sample that was taken between
two moments is right if it has at least those who were there all the time, and at most those
who may have been there at some time.
"""

import array
import bisect
import contextlib
import datetime
import os
import pathlib
import random
import select
import subprocess
import threading
import time

import pool

CROWD = pool.ROOT / 'build/native/tests/crowd'
COUNTS = pool.ROOT / 'build/log/sessions.counts'
SEED = int(os.environ.get('SESSIONS_SEED') or random.randrange(1 << 32))
NEVER = 1 << 62
LIMIT_S = 60


def report(**counts):
    """Adds to what `make check-sessions` counts."""
    COUNTS.parent.mkdir(parents=True, exist_ok=True)
    with open(COUNTS, 'a', encoding='ascii') as file:
        file.writelines(f'{name} {number}\n' for name, number in counts.items())


class Truth:
    """The lives of all sessions that count; times in ns of the monotonic clock."""

    def __init__(self, lives):
        # A moment that never came is noted as 0.
        lives = [[moment or NEVER for moment in life] for life in lives]
        self.begun, self.there, self.ending, self.gone = (sorted(each) for each in zip(*lives))
        self.by_there = sorted((there, ending) for _, there, ending, _ in lives)

    def bounds(self, begin, end):
        """The least and the most that a sample from between these moments may have."""
        first = bisect.bisect_right(self.there, begin)
        inside = self.by_there[first:bisect.bisect_left(self.there, end)]
        # Those who came and ended meanwhile are among the ended, but not among the first.
        short = sum(ending < end for _, ending in inside)
        least = first - bisect.bisect_left(self.ending, end) + short
        most = bisect.bisect_right(self.begun, end) - bisect.bisect_left(self.gone, begin)
        return least, most


class Crowd:
    """A process that opens and ends sessions at random; see crowd.c."""

    def __init__(self, folder, name, address, port, most, a_second, sources):
        self.log = pathlib.Path(folder) / f'{name}.lives'
        self.process = subprocess.Popen(
            [CROWD, 'churn', address, str(port), str(most), str(random.Random(
                f'{SEED} {name}').randrange(1 << 32)), str(a_second), self.log, *sources],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def wait_line(self, line):
        """Waits until it is "ready", or was "full" for the first time."""
        ready, _, _ = select.select([self.process.stdout], [], [], LIMIT_S)
        said = self.process.stdout.readline().decode().strip() if ready else 'nothing'
        assert said == line, f'a crowd said {said}, not {line}'

    def go_on(self):
        """Begins; and when it was called before, goes up and down."""
        self.process.stdin.write(b'x\n')
        self.process.stdin.flush()

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(LIMIT_S) == 0, 'a crowd failed'

    def lives(self):
        numbers = array.array('q', self.log.read_bytes())
        return list(zip(*(numbers[i::4] for i in range(4))))


@contextlib.contextmanager
def crowds(*args):
    """Crowds that churn, until it is left."""
    made = [Crowd(*each) for each in args]
    try:
        for each in made:
            each.wait_line('ready')
        for each in made:
            each.go_on()
        yield made
        for each in made:
            each.stop()
    finally:
        for each in made:
            each.process.kill()
            each.process.wait()


class Sampler:
    """Reads what poold counts, all the time, until it is stopped.

    A sample is what was counted, and the moments between which that was; in `lists` of
    requests that count at once, in `documents` those that poold takes by itself.
    """

    SLACK_NS = 2_000_000  # times of day are in ms

    def __init__(self, server):
        self.server, self.is_over, self.failure = server, False, None
        self.lists, self.documents, self.unknown = [], [], 0
        self.threads = [threading.Thread(target=self.repeat, args=(each,), daemon=True)
                        for each in (self.read_list, self.read_document)]
        self.last = None  # the document before, as count and moment
        self.index = 0
        for thread in self.threads:
            thread.start()

    def repeat(self, read):
        try:
            while not self.is_over:
                read()
        except Exception as error:  # for the test to raise, in its own thread
            self.failure = error

    def read_list(self):
        begin = time.monotonic_ns()
        sessions = self.server.sessions('?limit=1')
        end = time.monotonic_ns()
        if sessions['known']:
            self.lists.append((sessions['count'], begin, end))
        else:
            self.unknown += 1

    def read_document(self):
        status, document = self.server.get(f'/v1/server?index={self.index}&wait=1')
        assert status == 200, document
        self.index = document['index']
        looked, came = moment_of(document['time']), time.monotonic_ns()
        sessions = document['services'][0]['sessions']
        if not sessions['known']:
            self.unknown += 1
            return
        # Another number than before was counted after the look of the document before.
        if self.last and sessions['count'] != self.last[0]:
            self.documents.append((sessions['count'], self.last[1] - self.SLACK_NS, came))
        self.last = sessions['count'], looked

    def samples(self):
        return self.lists + self.documents

    def most(self):
        """The most sessions that a sample had so far."""
        return max((count for count, _, _ in self.lists), default=0)

    def are_there(self, lists, documents):
        return len(self.lists) >= lists and len(self.documents) >= documents

    def stop(self):
        self.is_over = True
        for thread in self.threads:
            thread.join(LIMIT_S)
        if self.failure:
            raise self.failure


def moment_of(text):
    """A time of day as a moment of the monotonic clock, in ns."""
    day = datetime.datetime.fromisoformat(text.replace('Z', '+00:00'))
    micros = (day - datetime.datetime.fromtimestamp(0, datetime.timezone.utc)
              ) // datetime.timedelta(microseconds=1)
    return micros * 1000 - (time.time_ns() - time.monotonic_ns())


def check(samples, lives):
    """Holds samples against the truth; gives those that are wrong, and how many had to be
    one number exactly."""
    truth = Truth(lives)
    wrong, exact = [], 0
    for count, begin, end in samples:
        least, most = truth.bounds(begin, end)
        exact += least == most
        if not least <= count <= most:
            wrong.append(f'{count} were counted, and there were {least} to {most}, '
                         f'{begin} to {end}')
    return wrong, exact
