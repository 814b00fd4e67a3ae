"""make install, and make uninstall."""

import os
import re
import shutil
import subprocess

import pytest

import pool as pools

FILES = {
    'bin/poolctl', 'sbin/poold', 'lib/systemd/system/poold.service', 'lib/sysusers.d/poold.conf',
    'share/man/man1/poolctl.1', 'share/man/man5/pool.yaml.5', 'share/man/man5/poold.yaml.5',
    'share/man/man8/poold.8', 'share/bash-completion/completions/poolctl',
    'share/zsh/site-functions/_poolctl', 'share/fish/vendor_completions.d/poolctl.fish',
    'share/doc/poolctl/README.md', 'share/doc/poolctl/LICENSE', 'share/doc/poolctl/poold.yaml',
    'share/doc/poolctl/docs/install.md', 'share/doc/poolctl/docs/recipes/patch-server.sh',
}


def make(*args):
    done = subprocess.run(['make', '-C', pools.ROOT, *args], capture_output=True, text=True,
                          timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob('*') if not path.is_dir()}


@pytest.fixture(scope='module')
def installed(tmp_path_factory):
    """The folder that PREFIX is, below DESTDIR."""
    folder = tmp_path_factory.mktemp('root')
    make('install', f'DESTDIR={folder}', 'PREFIX=/opt/p')
    return folder / 'opt/p'


def test_everything_is_in_its_place(installed):
    assert FILES <= files(installed)
    for path in FILES:
        mode = (installed / path).stat().st_mode & 0o777
        assert mode == (0o755 if path.split('/')[0] in ('bin', 'sbin') or path.endswith('.sh')
                        else 0o644), path
    for program in installed / 'bin/poolctl', installed / 'sbin/poold':
        done = subprocess.run([program, '--version'], capture_output=True, text=True, check=True)
        assert re.fullmatch(rf'{program.name} \d+\.\d+\.\d+\n', done.stdout)


def test_the_unit_starts_what_is_installed(installed):
    unit = (installed / 'lib/systemd/system/poold.service').read_text()
    assert 'ExecStart=/opt/p/sbin/poold run\n' in unit and '@SBIN@' not in unit
    assert 'User=poold' in unit
    assert re.search('^u poold ', (installed / 'lib/sysusers.d/poold.conf').read_text(), re.M)


def test_zsh_finds_the_completion_by_itself(installed, tmp_path):
    if not shutil.which('zsh'):
        pytest.skip('zsh is not installed')
    script = '''fpath=($1 $fpath); autoload -Uz compinit; compinit -u -D
                print ${_comps[poolctl]}; whence -w ${_comps[poolctl]}'''
    done = subprocess.run(['zsh', '-f', '-c', script, 'zsh', installed / 'share/zsh/site-functions'],
                          capture_output=True, text=True,
                          env=os.environ | {'HOME': str(tmp_path)})
    assert done.stdout == '_poolctl\n_poolctl: function\n', done


def test_uninstall_removes_what_install_brought_and_no_more(tmp_path):
    make('install', f'DESTDIR={tmp_path}', 'PREFIX=/usr')
    (tmp_path / 'usr/bin/other').write_text('')
    assert len(files(tmp_path)) > len(FILES)
    make('uninstall', f'DESTDIR={tmp_path}', 'PREFIX=/usr')
    assert files(tmp_path) == {'usr/bin/other'}
    assert not (tmp_path / 'usr/share/doc/poolctl').exists()
    # Once more is no mistake.
    make('uninstall', f'DESTDIR={tmp_path}', 'PREFIX=/usr')
