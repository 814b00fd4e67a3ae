"""Whether a server may leave its pool, and whether a pool is well, asked by poolctl.exe."""

import json

import pytest

from canned import CannedPool, drain, view
from nameservers import ADDRESS, KNOTD, Knot
from pool import SERVICE
from wine import TOOLS, windows_path

pytestmark = pytest.mark.skipif(not KNOTD.exists(), reason=(
    'the DNS servers could not be unpacked; make setup-check says why'))

ZONE = ''.join(f'pool A 127.0.1.{i}\n' for i in (1, 2, 3)) + 'one A 127.0.9.9\n'


def preflight(name):
    return {'server': name, 'possible': True, 'findings': [], 'services': [{
        'name': SERVICE, 'display_name': 'Front-End', 'possible': True,
        'observed': {'state': 'running', 'start_type': 'automatic'},
        'sessions': {'known': True, 'count': 0}, 'dependants': None, 'changes': ['pause'],
        'findings': []}]}


@pytest.fixture(scope='module')
def knot(tmp_path_factory):
    with Knot(tmp_path_factory.mktemp('dns'), {'test': ZONE}) as server:
        yield server


@pytest.fixture
def pool(tmp_path, knot):
    pool = CannedPool(tmp_path, 3)
    for server in pool.servers:
        server.replies |= {'GET /v1/server': view(server.name),
                           'GET /v1/preflight': preflight(server.name)}
    pool.write(f'fqdn: pool.test\n    dns: {{expect: balanced, resolvers: {ADDRESS}, '
               f'port: {knot.port}}}')
    yield pool
    pool.close()


@pytest.fixture
def check(machine, pool):
    def make(*args, status=0):
        done = machine.run([TOOLS.parent / 'poolctl.exe', '--config', windows_path(pool.file),
                            *args], check=False)
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return done.stdout
    return make


def test_a_pool_that_is_well_and_a_server_that_may_leave(check):
    text = check('check')
    assert 'pool.test: balanced by DNS: it resolves to all 3 servers' in text
    assert 'fe-pool01: as it should be' in text
    assert 'gates: 7 passed, 0 refused' in check('check', 'frontend01')


def test_a_pool_with_faults_and_a_server_that_may_not(check, pool):
    pool.servers[1].replies['GET /v1/server'] = view('frontend02', 'draining', [drain()], 3)
    pool.servers[2].close()
    [told] = json.loads(check('check', '-o', 'json', status=4))['pools']
    assert [each['standing'] for each in told['servers']] == [
        'serving', 'draining', 'unreachable']
    assert [each['check'] for each in told['checks'] if each['verdict'] == 'fault'] == ['members']
    text = check('drain', 'frontend01', '--dry-run', status=4)
    assert 'gate last refuses: frontend01 is the last of 3 servers that serves: ' in text
    assert 'gate dns passes: ' in text
