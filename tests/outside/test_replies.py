"""Cases B and G: what servers, proxies and networks say, and what poolctl makes of it."""

import contextlib
import datetime
import email.utils
import json
import os
import re
import signal
import subprocess
import threading
import time

import pytest

from canned import RESERVATION, CannedPool, drain, message, preflight, record, view
from pool import SERVICE
from sessions import wait_until

BAD_GATEWAY = (b'HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n'
               b'Content-Length: 20\r\n\r\n<html>no pool</html>')
OUT = drain(drained_at='2026-05-01T08:29:00Z')


def html(status, body=b'<html>log in</html>'):
    return (f'HTTP/1.1 {status}\r\nContent-Type: text/html\r\n'
            f'Content-Length: {len(body)}\r\n\r\n').encode() + body


@pytest.fixture
def make_canned(tmp_path):
    with contextlib.ExitStack() as made:
        def make(count=1):
            pool = CannedPool(tmp_path, count)
            made.callback(pool.close)
            for server in pool.servers:
                server.replies['GET /v1/server'] = view(server.name)
            return pool
        yield make


@pytest.fixture
def canned(make_canned):
    return make_canned()


@pytest.fixture
def first(canned):
    return canned.servers[0]


def once(bad, good):
    """The bad reply at first, then the good one."""
    rest = [bad]
    return lambda query: rest.pop() if rest else good(query) if callable(good) else good


# ---- B3: a reply never makes a result ----

def refusal(status, **fields):
    return status, {'title': 'Held by another', 'detail': 'no'} | fields


COMMANDS = [('drain', 'frontend01', '--id', 'kb1'), ('resume', 'frontend01', '--id', 'kb1'),
            ('wait', 'frontend01', '--for', 'drained'), ('status', 'frontend01'),
            ('check', 'frontend01'), ('check',), ('sessions', 'frontend01'),
            ('events', 'frontend01'), ('events', 'frontend01', '--verify'),
            ('drain', 'frontend01', '--dry-run')]


@pytest.mark.case('B3')
@pytest.mark.parametrize('args', COMMANDS)
def test_a_problem_is_never_a_result(canned, first, args):
    first.replies['GET /v1/server'] = refusal(409, exit_code=7)
    first.replies['GET /v1/preflight'] = refusal(409, exit_code=7)
    done = canned.poolctl(*args)
    assert 0 < done.returncode < 7 and 'drained (' not in done.stdout


@pytest.mark.brother('B3')
@pytest.mark.parametrize('path, problem', [
    ('RESERVE', refusal(409, exit_code=6)), ('RESERVE', refusal(409, code='timeout', exit_code=8)),
    ('PUT', refusal(409, exit_code=7)), ('PUT', refusal(400, code='none', exit_code=0)),
    ('PUT', refusal(409, code='interrupted', exit_code=130)),
    ('PUT', refusal(404, code='unreachable', exit_code=0))])
def test_a_refused_drain_is_never_a_result(canned, first, path, problem):
    first.replies[f'{path} /v1/drains/kb1'] = problem
    assert canned.poolctl('drain', 'frontend01', '--id', 'kb1').returncode in (1, 3)


@pytest.mark.brother('B3')
def test_the_end_of_a_drain_is_believed_only_with_its_status(canned, first):
    first.replies |= {'GET /v1/server': view('frontend01', 'drained', [OUT]),
                      'DELETE /v1/drains/kb1': refusal(400, code='unknown_drain', exit_code=2)}
    assert canned.poolctl('resume', 'frontend01', '--id', 'kb1', '--owner', 'alice@desk').returncode == 2
    assert len(first.asked('DELETE', '/v1/drains/kb1')) == 1


@pytest.mark.brother('B1')
@pytest.mark.parametrize('status', [400, 401, 404, 429])
def test_a_stranger_that_answers_the_commit_does_not_know_what_was_changed(canned, first, status):
    canned.servers[0].replies |= {
        'GET /v1/server': view('frontend01'), 'GET /v1/preflight': preflight('frontend01'),
        'PUT /v1/drains/kb1': (f'HTTP/1.1 {status} No\r\nContent-Type: text/html\r\n'
                               'Content-Length: 15\r\n\r\n<html>no</html>').encode()}
    done = canned.poolctl('drain', 'frontend01', '--id', 'kb1', '--owner', 'alice@desk',
                          '--timeout', '3s')
    assert done.returncode in (1, 3)
    assert 'nothing was changed' not in done.stderr


# ---- B2: the same name in another pool ----

@pytest.mark.case('B2')
@pytest.mark.parametrize('args', COMMANDS + [('events', 'frontend01', '--follow')])
def test_a_server_of_another_pool_is_not_ours(canned, first, args):
    first.replies |= {'GET /v1/server': view('frontend01', 'drained', [OUT]) | {'pool': 'staging'},
                      'GET /v1/preflight': preflight('frontend01') | {'pool': 'staging'}}
    done = canned.poolctl(*args)
    assert done.returncode == 3, done
    assert 'it is frontend01 of pool staging that answers there' in done.stdout + done.stderr


@pytest.mark.brother('B2')
def test_names_in_another_case_are_ours(canned, first):
    first.replies['GET /v1/server'] = view('FRONTEND01', 'drained', [OUT]) | {'pool': 'FE-POOL01'}
    assert canned.poolctl('wait', 'frontend01', '--for', 'drained').returncode == 0


@pytest.mark.brother('B2')
def test_poold_says_its_pool_everywhere(server):
    assert server.document()['pool'] == server.get('/v1/preflight')[1]['pool'] == 'fe-pool01'


# ---- G1, C10: poold and poolctl read another pool.yaml ----

def change(pool, old, new):
    text = pool.file.read_text()
    assert old in text
    pool.file.write_text(text.replace(old, new))


SERVICES = [('ports: [', 'ports: [1, ', f'service {SERVICE}: ports'),
            ('settle: 200ms', 'settle: 300ms', f'service {SERVICE}: settle'),
            (f'{SERVICE}:\n', f'NEW: {{ports: [7001]}}\n      {SERVICE}:\n', 'service NEW: '),
            (f'{SERVICE}:\n', 'Other:\n', 'service Other: '),
            ('      RTCSRV:', '      NEW: {ports: [1]}\n      RTCSRV:\n        role: leave',
             f'service {SERVICE}: role'),
            ('ports: [', 'http: [{url: "http://h/"}]\n        ports: [',
             f'service {SERVICE}: sources'),
            ('ports: [', 'probe: {port: 7}\n        ports: [', f'service {SERVICE}: probe')]


@pytest.mark.case('G1')
def test_another_pool_yaml_is_never_verified(pool, server):
    change(pool, *SERVICES[0][:2])
    for args, status in ((('drain', 'frontend01'), 4), (('check',), 4),
                         (('drain', 'frontend01', '--dry-run'), 4),
                         (('wait', 'frontend01', '--for', 'serving'), 9)):
        done = pool.poolctl(*args)
        assert done.returncode == status and SERVICES[0][2] in done.stdout + done.stderr, done
        assert 'restart poold there, or use the same pool.yaml' in done.stdout + done.stderr
    assert server.document()['drains'] == []


@pytest.mark.case('G1')
def test_what_differs_in_the_services_is_named(pool):
    plain = pool.file.read_text()
    for old, new, difference in SERVICES:
        change(pool, old, new)
        done = pool.poolctl('check', 'frontend01')
        assert done.returncode == 4 and difference in done.stderr, done
        pool.file.write_text(plain)


@pytest.mark.brother('G1')
def test_a_resume_puts_back_what_it_can(pool, server):
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    change(pool, 'settle: 200ms', 'settle: 300ms')
    done = pool.poolctl('resume', 'frontend01')
    assert done.returncode == 9 and f'service {SERVICE}: settle' in done.stderr
    assert server.document()['phase'] == 'serving'
    status = pool.poolctl('status', 'frontend01')
    assert f'another pool.yaml (service {SERVICE}: settle)' in status.stdout


@pytest.mark.brother('G1')
def test_a_poold_without_a_digest_must_name_every_service(canned):
    change(canned, f'{SERVICE}:', f'NEW: {{ports: [1]}}, {SERVICE}:')
    done = canned.poolctl('wait', 'frontend01', '--for', 'serving')
    assert done.returncode == 9 and 'service NEW' in done.stderr


@pytest.mark.case('C10')
def test_copies_that_differ_in_the_pool_are_told(pool):
    plain, server = pool.file.read_text(), '      frontend09: {address: 127.0.1.9}\n'
    for old, new, difference in (
            ('floor: 0', 'floor: 1', 'floor'),
            ('    servers:\n', f'    servers:\n{server}', 'members'),
            ('max_out: 1}\n    servers:\n', f'max_out: 2}}\n    servers:\n{server}',
             'members, max_out')):
        change(pool, old, new)
        told = f'frontend01: its poold has another pool.yaml ({difference}): restart poold'
        done = pool.poolctl('wait', 'frontend01', '--for', 'serving')
        assert done.returncode == 0 and told in done.stderr
        pool.file.write_text(plain)


@pytest.mark.brother('C10')
@pytest.mark.parametrize('args', [('check', 'frontend01'), ('check',), ('status',)])
def test_every_command_tells_it(pool, args):
    change(pool, 'floor: 0', 'floor: 1')
    done = pool.poolctl(*args)
    assert done.returncode in (0, 4)  # it is the last one
    assert 'another pool.yaml (floor)' in done.stdout + done.stderr


@pytest.mark.brother('C10')
def test_the_same_pool_in_another_order_is_the_same(make_pool):
    pool = make_pool(count=2)
    lines = pool.file.read_text().split('    servers:\n')
    servers = re.findall(r' {6}frontend.*\n(?: {8}.*\n)+', lines[1])
    pool.file.write_text(lines[0] + '    servers:\n' + ''.join(reversed(servers)))
    done = pool.poolctl('check')
    assert done.returncode == 0 and 'pool.yaml' not in done.stderr


# ---- G2: only a reply of now concludes ----

@pytest.mark.case('G2')
def test_a_stopped_poolctl_concludes_nothing_of_what_was(make_pool):
    pool = make_pool(settle='1s')
    server = pool.servers[0]
    assert pool.poolctl('drain', 'frontend01', '--no-wait').returncode == 0
    waits = pool.start_poolctl('wait', 'frontend01', '--for', 'drained', '--timeout', '2s')
    time.sleep(0.4)
    waits.process.send_signal(signal.SIGSTOP)
    server.wait_phase('drained')
    assert pool.poolctl('resume', 'frontend01').returncode == 0
    with server.session(), server.session():
        waits.process.send_signal(signal.SIGCONT)
        assert waits.wait() == 6


@pytest.mark.brother('G2')
def test_what_was_waited_for_is_asked_again(canned, first):
    first.replies['GET /v1/server'] = lambda query: (
        view('frontend01', 'drained', [OUT]) if 'wait' in query else view('frontend01'))
    done = canned.poolctl('wait', 'frontend01', '--for', 'drained', '--timeout', '1s')
    assert done.returncode == 6, done
    assert [query for query, _ in first.asked('GET', '/v1/server') if 'wait' not in query][1:]


# ---- B1: a proxy's word passes ----

@pytest.mark.case('B1')
@pytest.mark.parametrize('status', ['502 Bad Gateway', '503 Unavailable', '504 Timeout'])
def test_wait_goes_on_after_a_proxy_spoke_once(canned, first, status):
    first.replies['GET /v1/server'] = once(html(status), view('frontend01'))
    assert canned.poolctl('wait', 'frontend01', '--for', 'serving').returncode == 0


@pytest.mark.case('B1')
@pytest.mark.parametrize('request_line', ['GET /v1/preflight', 'PUT /v1/drains/kb1',
                                          'RESERVE /v1/drains/kb1', 'member'])
def test_a_drain_goes_on_after_a_proxy_spoke_once(make_canned, request_line):
    canned = make_canned(2)
    first, second = canned.servers

    def accept(_):
        first.replies['GET /v1/server'] = view('frontend01', 'drained', [OUT])
        return OUT
    first.replies['PUT /v1/drains/kb1'] = accept
    if request_line == 'member':
        second.replies['GET /v1/server'] = once(BAD_GATEWAY, view('frontend02'))
    else:
        first.replies[request_line] = once(BAD_GATEWAY, first.replies.get(
            request_line, {'reservation': RESERVATION}))
    done = canned.poolctl('drain', 'frontend01', '--id', 'kb1', '--reason', 'patch',
                          '--owner', 'alice@desk', '--force=clocks', '--confirm', 'fe-pool01')
    assert done.returncode == 0, done


@pytest.mark.brother('B1')
def test_a_resume_goes_on_after_a_proxy_spoke_once(canned, first):
    def end(_):
        first.replies['GET /v1/server'] = view('frontend01')
        return OUT
    first.replies |= {'GET /v1/server': view('frontend01', 'drained', [OUT]),
                      'DELETE /v1/drains/kb1': once(BAD_GATEWAY, end)}
    assert canned.poolctl('resume', 'frontend01', '--id', 'kb1', '--owner', 'alice@desk').returncode == 0


@pytest.mark.brother('B1')
def test_a_proxy_that_goes_on_is_an_unreachable_server(canned, first):
    first.replies['GET /v1/server'] = BAD_GATEWAY
    done = canned.poolctl('resume', 'frontend01')
    assert done.returncode == 3 and 'a proxy replied with HTTP status 502' in done.stderr


# ---- B4: not authorised ----

@pytest.mark.case('B4')
@pytest.mark.parametrize('args, status', [*[(args, '401 Unauthorized') for args in COMMANDS], *[
    (('status',), status) for status in ('403 Forbidden', '407 Proxy', '302 Found', '200 OK')]])
def test_a_login_page_is_not_authorised(canned, first, args, status):
    first.replies |= {'GET /v1/server': html(status), 'GET /v1/preflight': html(status)}
    done = canned.poolctl(*args)
    assert done.returncode == 3 and 'not authorised' in done.stdout + done.stderr, done


# ---- B5: credentials are never shown ----

@pytest.mark.case('B5')
@pytest.mark.parametrize('args', COMMANDS + [('config', 'show'), ('config', 'show', '-o', 'json'),
                                             ('status', '-o', 'json'), ('config', 'check')])
def test_credentials_in_a_url_are_never_shown(canned, first, args):
    first.close()
    args += ('--timeout', '0.5s') if args[0] == 'wait' else ()
    change(canned, 'url: "http://', 'url: "http://admin:S3cret@')
    change(canned, 'ports: [7000]', 'ports: [7000], behind_balancer: [80]')
    done = canned.poolctl(*args)
    assert 'S3cret' not in done.stdout + done.stderr and 'admin' not in done.stdout + done.stderr


@pytest.mark.brother('B5')
@pytest.mark.parametrize('old, new', [
    ('http://', 'ftp://admin:S3cret@'), ('http://', 'admin:S3cret@'),
    ('ports: [7000]', 'http: [{url: "ftp://admin:S3cret@h"}]')])
def test_credentials_in_a_wrong_url_are_never_shown(canned, old, new):
    change(canned, old, new)
    done = canned.poolctl('status')
    assert done.returncode == 2 and 'S3cret' not in done.stdout + done.stderr


# ---- B10: hints that a balancer can follow ----

@pytest.mark.case('B10')
@pytest.mark.parametrize('url', ['http://127.0.0.1:8651', 'http://localhost:8651', 'http://[::1]:1',
                                 'http://127.0.0.1'])
def test_a_balancer_is_not_told_to_probe_itself(canned, url):
    text = canned.file.read_text().replace('ports: [7000]', 'ports: [7000], behind_balancer: [80]')
    canned.file.write_text(re.sub(r'address: .*?}', f'address: 192.0.2.1, url: "{url}"}}', text))
    done = canned.poolctl('check', 'frontend01', '-o', 'json')
    assert json.loads(done.stdout)[0]['behind_balancer'][0]['readyz'] is None


# ---- B6: limits hold whatever a resolver does ----

@pytest.fixture
def silent_resolver(tmp_path):
    """An environment in which the system's resolver never answers for a name."""
    source, library = tmp_path / 'silent.c', tmp_path / 'silent.so'
    source.write_text('#include <unistd.h>\nint getaddrinfo(void) { sleep(20); return -2; }\n')
    subprocess.run(['cc', '-shared', '-fPIC', '-fno-builtin', '-w', '-o', library, source],
                   check=True)
    return os.environ | {'LD_PRELOAD': str(library),
                         'ASAN_OPTIONS': 'verify_asan_link_order=0:detect_leaks=0'}


@pytest.mark.case('B6')
@pytest.mark.parametrize('args', [('drain', 'frontend01'),
                                  ('wait', 'frontend01', '--for', 'serving')])
def test_a_silent_resolver_holds_up_nobody(make_canned, silent_resolver, args):
    canned = make_canned(2)
    change(canned, 'http://127.0.1.1:', 'http://silent.example:')
    began = time.monotonic()
    done = canned.poolctl(*args, '--timeout', '1s', env=silent_resolver)
    assert done.returncode == 3 and time.monotonic() - began < 5


# ---- B11: --watch is bounded ----

@pytest.mark.case('B11')
def test_watch_asks_a_hundred_servers_at_once(make_canned):
    canned = make_canned(1)
    canned.servers[0].server.socket.listen(1024)
    canned.servers[0].server.handle_error = lambda *_: None  # those that were left
    lock, busy, most = threading.Lock(), [], []

    def answer(_):
        with lock:
            busy.append(1)
            most.append(len(busy))
        time.sleep(0.2)
        with lock:
            busy.pop()
        return view('frontend01')
    canned.servers[0].replies |= {f'GET /s{i}/v1/server': answer for i in range(1, 301)}
    canned.file.write_text(
        'pools:\n  p:\n    availability: {floor: 1}\n    services: {S: {ports: [1]}}\n    servers:\n'
        + ''.join(f'      fe{i}: {{address: 127.1.{i // 200}.{i % 200}, '
                  f'url: "http://127.0.1.1:{canned.servers[0].port}/s{i}"}}\n'
                  for i in range(1, 301)))
    watch = canned.start_poolctl('status', '--watch', '-o', 'jsonl')
    wait_until(lambda: len(most) >= 300, 'all are asked')
    watch.process.send_signal(signal.SIGINT)
    watch.wait()
    assert 50 < max(most) <= 100


# ---- G6: information never hinders ----

ODD = {'eta_s': 1e9 * 60, 'eta_90_s': 2 ** 40, 'eta_basis': 7, 'peak': -1, 'ended': 1.5,
       'rate_per_min': 'x', 'eta_unknown': {}}


@pytest.mark.case('G6')
@pytest.mark.parametrize('field', ODD)
def test_an_estimate_that_cannot_be_read_is_unknown(canned, first, field):
    document = view('frontend01', 'draining', [OUT], sessions=3)
    document['progress'][field] = ODD[field]
    first.replies['GET /v1/server'] = document
    assert canned.poolctl('status').returncode == 0
    first.replies['GET /v1/server'] = once(document, view('frontend01', 'drained', [OUT]))
    assert canned.poolctl('wait', 'frontend01', '--for', 'drained').returncode == 0


@pytest.mark.brother('G6')
@pytest.mark.parametrize('sources', [7, [7], [{}], [{'kind': 1, 'known': 'no'}], {'kind': 'tcp'}])
def test_odd_session_sources_do_not_hinder(canned, first, sources):
    document = view('frontend01', 'drained', [OUT])
    document['services'][0]['sessions'] = {'known': False, 'sources': sources}
    first.replies['GET /v1/server'] = document
    assert canned.poolctl('status').returncode == 0
    assert canned.poolctl('wait', 'frontend01', '--for', 'drained').returncode == 0


@pytest.mark.brother('G6')
def test_an_estimate_of_a_preflight_has_no_bound(canned, first):
    first.replies['GET /v1/preflight'] = preflight('frontend01') | {'forecast': {
        'known': True, 'half_s': 2 ** 40, 'nine_tenths_s': 2 ** 41, 'deadline_s': None,
        'chance': None, 'reason': None}}
    assert canned.poolctl('check', 'frontend01').returncode == 0


# ---- G10: clocks that are set ----

@pytest.mark.case('G10')
def test_a_clock_that_is_set_makes_no_drain_longer(canned, first):
    later = view('frontend01', 'drained', [OUT]) | {'time': '2026-05-01T10:30:00Z', 'index': 2}
    first.replies |= {'GET /v1/server': once(view('frontend01', 'draining', [OUT], 3), later),
                      'PUT /v1/drains/kb1': OUT}
    done = canned.poolctl('drain', 'frontend01', '--id', 'kb1', '--owner', 'alice@desk')
    assert done.returncode == 0 and re.search(r'0 cut, 30m0\ds\)', done.stdout), done


@pytest.mark.brother('G10')
def test_a_deadline_is_told_by_the_time_that_is_left(canned, first):
    late = drain(deadline_at='2026-05-01T08:10:00Z', deadline_in_s=1500)
    first.replies['GET /v1/server'] = view('frontend01', 'draining', [late], sessions=3)
    assert 'deadline 08:55Z in 25m' in canned.poolctl('status').stdout


@pytest.mark.brother('G10')
def test_poold_says_how_long_it_is_to_the_deadline(pool, server):
    with server.session():
        assert pool.poolctl('drain', 'frontend01', '--no-wait', '--deadline', '1h').returncode == 0
        assert 3590 < server.document()['drains'][0]['deadline_in_s'] <= 3600


# ---- G12: the clock of the reply ----

def dated(document, seconds_ago):
    """The view of a look some time ago, replied to now."""
    at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds_ago)
    return document | {'time': at.strftime('%Y-%m-%dT%H:%M:%SZ')}


@pytest.mark.case('G12')
def test_an_old_look_is_not_a_wrong_clock(canned, first):
    first.now = time.time()
    first.replies['GET /v1/server'] = dated(view('frontend01'), 14)
    told = json.loads(canned.poolctl('check', '-o', 'json').stdout)['pools'][0]['servers'][0]
    assert abs(told['clock_ahead_ms']) < 2000


@pytest.mark.brother('G12')
def test_a_reply_of_poold_has_its_own_time(server):
    date = email.utils.parsedate_to_datetime(server.request('GET', '/v1/server')[1]['Date'])
    assert abs(time.time() - date.timestamp()) < 3


@pytest.mark.brother('G12')
def test_a_wrong_clock_is_one_all_the_same(canned, first):
    first.replies['GET /v1/server'] = dated(view('frontend01'), 90)
    told = json.loads(canned.poolctl('check', '-o', 'json').stdout)['pools'][0]['servers'][0]
    assert told['clock_ahead_ms'] < -80000


# ---- G13: small ones ----

@pytest.mark.case('G13')
def test_a_head_that_proves_nothing_is_refused(canned):
    done = canned.poolctl('events', 'frontend01', '--verify', '--head', '0' * 64)
    assert done.returncode == 2 and 'prove nothing' in done.stderr


@pytest.mark.case('G13')
@pytest.mark.parametrize('args', [(), ('--verify',), ('--follow',), ('--follow', '--after', '1')])
def test_an_event_id_that_is_too_large_is_refused(canned, first, args):
    event = record(1)[0] | {'id': 2 ** 63 - 1}
    first.replies['GET /v1/events'] = {'events': [event], 'last': 2 ** 63 - 1}
    first.replies['STREAM /v1/events'] = lambda after: [message(event)]
    done = canned.poolctl('events', 'frontend01', *args)
    assert done.returncode == 1 and 'is not a whole number from 0 to 9007199254740991' in done.stderr


@pytest.mark.brother('G13')
def test_a_count_that_is_too_large_is_refused(canned, first):
    first.replies['GET /v1/server'] = view('frontend01', sessions=2 ** 63 - 1)
    assert "'sessions' is not a whole number" in canned.poolctl('status').stdout


@pytest.mark.case('G13')
@pytest.mark.parametrize('old, new, reason', [
    ('frontend01:', 'a' * 255 + ':', 'has 255 characters; expected up to 64'),
    ('    servers:', '    floors: [{servers: 3, functional: 2, of_first: 1}]\n    servers:',
     "'of_first'")])
def test_a_mistake_is_told_as_it_is(canned, old, new, reason):
    change(canned, old, new)
    done = canned.poolctl('config', 'check')
    assert done.returncode == 2 and reason in done.stdout + done.stderr


@pytest.mark.case('G13')
def test_many_services_are_told_in_short(canned, first):
    names = [f'SERVICE{i:02}' for i in range(64)]
    change(canned, f'{SERVICE}: {{ports: [7000], after_resume: none}}', ', '.join(
        f'{name}: {{ports: [1], after_resume: none}}' for name in names))
    document = view('frontend01')
    document['services'] = [document['services'][0] | {'name': name} for name in names]
    first.replies['GET /v1/server'] = document
    done = canned.poolctl('resume', 'frontend01')
    assert ' and 59 more' in done.stdout + done.stderr and len(done.stdout + done.stderr) < 1500


# ---- F24: times ----

@pytest.mark.case('F24')
@pytest.mark.parametrize('zone, created, seen', [
    ('Europe/Berlin', '2026-04-30 00:56', '2026-05-01T10:30:00.000+02:00'),
    ('America/St_Johns', '2026-04-29 20:26', '2026-05-01T06:00:00.000-02:30')])
def test_times_are_local_if_asked_for(canned, first, zone, created, seen):
    held = view('frontend01', 'drained', [drain(created_at='2026-04-29T22:56:00Z')])
    first.replies |= {'GET /v1/server': held, 'GET /v1/preflight': preflight('frontend01'),
                      'GET /v1/events': {'events': record(1), 'last': 1}}
    environment = os.environ | {'TZ': zone}

    def say(*args):
        return canned.poolctl(*args, env=environment).stdout
    assert 'since 2026-04-29 22:56Z' in say('check', 'fe-pool01')
    assert f'since {created}' in say('check', 'fe-pool01', '--local')
    assert '2026-05-01T08:30:00.000Z' in say('events', 'frontend01')
    assert seen in say('events', 'frontend01', '--local')
    assert '2026-05-01T08:30:00.000Z' in say('events', 'frontend01', '--local', '-o', 'json')


# ---- B3: a reply that contradicts itself proves nothing ----

def held(drains=(OUT,), server_phase='drained', sources=None, **fields):
    """A server whose one service is as poold would say it, but for what is changed."""
    document = view('frontend01', server_phase, drains)
    service = document['services'][0]
    service['observed'] = {'state': 'paused' if drains else 'running'}
    if sources is not None:
        service['sessions']['sources'] = sources
    for name, value in fields.items():
        service[name] = service[name] | value if name == 'sessions' else value
    return document


def source(count, known=True):
    return {'kind': 'tcp', 'name': None, 'known': known, 'count': count, 'error': None if known else 'no',
            'unknown_since': None, 'ignore_unknown': not known}


@pytest.mark.brother('B3')
@pytest.mark.parametrize('document, words', [
    *[(held(observed={'state': state}), f'is drained, and its state is {state}') for state in (
        'running', 'start_pending', 'continue_pending', 'pause_pending', 'stop_pending', 'missing',
        'unknown')],
    (held(sessions={'known': True, 'count': 3}), "is drained, and its 'count' is 3"),
    (held(sources=[source(0), source(3)]), 'is drained, and its source tcp counts 3 sessions'),
    (held(wanted='serving'), 'is drained, and it is wanted serving'),
    (held((OUT,), 'draining', observed={'state': 'running'}),
     'drain kb1 is out, and its service RTCSRV is running')])
@pytest.mark.parametrize('goal', ['wait', 'drain', 'service', 'no-wait', 'status'])
def test_a_view_that_contradicts_itself_is_no_proof(canned, first, document, words, goal):
    first.replies |= {'GET /v1/server': document, 'PUT /v1/drains/kb1': OUT}
    done = canned.poolctl(*{
        'wait': ('wait', 'frontend01', '--for', 'drained'),
        'service': ('wait', 'frontend01', '--for', 'drained', '--service', SERVICE),
        'drain': ('drain', 'frontend01', '--id', 'kb1', '--owner', 'alice@desk'),
        'no-wait': ('drain', 'frontend01', '--id', 'kb1', '--owner', 'alice@desk', '--no-wait'),
        'status': ('status', 'frontend01')}[goal])
    assert goal == 'status' or done.returncode not in (0, 7)
    assert words in done.stdout + done.stderr, done


@pytest.mark.brother('B3')
@pytest.mark.parametrize('document, words', [
    *[(held((), 'serving', observed={'state': state}), f'is serving, and its state is {state}')
      for state in ('paused', 'stopped', 'start_pending', 'missing')],
    (held((), 'serving', phase='draining'), "'phase' is serving, and that of service RTCSRV is not")])
@pytest.mark.parametrize('args', [('wait', 'frontend01', '--for', 'serving'), ('check', ),
                                  ('resume', 'frontend01')])
def test_nor_is_one_of_a_server_that_serves(canned, first, document, words, args):
    first.replies['GET /v1/server'] = document
    done = canned.poolctl(*args)
    assert done.returncode != 0 and words in done.stdout + done.stderr, done


@pytest.mark.brother('B3')
@pytest.mark.parametrize('document, status', [
    (held(), 0), (held(observed={'state': 'stopped'}), 0), (held(observed={'state': 'absent'}), 0),
    (held(observed={'state': 'absent'}, sources=[source(3)]), 0),  # of another service's port
    (held(observed={'state': 'hibernated'}), 0), (held(observed={}), 0),
    (held(sources=[source(0), source(None, known=False)]), 0),
    (held(sessions={'known': False, 'count': None}), 0),
    (held(observed={'state': 'stopped'}, sessions={'known': True, 'count': 0, 'cut': 4}), 7)])
def test_what_is_no_contradiction_is_believed(canned, first, document, status):
    first.replies['GET /v1/server'] = document
    assert canned.poolctl('wait', 'frontend01', '--for', 'drained').returncode == status


@pytest.mark.brother('B3')
def test_a_service_that_need_not_be_there_contradicts_nothing(canned, first):
    """The drain does not cover it, so it is wanted serving, and nobody waits for that."""
    document = held()
    document['services'].append({
        'name': 'OTHER', 'phase': 'serving', 'wanted': 'serving', 'message': 'not installed',
        'saved': None, 'observed': {'state': 'absent'}, 'sessions': {'known': True, 'count': 0}})
    first.replies['GET /v1/server'] = document
    done = canned.poolctl('wait', 'frontend01', '--for', 'drained', '--service', SERVICE)
    assert done.returncode == 0, done


# ---- G2: what a cache kept ----

@pytest.mark.brother('G2')
@pytest.mark.parametrize('args', [('wait', 'frontend01', '--for', 'drained', '--timeout', '2s'),
                                  ('resume', 'frontend01'), ('check',), ('sessions', 'frontend01'),
                                  ('events', 'frontend01'), ('drain', 'frontend01', '--dry-run')])
def test_what_a_cache_kept_is_no_proof(canned, first, args):
    first.headers['Age'] = '300'
    first.replies['GET /v1/server'] = held(
        *(((OUT,), 'drained') if args[0] == 'wait' else ((), 'serving')))
    done = canned.poolctl(*args)
    assert done.returncode != 0 and 'kept this reply for 300 s' in done.stdout + done.stderr, done


@pytest.mark.brother('G2')
@pytest.mark.parametrize('args, document', [
    (('wait', 'frontend01', '--for', 'drained', '--timeout', '2s'), held()),
    (('resume', 'frontend01'), held((), 'serving'))])
def test_a_view_that_is_older_than_its_reply_is_no_proof(canned, first, args, document):
    first.now = datetime.datetime(2026, 5, 1, 8, 50, tzinfo=datetime.timezone.utc).timestamp()
    first.replies['GET /v1/server'] = document
    done = canned.poolctl(*args)
    assert done.returncode != 0 and "'time' is 1200 s before" in done.stdout + done.stderr, done


@pytest.mark.brother('G2')
def test_a_cache_that_kept_it_once_ends_no_wait(canned, first):
    def answer(_):
        if len(first.asked('GET', '/v1/server')) > 2:
            first.headers.clear()
        return held()
    first.headers['Age'] = '9'
    first.replies['GET /v1/server'] = answer
    assert canned.poolctl('wait', 'frontend01', '--for', 'drained').returncode == 0


@pytest.mark.brother('G2')
@pytest.mark.parametrize('age', ['0', '', 'x', '-5'])
def test_what_is_no_age_is_none(canned, first, age):
    first.headers['Age'] = age
    first.replies['GET /v1/server'] = held()
    assert canned.poolctl('wait', 'frontend01', '--for', 'drained').returncode == 0
