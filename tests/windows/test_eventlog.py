"""poold's events in the Windows Event Log: registered, readable, and with the right ids.

Wine keeps no Event Log; it traces what ReportEvent is given.
"""

import contextlib
import re
import subprocess

from sessions import wait_until
from windows_pool import POOLD
from wine import ROOT, windows_path

KEY = r'HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\poold'
LEVELS = {'INFO': 'information', 'WARNING': 'warning', 'ERROR': 'error'}

# id -> name, level, whether it goes there: the table of the product.
KINDS = {int(number): (name, LEVELS[level], is_for_event_log == 'true')
         for name, number, level, is_for_event_log in re.findall(
             r'^\t\[EVENT_\w+\] = {"(\w+)", (\d+), EVENT_LEVEL_(\w+), (true|false)},',
             (ROOT / 'common/event_kind.c').read_text(), re.M)}


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


# What EVENTLOG_…_TYPE is in winnt.h.
TYPES = {'error': 1, 'warning': 2, 'information': 4}


def traced(path):
    """The events given to ReportEvent so far: id, type, text."""
    trace = path.read_text(errors='replace')
    calls = re.findall(r'ReportEventW \(\w+,0x(\w{4}),0x0000,0x(\w{8}),', trace)
    texts = re.findall(r'ReportEventW L"(.*)"$', trace, re.M)
    return [(int(number, 16), int(kind, 16), text)
            for (kind, number), text in zip(calls, texts)]


@contextlib.contextmanager
def poold_in_the_foreground(server, folder):
    """Gives the file that Wine traces into; the end of poold is that of the block."""
    config, trace = folder / 'poold.yaml', folder / 'trace'
    config.write_text(f"server: {server.name}\npool_file: '{windows_path(server.pool.file)}'\n"
                      f"state_dir: '{windows_path(folder / 'state')}'\ntick: 200ms\n")
    with open(trace, 'w') as stderr:
        poold = server.machine.popen(
            [POOLD, 'run', '--config', windows_path(config)], stderr=stderr,
            env={'WINEDEBUG': '-all,fixme+advapi,+eventlog'})
    try:
        server.wait_answer()
        yield trace
    finally:
        poold.kill()
        poold.communicate()


def test_a_drain_is_in_the_event_log(server, tmp_path):
    with poold_in_the_foreground(server, tmp_path) as trace:
        drained = server.pool.poolctl('drain', 'frontend01', '--reason', 'Prüfung, 50%1')
        assert drained.returncode == 0, drained.stderr
        assert server.pool.poolctl('resume', 'frontend01').returncode == 0
        wait_until(lambda: 23 in [number for number, _, _ in traced(trace)], 'restored')
    events = traced(trace)
    steps = [number for number, _, _ in events if number in (10, 20, 12, 23)]
    assert steps == [10, 20, 12, 23]
    for number, event_type, text in events:
        _, level, is_for_event_log = KINDS[number]
        assert is_for_event_log and event_type == TYPES[level], (number, text)
    # The reason is there, and nothing in it that Event Viewer takes for an insertion.
    created = next(text for number, _, text in events if number == 10)
    assert r'Pr\00fcfung, 50\ff051' in created
