"""Adds up the cases from outside: the last line of `make check-outside`.

The file has a line for each test: whether it is a case or a brother of one, of which case,
and how it ended.
"""

import pathlib
import sys

COUNTS = pathlib.Path(__file__).resolve().parents[2] / 'build/log/outside.counts'


def main():
    lines = COUNTS.read_text(encoding='ascii').splitlines() if COUNTS.exists() else []
    tests = [line.split(maxsplit=3) for line in lines]
    cases = {name for kind, name, _, _ in tests if kind == 'case'}
    brothers = {test for kind, _, _, test in tests if kind == 'brother'}
    failed = {test for _, _, result, test in tests if result == 'failed'}
    print(f'cases {len(cases)}, brothers {len(brothers)}, failed {len(failed)}')
    return 1 if failed or not cases else 0


if __name__ == '__main__':
    sys.exit(main())
