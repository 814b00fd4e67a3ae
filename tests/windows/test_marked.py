"""A service that is deleted while it is out, as an installer does that somebody keeps open."""

import pytest

from sessions import wait_until
from windows_pool import WindowsPool
from wine import ScmError


@pytest.fixture
def server(machine, tmp_path):
    pool = WindowsPool(tmp_path, [machine], service='MARKED', settle='1s', tick='200ms')
    server, = pool.servers
    machine.install('MARKED', pool.port)
    machine.start('MARKED')
    server.install_poold()
    return server


def test_one_that_is_marked_for_deletion_runs_again(server):
    pool, machine = server.pool, server.machine
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    machine.scm('delete', 'MARKED')
    with pytest.raises(ScmError, match='1072'):
        machine.scm('startup', 'MARKED', 'automatic')
    # Windows notes it there, and Wine does not.
    machine.run(['reg', 'add', r'HKLM\SYSTEM\CurrentControlSet\Services\MARKED', '/v', 'DeleteFlag',
                 '/t', 'REG_DWORD', '/d', '1', '/f'])
    wait_until(lambda: 'marked for deletion' in server.service()['message'], 'said')
    resumed = pool.poolctl('resume', 'frontend01', '--timeout', '20s')
    assert resumed.returncode == 9 and '1072' in resumed.stderr, resumed.stderr
    assert machine.state('MARKED') == 'running' and server.try_new() == 'taken'
    assert 'runs again, but the startup type' in server.service()['message']
