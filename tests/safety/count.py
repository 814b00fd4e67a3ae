"""Adds up what the tests counted: the last line of `make check-safety`.

The file has lines of a name and a number: rounds of operators, and how often the pool fell
below its floor meanwhile; logons, and those that failed.
"""

import collections
import pathlib
import sys

COUNTS = pathlib.Path(__file__).resolve().parents[2] / 'build/log/safety.counts'
NEEDED = {'rounds': 'violations', 'logons': 'failed'}


def main():
    counts = collections.Counter()
    for line in COUNTS.read_text(encoding='ascii').splitlines() if COUNTS.exists() else []:
        name, number = line.split()
        counts[name] += int(number)
    missing = [name for name, bad in NEEDED.items() if not counts[name] or bad not in counts]
    for name in missing:
        print(f'no {name} were counted')
    print(f'rounds {counts["rounds"]}, floor violations {counts["violations"]}, '
          f'failed logons {counts["failed"]}')
    return 1 if missing or counts['violations'] or counts['failed'] else 0


if __name__ == '__main__':
    sys.exit(main())
