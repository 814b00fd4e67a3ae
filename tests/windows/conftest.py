"""Machines for the tests: made when a module first asks, ended when it is through."""

import contextlib

import pytest

from pool import SERVICE
from windows_pool import WindowsPool
from wine import Machine, TOOLS, WINE, WINESERVER

ADDRESSES = ('127.0.1.1', '127.0.1.2', '127.0.1.3')


@contextlib.contextmanager
def booted_machines(tmp_path_factory, addresses):
    assert WINE and WINESERVER, 'Wine is not installed: apt-get install wine64'
    for name in ('testservice.exe', 'scm.exe', 'standins.exe'):
        assert (TOOLS / name).exists(), f'{TOOLS / name} is not built'
    folder = tmp_path_factory.mktemp('wine')
    with contextlib.ExitStack() as stack:
        machines = [stack.enter_context(Machine(folder / address, address))
                    for address in addresses]
        for each in machines:
            each.boot()
        yield machines


@pytest.fixture(scope='module')
def machine(tmp_path_factory):
    with booted_machines(tmp_path_factory, ADDRESSES[:1]) as (one,):
        yield one


@pytest.fixture(scope='module')
def three_machines(tmp_path_factory):
    with booted_machines(tmp_path_factory, ADDRESSES) as machines:
        yield machines


@pytest.fixture
def server(machine, tmp_path):
    """A server whose service runs; poold is not installed yet."""
    pool = WindowsPool(tmp_path, [machine], settle='1s', tick='200ms')
    machine.install(SERVICE, pool.port)
    machine.start(SERVICE)
    yield pool.servers[0]
    machine.remove('poold')
    machine.remove(SERVICE)
