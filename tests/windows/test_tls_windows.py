"""TLS of poold.exe, and poolctl.exe with Schannel.

Wine takes every certificate that its own store should judge, so what the store decides cannot be
shown here; a pin and a ca_file can."""

import http.client
import re
import ssl
import stat

import pytest

from certificates import Authority, Pair, put, shown, wait_shown
from sessions import LIMIT, wait_until
from wine import ROOT, windows_path

POOLCTL_EXE = ROOT / 'build/windows/poolctl.exe'


@pytest.fixture
def scene(server, tmp_path):
    """A server with a certificate that it signed itself; what `tls init` said."""
    server.context = ssl._create_unverified_context()
    server.connection = lambda: http.client.HTTPSConnection(
        server.address, server.pool.api_port, timeout=LIMIT, context=server.context)
    server.pool.file.write_text(server.pool.file.read_text().replace('http://', 'https://'))
    configure = server.configure_poold
    folder = server.machine.prefix / 'drive_c/ProgramData/poolctl'
    server.pair = Pair(folder, 'server')

    def configure_with_tls():
        configure()
        with open(folder / 'poold.yaml', 'a') as config:
            config.write('tls: {certificate: server.pem, key: server.key}\n')

    configure()
    server.said = server.poold('tls', 'init').stdout
    server.configure_poold = configure_with_tls
    yield server
    for path in server.pair.certificate, server.pair.key:
        path.unlink(missing_ok=True)


def trust(pool, line):
    """The pool.yaml with this line for the server."""
    text = re.sub('^        (pin|ca_file): .*\n', '', pool.file.read_text(), flags=re.M)
    pool.file.write_text(text + (f'        {line}\n' if line else ''))


def poolctl_exe(server, *args):
    return server.machine.run([POOLCTL_EXE, '--config', windows_path(server.pool.file), *args],
                              check=False)


def test_a_service_with_broken_files_keeps_servers_out_and_serves_later(scene, tmp_path):
    server, machine = scene, scene.machine
    server.install_poold()
    assert server.put('kb1', {'reason': 'patch'})[0] == 201
    server.wait_phase('drained')
    machine.scm('stop', 'poold')
    machine.wait_state('poold', 'stopped')
    key = server.pair.key.read_bytes()
    server.pair.key.write_bytes(key[:100])
    machine.scm('start', 'poold')
    machine.wait_state('poold', 'running')
    wait_until(lambda: 'tries again every second' in server.log(), 'the problem is in the log')
    assert 'no key' in server.log()
    # Somebody continues the service: that is undone.
    machine.scm('continue', 'RTCSRV')
    wait_until(lambda: 'somebody else changed' in server.log(), 'the drift was seen')
    machine.wait_state('RTCSRV', 'paused')
    # It stops as well as it serves.
    machine.scm('stop', 'poold')
    machine.wait_state('poold', 'stopped')
    machine.scm('start', 'poold')
    machine.wait_state('poold', 'running')
    put_private(key, server.pair.key)
    server.wait_answer()
    server.wait_phase('drained')
    assert server.delete('kb1')[0] == 200
    server.wait_phase('serving')


def put_private(content, path):
    fresh = path.with_name(path.name + '.fresh')
    fresh.write_bytes(content)
    fresh.chmod(0o600)
    fresh.rename(path)


def test_both_programs_speak_tls(scene, tmp_path):
    server, pool = scene, scene.pool
    pin = re.search(r'^    (pin: (sha256//\S+))$', server.said, re.M)
    assert pin[2] == server.pair.pin()
    assert stat.S_IMODE(server.pair.key.stat().st_mode) & stat.S_IRWXO == 0
    server.pair.key.chmod(0o644)
    server.configure_poold()
    done = server.poold('check', check=False)
    assert done.returncode == 2 and 'server.key may be read by' in done.stderr, done
    server.pair.key.chmod(0o640)
    server.install_poold()
    # The operators' own file: poold begins anew when its file changes.
    text = pool.file.read_text()
    pool.file = tmp_path / 'operators.yaml'
    pool.file.write_text(text)

    for run in pool.poolctl, lambda *args: poolctl_exe(server, *args):
        trust(pool, pin[1])
        done = run('status')
        assert not done.returncode, done
        # Base64 of 32 bytes that are no key.
        trust(pool, f'pin: sha256//{"A" * 43}=')
        done = run('status')
        assert done.returncode == 3 and 'another key' in done.stdout, done
    told = poolctl_exe(server, 'trust', 'frontend01', '--yes', pin[2])
    assert not told.returncode and 'frontend01' in told.stdout, told
    assert pin[1] in pool.file.read_text()
    assert not poolctl_exe(server, 'drain', 'frontend01', '--reason', 'patch').returncode
    assert not poolctl_exe(server, 'resume', 'frontend01').returncode

    # A new pair, of an authority; Schannel with a file wants a name, and takes an address as one.
    # Wine takes no signature of an elliptic curve with a number that has a leading zero byte, as
    # one in sixty-four has: this authority has an RSA key.
    authority = Authority(tmp_path, key='RSA')
    good = authority.issue('good', names='DNS:127.0.1.1,IP:127.0.1.1')
    put(good.certificate, server.pair.certificate)
    put(good.key, server.pair.key)
    wait_shown(server, good)
    trust(pool, f"ca_file: '{windows_path(authority.certificate)}'")
    assert not poolctl_exe(server, 'status').returncode
    (tmp_path / 'other').mkdir()
    stranger = Authority(tmp_path / 'other', 'stranger', 'RSA')
    trust(pool, f"ca_file: '{windows_path(stranger.certificate)}'")
    done = poolctl_exe(server, 'status')
    assert done.returncode == 3 and 'not of an authority that is trusted' in done.stdout, done
    trust(pool, f"ca_file: '{windows_path(authority.certificate)}'")
    for name, options, words in [
            ('expired', {'names': 'DNS:127.0.1.1,IP:127.0.1.1', 'days': -1}, 'has expired'),
            ('other_name', {'names': 'DNS:elsewhere.example'}, 'for another name')]:
        bad = authority.issue(name, **options)
        put(bad.certificate, server.pair.certificate)
        put(bad.key, server.pair.key)
        wait_shown(server, bad)
        done = poolctl_exe(server, 'status')
        assert done.returncode == 3 and words in done.stdout, done

    # Half of a pair is not used.
    put(good.certificate, server.pair.certificate)
    wait_until(lambda: 'is not the key of' in (server.document()['config_problem'] or ''),
               'the mismatch is reported')
    assert shown(server) == ssl.PEM_cert_to_DER_cert(bad.certificate.read_text())
