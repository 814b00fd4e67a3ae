"""Fixtures of several suites; their conftest.py imports them."""

import pytest

from simulated import SimulatedPool


@pytest.fixture
def make_pool(tmp_path):
    """Makes a pool, started unless told otherwise; poold and services end with the test."""
    made = []

    def make(count=1, start=True, **options):
        options = {'settle': '200ms', 'tick': '50ms'} | options
        made.append(SimulatedPool(tmp_path, count, **options))
        return made[-1].start() if start else made[-1]

    yield make
    for pool in made:
        pool.__exit__()


@pytest.fixture
def pool(make_pool):
    """A pool of one server."""
    return make_pool()


@pytest.fixture
def server(pool):
    return pool.servers[0]
