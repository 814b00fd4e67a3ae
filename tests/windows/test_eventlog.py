"""poold's events in the Windows Event Log: registered, readable, and with the right ids."""

import re
import subprocess

import pytest

from pool import SERVICE
from windows_pool import POOLD, WindowsPool
from wine import ROOT, windows_path

KEY = r'HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\poold'
LEVELS = {'INFO': 'information', 'WARNING': 'warning', 'ERROR': 'error'}

# id -> name, level, whether it goes there: the table of the product.
KINDS = {int(number): (name, LEVELS[level], is_for_event_log == 'true')
         for name, number, level, is_for_event_log in re.findall(
             r'^\t\[EVENT_\w+\] = {"(\w+)", (\d+), EVENT_LEVEL_(\w+), (true|false)},',
             (ROOT / 'common/event_kinds.c').read_text(), re.M)}


@pytest.fixture
def server(machine, tmp_path):
    pool = WindowsPool(tmp_path, [machine], settle='1s', tick='200ms')
    machine.install(SERVICE, pool.port)
    machine.start(SERVICE)
    yield pool.servers[0]
    machine.remove(SERVICE)


def registered(machine):
    """The values of the source's key, or None if there is no key."""
    done = machine.run(['reg', 'query', KEY], check=False)
    return dict(re.findall(r'^ +(\w+) +REG_\w+ +(.*)', done.stdout, re.M)) \
        if done.returncode == 0 else None


def test_the_source_comes_with_install_and_goes_with_uninstall(server):
    assert registered(server.machine) is None
    server.install_poold()
    assert registered(server.machine) == {
        'EventMessageFile': windows_path(POOLD), 'TypesSupported': '0x7'}
    server.poold('uninstall')
    assert registered(server.machine) is None


def test_poold_has_a_message_for_every_id():
    done = subprocess.run(['x86_64-w64-mingw32-windres', '-O', 'rc', POOLD],
                          capture_output=True, text=True, check=True)
    messages = re.findall(r'MessageId = 0x(\w+)\n +%1\\n', done.stdout)
    assert [int(number, 16) for number in messages] == sorted(KINDS)


def test_the_page_has_every_id():
    rows = re.findall(r'^\| (\d+) \| `(\w+)` \| (\w+) \|',
                      (ROOT / 'docs/windows.md').read_text(), re.M)
    assert [(int(number), name, level) for number, name, level in rows] == [
        (number, name, level) for number, (name, level, is_there) in KINDS.items() if is_there]
