"""Pools for the tests of what is installed."""

from fixtures import make_pool, pool, server  # noqa: F401
