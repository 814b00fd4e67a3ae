"""What is behind a load balancer still is named before a drain, with what it can probe."""

import json

import pytest


@pytest.fixture
def web(make_pool):
    """Two servers, of which only the first has something behind a balancer."""
    pool = make_pool(count=2, start=False)
    text = pool.file.read_text()
    pool.file.write_text(text.replace('      frontend01:\n', (
        '      frontend01:\n        services: {W3SVC: {behind_balancer: [80, 443]}}\n')).replace(
            '    services:\n', '    services:\n      W3SVC: {role: leave}\n'))
    return pool.start()


def note(pool):
    return ('behind a load balancer, where a drain does not take it out: W3SVC (80, 443); '
            f'let the balancer probe http://127.0.1.1:{pool.api_port}/readyz')


@pytest.mark.parametrize('args', [['check'], ['drain', '--dry-run']])
def test_it_is_a_note_and_no_refusal(web, args):
    done = web.poolctl(*args, 'frontend01', 'frontend02')
    assert done.returncode == 0, done.stdout
    assert done.stdout.count(f'  note: {note(web)}') == 1
    assert done.stdout.count('behind a load balancer') == 1
    told = json.loads(web.poolctl(*args, 'frontend01', 'frontend02', '-o', 'json').stdout)
    assert [each['behind_balancer'] for each in told] == [[{
        'service': 'W3SVC', 'ports': [80, 443],
        'readyz': f'http://127.0.1.1:{web.api_port}/readyz'}], []]


def test_it_is_said_before_a_drain(web):
    done = web.poolctl('drain', 'frontend01', '--no-wait')
    assert done.returncode == 0
    assert done.stderr.splitlines()[0].startswith(f'poolctl: frontend01: {note(web)}')
    assert web.poolctl('resume', 'frontend01').returncode == 0
    assert 'balancer' not in web.poolctl('drain', 'frontend02', '--no-wait').stderr


def test_what_is_to_be_probed_says_whether_the_server_serves(web):
    first = web.servers[0]
    assert first.get('/readyz')[0] == 200
    assert web.poolctl('drain', 'frontend01').returncode == 0
    assert first.get('/readyz')[0] == 503
    assert web.poolctl('resume', 'frontend01').returncode == 0
    assert first.get('/readyz')[0] == 200


@pytest.mark.parametrize('profile', ['sfb-2019-front-end', 'sfb-2015-front-end',
                                     'lync-2013-front-end', 'sfb-director'])
def test_the_profiles_name_the_web_services(make_pool, profile):
    pool = make_pool(start=False)
    pool.file.write_text(f'pools: {{p: {{profile: {profile}, servers: {{fe01: {{address: 127.0.1.1, '
                         f'url: "http://127.0.1.1:{pool.api_port}"}}}}}}}}')
    [told] = json.loads(pool.poolctl('check', 'fe01', '-o', 'json').stdout)
    assert told['exit_code'] == 3
    assert [(each['service'], each['ports']) for each in told['behind_balancer']] == [
        ('W3SVC', [80, 443, 8080, 4443])]
