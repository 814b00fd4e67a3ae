"""What DNS says of names and pools: real DNS servers, each with its own view."""

import json
import os
import pathlib
import random
import subprocess
import time

import pytest

from nameservers import (A, AAAA, ADDRESS, CNAME, KNOTD, SAME_NAME, UNBOUND, Anything, Knot,
                         Unbound, answer_to, asked_kind, record, wire_name)
from pool import POOLCTL
from sessions import free_port, wait_until

ASK_DNS = POOLCTL.parent / 'tests/ask_dns'
LIMIT_MS = 20000  # for those who answer
SHORT_MS = 1000   # for those who do not

pytestmark = pytest.mark.skipif(not (KNOTD.exists() and UNBOUND.exists()), reason=(
    'the DNS servers could not be unpacked; make setup-check says why'))

MANY = 100  # addresses, which do not fit into one packet of UDP
ZONE = '''
all 30 A 10.0.0.1
all 30 A 10.0.0.2
all 30 A 10.0.0.3
some A 10.0.0.1
some A 10.0.0.2
single A 10.0.0.1
balancer A 10.0.0.100
balancer AAAA fd00::100
others A 10.0.0.101
others A 10.0.0.102
stranger A 10.0.0.1
stranger A 10.0.0.2
stranger A 10.0.0.3
stranger A 10.0.0.9
six AAAA fd00::1
six AAAA fd00::2
six AAAA fd00:0:0:0:0:0:0:3
mixed A 10.0.0.1
mixed A 10.0.0.2
mixed AAAA fd00::3
text TXT "no address"
alias 20 CNAME alias2
alias2 40 CNAME all
else NS ns.else
away 10 CNAME all.else.test.
lost CNAME nowhere.test.
outside CNAME a.invalid.
loop CNAME loop2
loop2 CNAME loop
self CNAME self
a.own A 10.0.0.1
b.own A 10.0.0.77
''' + ''.join(f'many A 10.1.0.{i}\n' for i in range(MANY)) + ''.join(
    f'chain{i} CNAME chain{i + 1}\n' for i in range(20)) + 'chain20 A 10.0.0.1\n'
ELSE = 'all 50 A 10.0.0.1\nall 50 A 10.0.0.2\nall 50 A 10.0.0.3\n'


@pytest.fixture(scope='module')
def knot(tmp_path_factory):
    folder = tmp_path_factory.mktemp('dns')
    with Knot(folder, {'test': ZONE, 'else.test': ELSE, 'broken.test': None}) as server:
        yield server


@pytest.fixture(scope='module')
def unbound(tmp_path_factory, knot):
    with Unbound(tmp_path_factory.mktemp('dns'), knot) as server:
        yield server


@pytest.fixture(scope='module')
def other_view(tmp_path_factory):
    """Another resolver, with two servers of three, and addresses of its own."""
    local = ['all.test. 60 A 10.0.0.1', 'all.test. 60 A 10.0.0.2', 'all.test. 60 A 10.0.0.8']
    with Unbound(tmp_path_factory.mktemp('dns'), local=local, name='other') as server:
        yield server


def run(*args):
    done = subprocess.run([ASK_DNS, *map(str, args)], capture_output=True, text=True,
                          timeout=120, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return json.loads(done.stdout)


def ask(server, name, limit_ms=LIMIT_MS):
    [answer] = run('names', limit_ms, getattr(server, 'resolver', server), name)
    return answer


def statuses(answer):
    return answer['ipv4']['status'], answer['ipv6']['status']


@pytest.fixture
def view(tmp_path):
    """Asks for a pool's name: view(name, resolver...); two answers, the view and its text."""
    def make(fqdn, *resolvers, limit_ms=LIMIT_MS, servers=None, **dns):
        servers = servers or {f'fe0{i}': [f'10.0.0.{i}', f'fd00::{i}'] for i in (1, 2, 3)}
        file = tmp_path / 'pool.yaml'
        file.write_text(json.dumps({'pools': {'fe': {
            'fqdn': fqdn, 'dns': dns, 'services': {'RTCSRV': {'ports': 5061}},
            'servers': {name: {'address': address} for name, address in servers.items()}}}}))
        both = run('pool', file, 'fe', limit_ms,
                   *(getattr(each, 'resolver', each) for each in resolvers))
        return both['view'], both['text']
    return make


def reply_with(*records, **options):
    return lambda question: answer_to(question, *records, **options)


ONE = record(SAME_NAME, A, b'\x0a\0\0\1')


# ---- one question ----

def test_addresses_come_with_their_time_to_live(knot):
    answer = ask(knot, 'all.test')
    assert sorted(answer['ipv4']['addresses']) == [
        ['10.0.0.1', 30], ['10.0.0.2', 30], ['10.0.0.3', 30]]
    assert answer['ipv6'] == {'status': 'no_address', 'addresses': [], 'aliases': []}


def test_a_dot_at_the_end_and_capital_letters_are_the_same_name(knot):
    for name in 'ALL.Test', 'all.test.', 'aLL.TEST.':
        assert len(ask(knot, name)['ipv4']['addresses']) == 3


def test_search_domains_are_never_used(knot):
    assert statuses(ask(knot, 'all')) == ('refused', 'refused')


@pytest.mark.parametrize('name, status', [
    ('nothing.test', ('no_name', 'no_name')),
    ('text.test', ('no_address', 'no_address')),
    ('six.test', ('no_address', 'answered')),
    ('all.broken.test', ('failed', 'failed')),
    ('all.invalid', ('refused', 'refused')),
    ('lost.test', ('no_name', 'no_name')),
    ('outside.test', ('refused', 'refused')),
    ('loop.test', ('loop', 'loop')),
    ('self.test', ('loop', 'loop')),
    ('chain0.test', ('loop', 'loop')),
    ('x' * 64 + '.test', ('bad_name', 'bad_name')),
    ('a..test', ('bad_name', 'bad_name')),
    ('hidden.onion', ('no_name', 'no_name')),
])
def test_whatever_there_is_instead_of_addresses_is_told_apart(knot, name, status):
    answer = ask(knot, name)
    assert statuses(answer) == status
    if status[0] != 'answered':
        assert answer['ipv4']['addresses'] == []


def test_six_and_four_are_both_asked_for(knot):
    answer = ask(knot, 'mixed.test')
    assert sorted(each[0] for each in answer['ipv4']['addresses']) == ['10.0.0.1', '10.0.0.2']
    assert answer['ipv6']['addresses'] == [['fd00::3', 60]]


def test_aliases_are_followed_and_the_least_time_to_live_counts(knot):
    for name, aliases, ttl in ('alias', ['alias2.test', 'all.test'], 20), (
            'alias2', ['all.test'], 30), ('chain5', [f'chain{i}.test' for i in range(6, 21)], 60):
        answer = ask(knot, f'{name}.test')
        assert answer['ipv4']['aliases'] == aliases
        assert max(seconds for _, seconds in answer['ipv4']['addresses']) == ttl
        assert statuses(answer) == ('answered', 'no_address')


def test_an_alias_into_another_zone_is_asked_for_again(knot, unbound):
    for server in knot, unbound:
        answer = ask(server, 'away.test')
        assert answer['ipv4']['aliases'] == ['all.else.test']
        assert len(answer['ipv4']['addresses']) == 3
        assert max(seconds for _, seconds in answer['ipv4']['addresses']) <= 10
        assert statuses(answer) == ('answered', 'no_address')


@pytest.mark.parametrize('through', ['knot', 'unbound'])
def test_what_was_cut_off_is_asked_for_over_tcp(through, request):
    answer = ask(request.getfixturevalue(through), 'many.test')['ipv4']
    assert len({address for address, _ in answer['addresses']}) == MANY


def test_a_cut_answer_of_a_server_without_tcp_is_none():
    with Anything(lambda question: answer_to(
            question, record(SAME_NAME, A, b'\x0a\0\0\1'), flags=0x8380)) as server:
        answer = ask(server, 'all.test', SHORT_MS)
    assert statuses(answer) == ('unreachable', 'unreachable')
    assert answer['ipv4']['addresses'] == []


def test_a_dead_server_is_not_waited_for():
    began = time.monotonic()
    answer = ask(f'{ADDRESS}:{free_port((ADDRESS,))}', 'all.test', 60000)
    assert statuses(answer) == ('unreachable', 'unreachable')
    assert time.monotonic() - began < 30


def test_a_silent_server_costs_the_limit_and_no_more():
    with Anything() as server:
        began = time.monotonic()
        answer = ask(server, 'all.test', SHORT_MS)
        took = time.monotonic() - began
        # Each of them twice, as one may be lost.
        assert len(server.questions) == 4
    assert statuses(answer) == ('silent', 'silent')
    assert took >= SHORT_MS / 1000 * 0.9


def test_a_question_that_is_lost_is_asked_again():
    seen = set()

    def forget_the_first(question):
        kind = asked_kind(question)
        if kind not in seen:
            return seen.add(kind)
        return answer_to(question, *[record(SAME_NAME, A, b'\x0a\0\0\1')] * (kind == A))
    with Anything(forget_the_first) as server:
        answer = ask(server, 'all.test', 6000)
    assert answer['ipv4']['addresses'] == [['10.0.0.1', 60]]
    assert statuses(answer) == ('answered', 'no_address')


def test_a_server_may_have_an_ipv6_address(view):
    with Anything(reply_with(ONE), address='::1') as server:
        seen, _ = view('all.test', server, servers={'fe01': '10.0.0.1'})
    assert seen['verdict'] == 'balanced'
    assert seen['resolvers'][0]['resolver'] == server.resolver


def test_of_many_names_none_is_lost(knot):
    names = ['all.test', 'nothing.test', 'six.test'] * 200
    answers = run('names', 60000, knot.resolver, *names)
    assert [statuses(answer) for answer in answers] == [
        ('answered', 'no_address'), ('no_name', 'no_name'), ('no_address', 'answered')] * 200


def test_many_names_of_a_silent_server_cost_one_limit():
    with Anything() as server:
        began = time.monotonic()
        answers = run('names', SHORT_MS, server.resolver, *['all.test'] * 500)
        assert time.monotonic() - began < 20 * SHORT_MS / 1000
    assert {statuses(answer) for answer in answers} == {('silent', 'silent')}


def test_the_resolvers_of_the_system_are_known():
    for resolver in (listed := run('system')):
        assert resolver
    assert listed


# ---- answers of strangers ----

@pytest.mark.parametrize('answer, status', [
    (reply_with(ONE, count=2), 'malformed'),
    (reply_with(ONE[:-1]), 'malformed'),
    (reply_with(record(SAME_NAME, A, b'\x0a\0\0')), 'malformed'),
    (reply_with(record(b'\xc0\xff', A, b'\x0a\0\0\1')), 'malformed'),
    (reply_with(record(b'\xc0\x1a', A, b'\x0a\0\0\1')), 'malformed'),
    (reply_with(record(SAME_NAME, CNAME, b'\x40oops')), 'malformed'),
    (reply_with(record(SAME_NAME, CNAME, wire_name(b'\x1b[31m'))), 'malformed'),
    (reply_with(record(SAME_NAME, CNAME, wire_name(b'\xff\xfe'))), 'malformed'),
    (reply_with(record(wire_name(b'other'), A, b'\x0a\0\0\1')), 'no_address'),
    (reply_with(code=1), 'format'),
    (reply_with(code=2), 'failed'),
    (reply_with(code=3), 'no_name'),
    (reply_with(code=4), 'refused'),
    (reply_with(code=5), 'refused'),
    (reply_with(code=9), 'failed'),
    (reply_with(), 'no_address'),
    # Who neither knows the name nor asks others says nothing about it.
    (reply_with(flags=0x8100), 'refused'),
    (reply_with(flags=0x8500), 'no_address'),
    (lambda question: question[:2], 'silent'),
    (lambda question: bytes([question[0] ^ 1]) + answer_to(question, ONE)[1:], 'silent'),
])
def test_an_answer_that_is_odd_is_no_address(answer, status):
    with Anything(answer) as server:
        reply = ask(server, 'all.test', SHORT_MS)
    assert reply['ipv4']['status'] == status
    assert reply['ipv4']['addresses'] == []


def test_a_time_to_live_beyond_all_bounds_is_zero():
    with Anything(reply_with(record(SAME_NAME, A, b'\x0a\0\0\1', 0x80000000))) as server:
        assert ask(server, 'all.test', SHORT_MS)['ipv4']['addresses'] == [['10.0.0.1', 0]]


def test_bytes_at_random_do_no_harm():
    seed = int(os.environ.get('DNS_SEED', random.randrange(2**32)))
    print(f'DNS_SEED={seed}')
    chance = random.Random(seed)
    good = (record(SAME_NAME, CNAME, wire_name(b'other.test')),
            record(wire_name(b'other.test'), A, b'\x0a\0\0\1'), ONE)

    def damage(question):
        answer = bytearray(answer_to(question, *good))
        # The question stays as it is, or the answer would not count as one.
        start = len(answer) - sum(map(len, good))
        for _ in range(chance.randrange(1, 6)):
            place = chance.choice([7, *range(start, len(answer))])
            answer[place] = chance.randrange(256)
        end = chance.choice([len(answer), chance.randrange(start, len(answer))])
        return bytes(answer[:end])
    with Anything(damage) as server:
        answers = run('names', LIMIT_MS, server.resolver, *['all.test'] * 1000)
    assert len(server.questions) >= 2000
    assert {'answered', 'malformed'} <= {statuses(answer)[0] for answer in answers}


# ---- a pool ----

@pytest.mark.parametrize('name, verdict, says', [
    ('all', 'balanced', 'balanced by DNS: it resolves to all 3 servers, TTL '),
    ('six', 'balanced', 'resolves to all 3 servers, TTL 1m00s\n'),
    ('mixed', 'balanced', 'resolves to all 3 servers'),
    ('alias', 'balanced', ', alias alias2.test, alias all.test\n'),
    ('stranger', 'balanced', '10.0.0.9 is in the answer of '),
    ('some', 'partly', 'partly balanced by DNS: it resolves to 2 of 3 servers, TTL 1m00s\n'),
    ('others', 'elsewhere', 'addresses that belong to none of the servers'),
    ('balancer', 'one_address', 'single address: either a hardware load balancer, or no balancing'),
    ('single', 'one_address', 'fe02 is missing from the answer of '),
    ('nothing', 'not_resolvable', 'it does not resolve\n  resolver {}: no such name\n'),
    ('text', 'not_resolvable', ': the name has no address\n'),
    ('loop', 'not_resolvable', ': its aliases form a loop, alias loop2.test\n'),
    ('all.broken', 'unknown', ': the DNS server failed (SERVFAIL)\n'),
])
def test_what_a_pool_is(knot, view, name, verdict, says):
    seen, text = view(f'{name}.test', knot)
    assert seen['verdict'] == verdict
    assert not seen['disputed']
    assert text.startswith(f'{name}.test: ')
    assert says.format(knot.resolver) in text


def test_the_view_has_each_address_server_and_resolver(knot, view):
    seen, text = view('some.test', knot)
    inside = [{'resolver': knot.resolver, 'in': True, 'ttl_s': 60}]
    outside = [{'resolver': knot.resolver, 'in': False, 'ttl_s': None}]
    assert sorted(seen.pop('addresses'), key=lambda each: each['address']) == [
        {'address': '10.0.0.1', 'server': 'fe01', 'resolvers': inside},
        {'address': '10.0.0.2', 'server': 'fe02', 'resolvers': inside}]
    assert seen == {
        'name': 'some.test', 'verdict': 'partly', 'as_expected': True, 'disputed': False,
        'least_ttl_s': 60, 'greatest_ttl_s': 60,
        'resolvers': [{'resolver': knot.resolver, 'verdict': 'partly', 'ipv4': 'answered',
                       'ipv6': 'no_address', 'aliases': []}],
        'servers': [{'server': name, 'own_name': 'not_asked', 'resolvers': where}
                    for name, where in (('fe01', inside), ('fe02', inside), ('fe03', outside))]}
    assert text == (
        'some.test: partly balanced by DNS: it resolves to 2 of 3 servers, TTL 1m00s\n'
        f'  resolver {knot.resolver}: 2 addresses\n'
        f'  fe03 is missing from the answer of {knot.resolver}\n')


def test_the_resolvers_of_the_configuration_are_asked(knot, view):
    seen, _ = view('all.test', resolvers=[ADDRESS], port=knot.port, expect='balanced')
    assert [each['resolver'] for each in seen['resolvers']] == [knot.resolver]
    assert seen['verdict'] == 'balanced' and seen['as_expected']


def test_resolvers_that_disagree_are_named(knot, other_view, view):
    seen, text = view('all.test', knot, other_view)
    assert seen['verdict'] == 'partly' and seen['disputed']
    assert [each['verdict'] for each in seen['resolvers']] == ['balanced', 'partly']
    assert [[where['in'] for where in server['resolvers']] for server in seen['servers']] == [
        [True, True], [True, True], [True, False]]
    assert f'  fe03 is missing from the answer of {other_view.resolver}\n' in text
    assert f'  10.0.0.8 is in the answer of {other_view.resolver}, but belongs to no' in text


def test_who_does_not_answer_changes_nothing_but_is_named(knot, view):
    dead = f'{ADDRESS}:{free_port((ADDRESS,))}'
    with Anything() as silent:
        began = time.monotonic()
        seen, text = view('all.test', dead, knot, silent, limit_ms=3000)
        assert time.monotonic() - began < 30
    assert seen['verdict'] == 'balanced' and not seen['disputed']
    assert [each['verdict'] for each in seen['resolvers']] == ['unknown', 'balanced', 'unknown']
    assert [where['in'] for where in seen['servers'][0]['resolvers']] == [None, True, None]
    assert f'  resolver {dead}: no DNS server is reachable there\n' in text
    assert f'  resolver {silent.resolver}: no answer in time\n' in text


def test_nobody_who_answers_is_not_known_and_not_absent(view):
    dead = f'{ADDRESS}:{free_port((ADDRESS,))}'
    seen, text = view('all.test', dead, expect='balanced')
    assert seen['verdict'] == 'unknown' and not seen['as_expected']
    assert seen['servers'][0]['resolvers'][0]['in'] is None
    assert 'unknown: no resolver gave a complete answer' in text


def test_half_an_answer_makes_only_the_other_half_unknown(view):
    def only_four(question):
        if asked_kind(question) == AAAA:
            return answer_to(question, code=2)
        return answer_to(question, ONE)
    with Anything(only_four) as server:
        seen, text = view('all.test', server, servers={'fe01': '10.0.0.1'})
        assert seen['verdict'] == 'balanced'
        seen, text = view('all.test', server,
                          servers={'fe01': '10.0.0.1', 'fe02': ['10.0.0.2', 'fd00::2']})
    assert seen['verdict'] == 'unknown'
    assert [each['resolvers'][0]['in'] for each in seen['servers']] == [True, None]
    assert 'IPv4: answered; IPv6: the DNS server failed (SERVFAIL)\n' in text


def test_the_servers_own_names_have_to_lead_to_them(knot, view):
    seen, text = view('all.test', knot, servers={
        'a.own.test': '10.0.0.1', 'b.own.test': '10.0.0.2', 'c.own.test': '10.0.0.3'})
    assert [each['own_name'] for each in seen['servers']] == ['right', 'wrong', 'missing']
    assert '  own name b.own.test resolves to an address that is not the server\'s\n' in text
    assert '  own name c.own.test does not resolve\n' in text
    assert 'a.own.test' not in text


def test_what_a_cache_keeps_runs_out(tmp_path, view):
    """The one who knows says at once that a server has left; the cache says so later."""
    both = 'pool 3 A 10.0.0.1\npool 3 A 10.0.0.2\n'
    servers = {'fe01': '10.0.0.1', 'fe02': '10.0.0.2'}
    with Knot(tmp_path, {'cached.test': both}) as source, Unbound(tmp_path, source) as cache:
        # Of 3 seconds, one has passed.
        wait_until(lambda: view('pool.cached.test', cache)[0]['greatest_ttl_s'] < 3,
                   'its time to live runs')
        seen, _ = view('pool.cached.test', cache, source, servers=servers)
        assert seen['verdict'] == 'balanced' and seen['greatest_ttl_s'] == 3
        source.change('cached.test', 'pool 3 A 10.0.0.1\n')
        disputed = False

        def has_left():
            nonlocal disputed
            seen, _ = view('pool.cached.test', cache, source, servers=servers)
            disputed |= seen['disputed']
            return not seen['disputed'] and seen['verdict'] == 'one_address'
        wait_until(has_left, 'the cache forgets it')
        assert disputed
