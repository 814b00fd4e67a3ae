"""The package for Windows Installer, as `make msi` builds it, under Wine's msiexec.

Wine's msiexec sends a service the stop and does not wait for it, as Windows' does; so a test
stops poold before an upgrade.  Wine does not do MsiConfigureServices and MsiLockPermissionsEx:
only their tables are looked at.
"""

import hashlib
import re
import shutil
import subprocess

import pytest

from pool import SERVICE
from windows_pool import WindowsPool
from wine import ROOT, Machine, windows_path

VERSION = re.search(r'^VERSION := (.*)$', (ROOT / 'Makefile').read_text(), re.M)[1]
NEXT = re.sub(r'\d+$', '9', VERSION)
PROGRAMS = 'drive_c/Program Files/poolctl'
DATA = 'drive_c/ProgramData/poolctl'

pytestmark = pytest.mark.skipif(not shutil.which('wixl') or not shutil.which('msibuild'),
                                reason='wixl or msitools is not installed')


def build(folder, programs, version):
    made = folder / f'{version}.msi'
    done = subprocess.run([ROOT / 'daemon/packaging/msi.sh', programs, version, made],
                          capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, '')
    return made


@pytest.fixture(scope='module')
def first(tmp_path_factory):
    return build(tmp_path_factory.mktemp('msi'), ROOT / 'build/windows', VERSION)


@pytest.fixture(scope='module')
def following(tmp_path_factory):
    """The same programs, which call themselves the next version."""
    folder = tmp_path_factory.mktemp('msi')
    for name in ('poold.exe', 'poolctl.exe'):
        text = (ROOT / 'build/windows' / name).read_bytes()
        assert VERSION.encode() + b'\0' in text
        for encoding in ('ascii', 'utf-16-le'):
            text = text.replace(f'{VERSION}\0'.encode(encoding), f'{NEXT}\0'.encode(encoding))
        (folder / name).write_bytes(text)
    return build(folder, folder, NEXT)


@pytest.fixture
def server(tmp_path):
    """A Windows server with a service, and the files for a poold that is not installed."""
    with Machine(tmp_path / 'machine') as machine:
        machine.boot()
        machine.run(['winecfg', '-v', 'win10'])
        pool = WindowsPool(tmp_path, [machine], settle='1s', tick='200ms')
        machine.install(SERVICE, pool.port)
        machine.start(SERVICE)
        yield pool.servers[0]


def msiexec(server, *args):
    return server.machine.run_once(['msiexec', *args, '/qn'], timeout=300).returncode


def install(server, package, *args):
    assert msiexec(server, '/i', windows_path(package), *args) == 0


def path_of(server):
    text = (server.machine.prefix / 'system.reg').read_text(errors='replace')
    section = text.split('Session Manager\\\\Environment]', 1)[1].split('\n[', 1)[0]
    return re.search(r'^"PATH"=.*$', section, re.M | re.I).group()


def stop_poold(server):
    server.machine.scm('stop', 'poold')
    server.machine.wait_state('poold', 'stopped')


def drain(server):
    done = server.pool.poolctl('drain', server.name, '--id', 'kb1', '--force=last,floor',
                               '--confirm', 'fe-pool01')
    assert done.returncode == 0, done.stderr


def is_drained(server):
    return (server.document()['phase'] == 'drained' and
            server.machine.scm('query', SERVICE)['state'] == 'paused')


def test_install_upgrade_while_drained_and_remove(server, first, following):
    machine = server.machine
    programs, data = machine.prefix / PROGRAMS, machine.prefix / DATA
    # Nobody has configured it: it is registered, and not started.
    install(server, first)
    assert {path.name for path in programs.iterdir()} == {'poold.exe', 'poolctl.exe'}
    assert machine.scm('query', 'poold')['state'] == 'stopped'
    assert machine.run([programs / 'poolctl.exe', 'version']).stdout == f'poolctl {VERSION}\n'

    server.configure_poold()
    machine.scm('start', 'poold')
    server.wait_answer()
    drain(server)
    config = (data / 'poold.yaml').read_text() + '# edited\n'
    (data / 'poold.yaml').write_text(config)
    stop_poold(server)

    install(server, following)
    assert machine.run([programs / 'poold.exe', 'version']).stdout == f'poold {NEXT}\n'
    machine.wait_state('poold', 'running')
    server.wait_answer()
    server.wait_phase('drained')
    assert is_drained(server) and server.document()['version'] == NEXT
    assert server.document()['drains'][0]['id'] == 'kb1'
    assert (data / 'poold.yaml').read_text() == config

    # The upgraded service starts at boot, and keeps the server out.
    machine.power_cut()
    machine.boot()
    server.wait_answer()
    server.wait_phase('drained')
    assert 'Program Files\\\\poolctl' in path_of(server)

    done = server.pool.poolctl('resume', server.name, '--all')
    assert done.returncode == 0, done.stderr
    assert machine.scm('query', SERVICE)['state'] == 'running'
    assert msiexec(server, '/x', windows_path(following)) == 0
    assert not (programs / 'poold.exe').exists() and not (programs / 'poolctl.exe').exists()
    assert machine.state('poold') == 'missing'
    assert (data / 'poold.yaml').read_text() == config and (data / 'state/poold.sqlite').exists()
    machine.power_cut()
    assert 'Program Files\\\\poolctl' not in path_of(server)


def test_it_is_not_removed_while_a_drain_is_active(server, first):
    server.configure_poold()
    install(server, first)
    server.wait_answer()
    drain(server)
    assert msiexec(server, '/x', windows_path(first)) != 0
    assert (server.machine.prefix / PROGRAMS / 'poold.exe').exists()
    assert server.machine.state('poold') == 'running' and is_drained(server)


def test_it_is_not_started_where_nobody_wants_that(server, first):
    server.configure_poold()
    install(server, first, 'STARTSERVICE=0')
    assert server.machine.scm('query', 'poold')['state'] == 'stopped'
    # The removal takes the service away, also where nobody has configured poold.
    (server.machine.prefix / DATA / 'poold.yaml').unlink()
    assert msiexec(server, '/x', windows_path(first)) == 0
    assert server.machine.state('poold') == 'missing'


def table(package, name):
    done = subprocess.run(['msiinfo', 'export', package, name], capture_output=True, text=True,
                          check=True)
    rows = [line.split('\t') for line in done.stdout.replace('\r', '').splitlines()]
    return [dict(zip(rows[0], row)) for row in rows[3:]]


def test_what_wine_does_not_do_is_in_the_tables(first):
    [lock] = table(first, 'MsiLockPermissionsEx')
    assert (lock['LockObject'], lock['SDDLText']) == ('DATADIR',
                                                      'D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)')
    [actions] = table(first, 'MsiServiceConfigFailureActions')
    assert (actions['Name'], actions['Actions'], actions['DelayActions']) == ('poold', '1', '5000')
    [service] = table(first, 'ServiceInstall')
    assert (service['StartType'], service['Arguments']) == ('2', 'service')
    # 256 for 64 bits, 128 never overwritten, 16 never removed.
    assert {row['Component']: row['Attributes'] for row in table(first, 'Component')} == {
        'poold': '256', 'poolctl': '256', 'data': '400'}
    sequence = {row['Action']: int(row['Sequence'])
                for row in table(first, 'InstallExecuteSequence')}
    order = ['AppSearch', 'InstallInitialize', 'release', 'InstallExecute', 'StopServices',
             'DeleteServices', 'InstallFiles', 'InstallServices', 'MsiConfigureServices', 'StartServices',
             'InstallExecuteAgain', 'RemoveExistingProducts', 'InstallFinalize']
    assert [action for action in sorted(sequence, key=sequence.get) if action in order] == order
    assert {row['File']: row['Version'] for row in table(first, 'File')} == {
        name: f'{VERSION}.0' for name in ('poold.exe', 'poolctl.exe')}
    assert table(first, 'MsiFileHash') == []


def test_the_same_programs_give_the_same_package(first, tmp_path, monkeypatch):
    monkeypatch.setenv('TZ', 'Asia/Tokyo')
    programs = tmp_path / 'programs'
    shutil.copytree(ROOT / 'build/windows', programs, ignore=shutil.ignore_patterns('obj', 'tests'))
    again = build(tmp_path / 'elsewhere', programs, VERSION)
    assert hashlib.sha256(again.read_bytes()).digest() == \
        hashlib.sha256(first.read_bytes()).digest()
