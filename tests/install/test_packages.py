"""The Debian packages: built as `make packages` does, judged by lintian, installed for real."""

import os
import pathlib
import shutil
import subprocess

import pytest

import pool as pools
from sessions import free_port

PACKAGES = pools.ROOT / 'build/packages'


def test_lintian_has_nothing_to_say(packages):
    if not shutil.which('lintian'):
        pytest.skip('lintian is not installed')
    packages = [path for path in packages if 'dbgsym' not in path.name]
    assert [path.name.split('_')[0] for path in packages] == ['poolctl', 'poold']
    done = subprocess.run(['lintian', '--fail-on', 'error,warning,info,pedantic', '-EI',
                           '--pedantic', *packages], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ''), done.stderr


def test_a_bare_debian_takes_them_and_lets_go_of_them(packages, tmp_path):
    if os.geteuid() or not shutil.which('mmdebstrap'):
        pytest.skip('only root can make a bare Debian, with mmdebstrap')
    # The mirrors that this machine has for Debian 12, or else mmdebstrap's own.
    sources = subprocess.run(
        ['apt-get', 'indextargets', '--format', 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)',
         'Created-By: Packages', 'Origin: Debian'], capture_output=True, text=True).stdout
    lines = sorted({line for line in sources.splitlines() if ' bookworm' in line})
    listed = tmp_path / 'sources'
    listed.write_text('\n'.join(lines) + '\n')
    script = pathlib.Path(__file__).with_name('bare_root.sh')
    command = ['mmdebstrap', '--mode=root', '--variant=minbase',
               '--include=ca-certificates,systemd-standalone-sysusers', '--format=null',
               f'--customize-hook={script} {PACKAGES} {free_port(("127.0.9.1",))} "$1"',
               'bookworm', '-', *([listed] if lines else [])]
    done = subprocess.run(['unshare', '--mount', '--pid', '--fork', '--kill-child',
                           '--mount-proc', *command], capture_output=True, text=True, timeout=1800,
                          env={name: value for name, value in os.environ.items()
                               if not name.startswith('POOL')})
    said = done.stdout + done.stderr
    if '== install' not in said:
        pytest.skip(f'no bare Debian could be made: {said[-300:]}')
    assert done.returncode == 0 and '\nall done\n' in said, said[-3000:]
