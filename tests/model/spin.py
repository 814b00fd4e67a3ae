"""Checks the model of reservations with spin.

    spin.py    4 servers and 3 clients; prints a line for each check

A check looks for an error: a floor that is broken or clients that are stuck (SAFETY), or a
way in which nobody ever commits although everybody goes on (PROGRESS).
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import time

MODEL = pathlib.Path(__file__).with_name('reservation.pml')
SMALL = ('SERVERS=3', 'CLIENTS=2', 'FLOOR=2')
LARGE = ('SERVERS=4', 'CLIENTS=3', 'FLOOR=2')

# How spin's verifier is compiled, and how it is run.
SAFETY = ('-DSAFETY', '-DMEMLIM=4000'), ('-m6000000',)
PROGRESS = ('-DNP', '-DNOREDUCE', '-DMEMLIM=4000'), ('-l', '-f', '-m6000000')
# Of each state only three bits: what it does not see is less than one in a million while
# the memory (2^32 bits) is not full, and it says how full that was.
SAMPLE = ('-DSAFETY', '-DBITSTATE'), ('-w32', '-k3', '-m3000000')


class Outcome:
    """What the verifier found, and in how much of the model it looked."""

    def __init__(self, text, seconds):
        errors = re.search(r'depth reached (\d+), errors: (\d+)', text)
        states = re.search(r'(\d+) states, stored', text)
        if not errors or not states:
            raise RuntimeError(text)
        self.has_error = errors[2] != '0'
        # The memory, the depth or the time was not enough.
        self.is_cut = bool(re.search('too small|not completed|out of memory', text))
        factor = re.search(r'hash factor: ([\d.]+)', text)
        self.words = f'{int(states[1]):,} states, depth {int(errors[1]):,}, {seconds:.0f} s'
        if factor:
            self.words += f', a sample (hash factor {float(factor[1]):.0f})'


def check(kind, flags):
    """Makes a verifier of the model with these flags in a folder of its own, and runs it."""
    compiling, running = kind
    with tempfile.TemporaryDirectory(prefix='spin-') as folder:
        def run(*command, statuses=(0,)):
            done = subprocess.run(command, cwd=folder, text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                  check=False)
            if done.returncode not in statuses:
                raise RuntimeError(f'{" ".join(map(str, command))}\n{done.stdout}')
            return done.stdout
        run('spin', '-a', *(f'-D{flag}' for flag in flags), MODEL)
        run('gcc', '-O1', '-w', *compiling, '-o', 'pan', 'pan.c')
        began = time.monotonic()
        return Outcome(run('./pan', *running), time.monotonic() - began)


def main():
    failed = False
    for what, kind, flags in (
            ('floor and deadlock, nothing fails', SAFETY, LARGE),
            ('progress, nothing fails', PROGRESS, LARGE),
            ('floor, everything fails', SAMPLE, (*LARGE, 'FAILURES'))):
        outcome = check(kind, flags)
        failed = failed or outcome.has_error or outcome.is_cut
        print(f'{what}: {"ERROR" if outcome.has_error else "holds"}'
              f'{", but not all was seen" if outcome.is_cut else ""} ({outcome.words})',
              flush=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
