"""poold preflight: what a drain would do, and what could defeat it."""

import json
import os

import pytest


@pytest.fixture
def server(make_pool):
    """A server whose poold was never started."""
    return make_pool(start=False).servers[0]


def preflight(server):
    done = server.run_poold('preflight', '-o', 'json', '--config', server.config)
    assert done.stderr == ''
    document = json.loads(done.stdout)
    assert done.returncode == (0 if document['possible'] else 4)
    return document


def codes(findings):
    return {(finding['code'], finding['level']) for finding in findings}


def test_a_service_that_can_be_drained(server):
    before = server.scm.path.read_bytes()
    document = preflight(server)
    assert document['server'] == 'frontend01' and document['possible'] is True
    assert document['reboot_pending'] is os.path.exists('/run/reboot-required')
    (service,) = document['services']
    assert service['observed'] == {'state': 'running', 'start_type': 'automatic',
                                   'delayed_auto_start': True, 'accepts_pause': True}
    assert service['changes'] == ['save: running, automatic (delayed)',
                                  'startup type: automatic (delayed) -> manual', 'pause']
    assert codes(service['findings']) == {('delayed_auto_start', 'note')}
    assert 'sessions' not in service
    assert server.scm.path.read_bytes() == before
    assert not (server.folder / 'state').exists()


def test_what_was_announced_is_what_a_drain_changes(make_pool):
    pool = make_pool()
    server = pool.servers[0]
    assert preflight(server)['possible'] is True
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    assert server.scm.says() == ('paused', 'manual', True)
    (service,) = preflight(server)['services']
    assert 'not_running' in {finding['code'] for finding in service['findings']}


def test_everything_that_defeats_manual(server):
    content = json.loads(server.scm.path.read_text())
    content['services'] |= {
        'RTCRGS': {'state': 'stopped', 'start_type': 'automatic', 'depends_on': ['RTCSRV']},
        'puppet': {'state': 'running', 'start_type': 'automatic'},
        'salt-minion': {'state': 'stopped', 'start_type': 'disabled'}}
    server.scm.write(content)
    server.scm.change(triggers=1, recovery='restart', policy='gpt00000.dom')
    document = preflight(server)
    (service,) = document['services']
    assert document['possible'] is True
    assert codes(service['findings']) == {
        (code, 'warning') for code in ('start_triggers', 'dependants_start',
                                       'recovery_restarts', 'group_policy')
    } | {('delayed_auto_start', 'note')}
    assert service['dependants'] == [
        {'name': 'RTCRGS', 'start_type': 'automatic', 'state': 'stopped'}]
    agents = [finding for finding in document['findings']
              if finding['code'] == 'configuration_agent']
    assert len(agents) == 1 and 'puppet' in agents[0]['text']


def test_disabled_holds_against_triggers_and_dependants(server):
    pool = server.pool
    text = pool.file.read_text()
    pool.file.write_text(text.replace('    servers:',
                                      '    startup_while_drained: disabled\n    servers:', 1))
    content = json.loads(server.scm.path.read_text())
    content['services']['RTCRGS'] = {'state': 'stopped', 'start_type': 'automatic',
                                     'depends_on': ['RTCSRV']}
    server.scm.write(content)
    server.scm.change(triggers=1)
    (service,) = preflight(server)['services']
    assert codes(service['findings']) == {('delayed_auto_start', 'note')}
    assert 'startup type: automatic (delayed) -> disabled' in service['changes']


@pytest.mark.parametrize('fields, code', [
    ({'accepts_pause': False}, 'no_pause'), ({'denied': ['configure']}, 'missing_right'),
    ({'state': 'strange'}, 'cannot_be_asked')])
def test_a_drain_that_could_not_work(server, fields, code):
    server.scm.change(**fields)
    document = preflight(server)
    assert document['possible'] is False
    assert (code, 'refusal') in codes(document['services'][0]['findings'])


def test_a_service_that_is_not_installed(server):
    server.scm.write({'services': {}})
    (service,) = preflight(server)['services']
    assert service['possible'] is False and service['observed']['state'] == 'missing'
    assert service['changes'] == []


def test_a_mistake_in_the_configuration_is_said_instead(server):
    server.config.write_text(server.config.read_text().replace('simulated\n', 'windows\n', 1))
    done = server.run_poold('preflight', '-o', 'json', '--config', server.config)
    assert (done.returncode, done.stdout) == (2, '')
    assert 'needs Windows' in done.stderr


# ---- what is behind a load balancer ----

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
    return ('a drain does not take these services out of their load balancer: W3SVC (80, 443); '
            f'let the balancer probe http://127.0.1.1:{pool.api_port}/readyz')


@pytest.mark.parametrize('args', [['check'], ['drain', '--dry-run']])
def test_it_is_a_note_and_no_refusal(web, args):
    done = web.poolctl(*args, 'frontend01', 'frontend02')
    assert done.returncode == 0, done.stdout
    assert done.stdout.count(f'  note: {note(web)}') == 1
    assert done.stdout.count('out of their load balancer') == 1
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
