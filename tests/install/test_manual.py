"""The man pages: good for mandoc and groff, and as complete as the programs."""

import json
import os
import re
import shutil
import subprocess

import pytest

import pool as pools
from simulated import POOLD

PAGES = {'poolctl': 1, 'poold': 8, 'pool.yaml': 5, 'poold.yaml': 5}


@pytest.fixture(scope='session')
def manual(tmp_path_factory):
    """A folder with the pages."""
    folder = tmp_path_factory.mktemp('manual')
    subprocess.run(['/usr/bin/python3', pools.ROOT / 'docs/man/fill.py', pools.POOLCTL, POOLD, folder],
                   check=True)
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f'{name}.{section}' for name, section in PAGES.items())
    return folder


def plain(page):
    done = subprocess.run(['mandoc', '-T', 'utf8', '-O', 'width=200', page], capture_output=True,
                          check=True)
    return re.sub('.\b', '', done.stdout.decode())


@pytest.mark.parametrize('page', [f'{name}.{section}' for name, section in PAGES.items()])
def test_mandoc_and_groff_have_nothing_to_say(manual, page):
    if not shutil.which('mandoc') or not shutil.which('groff'):
        pytest.skip('mandoc or groff is not installed')
    done = subprocess.run(['mandoc', '-T', 'lint', '-W', 'all', manual / page],
                          capture_output=True, text=True)
    # Pages that are not installed are not found: see the next test for these.
    found = [line for line in (done.stdout + done.stderr).splitlines()
             if 'referenced manual not found' not in line and 'mandoc.db' not in line]
    assert found == []
    done = subprocess.run(['groff', '-mandoc', '-Tutf8', '-Kutf8', '-ww', '-z', manual / page],
                          capture_output=True, text=True, env=os.environ | {'LC_ALL': 'C.UTF-8'})
    assert (done.returncode, done.stderr) == (0, '')


def test_the_pages_refer_to_each_other_only(manual):
    for page in manual.iterdir():
        for name, section in re.findall(r'^\.Xr (\S+) (\d)', page.read_text(), re.M):
            assert PAGES[name] == int(section), (page, name)


@pytest.mark.parametrize('program,path', [('poolctl', pools.POOLCTL), ('poold', POOLD)])
def test_every_command_and_option_is_there(manual, program, path):
    said = json.loads(subprocess.run([path, 'help', '-o', 'json'], capture_output=True,
                                     check=True).stdout)
    text = plain(manual / f'{program}.{PAGES[program]}')
    assert len(said['commands']) > 8
    for command in said['commands']:
        assert re.search(rf'^ +{command["command"]}\b', text, re.M), command
        for option in command['options'] + said['options']:
            assert f'--{option["option"]}' in text, option


@pytest.mark.parametrize('file,root', [('pool.yaml', 'pools'), ('poold.yaml', 'server')])
def test_every_key_is_there(manual, file, root):
    rows = json.loads(subprocess.run([pools.POOLCTL, 'config', 'reference', '-o', 'json'],
                                     capture_output=True, check=True).stdout)
    files = [row['section'] for row in rows if row['section'].endswith('.yaml')]
    text, other = plain(manual / f'{file}.5'), True
    count = 0
    for row in rows:
        other = row['section'] != file if row['section'] in files else other
        if not other:
            count += 1
            assert re.search(rf'^ +{row["key"]}\b', text, re.M), row
            assert ' '.join(row['help'].replace('`', '').split()[:4])[1:] in \
                re.sub(r'\s+', ' ', text), row
    assert count > 10 and re.search(rf'^ +{root}\b', text, re.M)


@pytest.mark.parametrize('page,source,count', [('poolctl.1', 'api.md', 11),
                                               ('poold.8', 'install.md', 9)])
def test_every_exit_code_is_there(manual, page, source, count):
    table = (pools.ROOT / 'docs' / source).read_text().split('| exit | meaning |')[1]
    statuses = re.findall(r'^\| (\d+) \|', table.split('\n\n')[0], re.M)
    assert len(statuses) >= count
    text = plain(manual / page).split('EXIT STATUS')[1]
    for status in statuses:
        assert re.search(rf'^ +{status} ', text, re.M), status
