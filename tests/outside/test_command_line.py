"""Cases A and F: the command line, and what it takes."""

import json
import os
import re
import shlex
import subprocess
import threading

import pytest

import canned
import pool as pools
from simulated import POOLD

# Each option that takes a value, with a command that has it.
VALUED = [
    *(('drain frontend01', option) for option in (
        'config', 'output', 'id', 'owner', 'reason', 'service', 'timeout', 'deadline',
        'on-deadline', 'until', 'force', 'confirm', 'lock-wait', 'heartbeat')),
    *(('events frontend01', option) for option in ('after', 'limit', 'head')),
    ('wait frontend01', 'for'),
    *(('config init', option) for option in ('pool', 'fqdn', 'profile', 'server', 'service')),
]


def run(*args):
    return subprocess.run([pools.POOLCTL, *args], capture_output=True, text=True, timeout=20,
                          stdin=subprocess.DEVNULL)


def fails(done, *words, status=2):
    assert done.returncode == status, done
    for word in words:
        assert word in done.stderr, done.stderr


@pytest.mark.brother('A1')
def test_an_unknown_flag_changes_nothing(pool, server):
    command = pool.poolctl('drain', 'frontend01', '--dry-rum')
    assert command.returncode == 2 and '--dry-run' in command.stderr
    assert 'see poolctl drain --help' in command.stderr
    assert server.document()['drains'] == []


@pytest.mark.case('A1')
def test_a_forgotten_value_takes_no_option_with_it(pool, server):
    fails(pool.poolctl('drain', 'frontend01', '--reason', '--dry-run'),
          '--reason needs a value', '--reason=--dry-run')
    assert server.document()['drains'] == []
    done = pool.poolctl('drain', 'frontend01', '--reason=--x')
    assert done.returncode == 0 and server.document()['drains'][0]['reason'] == '--x'


@pytest.mark.brother('A1')
@pytest.mark.parametrize('value', ['--dry-run', '-o', '--', '', None])
def test_no_option_takes_an_option_or_nothing_for_its_value(value):
    for command, option in VALUED:
        fails(run(*command.split(), f'--{option}', *[value for _ in range(value is not None)]),
              f'--{option} needs a value')


@pytest.mark.brother('A1')
def test_poold_reads_its_values_the_same_way():
    for args in ['--config', '--version'], ['--config', ''], ['--config=']:
        done = subprocess.run([POOLD, 'check', *args], capture_output=True, text=True, timeout=20)
        fails(done, '--config needs a value')


@pytest.mark.case('A7')
def test_what_is_usual_elsewhere_works(pool, server):
    done = pool.poolctl('drain', '--reason', 'KB1', '--deadline', '1d', '-o=json', '--',
                        'frontend01')
    assert done.returncode == 0 and json.loads(done.stdout)[0]['result'] == 'drained'
    for written in '1h30m', '2h05m', '1d2h3m4s5ms':
        assert pool.poolctl('check', 'frontend01', '--deadline', written).returncode != 2
    done = pool.poolctl('check', 'frontend01', '-ojson', '--force=floor', '--force=dns,last')
    assert json.loads(done.stdout)[0]['server'] == 'frontend01'
    forced = pool.poolctl('check', 'frontend01', '--force=floor', '--force=no_gate')
    fails(forced, 'no_gate')
    assert server.run_poold('check', f'--config={server.config}').returncode == 0


@pytest.mark.brother('A7')
@pytest.mark.parametrize('command, option', [
    pair for pair in VALUED if pair[1] not in ('service', 'force', 'confirm', 'server')])
def test_of_two_values_none_is_lost(command, option):
    values = {'output': 'json', 'for': 'drained', 'until': 'reboot', 'on-deadline': 'hold',
              'head': '0' * 64, 'limit': '7', 'after': '7'}
    value = values.get(option, '7s')
    fails(run(*command.split(), f'--{option}={value}', f'--{option}={value}'),
          f'--{option} is given twice')


@pytest.mark.case('A8')
def test_a_reason_of_several_lines_is_one_line(pool, server):
    joined = 'می\u200cخواهم 👩\u200d💻'
    done = pool.poolctl('drain', 'frontend01', '--reason', f'KB1\r\n  second line\t{joined}\n')
    assert done.returncode == 0, done
    assert server.document()['drains'][0]['reason'] == f'KB1 second line {joined}'
    assert joined in pool.poolctl('events', 'frontend01').stdout


@pytest.mark.brother('A8')
@pytest.mark.parametrize('option, value, word', [
    ('reason', 'x' * 600, 'at most 512 bytes, and this has 600'),
    ('owner', 'é' * 300, 'at most 512 bytes, and this has 600'),
    ('reason', 'KB\u200b1', 'U+200B'), ('reason', 'KB\x1b[2J', 'U+001B'),
    ('owner', '\u202eanna', 'U+202E'), ('service', 'A\x07', 'U+0007'),
    ('reason', ' \n', "cannot be ''")])
def test_a_text_that_cannot_be_says_why(option, value, word):
    fails(run('drain', 'frontend01', f'--{option}', value), f'--{option}', word)


@pytest.mark.case('A17')
def test_version_and_help_are_json_if_asked(pool):
    assert json.loads(run('version', '-o', 'json').stdout)['program'] == 'poolctl'
    assert json.loads(run('--version', '-o', 'jsonl').stdout)['version']
    commands = json.loads(run('help', '-o', 'json').stdout)['commands']
    assert {'drain', 'config check'} <= {command['command'] for command in commands}
    drain, = json.loads(run('drain', '--help', '-o', 'json').stdout)['commands']
    assert 'reason' in {option['option'] for option in drain['options']}
    assert len(json.loads(run('help', 'config', '-o', 'json').stdout)['commands']) == 6


@pytest.mark.brother('A17')
def test_a_check_of_a_file_is_json_if_asked(pool, server):
    good = json.loads(run('config', 'check', pool.file, '-o', 'json').stdout)
    assert (good['good'], good['pools'], good['servers'], good['mistakes']) == (True, 1, 1, [])
    poold = json.loads(run('config', 'check', '--poold', server.config, '-o', 'jsonl').stdout)
    assert poold['server'] == 'frontend01'
    pool.file.write_text('pools: {p: {porrt: 1}}')
    done = run('config', 'check', pool.file, '-o', 'json')
    bad = json.loads(done.stdout)
    assert done.returncode == 2 and not bad['good'] and bad['pools'] is None
    assert bad['mistakes'] == done.stderr.splitlines() and 'porrt' in done.stderr
    assert json.loads(run('config', 'check', '/none', '-o', 'json').stdout)['mistakes']


@pytest.mark.case('F7')
@pytest.mark.parametrize('word, meant', [
    ('undrain', 'resume'), ('uncordon', 'resume'), ('continue', 'resume'), ('enable', 'resume'),
    ('pause', 'drain'), ('cordon', 'drain'), ('list', 'status'), ('ls', 'status'),
    ('resme', 'resume'), ('config validate', 'config check'),
    ('config chekc', 'config check')])
def test_the_words_people_come_with_lead_to_the_right_one(word, meant):
    fails(run(*word.split(), 'frontend01'), f"unknown command '{word}' (did you mean '{meant}'?)")


@pytest.mark.case('F25')
@pytest.mark.parametrize('word', ['-?', '/?', '-h', '--help'])
def test_each_command_has_examples(word):
    commands = json.loads(run('help', '-o', 'json').stdout)['commands']
    for command in commands:
        done = run(*command['command'].split(), word)
        assert done.returncode == 0 and '\nExamples:\n  poolctl ' in done.stdout, command
    done = subprocess.run([POOLD, 'run', word], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and '\nExamples:\n  poold run\n' in done.stdout


# ---- what is said and what is not ----

OTHER = 'OTHERSRV'


@pytest.fixture
def wide(make_pool):
    """A server with a second service, which nobody drains."""
    made = make_pool(start=False)
    server = made.servers[0]
    content = json.loads(server.scm.path.read_text())
    content['services'][OTHER] = content['services'][made.service_name] | {'display_name': OTHER}
    server.scm.write(content)
    made.file.write_text(made.file.read_text().replace(
        '    services:\n', f'    services:\n      {OTHER}: {{ports: [{pools.free_port()}]}}\n'))
    return made.start()


@pytest.mark.case('A4')
def test_no_time_at_all_is_one_question(pool, server):
    done = pool.poolctl('wait', 'frontend01', '--for', 'serving', '--timeout', '0s')
    assert done.returncode == 0 and 'already serving' in done.stdout, done
    with server.session():
        done = pool.poolctl('drain', 'frontend01', '--timeout', '0s')
        fails(done, 'the drain goes on', status=6)
        done = pool.poolctl('wait', 'frontend01', '--for', 'drained', '--timeout', '0s')
        fails(done, 'not drained after 0s', status=6)
        assert server.document()['drains'][0]['out']
    server.wait_phase('drained')
    assert pool.poolctl('drain', 'frontend01', '--timeout', '0s').returncode == 0
    assert pool.poolctl('resume', 'frontend01', '--timeout', '0s').returncode in (0, 6)
    server.wait_phase('serving')
    done = pool.poolctl('resume', 'frontend01', '--timeout', '0s')
    assert done.returncode == 0 and 'already serving' in done.stdout, done


@pytest.mark.brother('A4')
def test_no_time_at_all_has_an_end(tmp_path):
    pool = canned.CannedPool(tmp_path, 1)
    over = threading.Event()
    pool.servers[0].replies |= {'GET /v1/server': lambda query: over.wait(20) and b''}
    command = pool.start_poolctl('wait', 'frontend01', '--for', 'drained', '--timeout', '0s')
    assert command.wait(8) == 3 and 'no answer yet' in command.text()
    over.set()


@pytest.mark.case('A11')
def test_the_hint_of_a_part_waits_for_that_part(wide):
    server = wide.servers[0]
    with server.session():
        done = wide.poolctl('drain', 'frontend01', '--service', wide.service_name,
                            '--timeout', '0s')
    hint = re.search(r'watch it: poolctl (wait .*?),', done.stderr)[1]
    assert '--id' in hint
    assert wide.poolctl(*hint.split(), '--timeout', '10s').returncode == 0
    by_service = wide.poolctl('wait', 'frontend01', '--for', 'drained', '--service',
                              wide.service_name, '--timeout', '0s')
    assert by_service.returncode == 0 and 'already drained' in by_service.stdout
    other = 'wait', 'frontend01', '--service', OTHER, '--timeout', '0s', '--for'
    assert wide.poolctl(*other, 'serving').returncode == 0
    assert wide.poolctl(*other, 'drained').returncode == 6
    assert wide.poolctl('wait', 'frontend01', '--for', 'drained', '--timeout', '0s').returncode == 6


@pytest.mark.brother('A11')
def test_a_drain_that_is_not_there_is_not_waited_for(wide):
    fails(wide.poolctl('wait', 'frontend01', '--for', 'drained', '--id', 'kb1'),
          'there is no drain kb1', status=9)
    fails(wide.poolctl('wait', 'frontend01', '--for', 'serving', '--id', 'kb1'), '--for drained')
    wide.poolctl('drain', 'frontend01', '--id', 'kb1', '--service', OTHER)
    fails(wide.poolctl('wait', 'frontend01', '--for', 'drained', '--id', 'kb1', '--service',
                       wide.service_name), 'does not cover', status=9)


@pytest.mark.case('A12')
def test_what_is_not_said_stays(pool, server):
    pool.poolctl('drain', 'frontend01', '--deadline', '2h', '--on-deadline', 'resume',
                 '--reason', 'KB1', '--until', 'reboot')
    before = server.document()['drains']
    done = pool.poolctl('drain', 'frontend01')
    assert done.returncode == 0 and server.document()['drains'] == before
    assert 'changing' not in done.stderr
    done = pool.poolctl('drain', 'frontend01', '--reason', 'KB2', '--deadline', '3h')
    now, = server.document()['drains']
    assert (now['reason'], now['deadline_s'], now['on_deadline']) == ('KB2', 10800, 'resume')
    assert 'reason was KB1, deadline was 2h' in done.stderr


@pytest.mark.brother('A12')
def test_what_is_said_is_named(wide):
    server = wide.servers[0]
    wide.poolctl('drain', 'frontend01', '--service', OTHER, '--deadline', '90m')
    done = wide.poolctl('drain', 'frontend01', '--deadline', 'none', '--until', 'reboot')
    assert 'deadline was 90m, until was resume, what it covers was less' in done.stderr
    assert server.document()['drains'][0]['deadline_at'] is None
    assert len(server.document()['drains'][0]['services']) == 2


@pytest.mark.case('A13')
@pytest.mark.parametrize('args', [['drain', 'frontend01', '--id', 'ci', '--owner', 'ci',
                                   '--service', OTHER],
                                  ['wait', 'frontend01', '--for', 'drained', '--service', OTHER],
                                  ['wait', 'frontend01', '--for', 'drained', '--id', 'ci']])
def test_what_others_cut_is_not_ours(wide, args):
    server = wide.servers[0]
    with server.session(), server.session():
        wide.poolctl('drain', 'frontend01', '--id', 'alice', '--service', wide.service_name,
                     '--deadline', '1s', '--on-deadline', 'stop')
        server.put('ci', {'reason': 'r', 'owner': 'ci', 'services': [OTHER]})
    assert wide.poolctl('wait', 'frontend01', '--for', 'drained', '--id', 'alice').returncode == 7
    done = wide.poolctl(*args)
    assert done.returncode == 0, done


@pytest.mark.case('A18')
def test_an_owner_stays_as_it_is_written(pool, server):
    ids = set()
    for name in 'gruppe/müller', 'gruppe/möller', 'gruppe/m-ller':
        env = os.environ | {'GITLAB_CI': '1', 'CI_PIPELINE_ID': '7', 'CI_PROJECT_PATH': name}
        # It is not this one's to end.
        assert pool.poolctl('resume', 'frontend01', env=env).returncode == (5 if ids else 0)
        assert pool.poolctl('drain', 'frontend01', env=env).returncode == 0
        drain, = [one for one in server.document()['drains'] if one['id'] not in ids]
        assert drain['owner'] == f'gitlab {name}#7'
        ids.add(drain['id'])
    assert len(ids) == 3


@pytest.mark.case('F6')
def test_anothers_drain_is_not_ended_by_the_way(pool, server):
    server.put('kb1', {'reason': 'disk', 'owner': 'alice@desk'})
    fails(pool.poolctl('resume', 'frontend01', '--id', 'kb1'), 'belongs to alice@desk: disk',
          'nothing was changed', '--force=owner', status=5)
    fails(pool.poolctl('resume', 'frontend01', '--id', 'kb1', '--force=floor'), '--force=owner')
    server.wait_phase('drained')
    done = pool.poolctl('resume', 'frontend01', '--id', 'kb1', '--force=owner')
    assert done.returncode == 0 and 'ending drain kb1 of alice@desk: disk' in done.stderr
    ended = [event for event in server.get('/v1/events?after=0')[1]['events']
             if event['kind'] == 'drain_ended']
    assert ended[0]['before']['owner'] == 'alice@desk' != ended[0]['who']


@pytest.mark.brother('F6')
def test_another_name_ends_no_drain_silently(pool, server):
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    fails(pool.poolctl('resume', 'frontend01', '--owner', 'bob'), 'belongs to', status=5)
    server.put('kb1', {'reason': 'disk', 'owner': 'bob'})
    done = pool.poolctl('resume', 'frontend01', '--id', 'kb1', '--owner', 'bob', '--no-wait')
    assert 'ending drain kb1 of bob: disk' in done.stderr
    server.put('kb1', {'reason': 'disk', 'owner': 'bob'})
    done = pool.poolctl('resume', 'frontend01', '--all')
    assert done.returncode == 0 and 'ending drain kb1 of bob: disk' in done.stderr


@pytest.mark.brother('F6')
def test_the_hint_to_end_a_drain_ends_it(pool, server):
    with server.session():
        done = pool.poolctl('drain', 'frontend01', '--id', 'kb1', '--owner', 'the pipeline',
                            '--timeout', '0s')
    hint = re.search(r'end it: poolctl (resume .*)\)', done.stderr)[1]
    assert pool.poolctl(*shlex.split(hint)).returncode == 0 and not server.document()['drains']


@pytest.mark.brother('F25')
def test_who_is_held_hears_how_to_end_it(pool, server):
    server.put('kb1', {'reason': 'disk', 'owner': 'bob'})
    hint = 'poolctl resume frontend01 --id kb1 --force=owner'
    fails(pool.poolctl('resume', 'frontend01'), hint, status=5)
    pool.poolctl('drain', 'frontend01')
    fails(pool.poolctl('resume', 'frontend01'), hint, status=5)
    server.put('kb2', {'reason': 'fan', 'owner': 'carol'})
    fails(pool.poolctl('resume', 'frontend01'), 'poolctl resume frontend01 --all', status=5)


@pytest.mark.brother('A1')
@pytest.mark.parametrize('args', [('drain', ''), ('status', ''), ('resume', 'frontend01', ''),
                                  ('events', '')])
def test_a_name_that_is_empty_is_said_to_be(pool, server, args):
    done = pool.poolctl(*args)
    assert done.returncode == 2 and 'is empty' in done.stderr
    assert server.document()['drains'] == []
