"""A service that an installer stops, deletes and creates anew while poold watches it."""

from pool import SERVICE
from sessions import wait_until
from wine import ScmError


def is_installed(server):
    """Not while somebody has the one open that was deleted: 1072."""
    try:
        server.machine.install(SERVICE, server.pool.port)
    except ScmError as error:
        assert error.number == 1072
        return False
    return True


def says(machine):
    answer = machine.scm('query', SERVICE)
    return answer['state'], answer['start_type']


def test_one_that_is_deleted_can_be_installed_again_under_poold(server):
    pool, machine = server.pool, server.machine
    server.install_poold()
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    for _ in range(2):
        machine.scm('stop', SERVICE)
        machine.wait_state(SERVICE, 'stopped')
        machine.scm('delete', SERVICE)
        wait_until(lambda: is_installed(server), 'it can be installed')
        machine.scm('start', SERVICE)
        wait_until(lambda: says(machine) == ('paused', 'manual'), 'it is out')
    resumed = pool.poolctl('resume', 'frontend01')
    assert resumed.returncode == 0, resumed
    assert says(machine) == ('running', 'automatic') and server.try_new() == 'taken'
    server.poold('uninstall')
