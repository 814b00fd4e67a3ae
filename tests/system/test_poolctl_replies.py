"""What poolctl makes of what servers say: deadlines, ends, previews, the record."""

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from canned import CannedPool, drain, record, reservation, view
from pool import POOLCTL, ROOT, SERVICE
from terminal import run_on_terminal

DRAIN = '/v1/drains/kb1'
# A test may itself run in a pipeline.
OUTSIDE = {name: value for name, value in os.environ.items()
           if not re.match('GITHUB|GITLAB|CI_|TF_BUILD|TEAMCITY|BUILDKITE|JENKINS', name)}


@pytest.fixture
def make_canned(tmp_path):
    made = []

    def make(count=1):
        made.append(CannedPool(tmp_path, count))
        for server in made[-1].servers:
            server.replies['GET /v1/server'] = view(server.name)
        return made[-1]

    yield make
    for pool in made:
        pool.close()


@pytest.fixture
def pool(make_canned):
    return make_canned()


@pytest.fixture
def server(pool):
    return pool.servers[0]


def in_turn(*replies):
    """Each of them once, and the last for ever."""
    rest = list(replies)
    lock = threading.Lock()

    def reply(_):
        with lock:
            return rest.pop(0) if len(rest) > 1 else rest[0]
    return reply


def is_drained(server, **fields):
    """The server is drained, by the drain kb1."""
    server.replies |= {f'PUT {DRAIN}': drain(),
                       'GET /v1/server': view(server.name, 'drained', [drain(**fields)])}


# ---- how a drain is asked for ----

@pytest.mark.parametrize('options, pool_says, server_says, asked', [
    ([], '', '', {}),
    (['--deadline', '30m'], '', '', {'deadline_s': 1800, 'on_deadline': 'hold'}),
    (['--deadline', '2h', '--on-deadline', 'stop'], '', '',
     {'deadline_s': 7200, 'on_deadline': 'stop'}),
    (['--until', 'reboot'], '', '', {'until': 'reboot'}),
    ([], 'deadline: 4h', '', {'deadline_s': 14400, 'on_deadline': 'hold'}),
    ([], 'deadline: 4h', 'deadline: 8h, on_deadline: resume',
     {'deadline_s': 28800, 'on_deadline': 'resume'}),
    ([], 'deadline: 1500ms', '', {'deadline_s': 2, 'on_deadline': 'hold'}),
    (['--deadline', 'none'], 'deadline: 4h', 'on_deadline: resume', {}),
    (['--on-deadline', 'resume'], 'deadline: 4h', '',
     {'deadline_s': 14400, 'on_deadline': 'resume'}),
    (['--on-deadline', 'hold'], '', '', {}),
])
def test_a_drain_asks_for_its_end(pool, server, options, pool_says, server_says, asked):
    pool.write(pool_says, server_says)
    is_drained(server)
    done = pool.poolctl('drain', 'frontend01', '--id', 'kb1', *options)
    assert done.returncode == 0, done.stderr
    [(_, body)] = server.asked('PUT', DRAIN)
    assert {key: value for key, value in body.items() if key not in ('owner', 'reason')} == asked


@pytest.mark.parametrize('options, words', [
    (['--on-deadline', 'resume'], ['frontend01', '--deadline', 'pool.yaml']),
    (['--on-deadline', 'stop', '--deadline', 'none'], ['frontend01', '--deadline']),
    (['--deadline', '0s'], ['0s', 'none']),
    (['--deadline', 'soon'], ['soon', '30m']),
    (['--on-deadline', 'explode'], ['explode', 'resume']),
    (['--until', 'friday'], ['friday', 'reboot']),
])
def test_a_wrong_end_is_refused_before_anything_is_asked(pool, server, options, words):
    done = pool.poolctl('drain', 'frontend01', *options)
    assert done.returncode == 2
    for word in words:
        assert word in done.stderr, done.stderr
    assert not server.requests


@pytest.mark.parametrize('variables, drain_id, owner', [
    ({'GITLAB_CI': 'true', 'CI_PROJECT_PATH': 'group/project', 'CI_PIPELINE_ID': '1234'},
     'gitlab-1234-group-project-b8da20f9', 'gitlab group/project#1234'),
    ({'GITHUB_ACTIONS': 'true', 'GITHUB_REPOSITORY': 'org/repo', 'GITHUB_RUN_ID': '99'},
     'github-99-org-repo-d56fb519', 'github org/repo#99'),
])
def test_a_pipeline_ends_what_an_earlier_step_drained(pool, server, variables, drain_id, owner):
    mine = drain(id=drain_id, owner=owner)
    server.replies[f'PUT /v1/drains/{drain_id}'] = mine
    server.replies['GET /v1/server'] = view('frontend01', 'drained', [mine])
    done = pool.poolctl('drain', 'frontend01', env=OUTSIDE | variables | {'USER': 'first'})
    assert done.returncode == 0, done.stderr
    [(_, body)] = server.asked('PUT', f'/v1/drains/{drain_id}')
    assert body['owner'] == owner
    server.replies['GET /v1/server'] = in_turn(view('frontend01', 'drained', [mine]),
                                               view('frontend01'))
    server.replies[f'DELETE /v1/drains/{drain_id}'] = mine
    done = pool.poolctl('resume', 'frontend01', env=OUTSIDE | variables | {'USER': 'later'})
    assert done.returncode == 0, done.stderr
    assert len(server.asked('DELETE', f'/v1/drains/{drain_id}')) == 1


def test_who_else_holds_the_server_is_told(pool, server):
    server.replies['GET /v1/server'] = view('frontend01', 'drained', [
        drain(), drain(id='kb2', owner='bob', reason='disk', created_at='2026-04-30T07:15:00Z')])
    done = pool.poolctl('resume', 'frontend01', '--id', 'mine')
    assert done.returncode == 5
    assert ('kb1 of alice@desk (patch) since 08:00Z, kb2 of bob (disk) since 2026-04-30 07:15Z'
            in done.stderr)
    assert {method for method, *_ in server.requests} == {'GET'}


# ---- how it is reserved ----

def refusal(code, detail, exit_code=5):
    return 409, {'title': 'No', 'status': 409, 'code': code, 'detail': detail,
                 'retryable': True, 'exit_code': exit_code}


def steps(server):
    """What was asked, without looks at the server."""
    return [(method, query, body) for method, path, query, body in server.requests
            if path == DRAIN]


def test_a_server_is_reserved_and_the_drain_committed_with_its_token(pool, server):
    server.replies |= {f'PUT {DRAIN}': drain(), 'GET /v1/server': in_turn(
        view('frontend01'), view('frontend01', 'drained', [drain()]))}
    done = pool.poolctl('drain', 'frontend01', '--id', 'kb1', '--reason', 'patch')
    assert done.returncode == 0, done.stderr
    (first, _, reserved), (second, _, committed) = steps(server)
    assert (first, second) == ('RESERVE', 'PUT')
    assert 'reservation' not in reserved and committed.pop('reservation') == 'e-1'
    assert reserved == committed | {'phase': 'reserved'}


def test_a_drain_that_is_there_takes_no_reservation(pool, server):
    is_drained(server)
    assert pool.poolctl('drain', 'frontend01', '--id', 'kb1').returncode == 0
    [(method, _, body)] = steps(server)
    assert method == 'PUT' and 'reservation' not in body


def test_who_has_reserved_the_server_is_told(pool, server):
    words = 'frontend01 is reserved by bob for drain kb2 since 08:29Z, for another 12 s: disk'
    server.replies |= {'GET /v1/server': view('frontend01'),
                       f'RESERVE {DRAIN}': refusal('reserved', words)}
    done = pool.poolctl('drain', 'frontend01', '--id', 'kb1', '--lock-wait', '0s')
    assert done.returncode == 5
    assert f'{words}; nothing was changed' in done.stderr
    assert [method for method, _, _ in steps(server)] == ['RESERVE']


def test_a_reservation_that_did_not_last_is_made_again(pool, server):
    gone = refusal('not_reserved', 'it is no longer valid')
    server.replies |= {f'PUT {DRAIN}': in_turn(gone, gone, drain()),
                       'GET /v1/server': in_turn(view('frontend01'),
                                                 view('frontend01', 'drained', [drain()]))}
    done = pool.poolctl('drain', 'frontend01', '--id', 'kb1')
    assert done.returncode == 0, done.stderr
    assert [method for method, _, _ in steps(server)] == ['RESERVE', 'PUT'] * 3


def test_reservations_that_never_last_are_given_up(pool, server):
    server.replies |= {f'PUT {DRAIN}': refusal('not_reserved', 'it is no longer valid'),
                       'GET /v1/server': view('frontend01')}
    done = pool.poolctl('drain', 'frontend01', '--id', 'kb1')
    assert done.returncode == 5
    assert 'it is no longer valid; nothing was changed' in done.stderr
    assert [method for method, _, _ in steps(server)] == ['RESERVE', 'PUT'] * 5


@pytest.mark.parametrize('reply', [{}, {'reservation': None}, {'reservation': {'token': ''}},
                                   {'reservation': {'token': 7}},
                                   {'reservation': {'token': 'x' * 64}}])
def test_a_reservation_without_a_token_is_none(pool, server, reply):
    server.replies |= {f'RESERVE {DRAIN}': reply, 'GET /v1/server': view('frontend01')}
    done = pool.poolctl('drain', 'frontend01', '--id', 'kb1')
    assert done.returncode == 1 and 'the reservation cannot be understood' in done.stderr, done.stderr
    assert [method for method, _, _ in steps(server)] == ['RESERVE']


def test_what_is_reserved_for_a_drain_that_fails_is_withdrawn(pool, server):
    server.replies |= {f'PUT {DRAIN}': refusal('held', 'drain kb1 belongs to bob'),
                       'GET /v1/server': view('frontend01'),
                       f'DELETE {DRAIN}': {'id': 'kb1', 'withdrawn': True}}
    done = pool.poolctl('drain', 'frontend01', '--id', 'kb1')
    assert done.returncode == 5 and 'belongs to bob' in done.stderr
    assert [(method, query) for method, query, _ in steps(server)] == [
        ('RESERVE', {}), ('PUT', {}), ('DELETE', {'reservation': 'e-1'})]


def test_what_is_reserved_is_withdrawn_on_interruption(pool, server):
    """The answer to the commit does not come, so it is not known whether it was taken; the
    withdrawal ends no drain."""
    is_asked, may_answer = threading.Event(), threading.Event()

    def wait(_):
        is_asked.set()
        may_answer.wait(60)
        return drain()
    server.replies |= {f'PUT {DRAIN}': wait, 'GET /v1/server': view('frontend01'),
                       f'DELETE {DRAIN}': {'id': 'kb1', 'withdrawn': True}}
    running = subprocess.Popen([POOLCTL, '--config', pool.file, 'drain', 'frontend01', '--id',
                                'kb1'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    assert is_asked.wait(60)
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=60)
    may_answer.set()
    assert running.returncode == 130
    assert 'it is unknown whether the server accepted the drain' in told
    assert steps(server)[-1] == ('DELETE', {'reservation': 'e-1'}, None)


# ---- how it is shown, and how it ends ----

@pytest.mark.parametrize('fields, words', [
    ({'deadline_at': '2026-05-01T08:42:05Z'}, 'deadline 08:42Z in 12m05s'),
    ({'deadline_at': '2026-05-01T08:42:05Z', 'on_deadline': 'stop'}, 'in 12m05s, then stop'),
    ({'deadline_at': '2026-05-01T08:20:00Z', 'overdue': True}, 'overdue since 08:20Z'),
    ({'until': 'reboot'}, 'until reboot'),
])
def test_status_shows_how_a_drain_is_to_end(pool, server, fields, words):
    server.replies['GET /v1/server'] = view('frontend01', 'draining', [drain(**fields)], 3)
    done = pool.poolctl('status')
    assert done.returncode == 0 and words in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


@pytest.mark.parametrize('phase, words', [
    ('draining', 'draining since 08:'), ('drained', 'out since 08:'), ('attention', ''),
    ('serving', '')])
def test_status_shows_since_when_a_server_is_out(pool, server, phase, words):
    drains = [drain(created_at='2026-05-01T08:20:00Z'), drain(id='kb2',
                                                              created_at='2026-05-01T08:10:00Z')]
    server.replies['GET /v1/server'] = view('frontend01', phase, drains)
    said = pool.poolctl('status').stdout
    assert (f'{words}10Z' in said) if words else ('since' not in said), said


def test_status_shows_cut_sessions_and_names_each_of_several_drains(pool, server):
    server.replies['GET /v1/server'] = view('frontend01', 'drained', [
        drain(until='reboot'), drain(id='kb2', deadline_at='2026-05-02T09:00:00Z')], cut=2)
    note = pool.poolctl('status').stdout
    assert 'kb1: until reboot; kb2: deadline 2026-05-02 09:00Z in 24h30m' in note
    assert '2 sessions were cut' in note


@pytest.mark.parametrize('drains, held, words', [
    ([], None, ''),
    ([], reservation(), 'reserved by bob@desk for kb9 since 08:29Z'),
    ([], reservation(id='ci', owner='ci'), 'reserved by ci since 08:29Z'),
    ([drain(until='reboot')], reservation(),
     'reserved by bob@desk for kb9 since 08:29Z; until reboot'),
])
def test_status_shows_who_has_reserved_a_server(pool, server, drains, held, words):
    server.replies['GET /v1/server'] = view('frontend01', 'serving', drains) | {
        'reservation': held}
    done = pool.poolctl('status')
    assert done.returncode == 0
    row = done.stdout.splitlines()[2]
    assert row.endswith(words) and ('reserved' in row) == bool(held)
    whole = json.loads(pool.poolctl('status', '-o', 'json').stdout)
    assert whole['pools'][0]['servers'][0]['document']['reservation'] == held


@pytest.mark.parametrize('held, words', [
    (7, "'reservation' is not an object"),
    ({}, "'id' is missing"),
    (reservation(id='../etc'), "'id' is not an id"),
    (reservation(created_at='soon'), "'created_at' is not a time"),
    (reservation(expires_in_s=-1), "'expires_in_s' is not a whole number from 0"),
])
def test_a_reservation_that_is_none_is_a_bad_reply(pool, server, held, words):
    server.replies['GET /v1/server'] = view('frontend01') | {'reservation': held}
    done = pool.poolctl('status')
    assert done.returncode == 1 and words in done.stdout
    assert re.search(r'frontend01 +\? +\? ', done.stdout)


@pytest.mark.parametrize('columns', [60, 80, 120])
def test_a_terminal_shows_the_deadline_and_its_lines_fit(pool, server, columns):
    busy = view('frontend01', 'draining', [drain(deadline_at='2026-05-01T08:42:05Z')], 3)
    server.replies = {f'PUT {DRAIN}': drain(), 'GET /v1/server': busy}
    text, status = run_on_terminal([POOLCTL, '--config', pool.file, 'drain', 'frontend01', '--id',
                                    'kb1', '--timeout', '2s'], columns)
    assert status == 6
    plain = re.sub(r'\x1b\[[0-9;?]*[A-Za-z]', '', text)
    countdown = r' in 12m0\ds' if columns > 60 else ''
    assert re.search(rf'3 of 12 left  deadline 08:42Z{countdown}', plain), plain
    frames = plain[:plain.index('poolctl: frontend01')]
    for line in re.split(r'[\r\n]+', frames):
        assert len(line) < columns, line


def test_a_pipe_is_told_the_deadline_once(pool, server):
    busy = view('frontend01', 'draining', [drain(deadline_at='2026-05-01T08:42:05Z')], 3)
    server.replies = {f'PUT {DRAIN}': drain(), 'GET /v1/server': busy}
    done = pool.poolctl('drain', 'frontend01', '--id', 'kb1', '--timeout', '1s')
    assert done.returncode == 6
    lines = [line for line in done.stderr.splitlines() if 'draining' in line]
    assert lines == ['frontend01: draining, 3 of 12 sessions left, deadline 08:42Z, '
                     'time left unknown']


ENDED = {'phase': 'ended', 'out': False, 'ended_by': 'poold'}


@pytest.mark.parametrize('ended, status, words', [
    ({'end_reason': 'deadline'}, 9,
     'the deadline passed with 3 sessions left, so poold ended the drain'),
    ({'end_reason': 'reboot', 'until': 'reboot'}, 9, 'the server rebooted before it was drained'),
    ({'end_reason': 'request', 'ended_by': 'bob'}, 9, 'bob ended the drain'),
    ({'end_reason': None}, 9, 'somebody else ended it'),
    (None, 9, 'somebody else ended it'),
])
def test_why_a_watched_drain_ended_is_told(pool, server, ended, status, words):
    busy = view('frontend01', 'draining', [drain()], 3)
    server.replies = {f'PUT {DRAIN}': drain(),
                      'GET /v1/server': in_turn(busy, busy, view('frontend01', sessions=9))}
    if ended:
        server.replies[f'GET {DRAIN}'] = drain(**(ENDED | ended))
    done = pool.poolctl('drain', 'frontend01', '--id', 'kb1')
    assert done.returncode == status, done
    assert words in done.stderr and not done.stdout
    assert len(server.asked('GET', DRAIN)) == 1


def test_a_drain_until_reboot_that_was_drained_is_a_success(pool, server):
    busy = view('frontend01', 'draining', [drain(until='reboot')], 3)
    server.replies = {f'PUT {DRAIN}': drain(), 'GET /v1/server': in_turn(
        busy, busy, view('frontend01')), f'GET {DRAIN}': drain(**ENDED | {
            'until': 'reboot', 'end_reason': 'reboot', 'drained_at': '2026-05-01T08:20:00Z'})}
    done = pool.poolctl('drain', 'frontend01', '--id', 'kb1', '--until', 'reboot')
    assert done.returncode == 0, done.stderr
    assert done.stdout == 'frontend01: drained at 08:20Z, and serving again since the reboot\n'
    assert 'poolctl:' not in done.stderr


@pytest.mark.parametrize('args', [
    ['drain', 'frontend01', '--id', 'kb1'], ['wait', 'frontend01', '--for', 'drained']])
def test_cut_sessions_are_told_by_whoever_watches(pool, server, args):
    over = drain(deadline_at='2026-05-01T08:20:00Z', on_deadline='stop',
                 drained_at='2026-05-01T08:20:03Z')
    server.replies = {f'PUT {DRAIN}': over, 'GET /v1/server': in_turn(
        view('frontend01', 'draining', [drain()], 3), view('frontend01', 'drained', [over], cut=3))}
    done = pool.poolctl(*args)
    assert done.returncode == 7, done
    assert '3 sessions were cut' in done.stderr and 'drained' in done.stdout


# ---- drain --dry-run ----

def preflight(name, is_possible):
    refusal = {'code': 'no_pause', 'level': 'refusal', 'text': 'the service does not accept pause',
               'remedy': 'stop it yourself when its sessions may end'}
    warning = {'code': 'triggers', 'level': 'warning', 'text': 'triggers start it', 'remedy': None}
    return {'server': name, 'possible': is_possible, 'reboot_pending': None, 'findings': [warning],
            'services': [{
                'name': SERVICE, 'display_name': 'Front-End', 'possible': is_possible,
                'observed': {'state': 'running', 'start_type': 'automatic',
                             'delayed_auto_start': True, 'accepts_pause': is_possible},
                'sessions': {'known': True, 'count': 12}, 'dependants': [],
                'changes': ['startup type: automatic (delayed) -> manual', 'pause'],
                'findings': [] if is_possible else [refusal]}]}


@pytest.mark.parametrize('possible, status', [
    ([True], 0), ([False], 4), ([True, True], 0), ([False, False], 4), ([True, False], 8)])
def test_a_dry_run_says_what_would_happen_and_changes_nothing(make_canned, possible, status):
    pool = make_canned(len(possible))
    names = [server.name for server in pool.servers]
    for server, is_possible in zip(pool.servers, possible):
        server.replies['GET /v1/preflight'] = preflight(server.name, is_possible)
    done = pool.poolctl('drain', *names, '--dry-run')
    assert done.returncode == status, done
    for name, is_possible in zip(names, possible):
        assert f'{name}: a drain is {"" if is_possible else "not "}possible\n' in done.stdout
    assert 'startup type: automatic (delayed) -> manual' in done.stdout
    if False in possible:
        assert done.stdout.index('refusal') < done.stdout.rindex('warning')
        assert 'remedy: stop it yourself' in done.stdout
    for form in ('json', 'jsonl'):
        text = pool.poolctl('drain', *names, '--dry-run', '-o', form).stdout
        found = json.loads(text) if form == 'json' else [
            json.loads(line) for line in text.splitlines()]
        assert all(len(each.pop('gates')) == 9 for each in found)
        assert found == [{'server': name, 'preflight': preflight(name, is_possible),
                          'behind_balancer': [], 'exit_code': 0 if is_possible else 4, 'message': None}
                         for name, is_possible in zip(names, possible)]
    for server in pool.servers:
        assert {(method, path) for method, path, *_ in server.requests} == {
            ('GET', '/v1/preflight'), ('GET', '/v1/server')}


def test_a_dry_run_asks_for_what_the_drain_would(pool, server):
    server.replies['GET /v1/preflight'] = preflight('frontend01', True)
    assert pool.poolctl('drain', 'frontend01', '--dry-run', '--until', 'reboot', '--service',
                        SERVICE.lower()).returncode == 0
    assert pool.poolctl('drain', 'frontend01', '--dry-run', '--deadline', '1h',
                        '--on-deadline', 'stop').returncode == 0
    assert server.asked('GET', '/v1/preflight') == [
        ({'until': 'reboot', 'on_deadline': 'hold', 'services': SERVICE}, None),
        ({'until': 'resume', 'on_deadline': 'stop', 'deadline_s': '3600'}, None)]


def test_a_preflight_that_lacks_something_is_not_believed(pool, server):
    server.replies['GET /v1/preflight'] = preflight('frontend01', True) | {'services': None}
    done = pool.poolctl('drain', 'frontend01', '--dry-run')
    assert done.returncode == 1
    assert 'frontend01' in done.stderr and 'preflight' in done.stderr and not done.stdout
    [told] = json.loads(pool.poolctl('drain', 'frontend01', '--dry-run', '-o', 'json').stdout)
    assert told['preflight'] is None and told['exit_code'] == 1


# ---- check, and the deadline of a drain ----

def forecast(**fields):
    return {'known': True, 'half_s': 660, 'nine_tenths_s': 1500, 'basis': 'lifetimes',
            'deadline_s': None, 'chance': None, 'reason': None} | fields


UNKNOWN = forecast(known=False, half_s=None, nine_tenths_s=None, basis=None, deadline_s=1800,
                   reason='RTCSRV: poold has seen 3 of the 10 session ends that it needs')


@pytest.mark.parametrize('possible, told, options, status, fits, words', [
    (True, forecast(), [], 0, 'no_deadline', ['possible', 'about 11m00s', '90% likely within 25m00s']),
    (True, forecast(deadline_s=1800, chance=0.93), ['--deadline', '30m'], 0, 'yes',
     ['and fits into the deadline', '93% likely to finish within 30m00s']),
    (True, forecast(deadline_s=1800, chance=0.9), ['--deadline', '30m'], 0, 'yes', ['90% likely to finish']),
    (True, forecast(deadline_s=600, chance=0.43), ['--deadline', '10m'], 4, 'no',
     ['does not fit', '43% likely to finish within 10m00s (90% required)']),
    (True, UNKNOWN, ['--deadline', '30m'], 4, 'not_known', ['duration unknown', 'session ends that it needs']),
    (True, UNKNOWN | {'deadline_s': None}, [], 0, 'no_deadline', ['duration unknown', 'session ends that it needs']),
    (True, forecast(basis='rate', nine_tenths_s=None, deadline_s=1800, reason='a reason'),
     ['--deadline', '30m'], 4, 'not_known', ['about 11m00s', '90% limit unknown', 'a reason']),
    (True, UNKNOWN | {'chance': 0.99}, ['--deadline', '30m'], 4, 'not_known',
     ['unknown whether it finishes within 30m00s']),
    (False, forecast(deadline_s=1800, chance=0.93), ['--deadline', '30m'], 4, 'not_possible',
     ['a drain is not possible (drain --dry-run says why)\n']),
    (False, forecast(), [], 4, 'not_possible', ['a drain is not possible']),
    (True, None, [], 0, 'no_deadline', ['makes no forecast']),
    (True, None, ['--deadline', '30m'], 4, 'not_known', ['makes no forecast'])])
def test_a_check_says_whether_a_drain_fits(pool, server, possible, told, options, status, fits,
                                           words):
    document = preflight('frontend01', possible) | ({'forecast': told} if told else {})
    server.replies['GET /v1/preflight'] = document
    done = pool.poolctl('check', 'frontend01', *options)
    assert done.returncode == status, done
    for word in words:
        assert word in done.stdout, done.stdout
    # Without the gates.
    assert len(re.findall('^(?!.*(?:gate|remedy))', done.stdout.strip(), re.M)) == (
        2 if possible else 1)
    for form in ('json', 'jsonl'):
        found = json.loads(pool.poolctl('check', 'frontend01', *options, '-o', form).stdout)
        found = found[0] if form == 'json' else found
        assert len(found.pop('gates')) == 9
        assert found == {
            'server': 'frontend01', 'possible': possible, 'fits': fits,
            'forecast': told if possible else None, 'behind_balancer': [],
            'exit_code': status, 'message': None}
    assert all(method == 'GET' for method, *_ in server.requests)


def test_a_check_of_what_is_out_says_what_it_is(pool, server):
    for state, count, words in (('paused', 3, '(RTCSRV paused, 3 sessions)\n'),
                                ('stopped', 0, '(RTCSRV stopped, 0 sessions)\n')):
        document = preflight('frontend01', True) | {'forecast': forecast()}
        document['services'][0]['observed']['state'] = state
        document['services'][0]['sessions']['count'] = count
        server.replies['GET /v1/preflight'] = document
        done = pool.poolctl('check', 'frontend01')
        assert done.returncode == 0
        assert f'frontend01: out of service already {words}' in done.stdout
        assert 'about 11m00s' in done.stdout and 'drain is' not in done.stdout


def test_numbers_are_printed_as_they_were_read(pool, server):
    for chance in ('0.95', '0.1', '0.29', '0.07', '1.0'):
        server.replies['GET /v1/preflight'] = preflight('frontend01', True) | {
            'forecast': forecast(deadline_s=1800, chance=float(chance))}
        done = pool.poolctl('check', 'frontend01', '--deadline', '30m', '-o', 'json')
        assert f'"chance":{chance},' in done.stdout, done.stdout


def test_a_check_asks_with_the_deadline_that_a_drain_would_have(pool, server):
    server.replies['GET /v1/preflight'] = preflight('frontend01', True)
    pool.poolctl('check', 'frontend01', '--deadline', '90s', '--service', SERVICE)
    pool.write('deadline: 4h', '')
    pool.poolctl('check', 'frontend01')
    pool.poolctl('check', 'frontend01', '--deadline', 'none')
    assert [query.get('deadline_s') for query, _ in server.asked('GET', '/v1/preflight')] == [
        '90', '14400', None]


def test_a_check_of_several_servers_says_so_when_they_differ(make_canned):
    pool = make_canned(2)
    for server, chance in zip(pool.servers, (0.95, 0.2)):
        server.replies['GET /v1/preflight'] = preflight(server.name, True) | {
            'forecast': forecast(deadline_s=1800, chance=chance)}
    done = pool.poolctl('check', 'frontend01', 'frontend02', '--deadline', '30m')
    assert done.returncode == 8
    pool.servers[1].close()
    done = pool.poolctl('check', 'frontend02', '-o', 'json')
    [told] = json.loads(done.stdout)
    assert done.returncode == 3 == told['exit_code'] and told['possible'] is None
    assert told['message']


@pytest.mark.parametrize('told, warned', [
    (forecast(deadline_s=1800, chance=0.95), False), (forecast(deadline_s=1800, chance=0.5), True),
    (UNKNOWN, True), (None, True)])
def test_a_drain_warns_of_its_deadline_before_it_is_asked_for(pool, server, told, warned):
    is_drained(server)
    server.replies['GET /v1/preflight'] = preflight('frontend01', True) | (
        {'forecast': told} if told else {})
    done = pool.poolctl('drain', 'frontend01', '--id', 'kb1', '--deadline', '30m')
    assert done.returncode == 0
    assert ('frontend01: the deadline may come first' in done.stderr) == warned, done.stderr
    methods = [(method, path) for method, path, *_ in server.requests]
    assert methods.index(('GET', '/v1/preflight')) < methods.index(('PUT', DRAIN))


def test_without_a_deadline_nobody_asks_how_long_a_drain_takes(pool, server):
    is_drained(server)
    assert pool.poolctl('drain', 'frontend01', '--id', 'kb1').returncode == 0
    assert not server.asked('GET', '/v1/preflight')


@pytest.mark.parametrize('wrong, words', [
    ({'half_s': 'soon'}, '_s\' is not a whole number from 0'), ({'half_s': -1}, '_s\' is not a whole number from 0'),
    ({'half_s': 2**31}, "'nine_tenths_s' is less than 'half_s'"),
    ({'half_s': 10**18}, "'nine_tenths_s' is less than 'half_s'"),
    ({'nine_tenths_s': 1.5}, '_s\' is not a whole number from 0'),
    ({'nine_tenths_s': 659}, "'nine_tenths_s' is less than 'half_s'"),
    ({'half_s': None}, "'nine_tenths_s' is less than 'half_s'"),
    ({'chance': 'high'}, "'chance' is not a number from 0 to 1"),
    ({'chance': 95}, "'chance' is not a number from 0 to 1"),
    ({'chance': -0.01}, "'chance' is not a number from 0 to 1"),
    ({'known': False}, 'and yet the forecast is not known'),
    ({'known': None}, "'known' is not true or false"), ({'reason': 7}, "'reason' is not a text"),
    ({'deadline_s': 60}, "'deadline_s' is not"), ({'deadline_s': None}, "'deadline_s' is not"),
    ({'deadline_s': 'x'}, "'deadline_s' is not"), ({'deadline_s': 2**62}, "'deadline_s' is not")])
@pytest.mark.parametrize('args', [['check'], ['drain', '--dry-run']])
def test_a_forecast_that_is_none_is_not_believed(pool, server, wrong, words, args):
    server.replies['GET /v1/preflight'] = preflight('frontend01', True) | {
        'forecast': forecast(deadline_s=1800, chance=0.95) | wrong}
    done = pool.poolctl(*args, 'frontend01', '--deadline', '30m')
    assert done.returncode == 1 and not done.stdout
    assert 'frontend01' in done.stderr and 'preflight' in done.stderr and words in done.stderr


@pytest.mark.parametrize('told', [{'deadline_s': 1800}, {'chance': 0.95}])
def test_a_forecast_has_no_deadline_where_none_was_asked_for(pool, server, told):
    server.replies['GET /v1/preflight'] = preflight('frontend01', True) | {
        'forecast': forecast() | told}
    done = pool.poolctl('check', 'frontend01')
    assert done.returncode == 1 and 'deadline' in done.stderr and not done.stdout


@pytest.mark.parametrize('change, words', [
    ({'services': []}, "'services' is empty"), ({'possible': False}, 'does not agree with that of its'),
    ({'services': preflight('frontend01', False)['services']}, 'does not agree with that of its')])
def test_a_preflight_agrees_with_what_it_says_of_the_services(pool, server, change, words):
    server.replies['GET /v1/preflight'] = preflight('frontend01', True) | change
    for args in (['check', 'frontend01'], ['drain', 'frontend01', '--dry-run']):
        done = pool.poolctl(*args)
        assert done.returncode == 1 and words in done.stderr and not done.stdout, done


@pytest.mark.parametrize('eta, nine, words', [
    (660, 1500, 'about 11m left, 90% likely within 25m'), (660, None, 'about 11m left\n'),
    (None, None, 'time left unknown'), (45, 7200, 'about 45s left, 90% likely within 2h'),
    (200000, 900000, 'about 2d left, 90% likely within 10d')])
def test_the_progress_of_a_drain_says_how_long_it_takes(pool, server, eta, nine, words):
    draining = view('frontend01', 'draining', [drain()], sessions=5)
    draining['progress'] |= {'eta_s': eta, 'eta_90_s': nine}
    drained = view('frontend01', 'drained', [drain()]) | {'index': 2}
    server.replies |= {f'PUT {DRAIN}': drain(),
                       'GET /v1/server': in_turn(draining, draining, draining, drained)}
    done = pool.poolctl('drain', 'frontend01', '--id', 'kb1')
    assert done.returncode == 0
    assert '5 of 12 sessions left' in done.stderr
    assert words in done.stderr, done.stderr


def test_who_does_not_answer_in_time_is_named(pool, server):
    server.replies['GET /v1/server'] = lambda query: time.sleep(5)
    done = pool.poolctl('drain', 'frontend01', '--id', 'kb1', '--timeout', '1s')
    assert done.returncode == 3, done
    assert 'not drained after 3s: no answer yet from http://' in done.stderr
    assert 'nothing was changed' in done.stderr


def test_what_the_drain_waits_for_is_said_when_waiting_ends(pool, server):
    server.replies |= {f'PUT {DRAIN}': drain(),
                       'GET /v1/server': view('frontend01', 'draining', [drain()], sessions=5)}
    done = pool.poolctl('drain', 'frontend01', '--id', 'kb1', '--timeout', '1s')
    assert done.returncode == 6 and 'not drained after 1s, 5 sessions left; ' in done.stderr


@pytest.mark.parametrize('wrong', [
    {'progress': {'known': True, 'sessions': 5, 'cut': 0}},
    {'progress': {'known': False, 'sessions': None, 'cut': 0}},
    {'services': [{'name': SERVICE, 'phase': 'draining', 'wanted': 'drained', 'message': '',
                   'saved': None}]},
])
@pytest.mark.parametrize('args', [['drain', 'frontend01', '--id', 'kb1'],
                                  ['wait', 'frontend01', '--for', 'drained'], ['status']])
def test_drained_with_something_left_is_not_believed(pool, server, wrong, args):
    server.replies |= {f'PUT {DRAIN}': drain(),
                       'GET /v1/server': view('frontend01', 'drained', [drain()]) | wrong}
    done = pool.poolctl(*args)
    assert done.returncode == 1 and "'phase' is drained, and" in done.stdout + done.stderr, done


def test_who_cannot_be_counted_is_told_by_all_who_watch(pool, server):
    blind = view('frontend01', 'draining', [drain()])
    blind['progress'] |= {'known': False, 'sessions': None}
    blind['services'][0]['sessions'] = {'known': False, 'count': None, 'sources': [
        {'kind': 'tcp', 'name': None, 'known': True, 'count': 3, 'unknown_since': None,
         'error': None, 'ignore_unknown': False},
        {'kind': 'http', 'name': 'http://a/', 'known': False, 'count': None, 'error': 'refused',
         'unknown_since': '2026-05-01T08:05:00Z', 'ignore_unknown': True},
        {'kind': 'counter', 'name': 'X#1', 'known': False, 'count': None, 'error': 'missing',
         'unknown_since': '2026-05-01T08:00:00Z', 'ignore_unknown': False},
        {'kind': 'http', 'name': 'http://b/#/n', 'known': False, 'count': None,
         'error': 'http://b/: refused', 'unknown_since': None, 'ignore_unknown': False}]}
    server.replies |= {f'PUT {DRAIN}': drain(), 'GET /v1/server': blind}
    why = f'{SERVICE}: counter unknown since 08:00Z: missing (X#1)'
    assert why in pool.poolctl('status').stdout
    server.replies['GET /v1/server'] = blind | {'phase': 'serving', 'drains': [], 'services': [
        blind['services'][0] | {'phase': 'serving', 'wanted': 'serving'}]}
    assert why in pool.poolctl('status').stdout
    server.replies['GET /v1/server'] = blind
    done = pool.poolctl('drain', 'frontend01', '--id', 'kb1', '--timeout', '2s')
    lines = done.stderr.splitlines()
    assert done.returncode == 6
    why += f', {SERVICE}: http unknown: http://b/: refused'
    assert lines[0] == f'frontend01: draining, ? of 12 sessions left, {why}'
    assert 'not drained after' in lines[-1] and why in lines[-1]


@pytest.mark.parametrize('cut', [1, 9, 20, 30])
def test_a_reply_that_ends_within_its_head_is_none(pool, server, cut):
    head = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n'
    listener = socket.create_server((server.address, 0))
    pool.file.write_text(pool.file.read_text().replace(f':{server.port}"',
                                                       f':{listener.getsockname()[1]}"'))

    def answer():
        connection = listener.accept()[0]
        connection.recv(4096)
        connection.sendall(head[:cut])
        connection.close()
    thread = threading.Thread(target=answer)
    thread.start()
    done = pool.poolctl('status')
    thread.join()
    listener.close()
    assert done.returncode == 3 and 'frontend01' in done.stdout, done


# ---- the record ----

def keep(server, events, last=None):
    """The server has this record."""
    def reply(query):
        after = int(query['after'])
        page = [event for event in events if event['id'] > after][:int(query['limit'])]
        return {'events': page, 'last': last if last is not None else events[-1]['id']}
    server.replies |= {'GET /v1/server': view(server.name), 'GET /v1/events': reply}


def test_events_show_what_changed(pool, server):
    events = record(2)
    events[1] |= {'before': None, 'after': None}
    keep(server, events)
    lines = pool.poolctl('events', 'frontend01').stdout.splitlines()
    assert lines[0].split() == ['ID', 'TIME', 'KIND', 'SERVICE', 'WHO', 'WHY', 'TEXT', 'CHANGE']
    assert lines[1].endswith('step 1  running, automatic (delayed) -> paused, manual')
    assert lines[2].endswith('step 2  -')
    assert json.loads(pool.poolctl('events', 'frontend01', '-o', 'json').stdout) == events


@pytest.mark.parametrize('count', [1, 1000, 2500])
def test_a_record_is_verified_page_by_page(pool, server, count):
    events = record(count)
    keep(server, events)
    done = pool.poolctl('events', 'frontend01', '--verify', '--head', events[count // 2]['hash'])
    assert done.returncode == 0, done.stderr
    assert done.stdout == (f'frontend01: {count} events, chain unbroken, '
                           f'head {events[-1]["hash"]} (id {count})\n')
    told = json.loads(pool.poolctl('events', 'frontend01', '--verify', '-o', 'json').stdout)
    assert told == {'server': 'frontend01', 'verified': True, 'exit_code': 0, 'message': None,
                    'first': 1, 'last': count, 'lost': 0, 'head': events[-1]['hash']}


def changed(events):
    events[6]['who'] = 'nobody'
    return events


def rehashed(events):
    """The one event is good by itself, but no longer what the next builds on."""
    bare = {key: value for key, value in events[5].items() if key != 'hash'} | {'who': 'nobody'}
    text = json.dumps(bare, sort_keys=True, separators=(',', ':'), ensure_ascii=False)
    digest = hashlib.sha256(f'{events[4]["hash"]}\n{text}'.encode()).hexdigest()
    events[5] = bare | {'hash': digest}
    return events


@pytest.mark.parametrize('change, words', [
    (changed, 'event 7 does not match'), (rehashed, 'event 7 does not match'),
    (lambda events: events[:4] + events[5:], 'event 5 is missing'),
    (lambda events: events[1:], 'event 1 is missing'),
    (lambda events: events[:8], 'events 9 to 10 are missing'),
], ids=['changed', 'rehashed', 'gap', 'beginning', 'end'])
def test_a_record_that_was_tampered_with_is_found_out(pool, server, change, words):
    keep(server, change(record(10)), last=10)
    done = pool.poolctl('events', 'frontend01', '--verify')
    assert done.returncode == 9, done
    assert words in done.stderr and not done.stdout
    told = json.loads(pool.poolctl('events', 'frontend01', '--verify', '-o', 'json').stdout)
    assert told['verified'] is False and told['exit_code'] == 9 and words in told['message']


def test_a_record_that_was_cut_off_lacks_the_head_of_before(pool, server):
    events = record(10)
    keep(server, events[:8])
    assert pool.poolctl('events', 'frontend01', '--verify').returncode == 0
    done = pool.poolctl('events', 'frontend01', '--verify', '--head', events[-1]['hash'])
    assert done.returncode == 9 and events[-1]['hash'] in done.stderr


@pytest.mark.parametrize('options, words', [
    (['--head', '0' * 64], ['--verify']),
    (['--verify', '--head', 'abc'], ['abc', '--head']),
    (['--verify', '--after', '5'], ['--after']),
    (['--verify', '--limit', '5'], ['--limit']),
])
def test_a_wrong_way_to_verify_is_refused(pool, options, words):
    done = pool.poolctl('events', 'frontend01', *options)
    assert done.returncode == 2
    for word in words:
        assert word in done.stderr


# ---- who is still connected ----

def listed(**fields):
    return {'peer': '10.0.0.7', 'peer_port': 50123, 'local': '10.1.0.11', 'local_port': 5061,
            'source': 'tcp', 'since': '2026-05-01T08:00:00Z', 'age_s': 1234,
            'age_is_least': False, 'idle_s': None, 'suspect': False} | fields


def sessions(*items, **fields):
    return {'service': SERVICE, 'known': True, 'count': len(items), 'whole': True,
            'sessions': list(items)} | fields


def show_sessions(pool, server, reply, *args):
    server.replies |= {'GET /v1/server': view(server.name),
                       f'GET /v1/services/{SERVICE}/sessions': reply}
    return pool.poolctl('sessions', server.name, *args)


def test_sessions_have_their_age_idle_time_and_suspicion_in_the_table(pool, server):
    done = show_sessions(pool, server, sessions(
        listed(age_s=5), listed(age_s=7505, age_is_least=True, idle_s=902, suspect=True),
        listed(peer='2001:db8:1234:5678:abcd::1', age_s=65)))
    assert done.returncode == 0, done.stderr
    assert [line.split() for line in done.stdout.splitlines()[1:]] == [
        ['10.0.0.7:50123', SERVICE, 'tcp', '2h05m+', '15m02s', 'suspect'],
        ['[2001:db8:1234:5678:abcd::1]:50123', SERVICE, 'tcp', '1m05s', '-'],
        ['10.0.0.7:50123', SERVICE, 'tcp', '5s', '-']]
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_peer_cannot_write_on_the_terminal(pool, server):
    done = show_sessions(pool, server, sessions(listed(peer='\x1b[2J')))
    assert done.returncode == 0 and '\x1b' not in done.stdout


def test_the_limit_is_asked_for(pool, server):
    assert show_sessions(pool, server, sessions(), '--limit', '7').returncode == 0
    [(query, _)] = server.asked('GET', f'/v1/services/{SERVICE}/sessions')
    assert query == {'limit': '7'}


def source(kind, count, **fields):
    return {'kind': kind, 'name': None, 'known': count is not None, 'count': count,
            'error': None if count is not None else 'it is gone', 'ignore_unknown': False,
            'unknown_since': None if count is not None else '2026-05-01T07:30:00Z',
            'sampled_at': '2026-05-01T08:29:57.900Z'} | fields


def test_the_sources_of_a_count_are_told_under_the_table(pool, server):
    done = show_sessions(pool, server, sessions(
        count=2, whole=False, sources=[
            source('tcp', 0), source('http', 0, name='users'), source('command', 2),
            source('counter', None, name='\\A\\B', ignore_unknown=True),
            source('rds', None, unknown_since='2026-04-30T22:00:00Z')]))
    assert done.returncode == 0, done
    assert done.stdout.splitlines()[1:] == [
        f'{SERVICE}: tcp: counted 0, 2s ago', f'{SERVICE}: http users: counted 0, 2s ago',
        f'{SERVICE}: command: counted 2, 2s ago',
        f'{SERVICE}: counter \\A\\B: unknown since 07:30Z: it is gone (ignored)',
        f'{SERVICE}: rds: unknown since 2026-04-30 22:00Z: it is gone']
    assert '0 of 2 sessions are listed (some sources only count' in done.stderr
    for form in ('json', 'jsonl'):
        assert 'ago' not in pool.poolctl('sessions', 'frontend01', '-o', form).stdout


@pytest.mark.parametrize('kind, count, told', [
    ('tcp', 1, 0), ('rds', 1, 0), ('tcp', None, 1), ('counter', 1, 1), ('http', 1, 1)])
def test_a_source_that_lists_all_it_counts_needs_no_line(pool, server, kind, count, told):
    done = show_sessions(pool, server, sessions(listed(), sources=[source(kind, count)]))
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2 + told), done


@pytest.mark.parametrize('limit, count, words', [
    ('2', 7, '2 of 7 sessions are listed (see --limit)'),
    ('9', 7, '2 of 7 sessions are listed (some sources only count)'),
    ('9', 1, '2 of 1 sessions are listed (two sources may list the same session)')])
@pytest.mark.parametrize('kind', ['http', 'rds'])
def test_why_a_list_is_short_is_told(pool, server, limit, count, words, kind):
    done = show_sessions(pool, server, sessions(
        listed(), listed(), count=count, whole=False,
        sources=[source('tcp', 2), source(kind, count)]), '--limit', limit)
    assert done.returncode == 0 and words in done.stderr, done


def test_a_service_that_fails_hides_no_other(pool, server):
    both = view('frontend01')
    both['services'].append(both['services'][0] | {'name': 'OTHER'})
    server.replies |= {'GET /v1/server': both,
                       'GET /v1/services/OTHER/sessions': sessions(listed(), service='OTHER')}
    for output in ('table', 'json', 'jsonl'):
        done = pool.poolctl('sessions', 'frontend01', '-o', output)
        assert done.returncode == 2 and '10.0.0.7' in done.stdout, done
        assert f'frontend01: {SERVICE}: Nothing lives at this path' in done.stderr
    server.replies[f'GET /v1/services/{SERVICE}/sessions'] = sessions(
        known=False, count=None, error='gone', whole=False)
    del server.replies['GET /v1/services/OTHER/sessions']
    done = pool.poolctl('sessions', 'frontend01')
    assert done.returncode == 2 and f'{SERVICE}: the number of sessions is unknown' in done.stderr


@pytest.mark.parametrize('wrong', [
    7, [7], [source(7, 1)], [source('tcp', -1)], [source('tcp', 'x')],
    [source('tcp', None, error=None)], [source('tcp', 1, name=7)],
    [source('tcp', 1, sampled_at='now')], [source('tcp', None, unknown_since='then')],
    [source('tcp', 1, ignore_unknown=None)], [source('tcp', 1, known=None)]])
def test_a_bad_list_of_sources_is_refused(pool, server, wrong):
    done = show_sessions(pool, server, sessions(sources=wrong))
    assert (done.returncode, done.stdout) == (1, '') and 'list of sessions' in done.stderr


@pytest.mark.parametrize('reply', [
    {}, [], sessions(service='OTHER'), sessions(known=None), sessions(known=False),
    sessions(sessions=None), sessions(count=None), sessions(count=-1), sessions(whole=None),
    sessions([]), sessions(listed(peer=7)), sessions(listed(peer_port=65536)),
    sessions(listed(age_s=-1)), sessions(listed(age_s=2**31)), sessions(listed(age_s='1')),
    sessions(listed(age_is_least=None)), sessions(listed(idle_s='1')), sessions(listed(idle_s=-1)),
    sessions(listed(suspect=0)),
])
@pytest.mark.parametrize('output', ['table', 'json', 'jsonl'])
def test_a_bad_list_of_sessions_is_refused(pool, server, reply, output):
    done = show_sessions(pool, server, reply, '-o', output)
    assert (done.returncode, done.stdout) == (1, '') and 'list of sessions' in done.stderr


def test_sessions_of_another_server_are_refused(pool, server):
    server.replies['GET /v1/server'] = view('frontend09')
    done = pool.poolctl('sessions', 'frontend01')
    assert (done.returncode, done.stdout) == (3, '') and 'frontend09' in done.stderr


# ---- what programs are given ----

@pytest.mark.parametrize('args', [
    ['status'], ['drain', 'frontend01', '--id', 'kb1'], ['check', 'frontend01'],
    ['drain', 'frontend01', '--dry-run'], ['events', 'frontend01', '--verify'],
    ['wait', 'frontend01', '--for', 'drained']])
@pytest.mark.parametrize('is_up', [True, False])
def test_all_that_is_printed_for_programs_is_documented(pool, server, args, is_up):
    keep(server, record(2))
    is_drained(server)
    server.replies['GET /v1/preflight'] = preflight('frontend01', True)
    if not is_up:
        server.close()
        args = [*args, '--timeout', '1s'] if args[0] == 'wait' else args
    text = (ROOT / 'docs/output.md').read_text()
    section = re.search(rf'^## [a-z, ]*{args[0]}\b.*?(?=^## |\Z)', text, re.M | re.S)[0]
    lines = pool.poolctl(*args, '-o', 'jsonl').stdout.splitlines()
    assert lines
    for line in lines:
        for key in json.loads(line):
            assert f'`{key}`' in section, (key, section)
