"""The commands in README and the runbooks, run as they stand there, one after the other."""

import os
import re
import shutil
import subprocess

import pytest

import pool as pool_module
import simulated

ROOT = pool_module.ROOT
BLOCK = re.compile(r'^```(console|sh)\n(.*?)^```', re.M | re.S)


def blocks(page):
    """The scripts of a page: a console block is one for each line that begins with '$'."""
    for kind, text in BLOCK.findall((ROOT / page).read_text()):
        if kind == 'sh':
            yield text
        else:
            yield from re.findall(r'^\$ (.*)$', text, re.M)


@pytest.mark.parametrize('page', ['README.md', 'docs/runbooks.md'])
def test_every_command_works(make_pool, page, tmp_path):
    pool = make_pool(count=3)
    programs = tmp_path / 'bin'
    programs.mkdir()
    shutil.copy(pool_module.POOLCTL, programs / 'poolctl')
    shutil.copy(simulated.POOLD, programs / 'poold')
    (programs / 'patch-server').write_text('#!/bin/sh\necho "patched $1"\n')
    (programs / 'patch-server').chmod(0o755)
    env = os.environ | {'PATH': f'{programs}:{os.environ["PATH"]}',
                        'POOLCTL_CONFIG': str(pool.file)}
    scripts = list(blocks(page))
    assert len(scripts) > 2
    for script in scripts:
        done = subprocess.run(['bash', '-c', script], env=env, cwd=tmp_path, timeout=120,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              check=False)
        assert done.returncode == 0, (script, done.stdout, done.stderr)
    for server in pool.servers:
        assert server.scm.says() == ('running', 'automatic', True)


def test_the_demo_ends_with_what_to_try_next():
    done = subprocess.run(['/usr/bin/python3', ROOT / 'tests/system/demo.py'],
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'drained (24 sessions ended, 0 cut' in done.stdout
    assert 'What to try next' in done.stdout


@pytest.mark.parametrize('page', ['README.md', *sorted(
    f'docs/{path.name}' for path in (ROOT / 'docs').glob('*.md'))])
def test_links_lead_somewhere(page):
    for target in re.findall(r'\]\(([^)#]+?)(?:#[^)]*)?\)', (ROOT / page).read_text()):
        if '://' not in target:
            assert (ROOT / page).parent.joinpath(target).exists(), target


def test_the_readme_names_every_make_target_that_it_shows():
    known = (ROOT / 'Makefile').read_text()
    for target in re.findall(r'make ([a-z-]+)', (ROOT / 'README.md').read_text()):
        assert re.search(rf'^{target}:', known, re.M), target


def test_make_install_puts_everything_in_its_place(tmp_path):
    done = subprocess.run(['make', '-C', ROOT, 'install', f'DESTDIR={tmp_path}', 'PREFIX=/opt/p'],
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    for path in ('bin/poolctl', 'sbin/poold', 'share/doc/poolctl/runbooks.md'):
        assert (tmp_path / 'opt/p' / path).exists()
    version = subprocess.run([tmp_path / 'opt/p/bin/poolctl', 'version'], capture_output=True,
                             text=True, check=True)
    assert re.fullmatch(r'poolctl \d+\.\d+\.\d+\n', version.stdout)
