"""After resume: a real service is tried from outside, by poolctl and by poolctl.exe."""

import contextlib
import json

import pytest

from sessions import free_port
from windows_pool import WindowsPool
from wine import ROOT, windows_path


@pytest.fixture
def make(machine, tmp_path):
    """A pool of one server, whose service may listen somewhere else."""
    with contextlib.ExitStack() as stack:
        def begin(name, port=None):
            pool = WindowsPool(tmp_path, [machine], service=name, settle='1s', tick='200ms')
            server = pool.servers[0]
            machine.install(name, port or pool.port)
            stack.callback(machine.remove, name)
            machine.start(name)
            server.install_poold()
            stack.callback(server.poold, 'uninstall')
            return pool

        yield begin


def resume(pool, is_windows):
    words = ['resume', 'frontend01', '-o', 'json']
    if is_windows:
        done = pool.servers[0].machine.run([ROOT / 'build/windows/poolctl.exe', '--config',
                                            windows_path(pool.file), *words], check=False)
    else:
        done = pool.poolctl(*words)
    [result] = json.loads(done.stdout)
    assert done.returncode == result['exit_code']
    return result


def test_a_service_that_listens_on_another_port_is_not_verified(make):
    pool = make('ELSEWHERE', port=free_port(['127.0.1.1']))
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    for is_windows in False, True:
        result = resume(pool, is_windows)
        assert (result['exit_code'], result['result'], result['phase']) == (
            9, 'not_verified', 'serving')
        assert f'cannot connect to port {pool.port}' in result['message'], result['message']
    answer = pool.servers[0].machine.scm('query', 'ELSEWHERE')
    assert (answer['state'], answer['start_type']) == ('running', 'automatic')


def test_a_session_is_tried_as_the_probe_has_it(make):
    pool = make('PROBED')
    machine = pool.servers[0].machine
    plain = pool.file.read_text()
    for taken, code, words in (('READY', 0, None),
                               ('HELLO', 9, 'the answer was not the expected one')):
        pool.file.write_text(plain.replace('        ports:', (
            f'        probe: {{port: {pool.port}, every: 1h, taken: {taken}, timeout: 2s}}\n'
            '        ports:')))
        # It must know the services as poolctl does.
        machine.scm('stop', 'poold')
        machine.wait_state('poold', 'stopped')
        machine.scm('start', 'poold')
        pool.servers[0].wait_answer()
        for is_windows in False, True:
            result = resume(pool, is_windows)
            assert result['exit_code'] == code, result['message']
            [tried] = result['verified']['connect']
            assert tried['probe'] and tried['result'] == ('not_taken' if words else 'taken')
            assert not words or words in result['message']
