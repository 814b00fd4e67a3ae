"""make bench: what our programs take, as ratios to a reference that was measured beside them.

    bench.py [NAME...]      all of BENCHMARKS, or only those

Prints a table and writes it to build/bench.json.  This is no test: a ratio outside its bound
is shown, and the exit status is 1 only if something could not be measured.
"""

import json
import signal
import sys

import config
import counting
import drift
import native
import pools
import record
import tls
import watchers
import windows
from tools import ROOT

# Each measures one thing and gives its rows; a new one is a line here.
BENCHMARKS = {
    'replies': native.replies,
    'start-up': native.start_up,
    'memory': native.memory,
    'counting': native.counting,
    'loading': config.loading,
    'pauses': windows.pauses,
    'drift': drift.simulated,
    'drift-windows': drift.windows,
    'fsyncs': record.fsyncs,
    'starts': record.starts,
    'watchers': watchers.watchers,
    'counting-many': counting.many,
    'tracking': counting.tracking,
    'settling': counting.settling,
    'settling-windows': counting.settling_windows,
    'status-1000': pools.status,
    'drain-of-20': pools.drain,
    'tls': tls.replies,
    'tls-handshakes': tls.handshakes,
    'sizes': tls.sizes,
}

RESULT = ROOT / 'build/bench.json'
COLUMNS = ('name', 'unit', 'ours', 'reference', 'limit', 'ratio', 'bound', 'within')
LINE = '{:32}{:>7}{:>12}{:>12}{:>12}{:>8}  {:10}{}'


def show(value):
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    if value is None:
        return '-'
    return f'{value:,.0f}' if value >= 1000 else f'{value:.3g}'


def show_row(row):
    low, high = row['bound'] if isinstance(row['bound'], list) else (None, row['bound'])
    cells = row | {'ratio': f'{row["ratio"]:.2f}',
                   'bound': f'<= {high:g}' if low is None else f'{low:g} to {high:g}'}
    return LINE.format(*(show(cells[column]) for column in COLUMNS))


def main(names):
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f'no benchmark {unknown[0]}: there are {", ".join(BENCHMARKS)}', file=sys.stderr)
        return 2
    # What was started is ended on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    rows, failed = [], 0
    print(LINE.format(*COLUMNS))
    for name in names or BENCHMARKS:
        try:
            measured = BENCHMARKS[name]()
        # Whatever keeps one from being measured must not keep the others.
        except Exception as error:
            print(f'{name} could not be measured: {type(error).__name__}: {error}', flush=True)
            failed += 1
            continue
        rows += measured
        for row in measured:
            print(show_row(row), flush=True)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(rows, indent=2) + '\n')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
