"""Whether a server may leave its pool, and whether a pool is as it should be: canned servers,
real DNS servers."""

import contextlib
import http.server
import json
import re
import socket
import threading
import time

import pytest

from canned import CannedPool, drain, preflight, reservation, view
from nameservers import ADDRESS, KNOTD, UNBOUND, Anything, Knot, Unbound
from pool import POOLCTL, ROOT, SERVICE
from sessions import LIMIT, free_port
from terminal import run_on_terminal

pytestmark = pytest.mark.skipif(not (KNOTD.exists() and UNBOUND.exists()), reason=(
    'the DNS servers could not be unpacked; make setup-check says why'))

GATES = ['preflight', 'last', 'floor', 'max_out', 'domain', 'dns', 'dns_members', 'capacity',
         'clocks']
CHECKS = ['members', 'config', 'attention', 'floor', 'dns', 'own_names', 'clocks', 'certificates']
FEATURES = ['Response Group', 'Call Park']
ZONE = ''.join(f'all A 127.0.1.{i}\n' for i in (1, 2, 3)) + '''
some A 127.0.1.1
some A 127.0.1.2
balancer A 127.0.9.9
stranger A 127.0.1.1
stranger A 127.0.1.2
stranger A 127.0.1.3
stranger A 127.0.9.8
a.own A 127.0.1.1
b.own A 127.0.9.9
'''


@pytest.fixture(scope='module')
def knot(tmp_path_factory):
    with Knot(tmp_path_factory.mktemp('dns'), {'test': ZONE}) as server:
        yield server


@pytest.fixture(scope='module')
def other_view(tmp_path_factory):
    """Another resolver, on Knot's port of another address, that has one server less."""
    local = [f'all.test. 60 A 127.0.1.{i}' for i in (1, 2)]
    with Unbound(tmp_path_factory.mktemp('dns'), local=local, name='other') as server:
        yield server


class Scene:
    """A pool of canned servers that all serve; a test changes what is not so."""

    def __init__(self, folder, knot, count=3):
        self.pool, self.knot = CannedPool(folder, count), knot
        self.servers = self.pool.servers
        for i, server in enumerate(self.servers):
            self.set(i, sessions=4)
            server.replies['GET /v1/preflight'] = preflight(server.name)
        self.write()

    def set(self, i, *args, reservation=None, time=None, **fields):
        document = view(self.servers[i].name, *args, **fields) | {'reservation': reservation}
        self.servers[i].replies['GET /v1/server'] = document | ({'time': time} if time else {})

    def write(self, fqdn='all.test', expect='any', resolvers=(ADDRESS,), port=None, features=(),
              names=None, services=None, **keys):
        """pool.yaml, as JSON is YAML."""
        names = names or {server.name: {} for server in self.servers}
        for name, server in zip(names, self.servers):
            names[name] = {'address': server.address,
                           'url': f'http://{server.address}:{server.port}'} | names[name]
        dns = {'expect': expect} | ({'resolvers': list(resolvers), 'port': port or self.knot.port}
                                    if resolvers else {})
        self.pool.file.write_text(json.dumps({'pools': {'fe-pool01': (
            {'fqdn': fqdn, 'dns': dns} if fqdn else {}) | {
            'services': services or {SERVICE: {'ports': [7000], 'dns_features': list(features)}},
            'servers': names} | keys}}))

    def run(self, *args, status=0):
        done = self.pool.poolctl(*args)
        assert done.returncode == status, (args, done)
        return done

    def check_pool(self, status=0):
        """The table, and the object for programs."""
        table = self.run('check', 'fe-pool01', status=status)
        [told] = json.loads(self.run('check', '-o', 'json', status=status).stdout)['pools']
        assert told['exit_code'] == status
        assert [each['check'] for each in told['checks']] == CHECKS
        return table.stdout, told

    def check(self, *args, status=0):
        """The table of a check of frontend01, and its gates by name."""
        table = self.run('check', 'frontend01', *args, status=status)
        [told] = json.loads(self.run('check', 'frontend01', *args, '-o', 'json',
                                     status=status).stdout)
        assert [each['gate'] for each in told['gates']] == GATES
        assert told['exit_code'] == status
        return table.stdout, {each['gate']: each for each in told['gates']}


@pytest.fixture
def scene(tmp_path, knot):
    made = Scene(tmp_path, knot)
    yield made
    made.pool.close()


def refusing(gates):
    return [name for name, gate in gates.items() if gate['verdict'] == 'refused']


def faults(told):
    return [each['check'] for each in told['checks'] if each['verdict'] == 'fault']


# ---- one server ----

def test_where_all_is_well_a_server_may_leave(scene):
    scene.write(expect='balanced', features=FEATURES)
    table, gates = scene.check()
    assert refusing(gates) == []
    assert table.endswith('  gates: 7 passed, 0 refused, 2 not asked\n')
    assert 'refuses' not in table and 'remedy' not in table
    for gate in gates.values():
        assert gate['text'] and gate['remedy'] is None
        assert gate['can_force'] is False and gate['forced'] is False


def test_a_dry_run_shows_the_gates_that_pass_too(scene):
    done = scene.run('drain', 'frontend01', '--dry-run')
    for name in GATES:
        assert re.search(f'^  gate {name} (passes|is not asked): ', done.stdout, re.M)
    assert done.stdout.endswith('  gates: 7 passed, 0 refused, 2 not asked\n')
    assert {method for server in scene.servers for method, *_ in server.requests} == {'GET'}


def stop(scene):
    scene.servers[1].close()


OUT = 'frontend02 is being drained by alice@desk (since 2026-05-01 08:00Z)'


@pytest.mark.parametrize('change, refused, words', [
    (stop, ['max_out'], 'frontend02 does not answer'),
    (lambda scene: scene.set(1, 'draining', [drain()], 3), ['max_out'], OUT),
    (lambda scene: scene.set(1, 'serving', [drain()]), ['max_out'], OUT),
    (lambda scene: scene.set(1, 'attention'), ['max_out'], 'frontend02 needs attention'),
    (lambda scene: scene.set(1, reservation=reservation(owner='bob@ci')), ['max_out'],
     'frontend02 is reserved by bob@ci (since 2026-05-01 08:29Z)'),
    (lambda scene: scene.set(1, reservation=7), ['max_out'], 'frontend02 answers with an error'),
    (lambda scene: [scene.set(i, 'drained', [drain()]) for i in (1, 2)],
     ['last', 'floor', 'max_out', 'dns_members'], 'frontend01 is the last of 3 servers that serves'),
    (lambda scene: scene.write(availability={'floor': 3}), ['floor'],
     '3 of 3 serve, 2 would be left; the floor is 3'),
    (lambda scene: scene.write(availability={'floor': '70%'}), ['floor'], 'the floor is 3 (70%)'),
    (lambda scene: scene.write('some.test', features=FEATURES), ['dns'],
     'break: Response Group, Call Park'),
    (lambda scene: scene.write('balancer.test', features=FEATURES), ['dns'],
     'the pool\'s name resolves to a single address; these need DNS load balancing and may break: '
     'Response Group, Call Park'),
    (lambda scene: scene.write('nothing.test', features=FEATURES), ['dns'], 'does not resolve'),
    (lambda scene: scene.write(None, features=FEATURES), ['dns'], 'the pool has no `fqdn`'),
    (lambda scene: scene.write('balancer.test', 'balanced'), ['dns'],
     '`dns.expect` is balanced'),
    (lambda scene: scene.write('all.test', 'one_address'), ['dns'], '`dns.expect` is one_address'),
    (lambda scene: scene.write(port=free_port((ADDRESS,)), features=FEATURES), ['dns'],
     'no resolver answered'),
    (lambda scene: scene.set(1, time='2026-05-01T08:31:02Z'), ['clocks'],
     'the clock of frontend02 is '),
    (lambda scene: scene.write(capacity=5), ['capacity'],
     'frontend01 has 4 sessions; the servers that would still serve have room for 2'),
    (lambda scene: scene.write(names={'frontend01': {'upgrade_domain': 'a'},
                                      'frontend02': {'upgrade_domain': 'b'}, 'frontend03': {}}) or
     scene.set(1, 'draining', [drain()]), ['max_out', 'domain'],
     'frontend01 is in upgrade domain a; out in other upgrade domains: frontend02'),
])
def test_a_gate_that_refuses_says_why_and_what_to_do(scene, change, refused, words):
    scene.write()
    change(scene)
    table, gates = scene.check(status=4)
    assert refusing(gates) == refused
    assert words in table
    for name in refused:
        # Clocks are read anew each time.
        if name != 'clocks':
            assert f'  gate {name} refuses: {gates[name]["text"]}\n' in table
        assert f'    remedy: {gates[name]["remedy"]}\n' in table
        assert gates[name]['can_force'] is True
        assert f'    at your own risk: --force={name}' in table
    assert f', {len(refused)} refused, ' in table
    done = scene.run('drain', 'frontend01', '--dry-run', status=4)
    assert words in done.stdout


@pytest.mark.parametrize('time, verdict', [('2026-05-01T08:30:55Z', 'passed'),
                                           ('2026-05-01T08:31:05Z', 'refused'),
                                           ('2026-05-01T08:28:55Z', 'refused')])
def test_clocks_may_be_a_minute_apart(scene, time, verdict):
    scene.write()
    scene.set(2, time=time)
    assert scene.check(status=0 if verdict == 'passed' else 4)[1]['clocks']['verdict'] == verdict


def test_only_the_features_of_what_leaves_and_is_there_count(scene):
    services = {SERVICE: {'ports': [7000], 'dns_features': ['Announcement']},
                'RTCCPS': {'ports': [7001], 'dns_features': ['Call Park'], 'optional': True},
                'RTCRGS': {'ports': [7002], 'dns_features': ['Response Group'],
                           'role': 'leave'}}
    scene.write('balancer.test', services=services)
    assert 'break: Announcement, Call Park;' in scene.check(status=4)[0]
    assert 'break: Call Park;' in scene.check('--service', 'RTCCPS', status=4)[0]
    document = view('frontend01')
    absent = document['services'][0] | {'name': 'RTCCPS', 'observed': {'state': 'absent'}}
    document['services'].append(absent)
    scene.servers[0].replies['GET /v1/server'] = document
    assert 'break: Announcement;' in scene.check(status=4)[0]


def test_what_is_forced_does_not_refuse_and_nothing_else_is(scene):
    scene.write('balancer.test', features=FEATURES, availability={'floor': 3})
    assert refusing(scene.check(status=4)[1]) == ['floor', 'dns']
    for options in ['--force=floor'], ['--force', 'dns,clocks'], ['--accept-broken-sessions']:
        scene.check(*options, status=4)
        scene.run('drain', 'frontend01', '--dry-run', *options, status=4)
    for options in ['--force=floor,dns'], ['--force=floor', '--accept-broken-sessions']:
        table, gates = scene.check(*options)
        assert [name for name, gate in gates.items() if gate['forced']] == ['floor', 'dns']
        assert '  gate floor refuses, but is forced: ' in table and 'remedy' not in table
        assert table.endswith('; 2 forced\n')
        scene.run('drain', 'frontend01', '--dry-run', *options)
    assert 'unknown gate' in scene.run('check', '--force', 'flor', status=2).stderr


def test_what_poold_finds_impossible_cannot_be_forced(scene):
    scene.write()
    scene.servers[0].replies['GET /v1/preflight'] = preflight(
        'frontend01', 'it does not accept pause')
    table, gates = scene.check('--force=preflight', status=4)
    assert gates['preflight']['can_force'] is False and gates['preflight']['forced'] is False
    assert f'{SERVICE}: it does not accept pause' in gates['preflight']['text']
    assert 'gate preflight refuses: a drain is not possible: ' in table


def test_a_server_that_does_not_answer_is_no_refusal_but_unreachable(scene):
    scene.write()
    scene.servers[0].close()
    done = scene.run('check', 'frontend01', status=3)
    assert not done.stdout and 'does not answer' in done.stderr
    [told] = json.loads(scene.run('check', 'frontend01', '-o', 'json', status=3).stdout)
    assert [each['gate'] for each in told['gates'] if each['verdict'] == 'refused'] == [
        'preflight']
    assert told['message'] and told['possible'] is None
    [told] = json.loads(scene.run('drain', 'frontend01', '--dry-run', '-o', 'json',
                                  status=3).stdout)
    assert told['preflight'] is None and len(told['gates']) == len(GATES)


def test_each_of_several_servers_is_asked_about_as_if_alone(scene):
    scene.write()
    done = scene.run('check', 'frontend01', 'frontend02')
    assert done.stdout.count('gates: 7 passed, 0 refused') == 2
    scene.set(1, 'drained', [drain()])
    scene.run('check', 'frontend01', 'frontend02', status=8)


def test_a_member_that_knows_nothing_new_does_not_serve(scene):
    scene.write()
    body = json.dumps({'title': 'too old', 'status': 503, 'code': 'stale'}).encode()
    scene.servers[1].replies['GET /v1/server'] = (
        b'HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n'
        b'Content-Length: %d\r\n\r\n%b' % (len(body), body))
    assert 'frontend02 has not reported its state lately' in scene.check(status=4)[0]
    told = scene.check_pool(status=4)[1]
    assert told['servers'][1]['standing'] == 'stale' and faults(told) == ['members']


# ---- a pool ----

def test_a_pool_that_is_as_it_should_be(scene, knot):
    scene.write(expect='balanced', features=FEATURES)
    table, told = scene.check_pool()
    assert table == (
        'fe-pool01\n'
        f'all.test: balanced by DNS: it resolves to all 3 servers, TTL 1m00s\n'
        f'  resolver {knot.resolver}: 3 addresses\n'
        'SERVER      PHASE    SESSIONS  DNS  MAY LEAVE\n'
        'frontend01  serving  4         in   yes\n'
        'frontend02  serving  4         in   yes\n'
        'frontend03  serving  4         in   yes\n'
        'members: good: all 3 servers answer\n'
        'config: good: the servers know their services as pool.yaml has them\n'
        'attention: good: no server needs attention\n'
        'floor: good: 3 of 3 serve, the floor is 1\n'
        'dns: good: resolvers agree, as `dns.expect` says\n'
        'own_names: not asked: no server\'s name has a dot in it\n'
        + re.search('^clocks: good: .*\n', table, re.M)[0] +
        'certificates: not asked: no server has TLS\n'
        'fe-pool01: as it should be\n')
    assert told['dns']['verdict'] == 'balanced'
    member = told['servers'][0]
    assert [gate['gate'] for gate in member.pop('gates')] == GATES
    assert isinstance(member.pop('clock_ahead_ms'), int)
    assert member == {'server': 'frontend01', 'answers': True, 'standing': 'serving',
                      'phase': 'serving', 'sessions': 4, 'in_dns': True, 'holder': None,
                      'since': None, 'may_leave': True, 'message': None}
    assert {method for server in scene.servers for method, *_ in server.requests} == {'GET'}


@pytest.mark.parametrize('change, status, found, words', [
    (lambda scene: scene.set(1, 'draining', [drain()], 3), 0, [],
     'frontend02  draining  3         in   yes'),
    (lambda scene: scene.set(1, 'resuming'), 0, [], 'frontend02 is being resumed'),
    (lambda scene: scene.write(availability={'floor': 2}) or scene.set(1, 'drained', [drain()]), 0,
     [], 'floor: good: 2 of 3 serve, the floor is 2: frontend02 is drained by alice@desk'),
    (lambda scene: scene.write(availability={'floor': 3}) or scene.set(1, 'drained', [drain()]), 4,
     ['floor'], 'floor: fault: 2 of 3 serve, the floor is 3: frontend02 is drained by alice@desk'),
    (lambda scene: scene.set(1, 'attention'), 4, ['attention'], 'frontend02 needs attention'),
    (stop, 4, ['members'], 'frontend02  unreachable  ?         in   no: preflight'),
    (lambda scene: scene.write('some.test'), 0, [], 'frontend03  serving  4         missing  yes'),
    (lambda scene: scene.write('some.test', 'balanced'), 4, ['dns'], 'missing  no: dns\n'),
    (lambda scene: scene.write('balancer.test', 'one_address'), 0, [], 'it resolves to a single address'),
    (lambda scene: scene.write('balancer.test'), 0, [],
     'frontend01  serving  4         missing  yes'),
    (lambda scene: scene.write('all.test', 'one_address'), 4, ['dns'],
     'dns: fault: DNS is not what `dns.expect` says (one_address)'),
    (lambda scene: scene.write('stranger.test', 'balanced'), 0, [],
     '127.0.9.8 is in the answer of '),
    (lambda scene: scene.write('nothing.test'), 4, ['dns'],
     "dns: fault: the pool's name does not resolve"),
    (lambda scene: scene.write(port=free_port((ADDRESS,))), 4, ['dns'],
     'frontend01  serving  4         ?    yes'),
    (lambda scene: scene.write(None), 0, [], 'pool fe-pool01 has no fqdn'),
    (lambda scene: scene.write(None), 0, [], 'frontend01  serving  4         -    yes'),
    (lambda scene: scene.set(1, time='2026-05-01T08:40:00Z'), 4, ['clocks'], 'clocks: fault: '),
])
def test_what_is_at_fault_in_a_pool(scene, change, status, found, words):
    scene.write()
    change(scene)
    table, told = scene.check_pool(status)
    assert faults(told) == found
    assert words in table, table
    assert re.findall('^(.*): fault: ', table, re.M) == found
    assert table.count('  remedy: ') == len(found)
    end = ('as it should be', '1 fault')[len(found)]
    assert table.endswith(f'\nfe-pool01: {end}\n')


def test_resolvers_that_disagree_are_a_fault(scene, knot, other_view):
    """Both answer at one port, as a configuration has only one."""
    def forward(question):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(LIMIT)
            asker.connect((ADDRESS, other_view.port))
            asker.send(question)
            return asker.recv(4096)
    with Anything(forward, address='127.0.0.2', port=knot.port):
        scene.write(expect='balanced', resolvers=[ADDRESS, '127.0.0.2'])
        table, told = scene.check_pool(status=4)
        assert told['dns']['disputed'] and faults(told) == ['dns']
        assert 'dns: fault: resolvers disagree\n' in table
        assert [each['in_dns'] for each in told['servers']] == [True, True, False]
        table, gates = scene.check(status=4)
        assert 'resolvers disagree' in gates['dns']['text']


def test_the_servers_own_names_count(scene):
    scene.write(expect='balanced', names={'a.own.test': {}, 'b.own.test': {}, 'c.own.test': {}})
    for server, name in zip(scene.servers, ('a', 'b', 'c')):
        server.replies['GET /v1/server'] = view(f'{name}.own.test')
        server.replies['GET /v1/preflight'] = preflight(f'{name}.own.test')
    table, told = scene.check_pool(status=4)
    assert faults(told) == ['own_names']
    assert 'own_names: fault: wrong, missing or unknown: b.own.test, c.own.test\n' in table


def test_where_nobody_answers_nothing_is_known(scene):
    scene.write()
    for server in scene.servers:
        server.close()
    table, told = scene.check_pool(status=3)
    assert faults(told) == ['members', 'floor']
    assert all(each['message'] and each['sessions'] is None for each in told['servers'])
    done = scene.run('check', status=3)
    assert done.stderr.count('does not answer at') == 3


def test_pools_are_reported_one_after_the_other(scene):
    scene.write()
    pools = json.loads(scene.pool.file.read_text())
    servers = pools['pools']['fe-pool01']['servers']
    pools['pools']['fe-pool02'] = {'services': {SERVICE: {'ports': [7000]}}, 'servers': {
        'frontend03': servers.pop('frontend03')}, 'availability': {'floor': 0}}
    scene.pool.file.write_text(json.dumps(pools))
    done = scene.run('check')
    assert done.stdout.index('fe-pool01: as it should be\n\nfe-pool02\n')
    lines = scene.run('check', '-o', 'jsonl').stdout.splitlines()
    assert [json.loads(line)['pool'] for line in lines] == ['fe-pool01', 'fe-pool02']
    scene.set(2, 'attention')
    assert 'fe-pool01' not in scene.run('check', 'fe-pool02', status=4).stdout
    scene.run('check', status=8)
    assert 'not both' in scene.run('check', 'fe-pool01', 'frontend03', status=2).stderr
    assert 'servers' in scene.run('check', 'fe-pool01', '--deadline', '1h', status=2).stderr
    assert "'fe-pool0'" in scene.run('check', 'fe-pool0', status=2).stderr


def test_what_servers_and_dns_say_cannot_control_the_terminal(scene):
    scene.write()
    scene.set(1, 'draining', [drain(owner='eve\x1b[2J\n  gate floor passes: \u202eno')])
    scene.servers[0].replies['GET /v1/preflight'] = preflight('frontend01', 'bad\x1b[31m\nworse')
    for args in ['check'], ['check', 'frontend01'], ['drain', 'frontend01', '--dry-run']:
        done = scene.pool.poolctl(*args)
        assert '\x1b' not in done.stdout and '\u202e' not in done.stdout
        assert '\n  gate floor passes: ?no' not in done.stdout
        assert 'eve?[2J?' in done.stdout


@pytest.mark.parametrize('columns', [40, 80])
def test_a_screen_of_any_width_has_all_of_it(scene, columns):
    scene.write('some.test', 'balanced', availability={'floor': 3})
    def without_clocks(text):
        """They are read anew each time."""
        return re.sub('(?m)^clocks: .*$', '', text)
    plain = scene.pool.poolctl('check').stdout
    text, status = run_on_terminal([POOLCTL, '--config', scene.pool.file, 'check'], columns)
    assert status == 4 and '\x1b[' in text
    text = re.sub(r'\x1b\[[0-9;]*m', '', text).replace('\r\n', '\n')
    assert without_clocks(text) == without_clocks(plain)
    if columns == 80:
        start = plain.index('SERVER')
        assert max(map(len, plain[start:plain.index('members: ')].splitlines())) <= columns


@pytest.mark.parametrize('args', [['check', 'fe-pool01'], ['check', 'frontend01']])
def test_all_that_a_check_prints_for_programs_is_documented(scene, args):
    scene.write()
    text = (ROOT / 'docs/output.md').read_text()
    section = re.search(r'^## check$.*?(?=^## )', text, re.M | re.S)[0]

    def keys(value):
        if isinstance(value, dict):
            yield from value
        for each in value.values() if isinstance(value, dict) else value:
            if isinstance(each, (dict, list)):
                yield from keys(each)
    for key in set(keys(json.loads(scene.pool.poolctl(*args, '-o', 'json').stdout))) - {'pools'}:
        assert f'`{key}`' in section, key
    for name in CHECKS:
        assert f'`{name}`' in section


# ---- many, and some that hang ----

class Crowd:
    """Many servers behind one address: the name of each is in its url.  What is in `hanging`,
    names and names with the path, is asked for and not answered."""

    def __init__(self, hanging=()):
        self.lock, self.under_way, self.most = threading.Lock(), 0, 0
        self.over = threading.Event()
        crowd = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_GET(self):
                _, name, path = self.path.split('/', 2)
                if name in hanging or f'{name}/{path}' in hanging:
                    crowd.over.wait(2 * LIMIT)
                    self.close_connection = True
                    return
                body = json.dumps(view(name) if path == 'v1/server' else preflight(name)).encode()
                self.send_response_only(200)
                self.send_header('Content-Type', 'application/json')
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def handle(self):
                with crowd.lock:
                    crowd.under_way += 1
                    crowd.most = max(crowd.most, crowd.under_way)
                with contextlib.suppress(OSError):
                    super().handle()
                with crowd.lock:
                    crowd.under_way -= 1

            def log_message(self, *_):
                pass

        class Many(http.server.ThreadingHTTPServer):
            request_queue_size = 1000
            daemon_threads = True

        self.server = Many((ADDRESS, 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def write(self, file, count):
        file.write_text(json.dumps({'pools': {'large': {
            'services': {SERVICE: {'ports': [7000]}}, 'servers': {
                f's{i}': {'address': f'10.0.{i // 250}.{i % 250 + 1}',
                          'url': f'http://{ADDRESS}:{self.port}/s{i}'} for i in range(count)}}}}))

    def close(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


def test_a_thousand_are_asked_at_once_and_one_that_hangs_costs_its_own_time(tmp_path):
    with contextlib.closing(Crowd(hanging={'s17'})) as crowd:
        pool = CannedPool(tmp_path, 0)
        crowd.write(pool.file, 1000)
        began = time.monotonic()
        done = pool.poolctl('check', '-o', 'json')
        took = time.monotonic() - began
    [told] = json.loads(done.stdout)['pools']
    assert done.returncode == 4 and faults(told) == ['members']
    assert [each['server'] for each in told['servers'] if not each['answers']] == ['s17']
    print(f'1000 members, one of which hangs: {took:.1f} s, {crowd.most} connections at most')
    assert crowd.most <= 110
    # 5 s for what hangs; the rest is this machine's.
    assert 5 <= took < 30


def test_as_many_that_hang_as_there_are_connections_hide_nobody(tmp_path):
    """Nobody else is asked before these are given up, and then has all of his own time."""
    hanging = {f's{i}' for i in range(100)}
    with contextlib.closing(Crowd({f'{name}/v1/server' for name in hanging})) as crowd:
        pool = CannedPool(tmp_path, 0)
        crowd.write(pool.file, 130)
        done = pool.poolctl('check', '-o', 'json')
    [told] = json.loads(done.stdout)['pools']
    assert {each['server'] for each in told['servers'] if not each['answers']} == hanging


def test_a_member_that_hangs_does_not_keep_the_others_from_being_known(scene):
    scene.write()
    over = threading.Event()
    scene.servers[2].replies['GET /v1/server'] = lambda _: over.wait(2 * LIMIT) and None
    began = time.monotonic()
    table = scene.run('check', 'frontend01', status=4).stdout
    took = time.monotonic() - began
    over.set()
    assert re.findall('gate (.*) refuses', table) == ['max_out']
    assert 'frontend03 does not answer' in table
    assert took < 60


def test_resolvers_that_are_silent_cost_their_limit_once(scene, knot):
    with Anything() as silent:
        scene.write(resolvers=[ADDRESS], port=int(silent.resolver.split(':')[1]),
                    features=FEATURES)
        began = time.monotonic()
        done = scene.run('check', 'frontend01', status=4)
        assert 5 <= time.monotonic() - began < 30
    assert 'no resolver answered' in done.stdout


def test_without_a_name_to_ask_for_dns_is_left_alone(scene):
    with Anything() as silent:
        scene.write(None)
        text = json.loads(scene.pool.file.read_text())
        text['pools']['fe-pool01']['dns'] = {'resolvers': [ADDRESS],
                                             'port': int(silent.resolver.split(':')[1])}
        scene.pool.file.write_text(json.dumps(text))
        scene.run('check')
        assert not silent.questions
