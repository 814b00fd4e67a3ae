"""Who is still connected: the sessions, as poold and poolctl list them."""

import contextlib
import datetime
import json
import time

import pytest

from sessions import wait_until

PATH = '/v1/services/RTCSRV/sessions'
CLIENT = '127.0.2.7'


@pytest.fixture
def connect():
    """Opens a session, and closes all of them at the end."""
    with contextlib.ExitStack() as stack:
        def make(server, source=CLIENT):
            return stack.enter_context(server.session(source))
        yield make


def port_of(session):
    return session.socket.getsockname()[1]


def ports(document):
    return [each['peer_port'] for each in document['sessions']]


def time_of(text):
    return datetime.datetime.fromisoformat(text.replace('Z', '+00:00')).timestamp()


def sampled(server):
    """poold has taken a sample that began after this call."""
    for _ in range(2):
        before = server.document()['time']
        wait_until(lambda before=before: server.document()['time'] > before, 'another look')


def test_the_oldest_is_listed_first_and_each_with_its_age(server, connect):
    opened, sessions = [], []
    for _ in range(3):
        sampled(server)
        opened.append((time.time(), time.monotonic()))
        sessions.append(connect(server))
        assert server.sessions()['count'] == len(sessions)
        opened[-1] += (time.time(), time.monotonic())
    wait_until(lambda: server.sessions()['sessions'][2]['age_s'] >= 1, 'all are a second old')
    before = time.monotonic()
    document = server.sessions()
    after = time.monotonic()
    assert (document['service'], document['known'], document['whole']) == ('RTCSRV', True, True)
    assert document['count'] == 3 and ports(document) == [port_of(each) for each in sessions]
    for listed, (first_wall, first, last_wall, last) in zip(document['sessions'], opened):
        assert listed['idle_s'] is None or listed['idle_s'] <= listed['age_s']
        assert first_wall - 0.01 <= time_of(listed['since']) <= last_wall + 0.01
        assert int(before - last) <= listed['age_s'] <= after - first
        assert listed == listed | {
            'peer': CLIENT, 'local': server.address, 'local_port': server.pool.port,
            'source': 'tcp', 'age_is_least': False, 'suspect': False}


def test_those_that_were_there_before_poold_are_at_least_so_old(make_pool, connect):
    pool = make_pool(start=False)
    server = pool.servers[0]
    early = connect(server)
    server.start_poold()
    sampled(server)
    late = connect(server)
    document = server.sessions()
    assert ports(document) == [port_of(early), port_of(late)]
    assert [each['age_is_least'] for each in document['sessions']] == [True, False]


def test_a_session_keeps_its_age_until_it_ends(server, connect):
    first, second = connect(server), connect(server)
    since = {each['peer_port']: each['since'] for each in server.sessions()['sessions']}
    sampled(server)
    assert since == {each['peer_port']: each['since'] for each in server.sessions()['sessions']}
    first.end()
    wait_until(lambda: server.sessions()['count'] == 1, 'one has ended')
    [left] = server.sessions()['sessions']
    assert left['peer_port'] == port_of(second) and left['since'] == since[port_of(second)]


def test_idle_time_is_that_since_the_last_data(server, connect):
    quiet, busy = connect(server), connect(server)

    def idle():
        busy.talk()
        return {each['peer_port']: each['idle_s'] for each in server.sessions()['sessions']}

    wait_until(lambda: idle()[port_of(quiet)] >= 1, 'one is idle')
    assert idle()[port_of(busy)] == 0


def test_other_servers_of_the_pool_are_not_listed(make_pool, connect):
    server = make_pool(count=2).servers[0]
    connect(server, '127.0.1.2')
    session = connect(server)
    document = server.sessions()
    assert document['count'] == 1 and ports(document) == [port_of(session)]


def test_a_list_that_is_cut_has_the_oldest_and_says_so(server, connect):
    oldest = connect(server)
    sampled(server)
    connect(server)
    cut = server.sessions('?limit=1')
    assert (cut['count'], cut['whole'], ports(cut)) == (2, False, [port_of(oldest)])
    assert server.sessions('?limit=2')['whole'] is True


@pytest.mark.parametrize('path, status, code', [
    ('/v1/services/RTCAVMCU/sessions', 404, 'unknown_service'),
    ('/v1/services/RTCSRV/sessions?limit=10001', 400, 'invalid_request'),
    ('/v1/services/RTCSRV/sessions?limit=all', 400, 'invalid_request'),
    ('/v1/services/RTCSRV', 404, 'unknown_path'),
    ('/v1/services//sessions', 404, 'unknown_path'),
    ('/v1/services/RTCSRV/sessions/1', 404, 'unknown_path'),
    ('/v1/services/%ff/sessions', 404, 'unknown_service'),
    (f'/v1/services/{"x" * 2000}/sessions', 404, 'unknown_service'),
])
def test_what_is_not_there_is_refused(server, path, status, code):
    got, body = server.get(path)
    assert (got, body['code']) == (status, code), body


def test_only_reading_is_possible(server):
    status, headers, body = server.request('DELETE', PATH)
    assert (status, body['code'], headers['Allow']) == (405, 'method_not_allowed', 'GET, HEAD')


def test_a_service_is_found_by_its_display_name_and_component(make_pool):
    pool = make_pool(start=False)
    pool.file.write_text(pool.file.read_text().replace(
        '        ports:', '        components: [Front-End core, Monitoring agent]\n        ports:'))
    server = pool.servers[0]
    server.start_poold()
    for name in ('rtcsrv', 'Front-End%20core'):
        status, body = server.get(f'/v1/services/{name}/sessions')
        assert (status, body['service']) == (200, 'RTCSRV')


NO_PORTS = 'unverified: [ports]'
COUNTER = "ports: [{port}]\n        counters: [{{path: '\\A\\B'}}]"
NOT_KNOWN_WHICH = 'ports: [{port}]\n        unverified: [counters]'


@pytest.mark.parametrize('keys, words, kinds', [
    (COUNTER, 'counter \\A\\B (since ', ['tcp', 'counter']),
    (NOT_KNOWN_WHICH, "give it 'counters' in pool.yaml", ['tcp', 'counter']),
    (NO_PORTS, "give it 'ports' in pool.yaml", ['tcp']),
])
def test_what_one_source_cannot_count_is_not_known(make_pool, connect, keys, words, kinds):
    pool = make_pool(start=False)
    port = f'ports: [{pool.port}]'
    pool.file.write_text(pool.file.read_text().replace(port, keys.format(port=pool.port)))
    server = pool.servers[0]
    server.start_poold()
    session = connect(server)
    document = server.sessions()
    assert words in document['error'] and document['count'] is None
    assert (document['known'], document['whole']) == (False, False)
    assert [source['kind'] for source in document['sources']] == kinds
    [silent] = [source for source in document['sources'] if not source['known']]
    assert silent['count'] is None and silent['error'] in document['error']
    assert time_of(silent['unknown_since']) <= time.time()
    # Who is known to be there is listed all the same.
    assert ports(document) == ([port_of(session)] if keys != NO_PORTS else [])
    for output in ('table', 'json', 'jsonl'):
        done = pool.poolctl('sessions', 'frontend01', '-o', output)
        assert done.returncode == 1 and words in done.stderr
        assert 'RTCSRV: the number of sessions is unknown' in done.stderr


def test_each_source_says_what_it_counted_and_when(server, connect):
    connect(server)
    before = time.time()
    [source] = server.sessions()['sources']
    assert before - 0.01 <= time_of(source.pop('sampled_at')) <= time.time() + 0.01
    assert source == {'kind': 'tcp', 'name': None, 'known': True, 'count': 1, 'error': None,
                      'unknown_since': None, 'ignore_unknown': False}


def test_a_look_that_sees_nothing_new_is_no_change(server):
    def seen():
        document = server.document()
        [source] = document['services'][0]['sessions']['sources']
        return document['index'], source['sampled_at']

    index, sampled_at = seen()
    wait_until(lambda: seen()[1] > sampled_at, 'another sample')
    assert seen()[0] == index


# ---- poolctl ----

def test_poolctl_shows_them_in_a_narrow_table(pool, server, connect):
    for _ in range(3):
        connect(server)
    document = server.sessions()
    done = pool.poolctl('sessions', 'frontend01')
    assert (done.returncode, done.stderr) == (0, '')
    heading, *rows = done.stdout.splitlines()
    assert heading.split() == ['WHO', 'SERVICE', 'SOURCE', 'AGE', 'IDLE', 'NOTE']
    assert [row.split()[0] for row in rows] == [f'{CLIENT}:{port}' for port in ports(document)]
    assert all(row.split()[1:3] == ['RTCSRV', 'tcp'] and len(row) <= 80 for row in rows)


def test_poolctl_gives_json_and_lines(pool, server, connect):
    connect(server)
    connect(server)
    done = pool.poolctl('sessions', 'frontend01', '--service', 'rtcsrv', '-o', 'json')
    assert done.returncode == 0, done.stderr
    [document] = json.loads(done.stdout)
    assert (document['service'], document['count']) == ('RTCSRV', 2)
    done = pool.poolctl('sessions', 'frontend01', '-o', 'jsonl')
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line['peer_port'] for line in lines] == ports(document)
    assert all(line['service'] == 'RTCSRV' for line in lines)


def test_poolctl_says_how_many_it_does_not_list(pool, server, connect):
    oldest = connect(server)
    sampled(server)
    connect(server)
    done = pool.poolctl('sessions', 'frontend01', '--limit', '1')
    assert done.returncode == 0 and 'RTCSRV: 1 of 2 sessions are listed' in done.stderr
    [row] = done.stdout.splitlines()[1:]
    assert row.startswith(f'{CLIENT}:{port_of(oldest)} ')


def test_a_server_that_does_not_answer_has_no_list(make_pool):
    pool = make_pool(start=False)
    done = pool.poolctl('sessions', 'frontend01')
    assert (done.returncode, done.stdout) == (3, '') and 'frontend01' in done.stderr


@pytest.mark.parametrize('args, word', [
    ([], 'SERVER'),
    (['fe-pool01'], 'pool'),
    (['frontend01', '--limit', '0'], '--limit'),
    (['frontend01', '--limit', '10001'], '--limit'),
    (['frontend01', '--service', 'RTCAVMCU'], 'RTCAVMCU'),
    (['frontend01', '--after', '1'], '--after'),
])
def test_wrong_use_is_refused(pool, args, word):
    done = pool.poolctl('sessions', *args)
    assert done.returncode == 2 and word in done.stderr
