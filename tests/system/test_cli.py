"""poolctl's command line: help, mistakes, output, and peers that talk nonsense."""

import json
import os
import re
import socket
import subprocess
import threading

import pytest

from pool import POOLCTL, ROOT
from sessions import wait_until
from terminal import run_on_terminal

COMMANDS = ['status', 'drain', 'resume', 'wait', 'events', 'version']


@pytest.mark.parametrize('command', COMMANDS)
def test_each_command_has_help(command):
    done = subprocess.run([POOLCTL, command, '--help'], capture_output=True, text=True,
                          check=True)
    assert done.stdout.startswith(f'Usage: poolctl {command}')
    overview = subprocess.run([POOLCTL, '--help'], capture_output=True, text=True, check=True)
    assert command in overview.stdout


@pytest.mark.parametrize('args, words', [
    ([], ['Usage']),
    (['drian', 'frontend01'], ["'drian'", "'drain'"]),
    (['drain'], ['SERVER']),
    (['drain', 'frontend01', '--resaon', 'x'], ['--resaon', '--reason']),
    (['drain', 'frontend01', '--timeout', '5'], ['--timeout', '5']),
    (['drain', 'frontent01'], ["'frontent01'", "'frontend01'"]),
    (['drain', 'fe-pool01'], ['fe-pool01', 'servers']),
    (['drain', 'frontend01', '--id', 'a b'], ['a b']),
    (['wait', 'frontend01'], ['--for']),
    (['wait', 'frontend01', '--for', 'lunch'], ['lunch', 'drained']),
    (['status', '-o', 'xml'], ['xml', 'json']),
    (['resume', 'frontend01', '--id', 'x', '--all'], ['--all']),
])
def test_a_wrong_command_line_changes_nothing_and_says_what(pool, server, args, words):
    done = pool.poolctl(*args)
    assert done.returncode == 2
    for word in words:
        assert word in done.stderr, done.stderr
    assert server.scm.says() == ('running', 'automatic', True)


def test_the_steps_of_an_operation_are_those_in_the_docs():
    printed = subprocess.run([POOLCTL, '--dump-operation'], capture_output=True, text=True,
                             check=True)
    assert printed.stdout in (ROOT / 'docs/operation.md').read_text()
    assert printed.stdout.count('\n') > 10


def test_mistakes_in_pool_yaml_are_told_with_their_place(pool):
    pool.file.write_text(pool.file.read_text().replace('settle:', 'settel:'))
    done = pool.poolctl('status')
    assert done.returncode == 2
    assert re.search(r"pool.yaml:3:5: .*'settel'.*did you mean 'settle'", done.stderr)


def test_the_pool_file_may_come_from_the_environment(pool):
    done = subprocess.run([POOLCTL, 'status'], capture_output=True, text=True, check=False,
                          env=os.environ | {'POOLCTL_CONFIG': str(pool.file)})
    assert done.returncode == 0 and 'frontend01' in done.stdout
    missing = subprocess.run([POOLCTL, 'status', '--config', '/nowhere.yaml'],
                             capture_output=True, text=True, check=False)
    assert missing.returncode == 2 and '/nowhere.yaml' in missing.stderr


def test_json_output_is_json_and_alone_on_standard_output(pool):
    for form in ('json', 'jsonl'):
        drained = pool.poolctl('drain', 'frontend01', '-o', form)
        result = json.loads(drained.stdout)
        result = result[0] if form == 'json' else result
        assert result['server'] == 'frontend01' and result['exit_code'] == 0
    status = json.loads(pool.poolctl('status', '-o', 'json').stdout)
    assert status['pools'][0]['servers'][0]['phase'] == 'drained'


@pytest.mark.parametrize('columns', [40, 80, 200])
def test_a_terminal_gets_lines_that_fit(pool, server, columns):
    session = server.session()
    timer = threading.Timer(1.5, session.end)
    timer.start()
    text, status = run_on_terminal([POOLCTL, '--config', pool.file, 'drain', 'frontend01'],
                                   columns)
    assert status == 0, text
    assert '\x1b[' in text and 'drained' in text
    plain = re.sub(r'\x1b\[[0-9;?]*[A-Za-z]', '', text)
    # The last line is the result; those before it are redrawn in place.
    for line in re.split(r'[\r\n]+', plain)[:-2]:
        assert len(line) <= columns, line


def test_no_colour_when_asked(pool):
    for options, env in ((['--no-color'], {}), ([], {'NO_COLOR': '1'})):
        text, _ = run_on_terminal([POOLCTL, '--config', pool.file, 'status', *options], 80, env)
        assert not re.search(r'\x1b\[[0-9;]*m', text)


def test_a_pipe_gets_plain_lines(pool):
    done = pool.poolctl('drain', 'frontend01')
    assert '\x1b' not in done.stdout + done.stderr


class Peer:
    """Something at poold's address that is no poold."""

    def __init__(self, address, reply):
        self.listener = socket.socket()
        self.listener.bind((address, 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        self.reply, self.held = reply, []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.held.append(connection)
            if self.reply is not None:
                connection.recv(65536)
                connection.sendall(self.reply)
                connection.close()

    def close(self):
        self.listener.close()
        for connection in self.held:
            connection.close()


def http_reply(body, content_type='application/json', status='200 OK'):
    head = f'HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}'
    return head.encode() + b'\r\nConnection: close\r\n\r\n' + body


@pytest.mark.parametrize('reply', [
    http_reply(b'<html>It works!</html>', 'text/html'), http_reply(b'{'), http_reply(b'[]'),
    http_reply(b'{"server":7}'), http_reply(b'{"server":"x","phase":"drained"}'),
    http_reply(b'', status='204 No Content'), b'SSH-2.0-OpenSSH_9.2\r\n', b'',
    http_reply(b'{"a":"' + b'x' * 5_000_000 + b'"}'),
    http_reply(b'moved', status='302 Found\r\nLocation: http://127.0.0.1:1/'),
    http_reply(b'no', 'text/plain', '500 Oops'),
], ids=['html', 'cut off', 'list', 'wrong type', 'fields missing', 'empty', 'ssh', 'nothing',
        'too large', 'redirect', 'failure'])
def test_a_peer_that_is_no_poold_is_never_believed(pool, server, reply):
    peer = Peer(server.address, reply)
    pool.file.write_text(pool.file.read_text().replace(str(pool.api_port), str(peer.port)))
    for args in (['status'], ['wait', 'frontend01', '--for', 'drained', '--timeout', '2s']):
        done = pool.poolctl(*args)
        assert done.returncode not in (0, 139, 134), done
        assert 'frontend01' in done.stderr + done.stdout
    peer.close()


def test_a_peer_that_never_answers_costs_its_time_limit(pool, server):
    peer = Peer(server.address, None)
    pool.file.write_text(pool.file.read_text().replace(str(pool.api_port), str(peer.port)))
    done = pool.poolctl('status', timeout=60)
    assert done.returncode == 3
    peer.close()


def test_control_characters_of_a_peer_do_not_reach_the_terminal(pool, server):
    server.scm.change(display_name='x\x1b[31mred\x07', state='stopped')
    wait_until(lambda: server.document()['phase'] == 'attention', 'attention')
    server.put('kb1', {'reason': 'r', 'owner': 'ev\u009bil'})
    text, _ = run_on_terminal([POOLCTL, '--config', pool.file, 'status', '--no-color'], 120)
    assert '\x07' not in text and '\u009b' not in text
