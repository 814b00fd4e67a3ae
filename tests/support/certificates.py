"""Certificates for tests, made by openssl, and a pool whose poold serves TLS."""

import base64
import hashlib
import http.client
import pathlib
import ssl
import subprocess

import pytest

from sessions import LIMIT, wait_until
from simulated import SimulatedPool

NAMES = 'DNS:localhost,IP:127.0.1.1,IP:127.0.1.2'


def openssl(*args, **options):
    done = subprocess.run(['openssl', *map(str, args)], capture_output=True, timeout=60, **options)
    assert not done.returncode, done.stderr.decode()
    return done.stdout


class Pair:
    """A certificate and its key, as files."""

    def __init__(self, folder, name):
        self.certificate = pathlib.Path(folder) / f'{name}.pem'
        self.key = pathlib.Path(folder) / f'{name}.key'

    def pin(self):
        """As RFC 7469 has it, by openssl alone."""
        public = openssl('x509', '-in', self.certificate, '-noout', '-pubkey')
        der = openssl('pkey', '-pubin', '-outform', 'der', input=public)
        return 'sha256//' + base64.b64encode(hashlib.sha256(der).digest()).decode()

    def make_key(self, key):
        options = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'] if key == 'EC' \
            else ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']
        openssl('genpkey', *options, '-out', self.key)
        self.key.chmod(0o600)


def self_signed(folder, name, names=NAMES, days=90, key='EC'):
    pair = Pair(folder, name)
    pair.make_key(key)
    openssl('req', '-x509', '-key', pair.key, '-out', pair.certificate, '-days', days,
            '-subj', f'/CN={name}', '-addext', f'subjectAltName={names}')
    return pair


class Authority(Pair):
    """An authority of a test, which certifies what it is asked to."""

    def __init__(self, folder, name='authority', key='EC'):
        super().__init__(folder, name)
        self.folder = pathlib.Path(folder)
        self.make_key(key)
        openssl('req', '-x509', '-key', self.key, '-out', self.certificate, '-days', 90,
                '-subj', f'/CN={name}')

    def issue(self, name, names=NAMES, days=90, usage='serverAuth', subject=None, key='EC'):
        pair, request = Pair(self.folder, name), self.folder / f'{name}.csr'
        pair.make_key(key)
        openssl('req', '-new', '-key', pair.key, '-out', request, '-subj', subject or f'/CN={name}')
        extensions = self.folder / f'{name}.ext'
        extensions.write_text((f'subjectAltName={names}\n' if names else '') +
                              f'extendedKeyUsage={usage}\n')
        openssl('x509', '-req', '-in', request, '-CA', self.certificate, '-CAkey', self.key,
                '-CAcreateserial', '-days', days, '-extfile', extensions, '-out', pair.certificate)
        return pair


def put(source, place):
    """As a tool for certificates does it: the old file, or the new one."""
    fresh = place.with_name(place.name + '.fresh')
    fresh.write_bytes(source.read_bytes())
    fresh.chmod(0o600)
    fresh.rename(place)


class TlsPool(SimulatedPool):
    """Servers that serve TLS, each with `pair`; pool.yaml has `trust` for all of them."""

    def __init__(self, folder, pair, trust='', tls='', **options):
        self.trust = trust
        super().__init__(folder, **options)
        for server in self.servers:
            server.context = ssl._create_unverified_context()
            server.connection = lambda server=server: http.client.HTTPSConnection(
                server.address, self.api_port, timeout=LIMIT, context=server.context)
            server.pair = Pair(server.folder, 'server')
            self.present(server, pair)
            with open(server.config, 'a') as config:
                config.write('tls:\n  certificate: server.pem\n  key: server.key\n' + tls)

    def present(self, server, pair):
        put(pair.certificate, server.pair.certificate)
        put(pair.key, server.pair.key)

    def write(self):
        super().write()
        text = self.file.read_text().replace('url: http://', 'url: https://')
        self.file.write_text(text.replace('    servers:\n', f'{self.trust}    servers:\n'))


# ---- fixtures, which the tests import ----

@pytest.fixture(scope='session')
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp('authority'))


@pytest.fixture(scope='session')
def good(authority):
    return authority.issue('good')


@pytest.fixture
def make_tls_pool(tmp_path):
    """Makes a pool whose servers present a pair; poold and services end with the test."""
    made = []

    def make(pair, start=True, count=1, **options):
        options = {'settle': '200ms', 'tick': '50ms'} | options
        made.append(TlsPool(tmp_path, pair, count=count, **options))
        return made[-1].start() if start else made[-1]

    yield make
    for pool in made:
        pool.__exit__()


# ---- what is presented ----

def shown(server):
    """The certificate that the server presents now, as DER."""
    with ssl.create_connection((server.address, server.pool.api_port), timeout=LIMIT) as plain, \
            server.context.wrap_socket(plain) as secure:
        return secure.getpeercert(binary_form=True)


def der_of(pair):
    return ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())


def wait_shown(server, pair):
    wait_until(lambda: shown(server) == der_of(pair), f'{server.name} presents {pair.certificate}')
