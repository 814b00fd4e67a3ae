"""Pools for the system tests: poold and poolctl are real, the SCM is simulated."""

import pytest

from simulated import SimulatedPool


@pytest.fixture
def make_pool(tmp_path):
    """Makes a started pool; poold and services end with the test."""
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
    return make_pool()


@pytest.fixture
def server(pool):
    return pool.servers[0]
