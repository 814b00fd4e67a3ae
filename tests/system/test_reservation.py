"""Reservations over HTTP: no drain without one, one at a time, and none for ever."""

import json
import threading
import time

import pytest

from pool import SERVICE, check_problem
from sessions import LIMIT, free_port, wait_until

ALICE = {'reason': 'patch day', 'owner': 'alice'}
BOB = {'reason': 'disk', 'owner': 'bob'}
IN, OUT = ('running', 'automatic', True), ('paused', 'manual', True)


def reserve(server, drain='kb1', body=None, status=201, **fields):
    """The reservation, which was made or, with status 200, renewed."""
    got, _, reply = server.reserve(drain, body or ALICE, **fields)
    assert got == status, reply
    assert reply['phase'] == 'reserved' and reply['out'] is False
    return reply['reservation']


def is_not_reserved(reply, *words):
    check_problem(reply, 409, 'not_reserved', *words)
    assert (reply[2]['exit_code'], reply[2]['retryable']) == (5, True)


def is_untouched(server):
    document = server.document()
    assert document['drains'] == [] and document['wanted'] == 'serving'
    assert document['services'][0]['saved'] is None
    assert server.scm.says() == IN


def metric(server, name):
    lines = server.page('/metrics')[2].splitlines()
    return next(line.split()[-1] for line in lines if line.startswith(name + ' '))


def events(server):
    return [each for each in server.get('/v1/events')[1]['events']
            if each['kind'] != 'poold_started']


# ---- reserve, commit ----

def test_a_drain_is_committed_with_its_reservation(server):
    reservation = reserve(server)
    assert set(reservation) == {'id', 'owner', 'reason', 'token', 'expires_in_s', 'created_at'}
    assert (reservation['id'], reservation['owner'], reservation['expires_in_s']) == (
        'kb1', 'alice', 15)
    is_untouched(server)
    status, _, drain = server.commit('kb1', ALICE, reservation['token'])
    assert (status, drain['phase'], drain['out']) == (201, 'active', True)
    document = server.document()
    assert document['reservation'] is None
    assert [each['id'] for each in document['drains']] == ['kb1']
    server.wait_phase('drained')


@pytest.mark.parametrize('fields, words', [
    ({}, ["drain 'kb1' has no reservation on frontend01", 'reserved']),
    ({'reservation': 'none-1'}, ["the reservation of drain 'kb1'", 'no longer valid']),
])
def test_a_drain_without_a_reservation_is_refused(server, fields, words):
    is_not_reserved(server.put_as_is('kb1', ALICE | fields), *words)
    is_untouched(server)
    assert events(server) == []


def test_a_token_is_good_for_one_drain_once(server):
    token = reserve(server)['token']
    is_not_reserved(server.commit('kb2', ALICE, token), 'reserved by alice for drain kb1')
    is_not_reserved(server.commit('kb1', ALICE, token + '0'), 'reserved by alice for drain kb1')
    is_untouched(server)
    assert server.commit('kb1', ALICE, token)[0] == 201
    assert server.delete('kb1')[0] == 200
    is_not_reserved(server.commit('kb1', ALICE, token), 'no longer valid')
    server.wait_phase('serving')
    is_untouched(server)


def test_a_commit_whose_reply_was_lost_may_be_repeated(server):
    token = reserve(server)['token']
    first = server.commit('kb1', ALICE, token)
    again = server.commit('kb1', ALICE, token)
    assert (first[0], again[0]) == (201, 200)
    assert again[2]['created_at'] == first[2]['created_at']
    # Whatever token: it adds nothing to what is out.
    assert server.put_as_is('kb1', ALICE)[0] == 200
    assert server.put_as_is('kb1', ALICE | {'reason': 'another'})[0] == 200
    assert server.commit('kb1', ALICE | {'deadline_s': 60}, 'none-7')[0] == 200


def test_another_drain_takes_a_reservation_though_all_is_out(server):
    server.put('kb1', ALICE)
    is_not_reserved(server.put_as_is('kb2', BOB))
    assert server.put('kb2', BOB)[0] == 201


def test_what_is_refused_as_a_drain_is_refused_as_a_reservation(server):
    check_problem(server.reserve('kb1', ALICE, services=['RTCSRX']), 404, 'unknown_service',
                  'RTCSRX')
    check_problem(server.reserve('kb1', {'owner': 'alice'}), 400, 'invalid_request', 'reason')
    server.put('kb1', ALICE)
    check_problem(server.reserve('kb1', BOB), 409, 'held', 'alice')
    assert server.document()['reservation'] is None


@pytest.mark.parametrize('body, words', [
    ({'phase': 'reserved', 'ttl_s': 0}, ['ttl_s', '60']),
    ({'phase': 'reserved', 'ttl_s': 61}, ['ttl_s', '60']),
    ({'phase': 'reserved', 'ttl_s': '15'}, ['ttl_s']),
    ({'phase': 'reserved', 'ttl_s': 1.5}, ['ttl_s']),
    ({'ttl_s': 15}, ['ttl_s', 'reserved']),
    ({'phase': 'ended'}, ['phase', 'active', 'reserved']),
    ({'phase': 'reserved', 'reservation': 'x-1'}, ['reservation', 'active']),
    ({'reservation': ''}, ['reservation', 'token']),
    ({'forced': []}, ["'forced'", '1 to 16']),
    ({'forced': ['floor', 'Floor']}, ["'forced[1]'"]),
    ({'forced': ['dns', 'dns']}, ["'forced'", "'dns' twice"]),
    ({'phase': 'reserved', 'forced': ['floor']}, ["'forced'", 'active']),
])
def test_a_wrong_claim_is_refused_and_named(server, body, words):
    check_problem(server.put_as_is('kb1', ALICE | body), 400, 'invalid_request', *words)
    assert server.document()['reservation'] is None
    is_untouched(server)


# ---- two of them ----

def test_one_of_two_owners_has_the_server_and_the_other_hears_who(server):
    mine = reserve(server)
    for drain, body in (('kb2', BOB), ('kb1', BOB), ('kb2', ALICE)):
        reply = server.reserve(drain, body)
        check_problem(reply, 409, 'reserved', 'frontend01 is reserved by alice', 'kb1',
                      mine['created_at'], 'patch day')
        assert (reply[2]['exit_code'], reply[2]['retryable']) == (5, True)
    assert server.commit('kb1', ALICE, mine['token'])[0] == 201
    # The claim is free again; the drain is there for everybody to see.
    assert reserve(server, 'kb2', BOB)['owner'] == 'bob'


def test_of_many_who_reserve_at_once_one_does(server):
    replies, lock, start = [], threading.Lock(), threading.Barrier(8)

    def ask(i):
        start.wait()
        reply = server.reserve(f'kb{i}', ALICE | {'owner': f'owner{i}'})
        with lock:
            replies.append(reply)
    threads = [threading.Thread(target=ask, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reply[0] for reply in replies) == [201] + [409] * 7
    winner = next(reply[2] for reply in replies if reply[0] == 201)
    assert server.document()['reservation']['id'] == winner['id']


def test_everybody_sees_a_reservation_but_not_its_token(server):
    before = server.document()
    assert before['reservation'] is None
    mine = reserve(server, ttl_s=40)
    seen = server.document()
    assert seen['reservation'] == {key: mine[key] for key in mine if key != 'token'}
    assert seen['index'] > before['index']
    status, drain = server.get('/v1/drains/kb1')
    assert (status, drain['phase'], drain['services']) == (200, 'reserved', [SERVICE])
    assert drain['reservation'] == seen['reservation']
    assert server.get('/v1/drains')[1] == {'drains': []}
    assert mine['token'] not in json.dumps([seen, drain])
    assert (seen['phase'], server.get('/readyz')[0]) == ('serving', 200)


def test_metrics_say_whether_the_server_is_reserved(server):
    assert metric(server, 'poold_reserved') == '0'
    token = reserve(server)['token']
    assert metric(server, 'poold_reserved') == '1'
    server.delete('kb1', f'?reservation={token}')
    assert metric(server, 'poold_reserved') == '0'


# ---- its time ----

def test_it_expires_and_who_waits_is_told(make_pool):
    # A tick is long here: nothing but the end of its time wakes poold.
    server = make_pool(tick='20s').servers[0]
    token = reserve(server, ttl_s=1)['token']
    index, began = server.document()['index'], time.monotonic()
    _, after = server.get(f'/v1/server?index={index}&wait=10')
    assert after['reservation'] is None and after['index'] > index
    assert time.monotonic() - began < 8
    is_not_reserved(server.commit('kb1', ALICE, token), 'no longer valid')
    is_untouched(server)
    assert server.get('/v1/drains/kb1')[0] == 404
    # It is free for another, and then that one has it.
    reserve(server, 'kb2', BOB)
    is_not_reserved(server.commit('kb1', ALICE, token), 'reserved by bob for drain kb2')


def test_time_alone_is_no_change(server):
    reserve(server, ttl_s=60)
    index = server.document()['index']
    # Several ticks, each a new look.
    wait_until(lambda: server.document()['reservation']['expires_in_s'] < 59, 'time goes by')
    assert server.document()['index'] == index


def test_a_renewal_keeps_the_token_and_lasts_longer(server):
    first = reserve(server, ttl_s=2)
    again = reserve(server, status=200, ttl_s=30)
    assert again['token'] == first['token'] and again['created_at'] == first['created_at']
    assert again['expires_in_s'] == 30
    # Past the time of the first.
    wait_until(lambda: server.document()['reservation']['expires_in_s'] <= 27, 'time goes by')
    assert server.commit('kb1', ALICE, first['token'])[0] == 201


# ---- its end ----

def test_a_withdrawal_ends_the_reservation_alone(server):
    token = reserve(server)['token']
    index = server.document()['index']
    assert server.delete('kb1', '?reservation=none-1')[2] == {'id': 'kb1', 'withdrawn': False}
    assert server.delete('kb2', f'?reservation={token}')[2] == {'id': 'kb2', 'withdrawn': False}
    assert server.document()['reservation']
    assert server.delete('kb1', f'?reservation={token}')[2] == {'id': 'kb1', 'withdrawn': True}
    document = server.document()
    assert document['reservation'] is None and document['index'] > index
    assert server.delete('kb1', f'?reservation={token}')[0] == 200
    is_not_reserved(server.commit('kb1', ALICE, token))


def test_a_withdrawal_that_comes_late_ends_no_drain(server):
    token = reserve(server)['token']
    server.commit('kb1', ALICE, token)
    assert server.delete('kb1', f'?reservation={token}')[2] == {'id': 'kb1', 'withdrawn': False}
    assert server.scm.says() == OUT


def test_ending_a_drain_that_is_only_reserved_ends_that(server):
    token = reserve(server)['token']
    status, _, ended = server.delete('kb1')
    assert (status, ended['phase'], ended['end_reason']) == (200, 'ended', 'request')
    assert server.document()['reservation'] is None
    is_not_reserved(server.commit('kb1', ALICE, token))
    # It never was a drain.
    check_problem(server.delete('kb1'), 404, 'unknown_drain')
    assert events(server) == []


def test_the_end_of_a_drain_ends_what_was_reserved_for_it(server):
    server.put('kb1', ALICE)
    token = reserve(server)['token']
    assert server.get('/v1/drains/kb1')[1]['phase'] == 'active'
    assert server.delete('kb1')[0] == 200
    is_not_reserved(server.commit('kb1', ALICE, token))
    server.wait_phase('serving')


@pytest.mark.parametrize('end', ['stop_poold', 'kill_poold'])
def test_a_poold_that_starts_anew_has_no_reservation(server, end):
    token = reserve(server, ttl_s=60)['token']
    getattr(server, end)()
    server.start_poold()
    assert server.document()['reservation'] is None
    is_not_reserved(server.commit('kb1', ALICE, token), 'no longer valid')
    is_untouched(server)
    again = reserve(server)['token']
    assert again != token and server.commit('kb1', ALICE, again)[0] == 201


# ---- what it leaves behind ----

def test_the_record_has_the_commit_and_its_reservation_alone(server):
    server.delete('kb1', f'?reservation={reserve(server)["token"]}')
    assert events(server) == []
    token = reserve(server)['token']
    server.commit('kb1', ALICE, token)
    created = events(server)[0]
    assert (created['kind'], created['after']['reservation']) == ('drain_created', token)
    server.put_as_is('kb1', ALICE | {'reason': 'another', 'reservation': 'none-1'})
    changed = next(each for each in events(server) if each['kind'] == 'drain_changed')
    assert 'reservation' not in changed['after'] and 'reservation' not in changed['before']


def test_what_was_forced_is_in_the_record_and_nowhere_else(server):
    token = reserve(server)['token']
    status, _, drain = server.commit('kb1', ALICE | {'forced': ['floor', 'dns']}, token)
    assert status == 201 and 'forced' not in drain
    created = events(server)[0]
    assert (created['kind'], created['after']['forced']) == ('drain_created', ['floor', 'dns'])
    assert created['after']['reservation'] == token
    assert 'forced' not in json.dumps([server.document(), server.get('/v1/drains/kb1')])
    # Nothing changes, so nothing was forced.
    server.wait_phase('drained')
    last = server.get('/v1/events')[1]['last']
    assert server.put_as_is('kb1', ALICE | {'forced': ['capacity']})[0] == 200
    assert server.get('/v1/events')[1]['last'] == last
    server.put_as_is('kb1', ALICE | {'reason': 'another'})
    changed = next(each for each in events(server) if each['kind'] == 'drain_changed')
    assert 'forced' not in changed['after'] and 'forced' not in changed['before']
    server.delete('kb1')
    ended = next(each for each in events(server) if each['kind'] == 'drain_ended')
    assert 'forced' not in ended['before']


def test_poolctl_shows_what_was_forced_and_the_chain_holds(pool):
    server = pool.servers[0]
    server.commit('kb1', ALICE | {'forced': ['floor', 'dns']}, reserve(server)['token'])
    server.put_as_is('kb1', ALICE | {'deadline_s': 60, 'forced': ['broken_sessions']})
    server.put_as_is('kb1', ALICE | {'reason': 'another', 'deadline_s': 60})
    done = pool.poolctl('events', 'frontend01')
    lines = [line for line in done.stdout.splitlines() if ' drain_c' in line]
    assert lines[0].endswith('  forced: floor, dns')
    assert 'deadline 2' in lines[1] and lines[1].endswith('Z, forced: broken_sessions')
    assert 'forced' not in lines[2]
    whole = json.loads(pool.poolctl('events', 'frontend01', '-o', 'json').stdout)
    assert [each['after']['forced'] for each in whole if 'forced' in (each['after'] or {})] == [
        ['floor', 'dns'], ['broken_sessions']]
    verified = pool.poolctl('events', 'frontend01', '--verify')
    assert verified.returncode == 0, verified.stdout + verified.stderr


# ---- poolctl ----

def test_poolctl_hears_who_has_reserved_the_server_and_since_when(pool):
    server = pool.servers[0]
    theirs = reserve(server, 'kb2', BOB)
    done = pool.poolctl('drain', 'frontend01', '--no-wait', '--lock-wait', '0s')
    assert done.returncode == 5
    for words in ('reserved by bob for drain kb2', theirs['created_at'], 'disk',
                  'nothing was changed'):
        assert words in done.stderr
    since = theirs['created_at'][len('2026-05-01T'):len('2026-05-01T08:30')]
    assert f'  reserved by bob for kb2 since {since}Z' in pool.poolctl('status').stdout
    is_untouched(server)
    server.delete('kb2', f'?reservation={theirs["token"]}')
    assert pool.poolctl('drain', 'frontend01', '--no-wait').returncode == 0
    assert server.document()['reservation'] is None


# ---- several services ----

@pytest.fixture
def several(make_pool):
    pool = make_pool(start=False)
    server = pool.servers[0]
    ports = f'        ports: [{pool.port}]\n'
    pool.file.write_text(pool.file.read_text().replace(
        ports, f'{ports}      RTCMEDSRV: {{ports: [{free_port()}]}}\n'))
    content = json.loads(server.scm.path.read_text())
    content['services']['RTCMEDSRV'] = dict(content['services'][SERVICE])
    server.scm.write(content)
    server.start_poold()
    return server


def test_a_service_more_takes_a_reservation_unless_it_is_out_already(several):
    one, both = ALICE | {'services': [SERVICE]}, ALICE | {'services': [SERVICE, 'RTCMEDSRV']}
    assert several.put('kb1', one)[0] == 201
    is_not_reserved(several.put_as_is('kb1', both))
    is_not_reserved(several.put_as_is('kb1', ALICE))
    assert [each['wanted'] for each in several.document()['services']] == ['drained', 'serving']
    # Another drain keeps it out.
    assert several.put('kb2', BOB | {'services': ['RTCMEDSRV']})[0] == 201
    assert several.put_as_is('kb1', both)[0] == 200
    # And then it is not out any more through anything.
    assert several.put('kb3', BOB | {'services': [SERVICE]})[0] == 201
    for drain in ('kb1', 'kb2'):
        assert several.delete(drain)[0] == 200
    is_not_reserved(several.put_as_is('kb3', BOB | {'services': [SERVICE, 'RTCMEDSRV']}))
    assert several.put('kb3', BOB | {'services': [SERVICE, 'RTCMEDSRV']})[0] == 200
