"""Profiles, services and components, as a drain meets them."""

import json

import pytest

from sessions import wait_until

PROFILE = '''title: A front end in small
settle: 200ms
services:
  RTCSRV:
    display_name: Front-End
    components: [Front-End core, Monitoring agent]
    ports: [{port}]
  RTCRGS: {{display_name: Response Group, components: [Response Group], ports: [{other}],
           after_resume: none}}
  RTCCPS: {{ports: [1], optional: true}}
  REPLICA: {{display_name: Replicator, role: leave}}
'''


@pytest.fixture
def pool(make_pool):
    """One server with a profile of our own; RTCCPS is not installed."""
    pool = make_pool(start=False)
    server = pool.servers[0]
    (pool.folder / 'own.yaml').write_text(PROFILE.format(port=pool.port, other=pool.api_port))
    pool.file.write_text(
        'pools:\n  fe-pool01:\n    profile: ./own.yaml\n    availability: {floor: 0}\n    servers:\n'
        f'      frontend01:\n        address: {server.address}\n'
        f'        url: http://{server.address}:{pool.api_port}\n'
        '        services: {RTCRGS: {ports: [2]}}\n')
    content = json.loads(server.scm.path.read_text())
    for name in ('RTCRGS', 'REPLICA'):
        content['services'][name] = dict(content['services']['RTCSRV'], display_name=name)
    server.scm.write(content)
    server.start_poold()
    return pool


def states(pool):
    services = json.loads(pool.servers[0].scm.path.read_text())['services']
    return {name: (each['state'], each['start_type']) for name, each in services.items()}


IN, OUT = ('running', 'automatic'), ('paused', 'manual')


def test_all_means_all_but_those_that_must_be_left_running(pool):
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    assert states(pool) == {'RTCSRV': OUT, 'RTCRGS': OUT, 'REPLICA': IN}
    document = pool.servers[0].document()
    assert [service['name'] for service in document['services']] == ['RTCSRV', 'RTCRGS', 'RTCCPS']
    assert document['services'][0]['components'] == ['Front-End core', 'Monitoring agent']
    assert document['services'][2]['observed']['state'] == 'absent'
    assert pool.poolctl('resume', 'frontend01').returncode == 0
    assert set(states(pool).values()) == {IN}


def test_a_service_that_is_not_there_leaves_nothing_unknown(pool):
    server = pool.servers[0]
    wait_until(lambda: server.document()['progress']['known'], 'all that is there is counted')
    assert server.get('/v1/preflight')[1]['forecast']['known']
    page = server.page('/metrics')[2]
    assert 'poold_sessions_unknown_seconds{service="RTCRGS"} 0' in page
    assert 'poold_sessions_unknown_seconds{service="RTCCPS"}' not in page
    assert 'poold_source_unknown_seconds{service="RTCCPS"' not in page
    checked = pool.poolctl('check', 'frontend01', '--deadline', '10m')
    assert checked.returncode == 0, checked


@pytest.mark.parametrize('word', ['RTCRGS', 'rtcrgs', 'Response Group', 'response group'])
def test_a_service_may_be_named_as_people_know_it(pool, word):
    done = pool.poolctl('drain', 'frontend01', '--service', word)
    assert done.returncode == 0, done.stderr
    assert states(pool) == {'RTCSRV': IN, 'RTCRGS': OUT, 'REPLICA': IN}


def test_a_component_cannot_be_drained_apart_from_its_group(pool):
    refused = pool.poolctl('drain', 'frontend01', '--service', 'Monitoring agent')
    assert refused.returncode == 2
    for word in ('Monitoring agent', 'RTCSRV', 'Front-End core', '--with-group'):
        assert word in refused.stderr
    assert set(states(pool).values()) == {IN}
    taken = pool.poolctl('drain', 'frontend01', '--service', 'Monitoring agent', '--with-group')
    assert taken.returncode == 0, taken.stderr
    assert states(pool) == {'RTCSRV': OUT, 'RTCRGS': IN, 'REPLICA': IN}


@pytest.mark.parametrize('word', ['REPLICA', 'Replicator'])
def test_what_must_be_left_running_is_not_drained_by_name_either(pool, word):
    for options in ([], ['--with-group']):
        done = pool.poolctl('drain', 'frontend01', '--service', word, *options)
        assert done.returncode == 2 and 'left running' in done.stderr
    status, _, body = pool.servers[0].put('d1', {'reason': 'r', 'services': [word]})
    assert (status, body['code']) == (409, 'left_running')
    assert set(states(pool).values()) == {IN}


def test_an_unknown_service_is_answered_with_those_that_there_are(pool):
    done = pool.poolctl('drain', 'frontend01', '--service', 'RTCAVMCU')
    assert done.returncode == 2 and 'RTCRGS' in done.stderr
    assert set(states(pool).values()) == {IN}


def test_the_api_refuses_a_grouped_component_too(pool):
    status, _, body = pool.servers[0].put('d1', {'reason': 'r', 'services': ['Monitoring agent']})
    assert (status, body['code']) == (409, 'grouped')
    assert 'RTCSRV' in body['detail']


def test_a_source_that_is_not_read_is_unknown_and_never_drained(make_pool):
    pool = make_pool(start=False)
    text = pool.file.read_text()
    pool.file.write_text(text.replace('        ports:', "        counters: [{path: '\\A\\B'}]\n"
                                      '        ports:'))
    server = pool.servers[0].start_poold() or pool.servers[0]
    done = pool.poolctl('drain', 'frontend01', '--timeout', '2s')
    assert done.returncode == 6
    service = server.service()
    assert service['sessions']['known'] is False and 'only on Windows' in service['message']
    assert service['observed']['state'] == 'paused'


def test_a_profile_that_drains_by_logon_mode_is_not_started(make_pool):
    pool = make_pool(start=False)
    server = pool.servers[0]
    pool.file.write_text('pools:\n  rds:\n    profile: rds-session-host\n    servers:\n'
                         f'      frontend01: {{address: {server.address}}}\n')
    done = server.run_poold('run', '--config', server.config)
    assert done.returncode == 2 and 'logon mode' in done.stderr


def test_a_server_with_one_service_out_and_another_serving_is_not_drained(pool):
    server = pool.servers[0]
    assert pool.poolctl('drain', 'frontend01', '--service', 'RTCRGS').returncode == 0
    assert server.document()['phase'] == 'draining'
    waited = pool.poolctl('wait', 'frontend01', '--for', 'drained', '--timeout', '2s')
    assert waited.returncode == 6
    assert server.get('/readyz')[0] == 503


def test_asking_for_less_does_not_resume_anything(pool):
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    less = pool.poolctl('drain', 'frontend01', '--service', 'RTCRGS')
    assert less.returncode == 5 and 'also covers RTCSRV' in less.stderr
    assert states(pool) == {'RTCSRV': OUT, 'RTCRGS': OUT, 'REPLICA': IN}


def test_a_drained_service_that_leaves_pool_yaml_is_missed(pool):
    server = pool.servers[0]
    server.scm.write({'services': {}})
    status, _, drain = server.put('d1', {'reason': 'r', 'services': ['RTCRGS']})
    assert status == 201 and drain['out'] is False
    server.stop_poold()
    profile = pool.folder / 'own.yaml'
    profile.write_text(profile.read_text().replace('RTCRGS', 'OTHER'))
    pool.file.write_text(pool.file.read_text().replace('RTCRGS', 'OTHER'))
    done = server.run_poold('run', '--config', server.config)
    assert done.returncode == 2 and "'d1'" in done.stderr and 'RTCRGS' in done.stderr
