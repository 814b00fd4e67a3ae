"""Session sources on a Windows server, each read alone.

Performance counters and sessions of Remote Desktop, of which Wine has hardly any, are
those of a file: pdh.c and wtsapi32.c say how.
"""

import contextlib
import json
import math
import os
import subprocess
import time
import uuid

import pytest

from documents import ADDRESS, Authority, ok, reply, serve
from sources import Source, commands_with, wait_until_gone
from sessions import wait_until
from wine import TOOLS, kill, windows_path

PROGRAM = windows_path(TOOLS / 'program.exe')
SECOND = 1_000_000_000  # a moment that is easy to count from
NONE = '-'


@pytest.fixture(scope='module')
def source(machine):
    """Makes a source on the machine: source(kind, argument...)."""
    def make(*arguments, program='read_source', env=None):
        def start(command, stdin, stdout, text):
            return machine.popen(command, stdin=stdin, stdout=stdout, env=env or {},
                                 stderr=subprocess.DEVNULL)
        return Source(*arguments, program=machine.tool(program), start=start)
    return make


# ---- counter ----

@pytest.fixture
def counter(source, tmp_path):
    """Makes a counter whose PDH is the file's; what it gives is set by say()."""
    file = tmp_path / 'pdh.json'

    def make(path=r'\LS:SIP - Peers(Clients)\SIP - Connections Active', **said):
        def say(**content):
            fresh = file.with_suffix('.fresh')
            fresh.write_text(json.dumps(content))
            fresh.rename(file)

        def warm_up():
            """The first value counts from the second time stamp on."""
            assert FIRST in made.error()
            say(**said | {'stamp': said['stamp'] + 1})
        say(**said)
        made = source('counter', path, program='read_pdh',
                      env={'PDH_FILE': windows_path(file)})
        made.say_pdh, made.warm_up = say, warm_up
        return made
    return make


FIRST = 'whether its first value is fresh is not known before its time stamp has moved'


def one(value, status=0):
    return [['Clients', value, status]]


def test_a_counter_that_wine_has_is_read(source):
    with source('counter', r'\System\System Up Time') as up_time:
        assert FIRST in up_time.error()
        wait_until(lambda: up_time.read().get('count', 0) >= 1, 'its time stamp moves')
        assert up_time.count() >= 1


@pytest.mark.parametrize('path, listed', [
    (r'\System\Nothing', 'System'), (r'\LS:SIP - Peers(Clients)\SIP - X', 'LS:SIP - Peers'),
    (r'\Process(*)\Handle Count', 'Process')])
def test_a_counter_that_is_missing_says_so_and_where_to_look(source, path, listed):
    with source('counter', path) as missing:
        for _ in range(2):
            error = missing.error()
            assert error.startswith(path + ': there is no such counter')
            assert '0xC0000BB9' in error and f'typeperf -qx "{listed}"' in error


@pytest.mark.parametrize('value, count', [(0, 0), (7, 7), (0.3, 1), (6.0001, 7), (1e9, 10**9)])
def test_a_fraction_counts_as_the_next_whole_number(counter, value, count):
    with counter(stamp=1, items=one(value)) as source:
        source.warm_up()
        assert source.count() == count


@pytest.mark.parametrize('said, why', [
    ({'add': 0xC0000BB8}, 'there is no such object; does its service run? (PDH 0xC0000BB8)'),
    ({'add': 0xC0000BC0}, 'the path cannot be understood (PDH 0xC0000BC0)'),
    ({'collect': 0x800007D5}, 'there is no data; does its service run? (PDH 0x800007D5)'),
    ({'collect': 0xC0000BDB}, 'Performance Monitor Users (PDH 0xC0000BDB)'),
    ({'format': 0xC0000BC6, 'items': one(0, 0x800007D1)},
     'there is no such instance (PDH 0x800007D1)'),
    ({'items': one(0, 0x800007D1)}, 'there is no such instance (PDH 0x800007D1)'),
    ({'items': one(0, 0xC0000BBF)}, 'the path names no counter (PDH 0xC0000BBF)'),
    ({'format': 0x800007D8, 'items': one(0)}, 'its value ran backwards (PDH 0x800007D8)'),
    ({'items': one(-1)}, 'its value ran backwards'),
    ({'items': one(2e9)}, 'its value 2e+09 is no count'),
    ({'collect': 0x12345678}, 'it cannot be read (PDH 0x12345678)'),
])
def test_what_cannot_be_read_is_unknown_until_it_can(counter, said, why):
    with counter(**{'stamp': 1} | said) as source:
        for _ in range(2):
            assert why in source.error()
        # One that could not be read is asked anew, after a while.
        source.say_pdh(stamp=2, items=one(0))
        wait_until(lambda: source.read().get('error', FIRST).endswith(FIRST), 'asked anew')
        source.say_pdh(stamp=3, items=one(0))
        assert source.count() == 0


def test_a_counter_that_is_missing_is_looked_for_less_and_less(counter, tmp_path):
    """After one, two, four seconds, however often it is asked; and found then."""
    began = time.monotonic()
    with counter(stamp=1, add=0xC0000BB8) as source:
        for _ in range(30):
            assert '0xC0000BB8' in source.error()
            time.sleep(0.1)
        looks = (tmp_path / 'pdh.json.adds').stat().st_size
        assert 2 <= looks <= 2 + math.log2(1 + time.monotonic() - began)
        source.say_pdh(stamp=2, items=one(0))
        wait_until(lambda: FIRST in source.error(), 'it is found')
        source.say_pdh(stamp=3, items=one(7))
        assert source.count() == 7


def test_a_rate_needs_two_readings(counter):
    with counter(stamp=1, format=0xC0000BC6, items=one(0, 0xC0000BBA)) as source:
        assert 'no data yet' in source.error()
        source.say_pdh(stamp=2, items=one(4.2))
        assert source.count() == 5
        source.say_pdh(stamp=3, format=0xC0000BC6, items=one(0, 0xC0000BBA))
        assert 'its value is not valid (PDH 0xC0000BBA)' in source.error()


STALE = 'it is stale: its time stamp stands since 20'


def test_a_counter_whose_time_stands_still_is_unknown_since_then(counter):
    with counter(stamp=1, items=one(0)) as source:
        source.warm_up()
        assert source.count() == 0

        def stale():
            reading = source.read()
            assert reading.get('count', 0) == 0
            return reading.get('error')
        error = wait_until(stale, 'the counter is stale')
        assert STALE in error and stale() == error
        source.say_pdh(stamp=3, items=one(3))
        assert source.count() == 3


def test_a_counter_that_is_stale_from_the_start_is_never_known(counter):
    with counter(stamp=1, items=one(0)) as source:
        assert FIRST in source.error()
        wait_until(lambda: STALE in source.error(), 'the counter is stale')
        # Nor is it when it is there again.
        source.say_pdh(collect=0x800007D5)
        assert 'there is no data' in source.error()
        source.say_pdh(stamp=1, items=one(0))
        assert FIRST in source.error()
        source.say_pdh(stamp=2, items=one(4))
        assert source.count() == 4


ALL = r'\LS:SIP - Peers(*)\SIP - Connections Active'


@pytest.mark.parametrize('items, count', [
    ([['a', 3, 0], ['b', 4, 1]], 7),
    ([['a', 0.4, 0], ['b', 0.4, 0]], 1),
    ([['_Total', 7, 0], ['a', 3, 0], ['b', 4, 0]], 7),
    ([['_total', 7, 0]], 7),
    ([[f'instance {i}', 1, 0] for i in range(300)], 300),
])
def test_instances_are_added_up_without_their_total(counter, items, count):
    with counter(ALL, stamp=1, items=items) as source:
        source.warm_up()
        assert source.count() == count


def test_instances_that_come_and_go_are_followed(counter):
    with counter(ALL, stamp=1, items=[['a', 3, 0]]) as source:
        source.warm_up()
        assert source.count() == 3
        source.say_pdh(stamp=3, items=[['a', 3, 0], ['b', 2, 0]])
        assert source.count() == 5
        source.say_pdh(stamp=4, items=[['b', 0, 0]])
        assert source.count() == 0


@pytest.mark.parametrize('items, why', [
    ([], 'there is no such instance (PDH 0x800007D1)'),
    ([['a', 3, 0], ['b', 0, 0xC0000BBA]], 'its value is not valid'),
    ([['a', 3, 0], ['b', -1, 0]], 'its value ran backwards'),
])
def test_instances_of_which_one_is_not_known_are_unknown(counter, items, why):
    with counter(ALL, stamp=1, items=[['a', 1, 0]]) as source:
        source.warm_up()
        assert source.count() == 1
        source.say_pdh(stamp=3, items=items)
        for _ in range(2):
            error = source.error()
            assert why in error or 'no data yet' in error
        source.say_pdh(stamp=4, items=[['a', 1, 0]])
        wait_until(lambda: source.read().get('error', FIRST).endswith(FIRST), 'asked anew')
        source.say_pdh(stamp=5, items=[['a', 1, 0]])
        assert source.count() == 1


# ---- rds ----

@pytest.fixture(scope='module')
def rds_machine(machine):
    """Windows' own folder has another wtsapi32.dll, for who asks for it (see rds)."""
    path = machine.prefix / 'drive_c/windows/system32/wtsapi32.dll'
    path.unlink()
    path.write_bytes((TOOLS / 'wtsapi32.dll').read_bytes())
    return machine


@pytest.fixture
def rds(rds_machine, source, tmp_path):
    file = tmp_path / 'rds'

    def make(*states):
        made = source('rds', *states, env={
            'RDS_FILE': windows_path(file),
            'WINEDLLOVERRIDES': f'{rds_machine.env["WINEDLLOVERRIDES"]};wtsapi32=n'})

        def list_sessions(*rows):
            file.write_text(''.join('\t'.join(map(str, row)) + '\n' for row in rows))
        made.list_sessions = list_sessions
        return made
    return make


ACTIVE, CONNECTED, QUERY, SHADOW, DISCONNECTED, IDLE, LISTEN, RESET, DOWN, INIT = range(10)
SERVICES = (0, DISCONNECTED, NONE, NONE, NONE, 0, 0, 0, 0, SECOND)
LISTENER = (65536, LISTEN, NONE, NONE, NONE, 0, 0, 0, 0, SECOND)


def ago(*seconds, now=SECOND):
    """Logon, connection, disconnection, last input, and now; None for never."""
    return (*(0 if each is None else now - each for each in seconds), now)


def test_what_wine_says_of_sessions_is_unknown(source):
    with source('rds', 'active', 'disconnected') as wine:
        error = wine.error()
        assert 'wtsapi32.dll' in error or 'cannot be listed' in error


def test_sessions_are_counted_by_state_without_session_0_and_listeners(rds):
    rows = [SERVICES, LISTENER] + [
        (state + 1, state, 'user', 'CORP', NONE, *ago(10, 10, None, 5)) for state in range(10)]
    for states, ids in (['active'], [1]), (['active', 'disconnected'], [1, 5]), (
            ['active', 'connected', 'connect_query', 'shadow', 'disconnected'], [1, 2, 3, 4, 5]):
        with rds(*states) as source:
            source.list_sessions(*rows)
            reading = source.read()
            assert reading['count'] == len(ids)
            assert sorted(row['id'] for row in reading['sessions']) == ids


def test_each_row_tells_who_since_when_and_how_long_idle(rds):
    hour, day = 3600, 24 * 3600
    with rds('active', 'disconnected') as source:
        source.list_sessions(
            SERVICES,
            (2, ACTIVE, 'anna', 'CORP', 'LAPTOP-1', *ago(60, 60, None, 7)),
            (3, DISCONNECTED, 'bertil', NONE, NONE, *ago(day, hour, 900, 2 * hour)),
            (4, DISCONNECTED, 'Çelik', 'ÅÄÖ', NONE, *ago(day + 1, hour, 901, 2 * hour)),
            (5, ACTIVE, NONE, NONE, NONE, *ago(None, None, None, None)),
            (6, ACTIVE, 'ahead', 'CORP', NONE, *ago(-5, -5, None, -5)),
            (7, ACTIVE, 'gone', 'CORP', NONE, 0, 0, 0, 0, 'gone'))
        reading = source.read()
    assert reading['count'] == 6
    common = {'source': 'rds', 'age_is_least': False}
    assert reading['sessions'] == [
        common | {'id': 4, 'user': 'ÅÄÖ\\Çelik', 'state': 'disconnected', 'client': None,
                  'since': '2001-09-08T01:46:39.000Z', 'age_s': day + 1, 'idle_s': 901,
                  'suspect': True},
        common | {'id': 3, 'user': 'bertil', 'state': 'disconnected', 'client': None,
                  'since': '2001-09-08T01:46:40.000Z', 'age_s': day, 'idle_s': 900,
                  'suspect': False},
        common | {'id': 2, 'user': 'CORP\\anna', 'state': 'active', 'client': 'LAPTOP-1',
                  'since': '2001-09-09T01:45:40.000Z', 'age_s': 60, 'idle_s': 7,
                  'suspect': False},
        common | {'id': 6, 'user': 'CORP\\ahead', 'state': 'active', 'client': None,
                  'since': '2001-09-09T01:46:45.000Z', 'age_s': 0, 'idle_s': 0,
                  'suspect': False},
        common | {'id': 5, 'user': None, 'state': 'active', 'client': None, 'since': None,
                  'age_s': None, 'idle_s': None, 'suspect': False},
        common | {'id': 7, 'user': 'CORP\\gone', 'state': 'active', 'client': None,
                  'since': None, 'age_s': None, 'idle_s': None, 'suspect': False}]


def test_no_session_but_windows_own_is_zero_and_none_at_all_is_unknown(rds):
    with rds('active') as source:
        source.list_sessions(SERVICES, LISTENER)
        assert source.read()['sessions'] == [] and source.count() == 0
        source.list_sessions()
        assert 'lists no session at all' in source.error()


def test_sessions_that_cannot_be_listed_are_unknown_until_they_can(rds):
    with rds('active') as source:
        source.list_sessions(['error 1722'])
        assert source.error().endswith('does the service TermService run? (error 1722)')
        source.list_sessions(SERVICES)
        assert source.count() == 0


# ---- command ----

@pytest.fixture
def token(machine):
    word = f'token-{uuid.uuid4()}'
    yield word
    kill(commands_with(word), 9)


def test_a_program_that_prints_a_number_is_believed(source):
    with source('command', NONE, 30000, PROGRAM, 'print', ' 7 ') as program:
        assert program.count() == 7
        assert program.count() == 7
    with source('command', '/a/1', 30000, PROGRAM, 'print', '{"a": [1, 8]}') as program:
        assert program.count() == 8


@pytest.mark.parametrize('arguments, why', [
    (('print', 'none'), f'what {PROGRAM} printed: it is not JSON (line 1, column 4): none'),
    (('print', ''), 'it is empty'),
    (('fail', '3', 'no database'), 'ended with exit status 3: no database'),
    (('fail', '0xC0000005', ''), 'ended with exit status 0xC0000005'),
    (('flood',), 'was ended, as it printed more than 65536 bytes'),
])
def test_a_program_that_fails_is_unknown(source, arguments, why):
    with source('command', NONE, 30000, PROGRAM, *arguments) as program:
        assert why in program.error()


def test_its_input_is_empty(source):
    with source('command', NONE, 30000, PROGRAM, 'input') as program:
        assert program.count() == 0


ARGUMENTS = ['plain', '', 'two words', '"', 'a"b', '\\"', 'a\\\\"b c', 'C:\\folder\\',
             'C:\\two words\\', '\\\\server\\share\\\\', '"quoted"', '%PATH%', '^&|<>', "it's",
             'tab\there', 'Größe ☎', '""', '\\\\\\" \\', '*']


def test_arguments_arrive_as_they_are(source, tmp_path):
    file = tmp_path / 'arguments'
    with source('command', NONE, 30000, PROGRAM, 'args', windows_path(file),
                *ARGUMENTS) as program:
        assert program.count() == 1
    assert file.read_text().split('\n')[:-1] == ARGUMENTS


@pytest.mark.parametrize('name', ['count.bat', 'COUNT.CMD', 'count.bat .', 'count.cmd...'])
def test_a_batch_file_is_refused(source, tmp_path, name):
    (tmp_path / name).write_text('@echo 0\r\n')
    with source('command', NONE, 30000, windows_path(tmp_path) + '\\' + name) as program:
        assert 'is a script, which only a shell runs' in program.error()


def test_a_program_that_is_not_there_is_unknown(source):
    with source('command', NONE, 30000, 'C:\\nowhere\\count.exe') as program:
        error = program.error()
        assert error.startswith('C:\\nowhere\\count.exe cannot be run: ')
        assert error.endswith(('(error 2)', '(error 3)'))


def test_its_time_limit_ends_it_with_all_that_it_started(source, token):
    with source('command', NONE, 2000, PROGRAM, 'hang', token) as program:
        program.say('read')
        wait_until(lambda: len(commands_with(token)) == 2, 'the program and what it starts')
        assert program.answer()['error'] == f'{PROGRAM} was ended after 2 s, its time limit'
        wait_until_gone(token)


def test_what_it_leaves_running_does_not_hold_the_reading_and_is_ended(source, token):
    with source('command', NONE, 30000, PROGRAM, 'leave', token) as program:
        assert program.count() == 7
        wait_until_gone(token)


def test_stopping_ends_it_at_once(source, token):
    with source('command', NONE, 60000, PROGRAM, 'hang', token) as program:
        program.say('read')
        wait_until(lambda: len(commands_with(token)) == 2, 'the program and what it starts')
        program.stop()
        assert 'was ended, as poold is stopping' in program.answer()['error']
        wait_until_gone(token)


def test_it_does_not_outlive_a_poold_that_is_killed(machine, source, token):
    program = source('command', NONE, 60000, PROGRAM, 'hang', token)
    program.say('read')
    wait_until(lambda: len(commands_with(token)) == 2, 'the program and what it starts')
    program.process.kill()
    program.process.wait()
    program.process.stdin.close()
    wait_until_gone(token)


# ---- http ----

@pytest.fixture(scope='module')
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp('tls') / 'ca')


@pytest.fixture
def http(source):
    def make(server, *ca_file, pointer='/sessions', timeout_ms=30000):
        return source('http', server.url, pointer, timeout_ms, *map(windows_path, ca_file))
    return make


DOCUMENT = ok(b'{"sessions": 7}')


def test_a_document_tells_the_number(http):
    with serve(DOCUMENT, close=False) as server, http(server) as document:
        assert document.count() == 7
        assert document.count() == 7
        assert server.connections == 1


@pytest.mark.parametrize('answer, why', [
    (reply(500), 'the reply has status 500, not 200'),
    (reply(302, Location='http://127.0.0.1:9/'), 'redirects are not followed'),
    (ok(b'[]'), "it has nothing at '/sessions'"),
    (ok(b'{"sessions": 0', Content_Length=20), 'transfer closed'),
    (ok(b' ' * ((1 << 20) + 1)), 'larger than 1048576 bytes'),
])
def test_any_other_reply_is_unknown_until_it_is_right(http, answer, why):
    with serve(answer) as server, http(server) as document:
        assert why in document.error()
        server.reply = DOCUMENT
        assert document.count() == 7


def hang(connection):
    connection.recv(1)


def test_a_server_that_does_not_answer_is_unknown(http):
    with serve(hang) as server, http(server, timeout_ms=500) as document:
        assert 'no whole reply within 0.5 s' in document.error()
        server.reply = DOCUMENT
        assert document.count() == 7


def test_stopping_ends_a_request_at_once(http):
    with serve(hang) as server, http(server, timeout_ms=60000) as document:
        document.say('read')
        wait_until(lambda: server.requests, 'request')
        document.stop()
        reading = document.answer()
        assert 'poold is stopping' in reading['error'] and reading['ms'] < 5000


@contextlib.contextmanager
def serve_tls(authority, alternative='DNS:localhost', **certificate):
    """By name: with a ca_file, curl on Windows knows no certificates of addresses."""
    with serve(DOCUMENT, context=authority.server(alternative, **certificate)) as server:
        server.url = server.url.replace(ADDRESS, 'localhost')
        yield server


def test_a_document_comes_over_tls_from_whom_the_ca_file_vouches_for(http, authority):
    with serve_tls(authority) as server, http(server, authority.file) as document:
        assert document.count() == 7
        assert document.count() == 7


@pytest.mark.parametrize('certificate, why', [
    ({'days': -1}, 'CERT_TRUST_IS_NOT_TIME_VALID'),
    ({'alternative': 'DNS:other.example'}, 'failed to match connection hostname')])
def test_a_certificate_that_is_over_or_anothers_is_refused(http, authority, certificate, why):
    with serve_tls(authority, **certificate) as server:
        with http(server, authority.file) as document:
            assert why in document.error()
        assert server.requests == []


def test_another_authority_is_refused(http, authority, tmp_path):
    """With a ca_file.  Without, Windows checks the certificate, and Wine none."""
    other = Authority(tmp_path / 'other', name='Other')
    with serve_tls(authority) as server:
        with http(server, other.file) as document:
            assert 'CERT_TRUST_IS_PARTIAL_CHAIN' in document.error()
        assert server.requests == []


# ---- elsewhere ----

def test_readings_do_not_gather_handles(source, tmp_path):
    """Wine's server keeps one file descriptor or more for each handle of a pipe or process."""
    with source('command', NONE, 30000, PROGRAM, 'print', '7') as program:
        assert program.count() == 7
        before = len(os.listdir(f'/proc/{program.pid}/fd'))
        for _ in range(10):
            assert program.count() == 7
        assert len(os.listdir(f'/proc/{program.pid}/fd')) <= before + 4
