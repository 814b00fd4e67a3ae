"""A drain asks the pool: real servers whose gates refuse, several operators at once."""

import json
import os
import signal
import subprocess
import threading
import time

import pytest

from pool import POOLCTL, Poolctl
from proxy import Fault, LateAnswer, Network
from sessions import free_port, wait_until
from terminal import Terminal

ALICE = {'reason': 'patch day', 'owner': 'alice'}
IN, OUT = ('running', 'automatic', True), ('paused', 'manual', True)


def make(make_pool, count=3, floor=2, more=''):
    """A pool with that floor, whose services have these keys as well."""
    pool = make_pool(count=count)
    text = pool.file.read_text()
    start = text.index('    availability: ')
    end = text.index('\n', start)
    text = f'{text[:start]}    availability: {{floor: {floor}, max_out: {count}}}{text[end:]}'
    ports = f'        ports: [{pool.port}]\n'
    pool.file.write_text(text.replace(ports, ports + more))
    return pool


@pytest.fixture
def three(make_pool):
    """Two of its three servers must serve."""
    return make(make_pool)


def drain(pool, *args, status):
    done = pool.poolctl('drain', *args)
    assert done.returncode == status, done
    return done


def is_untouched(server):
    document = server.document()
    assert document['reservation'] is None and document['drains'] == []
    assert server.scm.says() == IN


def reserve(server, drain_id='kb9', **fields):
    status, _, reply = server.reserve(drain_id, ALICE, **fields)
    assert status == 201, reply
    return reply['reservation']['token']


def withdraw(server, token, drain_id='kb9'):
    assert server.delete(drain_id, f'?reservation={token}')[2] == {
        'id': drain_id, 'withdrawn': True}


def created(server):
    return next(each for each in server.get('/v1/events')[1]['events']
                if each['kind'] == 'drain_created')


# ---- gates ----

def test_a_second_server_is_refused_at_the_floor_and_nothing_is_changed(three):
    drain(three, 'frontend01', status=0)
    done = drain(three, 'frontend02', status=4)
    for words in ('frontend02: refused by the gate floor; nothing was changed',
                  '2 of 3 serve, 1 would be left; the floor is 2: frontend01 is drained',
                  'remedy: bring another server back first: poolctl resume frontend01\n'):
        assert words in done.stderr
    is_untouched(three.servers[1])
    [result] = json.loads(drain(three, 'frontend02', '-o', 'json', status=4).stdout)
    assert (result['result'], result['exit_code']) == ('refused', 4)
    assert [each['gate'] for each in result['gates'] if each['verdict'] == 'refused'] == ['floor']
    assert three.poolctl('resume', 'frontend01').returncode == 0
    drain(three, 'frontend02', status=0)
    assert three.servers[1].scm.says() == OUT


def test_of_several_servers_in_one_command_only_those_go_that_the_pool_can_spare(three):
    done = drain(three, 'frontend02', 'frontend03', 'frontend01', '-o', 'json', status=8)
    results = {each['server']: each['result'] for each in json.loads(done.stdout)}
    assert results == {'frontend01': 'drained', 'frontend02': 'refused', 'frontend03': 'refused'}
    assert [server.scm.says()[0] for server in three.servers] == ['paused', 'running', 'running']


def test_a_drain_that_is_there_already_asks_no_gate(three):
    drain(three, 'frontend01', status=0)
    three.servers[2].kill_poold()
    [told] = json.loads(drain(three, 'frontend01', '-o', 'json', status=0).stdout)
    assert told['gates'] is None


@pytest.mark.parametrize('end', [signal.SIGKILL, signal.SIGSTOP])
def test_a_member_that_cannot_be_asked_does_not_serve(three, end):
    os.kill(three.servers[2].poold.pid, end)
    began = time.monotonic()
    done = drain(three, 'frontend01', status=4)
    # Its own time limit, and no more.
    assert time.monotonic() - began < 5 + 5
    assert 'frontend03 is unreachable' in done.stderr or 'frontend03 does not answer' in done.stderr
    is_untouched(three.servers[0])


def test_a_server_that_a_preflight_refuses_is_not_reserved_for_long(make_pool):
    pool = make_pool(count=2, fields={'accepts_pause': False})
    assert 'gate preflight' in drain(pool, 'frontend01', status=4).stderr
    is_untouched(pool.servers[0])


def test_a_member_at_a_wrong_url_does_not_serve_and_is_told(three):
    second, third = (f'http://{three.servers[i].address}:{three.api_port}' for i in (1, 2))
    three.file.write_text(three.file.read_text().replace(second, 'OTHER').replace(
        third, second).replace('OTHER', third))
    done = drain(three, 'frontend01', '--force=clocks', '--confirm', 'fe-pool01', status=4)
    assert "server 'frontend02' answers there, not 'frontend03'" in done.stderr


def test_the_time_of_the_operator_may_end_before_all_have_answered(three):
    os.kill(three.servers[2].poold.pid, signal.SIGSTOP)
    done = drain(three, 'frontend01', '--timeout', '1s', status=3)
    assert 'no answer yet from frontend03; nothing was changed' in done.stderr
    is_untouched(three.servers[0])


# ---- force ----

def test_what_was_forced_is_recorded(three):
    drain(three, 'frontend01', status=0)
    drain(three, 'frontend02', '--force=floor,clocks', '--confirm', 'fe-pool01', status=0)
    assert created(three.servers[1])['after']['forced'] == ['floor']
    assert 'forced' not in created(three.servers[0])['after']
    assert 'floor' in three.poolctl('events', 'frontend02').stdout


def test_force_passes_no_other_gate(three):
    drain(three, 'frontend01', status=0)
    done = drain(three, 'frontend02', '--force=clocks,dns', '--confirm', 'fe-pool01', status=4)
    assert 'refused by the gate floor' in done.stderr


@pytest.mark.parametrize('confirm', [[], ['--confirm', 'fe-pool02']])
def test_without_a_terminal_force_wants_the_name_of_the_pool(three, confirm):
    done = drain(three, 'frontend01', '--force=floor', *confirm, status=2)
    assert '--confirm fe-pool01' in done.stderr
    is_untouched(three.servers[0])


@pytest.mark.parametrize('answer, status', [('fe-pool01', 0), (' fe-pool01 ', 0), ('y', 2),
                                            ('', 2)])
def test_on_a_terminal_force_asks_for_the_name_of_the_pool(three, answer, status):
    drain(three, 'frontend01', status=0)
    terminal = Terminal([POOLCTL, '--config', three.file, 'drain', 'frontend02', '--force=floor'],
                        100)
    wait_until(lambda: 'name of the pool to go on' in terminal.text, 'the question')
    os.write(terminal.master, answer.encode() + b'\n')
    assert terminal.process.wait(60) == status
    assert three.servers[1].scm.says() == (OUT if status == 0 else IN)


def test_broken_sessions_are_accepted_by_name_and_recorded(make_pool):
    pool = make(make_pool, more='        dns_features: [Response Group]\n')
    done = drain(pool, 'frontend01', status=4)
    assert 'gate dns refuses' in done.stderr and 'Response Group' in done.stderr
    is_untouched(pool.servers[0])
    drain(pool, 'frontend01', '--accept-broken-sessions', status=0)
    assert created(pool.servers[0])['after']['forced'] == ['broken_sessions']


# ---- several operators ----

def test_who_does_not_wait_hears_who_has_reserved_which_server(three):
    token = reserve(three.servers[0])
    done = drain(three, 'frontend02', '--lock-wait', '0s', status=5)
    for words in ('frontend01 is reserved by alice (since ', 'nothing was changed'):
        assert words in done.stderr
    is_untouched(three.servers[1])
    withdraw(three.servers[0], token)
    drain(three, 'frontend02', '--lock-wait', '0s', status=0)


def test_the_loser_waits_until_the_reservation_is_gone(three):
    token = reserve(three.servers[0], ttl_s=60)
    waiting = three.start_poolctl('drain', 'frontend02', '--lock-wait', '60s')
    try:
        # It withdraws, so that it is in nobody's way.
        wait_until(lambda: three.servers[1].document()['index'] > 2 and
                   three.servers[1].document()['reservation'] is None, 'the loser withdrew')
        assert waiting.process.poll() is None
        withdraw(three.servers[0], token)
        assert waiting.process.wait(60) == 0
    finally:
        waiting.process.kill()
    assert three.servers[1].scm.says() == OUT


def test_the_loser_is_refused_once_the_other_has_drained(three):
    first = three.servers[0]
    token = reserve(first, ttl_s=60)
    waiting = three.start_poolctl('drain', 'frontend02', '--lock-wait', '60s')
    try:
        wait_until(lambda: three.servers[1].document()['index'] > 2, 'the other has looked')
        assert first.commit('kb9', ALICE, token)[0] == 201
        assert waiting.process.wait(60) == 4
    finally:
        waiting.process.kill()
    is_untouched(three.servers[1])


def test_who_comes_first_in_the_order_waits_for_the_others_to_withdraw(three):
    token = reserve(three.servers[2], ttl_s=60)
    waiting = three.start_poolctl('drain', 'frontend02', '--lock-wait', '0s')
    try:
        wait_until(lambda: three.servers[1].document()['reservation'], 'it keeps its own')
        time.sleep(0.5)
        assert waiting.process.poll() is None and three.servers[1].scm.says() == IN
        assert three.servers[1].document()['reservation']['owner'] != 'alice'
        withdraw(three.servers[2], token)
        assert waiting.process.wait(60) == 0
    finally:
        waiting.process.kill()


def test_a_server_that_another_has_reserved_is_waited_for(three):
    token = reserve(three.servers[1], ttl_s=60)
    waiting = three.start_poolctl('drain', 'frontend02', '--lock-wait', '60s')
    try:
        time.sleep(0.5)
        assert waiting.process.poll() is None
        withdraw(three.servers[1], token)
        assert waiting.process.wait(60) == 0
    finally:
        waiting.process.kill()


def test_a_reservation_of_somebody_who_is_gone_is_waited_out_without_being_told(three):
    reserve(three.servers[0], ttl_s=3)
    drain(three, 'frontend02', status=0)


def test_who_holds_it_at_the_end_is_told(three):
    server = three.servers[0]
    reserve(server, ttl_s=60)
    waiting = three.start_poolctl('drain', 'frontend02', '--lock-wait', '4s')
    try:
        wait_until(lambda: three.servers[1].document()['index'] > 2, 'it has looked')
        server.delete('kb9')
        status, _, _ = server.reserve('kb8', ALICE | {'owner': 'carol'}, ttl_s=60)
        assert status == 201
        assert waiting.wait() == 5 and 'frontend01 is reserved by carol' in waiting.text()
    finally:
        waiting.process.kill()


def test_a_rival_that_falls_silent_is_asked_about_again(three):
    reserve(three.servers[0], ttl_s=2)
    waiting = three.start_poolctl('drain', 'frontend02', '--lock-wait', '60s')
    try:
        wait_until(lambda: three.servers[1].document()['index'] > 2, 'it has looked')
        os.kill(three.servers[0].poold.pid, signal.SIGSTOP)
        assert waiting.wait() == 4 and 'frontend01 does not answer' in waiting.text()
    finally:
        waiting.process.kill()


def test_the_time_of_the_operator_ends_the_waiting_as_held(three):
    reserve(three.servers[0], ttl_s=60)
    done = drain(three, 'frontend02', '--timeout', '1s', status=5)
    assert 'reserved by alice' in done.stderr and 'nothing was changed' in done.stderr
    is_untouched(three.servers[1])


def test_an_interrupt_withdraws_what_was_reserved(three):
    token = reserve(three.servers[2], ttl_s=60)
    waiting = three.start_poolctl('drain', 'frontend02')
    try:
        wait_until(lambda: three.servers[1].document()['reservation'], 'it has reserved')
        waiting.process.send_signal(signal.SIGINT)
        assert waiting.process.wait(60) == 130
    finally:
        waiting.process.kill()
    is_untouched(three.servers[1])
    withdraw(three.servers[2], token)


def test_an_interrupt_withdraws_a_reservation_whose_reply_is_late(three, tmp_path):
    server, port = three.servers[1], free_port()
    through = tmp_path / 'through.yaml'
    through.write_text(three.through(server, f'{server.address}:{port}'))

    def draw(_, request):
        return LateAnswer('late', 1) if request.is_reserve() else Fault('none')
    with Network([server.address], port, three.api_port, draw) as network:
        draining = Poolctl([POOLCTL, '--config', through, 'drain', 'frontend02'])
        try:
            wait_until(lambda: server.document()['reservation'], 'it has reserved')
            draining.process.send_signal(signal.SIGINT)
            assert draining.process.wait(60) == 130
        finally:
            draining.process.kill()
        assert network.faults['late'] == 1
    is_untouched(server)


def test_of_two_at_once_one_drains_and_the_other_is_told(three):
    ends = {}

    def run(name):
        ends[name] = three.poolctl('drain', name, '--owner', name, '--id', name)

    threads = [threading.Thread(target=run, args=(server.name,)) for server in three.servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done.returncode for done in ends.values()) == [0, 4, 4], ends
    assert sum(server.scm.says() == OUT for server in three.servers) == 1
    assert all(server.document()['reservation'] is None for server in three.servers)


def test_a_client_that_skips_the_look_is_refused_by_poold(three):
    status, _, body = three.servers[0].put_as_is('kb9', ALICE)
    assert (status, body['code']) == (409, 'not_reserved')
    is_untouched(three.servers[0])


def test_a_killed_poolctl_leaves_a_reservation_for_its_time_alone(three):
    token = reserve(three.servers[2], ttl_s=60)
    victim = subprocess.Popen([POOLCTL, '--config', three.file, 'drain', 'frontend02'],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: three.servers[1].document()['reservation'], 'it has reserved')
    victim.kill()
    victim.wait()
    assert three.servers[1].document()['reservation']['expires_in_s'] <= 15
    assert three.servers[1].scm.says() == IN
    withdraw(three.servers[2], token)
