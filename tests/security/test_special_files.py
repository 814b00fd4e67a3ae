"""What is no regular file in the place of a credential or a key: an error, and no waiting."""

import os
import subprocess

import pytest

from canned import CannedPool, view
from certificates import Pair
from pool import POOLCTL
from simulated import SimulatedPool

SECRET = 'poolctl_' + '5' * 64
KINDS = ['fifo', 'directory', 'device']


def put(path, kind):
    path.unlink(missing_ok=True)
    if kind == 'fifo':
        os.mkfifo(path, 0o600)
    elif kind == 'directory':
        path.mkdir(mode=0o700)
    else:
        path.symlink_to('/dev/zero')
    return path


@pytest.fixture
def canned(tmp_path):
    pool = CannedPool(tmp_path, 1)
    pool.servers[0].replies['GET /v1/server'] = view(pool.servers[0].name)
    yield pool
    pool.close()


@pytest.fixture
def stopped(tmp_path):
    with SimulatedPool(tmp_path, 1, settle='200ms', tick='50ms') as pool:
        yield pool.servers[0]


@pytest.mark.parametrize('kind', KINDS)
def test_poolctl_takes_no_token_from_it(canned, tmp_path, kind):
    path = put(tmp_path / 'token', kind)
    canned.write(f'token_file: {path}')
    done = canned.poolctl('status')
    assert done.returncode == 3, done
    assert str(path) in done.stdout
    assert canned.servers[0].credentials == []
    if kind != 'device':  # that one is refused first, as others may write it
        assert 'is not a regular file' in done.stdout


def test_poolctl_takes_a_token_from_the_shells_pipe(canned):
    done = subprocess.run(
        ['bash', '-c', f'POOLCTL_TOKEN_FILE=<(sleep 0.2; echo {SECRET}) "$0" --config "$1" status',
         POOLCTL, canned.file], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done
    assert canned.servers[0].credentials[-1] == f'Bearer {SECRET}'


@pytest.mark.parametrize('which', ['certificate', 'key'])
@pytest.mark.parametrize('kind', KINDS)
def test_poold_has_no_certificate_or_key_from_it(stopped, which, kind):
    done = stopped.run_poold('tls', 'init', '--config', stopped.config)
    assert done.returncode == 0, done
    made = Pair(stopped.folder, 'server')
    tls = next(line for line in done.stdout.splitlines() if line.startswith('tls: '))
    stopped.config.write_text(f'{stopped.config.read_text()}{tls}\n')
    assert stopped.run_poold('check', '--config', stopped.config).returncode == 0
    path = put(getattr(made, which), kind)
    done = stopped.run_poold('check', '--config', stopped.config)
    assert done.returncode == 2, done
    assert str(path) in done.stdout + done.stderr
    if kind != 'device':
        assert 'is not a regular file' in done.stdout + done.stderr


@pytest.mark.parametrize('kind', KINDS)
def test_poold_has_no_tokens_from_it(stopped, kind):
    stopped.new_token('alice', 'operator')
    path = put(stopped.folder / 'state/tokens.json', kind)
    for args in ['list'], ['revoke', 'alice']:
        done = stopped.run_poold('token', *args, '--config', stopped.config)
        assert done.returncode not in (0, -6, -11), (args, done)
        assert str(path) in done.stderr
