"""Cases F and their like: the programs as an administrator meets them."""

import contextlib
import http.client
import json
import re
import signal
import socket
import subprocess
import threading
import time

import pytest
import yaml

from pool import POOLCTL, ROOT
from sessions import wait_until
from simulated import POOLD

SFB = 'sfb-2019-front-end'


def run(program, *args, **options):
    return subprocess.run([program, *args], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, check=False, **options)


@pytest.fixture
def pool(make_pool):
    return make_pool(settle='100ms', tick='100ms')


@pytest.fixture
def file(tmp_path):
    """Writes a pool with a profile, and more lines of it."""
    def write(profile, count=4, lines=''):
        path = tmp_path / 'pool.yaml'
        servers = ''.join(f'      fe{i}: {{address: 127.0.9.{i}}}\n' for i in range(1, count + 1))
        path.write_text(f'pools:\n  p:\n    profile: {profile}\n{lines}    servers:\n{servers}')
        return path
    return write


def check(path):
    done = run(POOLCTL, 'config', 'check', path)
    assert done.returncode == 0, done.stderr
    return done.stderr


def floor_of(path):
    shown = json.loads(run(POOLCTL, 'config', 'show', '--config', path, '-o', 'json').stdout)
    return shown['pools']['p']['availability']['floor']


# ---- floors ----

@pytest.mark.case('F2')
def test_the_table_of_the_profile_is_the_floor(file):
    assert floor_of(file(SFB)) == {'value': 'table', 'from': 'default'}
    done = run(POOLCTL, 'config', 'init', '-', '--pool', 'p', '--profile', SFB,
               *(f'--server=fe{i}=127.0.9.{i}' for i in range(1, 5)))
    assert 'the floor is 2 of 4 servers, from the table of profile ' + SFB in done.stderr


@pytest.mark.brother('F2')
@pytest.mark.parametrize('count, lines, floor', [
    (2, '', 1), (4, '    availability: {floor: 3}\n', 3), (4, '    floors: []\n', 1)])
def test_without_a_row_or_with_a_floor_the_table_does_not_count(file, count, lines, floor):
    assert floor_of(file(SFB, count, lines))['value'] in (floor, str(floor))


# ---- what a profile cannot do ----

@pytest.mark.case('F3')
def test_a_service_that_nothing_counts_is_told_with_the_line_to_write(file):
    told = check(file(SFB))
    line = re.search('  (RTCDATAMCU: .*)', told).group(1)
    assert "poold counters 'LS:*'" in told and 'likely' in line and 'RTCRGS' in told
    assert 'RTCDATAMCU' not in check(file(SFB, lines=f'    services:\n      {line}\n'))


@pytest.mark.brother('F3')
@pytest.mark.parametrize('profile', ['lync-2013-front-end', 'sfb-2015-front-end', 'sfb-edge'])
def test_so_it_is_for_other_profiles(file, profile):
    told = check(file(profile, 3))
    lines = re.findall('^  ([A-Z].*)', told, re.M)
    services = yaml.safe_load('\n'.join(lines).replace('[N]', '[1]'))
    assert services
    again = file(profile, 3, '    services:\n' + ''.join(
        f'      {line.replace("[N]", "[1]")}\n' for line in lines))
    assert not set(re.findall('^  (RTC[A-Z]*):', check(again), re.M)) - {'RTCXMPPTGW'}


UNCOUNTED = '        unverified: [pause, counters]\n'


@pytest.fixture
def uncounted(pool):
    """A pool whose service has ports, and needs a counter that nobody knows."""
    server = pool.servers[0]
    server.stop_poold()
    pool.file.write_text(re.sub('(        ports: .*\n)', r'\1' + UNCOUNTED, pool.file.read_text()))
    server.start_poold()
    return pool


@pytest.mark.brother('F3')
def test_poold_and_check_say_it_before_the_night(uncounted):
    server = uncounted.servers[0]
    line = 'RTCSRV: {unverified: [pause]}'
    assert line in run(POOLD, 'check', '--config', server.config).stdout
    assert line in run(POOLD, 'preflight', '--config', server.config).stdout
    assert line in uncounted.poolctl('check', 'frontend01').stdout
    assert line in uncounted.poolctl('drain', 'frontend01', '--dry-run').stdout
    done = uncounted.poolctl('check')
    assert done.returncode == 4 and 'RTCSRV can never be reported as drained' in done.stdout


@pytest.mark.brother('F3')
def test_a_command_that_counts_makes_it_known(uncounted):
    server = uncounted.servers[0]
    server.config.write_text(server.config.read_text() +
                             'commands: [{service: RTCSRV, run: [/bin/echo, 0]}]\n')
    assert 'never' not in run(POOLD, 'check', '--config', server.config).stdout
    assert 'no_counter' not in run(POOLD, 'preflight', '--config', server.config).stdout


@pytest.mark.case('F4')
def test_a_profile_that_cannot_be_drained_says_so(file):
    assert 'every drain is refused' in check(file('rds-session-host'))
    assert 'Remote Desktop session hosts cannot be drained' in ' '.join(
        (ROOT / 'README.md').read_text().split())
    done = run(POOLCTL, 'config', 'init', '-', '--pool=p', '--profile=rds-session-host',
               '--server=a=127.0.9.1')
    assert 'every drain is refused' in done.stderr


@pytest.mark.case('C6')
def test_pacing_without_an_effect_is_told(file):
    assert "'pacing' has no effect yet" in check(
        file('generic', lines='    pacing: {between_domains: 20m}\n'
                              '    services: {SVC: {ports: 1}}\n'))
    assert check(file('generic', lines='    services: {SVC: {ports: 1}}\n')) == ''


# ---- names of commands ----

@pytest.mark.case('F8')
def test_no_page_and_no_message_calls_sc_without_its_ending():
    """In PowerShell 5.1, sc is Set-Content."""
    pages = [ROOT / 'README.md', *ROOT.glob('docs/*.md')]
    sources = [path for folder in ('common', 'ctl', 'daemon', 'pool-config')
               for path in (ROOT / folder).rglob('*') if path.suffix in ('.c', '.h', '.yaml')]
    verbs = 'start|stop|q[a-z]+|query[a-z]*|config|control|continue|pause|sd[a-z]+|failure[a-z]*|delete'
    found = [f'{path}: {line}' for path in pages + sources
             for line in path.read_text().splitlines() if re.search(rf'\bsc ({verbs})\b', line)]
    assert found == []


# ---- check ----

@pytest.mark.case('F12')
def test_an_overdue_drain_is_a_fault(pool, server):
    session = server.session()
    done = pool.poolctl('drain', 'frontend01', '--deadline', '1s', '--reason', 'x', '--timeout', '2s')
    assert done.returncode == 6, done.stderr
    done = pool.poolctl('check')
    assert done.returncode == 4 and 'is overdue' in done.stdout
    session.close()


class NoSuchName:
    """A DNS server that knows no name."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('127.0.9.53', 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                asked, peer = self.socket.recvfrom(512)
                end = asked.index(b'\0', 12) + 5
                self.socket.sendto(asked[:2] + b'\x81\x83\0\1\0\0\0\0\0\0' + asked[12:end], peer)


@pytest.mark.case('G7')
@pytest.mark.brother('F12')
def test_a_name_that_does_not_exist_is_a_fault_everywhere(pool, server):
    dns = NoSuchName()
    pool.file.write_text(pool.file.read_text().replace(
        '  fe-pool01:\n', '  fe-pool01:\n    fqdn: nowhere.test\n'
        f'    dns: {{resolvers: 127.0.9.53, port: {dns.port}}}\n'))
    done = pool.poolctl('check')
    assert done.returncode == 4 and "dns: fault: the pool's name does not resolve" in done.stdout
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    assert pool.poolctl('resume', 'frontend01').returncode == 9
    dns.socket.close()


@pytest.mark.brother('F3')
def test_counters_are_listed_on_windows_alone():
    done = run(POOLD, 'counters', 'LS:*')
    assert done.returncode == 1 and 'exist only on Windows' in done.stderr
    assert run(POOLD, 'counters').returncode == 2


# ---- a server without services ----

@pytest.mark.case('G4')
def test_a_server_without_any_of_its_services_does_not_serve(make_pool):
    pool = make_pool(2, settle='100ms', tick='100ms')
    first = pool.servers[0]
    first.stop_poold()
    pool.file.write_text(pool.file.read_text().replace('RTCSRV:\n', 'RTCSRV:\n        optional: true\n'))
    first.scm.write({'services': {}})
    first.start_poold()
    pool.servers[1].stop_poold()
    pool.servers[1].start_poold()
    assert first.document()['phase'] == 'attention'
    assert 'none of the services' in first.service()['message']
    assert first.get('/readyz')[0] == 503
    assert pool.poolctl('wait', 'frontend01', '--for', 'serving', '--timeout', '1s').returncode != 0
    done = pool.poolctl('drain', 'frontend02', '--reason', 'x')
    assert done.returncode == 4 and 'last' in done.stderr


@pytest.mark.case('G11')
def test_an_optional_service_that_was_uninstalled_has_a_remedy_that_helps(pool, server):
    server.stop_poold()
    pool.file.write_text(pool.file.read_text().replace('RTCSRV:\n', 'RTCSRV:\n        optional: true\n'))
    server.start_poold()
    assert pool.poolctl('drain', 'frontend01', '--reason', 'x').returncode == 0
    server.scm.write({'services': {}})
    server.wait_phase('attention')
    told = pool.poolctl('drain', 'frontend01', '--id', 'other', '--reason', 'x', '--dry-run').stdout
    assert 'install it again' in told and 'optional: true' not in told


# ---- messages that say what is missing ----

@pytest.mark.case('F16')
@pytest.mark.parametrize('args, words', [
    (['config', 'init', '--server', 'fe01'], "'fe01' has no address: expected --server NAME=IP"),
    (['config', 'init', '--service', 'SVC='], "'SVC=' has no port: expected --service NAME=PORT"),
    (['drain', 'x', '--timeout', '10'], 'it needs a unit, like 10s, 10m or 10h'),
    (['drain', 'x', '--deadline', 'soon'], 'a number and a unit'),
    (['drain', 'x', '--id', 'my drain'], 'up to 64 letters, digits and . _ @ -'),
    (['config', 'init', '-', '--pool', 'p', '--server', 'a=127.0.9.1', '--profile', 'SfB2019'],
     'known are exchange-transport, generic'),
    (['config', 'init', str(ROOT / 'README.md'), '--pool', 'p', '--server', 'a=127.0.9.1',
      '--service', 'S=1'], 'is there already, and is never overwritten'),
])
def test_a_refusal_says_what_is_allowed(args, words):
    done = run(POOLCTL, *args)
    assert done.returncode == 2 and words in done.stderr, done.stderr


@pytest.mark.brother('F16')
def test_the_profiles_are_listed():
    names = [path.stem for path in sorted(ROOT.glob('pool-config/profiles/*.yaml'))]
    listed = run(POOLCTL, 'config', 'profiles').stdout.splitlines()
    assert [line.split()[0] for line in listed[1:]] == names
    document = json.loads(run(POOLCTL, 'config', 'profiles', '-o', 'json').stdout)
    assert [one['profile'] for one in document['profiles']] == names


@pytest.mark.case('F19')
def test_show_takes_a_file_and_can_leave_defaults_out(file):
    path = file(SFB)
    shown = run(POOLCTL, 'config', 'show', path, 'fe2', '--no-defaults')
    assert shown.returncode == 0, shown.stderr
    assert '# default' not in shown.stdout and 'fe2:' in shown.stdout and 'fe1' not in shown.stdout
    whole = run(POOLCTL, 'config', 'show', path).stdout
    assert len(whole.splitlines()) > 1.5 * len(shown.stdout.splitlines())


@pytest.mark.brother('F19')
def test_what_is_shown_without_defaults_means_the_same(file, tmp_path):
    again = tmp_path / 'again.yaml'
    path = file(SFB)
    again.write_text(run(POOLCTL, 'config', 'show', path, '--no-defaults').stdout)
    both = [json.loads(run(POOLCTL, 'config', 'show', one, '-o', 'json').stdout)
            for one in (path, again)]
    assert without_origins(both[0]) == without_origins(both[1])


def without_origins(value):
    if isinstance(value, dict):
        return {key: without_origins(item) for key, item in value.items() if key != 'from'}
    return [without_origins(item) for item in value] if isinstance(value, list) else value


# ---- without poold ----

@pytest.mark.case('F5')
def test_the_log_and_a_text_say_what_a_service_was(pool, server):
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    text = (server.folder / 'state/saved.txt').read_text()
    for told in text, server.log():
        assert 'RTCSRV was running, startup automatic (delayed)' in told
        assert 'sc.exe config RTCSRV start= delayed-auto' in told
        assert 'Resume-Service RTCSRV' in told
    assert pool.poolctl('resume', 'frontend01').returncode == 0
    assert 'nothing to put back' in (server.folder / 'state/saved.txt').read_text()


@pytest.mark.brother('F5')
def test_a_name_with_spaces_is_quoted_and_a_stopped_service_is_not_started(make_pool):
    pool = make_pool(service="It's a fax", settle='100ms', tick='100ms', fields={
        'state': 'stopped', 'start_type': 'manual', 'delayed_auto_start': False})
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    text = (pool.servers[0].folder / 'state/saved.txt').read_text()
    assert "sc.exe config 'It''s a fax' start= demand" in text and 'Resume' not in text


@pytest.mark.brother('F5')
def test_a_new_store_does_not_make_the_text_forget(pool, server):
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    server.stop_poold()
    for path in (server.folder / 'state').glob('poold.sqlite*'):
        path.unlink()
    assert server.run_poold('run', '--config', server.config).returncode == 11
    assert 'RTCSRV was running' in (server.folder / 'state/saved.txt').read_text()


# ---- F13: files that are changed under a running poold ----

def change(file, before, after):
    """In place, as an editor does."""
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


def problem(server):
    return server.document()['config_problem']


def wait_config(server, before):
    """poold starts anew with the files, and does not answer for a moment."""
    def is_other():
        with contextlib.suppress(OSError, http.client.HTTPException):
            status, document = server.get('/v1/server')
            return status == 200 and document['config'] != before
    wait_until(is_other, 'the file is in use')


@pytest.mark.case('F13')
def test_poold_uses_a_file_that_was_changed(pool, server):
    before, session = server.document(), server.session()
    change(server.pool_file, 'settle: 100ms', 'settle: 150ms')
    change(pool.file, 'settle: 100ms', 'settle: 150ms')
    assert pool.poolctl('check').returncode == 4
    wait_config(server, before['config'])
    assert server.poold.poll() is None and problem(server) is None
    assert pool.poolctl('check', 'frontend01').returncode == 0
    assert server.document()['index'] > before['index']
    assert session.alive()
    assert 'the change of pool.yaml is in use now' in server.log()


@pytest.mark.case('F13')
def test_while_a_server_is_drained_a_change_waits(pool, server):
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    before = server.document()['config']
    change(server.pool_file, 'settle: 100ms', 'settle: 150ms')
    wait_until(lambda: problem(server), 'it is said')
    assert 'once nothing is drained, or after a restart' in problem(server)
    assert problem(server) in pool.poolctl('status').stdout
    assert server.document()['phase'] == 'drained' and server.document()['config'] == before
    time.sleep(7)  # two looks more
    assert server.log().count('once nothing is drained') == 1
    change(pool.file, 'settle: 100ms', 'settle: 150ms')
    resumed = pool.poolctl('resume', 'frontend01', '--all')
    assert resumed.returncode in (0, 9), resumed
    wait_config(server, before)
    assert problem(server) is None and pool.poolctl('check', 'frontend01').returncode == 0


@pytest.mark.case('F13')
def test_a_file_with_a_mistake_is_not_used(pool, server):
    before = server.document()['config']
    change(server.pool_file, 'settle:', 'setle:')
    wait_until(lambda: problem(server), 'it is said')
    assert "setle" in problem(server) and 'goes on with what it read before' in problem(server)
    assert server.document()['config'] == before
    said = pool.poolctl('check')
    assert said.returncode == 4 and 'setle' in said.stdout
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    assert pool.poolctl('resume', 'frontend01').returncode == 0
    change(server.pool_file, 'setle:', 'settle:')
    wait_until(lambda: 'is in use now' in server.log(), 'it is in use')
    server.wait_answer()
    assert problem(server) is None


@pytest.mark.brother('F13')
def test_a_key_that_needs_a_restart_is_named(pool, server):
    change(server.config, '/state\n', '/state2\n')
    wait_until(lambda: problem(server), 'it is said')
    assert "'state_dir' was changed in poold.yaml; restart poold" in problem(server)
    assert not (server.folder / 'state2').exists()


@pytest.mark.brother('F13')
def test_an_address_that_is_taken_is_given_up(pool, server):
    with socket.create_server((server.address, 0)) as other:
        port = other.getsockname()[1]
        change(server.config, 'server:', f'listen: {server.address}:{port}\nserver:')
        wait_until(lambda: 'goes on with what it read before' in server.log(), 'it is said')
        wait_until(lambda: problem(server), 'it is said')
        assert str(port) in problem(server) and 'cannot be used' in problem(server)
    assert pool.poolctl('drain', 'frontend01').returncode == 0


@pytest.mark.case('H17')
def test_poold_outlives_a_hangup(pool, server):
    server.poold.send_signal(signal.SIGHUP)
    wait_until(lambda: 'have not changed since poold read them' in server.log(), 'it is said')
    change(server.pool_file, 'settle: 100ms', 'settle: 150ms')
    server.poold.send_signal(signal.SIGHUP)
    wait_until(lambda: 'is in use now' in server.log(), 'it is in use')
    assert server.poold.poll() is None
