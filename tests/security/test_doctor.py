"""poolctl doctor: whether poolctl can work from this machine, one line a server, no secret."""

import json
import os

import pytest

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
    assert 'pool.yaml: good' in first, done
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
    assert f"good: role {role} by token 'ci' (POOLCTL_TOKEN), certificate" in done.stdout
    file = tmp_path / 'token'
    file.write_text(token)
    file.chmod(0o600)
    done = doctor(pool, 'frontend01', POOLCTL_TOKEN_FILE=str(file))
    assert '(POOLCTL_TOKEN_FILE)' in done.stdout, done
    [told] = json.loads(doctor(pool, 'frontend01', '-o', 'json', POOLCTL_TOKEN=token).stdout)
    assert (told['server'], told['answers'], told['role'], told['name'], told['source'],
            told['credential'], told['exit_code'], told['message']) == (
                'frontend01', True, role, 'ci', 'POOLCTL_TOKEN', 'token', 0, None)
    assert told['certificate_expires_at'] and abs(told['clock_ahead_ms']) < 60000


def test_a_token_that_is_not_taken(pool):
    done = doctor(pool, 'frontend01', POOLCTL_TOKEN='poolctl_' + '0' * 64)
    assert done.returncode == 3, done
    assert lines(done)['frontend01'].startswith('WRONG: ') and 'token' in done.stdout


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
    assert told['frontend02'].startswith('WRONG: ') and 'check that poold runs' in told['frontend02']
    whole = json.loads(doctor(pool, '-o', 'json').stdout)
    assert [each['exit_code'] for each in whole] == [0, 3]
    # As of every command: some did, some did not.
    assert done.returncode == pool.poolctl('status').returncode == 8


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
    assert line.startswith('WRONG: role admin') and 'its certificate ends at' in line
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
    assert done.returncode == 3 and 'no-such-host.invalid' in lines(done)['frontend01'], done


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
