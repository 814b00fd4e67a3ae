"""Pools as in the system tests."""

import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parent))

from simulated import SimulatedPool  # noqa: E402


@pytest.fixture
def make_pool(tmp_path):
    """Makes a pool; poold and services end with the test."""
    made = []

    def make(count=1, start=True, **options):
        options = {'settle': '200ms', 'tick': '50ms'} | options
        made.append(SimulatedPool(tmp_path, count, **options))
        return made[-1].start() if start else made[-1]

    yield make
    for pool in made:
        pool.__exit__()
