"""What poold keeps is for SYSTEM and the administrators, and others' files are refused.

Wine keeps no access lists: it makes them up from the modes of Linux, where "others" are
Everyone (S-1-1-0).  It shows no inheritance and no owner."""

import stat

import pytest


REFUSED = {'config': 2, 'state': 11}


def check(server, status, *words):
    for command in 'check', 'preflight', 'run':
        done = server.poold(command, check=False)
        assert done.returncode == status, done
        for word in words:
            assert word in done.stderr


@pytest.mark.case('E12')
def test_what_others_may_change_is_refused(server):
    folder = server.machine.prefix / 'drive_c/ProgramData/poolctl'
    state = folder / 'state'
    server.configure_poold()
    assert not state.exists()
    server.install_poold()
    assert stat.S_IMODE(state.stat().st_mode) & stat.S_IRWXO == 0
    assert server.put('kb1', {'reason': 'patch'})[0] == 201
    assert 'poold is running' in server.poold('check').stdout
    server.machine.scm('stop', 'poold')
    server.machine.wait_state('poold', 'stopped')
    assert 'poold is running' not in server.poold('check').stdout

    everybody = r'icacls "C:\ProgramData\poolctl'
    state.chmod(0o777)
    check(server, REFUSED['state'], 'state may be changed by', everybody, '/remove:g *S-1-1-0')
    state.chmod(0o750)
    (folder / 'poold.yaml').chmod(0o666)
    check(server, REFUSED['config'], 'poold.yaml may be changed by', '/grant:r *S-1-1-0:RX')
    (folder / 'poold.yaml').chmod(0o644)
    (state / 'saved.txt').chmod(0o666)
    check(server, REFUSED['state'], 'saved.txt may be changed by')
    (state / 'saved.txt').chmod(0o644)
    real = state.rename(folder / 'elsewhere')
    state.symlink_to(real)
    check(server, REFUSED['state'], 'state is a symbolic link or a junction')
    state.unlink()
    real.rename(state)
    server.machine.scm('start', 'poold')
    server.machine.wait_state('poold', 'running')
    server.wait_answer()
    assert server.delete('kb1')[0] == 200
    server.wait_phase('serving')
    server.poold('uninstall')
