"""Pools for the system tests: poold and poolctl are real, the SCM is simulated."""

import pytest

from fixtures import make_pool  # noqa: F401


@pytest.fixture
def pool(make_pool):  # noqa: F811
    return make_pool()


@pytest.fixture
def server(pool):
    return pool.servers[0]
