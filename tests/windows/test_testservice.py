"""The test service itself, asked through the SCM by scm.exe: what other tests build on."""

import contextlib
import json

import pytest

from wine import ScmError, Session, free_port, try_new_session, wait_until


class Service:
    """A test service of a machine, with the calls that these tests make often."""

    def __init__(self, machine, name, **options):
        self.machine, self.name, self.port = machine, name, free_port(hold=True)
        machine.install(name, self.port, **options)

    def scm(self, command, *args):
        return self.machine.scm(command, self.name, *args)

    def refusal(self, command):
        with pytest.raises(ScmError) as raised:
            self.scm(command)
        return raised.value.number

    def wait(self, state):
        return self.machine.wait_state(self.name, state)

    def session(self):
        return Session(self.machine.address, self.port)

    def try_new(self):
        return try_new_session(self.machine.address, self.port)


@pytest.fixture
def service(machine, request):
    """Makes a running service, named after the test, with the options given."""
    made = []

    def make(run=True, **options):
        made.append(Service(machine, request.node.name[:40] + str(len(made)), **options))
        if run:
            machine.start(made[-1].name)
        return made[-1]

    yield make
    for each in made:
        machine.remove(each.name)


def test_query_tells_what_create_was_told(service):
    one = service(run=False, display='Skype – „Front-End“ \\ 日本', start_type='manual')
    answer = one.scm('query')
    assert answer['display_name'] == 'Skype – „Front-End“ \\ 日本'
    assert (answer['state'], answer['start_type']) == ('stopped', 'manual')
    one.scm('startup', 'disabled')
    one.scm('display', 'Ünicode')
    answer = one.scm('query')
    assert (answer['start_type'], answer['display_name']) == ('disabled', 'Ünicode')
    assert one.refusal('start') == 1058
    assert one.refusal('pause') == one.refusal('stop') == 1062


def test_a_missing_service_is_missing(machine):
    assert machine.scm('query', 'NOBODY') == {'state': 'missing'}
    with pytest.raises(ScmError, match='1060'):
        machine.scm('pause', 'NOBODY')


def test_sessions_talk_hold_and_end(service):
    one = service()
    with one.session() as first, one.session() as second:
        first.talk('a b  c')
        second.hold()
        assert first.count() == 2
        second.end()
        wait_until(lambda: first.count() == 1, 'the end of a session')
        assert first.pid == one.scm('query')['pid']
        assert first.ask('NONSENSE').startswith('ERROR')


def test_pause_closes_the_listener_and_keeps_sessions(service):
    one = service()
    session = one.session()
    for _ in range(3):
        one.scm('pause')
        assert one.wait('paused')['accepts_pause']
        assert one.try_new() == 'refused'
        session.talk()
        one.scm('continue')
        one.wait('running')
        assert one.try_new() == 'taken'
        session.talk()
    session.end()


def test_refuse_answers_busy_while_paused(service):
    one = service(when_paused='refuse')
    session = one.session()
    one.scm('pause')
    one.wait('paused')
    assert one.try_new() == 'busy'
    session.talk()
    assert session.count() == 1
    one.scm('continue')
    one.wait('running')
    assert one.try_new() == 'taken'
    session.end()


def test_accept_takes_sessions_although_paused(service):
    one = service(when_paused='accept')
    one.scm('pause')
    one.wait('paused')
    assert one.try_new() == 'taken'


def test_deny_is_refused_with_1052(service):
    one = service(pause='deny')
    assert not one.scm('query')['accepts_pause']
    assert one.refusal('pause') == 1052
    assert one.machine.state(one.name) == 'running'
    with one.session() as session:
        session.set('pause', 'normal')
    assert one.scm('query')['accepts_pause']
    one.scm('pause')
    one.wait('paused')


def test_hang_stays_pending_until_released(service):
    one = service(pause='hang')
    session = one.session()
    one.scm('pause')
    for _ in range(5):
        answer = one.scm('query')
        assert (answer['state'], answer['checkpoint']) == ('pause_pending', 0)
        assert answer['wait_hint'] == 2000
    assert one.try_new() == 'taken'
    session.release()
    assert one.machine.state(one.name) == 'paused'
    assert one.try_new() == 'refused'
    session.end()


def test_hang_can_be_continued(service):
    one = service(pause='hang')
    one.scm('pause')
    one.scm('continue')
    one.wait('running')


def test_slow_reports_checkpoints_and_then_paused(service):
    one = service(pause='slow', slow_ms=1200)
    one.scm('pause')
    answer, checkpoints = one.scm('query'), []
    assert one.try_new() == 'taken'
    while answer['state'] == 'pause_pending':
        checkpoints.append(answer['checkpoint'])
        answer = one.scm('query')
    assert answer['state'] == 'paused'
    assert checkpoints == sorted(checkpoints) and len(set(checkpoints)) > 2
    assert one.try_new() == 'refused'


def test_ignore_says_yes_and_runs_on(service):
    one = service(pause='ignore')
    one.scm('pause')
    assert one.machine.state(one.name) == 'running'
    assert one.try_new() == 'taken'


def test_fail_leaves_the_service_running(service):
    one = service(pause='fail')
    assert one.scm('query')['accepts_pause']
    # Windows hands the error 120 to the caller, and Wine drops it.
    with contextlib.suppress(ScmError):
        one.scm('pause')
    assert one.machine.state(one.name) == 'running'
    assert one.try_new() == 'taken'


def test_late_keeps_the_caller_waiting(service):
    one = service(pause='late', slow_ms=1000)
    with one.machine.popen([one.machine.tool('scm'), 'poll', one.name]) as poll:
        print('pause-timed', file=poll.stdin, flush=True)
        assert one.machine.state(one.name) == 'running'
        assert json.loads(poll.stdout.readline())['control_us'] >= 990_000
        poll.stdin.close()
    assert one.machine.state(one.name) == 'paused'


def test_a_death_that_the_scm_sees_is_stopped_with_1067(service):
    one = service()
    other, session = one.session(), one.session()
    one.scm('pause')
    one.wait('paused')
    session.crash('DIE')
    answer = one.wait('stopped')
    assert (answer['pid'], answer['exit_code']) == (0, 1067)
    assert not other.alive()
    one.scm('start')
    assert one.wait('running')['pid'] != session.pid
    assert one.try_new() == 'taken'


def test_after_a_crash_sessions_are_gone_and_start_works(service):
    """Wine's SCM never sees a crash: until the start, it shows the state from before."""
    one = service()
    other, session = one.session(), one.session()
    one.scm('pause')
    one.wait('paused')
    session.crash()
    assert not other.alive()
    assert one.try_new() == 'refused'
    one.scm('start')
    wait_until(lambda: one.scm('query')['pid'] not in (0, session.pid), 'a new process')
    one.wait('running')
    assert one.try_new() == 'taken'


def test_stop_ends_sessions_and_start_begins_anew(service):
    one = service()
    session = one.session()
    one.scm('stop')
    one.wait('stopped')
    wait_until(lambda: not session.alive(), 'end of the session')
    assert one.try_new() == 'refused'
    one.scm('start')
    one.wait('running')
    assert one.try_new() == 'taken'


def test_slow_start_is_pending_first(service):
    one = service(run=False, start='slow', slow_ms=1500)
    one.scm('start')
    assert one.machine.state(one.name) == 'start_pending'
    assert one.try_new() == 'refused'
    assert one.refusal('pause') == 1061
    one.wait('running')
    assert one.try_new() == 'taken'


def test_two_thousand_sessions_live_on_through_a_pause(service):
    one = service()
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(one.session()) for _ in range(2000)]
        assert sessions[0].count() == 2000
        one.scm('pause')
        one.wait('paused')
        assert one.try_new() == 'refused'
        assert all(session.alive() for session in sessions[::50])
        assert sessions[0].count() == 2000
    one.scm('continue')
    one.wait('running')
    with one.session() as last:
        wait_until(lambda: last.count() == 1, 'end of the sessions')


def test_poll_answers_line_by_line(service):
    one = service()
    with one.machine.popen([one.machine.tool('scm'), 'poll', one.name]) as poll:
        def ask(line):
            print(line, file=poll.stdin, flush=True)
            return poll.stdout.readline()

        assert json.loads(ask('query'))['state'] == 'running'
        times = json.loads(ask('pause-timed'))
        assert 0 < times['control_us'] <= times['paused_us'] < 10_000_000
        # Under load Wine may answer 1053 to a control that follows another closely.
        wait_until(lambda: ask('continue') == 'ok\n', 'the service goes on')
        assert ask('dance').startswith('error 1 ')
        print('quit', file=poll.stdin, flush=True)
        assert poll.wait(60) == 0


def test_after_a_power_cut_automatic_services_start_and_manual_ones_do_not(service):
    automatic = service()
    manual = service(start_type='manual')
    changed = service()
    changed.scm('startup', 'manual')
    session = automatic.session()
    automatic.scm('pause')
    for _ in range(2):
        automatic.machine.power_cut()
        assert not session.alive()
        assert automatic.try_new() == 'refused'
        automatic.machine.boot()
        automatic.wait('running')
        assert automatic.try_new() == 'taken'
        assert manual.scm('query')['state'] == changed.scm('query')['state'] == 'stopped'
        assert changed.scm('query')['start_type'] == 'manual'


def test_machines_are_apart(three_machines):
    port = free_port(hold=True)
    for each in three_machines:
        each.install('RTCSRV', port)
        each.start('RTCSRV')
    three_machines[1].scm('pause', 'RTCSRV')
    three_machines[2].power_cut()
    assert [try_new_session(each.address, port) for each in three_machines] == [
        'taken', 'refused', 'refused']
    assert three_machines[0].state('RTCSRV') == 'running'
