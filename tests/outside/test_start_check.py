"""Whether poold would start, asked before it is needed: case H12."""

import socket
import subprocess

import pytest

from pool import POOLCTL
from sessions import wait_until
from simulated import last_words

MOST_SOURCES = 32


def rename(file, before='RTCSRV', after='OTHER'):
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


def counters(count):
    paths = ', '.join(f"{{path: '\\Own({i})\\Sessions'}}" for i in range(count))
    return f'counters: [{paths}]'


def add_sources(file, count):
    rename(file, '        ports:', f'        {counters(count)}\n        ports:')


def check(server):
    return server.run_poold('check', '--config', server.config)


def refused(server, status, *words):
    """What `poold check` says; poold refuses to start with the same words."""
    checked = check(server)
    assert checked.returncode == status, checked
    started = server.run_poold('run', '--config', server.config)
    assert started.returncode == status
    assert last_words(started).replace('cannot write', 'cannot read') == last_words(checked)
    assert checked.stderr.count('(error') <= 1
    for word in words:
        assert word in checked.stderr
    return checked


def take_out_and_stop(pool, server):
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    server.stop_poold()


@pytest.mark.case('H12')
def test_a_service_that_is_out_is_renamed(pool, server):
    take_out_and_stop(pool, server)
    assert check(server).returncode == 0
    before = (server.folder / 'state/poold.sqlite').read_bytes()
    rename(pool.file)
    refused(server, 2, 'took out service RTCSRV', 'pool.yaml no longer drains')
    assert (server.folder / 'state/poold.sqlite').read_bytes() == before


@pytest.mark.brother('H12')
def test_a_drain_covers_a_service_that_is_renamed(pool, server):
    server.scm.write({'services': {}})
    assert server.put('d1', {'reason': 'r', 'services': ['RTCSRV']})[0] == 201
    server.stop_poold()
    rename(pool.file)
    refused(server, 2, "drain 'd1'", 'RTCSRV')


@pytest.mark.brother('H12')
def test_another_spelling_is_the_same_service(pool, server):
    take_out_and_stop(pool, server)
    rename(pool.file, after='rtcSrv')
    assert check(server).returncode == 0


@pytest.mark.case('H12')
def test_a_profile_that_drains_by_logon_mode(make_pool):
    pool = make_pool(start=False)
    server = pool.servers[0]
    pool.file.write_text('pools:\n  rds:\n    profile: rds-session-host\n    servers:\n'
                         f'      frontend01: {{address: {server.address}}}\n')
    refused(server, 2, 'logon mode')


@pytest.mark.case('H12')
@pytest.mark.parametrize('count', [MOST_SOURCES - 1, MOST_SOURCES])
def test_a_service_with_many_sources(make_pool, count):
    pool = make_pool(start=False)
    server = pool.servers[0]
    add_sources(pool.file, count)
    checked = subprocess.run([POOLCTL, 'config', 'check', pool.file], capture_output=True,
                             text=True, timeout=60, check=False)
    if count < MOST_SOURCES:
        assert check(server).returncode == checked.returncode == 0
        return
    refused(server, 2, "service 'RTCSRV' has 33 session sources")
    assert checked.returncode == 2 and "service 'RTCSRV' has 33 session sources" in checked.stderr


@pytest.mark.brother('H12')
def test_a_command_is_a_source_too(make_pool):
    pool = make_pool(start=False)
    server = pool.servers[0]
    add_sources(pool.file, MOST_SOURCES - 1)
    with open(server.config, 'a', encoding='ascii') as file:
        file.write("commands: [{service: rtcsrv, run: [/bin/true]}]\n")
    refused(server, 2, 'RTCSRV has more than 32 session sources')


@pytest.mark.brother('H12')
def test_a_store_that_cannot_be_read(make_pool):
    pool = make_pool(start=False)
    server = pool.servers[0]
    (server.folder / 'state').mkdir()
    (server.folder / 'state/poold.sqlite').write_bytes(b'no store' * 100)
    refused(server, 11, f'{server.folder}/state/poold.sqlite', 'not a database')


@pytest.mark.brother('H12')
def test_the_store_of_a_newer_poold(pool, server):
    server.stop_poold()
    store = server.folder / 'state/poold.sqlite'
    subprocess.run(['/usr/bin/python3', '-c', 'import sqlite3, sys\n'
                    'store = sqlite3.connect(sys.argv[1])\n'
                    'store.execute("PRAGMA user_version = 99")', store], check=True)
    refused(server, 11, 'schema version is 99')


@pytest.mark.brother('H12')
def test_an_empty_store_is_none(make_pool):
    pool = make_pool(start=False)
    (pool.servers[0].folder / 'state').mkdir()
    (pool.servers[0].folder / 'state/poold.sqlite').touch()
    assert check(pool.servers[0]).returncode == 0


@pytest.mark.case('H12')
def test_poold_that_runs_is_named_and_goes_on(pool, server):
    done = check(server)
    assert done.returncode == 0 and 'poold is running' in done.stdout
    assert str(server.folder / 'state/poold.lock') in done.stdout
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    server.stop_poold()
    assert 'is running' not in check(server).stdout


@pytest.mark.case('H12')
def test_another_poold_that_drains_the_same_service(pool, server):
    rename(server.config, '/state\n', '/state2\n')
    refused(server, 12, 'another poold on this machine drains RTCSRV')


@pytest.mark.brother('H12')
def test_an_address_that_is_taken(make_pool):
    pool = make_pool(start=False)
    server = pool.servers[0]
    with socket.create_server((server.address, pool.api_port)):
        refused(server, check(server).returncode, f'port {pool.api_port}')
    assert check(server).returncode == 0


@pytest.mark.brother('H12')
def test_a_server_that_is_in_no_pool(make_pool):
    server = make_pool(start=False).servers[0]
    rename(server.config, 'server: frontend01', 'server: frontend09')
    checked = subprocess.run([POOLCTL, 'config', 'check', '--poold', server.config],
                             capture_output=True, text=True, timeout=60, check=False)
    assert checked.returncode == 2 and "'frontend09' is in no pool" in checked.stderr
    refused(server, 2, "'frontend09' is in no pool")


@pytest.mark.brother('H12')
def test_config_check_of_poold_yaml_where_pool_yaml_is_elsewhere(make_pool):
    server = make_pool(start=False).servers[0]
    server.pool_file.unlink()
    checked = subprocess.run([POOLCTL, 'config', 'check', '--poold', server.config],
                             capture_output=True, text=True, timeout=60, check=False)
    assert checked.returncode == 0 and 'pool-frontend01.yaml' in checked.stderr


@pytest.mark.case('H12')
def test_poold_does_not_begin_anew_with_what_it_would_refuse(pool, server):
    epoch = server.document()['epoch']
    server.pool_file.write_text('pools:\n  rds:\n    profile: rds-session-host\n    servers:\n'
                                f'      frontend01: {{address: {server.address}, '
                                f'url: "http://{server.address}:{pool.api_port}"}}\n')
    wait_until(lambda: server.document()['config_problem'], 'it is said')
    assert 'logon mode' in server.document()['config_problem']
    assert server.document()['epoch'] == epoch


@pytest.mark.brother('H12')
def test_files_that_wait_say_that_a_restart_would_fail(pool, server):
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    rename(server.pool_file)
    wait_until(lambda: server.document()['config_problem'], 'it is said')
    problem = server.document()['config_problem']
    assert 'do not restart poold before: it would not start' in problem
    assert 'took out service RTCSRV' in problem
