"""Two builds of the same sources in two folders give the same files."""

import filecmp
import hashlib
import os
import shutil
import subprocess

import pytest

import pool as pools

BUILD = pools.ROOT / 'build'


@pytest.fixture(scope='module')
def copy(tmp_path_factory):
    """The sources in another folder, whose path is longer, with other times."""
    folder = tmp_path_factory.mktemp('another') / 'a-folder-with-a-longer-name' / 'poolctl'
    shutil.copytree(pools.ROOT, folder, ignore=shutil.ignore_patterns('build', '.git'))
    for path in folder.rglob('*'):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    return folder


def make(folder, *args):
    """From another time zone and umask, without a cache of objects."""
    done = subprocess.run(['sh', '-c', 'umask 027 && exec "$@"', 'sh', 'make', '-C', folder,
                           f'-j{os.cpu_count()}', *args], capture_output=True, text=True,
                          timeout=3600,
                          env=os.environ | {'TZ': 'Asia/Tokyo', 'LC_ALL': 'C', 'CCACHE_DISABLE': '1'})
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def check_same(one, other):
    def digest(path):
        return hashlib.sha256(path.read_bytes()).hexdigest()

    assert one.exists() and other.exists() and not one.samefile(other)
    assert filecmp.cmp(one, other, shallow=False), (digest(one), digest(other))


def test_the_programs_for_linux_name_no_folder_of_this_machine():
    """Nor does what debuggers read.  Two builds of them are in the packages below."""
    for name in ('poolctl', 'poold'):
        text = (BUILD / 'native' / name).read_bytes()
        assert b'.debug_info' in text and b'common/mem.c' in text
        assert os.fsencode(pools.ROOT) not in text, name


def test_the_programs_for_windows(copy):
    if not (BUILD / 'windows/poold.exe').exists():
        pytest.skip('the programs for Windows are not built: make windows')
    make(copy, 'windows')
    for name in ('poolctl.exe', 'poold.exe'):
        check_same(BUILD / 'windows' / name, copy / 'build/windows' / name)


def test_the_debian_packages(copy, packages):
    make(copy, 'deb')
    assert len(packages) == 4
    for package in packages:
        check_same(package, copy / 'build/packages' / package.name)
