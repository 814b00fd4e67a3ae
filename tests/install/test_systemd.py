"""The unit, and what poold tells systemd; a socket of the test's own plays systemd."""

import json
import os
import shutil
import socket
import subprocess

import pytest

import pool as pools
from sessions import LIMIT, wait_until

UNIT = pools.ROOT / 'daemon/packaging/poold.service'


@pytest.fixture
def listener(tmp_path):
    """Where systemd would listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / 'notify'))
        made.settimeout(LIMIT)
        yield made


def start(server, address, **more):
    server.start_poold({'NOTIFY_SOCKET': str(address)} | more)


def said(listener, wanted):
    """Whatever comes up to and with the wanted message."""
    messages = []
    while not messages or messages[-1] != wanted:
        messages.append(listener.recv(200).decode())
    return messages


@pytest.fixture
def stopped(make_pool):
    return make_pool(start=False).servers[0]


def test_it_says_ready_alive_and_stopping(stopped, listener):
    start(stopped, listener.getsockname(), WATCHDOG_USEC='60000000')
    assert said(listener, 'READY=1') == ['READY=1']
    assert said(listener, 'WATCHDOG=1') == said(listener, 'WATCHDOG=1') == ['WATCHDOG=1']
    stopped.poold.terminate()
    assert set(said(listener, 'STOPPING=1')) <= {'WATCHDOG=1', 'STOPPING=1'}
    assert stopped.poold.wait(60) == 0


def test_a_start_that_fails_is_never_ready(stopped, listener):
    with open(stopped.config, 'a') as config:
        config.write('listen: 192.0.2.1:1\n')
    stopped.launch_poold({'NOTIFY_SOCKET': listener.getsockname()})
    assert stopped.poold.wait(60) != 0
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.recv(200)


def test_an_abstract_socket(stopped):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        name = f'poolctl-{os.getpid()}'
        listener.bind(f'\0{name}')
        listener.settimeout(LIMIT)
        start(stopped, f'@{name}')
        assert said(listener, 'READY=1') == ['READY=1']


@pytest.mark.parametrize('more', [{}, {'WATCHDOG_USEC': '1000000', 'WATCHDOG_PID': '1'},
                                  {'WATCHDOG_USEC': '1000000', 'WATCHDOG_PID': 'x'}])
def test_a_watchdog_that_is_not_for_it(stopped, listener, more):
    start(stopped, listener.getsockname(), **more)
    said(listener, 'READY=1')
    stopped.stop_poold()
    assert said(listener, 'STOPPING=1') == ['STOPPING=1']


@pytest.mark.parametrize('address', ['/nowhere/at/all', '@', 'relative', '', '/' + 200 * 'x'])
def test_a_socket_that_is_not_there_stops_nothing(stopped, address):
    start(stopped, address, WATCHDOG_USEC='1000000')
    assert stopped.document()['phase'] == 'serving'
    assert stopped.stop_poold() == 0


def test_nobody_who_reads_stops_nothing(stopped, listener):
    start(stopped, listener.getsockname(), WATCHDOG_USEC='1000000')
    assert stopped.document()['phase'] == 'serving'
    assert stopped.stop_poold() == 0


def test_a_supervisor_that_is_blocked_is_not_alive(stopped, listener):
    """The main thread goes on; that is not enough."""
    start(stopped, listener.getsockname(), WATCHDOG_USEC='60000000')
    # The test's own service reads the same file, and is not needed here.
    stopped.service_process.stop()
    pipe = stopped.scm.path.with_suffix('.pipe')
    content = stopped.scm.path.read_text()
    os.mkfifo(pipe)
    os.rename(pipe, stopped.scm.path)
    wait_until(lambda: stopped.get('/v1/server')[0] == 503, 'the state is too old')
    listener.settimeout(5)
    with pytest.raises(TimeoutError):
        for _ in range(100):
            listener.recv(200)
    # Alive again when the call returns.
    fresh = stopped.scm.path.with_suffix('.fresh')
    fresh.write_text(content)
    with open(stopped.scm.path, 'w') as writer:
        os.rename(fresh, stopped.scm.path)
        writer.write(content)
    listener.settimeout(LIMIT)
    assert said(listener, 'WATCHDOG=1') == ['WATCHDOG=1']


def test_its_children_do_not_speak_for_it(stopped, listener):
    seen = stopped.folder / 'seen'
    count = stopped.folder / 'count'
    count.write_text(f'#!/bin/sh\nenv >{seen}.fresh; mv {seen}.fresh {seen}; echo 0\n')
    count.chmod(0o755)
    with open(stopped.config, 'a') as config:
        config.write(f'commands: [{{service: RTCSRV, run: [{count}], every: 100ms}}]\n')
    start(stopped, listener.getsockname(), WATCHDOG_USEC='60000000')
    wait_until(seen.exists, 'the command has run')
    text = seen.read_text()
    assert 'PATH=' in text and 'NOTIFY' not in text and 'WATCHDOG' not in text


# ---- the unit ----

@pytest.fixture
def unit(tmp_path):
    if not shutil.which('systemd-analyze'):
        pytest.skip('systemd is not installed')
    (tmp_path / 'poold').write_text('#!/bin/sh\n')
    (tmp_path / 'poold').chmod(0o755)
    text = UNIT.read_text().replace('@SBIN@', str(tmp_path))
    path = tmp_path / 'poold.service'
    # The man page is looked for on the machine.
    path.write_text(''.join(line for line in text.splitlines(True)
                            if not line.startswith('Documentation=')))
    return path


def test_the_unit_has_no_mistake(unit):
    done = subprocess.run(['systemd-analyze', 'verify', unit], capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, '')
    # It would have been seen.
    unit.write_text(unit.read_text().replace('ProtectHome', 'ProtectHouse'))
    done = subprocess.run(['systemd-analyze', 'verify', unit], capture_output=True, text=True)
    assert 'ProtectHouse' in done.stderr


def test_the_unit_is_well_protected(unit):
    def exposure():
        done = subprocess.run(['systemd-analyze', 'security', '--offline=yes', '--json=short',
                               '--threshold=15', unit], capture_output=True, text=True)
        assert json.loads(done.stdout)
        return done.returncode

    assert exposure() == 0
    unit.write_text(''.join(line for line in unit.read_text().splitlines(True)
                            if not line.startswith(('Protect', 'Private'))))
    assert exposure() != 0
