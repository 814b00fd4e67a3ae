"""Checks the model of reservations with spin.

    spin.py    4 servers and 3 clients, a quarter of an hour; prints a line for each check

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

# How spin's verifier is compiled, and how it is run: for every state that there is ...
SAFETY = ('-DSAFETY', '-DMEMLIM=2000'), ('-m4000000',)
PROGRESS = ('-DNP', '-DNOREDUCE', '-DMEMLIM=2000'), ('-l', '-f', '-m4000000')
# ... of the larger model, with up to 4 GB and some minutes ...
LARGE_SAFETY = ('-DSAFETY', '-DCOLLAPSE', '-DMEMLIM=4000'), ('-m12000000',)
LARGE_PROGRESS = ('-DNP', '-DNOREDUCE', '-DCOLLAPSE', '-DMEMLIM=4000'), ('-l', '-f', '-m15000000')
# ... and for as many as there is time for, in random order, each kept as three bits.
SAMPLE_MINUTES, SEEDS = 2, (1, 2, 3)


def sample(seed):
    return (('-DSAFETY', '-DBITSTATE', '-DT_RAND', '-DP_RAND'),
            ('-w31', '-k3', '-m100000', f'-Q{SAMPLE_MINUTES}', f'-RS{seed}'))


class Outcome:
    """What the verifier found, and in how much of the model it looked."""

    def __init__(self, text, seconds):
        errors = re.search(r'depth reached (\d+), errors: (\d+)', text)
        states = re.search(r'([\d.e+]+) states, stored', text)
        if not errors or not states:
            raise RuntimeError(text)
        self.has_error = errors[2] != '0'
        # The memory, the depth or the time was not enough.
        self.is_cut = bool(re.search('too small|not completed|out of memory', text))
        self.words = f'{float(states[1]):,.0f} states, depth {int(errors[1]):,}, {seconds:.0f} s'


def check(kind, flags):
    """Makes a verifier of the model with these flags in a folder of its own, and runs it."""
    compiling, running = kind
    with tempfile.TemporaryDirectory(prefix='spin-') as folder:
        def run(*command):
            done = subprocess.run(command, cwd=folder, text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                  check=False)
            if done.returncode:
                raise RuntimeError(f'{" ".join(map(str, command))}\n{done.stdout}')
            return done.stdout
        run('spin', '-a', *(f'-D{flag}' for flag in flags), MODEL)
        run('gcc', '-O1', '-w', *compiling, '-o', 'pan', 'pan.c')
        began = time.monotonic()
        return Outcome(run('./pan', *running), time.monotonic() - began)


def main():
    """0 if nothing is wrong, and what was to be seen as a whole was."""
    failed = False
    checks = [('floor, and never stuck, nothing fails', LARGE_SAFETY, ()),
              ('somebody commits again and again, nothing fails', LARGE_PROGRESS, ()),
              *((f'floor, anything fails: sample {seed}', sample(seed), ('FAILURES',))
                for seed in SEEDS)]
    for what, kind, flags in checks:
        outcome = check(kind, LARGE + flags)
        is_sample = kind[0] == sample(0)[0]
        failed = failed or outcome.has_error or (outcome.is_cut and not is_sample)
        seen = 'a sample' if is_sample else 'not all' if outcome.is_cut else 'all'
        print(f'{what}: {"ERROR" if outcome.has_error else "holds"} ({seen}: {outcome.words})',
              flush=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
