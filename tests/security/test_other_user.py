"""poold runs as a user of its own, as its unit has it; root on the server needs no set-up."""

import os
import pathlib
import subprocess

import pytest

import pool as pool_module
from sessions import wait_until
from simulated import POOLD, SimulatedPool

USER = 65534
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason='only root can start poold as another user')


@pytest.fixture
def scene():
    """A server whose files belong to another user, below a folder that is root's."""
    folder = subprocess.run(['mktemp', '-d', '/var/tmp/poolctl-XXXXXX'], capture_output=True, text=True,
                            check=True).stdout.strip()
    os.chmod(folder, 0o755)
    poold = None
    try:
        with SimulatedPool(pathlib.Path(folder), 1, settle='200ms', tick='50ms') as pool:
            [server] = pool.servers
            state = pathlib.Path(folder) / 'state'
            state.mkdir(mode=0o700)
            server.config.write_text(''.join(
                line for line in server.config.read_text().splitlines(True)
                if 'state_dir' not in line) + f'state_dir: {state}\n')
            server.copy_pool_file()
            for path in (state, *server.folder.rglob('*'), server.folder):
                os.chown(path, USER, USER)
            for path in (server.folder, server.folder.parent):
                path.chmod(0o755)
            env = os.environ | {'POOLCTL_LOCAL_DIR': str(state / 'local')}
            with open(server.folder / 'log', 'w') as log:
                poold = subprocess.Popen(
                    ['setpriv', f'--reuid={USER}', f'--regid={USER}', '--clear-groups', POOLD, 'run',
                     '--config', server.config], env=env, stdin=subprocess.DEVNULL, stderr=log)
            wait_until(lambda: 'serves' in (server.folder / 'log').read_text() or poold.poll() is not None,
                       'poold serves')
            yield pool, server, state, env
    finally:
        if poold:
            poold.kill()
            poold.wait()
        subprocess.run(['rm', '-rf', folder], check=True)


def poolctl(pool, env, *args):
    return subprocess.run([pool_module.POOLCTL, '--config', pool.file, *args], env=env, timeout=120,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)


def test_root_needs_no_token_and_makes_one(scene):
    pool, server, state, env = scene
    done = poolctl(pool, env, 'status')
    assert done.returncode == 0, (done, (server.folder / 'log').read_text())
    made = subprocess.run([POOLD, 'token', 'new', '--name', 'ci', '--role', 'viewer', '--config',
                           server.config], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made
    assert (state / 'tokens.json').stat().st_uid == USER
    other = env | {'POOLCTL_LOCAL_DIR': str(state / 'none'), 'POOLCTL_TOKEN': made.stdout.strip()}
    assert poolctl(pool, other, 'status').returncode == 0


def test_that_user_cannot_make_root_send_another_file(scene):
    pool, server, state, env = scene
    secret = pathlib.Path(server.folder.parent) / 'secret'
    secret.write_text('poold_local_' + '0' * 64)
    secret.chmod(0o600)
    [local] = [path for path in (state / 'local').iterdir() if path.suffix != '.next']
    local.unlink()
    local.symlink_to(secret)
    done = poolctl(pool, env, 'status')
    assert done.returncode == 3 and 'needs a credential' in done.stdout + done.stderr, done
