"""Faults for a poold on Linux: the library of tests/survive/fault.c, and what it counted."""

import mmap
import os
import pathlib
import struct

import pool

LIBRARY = pool.ROOT / 'build/native/tests/fault.so'
COUNTS = pool.ROOT / 'build/log/survive.counts'
FIELDS = ('calls', 'at', 'what', 'is_lasting', 'hits')


class Fault:
    """One run of poold with the library: at call number `at` below `watch`, `what` happens.

    A lasting fault holds from then on until lift().  Files are made in `folder`.
    """

    def __init__(self, folder, watch, at=0, what='kill', is_lasting=False, clock=None, boot=None):
        self.folder, self.at, self.what = pathlib.Path(folder), at, what
        self.trace = self.folder / 'trace'
        self.count = self.folder / 'count'
        self.trace.write_bytes(b'')
        self.count.write_bytes(bytes(8 * len(FIELDS)))
        self.env = {'LD_PRELOAD': str(LIBRARY), 'FAULT_FOLDER': str(watch), 'FAULT_AT': str(at),
                    'FAULT_WHAT': what, 'FAULT_COUNT': str(self.count),
                    'FAULT_TRACE': str(self.trace),
                    'ASAN_OPTIONS': ':'.join(filter(None, [os.environ.get('ASAN_OPTIONS'),
                                                           'verify_asan_link_order=0']))}
        if is_lasting:
            self.env['FAULT_FROM'] = '1'
        if clock:
            self.env['FAULT_CLOCK'] = str(clock)
        if boot:
            self.env['FAULT_BOOT'] = str(boot)
        with open(self.count, 'r+b') as file:
            self.shared = mmap.mmap(file.fileno(), 0)

    def get(self, field):
        return struct.unpack_from('<q', self.shared, 8 * FIELDS.index(field))[0]

    def set(self, field, value):
        struct.pack_into('<q', self.shared, 8 * FIELDS.index(field), value)

    def arm(self, error, after=1, is_lasting=True):
        """The running poold's next call (or a later one) fails with this errno."""
        self.set('what', error)
        self.set('is_lasting', is_lasting)
        self.set('at', self.get('calls') + after)

    def lift(self):
        self.set('at', 0)

    def call(self):
        """The call that the fault met, e.g. 'pwrite poold.sqlite-wal 4096', or None."""
        for line in self.trace.read_text().splitlines():
            number, text = line.split(' ', 1)
            if int(number) == self.at:
                return text
        return None

    def close(self):
        self.shared.close()


def report(name, crash=0, fault=0, violations=0):
    """Adds to what `make check-survive` counts."""
    COUNTS.parent.mkdir(parents=True, exist_ok=True)
    with open(COUNTS, 'a', encoding='ascii') as file:
        file.write(f'{name} crash {crash} fault {fault} violations {violations}\n')
