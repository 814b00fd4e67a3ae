"""What DNS says of names and pools, asked by a Windows program."""

import json
import time

import pytest

from nameservers import (A, ADDRESS, KNOTD, SAME_NAME, UNBOUND, Anything, Knot, Unbound,
                         answer_to, record)
from sessions import free_port
from wine import windows_path

LIMIT_MS = 20000
SHORT_MS = 1000
MANY = 100  # addresses, which do not fit into one packet of UDP
ZONE = '''
pool 30 A 10.0.0.1
pool 30 A 10.0.0.2
six AAAA fd00::1
alias 20 CNAME pool
loop CNAME loop
text TXT "no address"
''' + ''.join(f'many A 10.1.0.{i}\n' for i in range(MANY))

pytestmark = pytest.mark.skipif(not (KNOTD.exists() and UNBOUND.exists()), reason=(
    'the DNS servers could not be unpacked; make setup-check says why'))


@pytest.fixture(scope='module')
def knot(tmp_path_factory):
    zones = {'test': ZONE, 'broken.test': None}
    with Knot(tmp_path_factory.mktemp('dns'), zones) as server:
        yield server


@pytest.fixture(scope='module')
def run(machine):
    def make(*args):
        return json.loads(machine.run([machine.tool('ask_dns'), *args]).stdout)
    return make


@pytest.fixture(scope='module')
def ask(run):
    def make(resolver, *names, limit_ms=LIMIT_MS):
        return [(answer['ipv4'], answer['ipv6'])
                for answer in run('names', limit_ms, resolver, *names)]
    return make


def test_what_there_is_and_what_there_is_not(ask, knot):
    four_and_six = ask(knot.resolver, 'pool.test', 'six.test', 'alias.test', 'nothing.test',
                       'text.test', 'loop.test', 'all.broken.test', 'all.invalid', 'a..test')
    assert [(four['status'], six['status']) for four, six in four_and_six] == [
        ('answered', 'no_address'), ('no_address', 'answered'), ('answered', 'no_address'),
        ('no_name', 'no_name'), ('no_address', 'no_address'), ('loop', 'loop'),
        ('failed', 'failed'), ('refused', 'refused'), ('bad_name', 'bad_name')]
    assert sorted(four_and_six[0][0]['addresses']) == [['10.0.0.1', 30], ['10.0.0.2', 30]]
    assert four_and_six[1][1]['addresses'] == [['fd00::1', 60]]
    assert four_and_six[2][0]['aliases'] == ['pool.test']
    assert four_and_six[2][0]['addresses'][0][1] == 20


def test_what_was_cut_off_is_asked_for_over_tcp(ask, knot):
    [(four, _)] = ask(knot.resolver, 'many.test')
    assert len({address for address, _ in four['addresses']}) == MANY


def test_a_cut_answer_of_a_server_without_tcp_is_none(ask):
    with Anything(lambda question: answer_to(
            question, record(SAME_NAME, A, b'\x0a\0\0\1'), flags=0x8380)) as server:
        [(four, _)] = ask(server.resolver, 'pool.test', limit_ms=SHORT_MS)
    # Windows may not say in time that nobody listens.
    assert four['status'] in ('unreachable', 'silent') and four['addresses'] == []


def test_who_is_dead_or_silent_costs_the_limit_and_no_more(ask):
    began = time.monotonic()
    [(four, six)] = ask(f'{ADDRESS}:{free_port((ADDRESS,))}', 'pool.test', limit_ms=SHORT_MS)
    assert {four['status'], six['status']} <= {'unreachable', 'silent'}
    with Anything() as server:
        answers = ask(server.resolver, *['pool.test'] * 100, limit_ms=SHORT_MS)
    assert {each['status'] for answer in answers for each in answer} == {'silent'}
    assert time.monotonic() - began < 30


def test_the_view_of_a_pool_with_resolvers_that_disagree(run, knot, tmp_path):
    local = ['pool.test. 60 A 10.0.0.1', 'pool.test. 60 A 10.0.0.9']
    file = tmp_path / 'pool.yaml'
    file.write_text(json.dumps({'pools': {'fe': {
        'fqdn': 'pool.test', 'services': {'RTCSRV': {'ports': 5061}},
        'servers': {f'fe0{i}': {'address': f'10.0.0.{i}'} for i in (1, 2)}}}}))
    with Unbound(tmp_path, local=local) as other, Anything() as silent:
        seen = run('pool', windows_path(file), 'fe', 3000, knot.resolver, other.resolver,
                   silent.resolver)
    view = seen['view']
    assert (view['verdict'], view['disputed']) == ('partly', True)
    assert [each['verdict'] for each in view['resolvers']] == ['balanced', 'partly', 'unknown']
    assert [[where['in'] for where in server['resolvers']] for server in view['servers']] == [
        [True, True, None], [True, False, None]]
    assert f'10.0.0.9 is in the answer of {other.resolver}, but belongs to no' in seen['text']


def test_the_resolvers_of_the_system_can_be_listed(run):
    assert isinstance(run('system'), list)
