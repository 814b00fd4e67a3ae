"""Every NAME.yaml in a folder here loads as NAME.ok says, or fails with the mistakes of NAME.err.

The folders poold* hold cases of poold.yaml, the others of pool.yaml.
"""

import os
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent
PROGRAM = pathlib.Path(os.environ.get('POOLCTL_LOAD_CONFIG', 'build/native/tests/load_config'))
CASES = sorted(str(path.relative_to(HERE).with_suffix('')) for path in HERE.glob('*/*.yaml'))


def load(name):
    kind = 'poold' if name.startswith('poold') else 'pool'
    command = [PROGRAM.resolve(), kind, HERE / f'{name}.yaml']
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.stderr == b''
    return done.returncode, done.stdout.decode()


@pytest.mark.parametrize('name', CASES)
def test_loads_as_written_beside_it(name):
    good, bad = HERE / f'{name}.ok', HERE / f'{name}.err'
    assert good.exists() != bad.exists(), f'{name}.yaml needs {name}.ok or {name}.err'
    expected = good if good.exists() else bad
    assert load(name) == (0 if good.exists() else 2, expected.read_text())


def test_every_expectation_has_its_file():
    expectations = {str(path.relative_to(HERE).with_suffix(''))
                    for kind in ('ok', 'err') for path in HERE.glob(f'*/*.{kind}')}
    assert expectations == set(CASES)
