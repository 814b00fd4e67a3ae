"""Disks that are full or broken, databases that are not poold's, clocks that jump."""

import errno
import os
import sqlite3
import time

import pytest

from faults import Fault, report
from points import every_point
from sessions import wait_until
from story import Story, tell

OUT = ('paused', 'manual', True)
BACK = ('running', 'automatic', True)


# ---- each call fails ----

class FaultStory(Story):
    """A lasting fault is lifted a while after it was met first."""

    faults_are_refused = True
    LASTS_S = 0.3
    met_at = None

    def tend(self):
        self.look_after()
        fault = self.faults[0]
        if not self.met_at and fault.get('hits'):
            self.met_at = time.monotonic()
        if self.met_at and time.monotonic() > self.met_at + self.LASTS_S:
            fault.lift()


@pytest.mark.parametrize('what, is_lasting', [('ENOSPC', False), ('EIO', False),
                                              ('ENOSPC', True)])
def test_each_call_fails(what, is_lasting):
    def run(at):
        def make(folder):
            story = FaultStory(folder)
            story.add_fault(at, what, is_lasting)
            return story
        story, found = tell(make, f'{what} {"from" if is_lasting else "at"} call {at}')
        return found if story.is_met[0] or found else None
    results = every_point(run)
    found = [text for texts in results for text in texts]
    report(f'{what}{"_lasting" if is_lasting else ""}', fault=len(results),
           violations=len(found))
    assert len(results) > 100
    assert not found, f'{len(found)} violations at {len(results)} points:\n' + '\n'.join(found)


# ---- one fault at a time ----

def state_fault(server, at=0, what='ENOSPC', is_lasting=False, **options):
    folder = server.folder / 'fault'
    folder.mkdir()
    return Fault(folder, server.folder / 'state', at, what, is_lasting, **options)


def some_ticks(server, count=6):
    """Waits until poold has looked at the service that often."""
    seen = set()

    def looked():
        seen.add(server.document()['time'])
        return len(seen) > count
    wait_until(looked, f'{count} ticks')


def drain(server, **fields):
    status, _, body = server.put('kb1', {'reason': 'patch day'} | fields)
    if status == 400 and fields:
        pytest.skip(f'this poold does not take {", ".join(fields)} yet: {body["detail"]}')
    assert status == 201, body
    server.wait_phase('drained')
    assert server.scm.says() == OUT


def refused(answer, code='store'):
    status, _, body = answer
    return (status, body.get('code'), body.get('retryable')) == (503, code, True)


def is_back(server):
    document = server.document()
    return (server.scm.says() == BACK and document['phase'] == 'serving'
            and not document['drains'] and not document['services'][0]['saved'])


def test_the_disk_takes_no_writes_while_drained(server):
    fault = state_fault(server)
    server.start_poold(fault.env)
    drain(server)
    fault.arm(errno.EROFS)
    server.scm.change(state='running')
    wait_until(lambda: server.scm.says() == OUT, 'paused again')
    server.scm.change(start_type='automatic')
    wait_until(lambda: server.scm.says() == OUT, 'manual again')
    assert refused(server.delete('kb1'))
    assert refused(server.put('kb2', {'reason': 'another'}))
    some_ticks(server)
    document = server.document()
    assert (document['wanted'], server.scm.says()) == ('drained', OUT)
    assert [each['id'] for each in document['drains']] == ['kb1']
    assert document['services'][0]['saved'] and fault.get('hits') > 2
    fault.lift()
    status, _, body = server.delete('kb1')
    assert status == 200, body
    wait_until(lambda: is_back(server), 'back')
    assert server.stop_poold() == 0


def test_the_disk_is_full_while_resuming(server):
    """The store's last write is to forget what was saved; until then it is not back."""
    fault = state_fault(server)
    server.start_poold(fault.env)
    drain(server)
    # The service takes no continue for now, so that resuming lasts.
    server.scm.change(accepts_pause=False)
    assert server.delete('kb1')[0] == 200
    wait_until(lambda: server.scm.says() == ('paused', 'automatic', True), 'startup is back')
    fault.arm(errno.ENOSPC)
    server.scm.change(accepts_pause=True)
    wait_until(lambda: server.scm.says() == BACK, 'runs again')
    wait_until(lambda: fault.get('hits') and server.document()['phase'] == 'attention',
               'attention')
    assert server.service()['saved']
    server.kill_poold()
    fault.lift()
    server.start_poold()
    wait_until(lambda: is_back(server), 'back')


def refuses_to_start(server, status, env=None):
    """poold ends at once, says why, and changes nothing."""
    before = server.scm.path.read_bytes()
    server.launch_poold(env)
    wait_until(lambda: server.poold.poll() is not None, 'poold refuses to start', 10)
    assert server.poold.poll() == status, server.log()
    assert server.scm.path.read_bytes() == before
    return server.log().splitlines()[-1]


def test_the_state_directory_is_read_only(server):
    fault = state_fault(server, 1, 'EROFS', is_lasting=True)
    assert 'state' in refuses_to_start(server, 11, fault.env)
    assert not list(server.folder.glob('state/*'))


def test_the_state_directory_became_read_only_while_drained(server):
    server.start_poold()
    drain(server)
    server.kill_poold()
    fault = state_fault(server, 1, 'EROFS', is_lasting=True)
    server.start_poold(fault.env)
    server.wait_phase('drained')
    server.scm.change(state='running')
    wait_until(lambda: server.scm.says() == OUT, 'out again')
    assert server.document()['store']['failing']
    server.kill_poold()
    server.start_poold()
    server.wait_phase('drained')
    assert server.delete('kb1')[0] == 200
    wait_until(lambda: is_back(server), 'back')


def drained_and_stopped(server):
    """The database of a poold that was ended while drained, complete in one file."""
    server.start_poold()
    drain(server)
    assert server.stop_poold() == 0
    path = server.folder / 'state/poold.sqlite'
    assert not path.with_suffix('.sqlite-wal').exists()
    return path


def root_page(path, table):
    database = sqlite3.connect(path)
    page, = database.execute('SELECT rootpage FROM sqlite_schema WHERE name = ?', [table])
    size, = database.execute('PRAGMA page_size')
    database.close()
    return (page[0] - 1) * size[0], size[0]


def overwrite(path, offset, length, byte=b'\xa5'):
    with open(path, 'r+b') as file:
        file.seek(offset)
        file.write(byte * length)


@pytest.mark.parametrize('table', ['sqlite_schema', 'saved', 'drains', 'events', 'meta'])
@pytest.mark.parametrize('byte', [b'\xa5', b'\0'], ids=['garbage', 'zeros'])
def test_a_page_of_the_database_was_overwritten(server, table, byte):
    path = drained_and_stopped(server)
    good = path.read_bytes()
    offset, size = (0, 4096) if table == 'sqlite_schema' else root_page(path, table)
    overwrite(path, offset, size, byte)
    bad = path.read_bytes()
    assert 'poold.sqlite' in refuses_to_start(server, 11)
    assert path.read_bytes() == bad
    assert server.scm.says() == OUT
    path.write_bytes(good)
    server.start_poold()
    server.wait_phase('drained')
    assert server.delete('kb1')[0] == 200
    wait_until(lambda: is_back(server), 'back')


def test_the_database_was_cut_in_half(server):
    path = drained_and_stopped(server)
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)
    bad = path.read_bytes()
    assert 'poold.sqlite' in refuses_to_start(server, 11)
    assert path.read_bytes() == bad and server.scm.says() == OUT


def test_the_end_of_the_wal_was_overwritten(server):
    """SQLite takes it for the end of the log, so poold may start; nothing resumes."""
    server.start_poold()
    drain(server)
    server.kill_poold()
    path = server.folder / 'state/poold.sqlite-wal'
    overwrite(path, path.stat().st_size // 2, path.stat().st_size // 2)
    server.launch_poold()
    wait_until(lambda: server.poold.poll() is not None or 'serves frontend01' in server.log()
               .splitlines()[-1], 'poold starts or refuses to')
    if server.poold.poll() is None:
        server.wait_answer()
        some_ticks(server)
        assert server.document()['phase'] != 'serving'
    assert server.scm.says()[:2] == OUT[:2]


def test_a_newer_database(server):
    path = drained_and_stopped(server)
    database = sqlite3.connect(path)
    database.execute('PRAGMA user_version = 99')
    database.commit()
    database.close()
    newer = path.read_bytes()
    assert '99' in refuses_to_start(server, 11)
    assert path.read_bytes() == newer and server.scm.says() == OUT


def test_a_second_poold_on_the_same_state(server):
    server.start_poold()
    drain(server)
    first, config = server.poold, server.config.read_text()
    server.config.write_text(config + f'listen: {server.address}:0\n')
    assert 'another poold' in refuses_to_start(server, 12)
    server.poold = first
    some_ticks(server)
    assert server.document()['phase'] == 'drained'
    assert server.delete('kb1')[0] == 200
    wait_until(lambda: is_back(server), 'back')


# ---- the clock ----

HOUR = 3600


class Clock:
    """The time of day of a poold, in seconds that it is off."""

    def __init__(self, folder):
        self.path = folder / 'clock'
        self.set(0)

    def set(self, offset_s):
        fresh = self.path.with_suffix('.fresh')
        fresh.write_text(str(offset_s))
        fresh.rename(self.path)


@pytest.fixture
def clock(server):
    made = Clock(server.folder)
    server.start_poold(state_fault(server, clock=made.path).env)
    return made


def test_the_clock_is_the_one_that_poold_reads(server, clock):
    before = server.document()['time']
    clock.set(400 * 24 * HOUR)
    wait_until(lambda: server.document()['time'][:4] != before[:4], 'another year')


@pytest.mark.parametrize('jump', [2 * HOUR, -2 * HOUR, 400 * 24 * HOUR, -400 * 24 * HOUR])
def test_the_clock_jumps_while_drained(server, clock, jump):
    with server.session() as session:
        assert server.put('kb1', {'reason': 'patch day'})[0] == 201
        wait_until(lambda: server.service()['sessions']['count'] == 1, 'counted')
        clock.set(jump)
        some_ticks(server)
        document = server.document()
        assert (document['phase'], server.scm.says()) == ('draining', OUT), document
        session.end()
    server.wait_phase('drained')
    clock.set(0)
    some_ticks(server)
    assert (server.document()['phase'], server.scm.says()) == ('drained', OUT)
    assert server.delete('kb1')[0] == 200
    wait_until(lambda: is_back(server), 'back')
    ids = [event['id'] for event in server.get('/v1/events')[1]['events']]
    assert ids == list(range(1, len(ids) + 1))


@pytest.mark.parametrize('jump', [2 * HOUR, 400 * 24 * HOUR])
@pytest.mark.parametrize('act', ['resume', 'stop'])
def test_a_clock_that_jumps_forward_is_no_deadline(server, clock, jump, act):
    with server.session() as session:
        status, _, body = server.put('kb1', {'reason': 'r', 'deadline_s': HOUR,
                                             'on_deadline': act})
        if status == 400:
            pytest.skip(f'this poold does not take deadlines yet: {body["detail"]}')
        clock.set(jump)
        some_ticks(server)
        document = server.document()
        assert (document['phase'], server.scm.says()) == ('draining', OUT), document
        assert session.alive()


def test_a_clock_that_jumps_back_may_only_delay_the_deadline(server, clock):
    with server.session():
        began = time.monotonic()
        status, _, body = server.put('kb1', {'reason': 'r', 'deadline_s': 2,
                                             'on_deadline': 'resume'})
        if status == 400:
            pytest.skip(f'this poold does not take deadlines yet: {body["detail"]}')
        clock.set(-2 * HOUR)
        while time.monotonic() < began + 1.5:
            state = server.scm.says()
            assert state == OUT or time.monotonic() > began + 2
        clock.set(0)
        wait_until(lambda: is_back(server), 'the deadline resumes it')
        assert time.monotonic() - began >= 2
        assert server.get('/v1/drains/kb1')[1]['end_reason'] == 'deadline'
