"""What poold trusts is for its user alone, and others' files are refused: case E12."""

import os
import pathlib
import shutil
import stat
import subprocess

import pytest

from sessions import wait_until
from simulated import last_words

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason='needs root')
CONFIG, STATE = 2, 11
# What poold is told or keeps, with the status of a refusal.
TRUSTED = {'poold.yaml': CONFIG, 'pool.yaml': CONFIG, 'own.yaml': CONFIG, 'count': CONFIG,
           'config': CONFIG, 'programs': CONFIG, 'state': STATE, 'logs': STATE,
           'logs/its.log': STATE, 'state/poold.sqlite': STATE, 'state/poold.lock': STATE}


@pytest.fixture
def setup(make_pool):
    """A server whose poold has run once, and trusts all of TRUSTED."""
    pool = make_pool(start=False)
    server = pool.servers[0]
    for name in 'config', 'programs', 'logs':
        (server.folder / name).mkdir()
    program = server.folder / 'programs/count'
    program.write_text('#!/bin/sh\necho 0\n')
    program.chmod(0o755)
    profile = server.folder / 'config/own.yaml'
    profile.write_text('services: {RTCSRV: {unverified: [counters]}}\n')
    server.pool_file = server.folder / 'config/pool.yaml'
    text = pool.file.read_text().replace('    settle:', '    profile: own.yaml\n    settle:')
    server.pool_file.write_text(text)
    server.copy_pool_file = lambda: None
    config = server.config.rename(server.folder / 'config/poold.yaml')
    server.config = config
    lines = [line for line in config.read_text().splitlines() if 'pool_file' not in line]
    config.write_text('\n'.join(lines + [
        'pool_file: pool.yaml', f'log_file: {server.folder}/logs/its.log',
        f'commands: [{{service: RTCSRV, run: [{program}]}}]']) + '\n')
    server.start_poold()
    server.stop_poold()
    return server


def find(server, name):
    places = [server.folder, server.folder / 'config', server.folder / 'programs']
    return next(place / name for place in places if (place / name).exists())


def check(server):
    return server.run_poold('check', '--config', server.config)


def refused(server, status, *words):
    said = set()
    for command in ['check'], ['preflight'], ['run']:
        done = server.run_poold(*command, '--config', server.config)
        assert done.returncode == status, done
        said.add(last_words(done))
    assert len(said) == 1
    for word in words:
        assert word in done.stderr
    return done.stderr.strip()


def is_mended(server, text):
    subprocess.run(['sh', '-c', text.rsplit(': ', 1)[1]], check=True)
    assert check(server).returncode == 0


@pytest.mark.case('E12')
@pytest.mark.parametrize('right', [stat.S_IWGRP, stat.S_IWOTH])
@pytest.mark.parametrize('name', TRUSTED)
def test_what_others_may_write_is_refused(setup, name, right):
    path = find(setup, name)
    path.chmod(path.stat().st_mode | right)
    text = refused(setup, TRUSTED[name], f"{path} may be written by", f"chmod go-w '{path}'")
    assert ('its group' if right == stat.S_IWGRP else 'everybody') in text
    is_mended(setup, text)


@ROOT_ONLY
@pytest.mark.case('E12')
@pytest.mark.parametrize('name', TRUSTED)
def test_what_others_own_is_refused(setup, name):
    path = find(setup, name)
    os.chown(path, 12345, -1)
    text = refused(setup, TRUSTED[name], f'{path} belongs to user 12345', f"chown 0 '{path}'")
    is_mended(setup, text)


@pytest.mark.brother('E12')
@pytest.mark.parametrize('name', ['state', 'state/poold.sqlite', 'state/poold.lock',
                                  'logs/its.log'])
def test_a_link_in_place_of_what_poold_keeps_is_not_followed(setup, name):
    path = find(setup, name)
    real = path.rename(setup.folder / 'elsewhere')
    path.symlink_to(real)
    before = sorted(real.iterdir()) if real.is_dir() else real.read_bytes()
    refused(setup, TRUSTED[name], f'{path} is a symbolic link')
    assert before == (sorted(real.iterdir()) if real.is_dir() else real.read_bytes())


@pytest.mark.brother('E12')
def test_a_slash_at_the_end_follows_no_link_either(setup):
    state = setup.folder / 'state'
    state.symlink_to(state.rename(setup.folder / 'elsewhere'))
    setup.config.write_text(setup.config.read_text().replace('/state\n', '/state//\n'))
    refused(setup, STATE, f'{state} is a symbolic link')


@pytest.mark.brother('E12')
def test_a_link_to_a_file_of_the_administrator_is_followed(setup):
    for name in 'pool.yaml', 'poold.yaml', 'count':
        path = find(setup, name)
        path.symlink_to(path.rename(path.with_suffix('.real')))
    assert check(setup).returncode == 0
    path.resolve().chmod(0o777)
    refused(setup, CONFIG, "chmod go-w")


@pytest.mark.brother('E12')
def test_files_that_all_may_read_are_good(setup):
    for name in TRUSTED:
        find(setup, name).chmod(0o755)
    assert check(setup).returncode == 0
    setup.start_poold()
    assert setup.stop_poold() == 0


@pytest.mark.brother('E12')
def test_a_folder_like_tmp_may_hold_the_files(setup):
    (setup.folder / 'config').chmod(0o1777)
    (setup.folder / 'logs').chmod(0o1777)
    assert check(setup).returncode == 0


@pytest.mark.case('E12')
@pytest.mark.parametrize('name', ['state', 'logs'])
def test_what_poold_makes_is_for_its_user_alone(setup, name):
    shutil.rmtree(setup.folder / 'state')
    (setup.folder / 'logs/its.log').unlink()
    before = os.umask(0)
    try:
        setup.start_poold()
    finally:
        os.umask(before)
    assert setup.put('d1', {'reason': 'r'})[0] == 201
    setup.kill_poold()
    made = list((setup.folder / name).iterdir())
    assert made and {path.stat().st_mode & 0o777 for path in made} == {0o600}
    assert stat.S_IMODE((setup.folder / 'state').stat().st_mode) == 0o700
    for path in pathlib.Path(setup.folder).glob('*.lock'):
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.brother('E12')
def test_a_file_that_others_may_write_by_now_is_not_used(setup):
    setup.start_poold()
    setup.pool_file.write_text(setup.pool_file.read_text().replace('200ms', '300ms'))
    setup.pool_file.chmod(0o666)
    wait_until(lambda: setup.document()['config_problem'], 'it is said')
    assert 'may be written by everybody' in setup.document()['config_problem']
    setup.pool_file.chmod(0o644)
    setup.pool_file.touch()
    wait_until(lambda: 'is in use now' in (setup.folder / 'logs/its.log').read_text(),
               'it is in use')
