"""One Windows server under Wine for all tests of the module; see tests/windows/wine.py."""

import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / 'windows'))


@pytest.fixture(scope='module')
def machine(tmp_path_factory):
    from wine import Machine
    with Machine(tmp_path_factory.mktemp('wine') / 'server', '127.0.1.1') as made:
        made.boot()
        yield made
