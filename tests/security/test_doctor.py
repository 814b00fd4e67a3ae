"""poolctl doctor: whether poolctl can work from this machine, one line a server, no secret."""

import datetime
import json
import os
import signal
import time

import pytest

from canned import CannedPool, view
from certificates import authority, good, make_tls_pool, self_signed  # noqa: F401
from sessions import free_port


def doctor(pool, *args, **env):
    done = pool.poolctl('doctor', *args, env=os.environ | env)
    assert 'poolctl_' not in done.stdout + done.stderr
    assert 'poold_local_' not in done.stdout + done.stderr
    return done


def lines(done):
    """The line of each server, by its name; the first line is about the file."""
    first, *rest = done.stdout.splitlines()
    assert first.endswith('pool.yaml: good'), done
    return dict(line.split(': ', 1) for line in rest)


def trust(authority):
    return f'    ca_file: {authority.certificate}\n'


@pytest.fixture
def pool(make_tls_pool, good, authority):
    return make_tls_pool(good, count=2, trust=trust(authority))


def test_all_is_good_on_the_server_itself(pool):
    done = doctor(pool)
    assert done.returncode == 0, done
    told = lines(done)
    assert list(told) == ['frontend01', 'frontend02']
    for line in told.values():
        assert line.startswith('good: role admin by local administrator, certificate good until ')


@pytest.mark.parametrize('role', ['viewer', 'operator', 'admin'])
def test_the_role_of_a_token_and_where_it_is_from(pool, tmp_path, role):
    token = pool.servers[0].new_token('ci', role)
    done = doctor(pool, 'frontend01', POOLCTL_TOKEN=token)
    assert done.returncode == 0, done
    assert f"good: role {role} by token 'ci' from POOLCTL_TOKEN, certificate" in done.stdout
    file = tmp_path / 'token'
    file.write_text(token)
    file.chmod(0o600)
    done = doctor(pool, 'frontend01', POOLCTL_TOKEN_FILE=str(file))
    assert 'from POOLCTL_TOKEN_FILE, ' in done.stdout, done
    [told] = json.loads(doctor(pool, 'frontend01', '-o', 'json', POOLCTL_TOKEN=token).stdout)
    assert (told['server'], told['answers'], told['role'], told['name'], told['source'],
            told['credential'], told['exit_code'], told['message']) == (
                'frontend01', True, role, 'ci', 'POOLCTL_TOKEN', 'token', 0, None)
    assert told['certificate_expires_at'] and abs(told['clock_ahead_ms']) < 60000


def test_a_token_that_is_not_taken(pool):
    done = doctor(pool, 'frontend01', POOLCTL_TOKEN='poolctl_' + '0' * 64)
    assert done.returncode == 3, done
    assert lines(done)['frontend01'].startswith('fault: the token is unknown here')
    # Which one it is: a variable that nobody thought of.  So with each command.
    assert 'the credential is from POOLCTL_TOKEN\n' in done.stdout
    done = pool.poolctl('drain', 'frontend01', env=os.environ | {'POOLCTL_TOKEN': 'poolctl_0'})
    assert done.returncode == 3 and 'the credential is from POOLCTL_TOKEN' in done.stderr, done


def test_a_role_that_is_too_small_names_its_token(pool):
    token = pool.servers[0].new_token('watch', 'viewer')
    done = pool.poolctl('drain', 'frontend01', env=os.environ | {'POOLCTL_TOKEN': token})
    assert done.returncode == 3 and 'role viewer' in done.stderr, done
    assert 'the credential is from POOLCTL_TOKEN' in done.stderr


def test_the_token_that_doctor_tells_of_is_that_of_the_commands(pool, tmp_path):
    file = tmp_path / 'token'
    file.write_text(pool.servers[0].new_token('file', 'operator'))
    file.chmod(0o600)
    pool.file.write_text(pool.file.read_text().replace(
        '    ca_file:', f'    token_file: {file}\n    ca_file:'))
    done = doctor(pool, 'frontend01', POOLCTL_TOKEN=pool.servers[0].new_token('other', 'viewer'))
    assert "role operator by token 'file' from token_file in pool.yaml" in done.stdout, done


def test_a_token_file_that_others_may_read(pool, tmp_path):
    file = tmp_path / 'token'
    file.write_text('poolctl_' + '1' * 64)
    file.chmod(0o644)
    done = doctor(pool, 'frontend01', POOLCTL_TOKEN_FILE=str(file))
    assert done.returncode == 3 and f"chmod o-rwx '{file}'" in lines(done)['frontend01'], done


def test_one_that_is_down_has_its_line_and_the_other_one_is_asked(pool):
    pool.servers[1].stop_poold()
    done = doctor(pool)
    told = lines(done)
    assert told['frontend01'].startswith('good: ')
    assert told['frontend02'].startswith('fault: ') and 'check that poold runs' in told['frontend02']
    # As of every command, and in each format: some did, some did not.
    assert done.returncode == pool.poolctl('status').returncode == 8
    for form in 'json', 'jsonl':
        done = doctor(pool, '-o', form)
        assert done.returncode == 8
        told = json.loads(done.stdout) if form == 'json' else [
            json.loads(line) for line in done.stdout.splitlines()]
        assert [each['exit_code'] for each in told] == [0, 3]
        assert told[1]['answers'] is False and told[1]['role'] is None


def test_a_certificate_that_is_not_trusted(make_tls_pool, good, authority, tmp_path):
    pair = self_signed(tmp_path, 'self')
    pool = make_tls_pool(pair, trust=trust(authority))
    done = doctor(pool)
    assert done.returncode == 3 and 'poolctl trust' in lines(done)['frontend01'], done


def test_a_certificate_that_ends_soon(make_tls_pool, authority):
    pool = make_tls_pool(authority.issue('soon', days=20), trust=trust(authority))
    done = doctor(pool)
    assert done.returncode == 4, done
    line = lines(done)['frontend01']
    assert line.startswith('fault: role admin') and 'its certificate ends at' in line
    assert 'renew it there' in line


def test_another_server_that_answers(pool):
    text = pool.file.read_text()
    pool.file.write_text(text.replace('https://127.0.1.1:', 'https://127.0.1.9:').replace(
        'https://127.0.1.2:', 'https://127.0.1.1:').replace('127.0.1.9', '127.0.1.2'))
    done = doctor(pool, 'frontend01')
    assert done.returncode == 3, done
    assert "server 'frontend02' answers there, not 'frontend01'" in done.stdout


def test_a_name_that_does_not_resolve(pool):
    text = pool.file.read_text()
    pool.file.write_text(text.replace('https://127.0.1.1:', 'https://no-such-host.invalid:'))
    done = doctor(pool, 'frontend01')
    line = lines(done)['frontend01']
    assert done.returncode == 3 and 'no-such-host.invalid' in line, done
    assert "its name cannot be resolved; check 'url' in pool.yaml" in line


def test_a_mistake_in_the_file(pool):
    pool.file.write_text(pool.file.read_text().replace('url:', 'urll:', 1))
    done = doctor(pool)
    assert done.returncode == 2 and 'urll' in done.stderr and done.stdout == '', done


def test_a_port_where_nothing_is(pool):
    port = free_port(['127.0.1.1'])
    pool.file.write_text(pool.file.read_text().replace(
        f'https://127.0.1.1:{pool.api_port}', f'https://127.0.1.1:{port}'))
    done = doctor(pool, 'frontend01')
    assert done.returncode == 3 and f'127.0.1.1:{port}' in done.stdout, done


def test_one_that_hangs_does_not_keep_the_others_from_being_told(pool):
    hanging = pool.servers[1].poold
    hanging.send_signal(signal.SIGSTOP)
    try:
        told = lines(doctor(pool))
    finally:
        hanging.send_signal(signal.SIGCONT)
    assert told['frontend01'].startswith('good: ')
    assert 'no reply in time; check poold there' in told['frontend02']


# ---- replies that are not as they should be ----

CALLER = {'role': 'operator', 'credential': 'token', 'name': 'ci'}


def stamp(seconds=0):
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return now.strftime('%Y-%m-%dT%H:%M:%SZ')


@pytest.fixture
def canned(tmp_path):
    pool = CannedPool(tmp_path, 1)
    pool.servers[0].replies |= {'GET /v1/server': view('frontend01') | {'time': stamp()},
                                'GET /v1/caller': CALLER}
    yield pool
    pool.close()


def test_an_older_poold_has_no_role_to_tell(canned):
    canned.servers[0].replies['GET /v1/caller'] = (404, {
        'type': 'about:blank', 'title': 'x', 'status': 404, 'detail': 'unknown path',
        'code': 'unknown_path', 'retryable': False, 'exit_code': 2})
    done = doctor(canned)
    assert done.returncode == 0 and 'good: role unknown' in done.stdout, done


def test_a_slow_server_is_not_an_unreachable_one(canned):
    def slow(_):
        time.sleep(6)  # longer than `status` waits, shorter than a drain
        return view('frontend01') | {'time': stamp()}
    canned.servers[0].replies['GET /v1/server'] = slow
    done = doctor(canned)
    assert done.returncode == 0, done


@pytest.mark.parametrize('reply', [
    {}, [], {'role': 7}, {'role': None, 'credential': 'token', 'name': None},
    CALLER | {'name': 7}, CALLER | {'credential': []},
    b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"role": '])
def test_a_caller_that_cannot_be_read_is_a_fault(canned, reply):
    canned.servers[0].replies['GET /v1/caller'] = reply
    done = doctor(canned)
    assert done.returncode != 0 and lines(done)['frontend01'].startswith('fault: '), done
    assert 'caller' in done.stdout


def test_what_a_server_says_of_the_role_reaches_the_terminal_harmlessly(canned):
    canned.servers[0].replies['GET /v1/caller'] = {
        'role': 'admin\x1b[2J\nfrontend02: good', 'credential': 'token\u202e', 'name': '\x07'}
    done = doctor(canned)
    assert len(done.stdout.splitlines()) == 2, done
    assert not set(done.stdout) & set('\x1b\u202e\x07'), done


@pytest.mark.parametrize('seconds, words', [(90, 'ahead of'), (-90, 'behind')])
def test_a_clock_that_is_wrong(canned, seconds, words):
    canned.servers[0].replies['GET /v1/server'] = view('frontend01') | {'time': stamp(seconds)}
    done = doctor(canned)
    assert done.returncode == 4, done
    assert f's {words} the clock of this machine' in lines(done)['frontend01']


def test_files_that_poold_does_not_use(canned):
    canned.servers[0].replies['GET /v1/server'] = view('frontend01') | {
        'time': stamp(), 'config_problem': 'pool.yaml:3:1: unknown key'}
    done = doctor(canned)
    assert done.returncode == 4 and 'poold does not use its files: pool.yaml:3:1' in done.stdout
