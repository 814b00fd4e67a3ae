"""The commands in README and the runbooks, run as they stand there, one after the other."""

import os
import re
import shlex
import shutil
import subprocess

import pytest

import pool as pool_module
import simulated
from sessions import free_port

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
    (programs / 'patch-with-our-tool').write_text('#!/bin/sh\necho "patched $1"\n')
    (programs / 'patch-with-our-tool').chmod(0o755)
    (tmp_path / 'docs').symlink_to(ROOT / 'docs')
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


def test_the_quick_start_says_what_happens(tmp_path):
    """All of it in one shell, on free ports; durations may differ."""
    text = (ROOT / 'docs/start.md').read_text().split('## Quick start on Linux')[1].split('## ')[0]
    ports = {f'865{i}': str(free_port(('127.0.0.1',))) for i in (1, 2)}
    text = text.replace("865$i", '$(eval echo \\$port$i)')
    for name, port in ports.items():
        text = text.replace(name, port)
    pool_yaml, start, console = re.findall(r'^```(?:yaml|sh|console)\n(.*?)^```', text, re.M | re.S)
    (tmp_path / 'pool.yaml').write_text(pool_yaml)
    script = ''.join(f'port{i}={port}\n' for i, port in enumerate(ports.values(), 1)) + start
    script += 'trap "kill 0" EXIT\nfor i in $(seq 50); do poolctl status && break; sleep 0.1; done >/dev/null\nexec 2>&1\n'
    expected = []
    for line in console.splitlines():
        if line.startswith('$ '):
            script += f'echo {shlex.quote(line)}\n{line[2:]}\n'
        expected.append(line)
    folder = pool_module.POOLCTL.parent
    done = subprocess.run(['bash', '-c', script], cwd=tmp_path, capture_output=True, text=True,
                          start_new_session=True,
                          env=os.environ | {'PATH': f'{folder}:{os.environ["PATH"]}'}, timeout=60,
                          check=False)
    said = [re.sub(r'\b\d+s\b', 'Ns', line) for line in done.stdout.splitlines()]
    for line in expected:
        assert re.sub(r'\b\d+s\b', 'Ns', line) in said, (line, done.stdout, done.stderr)


def test_the_demo_ends_with_what_to_try_next():
    done = subprocess.run(['/usr/bin/python3', ROOT / 'tests/demo/demo.py'],
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
    for path in ('bin/poolctl', 'sbin/poold', 'share/doc/poolctl/docs/runbooks.md',
                 'share/doc/poolctl/docs/demo.svg'):
        assert (tmp_path / 'opt/p' / path).exists()
    version = subprocess.run([tmp_path / 'opt/p/bin/poolctl', 'version'], capture_output=True,
                             text=True, check=True)
    assert re.fullmatch(r'poolctl \d+\.\d+\.\d+\n', version.stdout)


@pytest.mark.parametrize('page', sorted(path.name for path in (ROOT / 'docs').glob('*.md')))
def test_every_file_that_a_page_names_is_there(page):
    """A path with a folder of the project, or the name of a C file, in backticks."""
    known = {path.name for folder in ('common', 'pool-config', 'ctl', 'daemon', 'tests')
             for path in (ROOT / folder).rglob('*.*')}
    text = (ROOT / 'docs' / page).read_text()
    for path in re.findall(r'`((?:common|pool-config|ctl|daemon|tests|docs)/[\w./*-]*)`', text):
        assert list(ROOT.glob(path.rstrip('/'))), path
    for name in re.findall(r'`(\w+\.[ch])`', text):
        assert name in known, name


def test_the_runbook_explains_messages_that_there_are():
    section = (ROOT / 'docs/runbooks.md').read_text().split('## When a server needs attention')[1]
    table = section.split('\n## ')[0]
    states = (ROOT / 'docs/states.md').read_text()
    messages = [message for row in re.findall(r'^\| (.*?) \|', table, re.M)[2:]
                for message in row.split('; ')]
    assert len(messages) > 8
    for message in messages:
        assert message in states, message
