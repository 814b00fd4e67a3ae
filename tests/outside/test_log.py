"""The log of poold where nobody reads it, or where it cannot be written: cases H8 and E8."""

import fcntl
import os
import subprocess

import pytest

from sessions import wait_until
from simulated import POOLD

OUT = ('paused', 'manual', True)
BODY = {'reason': 'patch day', 'owner': 'alice'}
PIPE_BYTES = 4096


@pytest.fixture
def unread(make_pool):
    """A server whose poold writes into a pipe that is full, and the end to read from."""
    server = make_pool(start=False).servers[0]
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    os.write(write, b'x' * PIPE_BYTES)
    server.poold = subprocess.Popen([POOLD, 'run', '--config', server.config], stderr=write,
                                    stdin=subprocess.DEVNULL)
    os.close(write)
    yield server, read
    os.close(read)


def guards(server):
    assert server.put('kb1', BODY)[0] == 201
    server.wait_phase('drained')
    server.scm.change(state='running')
    wait_until(lambda: server.scm.says() == OUT, 'out again', 10)


@pytest.mark.case('H8')
def test_a_log_that_nobody_reads_does_not_hold_poold(unread):
    server, read = unread
    server.wait_answer()
    guards(server)
    text = os.read(read, PIPE_BYTES)
    while b'drift' not in text and b'somebody else changed' not in text:
        text = os.read(read, PIPE_BYTES)
    assert server.stop_poold() == 0


@pytest.mark.brother('H8')
def test_a_log_that_nobody_reads_does_not_prevent_the_stop(unread):
    server, _ = unread
    server.wait_answer()
    assert server.stop_poold() == 0


@pytest.mark.brother('H8')
def test_a_log_file_that_hangs_does_not_hold_poold(make_pool):
    """Opening a pipe without a reader waits, as a file on a share does that hangs."""
    server = make_pool(start=False).servers[0]
    log = server.folder / 'its.log'
    os.mkfifo(log)
    server.config.write_text(server.config.read_text() + f'log_file: {log}\n')
    server.start_poold()
    guards(server)
    assert server.stop_poold() == 0


@pytest.mark.brother('H10')
def test_a_log_file_that_cannot_be_opened_is_used_once_it_can(make_pool):
    server = make_pool(start=False).servers[0]
    log = server.folder / 'later/its.log'
    server.config.write_text(server.config.read_text() + f'log_file: {log}\n')
    server.start_poold()
    assert 'cannot open' in server.log() and str(log) in server.log()
    log.parent.mkdir()
    guards(server)
    wait_until(lambda: 'drift' in log.read_text() or 'out again' in log.read_text(), 'it is written')
    assert server.stop_poold() == 0


@pytest.mark.case('E8')
def test_the_log_stays_under_its_limit(make_pool):
    server = make_pool(start=False).servers[0]
    log = server.folder / 'its.log'
    log.write_bytes(b'x' * 79 + b'\n' * ((8 << 20) - 1))
    server.config.write_text(server.config.read_text() + f'log_file: {log}\n')
    server.start_poold()
    guards(server)
    assert server.stop_poold() == 0
    older = server.folder / 'its.log.1'
    assert older.stat().st_size >= 8 << 20 and log.stat().st_size < 1 << 20
