"""What the tests add to the last line of `make check-safety`."""

import pool

COUNTS = pool.ROOT / 'build/log/safety.counts'


def report(**counts):
    COUNTS.parent.mkdir(parents=True, exist_ok=True)
    with open(COUNTS, 'a', encoding='ascii') as file:
        file.writelines(f'{name} {number}\n' for name, number in counts.items())
