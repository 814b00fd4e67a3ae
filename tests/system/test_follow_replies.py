"""What poolctl events makes of records that are another server's, another one, or damaged."""

import json
import signal
import threading

import pytest

from canned import CannedPool, CannedRecord, message, record, view
from sessions import wait_until

HTML = b'HTTP/1.1 %d Bad\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello'


@pytest.fixture
def pool(tmp_path):
    canned = CannedPool(tmp_path, 1)
    yield canned
    canned.close()


@pytest.fixture
def server(pool):
    return pool.servers[0]


@pytest.fixture
def follow(pool):
    """Starts poolctl events --follow; it ends with the test."""
    started = []

    def start(*args):
        started.append(pool.start_poolctl('events', 'frontend01', '--follow', '-o', 'jsonl', *args))
        return started[-1]
    yield start
    for command in started:
        command.process.send_signal(signal.SIGINT)
        assert command.wait() in (0, 1, 2, 3, 130)


def printed(command):
    return [json.loads(line) for _, line in list(command.lines) if line.startswith('{')]


def ids(command):
    return [event['id'] for event in printed(command)]


def streams(server):
    return [query for method, _, query, _ in server.requests if method == 'STREAM']


# ---- whose record it is ----

@pytest.mark.parametrize('args', [[], ['--verify'], ['--follow'], ['--follow', '--after', '0']])
def test_the_record_of_another_server_is_refused(pool, server, args):
    CannedRecord(server, record(3))
    server.replies['GET /v1/server'] = view('frontend09')
    done = pool.poolctl('events', 'frontend01', *args)
    assert (done.returncode, done.stdout) == (3, ''), done
    assert "server 'frontend09' answers there, not 'frontend01'" in done.stderr


def test_another_server_is_refused_when_it_answers_later(server, follow):
    kept = CannedRecord(server, record(3))
    command = follow('--after', '0')
    wait_until(lambda: ids(command) == [1, 2, 3], 'the events')
    server.replies['GET /v1/server'] = view('frontend09')
    kept.replace(record(9))
    assert command.wait() == 3 and 'frontend09' in command.text()
    assert ids(command) == [1, 2, 3]


# ---- another record ----

@pytest.mark.parametrize('count', [2, 3, 4, 12, 1500])
def test_all_of_a_new_record_is_shown_however_long_it_is(server, follow, count):
    kept = CannedRecord(server, record(3))
    command = follow('--after', '0')
    wait_until(lambda: ids(command) == [1, 2, 3], 'the events')
    other = record(count, who='another')
    kept.replace(other)
    wait_until(lambda: len(ids(command)) >= 3 + count, 'the new record')
    assert printed(command)[3:] == other
    assert f'record was replaced and now ends at event {count}; continuing' in command.text()
    kept.replace(record(count + 1, who='another'), is_cut=False)
    wait_until(lambda: len(ids(command)) == 4 + count, 'one more')
    assert 'missing' not in command.text() and 'match' not in command.text()


@pytest.mark.parametrize('args', [[], ['--after', '3']])
def test_another_record_is_known_before_the_first_event_was_seen(server, follow, args):
    kept = CannedRecord(server, record(3))
    command = follow(*args)
    wait_until(lambda: kept.streams, 'the stream')
    assert streams(server)[0]['after'] == '3'
    kept.replace(record(12, who='another'))
    wait_until(lambda: ids(command) == list(range(1, 13)), 'the new record')


def test_the_same_record_goes_on(server, follow):
    kept = CannedRecord(server, record(3))
    command = follow()
    wait_until(lambda: kept.streams, 'the stream')
    for count in (4, 5, 9):
        kept.replace(record(count))
        wait_until(lambda count=count: ids(command) == list(range(4, count + 1)), 'the new events')
    assert 'another' not in command.text() and 'missing' not in command.text()


def test_an_empty_record_is_one(server, follow):
    kept = CannedRecord(server, [])
    command = follow()
    wait_until(lambda: kept.streams, 'the stream')
    kept.replace(record(2), is_cut=False)
    wait_until(lambda: ids(command) == [1, 2], 'the events')


def test_where_a_record_ends_is_told_to_who_asks_for_more(server, follow):
    kept = CannedRecord(server, record(3))
    command = follow('--after', '99999')
    wait_until(lambda: 'the record ends at event 3; continuing from there' in command.text(),
               'it is said')
    kept.replace(record(4), is_cut=False)
    wait_until(lambda: ids(command) == [4], 'the new event')
    assert 'another' not in command.text()


# ---- a damaged record ----

@pytest.mark.parametrize('is_stream', [True, False])
def test_events_that_are_missing_are_told(server, follow, is_stream):
    events = record(9)
    if not is_stream:
        CannedRecord(server, events)
        server.replies['STREAM /v1/events'] = lambda after: iter(
            [b'id: 9\nevent: resync\ndata: {}\n\n'] if after < 9 else [b'id: 9\n\n'])
        server.replies['GET /v1/events'] = lambda query: {
            'events': [each for each in events[:6] + events[8:] if each['id'] > int(query['after'])],
            'last': 9}
    else:
        CannedRecord(server, events[:6] + events[8:])
    command = follow('--after', '0')
    wait_until(lambda: ids(command) == [1, 2, 3, 4, 5, 6, 9], 'the events')
    wait_until(lambda: 'events 7 to 8 are missing' in command.text(), 'the loss')


def test_events_that_were_changed_are_told_once(server, follow):
    events = record(9)
    for i in (3, 4, 7):
        events[i]['hash'] = '0' * 64
    CannedRecord(server, events)
    command = follow('--after', '0')
    wait_until(lambda: len(ids(command)) == 9, 'the events')
    wait_until(lambda: 'event 8 does not match' in command.text(), 'the last one')
    assert [f'event {i} does not match' in command.text() for i in range(1, 10)] == [
        i in (4, 8) for i in range(1, 10)]


def test_an_event_that_is_not_there_to_go_on_from_is_told(pool, server):
    events = record(9)
    CannedRecord(server, events[:4] + events[5:])
    done = pool.poolctl('events', 'frontend01', '--follow', '--after', '5')
    assert done.returncode == 1 and 'event 5 is missing' in done.stderr


# ---- a server that does not do what it should ----

def test_pages_that_do_not_move_on_are_given_up(pool, server):
    CannedRecord(server, record(5))
    old = {'events': record(5), 'last': 9000}
    server.replies |= {
        'GET /v1/events': lambda query: old if query['limit'] == '1000' else {
            'events': record(5)[4:], 'last': 9000},
        'STREAM /v1/events': lambda _: iter([b'id: 9000\nevent: resync\ndata: {}\n\n'])}
    done = pool.poolctl('events', 'frontend01', '--follow', '--after', '5')
    assert (done.returncode, done.stdout) == (1, '')
    assert 'should reach event 9000, but has none after 5' in done.stderr
    assert len(server.requests) < 10


def test_a_resync_without_an_id_is_no_end_of_the_record(pool, server):
    CannedRecord(server, record(5))
    server.replies['STREAM /v1/events'] = lambda _: iter(
        [b'id: 5\n\n', b'event: resync\ndata: {"last":9000}\n\n'])
    done = pool.poolctl('events', 'frontend01', '--follow')
    assert done.returncode == 1 and "'resync' without an id" in done.stderr


def test_a_stream_that_ends_at_once_is_asked_for_less_and_less_often(server, follow):
    CannedRecord(server, record(5))
    server.replies['STREAM /v1/events'] = lambda after: iter([f'id: {after}\n\n'.encode()])
    follow()
    wait_until(lambda: len(streams(server)) == 5, 'five streams')
    times = [query['at'] for query in streams(server)]
    gaps = [later - earlier for earlier, later in zip(times, times[1:])]
    assert all(gap >= least for gap, least in zip(gaps, (0.2, 0.4, 0.8, 1.6))), gaps


def test_an_event_is_progress_and_the_next_try_comes_soon(server, follow):
    events = record(8)
    CannedRecord(server, events)
    server.replies['STREAM /v1/events'] = lambda after: iter(
        [message(event) for event in events[after:after + 1]])
    command = follow('--after', '0')
    wait_until(lambda: len(streams(server)) >= 9, 'all tries')
    times = [query['at'] for query in streams(server)[:9]]
    assert times[-1] - times[0] < 8 * 1.6 and ids(command) == list(range(1, 9))


@pytest.mark.parametrize('path', ['GET /v1/server', 'GET /v1/events', 'STREAM /v1/events'])
@pytest.mark.parametrize('reply', [HTML % 502, HTML % 503, b'SSH-2.0-OpenSSH\r\n', b''],
                         ids=['502', '503', 'garbage', 'nothing'])
def test_what_stands_in_for_poold_a_while_is_waited_out(server, follow, path, reply):
    kept = CannedRecord(server, record(3))
    command = follow('--after', '0')
    wait_until(lambda: ids(command) == [1, 2, 3], 'the events')
    good, asked = server.replies[path], threading.Event()

    def bad(_):
        asked.set()
        return reply
    server.replies[path] = bad
    kept.replace(record(5))
    assert asked.wait(60)
    server.replies[path] = good
    wait_until(lambda: ids(command) == [1, 2, 3, 4, 5], 'the rest')
    wait_until(lambda: 'reconnected after' in command.text(), 'it is said')


def test_what_never_was_a_poold_is_not_waited_for(pool, server):
    CannedRecord(server, record(3))
    server.replies['GET /v1/server'] = HTML % 502
    done = pool.poolctl('events', 'frontend01', '--follow')
    assert done.returncode == 3 and '502' in done.stderr
