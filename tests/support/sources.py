"""Session sources alone: read_source, asked for one reading after the other.

    with Source('command', '-', 5000, '/bin/echo', '7') as source:
        assert source.read()['count'] == 7
"""

import json
import os
import pathlib
import queue
import subprocess
import threading

from sessions import LIMIT, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
POOLD = pathlib.Path(os.environ.get('POOLD', ROOT / 'build/native/poold'))
READ_SOURCE = POOLD.parent / 'tests/read_source'


class Source:
    """One reader; `start` takes arguments as subprocess.Popen does."""

    def __init__(self, *arguments, start=subprocess.Popen, program=READ_SOURCE, **options):
        # Not only that a reading ends: what it leaves open would show here.
        self.process = start([str(part) for part in (program, *arguments)],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                             **options)
        self.pid = self.process.pid
        self.lines = queue.Queue()
        self.thread = threading.Thread(target=self.collect, daemon=True)
        self.thread.start()

    def collect(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put('')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def say(self, word):
        self.process.stdin.write(word + '\n')
        self.process.stdin.flush()

    def answer(self):
        line = self.lines.get(timeout=LIMIT)
        assert line, f'read_source ended with {self.process.wait(LIMIT)}'
        return json.loads(line)

    def read(self):
        self.say('read')
        return self.answer()

    def count(self):
        """The number of sessions, which has to be known."""
        reading = self.read()
        assert 'error' not in reading, reading
        return reading['count']

    def error(self):
        """Why it is unknown, which it has to be."""
        reading = self.read()
        assert reading.get('code') == 'sessions_unknown', reading
        return reading['error']

    def stop(self):
        self.say('stop')

    def close(self):
        """Sanitizers report when the program ends."""
        self.process.stdin.close()
        status = self.process.wait(LIMIT)
        self.thread.join(LIMIT)
        self.process.stdout.close()
        assert status == 0, f'read_source ended with {status}'


def commands_with(text):
    """The processes in whose command line the text is; a zombie has none."""
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            line = pathlib.Path('/proc', pid, 'cmdline').read_bytes()
        except OSError:
            continue
        if text.encode() in line and b'read_source' not in line and b'read_pdh' not in line:
            found.append(int(pid))
    return found


def children(pid):
    """The states of a process's children, zombies too."""
    states = []
    for other in filter(str.isdigit, os.listdir('/proc')):
        try:
            after = pathlib.Path('/proc', other, 'stat').read_text().rpartition(') ')[2]
        except OSError:
            continue
        if after.split()[1] == str(pid):
            states.append(after.split()[0])
    return states


def wait_until_gone(text):
    wait_until(lambda: not commands_with(text), f'end of the processes with {text}')
