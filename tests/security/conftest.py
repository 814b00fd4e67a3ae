"""Who may talk to whom: poold with TLS, and poolctl that must believe the right one alone."""

import pytest

from certificates import Authority, TlsPool
from fixtures import make_pool, pool, server  # noqa: F401


@pytest.fixture(scope='session')
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp('authority'))


@pytest.fixture(scope='session')
def good(authority):
    return authority.issue('good')


@pytest.fixture
def make_tls_pool(tmp_path):
    """Makes a pool whose servers present a pair; poold and services end with the test."""
    made = []

    def make(pair, start=True, count=1, **options):
        options = {'settle': '200ms', 'tick': '50ms'} | options
        made.append(TlsPool(tmp_path, pair, count=count, **options))
        return made[-1].start() if start else made[-1]

    yield make
    for pool in made:
        pool.__exit__()
