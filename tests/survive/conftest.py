"""What the tests of one fault each share: a server, and that they are counted."""

import shutil

import pytest

from faults import report
from sessions import release_port
from simulated import SimulatedPool, fresh_folder


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == 'call':
        item.outcome = outcome.get_result().outcome


@pytest.fixture
def counted(request):
    """The test counts as one point, unless it was skipped."""
    yield
    outcome = getattr(request.node, 'outcome', 'failed')
    if outcome != 'skipped':
        report(request.node.name.replace(' ', '_'), fault=1, violations=int(outcome == 'failed'))


@pytest.fixture
def server(counted):
    """A server whose poold is not started yet."""
    folder = fresh_folder()
    with SimulatedPool(folder, settle='100ms', tick='50ms') as pool:
        yield pool.servers[0]
    release_port(pool.port)
    shutil.rmtree(folder)
