"""Which credential poolctl sends, where, and that nobody else sees it."""

import os
import socket
import stat
import threading

import pytest

from canned import CannedPool, view
from pool import LOCAL
from sessions import free_port

SECRET = 'poolctl_' + '5' * 64


@pytest.fixture
def pool(tmp_path):
    pool = CannedPool(tmp_path, 2)
    for server in pool.servers:
        server.replies['GET /v1/server'] = view(server.name)
    yield pool
    pool.close()


def token_file(path, text=SECRET + '\n', mode=0o600):
    path.write_text(text)
    path.chmod(mode)
    return path


def sent(server):
    """What the server got, without repetitions."""
    return sorted({str(each) for each in server.credentials})


def status(pool, *args, env=None):
    done = pool.poolctl('status', *args, env=os.environ | (env or {}))
    assert SECRET not in done.stdout + done.stderr
    assert '5' * 20 not in done.stdout + done.stderr
    return done


def test_without_a_credential_none_is_sent(pool):
    assert status(pool).returncode == 0
    assert sent(pool.servers[0]) == ['None']


def test_the_environment_gives_a_token(pool, tmp_path):
    assert status(pool, env={'POOLCTL_TOKEN': SECRET}).returncode == 0
    assert sent(pool.servers[0]) == [f'Bearer {SECRET}']
    pool.servers[1].credentials.clear()
    other = token_file(tmp_path / 'other', 'poolctl_other')
    assert status(pool, env={'POOLCTL_TOKEN_FILE': str(other)}).returncode == 0
    assert sent(pool.servers[1]) == ['Bearer poolctl_other']
    # The token itself is nearer than the name of a file.
    pool.servers[1].credentials.clear()
    status(pool, env={'POOLCTL_TOKEN_FILE': str(other), 'POOLCTL_TOKEN': SECRET})
    assert sent(pool.servers[1]) == [f'Bearer {SECRET}']


def test_a_pool_and_a_server_may_have_their_own(pool, tmp_path):
    token_file(tmp_path / 'pool.token')
    token_file(tmp_path / 'own.token', 'poolctl_own\r\n')
    pool.write('token_file: pool.token')
    pool.file.write_text(pool.file.read_text().replace(
        'frontend02: {', 'frontend02: {token_file: own.token, '))
    # What pool.yaml says of a server is for that server; the environment is for the rest.
    assert status(pool, env={'POOLCTL_TOKEN': 'poolctl_rest'}).returncode == 0
    assert sent(pool.servers[0]) == [f'Bearer {SECRET}']
    assert sent(pool.servers[1]) == ['Bearer poolctl_own']


@pytest.mark.parametrize('mode', [0o604, 0o622, 0o602])
def test_a_file_that_others_may_read_or_write_is_refused(pool, tmp_path, mode):
    path = token_file(tmp_path / 'token', mode=mode)
    pool.write(f'token_file: {path}')
    done = status(pool)
    assert done.returncode == 3, done.stdout
    assert str(path) in done.stdout and 'chmod' in done.stdout
    assert pool.servers[0].credentials == []


@pytest.mark.parametrize('text, words', [
    ('', 'has no token'), ('\n', 'has no token'), (f'{SECRET} {SECRET}', 'more than a token'),
    (f'{SECRET}\nX: y', 'more than a token'), (f'{SECRET}é', 'more than a token'),
    ('x' * 600, 'has no token'), ('x' * 5000, 'is larger than')])
def test_a_file_without_one_token_is_refused(pool, tmp_path, text, words):
    pool.write(f'token_file: {token_file(tmp_path / "token", text)}')
    done = status(pool)
    assert done.returncode == 3
    assert words in done.stdout
    assert pool.servers[0].credentials == []


def test_a_file_that_is_missing_is_named(pool, tmp_path):
    pool.write('token_file: nothing.token')
    done = status(pool)
    assert done.returncode == 3
    assert str(tmp_path / 'nothing.token') in done.stdout
    assert pool.servers[0].credentials == []


def test_no_token_goes_over_plain_http_to_another_machine(pool):
    text = pool.file.read_text()
    for url in 'http://192.0.2.1:8650', 'http://frontend01.example:8650', 'http://127.0.0.1.example':
        pool.file.write_text(text.replace(
            f'http://127.0.1.1:{pool.servers[0].port}', url))
        done = status(pool, 'frontend01', env={'POOLCTL_TOKEN': SECRET})
        assert done.returncode == 3
        assert 'https://' in done.stdout


def test_no_redirect_takes_a_token_elsewhere(pool):
    there = f'http://127.0.1.2:{pool.servers[1].port}/v1/server'
    pool.servers[0].replies['GET /v1/server'] = (
        f'HTTP/1.1 307 Moved\r\nLocation: {there}\r\nContent-Length: 0\r\n\r\n'.encode())
    assert status(pool, 'frontend01', env={'POOLCTL_TOKEN': SECRET}).returncode == 3
    assert pool.servers[1].credentials == []


def test_a_server_that_gives_the_token_back_does_not_have_it_shown(pool):
    pool.servers[0].replies['GET /v1/server'] = (401, {
        'title': 'no', 'detail': f'no: Bearer {SECRET}', 'code': 'x', 'exit_code': 3})
    assert status(pool, 'frontend01', env={'POOLCTL_TOKEN': SECRET}).returncode == 3


def local(server, text='poold_local_1', port=None):
    path = LOCAL / f'{server.address}-{port or server.port}'
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_the_local_credential_goes_to_its_own_address_alone(pool, tmp_path):
    path = local(pool.servers[0])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert status(pool).returncode == 0
    assert sent(pool.servers[0]) == ['Bearer poold_local_1']
    assert sent(pool.servers[1]) == ['None']
    # A token that somebody has named comes first; one that is not there stands back.
    pool.write('token_file: token')
    pool.servers[0].credentials.clear()
    assert status(pool, 'frontend01').returncode == 0
    token_file(tmp_path / 'token')
    assert status(pool, 'frontend01').returncode == 0
    assert pool.servers[0].credentials == ['Bearer poold_local_1', f'Bearer {SECRET}']
    path.unlink()


class OneConnection:
    """A program that takes one connection, closes the port, and answers 401 as long as it is
    asked; `before` is called before the first answer."""

    def __init__(self, address, port=0, before=lambda: None):
        self.listener = socket.create_server(
            (address, port), family=socket.AF_INET6 if ':' in address else socket.AF_INET)
        self.port, self.before, self.requests = self.listener.getsockname()[1], before, []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return
        self.listener.close()
        with connection:
            while request := connection.recv(65536):
                self.requests.append(request.decode())
                self.before()
                connection.sendall(b'HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n')

    def close(self):
        # It wakes who accepts.
        if self.listener.fileno() >= 0:
            self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(60)
        self.listener.close()


def lead_to(pool, server, url):
    text = pool.file.read_text()
    assert f'http://127.0.1.1:{server.port}' in text
    pool.file.write_text(text.replace(f'http://127.0.1.1:{server.port}', url))


@pytest.mark.parametrize('host', ['localhost', 'LocalHost', 'x@localhost'])
def test_localhost_is_127_0_0_1_alone(pool, host):
    """Where nothing answers there, another program may answer at ::1."""
    other = OneConnection('::1', free_port(['127.0.0.1']))
    path = LOCAL / f'127.0.0.1-{other.port}'
    path.write_text('poold_local_1')
    path.chmod(0o600)
    lead_to(pool, pool.servers[0], f'http://{host}:{other.port}')
    for env in {}, {'POOLCTL_TOKEN': SECRET}:
        assert status(pool, 'frontend01', env=env).returncode == 3
    other.close()
    assert other.requests == []
    there = OneConnection('127.0.0.1', other.port)
    assert status(pool, 'frontend01').returncode == 3
    there.close()
    assert 'Authorization: Bearer poold_local_1' in there.requests[0]
    path.unlink()


def test_a_new_local_credential_goes_to_who_has_the_port_now(pool):
    """A program that had the port before poold may keep a connection."""
    def begin_poold():
        path.write_text('poold_local_2')

    before = OneConnection('127.0.0.1', before=begin_poold)
    path = LOCAL / f'127.0.0.1-{before.port}'
    path.write_text('poold_local_1')
    path.chmod(0o600)
    lead_to(pool, pool.servers[0], f'http://127.0.0.1:{before.port}')
    assert status(pool, 'frontend01').returncode == 3
    before.close()
    assert len(before.requests) == 1 and 'poold_local_1' in before.requests[0]
    path.unlink()


def test_a_local_credential_that_others_may_write_is_none(pool):
    path = local(pool.servers[0])
    path.chmod(0o622)
    assert status(pool).returncode == 0
    assert sent(pool.servers[0]) == ['None']
    path.unlink()
