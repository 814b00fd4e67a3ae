"""Watching: the stream of events, poolctl events --follow, poolctl status --watch, wait."""

import concurrent.futures
import contextlib
import datetime
import json
import os
import random
import re
import resource
import signal
import sqlite3
import time

import pytest

from canned import CannedPool, view
from pool import POOLCTL, Poolctl
from sessions import wait_until
from terminal import Terminal
from watching import CuttingProxy, Stream

GOOD = {'reason': 'test', 'owner': 'tester'}
SEED = int(os.environ.get('POOLCTL_SEED', random.randrange(1 << 32)))


@pytest.fixture(autouse=True)
def enough_files():
    """This process has many sockets too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def record(server):
    """All events, page by page."""
    events = []
    while True:
        page = server.get(f'/v1/events?after={len(events)}')[1]
        events += page['events']
        if not page['events']:
            return events


def make_changes(server, count, name='d'):
    """So many drains begun or changed, each with an event at least."""
    for i in range(count):
        # Another changer may have the reservation at the moment.
        wait_until(lambda: server.put(f'{name}{i % 10}', GOOD | {'reason': f'change {i}'})[0] < 300,
                   'the change is taken')


def add_old_events(server, count):
    """Puts events into the store of a poold that does not run."""
    with contextlib.closing(sqlite3.connect(server.folder / 'state/poold.sqlite')) as store, store:
        last = store.execute('SELECT max(id) FROM events').fetchone()[0]
        store.executemany('INSERT INTO events(id, time, kind, text, hash) VALUES(?, ?, ?, ?, ?)',
                          [(i, i, 'action', f'event {i}', '0' * 64)
                           for i in range(last + 1, last + 1 + count)])


# ---- the stream ----

def test_streams_have_what_the_list_has_in_its_order(server):
    streams = [Stream(server, after=0) for _ in range(20)]
    with concurrent.futures.ThreadPoolExecutor() as changers:
        ends = [changers.submit(make_changes, server, 60, name) for name in 'ab']
        streams += [Stream(server, query='?after=0') for _ in range(5)]
        for end in ends:
            end.result()
    last = server.get('/v1/events')[1]['last']
    for stream in streams:
        stream.wait(lambda: stream.events() and stream.events()[-1]['id'] >= last)
        ids = [int(each['id']) for each in stream.messages() if 'data' in each]
        assert ids == [each['id'] for each in stream.events()]
        assert stream.events()[:last] == record(server)[:last]
        stream.close()


def test_a_stream_starts_where_it_is_asked_to(server):
    make_changes(server, 5)
    wait_until(lambda: server.document()['phase'] == 'drained', 'drained')
    last = server.get('/v1/events')[1]['last']
    for stream, first in ((Stream(server), last), (Stream(server, after=3), 3),
                          (Stream(server, query='?after=4'), 4),
                          (Stream(server, after=5, query='?after=1'), 5)):
        stream.wait(lambda: stream.messages() and (first == last or stream.events()))
        assert stream.messages()[0] == {'id': str(first)}
        assert 'text/event-stream' in stream.head and ' 200 ' in stream.head
        if first < last:
            assert stream.events()[0]['id'] == first + 1
            assert stream.messages()[1]['event'] == stream.events()[0]['kind']
        stream.close()


@pytest.mark.parametrize('wrong', ['x', '-1', '1.5', '', '99999999999999999999'])
def test_a_wrong_place_is_refused_and_named(server, wrong):
    accept = {'Accept': 'text/event-stream'}
    status, _, body = server.request('GET', '/v1/events', headers=accept | {
        'Last-Event-ID': wrong})
    assert status == 400 and 'Last-Event-ID' in body['detail']
    status, _, body = server.request('GET', f'/v1/events?after={wrong}', headers=accept)
    assert status == 400 and 'after' in body['detail']


def test_head_of_a_stream_has_no_body(server):
    status, headers, body = server.request('HEAD', '/v1/events', headers={
        'Accept': 'text/event-stream'})
    assert (status, headers['Content-Type'], body) == (200, 'text/event-stream', None)
    assert server.get('/livez')[0] == 200


def test_a_comment_comes_when_nothing_is_new(server):
    stream = Stream(server)
    stream.wait(lambda: sum('' in each for each in stream.messages()) >= 2)
    assert not stream.events()
    stream.close()


def test_who_is_too_far_behind_or_of_another_record_starts_anew(make_pool):
    server = make_pool().servers[0]
    server.stop_poold()
    add_old_events(server, 1500)
    server.start_poold()
    last = server.get('/v1/events?after=1400')[1]['last']
    for after in (0, last - 1001, last + 1, 10 ** 18):
        stream = Stream(server, after=after)
        stream.wait(stream.messages)
        assert stream.messages() == [{'id': str(last), 'event': 'resync',
                                      'data': f'{{"last":{last}}}'}]
        stream.close()
    stream = Stream(server, after=last - 1000)
    stream.wait(lambda: len(stream.events()) == 1000)
    assert [each['id'] for each in stream.events()] == list(range(last - 999, last + 1))
    assert server.put('d1', GOOD)[0] == 201
    stream.wait(lambda: stream.events()[-1]['id'] > last)
    assert stream.events()[1000]['kind'] == 'drain_created'
    stream.close()


def test_a_thousand_watchers_all_get_a_change_and_others_are_served(server):
    def threads():
        return len(os.listdir(f'/proc/{server.poold.pid}/task'))
    before = threads()
    streams = [Stream(server) for _ in range(1000)]
    for stream in streams:
        stream.wait(stream.messages)
    assert threads() <= before
    assert server.put('d1', GOOD)[0] == 201
    for stream in streams:
        stream.wait(stream.events)
        assert stream.events()[0]['kind'] == 'drain_created'
    assert server.get('/livez')[0] == 200
    for stream in streams:
        stream.close()


def test_more_watchers_than_there_may_be_are_told_so(server):
    streams = [Stream(server) for _ in range(2000)]
    for stream in streams:
        stream.wait(stream.messages)
    status, headers, body = server.request('GET', '/v1/events', headers={
        'Accept': 'text/event-stream'})
    assert (status, body['code'], body['retryable']) == (503, 'busy', True)
    assert headers['Retry-After']
    assert server.put('d1', GOOD)[0] == 201
    for stream in streams:
        stream.close()
    # Those that are gone make room: the next heartbeat finds out.
    wait_until(lambda: server.request('HEAD', '/v1/events', headers={
        'Accept': 'text/event-stream'})[0] == 200, 'there is room')


def test_streams_end_when_poold_stops(server):
    streams = [Stream(server) for _ in range(50)]
    for stream in streams:
        stream.wait(stream.messages)
    assert server.stop_poold() == 0
    for stream in streams:
        while stream.receive():
            pass
        assert stream.is_ended
        stream.close()


def test_a_watcher_that_does_not_read_is_cut_and_others_are_not(make_pool):
    server = make_pool().servers[0]
    server.stop_poold()
    add_old_events(server, 990)
    server.start_poold()
    good = Stream(server)
    deaf = Stream(server, after=0, receive_bytes=4096)
    began = time.monotonic()
    # It was cut when poold has the connection no more: what it owed never comes.
    wait_until(lambda: f':{deaf.socket.getsockname()[1]} ' not in
               established(server.pool.api_port), 'the deaf one is cut')
    assert time.monotonic() - began > 15
    with contextlib.suppress(OSError):
        while deaf.receive():
            pass
    assert len(deaf.events()) < 900 and not deaf.is_ended
    server.put('d1', GOOD)
    good.wait(good.events)
    for stream in (good, deaf):
        stream.close()


def established(port):
    """The peers of a port's connections, as ' ADDRESS:PORT ' each, by what the kernel says."""
    lines = [line.split() for line in open('/proc/net/tcp')][1:]
    return ''.join(f' x:{int(line[2].split(":")[1], 16)} ' for line in lines
                   if line[3] == '01' and int(line[1].split(':')[1], 16) == port)


# ---- events --follow ----

def ids_of(command):
    return [json.loads(line)['id'] for _, line in list(command.lines) if line.startswith('{')]


def test_follow_loses_and_repeats_nothing_over_cuts_and_restarts(make_pool):
    print(f'POOLCTL_SEED={SEED}')
    chance = random.Random(SEED)
    pool = make_pool()
    server = pool.servers[0]
    proxy = CuttingProxy(server.address, (server.address, pool.api_port), SEED)
    aside = pool.folder / 'aside.yaml'
    aside.write_text(pool.through(server, f'{server.address}:{proxy.port}'))
    # The first answer has to come: who never answered may be no server at all.
    proxy.is_cutting = False
    command = Poolctl([POOLCTL, 'events', 'frontend01', '--follow', '--after', '0', '-o', 'jsonl',
                       '--config', aside])
    wait_until(lambda: ids_of(command), 'the first event')
    proxy.is_cutting = True
    rounds = 0
    while rounds < 12 or proxy.cuts < 12:
        make_changes(server, chance.randrange(1, 12))
        if rounds % 3 == 1:
            server.kill_poold()
            server.start_poold()
        last = server.get('/v1/events?limit=1')[1]['last']
        if chance.random() < 0.5:
            wait_until(lambda: ids_of(command)[-1] >= last, 'it catches up')
        rounds += 1
    proxy.is_cutting = False
    make_changes(server, 1)
    wait_until(lambda: server.document()['phase'] == 'drained', 'drained')
    last = server.get('/v1/events')[1]['last']
    wait_until(lambda: ids_of(command)[-1] >= last, 'the last event')
    command.process.send_signal(signal.SIGINT)
    assert command.wait() == 130
    assert ids_of(command) == list(range(1, ids_of(command)[-1] + 1))
    lost, back = (command.text().count(words) for words in
                  ('connection lost', 'reconnected after'))
    assert lost >= 4 and back == lost, command.text()
    proxy.close()


def test_follow_reads_what_is_too_far_behind_first(make_pool):
    pool = make_pool()
    server = pool.servers[0]
    server.stop_poold()
    add_old_events(server, 2500)
    server.start_poold()
    command = pool.start_poolctl('events', 'frontend01', '--follow', '--after', '0', '-o', 'jsonl')
    last = server.get('/v1/events?after=2400')[1]['last']
    wait_until(lambda: ids_of(command) and ids_of(command)[-1] >= last, 'all events')
    server.put('d1', GOOD)
    wait_until(lambda: ids_of(command)[-1] > last, 'a new event')
    command.process.terminate()
    assert command.wait() == 130
    assert ids_of(command) == list(range(1, ids_of(command)[-1] + 1))
    assert 'events behind, reading them first' in command.text()


def test_follow_says_that_the_record_is_another_one(make_pool):
    pool = make_pool()
    server = pool.servers[0]
    make_changes(server, 10)
    command = pool.start_poolctl('events', 'frontend01', '--follow', '--after', '0', '-o', 'jsonl')
    wait_until(lambda: len(ids_of(command)) > 10, 'the events')
    server.kill_poold()
    # As the runbook for a damaged store has it.
    for file in (*(server.folder / 'state').glob('poold.sqlite*'),
                 server.folder / 'state/saved.txt'):
        file.unlink()
    server.start_poold()
    wait_until(lambda: 'the record was replaced' in command.text(), 'it is said')
    before = len(ids_of(command))
    server.put('new', GOOD)
    wait_until(lambda: len(ids_of(command)) > before, 'an event of the new record')
    command.process.terminate()
    assert command.wait() == 130


def test_follow_prints_a_line_for_each_event(pool, server):
    command = pool.start_poolctl('events', 'frontend01', '--follow', '--after', '0')
    wait_until(lambda: 'poold_started' in command.text(), 'the first event')
    server.put('d1', GOOD)
    wait_until(lambda: 'drain_created' in command.text(), 'the drain')
    command.process.send_signal(signal.SIGINT)
    assert command.wait() == 130
    heading, *rows = command.text().split('\n')
    assert heading.split() == ['ID', 'TIME', 'KIND', 'SERVICE', 'WHO', 'WHY', 'TEXT', 'CHANGE']
    kinds = [row.split()[2] for row in rows]
    assert kinds == [each['kind'] for each in record(server)[:len(kinds)]]


def test_follow_needs_a_server_that_answers_at_first(make_pool):
    pool = make_pool()
    pool.servers[0].kill_poold()
    command = pool.poolctl('events', 'frontend01', '--follow')
    assert command.returncode == 3 and 'does not answer' in command.stderr


def test_follow_of_a_poold_that_has_no_stream(tmp_path):
    pool = CannedPool(tmp_path, 1)
    pool.servers[0].replies |= {'GET /v1/server': view('frontend01'),
                                'GET /v1/events': {'events': [], 'last': 0}}
    command = pool.poolctl('events', 'frontend01', '--follow')
    pool.close()
    assert command.returncode == 1 and 'cannot stream events' in command.stderr


@pytest.mark.parametrize('words, named', [
    (('events', 'frontend01', '--follow', '-o', 'json'), '--follow'),
    (('events', 'frontend01', '--follow', '--verify'), '--verify'),
    (('events', 'frontend01', '--follow', '--limit', '3'), '--limit'),
    (('status', '--watch', '-o', 'json'), '--watch'),
])
def test_what_does_not_go_together_is_refused(pool, words, named):
    command = pool.poolctl(*words)
    assert command.returncode == 2 and named in command.stderr


# ---- status --watch ----

def test_watch_prints_a_line_for_each_change(make_pool):
    pool = make_pool(count=2)
    first, second = pool.servers
    command = pool.start_poolctl('status', '--watch')
    wait_until(lambda: command.text().count('serving') == 2, 'both servers')
    with first.session():
        wait_until(lambda: re.search(r'frontend01 +serving +1\b', command.text()), 'the session')
        first.put('kb1', GOOD)
        wait_until(lambda: re.search('frontend01 +draining +1/1 +kb1 of tester', command.text()),
                   'the drain')
    wait_until(lambda: re.search('frontend01 +drained', command.text()), 'drained')
    second.kill_poold()
    wait_until(lambda: re.search(r'frontend02 +\? +\? .*unknown since 20.*does not answer',
                                 command.text()), 'unknown')
    second.start_poold()
    wait_until(lambda: len(re.findall('frontend02 +serving', command.text())) == 2, 'back')
    command.process.send_signal(signal.SIGINT)
    assert command.wait() == 130
    assert command.text().startswith('TIME ')


def test_watch_gives_programs_an_object_for_each_change(make_pool):
    pool = make_pool()
    server = pool.servers[0]
    command = pool.start_poolctl('status', 'frontend01', '--watch', '-o', 'jsonl')

    def objects():
        return [json.loads(line) for _, line in list(command.lines) if line.startswith('{')]
    wait_until(lambda: objects() and objects()[-1]['phase'] == 'serving', 'serving')
    server.put('kb1', GOOD)
    wait_until(lambda: objects()[-1].get('phase') == 'drained', 'drained')
    server.kill_poold()
    wait_until(lambda: not objects()[-1]['answers'], 'unknown')
    assert {'server', 'pool', 'message', 'since', 'exit_code'} <= set(objects()[-1])
    server.start_poold()
    wait_until(lambda: objects()[-1].get('phase') == 'drained', 'drained still')
    command.process.terminate()
    assert command.wait() == 130
    indexes = [each['document']['index'] for each in objects() if each['answers']]
    assert indexes == sorted(set(indexes))


def test_watch_soon_knows_that_a_server_hangs_and_since_when(make_pool):
    server = make_pool().servers[0]
    command = server.pool.start_poolctl('status', '--watch', '-o', 'jsonl')

    def last():
        lines = [line for _, line in list(command.lines) if line.startswith('{')]
        return json.loads(lines[-1]) if lines else {}
    wait_until(lambda: last().get('answers'), 'it serves')
    server.poold.send_signal(signal.SIGSTOP)
    stopped, began = time.time(), time.monotonic()
    wait_until(lambda: not last()['answers'], 'it hangs')
    assert time.monotonic() - began < 9
    since = datetime.datetime.fromisoformat(last()['since'].replace('Z', '+00:00')).timestamp()
    assert stopped - 6 < since < stopped + 0.1
    assert f'unknown since {last()["since"]}: does not answer' in last()['message']
    server.poold.send_signal(signal.SIGCONT)
    wait_until(lambda: last()['answers'], 'it is back')
    command.process.terminate()
    assert command.wait() == 130


@pytest.mark.parametrize('columns', [40, 80, 200])
def test_watch_redraws_its_table_in_place(make_pool, columns):
    pool = make_pool(count=2)
    first, second = pool.servers
    terminal = Terminal([POOLCTL, '--config', pool.file, 'status', '--watch'], columns)

    def row(name):
        rows = [line for line in terminal.screen() if line.startswith(name)]
        assert len(rows) <= 1, terminal.screen()
        return rows[0].split() if rows else ['', '']
    wait_until(lambda: row('frontend01')[1] == row('frontend02')[1] == 'serving', 'both serve')
    first.put('kb1', GOOD)
    wait_until(lambda: row('frontend01')[1] == 'drained', 'drained')
    second.kill_poold()
    wait_until(lambda: row('frontend02')[1] == '?', 'unknown')
    first_said = int(row('frontend02')[2].rstrip('s'))
    assert first_said <= 7
    wait_until(lambda: row('frontend02')[2] == f'{first_said + 1}s', 'for how long')
    second.start_poold()
    wait_until(lambda: row('frontend02')[1] == 'serving', 'back')
    assert terminal.screen()[0] == 'fe-pool01' and len(terminal.screen()) == 5
    assert terminal.close() == 130


def test_watch_on_a_terminal_with_fewer_rows_than_servers(make_pool):
    pool = make_pool(count=3)
    terminal = Terminal([POOLCTL, '--config', pool.file, 'status', '--watch'], 80, rows=5)
    wait_until(lambda: 'serving' in ''.join(terminal.screen()), 'one serves')
    assert terminal.screen()[-2:] == ['(2 lines more)', '']
    assert terminal.close() == 130


# ---- wait ----

@pytest.mark.parametrize('end', ['stop_poold', 'kill_poold'])
def test_wait_goes_on_over_a_restart_and_says_nothing_false(pool, server, end):
    with server.session():
        server.put('kb1', GOOD)
        command = pool.start_poolctl('wait', 'frontend01', '--for', 'drained')
        wait_until(lambda: '1 of 1' in command.text(), 'it watches')
        getattr(server, end)()
        wait_until(lambda: 'does not answer' in command.text(), 'it is said')
        server.start_poold()
        wait_until(lambda: command.text().count('1 of 1') == 2, 'it watches again')
        assert 'drained' not in command.text()
    assert command.wait() == 0
    assert command.text().count('drained') == 1
