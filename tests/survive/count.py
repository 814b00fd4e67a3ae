"""Adds up what the tests counted: the last line of `make check-survive`."""

import pathlib
import re
import sys

COUNTS = pathlib.Path(__file__).resolve().parents[2] / 'build/log/survive.counts'
LINE = re.compile(r'\S+ crash (\d+) fault (\d+) violations (\d+)')


def main():
    lines = COUNTS.read_text(encoding='ascii').splitlines() if COUNTS.exists() else []
    rows = [[int(number) for number in LINE.fullmatch(line).groups()] for line in lines]
    crash, fault, violations = (sum(column) for column in zip(*rows)) if rows else (0, 0, 0)
    print(f'crash points {crash}, fault points {fault}, violations {violations}')
    return 1 if violations or not crash or not fault else 0


if __name__ == '__main__':
    sys.exit(main())
