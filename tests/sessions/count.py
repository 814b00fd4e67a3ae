"""Adds up what the tests counted: the last line of `make check-sessions`.

The file has lines of a name and a number: samples that were held against the truth and those
that were wrong; checks whether "drained" is said, and those where it was said early;
forecasts, and those whose interval covered what came.
"""

import collections
import pathlib
import sys

COUNTS = pathlib.Path(__file__).resolve().parents[2] / 'build/log/sessions.counts'
# Each of what was counted, and how it came out.
NEEDED = (('samples', 'wrong'), ('checks', 'early'), ('forecasts', 'covered'))


def main():
    counts = collections.Counter()
    for line in COUNTS.read_text(encoding='ascii').splitlines() if COUNTS.exists() else []:
        name, number = line.split()
        counts[name] += int(number)
    missing = [name for name, outcome in NEEDED if not counts[name] or outcome not in counts]
    for name in missing:
        print(f'no {name} were counted')
    coverage = (f'{100 * counts["covered"] / counts["forecasts"]:.1f}' if counts['forecasts']
                else '-')
    print(f'samples {counts["samples"]}, wrong {counts["wrong"]}, early drained '
          f'{counts["early"]}, coverage {coverage} %')
    return 1 if missing or counts['wrong'] or counts['early'] else 0


if __name__ == '__main__':
    sys.exit(main())
