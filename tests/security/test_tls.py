"""TLS: poolctl believes a server only if its certificate is the right one; poold serves with
files that can be used alone, and takes new ones without a restart."""

import http.client
import json
import re
import ssl
import threading

import pytest

from certificates import (Authority, authority, der_of, good, make_tls_pool,  # noqa: F401
                          openssl, put, self_signed, shown, wait_shown)
from sessions import LIMIT, wait_until

MISMATCH = 'is not the key of the certificate'


def trust_of(ca=None, pin=None):
    return ''.join([f'    ca_file: {ca.certificate}\n' if ca else '',
                    f'    pin: {pin.pin()}\n' if pin else ''])


def check_refused(pool, *words, status=3):
    """Each command says why at once, and none of them gets through."""
    for args in [['status'], ['drain', 'frontend01', '--reason', 'patch'],
                 ['wait', 'frontend01', '--for', 'drained'], ['events', 'frontend01', '--follow']]:
        done = pool.poolctl(*args)
        assert done.returncode == status, done
        for word in words:
            assert word in done.stdout + done.stderr, (args, done)
    for server in pool.servers:
        assert server.document()['drains'] == []
        assert server.scm.says()[0] == 'running'


# ---- who is believed ----

@pytest.fixture(scope='session')
def pairs(authority, tmp_path_factory):
    """What a server may present, good and bad."""
    folder = tmp_path_factory.mktemp('pairs')
    return {'good': authority.issue('right'),
            'expired': authority.issue('expired', days=-1),
            'other_name': authority.issue('other_name', names='DNS:elsewhere.example'),
            'client': authority.issue('client', usage='clientAuth'),
            'other_ca': Authority(folder, 'stranger').issue('other_ca'),
            'self': self_signed(folder, 'self'),
            'self_expired_name': self_signed(folder, 'self_other', names='DNS:elsewhere.example'),
            'rsa': authority.issue('rsa', key='RSA')}


BELIEVED = {
    'of_the_authority': ('good', {'ca': True}),
    'with_an_rsa_key': ('rsa', {'ca': True}),
    'of_the_authority_and_pinned': ('good', {'ca': True, 'pin': 'good'}),
    'of_another_authority_but_pinned': ('other_ca', {'pin': 'other_ca'}),
    'self_signed_and_pinned': ('self', {'pin': 'self'}),
    # The pin stands in place of the name, and of the dates.
    'pinned_for_another_name': ('self_expired_name', {'pin': 'self_expired_name'}),
    'pinned_and_expired': ('expired', {'pin': 'expired'}),
}

REFUSED = {
    'expired': ('expired', {'ca': True}, ['has expired', 'renew it']),
    'another_name': ('other_name', {'ca': True}, ['for another name', "'url'"]),
    'another_authority': ('other_ca', {'ca': True},
                          ['not of an authority that is trusted', "'ca_file'", 'poolctl trust']),
    'not_of_the_system': ('good', {}, ['not of an authority that is trusted', "'ca_file'"]),
    'for_clients_alone': ('client', {'ca': True}, ['not of an authority that is trusted']),
    'self_signed': ('self', {}, ['self-signed', 'poolctl trust']),
    'self_signed_beside_a_ca_file': ('self', {'ca': True}, ['self-signed', 'poolctl trust']),
    'another_key': ('self', {'pin': 'good'}, ['another key', 'poolctl trust']),
    'another_key_of_the_authority': ('good', {'ca': True, 'pin': 'rsa'}, ['another key']),
    'expired_beside_a_pin': ('expired', {'ca': True, 'pin': 'expired'}, ['has expired']),
    'another_name_beside_a_pin': ('other_name', {'ca': True, 'pin': 'other_name'},
                                  ['for another name']),
}


def trusts(case, authority, pairs):
    return trust_of(authority if case.get('ca') else None, pairs.get(case.get('pin')))


@pytest.mark.parametrize('presented, trust', BELIEVED.values(), ids=BELIEVED)
def test_a_server_is_believed(make_tls_pool, authority, pairs, presented, trust):
    pool = make_tls_pool(pairs[presented], trust=trusts(trust, authority, pairs))
    done = pool.poolctl('status', '-o', 'json')
    assert not done.returncode, done
    assert json.loads(done.stdout)['pools'][0]['servers'][0]['phase'] == 'serving'


@pytest.mark.parametrize('presented, trust, words', REFUSED.values(), ids=REFUSED)
def test_a_server_is_refused(make_tls_pool, authority, pairs, presented, trust, words):
    pool = make_tls_pool(pairs[presented], trust=trusts(trust, authority, pairs))
    check_refused(pool, *words)


def test_a_pin_of_the_server_replaces_the_trust_of_the_pool(make_tls_pool, authority, pairs):
    pool = make_tls_pool(pairs['self'], trust=trust_of(authority))
    text = pool.file.read_text()
    pool.file.write_text(f'{text}        pin: [{pairs["good"].pin()}, {pairs["self"].pin()}]\n')
    done = pool.poolctl('status')
    assert not done.returncode, done


def test_a_file_of_authorities_that_is_not_there_is_named(make_tls_pool, good):
    pool = make_tls_pool(good, trust='    ca_file: not_there.pem\n')
    check_refused(pool, "'ca_file'", status=2)


def test_plain_http_is_told_from_tls(make_tls_pool, authority, good):
    pool = make_tls_pool(good, trust=trust_of(authority))
    server = pool.servers[0]
    pool.file.write_text(pool.file.read_text().replace('https://', 'http://')
                         .replace(trust_of(authority), ''))
    check_refused(pool, 'must begin with https://')
    server.stop_poold()
    server.config.write_text(server.config.read_text().split('tls:')[0])
    pool.write()
    server.launch_poold()
    wait_until(lambda: 'serves' in server.log().splitlines()[-1], 'poold serves plain HTTP')
    for args in ['status'], ['resume', 'frontend01']:
        done = pool.poolctl(*args)
        assert done.returncode == 3, done
        assert 'does not speak TLS' in done.stdout + done.stderr, done


def test_a_drain_over_tls_from_its_beginning_to_its_end(make_tls_pool, authority, good):
    pool = make_tls_pool(good, trust=trust_of(authority), count=2)
    server = pool.servers[0]
    with server.session() as session:
        drain = pool.start_poolctl('drain', 'frontend01', '--reason', 'patch')
        server.wait_phase('draining')
        session.talk()
    assert not drain.wait(), drain.text()
    assert not pool.poolctl('check', 'frontend02').returncode == 0
    assert 'drain_created' in pool.poolctl('events', 'frontend01', '-o', 'json').stdout
    done = pool.poolctl('resume', 'frontend01')
    assert not done.returncode, done
    assert server.scm.says() == ('running', 'automatic', True)


# ---- what poold speaks ----

def handshake(server, **limits):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers(limits.pop('ciphers', 'ALL:@SECLEVEL=0'))
    for name, value in limits.items():
        setattr(context, name, value)
    connection = http.client.HTTPSConnection(server.address, server.pool.api_port, timeout=LIMIT,
                                             context=context)
    connection.request('GET', '/livez')
    assert connection.getresponse().read() == b'{"alive":true}\n'
    version, cipher = connection.sock.version(), connection.sock.cipher()[0]
    connection.close()
    return version, cipher


@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_old_versions_and_weak_ciphers_are_not_spoken(make_tls_pool, good):
    server = make_tls_pool(good).servers[0]
    assert handshake(server)[0] == 'TLSv1.3'
    version, cipher = handshake(server, maximum_version=ssl.TLSVersion.TLSv1_2)
    assert version == 'TLSv1.2' and re.match('ECDHE-.*(GCM|POLY1305)', cipher)
    for limits in [{'minimum_version': ssl.TLSVersion.TLSv1,
                    'maximum_version': ssl.TLSVersion.TLSv1_1},
                   {'maximum_version': ssl.TLSVersion.TLSv1_2, 'ciphers': 'AES128-SHA256'},
                   {'maximum_version': ssl.TLSVersion.TLSv1_2,
                    'ciphers': 'ECDHE-ECDSA-AES128-SHA'}]:
        with pytest.raises(OSError):
            handshake(server, **limits)


# ---- the files ----

def check_not_started(server, *words, status=2):
    for command in 'check', 'run':
        done = server.run_poold(command, '--config', server.config)
        assert done.returncode == status, done
        for word in words:
            assert word in done.stderr, done


def test_poold_starts_with_good_files_alone(make_tls_pool, authority, good, tmp_path):
    server = make_tls_pool(good, start=False).servers[0]
    certificate, key = server.pair.certificate, server.pair.key

    key.chmod(0o644)
    check_not_started(server, f'{key} may be read by everybody', f"chmod o-rwx '{key}'")
    key.chmod(0o600)
    certificate.chmod(0o666)
    check_not_started(server, f'{certificate} may be written by everybody')
    certificate.chmod(0o644)
    put(authority.issue('another').key, key)
    check_not_started(server, str(key), MISMATCH, str(certificate))
    openssl('pkcs8', '-topk8', '-in', good.key, '-out', tmp_path / 'locked.key', '-passout',
            'pass:secret')
    put(tmp_path / 'locked.key', key)
    check_not_started(server, str(key), 'has a password', 'openssl pkey')
    put(good.certificate, key)
    check_not_started(server, str(key), 'no key')
    put(good.key, key)
    certificate.write_text('nothing\n')
    check_not_started(server, str(certificate), 'no certificate')
    certificate.unlink()
    check_not_started(server, str(certificate))
    put(good.certificate, certificate)
    assert not server.run_poold('check', '--config', server.config).returncode


def test_only_loopback_addresses_need_no_tls(make_tls_pool, good):
    server = make_tls_pool(good, start=False).servers[0]
    text = server.config.read_text()
    # An address of documents (RFC 5737), which no machine has: exit status 10.
    server.config.write_text(f'{text}listen: 192.0.2.1:8650\n')
    check_not_started(server, '192.0.2.1', status=10)
    server.config.write_text(text.split('tls:')[0] + 'listen: 192.0.2.1:8650\n')
    check_not_started(server, 'without TLS, poold listens on loopback addresses only',
                      '192.0.2.1', 'poold tls init')


class Traffic:
    """Requests one after the other, each on a connection of its own; and one connection that
    stays."""

    def __init__(self, server):
        self.server, self.is_over = server, False
        self.served, self.failures, self.seen = 0, [], set()
        self.kept = server.connection()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.is_over:
            try:
                self.seen.add(shown(self.server))
                assert self.server.get('/v1/server')[0] == 200
                self.served += 1
            except (OSError, AssertionError, http.client.HTTPException) as error:
                self.failures.append(error)

    def ask_kept(self):
        self.kept.request('GET', '/livez')
        assert self.kept.getresponse().read() == b'{"alive":true}\n'
        return self.kept.sock

    def end(self):
        self.is_over = True
        self.thread.join()
        assert self.served and not self.failures, self.failures


def problem_of(server):
    return server.document()['config_problem']


def test_new_files_are_used_under_traffic_and_half_ones_never(make_tls_pool, authority, good):
    pool = make_tls_pool(good, trust=trust_of(authority))
    server = pool.servers[0]
    fresh = authority.issue('fresh', days=20)
    traffic = Traffic(server)
    socket = traffic.ask_kept()

    # The certificate alone: it has not its key.
    put(fresh.certificate, server.pair.certificate)
    wait_until(lambda: problem_of(server), 'the mismatch is reported')
    assert MISMATCH in problem_of(server) and 'goes on with' in problem_of(server)
    assert shown(server) == der_of(good)
    assert MISMATCH in pool.poolctl('status').stdout
    traffic.ask_kept()
    # Then a key of which half is written, in place.
    server.pair.key.write_bytes(fresh.key.read_bytes()[:100])
    wait_until(lambda: 'no key' in (problem_of(server) or ''), 'the half key is reported')
    assert shown(server) == der_of(good)
    put(fresh.key, server.pair.key)
    wait_shown(server, fresh)
    wait_until(lambda: not problem_of(server), 'nothing is wrong any more')
    # The connection from before goes on: it is the same socket.
    assert traffic.ask_kept() is socket
    wait_until(lambda: der_of(fresh) in traffic.seen, 'a request after the change')
    traffic.end()
    assert traffic.seen == {der_of(good), der_of(fresh)}
    assert not pool.poolctl('check', 'fe-pool01', '-o', 'json').stderr
    wait_until(lambda: server.log().count('cannot be used') == 2, 'it is logged again')


def test_a_key_that_others_may_read_is_not_used_anew(make_tls_pool, good):
    server = make_tls_pool(good).servers[0]
    server.pair.key.chmod(0o644)
    # chmod alone changes nothing that poold read.
    put(good.key, server.pair.key)
    server.pair.key.chmod(0o644)
    wait_until(lambda: 'may be read by everybody' in (problem_of(server) or ''), 'it is reported')
    assert shown(server) == der_of(good)


def test_tls_begins_with_a_change_of_poold_yaml_and_not_with_a_broken_one(make_tls_pool, authority,
                                                                          good):
    server = make_tls_pool(good, start=False).servers[0]
    with_tls = server.config.read_text()
    server.config.write_text(with_tls.split('tls:')[0])
    server.launch_poold()
    secure, server.connection = server.connection, lambda: http.client.HTTPConnection(
        server.address, server.pool.api_port, timeout=LIMIT)
    server.wait_answer()
    put(authority.issue('another').key, server.pair.key)
    server.config.write_text(with_tls)
    wait_until(lambda: MISMATCH in (problem_of(server) or ''), 'the mismatch is reported')
    put(good.key, server.pair.key)
    server.config.write_text(with_tls + '# mended\n')
    server.connection = secure
    server.wait_answer()
    assert shown(server) == der_of(good) and not problem_of(server)


# ---- the end of a certificate ----

def test_the_end_of_a_certificate_is_told_in_time(make_tls_pool, authority, good):
    pool = make_tls_pool(good, trust=trust_of(authority))
    server = pool.servers[0]
    assert checks(pool) == ('good', 0)
    assert 'certificate_ends' not in findings(server)

    soon = authority.issue('soon', days=29)
    pool.present(server, soon)
    wait_shown(server, soon)
    # openssl writes it as "Jan  7 19:43:58 2027 GMT".
    seconds = ssl.cert_time_to_seconds(
        openssl('x509', '-in', soon.certificate, '-noout', '-enddate').decode()
        .strip().removeprefix('notAfter='))
    wait_until(lambda: metric(server) == seconds, 'the metric has the new end')
    end = server.document()['certificate_expires_at']
    assert checks(pool) == ('fault', 4)
    assert end[:10] in findings(server)['certificate_ends']['text']
    assert findings(server)['certificate_ends']['level'] == 'warning'
    alone = server.run_poold('preflight', '--config', server.config, '-o', 'json')
    assert 'certificate_ends' in [found['code'] for found in json.loads(alone.stdout)['findings']]
    nagios = pool.poolctl('check', 'fe-pool01', '--nagios')
    assert nagios.returncode == 1 and 'certificate of frontend01 ends' in nagios.stdout, nagios


def test_without_tls_there_is_no_end(make_pool):
    pool = make_pool()
    assert pool.servers[0].document()['certificate_expires_at'] is None
    assert checks(pool) == ('not_asked', 0)
    assert metric(pool.servers[0]) is None


def checks(pool):
    done = pool.poolctl('check', 'fe-pool01', '-o', 'json')
    told = {check['check']: check['verdict'] for check in json.loads(done.stdout)['pools'][0]['checks']}
    return told['certificates'], done.returncode


def findings(server):
    return {found['code']: found for found in server.get('/v1/preflight')[1]['findings']}


def metric(server):
    page = server.page('/metrics')[2]
    found = re.search(r'^poold_certificate_expiry_time_seconds (\S+)$', page, re.M)
    return float(found[1]) if found else None
