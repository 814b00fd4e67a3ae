"""`poold tls init`: what it writes serves, and what it prints is what poolctl needs."""

import re

import pytest

from certificates import Pair, openssl
from simulated import SimulatedPool


@pytest.fixture
def scene(tmp_path):
    with SimulatedPool(tmp_path, 1, settle='200ms', tick='50ms') as pool:
        pool.file.write_text(pool.file.read_text().replace('http://127.0.1.1', 'https://localhost'))
        pool.servers[0].copy_pool_file()
        yield pool


def init(server):
    return server.run_poold('tls', 'init', '--config', server.config)


def test_what_it_writes_serves_and_what_it_prints_is_believed(scene):
    server = scene.servers[0]
    done = init(server)
    assert not done.returncode, done
    made = Pair(server.folder, 'server')
    assert made.key.stat().st_mode & 0o777 == 0o600
    pin = re.search(r'^    (pin: (sha256//\S+))$', done.stdout, re.M)
    assert pin[2] == made.pin()
    text = openssl('x509', '-in', made.certificate, '-noout', '-text').decode()
    for word in ('DNS:frontend01', 'DNS:localhost', 'IP Address:127.0.1.1', 'prime256v1',
                 'CA:FALSE', 'TLS Web Server Authentication'):
        assert word in text
    assert b'OK' in openssl('verify', '-CAfile', made.certificate, '-verify_hostname',
                            'localhost', made.certificate)

    tls = re.search(r'^(tls: .*)$', done.stdout, re.M)[1]
    server.config.write_text(f'{server.config.read_text()}{tls}\nlisten: 127.0.0.1:'
                             f'{scene.api_port}\n')
    checked = server.run_poold('check', '--config', server.config)
    assert not checked.returncode and pin[2] in checked.stdout, checked
    server.launch_poold()
    try:
        done = scene.poolctl('wait', 'frontend01', '--for', 'serving')
        assert done.returncode == 3 and 'self-signed' in done.stderr, done
        scene.file.write_text(f'{scene.file.read_text()}        {pin[1]}\n')
        done = scene.poolctl('wait', 'frontend01', '--for', 'serving')
        assert not done.returncode, done
    finally:
        server.kill_poold()


def test_files_that_are_there_stay(scene):
    server = scene.servers[0]
    made = Pair(server.folder, 'server')
    assert not init(server).returncode
    before = made.certificate.read_bytes(), made.key.read_bytes()
    for gone in made.certificate, made.key:
        done = init(server)
        assert done.returncode == 2 and 'is there' in done.stderr, done
        assert before == (made.certificate.read_bytes(), made.key.read_bytes())
        # The other one alone is enough to refuse.
        gone.rename(gone.with_suffix('.away'))
        assert init(server).returncode == 2
        gone.with_suffix('.away').rename(gone)


def test_the_places_are_those_of_poold_yaml(scene, tmp_path):
    server = scene.servers[0]
    (tmp_path / 'own').mkdir()
    server.config.write_text(server.config.read_text() +
                             f'listen: 192.0.2.1:8650\ntls: {{certificate: {tmp_path}/own/a.pem, '
                             f'key: {tmp_path}/own/b.key}}\n')
    done = init(server)
    assert not done.returncode and 'for poold.yaml' not in done.stdout, done
    assert (tmp_path / 'own/a.pem').exists() and (tmp_path / 'own/b.key').exists()


def test_a_folder_that_cannot_be_written_is_named(scene):
    server = scene.servers[0]
    server.config.write_text(server.config.read_text() +
                             'tls: {certificate: not_there/a.pem, key: not_there/b.key}\n')
    done = init(server)
    assert done.returncode == 2 and 'not_there/b.key' in done.stderr, done
