"""A server that was resumed, verified from outside: a try of its services, and DNS."""

import contextlib
import json
import re
import socket
import threading
import time

import pytest

from nameservers import ADDRESS, KNOTD, Anything, Knot, answer_to
from sessions import free_port, wait_until

needs_knot = pytest.mark.skipif(not KNOTD.exists(), reason=(
    'the DNS server could not be unpacked; make setup-check says why'))


class Listener:
    """Takes connections at an address, and answers each as it is told to."""

    def __init__(self, address, answer=b'', wants=None, holds=True, port=0):
        self.socket = socket.create_server((address, port))
        self.port = self.socket.getsockname()[1]
        self.answer, self.wants, self.holds = answer, wants, holds
        self.heard, self.said, self.held, self.is_over = [], [], [], False
        self.socket.settimeout(0.05)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.is_over:
            with contextlib.suppress(TimeoutError):
                peer, _ = self.socket.accept()
                self.held.append(peer)
                self.talk(peer)

    def talk(self, peer):
        peer.settimeout(5)
        line = b''
        with contextlib.suppress(OSError):
            while self.wants and not line.endswith(b'\n'):
                line += peer.recv(100) or b'\n'
            self.heard.append(line)
            answer = self.answer if not self.wants or line == self.wants else b''
            for byte in answer:
                peer.sendall(bytes([byte]))
            self.said.append(answer)
            if not self.holds:
                peer.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.thread.join()
        for each in [*self.held, self.socket]:
            each.close()


@pytest.fixture
def make_server(make_pool):
    """One server whose service has these keys of pool.yaml, and its pool what is `extra`."""
    def make(keys, count=1, extra=''):
        pool = make_pool(count=count, start=False)
        text = re.sub(r'RTCSRV:\n +ports: .*', lambda _: f'RTCSRV: {{{keys}}}',
                      pool.file.read_text())
        pool.file.write_text(text.replace('  fe-pool01:\n', f'  fe-pool01:\n{extra}'))
        pool.start()
        return pool.servers[0] if count == 1 else pool
    return make


def resume(pool, *args):
    """The exit code, and the results by server."""
    done = pool.poolctl('resume', *(args or ['frontend01']), '-o', 'json')
    return done.returncode, {each['server']: each for each in json.loads(done.stdout)}


def back(server):
    """Drains and resumes it: the exit code and the result."""
    assert server.put('kb1', {'reason': 'r'})[0] == 201
    server.wait_phase('drained')
    code, results = resume(server.pool, 'frontend01', '--id', 'kb1', '--force=owner')
    assert server.document()['phase'] == 'serving' and results['frontend01']['phase'] == 'serving'
    return code, results['frontend01']


def unused_port():
    return free_port(['127.0.1.1'])


# ---- services ----

def test_a_connection_that_is_taken_is_enough(pool, server):
    code, result = back(server)
    assert (code, result['result'], result['message']) == (0, 'serving', None)
    assert result['verified'] == {'connect': [{
        'service': 'RTCSRV', 'address': server.address, 'ports': [pool.port], 'probe': False,
        'result': 'taken', 'message': None}], 'dns': 'not_asked'}


def test_a_port_that_refuses_is_named_with_what_to_do(make_server):
    port = unused_port()
    server = make_server(f'ports: [{port}]')
    began = time.monotonic()
    code, result = back(server)
    assert (code, result['result'], result['exit_code']) == (9, 'not_verified', 9)
    assert 5 < time.monotonic() - began < 60
    for word in ('poold reports that it serves', f'RTCSRV accepts no connections at {server.address}',
                 f'port {port}', socket.gethostname(), 'poolctl resume frontend01'):
        assert word in result['message']
    [tried] = result['verified']['connect']
    assert tried['result'] == 'not_taken' and str(port) in tried['message']


def test_one_of_several_ports_is_enough(make_server):
    refusing = unused_port()
    with Listener('127.0.1.1') as listener:
        code, result = back(make_server(f'ports: [{refusing}, {listener.port}]'))
    assert code == 0 and result['verified']['connect'][0]['result'] == 'taken'


def test_several_ports_that_all_refuse_are_all_named(make_server):
    ports = [unused_port(), unused_port()]
    code, result = back(make_server(f'ports: {ports}'))
    assert code == 9 and f'ports {ports[0]}, {ports[1]}' in result['message']


def test_a_service_that_listens_late_is_waited_for(make_server):
    port = unused_port()
    server = make_server(f'ports: [{port}]')
    command = server.pool.start_poolctl('resume', 'frontend01')
    assert is_going_on(command)
    with Listener(server.address, port=port):
        assert command.wait() == 0, command.text()
    assert 'already serving' in command.text()


def test_what_serves_already_is_verified_as_well(make_server):
    server = make_server(f'ports: [{unused_port()}]')
    done = server.pool.poolctl('resume', 'frontend01')
    assert done.returncode == 9 and 'verify again' in done.stderr and not done.stdout


@pytest.mark.parametrize('args', [['resume', 'frontend01', '--no-wait'],
                                  ['wait', 'frontend01', '--for', 'serving']])
def test_who_does_not_wait_for_it_verifies_nothing(make_server, args):
    server = make_server(f'ports: [{unused_port()}]')
    done = server.pool.poolctl(*args, '-o', 'json')
    assert done.returncode == 0 and json.loads(done.stdout)[0]['verified'] is None


def test_a_service_that_is_not_to_be_tried_is_named(make_server):
    server = make_server(f'ports: [{unused_port()}], after_resume: none')
    done = server.pool.poolctl('resume', 'frontend01')
    assert done.returncode == 0
    assert 'not tried (`after_resume: none`): RTCSRV' in done.stdout
    code, result = back(server)
    assert code == 0 and result['verified']['connect'][0]['result'] == 'not_asked'


def test_a_service_without_a_port_is_not_asked(make_server):
    server = make_server("counters: [{path: '\\A\\B', ignore_unknown: true}]")
    code, results = resume(server.pool)
    [tried] = results['frontend01']['verified']['connect']
    assert code == 0 and (tried['result'], tried['ports']) == ('no_port', [])


def test_the_time_of_the_operator_may_be_shorter(make_server):
    server = make_server(f'ports: [{unused_port()}]')
    done = server.pool.poolctl('resume', 'frontend01', '--timeout', '1s')
    assert done.returncode == 6
    assert 'not verified after 3s' in done.stderr and 'poold reports that it serves' in done.stderr
    assert 'goes on' not in done.stderr


def test_each_server_has_a_result_of_its_own(make_server):
    port = unused_port()
    pool = make_server(f'ports: [{port}]', count=2)
    with Listener('127.0.1.2', port=port):
        code, results = resume(pool, 'frontend01', 'frontend02')
    assert code == 8
    assert {name: each['exit_code'] for name, each in results.items()} == {
        'frontend01': 9, 'frontend02': 0}


# ---- probes ----

def probed(listener, more):
    return f'ports: [1], probe: {{port: {listener.port}, every: 1h, {more}}}'


@pytest.mark.parametrize('answer, more', [
    (b'READY 1\r\n', 'taken: READY'), (b'READY', 'taken: READY'), (b'', 'timeout: 1s')])
def test_a_probe_that_is_taken(make_server, answer, more):
    with Listener('127.0.1.1', answer, holds=False) as listener:
        code, results = resume(make_server(probed(listener, more)).pool)
    [tried] = results['frontend01']['verified']['connect']
    assert (code, tried['result'], tried['probe']) == (0, 'taken', True)
    assert tried['ports'] == [listener.port]


def test_a_probe_says_its_line_first(make_server):
    with Listener('127.0.1.1', b'220 welcome\r\n', wants=b'HELO poold\r\n') as listener:
        server = make_server(probed(listener, "send: HELO poold, taken: '220'"))
        assert resume(server.pool)[0] == 0
        assert listener.heard == [b'HELO poold\r\n']


NOT_TAKEN = [
    (b'', True, 'connected, but the rest of the answer did not come in time'),
    (b'REA', True, "connected and received 'REA', but the rest of the answer did not come in time"),
    (b'BUSY\r\n', True, 'connected, but the answer was not the expected one'),
    (b'RE', False, "connected and received 'RE', but the connection was closed"),
    (b'', False, 'connected, but the connection was closed'),
]


def test_probes_that_are_not_taken(make_pool):
    """A service for each way: all are tried at once, and again for a while."""
    pool, names = make_pool(start=False), [f'SVC{i}' for i in range(len(NOT_TAKEN))]
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(Listener('127.0.1.1', answer, holds=holds))
                     for answer, holds, _ in NOT_TAKEN]
        more = ''.join(f'\n      {name}: {{{probed(each, "taken: READY, timeout: 1s")}}}'
                       for name, each in zip(names, listeners))
        pool.file.write_text(re.sub(r'(RTCSRV:\n +ports: .*)', lambda match: match[1] + more,
                                    pool.file.read_text()))
        scm = pool.servers[0].scm
        services = json.loads(scm.path.read_text())['services']
        scm.write({'services': services | {name: services['RTCSRV'] for name in names}})
        pool.start()
        code, results = resume(pool)
        assert all(len(each.held) > 2 for each in listeners)
    tried = {each['service']: each for each in results['frontend01']['verified']['connect']}
    assert code == 9 and tried.pop('RTCSRV')['result'] == 'taken'
    assert [tried[name]['message'] for name in names] == [
        f'port {each.port}: {words}' for each, (_, _, words) in zip(listeners, NOT_TAKEN)]
    for name in names:
        assert f'{name} accepts no sessions at 127.0.1.1' in results['frontend01']['message']


def test_a_silent_service_holds_up_nobody_else(make_server):
    """Both are tried at once: the time of two is the time of one."""
    with Listener('127.0.1.1') as first, Listener('127.0.1.2', port=first.port):
        pool = make_server(probed(first, 'taken: READY, timeout: 30s'), count=2)
        began = time.monotonic()
        code, _ = resume(pool, 'frontend01', 'frontend02')
        assert code == 9 and 9 < time.monotonic() - began < 18


# ---- what changes meanwhile ----

def is_going_on(command):
    with pytest.raises(AssertionError):
        wait_until(lambda: command.process.poll() is not None, 'it ended', 1)
    return True


@pytest.mark.parametrize('answer', [b'READY', b'BUSY'])
def test_a_server_that_another_drains_meanwhile_is_held(make_server, answer):
    with Listener('127.0.1.1') as listener:
        server = make_server(probed(listener, 'taken: READY, timeout: 1s'))
        command = server.pool.start_poolctl('resume', 'frontend01')
        wait_until(lambda: listener.held, 'it is tried')
        assert server.put('kb7', {'reason': 'r', 'owner': 'another'})[0] == 201
        listener.answer = answer
        assert command.wait() == 5, command.text()
    assert 'kept out by' in command.text() and 'kb7' in command.text()


def test_a_server_that_went_meanwhile_is_tried_again_when_it_serves(make_server):
    with Listener('127.0.1.1') as listener:
        server = make_server(probed(listener, 'taken: READY, timeout: 1s'))
        command = server.pool.start_poolctl('resume', 'frontend01')
        wait_until(lambda: listener.held, 'it is tried')
        server.scm.change(state='start_pending', wait_hint_ms=60000)
        server.wait_phase('resuming')
        listener.answer = b'READY'
        wait_until(lambda: b'READY' in listener.said, 'it was taken')
        assert is_going_on(command) and listener.said.count(b'READY') == 1
        server.scm.change(state='running')
        assert command.wait() == 0, command.text()
        assert listener.said.count(b'READY') == 2


def test_a_server_that_is_silent_in_the_end_is_not_verified(make_server):
    with Listener('127.0.1.1') as listener:
        server = make_server(probed(listener, 'taken: READY, timeout: 1s'))
        command = server.pool.start_poolctl('resume', 'frontend01', '--timeout', '5s')
        wait_until(lambda: listener.held, 'it is tried')
        server.stop_poold()
        listener.answer = b'READY'
        assert command.wait() == 6, command.text()
    assert 'not verified after' in command.text()


# ---- DNS ----

def of(resolver, expect='any'):
    return (f'    fqdn: pool.test\n    dns: {{resolvers: [{ADDRESS}], port: {resolver.port}, '
            f'expect: {expect}}}\n')


@pytest.fixture
def knot(tmp_path):
    with Knot(tmp_path, {'test': ''}) as server:
        yield server


def dns_result(make_server, resolver, count=2, expect='any'):
    with Listener('127.0.1.1') as listener:
        pool = make_server(f'ports: [{listener.port}]', count=count, extra=of(resolver, expect))
        code, results = resume(getattr(pool, 'pool', pool), 'frontend01')
    return code, results['frontend01']['verified']['dns'], results['frontend01']['message']


@needs_knot
@pytest.mark.parametrize('addresses, expect, code, result', [
    (['127.0.1.1', '127.0.1.2'], 'balanced', 0, 'present'),
    (['127.0.1.1', '127.0.1.9'], 'any', 0, 'present'),
    (['127.0.1.2', '127.0.1.9'], 'any', 9, 'missing'),
    (['127.0.1.100'], 'any', 0, 'not_asked'),
    (['127.0.1.100'], 'one_address', 0, 'not_asked'),
    (['127.0.1.100'], 'balanced', 9, 'missing'),
    (['127.0.1.100', '127.0.1.101'], 'any', 0, 'not_asked'),
    (['127.0.1.100', '127.0.1.101'], 'balanced', 9, 'missing'),
    (['127.0.1.1'], 'any', 0, 'present'),
    (['127.0.1.2'], 'any', 9, 'missing'),
    (['127.0.1.2'], 'balanced', 9, 'missing'),
    ([], 'any', 9, 'missing'),
])
def test_what_dns_must_say(make_server, knot, addresses, expect, code, result):
    knot.change('test', '\n'.join(f'pool A {address}' for address in addresses))
    wait_until(lambda: f'serial: {knot.serial}' in (knot.folder / 'log').read_text()
               or f'serial {knot.serial}' in (knot.folder / 'log').read_text(), 'loaded')
    got, said, message = dns_result(make_server, knot, expect=expect)
    assert (got, said) == (code, result)
    if code:
        assert f'pool.test does not resolve to it, according to {knot.resolver}' in message


@pytest.mark.parametrize('answer', [
    lambda question: None, lambda question: answer_to(question, code=2)], ids=['silent', 'failed'])
def test_dns_that_does_not_answer_is_not_known(make_server, answer):
    with Anything(answer) as resolver:
        resolver.port = int(resolver.resolver.rpartition(':')[2])
        code, said, message = dns_result(make_server, resolver)
    assert (code, said) == (9, 'unknown')
    assert 'no resolver answered for pool.test' in message and 'dns.resolvers' in message


def test_dns_is_asked_once_for_servers_that_come_together(make_server):
    with Anything(lambda question: None) as resolver:
        resolver.port = int(resolver.resolver.rpartition(':')[2])
        with Listener('127.0.1.1') as one, Listener('127.0.1.2', port=one.port):
            pool = make_server(f'ports: [{one.port}]', count=2, extra=of(resolver))
            code, _ = resume(pool, 'frontend01', 'frontend02')
    # IPv4 and IPv6, each sent twice.
    assert code == 9 and len(resolver.questions) == 4


@needs_knot
def test_dns_that_blocks_takes_no_time_from_the_tries_of_other_pools(make_pool, knot):
    """A pool for each server, whose second resolver is silent: asking takes its whole limit."""
    pool = make_pool(count=5, start=False)
    knot.change('test', '\n'.join(f'pool{i} A {each.address}'
                                  for i, each in enumerate(pool.servers)))
    text = pool.file.read_text()
    head = re.sub('floor: .*', 'floor: 0, max_out: 1}',
                  text[text.index('    settle:'):text.index('    servers:')])
    servers = re.findall(r'      frontend\d+:\n(?:        .*\n)+', text)
    with Anything(address='127.0.0.2', port=knot.port) as silent:
        dns = f'dns: {{resolvers: [{ADDRESS}, 127.0.0.2], port: {knot.port}}}'
        pool.file.write_text('pools:\n' + ''.join(
            f'  pool{i}:\n    fqdn: pool{i}.test\n    {dns}\n{head}    servers:\n{each}'
            for i, each in enumerate(servers)))
        pool.start()
        code, results = resume(pool, *(each.name for each in pool.servers))
        assert len(silent.questions) >= 2 * len(pool.servers)
    for each in results.values():
        assert each['verified']['dns'] == 'present' and each['message'] is None
        assert [tried['result'] for tried in each['verified']['connect']] == ['taken']
    assert code == 0


def test_dns_is_asked_once_nobody_is_tried_any_more(make_server):
    with Anything(lambda question: answer_to(question, code=3)) as resolver:
        resolver.port = int(resolver.resolver.rpartition(':')[2])
        with Listener('127.0.1.1') as one, \
                Listener('127.0.1.2', port=one.port) as other:
            pool = make_server(probed(one, 'taken: READY, timeout: 1s'), count=2,
                               extra=of(resolver))
            command = pool.start_poolctl('resume', 'frontend01', 'frontend02')
            wait_until(lambda: other.said and one.said, 'both are tried')
            one.answer = b'READY'
            wait_until(lambda: b'READY' in one.said, 'one was taken')
            tries = len(other.said)
            wait_until(lambda: len(other.said) > tries + 1, 'the other is still tried')
            assert not resolver.questions
            other.answer = b'READY'
            assert command.wait() == 9, command.text()
    assert len(resolver.questions) == 2 and 'accepts no session' not in command.text()
