"""The session source `command`: programs that count, and programs that do not."""

import os
import signal
import uuid

import pytest

from sources import Source, children, commands_with, wait_until_gone
from sessions import wait_until

SHELL = '/bin/sh'


def script(text, *arguments, pointer='-', timeout_ms=20000, **options):
    """A source whose program is a script; the shell is the program, named as such."""
    return Source('command', pointer, timeout_ms, SHELL, '-c', text, 'script', *arguments,
                  **options)


@pytest.fixture
def token():
    """A word that no other process has in its command line."""
    word = f'token-{uuid.uuid4()}'
    yield word
    for pid in commands_with(word):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize('printed, count', [
    ('7', 7), ('0\\n', 0), ('  12  ', 12), ('3.0', 3), ('1e2', 100), ('1000000000', 10**9),
    ('\\357\\273\\2775\\r\\n', 5),
])
def test_a_number_is_the_count(printed, count):
    with script(f"printf -- '{printed}'") as source:
        assert source.count() == count


@pytest.mark.parametrize('printed, why', [
    ('', 'it is empty'), ('\\n \\n', 'it is empty'),
    ('-1', 'it is no whole number from 0 to 1000000000: -1'),
    ('0.5', 'it is no whole number'), ('NaN', 'it is not JSON'), ('nan', 'it is not JSON'),
    ('1000000001', 'it is no whole number'), ('99999999999999999999', 'it is not JSON'),
    ('1e999', 'it is not JSON'), ('null', 'it is no whole number'),
    ('"7"', 'it is no whole number'), ('true', 'it is no whole number'),
    ('[7]', 'it is no whole number'), ('7 8', 'it is not JSON'), ('7x', 'it is not JSON'),
    ('{"a": 1, "a": 0}', 'it is not JSON'), ('07', 'it is not JSON'),
    ('7 \\033[31m', 'it is not JSON (line 1, column 3): 7 ?[31m'),
    ('oops\\n0', 'it is not JSON (line 1, column 4): oops'),
])
def test_anything_else_is_unknown_and_shown(printed, why):
    with script(f"printf -- '{printed}'") as source:
        error = source.error()
        assert error.startswith(f'what {SHELL} printed: ') and why in error
        assert error.isprintable()


@pytest.mark.parametrize('pointer, count', [('/a/1', 6), ('/b~1c', 7)])
def test_a_pointer_finds_the_number(pointer, count):
    with script('echo \'{"a": [5, 6], "b/c": 7}\'', pointer=pointer) as source:
        assert source.count() == count


@pytest.mark.parametrize('pointer, why', [
    ('/a/2', "it has nothing at '/a/2'"), ('/a', "what it has at '/a' is no whole number")])
def test_a_pointer_that_finds_no_number_is_unknown(pointer, why):
    with script('echo \'{"a": [5, 6]}\'', pointer=pointer) as source:
        assert why in source.error()


@pytest.mark.parametrize('text, why', [
    ('echo 0; exit 3', f'{SHELL} ended with exit status 3'),
    ('echo 0; echo "no database" >&2; echo more >&2; exit 1',
     f'{SHELL} ended with exit status 1: no database'),
    ('printf "\\n\\n\\033[2Jred\\n" >&2; exit 1', f'{SHELL} ended with exit status 1: ?[2Jred'),
    ('echo 0; kill -9 $$', f'{SHELL} ended with signal 9'),
])
def test_a_program_that_fails_is_unknown_whatever_it_printed(text, why):
    with script(text) as source:
        assert source.error() == why


def test_a_program_that_complains_and_succeeds_is_believed():
    with script('yes complaint | head -c 300000 >&2; echo 7') as source:
        assert source.count() == 7


def test_arguments_arrive_as_they_are(tmp_path):
    arguments = ['two words', '', '"quoted"', '$HOME `id` ; exit 1', '*', 'back\\slash\\', 'ü']
    file = tmp_path / 'arguments'
    with script('file=$1; shift; printf "%s\\n" "$@" >"$file"; echo $#', file,
                *arguments) as source:
        assert source.count() == len(arguments)
    assert file.read_text() == ''.join(argument + '\n' for argument in arguments)


def test_its_input_is_empty_and_its_environment_is_poolds():
    with script('test -z "$(cat)" && echo $((SESSIONS + 1))',
                env=os.environ | {'SESSIONS': '41'}) as source:
        assert source.count() == 42


@pytest.mark.parametrize('program, why', [
    ('/nowhere/count', 'No such file'), ('/etc/passwd', 'Permission denied'), ('/', 'denied')])
def test_a_program_that_cannot_run_is_unknown(program, why):
    with Source('command', '-', 5000, program) as source:
        error = source.error()
        assert error.startswith(f'{program} cannot be run: ') and why in error


def test_a_program_that_comes_later_is_found_then(tmp_path):
    program = tmp_path / 'count'
    with Source('command', '-', 20000, program) as source:
        assert 'cannot be run' in source.error()
        program.write_text('#!/bin/sh\necho 4\n')
        program.chmod(0o755)
        assert source.count() == 4


def test_its_time_limit_ends_it_with_all_that_it_started(token):
    with script('sleep 1000 & sleep 1000; echo 0', token, timeout_ms=300) as source:
        reading = source.read()
        assert reading['error'] == f'{SHELL} was ended after 0.3 s, its time limit'
        assert 300 <= reading['ms'] < 2000
        wait_until_gone(token)
        assert children(source.pid) == []


def test_one_that_ignores_being_asked_is_ended_too(token):
    with script('trap "" TERM INT HUP; while :; do sleep 0.1; done', token,
                timeout_ms=300) as source:
        assert 'time limit' in source.error()
        wait_until_gone(token)


def test_what_it_leaves_running_does_not_hold_the_reading_and_is_ended(token):
    with script(f'{SHELL} -c "while :; do sleep 0.1; done" {token} & echo 7') as source:
        reading = source.read()
        assert reading['count'] == 7 and reading['ms'] < 5000
        wait_until_gone(token)


def test_one_that_closes_its_output_and_goes_on_is_waited_for(token):
    with script('echo 7; exec >&- 2>&-; sleep 1000', token, timeout_ms=500) as source:
        assert 'time limit' in source.error()
        wait_until_gone(token)


def test_one_that_prints_too_much_is_ended(token):
    with script('yes', token) as source:
        assert source.error() == f'{SHELL} was ended, as it printed more than 65536 bytes'
        wait_until_gone(token)


def test_the_limit_of_what_it_prints_is_exact():
    text = 'printf 7; head -c {} /dev/zero | tr "\\\\0" " "'
    with script(text.format(65535)) as source:
        assert source.count() == 7
    with script(text.format(65536)) as source:
        assert 'more than 65536 bytes' in source.error()


def test_stopping_ends_it_at_once(token, tmp_path):
    started = tmp_path / 'started'
    with script(f'touch {started}; sleep 1000', token) as source:
        source.say('read')
        wait_until(started.exists, 'start of the program')
        source.stop()
        reading = source.answer()
        assert 'was ended, as poold is stopping' in reading['error']
        assert reading['ms'] < 5000
        wait_until_gone(token)


def test_no_file_of_poold_is_open_in_it(tmp_path):
    """Not even one that a library has left to be inherited."""
    held = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(held, True)
    try:
        # A pipeline would open files of the shell's own.
        with script('n=3; while [ $n -lt 256 ]; do [ -e /proc/$$/fd/$n ] && echo "open: $n"; '
                    'n=$((n + 1)); done; echo 7', pass_fds=[held]) as source:
            assert os.path.exists(f'/proc/{source.pid}/fd/{held}')
            assert source.count() == 7
    finally:
        os.close(held)


def test_readings_leave_nothing_open():
    with script('echo 7') as source:
        assert source.count() == 7
        before = sorted(os.listdir(f'/proc/{source.pid}/fd'))
        for _ in range(20):
            assert source.count() == 7
        assert sorted(os.listdir(f'/proc/{source.pid}/fd')) == before
        assert children(source.pid) == []


def test_signals_are_as_a_program_expects_them():
    """poold blocks and ignores some; a program that it runs must not.

    Those above 31 belong to the C library.
    """
    def block():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)

    with script('set -- $(grep -E "^Sig(Blk|Ign):" /proc/self/status); '
                'test $(((0x$2 | 0x$4) & 0x7fffffff)) = 0 && echo 1',
                preexec_fn=block) as source:
        assert source.count() == 1


def test_an_exit_status_that_is_lost_is_unknown():
    def ignore():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)

    with script('echo 0', preexec_fn=ignore) as source:
        assert 'an exit status that was lost' in source.error()


def test_where_there_is_no_windows_its_sources_are_unknown():
    for kind, what in (('counter', 'performance counters'), ('rds', 'Remote Desktop')):
        with Source(kind, 'active') as source:
            assert what in source.error()
