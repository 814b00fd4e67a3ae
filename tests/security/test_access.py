"""Tokens, owners and roles, failed attempts, and the credential of the administrators."""

import contextlib
import hashlib
import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest

from pool import LOCAL, POOLCTL, Poolctl, check_problem
from sessions import wait_until
from simulated import POOLD
from watching import Stream

GOOD = {'reason': 'patch', 'owner': 'alice'}
WRONG = 'poolctl_' + '0' * 64


def bearer(token):
    return {'Authorization': f'Bearer {token}'}


def tokens_file(server):
    return server.folder / 'state/tokens.json'


def events(server, kind):
    return [event for event in server.get('/v1/events')[1]['events'] if event['kind'] == kind]


def ask(server, token, source='127.0.0.1', path='/v1/drains'):
    """The status and the body of a request from an address."""
    connection = http.client.HTTPConnection(server.address, server.pool.api_port, timeout=60,
                                            source_address=(source, 0))
    with contextlib.closing(connection):
        connection.request('GET', path, headers=bearer(token) if token else {})
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())


def drain_as(server, token, drain='kb1', **fields):
    """Asks for a drain with a reservation; the last reply."""
    reply = server.put(drain, GOOD | fields, **bearer(token))
    return reply[0], reply[2]


def delete_as(server, token, drain='kb1', **headers):
    return server.request('DELETE', f'/v1/drains/{drain}', headers={
        'Poolctl-Request': '1'} | bearer(token) | headers)


# ---- owners ----

def test_the_owner_is_the_credential_and_the_words_are_beside_it(server):
    ci = server.new_token('ci', 'operator')
    status, drain = drain_as(server, ci)
    assert status == 201 and (drain['owner'], drain['for']) == ('ci', 'alice')
    assert server.document()['drains'][0]['for'] == 'alice'
    server.kill_poold()
    server.start_poold()
    [drain] = server.document()['drains']
    assert (drain['owner'], drain['for']) == ('ci', 'alice')
    status, _, ended = delete_as(server, ci, **{'Poolctl-Owner': 'bob'})
    assert status == 200 and (ended['owner'], ended['for'], ended['ended_by']) == (
        'ci', 'alice', 'ci')
    [created], [ended] = events(server, 'drain_created'), events(server, 'drain_ended')
    assert (created['who'], created['after']['owner'], created['after']['for'],
            created['after']['credential']) == ('ci', 'ci', 'alice', 'token')
    assert (ended['who'], ended['before']['for'], ended['after']) == (
        'ci', 'alice', {'credential': 'token', 'for': 'bob'})
    shown = server.pool.poolctl('events', 'frontend01')
    assert 'ci for alice' in shown.stdout and 'ci for bob' in shown.stdout
    assert server.pool.poolctl('events', 'frontend01', '--verify').returncode == 0


def test_an_administrator_of_the_machine_says_himself_who_he_is(server):
    assert server.put('kb1', GOOD)[2]['owner'] == 'alice'
    assert 'for' not in server.document()['drains'][0]
    [created] = events(server, 'drain_created')
    assert (created['who'], created['after']['credential']) == ('alice', 'local administrator')


def test_one_credential_does_not_take_over_what_another_has(server):
    ci, other = server.new_token('ci', 'operator'), server.new_token('other', 'operator')
    assert drain_as(server, ci)[0] == 201
    # Nobody is believed who only says that he is the owner.
    for fields in {'owner': 'ci'}, {'owner': 'alice'}:
        status, problem = drain_as(server, other, **fields)
        assert (status, problem['code']) == (409, 'held')
    # Two runs of a pipeline with one token are not the same either.
    status, problem = drain_as(server, ci, owner='another run')
    assert (status, problem['code']) == (409, 'held') and 'ci for alice' in problem['detail']
    assert drain_as(server, ci)[0] == 200


def test_an_operator_ends_his_own_drains_and_an_admin_those_of_others(server):
    ci, other = server.new_token('ci', 'operator'), server.new_token('other', 'operator')
    boss = server.new_token('boss', 'admin')
    assert drain_as(server, ci)[0] == 201
    check_problem(delete_as(server, other, **{'Poolctl-Owner': 'ci'}), 403, 'forbidden', 'ci',
                  'admin')
    assert [drain['id'] for drain in server.document()['drains']] == ['kb1']
    # For whomever it is.
    assert delete_as(server, ci, **{'Poolctl-Owner': 'carol'})[0] == 200
    assert drain_as(server, ci)[0] == 201
    assert delete_as(server, boss)[0] == 200
    assert events(server, 'drain_ended')[-1]['who'] == 'boss'
    # What is only reserved is kept as well.
    reply = server.reserve('kb2', GOOD, **{})
    assert reply[0] == 201
    check_problem(delete_as(server, other, 'kb2'), 403, 'forbidden')
    assert server.document()['reservation']['id'] == 'kb2'


def test_a_gate_is_passed_by_force_by_an_admin_alone(server):
    ci, boss = server.new_token('ci', 'operator'), server.new_token('boss', 'admin')
    status, problem = drain_as(server, ci, forced=['floor'])
    assert (status, problem['code']) == (403, 'forbidden') and 'admin' in problem['detail']
    assert server.document()['drains'] == []
    body = GOOD | {'owner': 'boss'}
    reserved = server.put_as_is('kb1', body | {'phase': 'reserved'}, **bearer(boss))[2]
    assert server.put_as_is('kb1', body | {
        'forced': ['floor'], 'reservation': reserved['reservation']['token']},
        **bearer(boss))[0] == 201


# ---- the file of tokens ----

def test_a_new_token_is_taken_and_a_revoked_one_refused_at_once(server):
    token = server.new_token('ci', 'viewer')
    assert ask(server, token)[0] == 200
    assert stat.S_IMODE(tokens_file(server).stat().st_mode) == 0o600
    assert token not in tokens_file(server).read_text()
    assert server.run_poold('token', 'revoke', 'ci', '--config', server.config).returncode == 0
    status, problem = ask(server, token)
    assert status == 401 and 'revoked' in problem['detail']
    wait_until(lambda: [event['text'] for event in events(server, 'tokens')] == [
        'token ci (viewer) was added', 'token ci was revoked'], 'the record has both')
    assert token not in server.log()


def test_a_stream_and_a_long_poll_end_with_their_token(server):
    token = server.new_token('ci', 'viewer')
    index = server.document()['index']
    stream = Stream(server, after=0, authorization=bearer(token))
    stream.wait(stream.messages)
    replies = []
    poll = threading.Thread(target=lambda: replies.append(
        ask(server, token, path=f'/v1/server?index={index}&wait=60')))
    poll.start()
    assert server.run_poold('token', 'revoke', 'ci', '--config', server.config).returncode == 0
    assert server.put('kb1', GOOD)[0] == 201
    poll.join(60)
    assert replies[0][0] == 401
    with contextlib.suppress(OSError):
        while stream.receive():
            pass
    assert {event['kind'] for event in stream.events()} <= {'poold_started', 'tokens'}


@pytest.mark.parametrize('spoil, words', [
    (lambda text: text[:len(text) // 2], 'line'), (lambda text: '', 'line'),
    (lambda text: text.replace('"viewer"', '"owner"'), "'role'"),
    (lambda text: text.replace('"tokens"', '"token"'), "'tokens'")])
def test_a_file_that_is_not_whole_is_not_used_and_that_is_said(server, spoil, words):
    token = server.new_token('ci', 'viewer')
    assert ask(server, token)[0] == 200
    text = tokens_file(server).read_text()
    tokens_file(server).write_text(spoil(text))
    assert ask(server, token)[0] == 200
    # No matter how often it is asked.
    assert ask(server, token)[0] == 200
    wait_until(lambda: len(events(server, 'tokens')) == 2, 'it is recorded')
    text_of_it = events(server, 'tokens')[-1]['text']
    assert 'stay in force' in text_of_it and words in text_of_it
    wait_until(lambda: 'stay in force' in server.log(), 'it is logged')
    tokens_file(server).write_text(text.replace('"viewer"', '"admin"'))
    assert ask(server, token)[0] == 200
    wait_until(lambda: events(server, 'tokens')[-1]['text'] == 'token ci (admin) was changed',
               'the change is used')


def test_a_file_that_others_may_write_is_not_used_until_that_is_mended(server):
    token = server.new_token('ci', 'viewer')
    assert ask(server, token)[0] == 200
    other = server.new_token('other', 'viewer')
    tokens_file(server).chmod(0o666)
    assert ask(server, other, '127.0.7.1')[0] == 401
    wait_until(lambda: 'chmod go-w' in server.log(), 'it is logged')
    tokens_file(server).chmod(0o600)
    wait_until(lambda: ask(server, other, '127.0.7.2')[0] == 200, 'it is used again')
    # A start says it first.
    server.stop_poold()
    tokens_file(server).chmod(0o666)
    done = server.run_poold('run', '--config', server.config)
    assert done.returncode == 11 and 'chmod go-w' in done.stderr


def test_a_command_that_is_killed_leaves_a_whole_file(server):
    """The file is the one before or the one after, whenever the writer dies."""
    first = server.new_token('first', 'viewer')
    for delay_ms in range(0, 24):
        process = subprocess.Popen([POOLD, 'token', 'new', '--config', server.config, '--name',
                                    f't{delay_ms}', '--role', 'viewer'],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay_ms / 2000)
        process.kill()
        process.wait(60)
        assert ask(server, first, f'127.0.8.{delay_ms + 1}')[0] == 200
        names = [token['name'] for token in json.loads(tokens_file(server).read_text())['tokens']]
        assert names[0] == 'first'
    server.kill_poold()
    server.start_poold()
    assert ask(server, first)[0] == 200
    assert not [event for event in events(server, 'tokens') if 'stay' in event['text']]


def test_several_commands_at_once_lose_nothing(server):
    """Each waits for the other, or says that it could not."""
    started = [subprocess.Popen([POOLD, 'token', 'new', '--config', server.config, '--name',
                                 f't{i}', '--role', 'viewer'], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True) for i in range(8)]
    made = {}
    for i, process in enumerate(started):
        token, said = process.communicate(timeout=60)
        if process.returncode == 0:
            made[f't{i}'] = token.strip()
        else:
            assert 'try again' in said
    assert made
    for i, token in enumerate(made.values()):
        assert ask(server, token, f'127.0.9.{i + 1}')[0] == 200


def test_tokens_need_no_pool_file_and_no_poold(tmp_path):
    config = tmp_path / 'poold.yaml'
    config.write_text(f'server: fe1\nstate_dir: {tmp_path}/state\n')

    def token(*args):
        return subprocess.run([POOLD, 'token', *args, '--config', config], capture_output=True,
                              text=True, timeout=60)
    made = token('new', '--name', 'ci', '--role', 'operator', '--expires', '12h')
    assert made.returncode == 0 and made.stdout.startswith('poolctl_')
    assert len(made.stdout.split()) == 1 and made.stdout.strip() not in made.stderr
    again = token('new', '--name', 'ci', '--role', 'operator')
    assert again.returncode == 2 and 'revoke' in again.stderr
    assert token('new', '--name', 'ci').returncode == 2
    [listed] = json.loads(token('list', '-o', 'json').stdout)['tokens']
    assert (listed['name'], listed['role'], listed['state']) == ('ci', 'operator', 'good')
    assert listed['sha256'] == hashlib.sha256(made.stdout.strip().encode()).hexdigest()
    assert token('revoke', 'nobody').returncode == 2
    assert token('revoke', 'ci').returncode == token('revoke', 'ci').returncode == 0
    assert 'revoked' in token('list').stdout
    with open('/dev/full', 'w') as full:
        lost = subprocess.run([POOLD, 'token', 'new', '--name', 'lost', '--role', 'viewer', '--config',
                               config], stdout=full, stderr=subprocess.PIPE, text=True)
    assert lost.returncode == 1 and 'no token was made' in lost.stderr
    assert 'lost' not in token('list').stdout
    nowhere = subprocess.run([POOLD, 'token', 'list', '--config', tmp_path / 'none.yaml'],
                             capture_output=True, text=True)
    assert nowhere.returncode == 2 and '--config' in nowhere.stderr
    assert token('new', '--name', 'ci', '--role', 'viewer', '--expires', 'none').returncode == 0
    assert 'never' in token('list').stdout


def test_one_token_is_taken_by_several_servers(make_pool):
    first, second = make_pool(2).servers
    token = first.new_token('ci', 'viewer')
    [listed] = json.loads(first.run_poold('token', 'list', '-o', 'json', '--config',
                                          first.config).stdout)['tokens']
    assert ask(second, token)[0] == 401
    assert second.new_token('ci', 'viewer', '--sha256', listed['sha256']) == ''
    assert ask(second, token)[0] == 200
    # Revoked under one name means revoked.
    done = second.run_poold('token', 'new', '--config', second.config, '--name', 'other',
                            '--role', 'admin', '--sha256', listed['sha256'])
    assert done.returncode == 2 and "'ci'" in done.stderr


# ---- failed attempts ----

def refused(server, reason):
    text = server.page('/metrics')[2]
    return next(int(line.split()[-1]) for line in text.splitlines()
                if line.startswith(f'poold_refused_requests_total{{reason="{reason}"}}'))


def test_an_address_that_guesses_is_slowed_and_others_are_not(server):
    token = server.new_token('ci', 'viewer')
    for _ in range(10):
        assert ask(server, WRONG, '127.0.5.1')[0] == 401
    status, problem = ask(server, WRONG, '127.0.5.1')
    assert (status, problem['code'], problem['exit_code']) == (429, 'too_many_failures', 3)
    # Many may share the address of a tunnel, so a good one passes.
    assert ask(server, token, '127.0.5.1')[0] == 200
    assert ask(server, token, '127.0.5.2')[0] == 200
    revoked = server.new_token('gone', 'viewer')
    assert server.run_poold('token', 'revoke', 'gone', '--config', server.config).returncode == 0
    assert ask(server, revoked, '127.0.5.1')[0] == 429
    # Nobody locks the administrators out of their own machine.
    assert ask(server, server.credential()['Authorization'].split()[1], '127.0.5.1')[0] == 200
    wait_until(lambda: ask(server, WRONG, '127.0.5.1')[0] == 401, 'it is forgiven')
    assert refused(server, 'unknown') == 11 and refused(server, 'slowed') >= 2


def test_failures_are_counted_and_recorded_with_a_limit(server):
    ci = server.new_token('ci', 'viewer')
    check_problem(delete_as(server, ci), 403, 'forbidden', 'operator')
    for i in range(60):
        assert ask(server, WRONG, f'127.0.6.{i + 1}')[0] == 401
        assert ask(server, None)[0] == 401
    assert refused(server, 'missing') == refused(server, 'unknown') == 60
    assert refused(server, 'role') == 1
    wait_until(lambda: len(events(server, 'refused')) == 10, 'the first are recorded')
    first, *others = events(server, 'refused')
    assert (first['who'], first['from']) == ('ci', '127.0.0.1') and 'role' in first['text']
    assert {event['from'] for event in others} >= {'127.0.6.1', '127.0.6.2'}
    assert len(events(server, 'refused')) == 10
    assert WRONG not in server.log()


def test_guessing_keeps_nobody_else_waiting(server):
    """Those who guess are answered at once, and hold no connection."""
    is_over = threading.Event()

    def guess(source):
        while not is_over.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                ask(server, WRONG, source)
    guessers = [threading.Thread(target=guess, args=(f'127.0.4.{i}',)) for i in range(1, 9)]
    for each in guessers:
        each.start()
    try:
        for i in range(20):
            assert server.put('kb1', GOOD)[0] in (200, 201)
            assert server.delete('kb1')[0] == 200
    finally:
        is_over.set()
        for each in guessers:
            each.join(60)
    assert refused(server, 'slowed') > 0


# ---- the credential of the administrators ----

def test_the_local_credential_is_private_and_another_at_each_start(server):
    file = server.credential_file()
    assert file.parent == LOCAL and stat.S_IMODE(file.stat().st_mode) == 0o600
    old = server.credential()
    server.kill_poold()
    server.start_poold()
    assert server.credential() != old
    check_problem(server.request('GET', '/v1/server', headers=old), 401, 'unauthenticated')
    assert server.stop_poold() == 0
    assert not file.exists()
    assert old['Authorization'].split()[1] not in server.log()


def test_a_program_that_has_the_port_learns_no_credential(make_pool):
    server = make_pool(start=False).servers[0]
    file = server.credential_file()
    file.write_text('old')
    with socket.create_server((server.address, server.pool.api_port)):
        done = server.run_poold('run', '--config', server.config)
    assert done.returncode == 10, done.stderr
    # Not even for a moment: it would have been removed, or another file.
    assert file.read_text() == 'old'
    assert not file.with_name(file.name + '.next').exists()
    server.start_poold()
    assert file.read_text() != 'old' and stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not file.with_name(file.name + '.next').exists()


def test_a_poold_that_cannot_leave_it_says_so_and_takes_tokens(make_pool, tmp_path):
    pool = make_pool(start=False)
    server = pool.servers[0]
    nowhere = tmp_path / 'file'
    nowhere.write_text('')
    server.launch_poold({'POOLCTL_LOCAL_DIR': str(nowhere / 'folder')})
    wait_until(lambda: 'administrators of this machine need a token' in server.log(), 'it says so')
    assert ask(server, server.new_token('ci', 'viewer'))[0] == 200
    done = pool.poolctl('status')
    assert done.returncode == 3 and 'poold token new' in done.stdout


def test_poolctl_goes_on_over_a_restart(make_pool):
    pool = make_pool(start=True)
    server = pool.servers[0]
    with server.session() as session:
        waiting = Poolctl([POOLCTL, '--config', pool.file, 'drain', 'frontend01', '--owner', 'alice'])
        wait_until(lambda: server.document()['phase'] == 'draining', 'it drains')
        server.kill_poold()
        server.start_poold()
        assert server.document()['phase'] == 'draining'
        session.end()
        assert waiting.wait() == 0, waiting.text()


def test_who_had_a_credential_waits_while_its_file_is_written_anew(make_pool):
    pool = make_pool(start=True)
    server = pool.servers[0]
    file = pool.folder / 'token'
    file.write_text(server.new_token('ci', 'operator'))
    file.chmod(0o600)
    with_token = os.environ | {'POOLCTL_TOKEN_FILE': str(file)}
    command = [POOLCTL, '--config', pool.file]
    with server.session() as session:
        waiting = Poolctl(command + ['drain', 'frontend01', '--reason', 'patch'], env=with_token)
        follows = Poolctl(command + ['events', 'frontend01', '--follow', '--after', '0'],
                          env=with_token)
        wait_until(lambda: 'serving -> draining' in follows.text(), 'it follows')
        wait_until(lambda: '1 of 1' in waiting.text(), 'it waits')
        token = file.read_text()
        file.write_text('')
        server.kill_poold()
        wait_until(lambda: 'token has no token' in follows.text() or
                   'connection lost' in follows.text(), 'it is said')
        server.start_poold()
        time.sleep(1)
        # Who begins now has no credential, and is told at once.
        for each in 'wait --for drained', 'drain --reason patch', 'resume', 'events':
            done = pool.poolctl(*each.split(), 'frontend01', env=with_token)
            assert done.returncode == 3 and 'has no token' in done.stdout + done.stderr, done
        file.write_text(token)
        session.end()
        assert waiting.wait() == 0, waiting.text()
    wait_until(lambda: 'draining -> drained' in follows.text(), 'it goes on')
    follows.process.send_signal(signal.SIGINT)
    assert follows.wait() == 130


# ---- poolctl with tokens ----

def poolctl_as(server, token, *args):
    done = server.pool.poolctl(*args, env=os.environ | {'POOLCTL_TOKEN': token})
    assert token not in done.stdout + done.stderr
    return done


def test_poolctl_drains_and_resumes_with_a_token(server):
    ci, other = server.new_token('ci', 'operator'), server.new_token('other', 'operator')
    boss, viewer = server.new_token('boss', 'admin'), server.new_token('viewer', 'viewer')
    done = poolctl_as(server, viewer, 'drain', 'frontend01')
    assert done.returncode == 3 and 'role operator' in done.stderr
    assert poolctl_as(server, viewer, 'status').returncode == 0
    assert poolctl_as(server, ci, 'drain', 'frontend01', '--owner', 'alice').returncode == 0
    # Again, as a pipeline does that is run again.
    assert poolctl_as(server, ci, 'drain', 'frontend01', '--owner', 'alice').returncode == 0
    assert ' of ci for alice' in poolctl_as(server, viewer, 'status').stdout
    done = poolctl_as(server, other, 'resume', 'frontend01', '--owner', 'alice')
    assert done.returncode == 3 and 'role admin' in done.stderr
    assert server.document()['phase'] == 'drained'
    done = poolctl_as(server, other, 'resume', 'frontend01', '--owner', 'bob')
    assert done.returncode == 5 and 'belongs to ci' in done.stderr
    assert poolctl_as(server, ci, 'resume', 'frontend01', '--owner', 'alice').returncode == 0
    assert poolctl_as(server, ci, 'drain', 'frontend01', '--owner', 'alice').returncode == 0
    assert poolctl_as(server, boss, 'resume', 'frontend01', '--force=owner').returncode == 0
    done = poolctl_as(server, WRONG, 'status')
    assert done.returncode == 3 and 'unknown here' in done.stdout


# ---- requests of nobody ----

@pytest.mark.parametrize('headers', [
    'Authorization: Bearer {good}\r\nAuthorization: Bearer {wrong}',
    'Authorization: Bearer {wrong}\r\nauthorization: Bearer {good}',
    'Authorization: Bearer {good}\r\nHost: localhost',
    'Authorization: Bearer {good}\r\nContent-Length: 0\r\nContent-Length: 0',
    'Authorization: Bearer {good}\r\nContent-Length: 0\r\nTransfer-Encoding: chunked'])
def test_a_header_that_is_there_twice_is_refused(server, headers):
    token = server.new_token('ci', 'admin')
    text = headers.format(good=token, wrong=WRONG)
    with socket.create_connection((server.address, server.pool.api_port), 60) as client:
        client.sendall(f'GET /v1/server HTTP/1.1\r\nHost: {server.address}\r\n{text}\r\n'
                       'Connection: close\r\n\r\n0\r\n\r\n'.encode())
        assert client.recv(4096).startswith(b'HTTP/1.1 400')


def memory_kib(server):
    text = open(f'/proc/{server.poold.pid}/status', encoding='ascii').read()
    return int(next(line for line in text.splitlines() if line.startswith('VmRSS')).split()[1])


def test_the_body_of_nobody_is_not_kept(server):
    """Hundreds of large ones under way take no more memory than their connections."""
    def grown(authorization):
        before = memory_kib(server)
        with contextlib.ExitStack() as stack:
            for _ in range(300):
                client = stack.enter_context(socket.create_connection(
                    (server.address, server.pool.api_port), 60))
                client.sendall(f'PUT /v1/drains/kb1 HTTP/1.1\r\nHost: {server.address}\r\n'
                               f'Content-Type: application/json\r\nContent-Length: 60001\r\n'
                               f'{authorization}\r\n'.encode() + b' ' * 60000)
            assert server.get('/v1/server')[0] == 200
            if authorization:
                wait_until(lambda: memory_kib(server) - before > 300 * 50, 'they are kept')
            return memory_kib(server) - before
    nobody = grown('')
    known = grown(f'Authorization: {server.credential()["Authorization"]}\r\n')
    assert nobody < known / 2, (nobody, known)
