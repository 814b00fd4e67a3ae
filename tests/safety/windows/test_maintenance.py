"""All servers of a pool are drained and resumed, one after the other, while its users work:
real SCMs and sockets on Wine, a real DNS server, a client that is balanced by DNS."""

import contextlib

import pytest

from balanced import BalancedClient
from counts import report
from nameservers import ADDRESS, KNOTD, Knot
from operators import write_pool
from pool import DISPLAY, SERVICE
from sessions import wait_until
from windows_pool import WindowsPool
from wine import Machine

ADDRESSES = ('127.0.1.1', '127.0.1.2', '127.0.1.3')
ZONE = ''.join(f'pool A {address}\n' for address in ADDRESSES)
NAME = 'pool.test'
LOGONS = 50  # before and after each change

pytestmark = pytest.mark.skipif(not KNOTD.exists(), reason=(
    'the DNS server could not be unpacked; make setup-check says why'))


@pytest.fixture
def pool(tmp_path):
    with contextlib.ExitStack() as stack:
        knot = stack.enter_context(Knot(tmp_path, {'test': ZONE}))
        machines = [stack.enter_context(Machine(tmp_path / address, address))
                    for address in ADDRESSES]
        made = WindowsPool(tmp_path, machines)
        made.resolver = knot.resolver
        write_pool(made.file, made, made.api_port, fqdn=NAME,
                   availability={'floor': 2},
                   dns={'expect': 'balanced', 'resolvers': [ADDRESS], 'port': knot.port})
        for server in made.servers:
            server.machine.boot()
            server.machine.install(SERVICE, made.port, display=DISPLAY)
            server.machine.start(SERVICE)
            server.install_poold()
        yield made


@pytest.fixture
def users(pool):
    client = BalancedClient(pool.resolver, NAME, pool.port)
    yield client
    client.stop()
    report(logons=sum(client.logons.values()) + len(client.failed), failed=len(client.failed))


def some_logons(users, *without):
    """Waits for logons at all of the addresses but these."""
    before = users.logons.copy()
    wait_until(lambda: users.failed or users.cut or (users.logons - before).total() > LOGONS,
               f'{LOGONS} logons')
    met = {address for address in ADDRESSES if users.logons[address] > before[address]}
    assert met == set(ADDRESSES) - set(without)


def poolctl(pool, *args):
    done = pool.poolctl(*args)
    assert done.returncode == 0, (args, done.stdout, done.stderr)


def test_no_user_notices_the_maintenance_of_a_pool(pool, users):
    some_logons(users)
    for server in pool.servers:
        poolctl(pool, 'drain', server.name, '--reason', 'patch day')
        refused = users.refused
        some_logons(users, server.address)
        assert users.refused > refused
        poolctl(pool, 'resume', server.name)
        some_logons(users)
    poolctl(pool, 'check')
    users.stop()
    print(f'\n{users.logons.total()} logons, {users.refused} addresses that refused, '
          f'{len(users.failed)} failed, {len(users.cut)} sessions cut')
    assert not users.failed and not users.cut, (users.failed, users.cut)
