"""Who may ask poold.exe: the administrators of the machine without set-up, others with a token."""

import os
import stat

import pytest

from pool import check_problem
from wine import ROOT, windows_path

POOLCTL = ROOT / 'build/windows/poolctl.exe'


@pytest.fixture
def server(server):
    server.install_poold()
    return server


def poolctl(server, *args, env=None):
    """poolctl.exe on the machine, with a pool.yaml that has nothing about credentials."""
    plain = server.pool.folder / 'plain.yaml'
    plain.write_text('\n'.join(line for line in server.pool.file.read_text().splitlines()
                               if 'token_file' not in line) + '\n')
    return server.machine.run([POOLCTL, '--config', windows_path(plain), *args], check=False,
                              env=env or {})


def test_an_administrator_needs_no_set_up_and_others_need_a_token(server):
    check_problem(server.request('GET', '/v1/server', headers={'Authorization': None}),
                  401, 'unauthenticated', 'poold token new')
    file = server.credential_file()
    assert stat.S_IMODE(file.stat().st_mode) & stat.S_IRWXO == 0
    assert stat.S_IMODE(file.parent.stat().st_mode) & stat.S_IRWXO == 0
    done = poolctl(server, 'status')
    assert done.returncode == 0, done.stdout + done.stderr
    assert server.pool.poolctl('status').returncode == 0

    token = server.poold('token', 'new', '--name', 'ci', '--role', 'viewer').stdout.strip()
    assert token.startswith('poolctl_')
    as_ci = {'Authorization': f'Bearer {token}'}
    assert server.request('GET', '/v1/server', headers=as_ci)[0] == 200
    check_problem(server.put('kb1', {'reason': 'r'}, **as_ci), 403, 'forbidden', 'operator')
    # The token is nearer than what poolctl finds by itself.
    done = poolctl(server, 'drain', 'frontend01', env={'POOLCTL_TOKEN': token})
    assert done.returncode == 3 and 'role operator' in done.stderr, done.stderr
    assert token not in done.stdout + done.stderr

    server.poold('token', 'revoke', 'ci')
    check_problem(server.request('GET', '/v1/server', headers=as_ci), 401, 'unauthenticated',
                  'revoked')
    assert 'revoked' in server.poold('token', 'list').stdout
    old = server.credential()
    server.machine.scm('stop', 'poold')
    server.machine.wait_state('poold', 'stopped')
    assert not file.exists()
    server.machine.scm('start', 'poold')
    server.machine.wait_state('poold', 'running')
    server.wait_answer()
    assert server.credential() != old
    check_problem(server.request('GET', '/v1/server', headers=old), 401, 'unauthenticated')
    assert not os.path.exists(f'{file}.new')
