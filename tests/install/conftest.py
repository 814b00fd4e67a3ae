"""Pools for the tests of what is installed, and the packages."""

import shutil
import subprocess

import pytest

import pool as pools
from fixtures import make_pool, pool, server  # noqa: F401


@pytest.fixture(scope='session')
def packages():
    """The Debian packages, built once as `make packages` does."""
    if not shutil.which('dh'):
        pytest.skip('debhelper is not installed')
    done = subprocess.run(['make', '-C', pools.ROOT, 'deb'], capture_output=True, text=True,
                          timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    return sorted((pools.ROOT / 'build/packages').glob('*.deb'))
