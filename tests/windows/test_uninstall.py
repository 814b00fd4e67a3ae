"""poold is removed only when it has stopped; the test service plays one that does not."""

import pytest

from sessions import Session, wait_until
from windows_pool import WindowsPool
from wine import ScmError


@pytest.fixture
def server(machine, tmp_path):
    """A server on which a test service is installed as poold."""
    server, = WindowsPool(tmp_path, [machine]).servers
    server.configure_poold()
    machine.install('poold', server.pool.port, stop='hang')
    machine.start('poold')
    yield server
    machine.remove('poold')


def test_one_that_hangs_stays_installed(server):
    hanging = server.poold('uninstall', check=False, timeout=120)
    assert hanging.returncode == 9 and 'stays installed' in hanging.stderr, hanging.stderr
    assert server.machine.state('poold') == 'stop_pending'
    with Session(server.machine.address, server.pool.port) as session:
        session.release()
    server.machine.wait_state('poold', 'stopped')
    assert server.poold('uninstall').returncode == 0
    with pytest.raises(ScmError):
        server.machine.scm('start', 'poold')


def test_one_that_is_marked_for_deletion(server):
    server.machine.scm('delete', 'poold')
    again = server.poold('install', check=False)
    assert again.returncode == 9, again.stderr
    assert 'marked for deletion' in again.stderr and '1072' in again.stderr
    server.machine.scm('stop', 'poold')
    with Session(server.machine.address, server.pool.port) as session:
        session.release()
    wait_until(lambda: server.poold('install', check=False).returncode == 0, 'it is gone')
