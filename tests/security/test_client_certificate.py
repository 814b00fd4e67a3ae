"""Who a client is by its certificate: the name and the role that poold.yaml gives it, or nobody."""

import contextlib
import http.client
import json
import os
import pathlib
import ssl
import subprocess
import time

import pytest

from certificates import Authority, authority, good, put, self_signed  # noqa: F401
from sessions import LIMIT, wait_until

PROGRAM = pathlib.Path(os.environ.get('POOLCTL_SERVE_TLS', 'build/native/tests/serve_tls')).resolve()
CLIENTS = '''
  clients:
    - {san: runner7.contoso.com, name: ci, role: operator}
    - {subject: 'CN=alice,O=Contoso', name: alice, role: admin}
    - {san: 'spiffe://contoso/watch', name: watch, role: viewer}
    - {san: bob@contoso.com, name: bob, role: viewer}
'''
SUBJECT = '/O=Contoso/CN=alice'


@pytest.fixture(scope='session')
def clients(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp('clients'), 'clients')


@pytest.fixture(scope='session')
def shown(clients, tmp_path_factory):
    """What clients show."""
    folder = tmp_path_factory.mktemp('shown')
    stranger = Authority(folder, 'stranger')
    issue = clients.issue
    return {
        'ci': issue('ci', 'DNS:desk,DNS:Runner7.contoso.com', usage='clientAuth'),
        'ci_rsa': issue('ci_rsa', 'DNS:runner7.contoso.com', usage='clientAuth', key='RSA'),
        'alice': issue('alice', None, usage='clientAuth', subject=SUBJECT),
        'watch': issue('watch', 'URI:spiffe://contoso/watch', usage='clientAuth'),
        'bob': issue('bob', 'email:bob@contoso.com', usage='clientAuth'),
        'unknown': issue('unknown', 'DNS:runner8.contoso.com', usage='clientAuth'),
        'longer': issue('longer', 'DNS:runner7.contoso.com.evil.example', usage='clientAuth'),
        'other_kind': issue('other_kind', 'DNS:bob', usage='clientAuth',
                            subject='/CN=runner7.contoso.com'),
        'more_subject': issue('more', None, usage='clientAuth', subject='/O=Contoso/CN=alice/CN=x'),
        'expired': issue('old', 'DNS:runner7.contoso.com', usage='clientAuth', days=-1),
        'server': issue('server', 'DNS:runner7.contoso.com', usage='serverAuth'),
        'stranger': stranger.issue('s', 'DNS:runner7.contoso.com', usage='clientAuth'),
        'self': self_signed(folder, 'self', 'DNS:runner7.contoso.com'),
    }


class Server:
    def __init__(self, folder, clients, good, tls=CLIENTS):
        self.folder = pathlib.Path(folder)
        put(clients.certificate, self.folder / 'clients.pem')
        config = self.folder / 'poold.yaml'
        config.write_text(f'server: frontend01\ntls:\n  certificate: {good.certificate}\n'
                          f'  key: {good.key}\n' + ('  client_ca: clients.pem' if tls else '') + tls)
        self.process = subprocess.Popen([PROGRAM, config], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def connect(self, pair=None, version=None):
        context = ssl._create_unverified_context()
        if pair:
            context.load_cert_chain(pair.certificate, pair.key)
        if version:
            context.maximum_version = version
        return http.client.HTTPSConnection('127.0.0.1', self.port, timeout=LIMIT, context=context)

    def who(self, pair=None, version=None):
        with contextlib.closing(self.connect(pair, version)) as connection:
            return ask(connection)

    def step(self):
        """Lets it look at its files."""
        self.process.stdin.write('\n')
        self.process.stdin.flush()
        time.sleep(0.05)

    def close(self):
        self.process.stdin.close()
        assert not self.process.wait(LIMIT)
        self.process.stdout.close()


def ask(connection):
    connection.request('GET', '/')
    return json.loads(connection.getresponse().read())


@pytest.fixture
def server(tmp_path, clients, good):
    with contextlib.closing(Server(tmp_path, clients, good)) as server:
        yield server


VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.mark.parametrize('version', VERSIONS, ids=['1.2', '1.3'])
def test_who_is_in_the_list_has_a_name_and_a_role(server, shown, version):
    known = {'ci': ('ci', 2), 'ci_rsa': ('ci', 2), 'alice': ('alice', 3), 'watch': ('watch', 1),
             'bob': ('bob', 1)}
    for pair, (name, role) in known.items():
        assert server.who(shown[pair], version) == {'name': name, 'role': role}, pair
    for pair in shown.keys() - known.keys():
        assert server.who(shown[pair], version) is None, pair
    assert server.who(None, version) is None


def test_without_client_ca_nobody_is_asked(tmp_path, clients, good, shown):
    with contextlib.closing(Server(tmp_path, clients, good, tls='')) as server:
        assert server.who(shown['ci']) is None


def test_an_authority_that_is_removed_ends_open_connections_rights(server, shown, tmp_path):
    (tmp_path / 'new').mkdir()
    fresh = Authority(tmp_path / 'new', 'fresh')
    with contextlib.closing(server.connect(shown['ci'])) as connection:
        assert ask(connection)['name'] == 'ci'
        put(fresh.certificate, server.folder / 'clients.pem')

        def is_nobody():
            server.step()
            return ask(connection) is None
        wait_until(is_nobody, 'the old authority does not count')
        socket = connection.sock
        assert ask(connection) is None and connection.sock is socket
    renewed = fresh.issue('ci', 'DNS:runner7.contoso.com', usage='clientAuth')
    assert server.who(renewed) == {'name': 'ci', 'role': 2}
