"""Cases A: what is printed, and where it goes."""

import json
import os
import signal
import socket
import subprocess
import threading

import pytest

import canned
import pool as pools
from sessions import wait_until
from simulated import POOLD


def many_events(server, count):
    """Each changes the reason of a drain; poold itself has no more to say by then."""
    def kinds():
        return [event['kind'] for event in server.get('/v1/events?after=0')[1]['events']]
    server.put('kb1', {'reason': 'KB', 'owner': 'alice'})
    wait_until(lambda: 'drained' in kinds(), 'it is drained')
    for i in range(count):
        server.put('kb1', {'reason': f'KB{i}', 'owner': 'alice'})


@pytest.mark.case('A5')
def test_a_file_that_can_be_read_once_is_read_once(pool):
    text = pool.file.read_text()
    shown = subprocess.run(['bash', '-c', f'"$0" config show --config <(cat {pool.file})',
                            pools.POOLCTL], capture_output=True, text=True, timeout=10)
    assert shown.returncode == 0 and 'frontend01' in shown.stdout
    fifo = pool.folder / 'fifo'
    os.mkfifo(fifo)
    for args in (['config', 'show', '-o', 'json', '--config', fifo], ['config', 'check', fifo],
                 ['status', '--config', fifo]):
        writer = threading.Thread(target=fifo.write_text, args=[text])
        writer.start()
        done = subprocess.run([pools.POOLCTL, *args], capture_output=True, text=True, timeout=10)
        writer.join()
        assert done.returncode == 0, done


@pytest.mark.brother('A5')
def test_poold_reads_its_file_once_too(server):
    done = subprocess.run(['bash', '-c', f'"$0" check --config <(cat {server.config})', POOLD],
                          capture_output=True, text=True, timeout=10)
    assert done.returncode == 0 and 'server frontend01' in done.stdout


@pytest.mark.case('A9')
def test_events_are_the_newest(pool, server):
    many_events(server, 12)
    last = server.get('/v1/events?after=0')[1]['last']
    done = pool.poolctl('events', 'frontend01', '--limit', '5', '-o', 'json')
    assert [event['id'] for event in json.loads(done.stdout)] == list(range(last - 4, last + 1))
    assert 'older events' in done.stderr and '--after 0' in done.stderr
    table = pool.poolctl('events', 'frontend01', '--limit', '5').stdout.splitlines()
    assert table[0].split()[:6] == ['ID', 'TIME', 'KIND', 'SERVICE', 'WHO', 'WHY']
    assert table[-1].startswith(f'{last} ') and ' KB11 ' in '\n'.join(table)


@pytest.mark.brother('A9')
def test_after_pages_forward(pool, server):
    many_events(server, 6)
    last = server.get('/v1/events?after=0')[1]['last']
    page = pool.poolctl('events', 'frontend01', '--after', '0', '--limit', '3', '-o', 'jsonl')
    assert [json.loads(line)['id'] for line in page.stdout.splitlines()] == [1, 2, 3]
    assert 'add --after 3' in page.stderr
    rest = pool.poolctl('events', 'frontend01', '--after', '3', '-o', 'json')
    assert json.loads(rest.stdout)[-1]['id'] == last and not rest.stderr
    assert not pool.poolctl('events', 'frontend01').stderr


@pytest.mark.case('A14')
def test_a_long_wait_is_not_silent(pool, server):
    with server.session():
        done = pool.poolctl('drain', 'frontend01', '--timeout', '1s', '--heartbeat', '200ms')
    lines = [line for line in done.stderr.splitlines() if ', after ' in line]
    assert len(lines) >= 3 and '1 of 1 sessions left' in lines[-1], done.stderr


@pytest.mark.brother('A14')
@pytest.mark.parametrize('args', [
    ['wait', 'frontend01', '--for', 'drained'],
    ['wait', 'frontend02', '--for', 'drained']])
def test_each_wait_has_its_heartbeat(make_pool, args):
    pool = make_pool(2)
    pool.servers[1].kill_poold()
    done = pool.poolctl(*args, '--timeout', '1s', '--heartbeat', '200ms')
    assert len(done.stderr.splitlines()) >= 4, done.stderr
    quiet = pool.poolctl(*args, '--timeout', '500ms', '--heartbeat', '0s')
    lines = [line for line in quiet.stderr.splitlines() if 'nothing drains it' not in line]
    assert len(lines) <= 2, quiet.stderr


LOST = 'cannot write the output: No space left on device\n'


@pytest.mark.case('A2')
@pytest.mark.parametrize('args', [
    ['status', '-o', 'json'], ['status'], ['check', 'frontend01'], ['sessions', 'frontend01'],
    ['events', 'frontend01', '-o', 'jsonl'], ['events', 'frontend01', '--follow', '--after', '0'],
    ['status', '--watch'], ['wait', 'frontend01', '--for', 'serving'], ['config', 'show'],
    ['config', 'check'], ['config', 'schema'], ['config', 'reference'], ['version'], ['help'],
    ['drain', '--help'], ['drain', 'frontend01', '--dry-run'], ['drain', 'frontend01'],
    ['--dump-operation']], ids=' '.join)
def test_output_that_is_lost_is_no_success(pool, args):
    if args[0].startswith('--'):
        command = [pools.POOLCTL, *args]
    else:
        command = [pools.POOLCTL, *args, '--config', pool.file]
    with open('/dev/full', 'w', encoding='ascii') as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=20)
    assert done.returncode == 1 and done.stderr.endswith(f'poolctl: {LOST}'), done


@pytest.mark.brother('A2')
@pytest.mark.parametrize('args', [['check'], ['preflight'], ['--version'], ['--dump-states']],
                         ids=' '.join)
def test_poold_says_so_too(server, args):
    with open('/dev/full', 'w', encoding='ascii') as full:
        done = subprocess.run([POOLD, *args, '--config', server.config], stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=20)
    assert done.returncode == 1 and done.stderr.endswith(f'poold: {LOST}'), done


@pytest.mark.brother('A2')
def test_a_reader_that_goes_away_is_no_failure(pool):
    for before, status in ('', 141), ("trap '' PIPE; ", 0):
        done = subprocess.run(
            ['bash', '-c', f'{before}("$0" status -o json --config {pool.file}; echo $? >&2)'
             ' | true', pools.POOLCTL], capture_output=True, text=True, timeout=20)
        assert done.stderr in (f'{status}\n', '0\n'), done


@pytest.mark.case('A3')
def test_a_closed_stream_is_no_connection(pool, server):
    done = subprocess.run(['bash', '-c', 'exec "$0" drain frontend01 --reason x --config "$1"'
                           ' <&- >&- 2>&-', pools.POOLCTL, pool.file], check=False, timeout=20)
    assert done.returncode == 0 and server.document()['phase'] == 'drained'
    assert 'invalid' not in server.log() and server.document()['drains'][0]['reason'] == 'x'


@pytest.mark.brother('A3')
def test_poold_without_streams_writes_nothing_into_its_files(make_pool):
    pool = make_pool(start=False)
    server = pool.servers[0]
    server.poold = subprocess.Popen(
        ['bash', '-c', f'exec "$0" run --config {server.config} <&- >&- 2>&-', POOLD])
    server.wait_answer()
    assert {os.readlink(f'/proc/{server.poold.pid}/fd/{i}') for i in range(3)} == {'/dev/null'}


@pytest.mark.case('A10')
@pytest.mark.parametrize('reason', ['a\u200cb', 'a\u200bb', 'a\x9bb', 'a\u202eb', 'tür', 'a\x7fb'])
def test_json_says_what_was_written(tmp_path, reason):
    pool = canned.CannedPool(tmp_path, 1)
    server = pool.servers[0]
    events = canned.record(3, who=reason)
    canned.CannedRecord(server, events)
    for how in 'json', 'jsonl':
        done = pool.poolctl('events', 'frontend01', '-o', how)
        shown = json.loads(f'[{",".join(done.stdout.split(chr(10)))[:-1]}]')
        assert (shown[0] if how == 'json' else shown) == events
        assert '\x7f' not in done.stdout and '\x9b' not in done.stdout
    assert pool.poolctl('events', 'frontend01', '--verify').returncode == 0
    assert '\x9b' not in pool.poolctl('events', 'frontend01').stdout


@pytest.mark.case('A15')
@pytest.mark.parametrize('args, left', [
    (['drain', 'frontend01', '--id', 'kb1'], 'a reservation ends by itself within 15 s'),
    (['wait', 'frontend01', '--for', 'drained'], 'nothing was asked for'),
    (['events', 'frontend01', '--follow'], 'ended at once')])
def test_a_second_interrupt_ends_at_once(tmp_path, args, left):
    """Both are pending when it goes on, so nothing lies between them."""
    pool = canned.CannedPool(tmp_path, 1)
    hang = threading.Event()
    pool.servers[0].replies |= {'GET /v1/server': lambda query: hang.wait(20) and b''}
    command = pool.start_poolctl(*args)
    wait_until(lambda: pool.servers[0].requests, 'it asks')
    os.kill(command.process.pid, signal.SIGSTOP)
    os.kill(command.process.pid, signal.SIGINT)
    os.kill(command.process.pid, signal.SIGTERM)
    os.kill(command.process.pid, signal.SIGCONT)
    assert command.wait(5) == 130 and left in command.text(), command.text()
    hang.set()


@pytest.fixture
def silent_dns(tmp_path):
    """A resolver that hears and says nothing; what a program is started with to have it."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        listener.bind(('127.0.0.77', 53))
        subprocess.run(['unshare', '-m', 'true'], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip('needs root')
    listener.settimeout(10)
    conf = tmp_path / 'resolv.conf'
    conf.write_text('nameserver 127.0.0.77\n')
    yield listener, ['unshare', '-m', 'sh', '-c',
                     f'mount --bind {conf} /etc/resolv.conf; exec "$0" "$@"']
    listener.close()


@pytest.mark.brother('A15')
@pytest.mark.parametrize('args', [['drain', 'fe1'], ['resume', 'fe1']], ids=' '.join)
def test_an_interrupt_ends_also_while_dns_is_silent(silent_dns, tmp_path, args):
    listener, wrapped = silent_dns
    file = tmp_path / 'pool.yaml'
    file.write_text('pools: {p: {services: {S: {ports: [7000]}}, servers: {fe1: '
                    '{address: 127.0.1.1, url: "http://silent.example:8650"}}}}\n')
    command = pools.Poolctl([*wrapped, pools.POOLCTL, '--config', file, *args])
    listener.recv(512)
    command.process.send_signal(signal.SIGINT)
    try:
        assert command.wait(5) == 130
        assert 'interrupted; nothing was changed' in command.text()
    finally:
        command.process.kill()


@pytest.mark.brother('A2')
@pytest.mark.parametrize('command, phase', [('drain', 'drained'), ('resume', 'serving')])
def test_a_reader_that_goes_away_ends_no_operation(make_pool, command, phase):
    pool = make_pool(2)
    text = pool.file.read_text()
    pool.file.write_text(text.replace('max_out: 1', 'max_out: 2').replace('floor: 1', 'floor: 0'))
    if command == 'resume':
        assert pool.poolctl('drain', 'frontend01').returncode == 0
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([pools.POOLCTL, '--config', pool.file, command, 'frontend01'],
                          stdout=writer, stderr=writer, timeout=60, check=False)
    os.close(writer)
    assert done.returncode == 0
    assert pool.servers[0].document()['phase'] == phase


# ---- Nagios ----

@pytest.mark.case('A16')
def test_a_check_for_nagios(make_pool):
    pool = make_pool(2)
    good = pool.poolctl('check', '--nagios')
    assert good.returncode == 0 and not good.stderr
    assert good.stdout == (
        "POOLCTL OK - fe-pool01: 2 of 2 serve | 'fe-pool01 serving'=2;;;0;2 "
        "'fe-pool01 answered'=2;;;0;2 'fe-pool01 sessions'=0;;;0\n")
    pool.servers[0].stop_poold()
    bad = pool.poolctl('check', 'fe-pool01', '--nagios')
    assert bad.returncode == 2 and bad.stdout.startswith('POOLCTL CRITICAL - fe-pool01: 1 of 2 ')
    assert bad.stdout.count('\n') == 1 and bad.stdout.count('|') == 1
    assert "answered'=1" in bad.stdout and 'sessions' not in bad.stdout.split('|')[1]


@pytest.mark.brother('A16')
@pytest.mark.parametrize('args', [('check', 'nosuch', '--nagios'), ('check', '--nagios', '-o', 'json'),
                                  ('check', 'frontend01', '--nagios'),
                                  ('check', '--nagios', '--deadline', 'x')])
def test_a_check_for_nagios_that_cannot_be_made_is_unknown(pool, args):
    done = pool.poolctl(*args)
    assert done.returncode == 3 and done.stdout.startswith('POOLCTL UNKNOWN - ')


@pytest.mark.brother('A16')
def test_a_check_for_nagios_whose_line_is_lost_is_unknown(pool):
    with open('/dev/full', 'w', encoding='ascii') as full:
        done = subprocess.run([pools.POOLCTL, '--config', pool.file, 'check', '--nagios'],
                              stdout=full, stderr=subprocess.PIPE, text=True, timeout=20)
    assert done.returncode == 3 and 'cannot write the output' in done.stderr



@pytest.mark.brother('A16')
def test_a_check_for_nagios_of_a_file_with_mistakes_is_unknown(pool):
    pool.file.write_text('pools: 1\n')
    done = pool.poolctl('check', '--nagios')
    assert done.returncode == 3 and done.stdout.startswith('POOLCTL UNKNOWN - ')
