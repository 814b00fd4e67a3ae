"""The store of poold and its disk, broken on purpose: cases H and G3."""

import errno
import hashlib
import json
import os
import shutil
import sqlite3
import threading
import time

import pytest

from faults import Fault
from sessions import wait_until

OUT = ('paused', 'manual', True)
BACK = ('running', 'automatic', True)
BODY = {'reason': 'patch day', 'owner': 'alice'}


def disk(server, what='ENOSPC', at=0):
    """A fault of the state directory, which is lasting."""
    folder = server.folder / 'fault'
    folder.mkdir(exist_ok=True)
    return Fault(folder, server.folder / 'state', at, what, is_lasting=True)


def drain(server):
    assert server.put('kb1', BODY)[0] == 201
    server.wait_phase('drained')
    assert server.scm.says() == OUT


def store_of(server):
    return server.document()['store']


def kinds(server):
    return [event['kind'] for event in server.get('/v1/events')[1]['events']]


# ---- a start on a disk that takes no writes ----

@pytest.mark.case('H10')
@pytest.mark.parametrize('what', ['ENOSPC', 'EROFS', 'EIO'])
@pytest.mark.parametrize('is_killed', [True, False], ids=['killed', 'stopped'])
def test_a_start_on_a_disk_that_takes_no_writes_holds_the_drain(server, what, is_killed):
    drain(server)
    before = kinds(server)
    if is_killed:
        server.kill_poold()
    else:
        assert server.stop_poold() == 0
    server.scm.change(state='running')
    fault = disk(server, what, at=1)
    server.start_poold(fault.env)
    wait_until(lambda: server.scm.says() == OUT, 'out again')
    server.wait_phase('drained')
    store = store_of(server)
    assert store['failing'] and store['problem'] and store['unwritten'], store
    # What must write is refused, and what is on the disk can be read.
    status, _, problem = server.put('kb2', BODY)
    assert (status, problem['code']) == (503, 'store')
    assert kinds(server) == before
    checked = server.pool.poolctl('check', 'frontend01')
    assert checked.returncode == 4 and 'cannot write its store' in checked.stdout
    fault.lift()
    wait_until(lambda: not store_of(server)['failing'], 'written again', 20)
    assert kinds(server)[:len(before)] == before and 'drift' in kinds(server)[len(before):]
    assert server.pool.poolctl('events', 'frontend01', '--verify').returncode == 0
    assert server.delete('kb1')[0] == 200
    wait_until(lambda: server.scm.says() == BACK, 'back')


@pytest.mark.brother('H10')
def test_the_index_goes_on_over_starts_that_cannot_write(server):
    indexes = [server.document()['index']]
    for _ in range(2):
        server.kill_poold()
        server.start_poold(disk(server, 'EROFS', at=1).env)
        indexes.append(server.document()['index'])
    server.kill_poold()
    server.start_poold()
    indexes.append(server.document()['index'])
    assert indexes == sorted(set(indexes))


@pytest.mark.brother('H10')
def test_a_disk_that_takes_no_writes_and_has_no_store_is_refused(make_pool):
    server = make_pool(start=False).servers[0]
    server.launch_poold(disk(server, 'EROFS', at=1).env)
    wait_until(lambda: server.poold.poll() is not None, 'poold refuses to start')
    assert server.poold.poll() == 11 and not list(server.folder.glob('state/*'))


# ---- another program has a lock on the file ----

@pytest.fixture
def lock(server):
    """A function that takes the lock for writing, as a browser or a backup does."""
    other = sqlite3.connect(server.folder / 'state/poold.sqlite', isolation_level=None,
                            check_same_thread=False)
    yield lambda sql: other.execute(sql)
    other.close()


@pytest.mark.case('H9')
def test_a_lock_on_the_store_does_not_delay_the_guard(server, lock):
    drain(server)
    lock('BEGIN IMMEDIATE')
    took = []
    for _ in range(3):
        began = time.monotonic()
        server.scm.change(state='running')
        wait_until(lambda: server.scm.says() == OUT, 'out again')
        took.append(time.monotonic() - began)
    # With a wait for the lock it is five seconds and more each time.
    assert sorted(took)[1] < 5, took
    wait_until(lambda: store_of(server)['unwritten'], 'events wait')
    assert 'locked' in store_of(server)['problem']
    lock('ROLLBACK')
    wait_until(lambda: not store_of(server)['failing'], 'written again', 10)
    assert kinds(server).count('drift') == 3


@pytest.mark.brother('H9')
def test_what_a_lock_kept_from_being_written_is_written_soon(server, lock):
    server.scm.change(accepts_pause=False)
    assert server.put('kb1', BODY)[0] == 201
    lock('BEGIN IMMEDIATE')
    server.scm.change(accepts_pause=True)
    wait_until(lambda: store_of(server)['failing'], 'nothing can be saved')
    assert server.scm.says() == BACK
    # Attempts at 1, 3, 7 and 15 s would leave the next one far away.
    time.sleep(4)
    lock('ROLLBACK')
    # With a growing distance it is tried again after 8 s and more.
    wait_until(lambda: server.scm.says() == OUT, 'out', 3)
    server.wait_phase('drained')
    lock('BEGIN IMMEDIATE')
    status, _, problem = server.delete('kb1')
    assert (status, problem['code']) == (503, 'store')
    lock('ROLLBACK')
    assert server.delete('kb1')[0] == 200
    wait_until(lambda: server.scm.says() == BACK and not server.service()['saved'], 'back')


@pytest.mark.brother('H9')
def test_a_request_waits_for_a_short_lock(server, lock):
    def is_taken():
        lock('BEGIN IMMEDIATE')
        timer = threading.Timer(0.05, lambda: lock('ROLLBACK'))
        timer.start()
        status = server.put('kb1', BODY)[0]
        timer.join()
        return status == 201
    # A machine that is busy may release the lock too late, but not each time.
    assert any(is_taken() for _ in range(10))


# ---- the files are removed, replaced or damaged under poold ----

def remove_folder(state):
    state.rename(state.with_name('gone'))
    state.mkdir()


def put_folder_back(state):
    shutil.rmtree(state)
    state.with_name('gone').rename(state)


def move_away(name):
    return (lambda state: (state / name).rename(state / 'gone'),
            lambda state: (state / 'gone').rename(state / name))


def replace(state):
    """By a copy of itself, which looks the same."""
    shutil.copy(state / 'poold.sqlite', state / 'copy')
    (state / 'poold.sqlite').rename(state / 'gone')
    (state / 'copy').rename(state / 'poold.sqlite')


def put_original_back(state):
    (state / 'gone').rename(state / 'poold.sqlite')


TAKEN_AWAY = {'folder': (remove_folder, put_folder_back), 'file': move_away('poold.sqlite'),
              'log': move_away('poold.sqlite-wal'), 'index': move_away('poold.sqlite-shm'),
              'replaced': (replace, put_original_back)}


@pytest.mark.case('H14')
@pytest.mark.parametrize('what', TAKEN_AWAY)
def test_nothing_is_acknowledged_on_a_store_that_is_gone(server, what):
    take, put_back = TAKEN_AWAY[what]
    take(server.folder / 'state')
    status, _, problem = server.put('kb1', BODY)
    assert (status, problem.get('code')) == (503, 'store'), problem
    assert server.scm.says() == BACK
    wait_until(lambda: store_of(server)['failing'], 'known')
    assert 'removed or replaced' in store_of(server)['problem']
    put_back(server.folder / 'state')
    wait_until(lambda: not store_of(server)['failing'], 'the store works again', 20)
    drain(server)


@pytest.mark.case('H14')
def test_a_store_that_is_gone_is_known_without_a_request(server):
    drain(server)
    remove_folder(server.folder / 'state')
    wait_until(lambda: store_of(server)['failing'], 'known', 20)
    pool = server.pool
    assert 'cannot write its store' in pool.poolctl('status').stdout
    for target in 'frontend01', 'fe-pool01':
        assert pool.poolctl('check', target).returncode == 4
    assert pool.poolctl('drain', 'frontend01', '--dry-run').returncode != 0
    # It is kept out all the same.
    server.scm.change(state='running')
    wait_until(lambda: server.scm.says() == OUT, 'out again')
    status, _, problem = server.delete('kb1')
    assert (status, problem.get('code')) == (503, 'store'), problem


@pytest.mark.brother('H14')
@pytest.mark.parametrize('what', ['zeros', 'garbage', 'older'])
def test_a_store_that_was_overwritten_in_place_takes_no_drain(server, what):
    state = server.folder / 'state'
    path = state / 'poold.sqlite'
    older = state / 'older'
    # All of it in one file, as a copy of it is.
    assert server.stop_poold() == 0
    shutil.copy(path, older)
    server.start_poold()
    assert server.put('kb1', BODY)[0] == 201
    assert server.delete('kb1')[0] == 200
    wait_until(lambda: not server.service()['saved'], 'back')
    with sqlite3.connect(path) as other:
        other.execute('PRAGMA wal_checkpoint(TRUNCATE)')
    other.close()
    good = path.read_bytes()
    bad = {'garbage': b'\xa5' * len(good), 'older': older.read_bytes(),
           'zeros': good[:4096] + bytes(len(good) - 4096)}[what]
    with open(path, 'r+b') as file:
        file.write(bad)
    status, _, problem = server.put('kb2', BODY)
    assert (status, problem.get('code')) == (503, 'store'), problem
    assert server.scm.says() == BACK
    wait_until(lambda: store_of(server)['failing'], 'known')
    with open(path, 'r+b') as file:
        file.write(good)
    wait_until(lambda: not store_of(server)['failing'], 'the store works again', 20)
    assert server.put('kb2', BODY)[0] == 201


@pytest.mark.brother('H14')
@pytest.mark.parametrize('spoil', [lambda path: path.unlink(),
                                   lambda path: path.write_text('mine')],
                         ids=['removed', 'overwritten'])
def test_the_text_for_people_is_written_again(server, spoil):
    drain(server)
    path = server.folder / 'state/saved.txt'
    text = path.read_text()
    spoil(path)
    wait_until(lambda: path.exists() and 'RTCSRV was running' in path.read_text(),
               'written again', 20)
    assert path.read_text().splitlines()[2:] == text.splitlines()[2:]


# ---- a full disk ----

@pytest.fixture
def full(make_pool):
    """A server whose disk is full when the fault is armed; removing the reserve makes room."""
    server = make_pool(start=False).servers[0]
    fault = disk(server)
    server.start_poold(fault.env)
    yield server, fault
    fault.close()


@pytest.mark.case('G3')
def test_a_full_disk_does_not_prevent_a_resume(full):
    server, fault = full
    drain(server)
    reserve = server.folder / 'state/poold.reserve'
    assert reserve.stat().st_size == 1 << 20
    fault.arm(errno.ENOSPC)
    status, _, problem = server.put('kb2', BODY)
    assert (status, problem.get('code')) == (503, 'store')
    assert reserve.exists()
    resumed = server.pool.poolctl('resume', 'frontend01', '--id', 'kb1', '--force=owner')
    assert resumed.returncode == 0, resumed.stderr
    assert server.scm.says() == BACK
    wait_until(lambda: reserve.exists() and reserve.stat().st_size == 1 << 20, 'made again', 20)


@pytest.mark.brother('G3')
def test_a_full_disk_does_not_prevent_the_resume_of_a_poold_that_was_started_on_it(server):
    drain(server)
    assert server.stop_poold() == 0
    fault = disk(server, 'ENOSPC', at=1)
    server.start_poold(fault.env)
    assert store_of(server)['failing']
    assert server.delete('kb1')[0] == 200
    wait_until(lambda: server.scm.says() == BACK and not server.service()['saved'], 'back')


@pytest.mark.brother('G3')
def test_a_full_disk_does_not_prevent_the_end_at_a_deadline(full):
    server, fault = full
    with server.session():
        assert server.put('kb1', BODY | {'deadline_s': 2, 'on_deadline': 'resume'})[0] == 201
        fault.arm(errno.ENOSPC)
        wait_until(lambda: server.scm.says() == BACK and not server.service()['saved'], 'back')


@pytest.mark.case('G3')
def test_that_events_were_lost_is_known_after_a_restart(full):
    server, fault = full
    drain(server)
    written = len(kinds(server))
    fault.arm(errno.ENOSPC)
    server.scm.change(state='running')
    wait_until(lambda: server.scm.says() == OUT and store_of(server)['unwritten'] > 2, 'waiting')
    server.kill_poold()
    losses = (server.folder / 'state/poold.losses').read_text()
    assert int(losses.split()[1]) >= 3 and len(losses) == 42
    fault.lift()
    server.start_poold()
    wait_until(lambda: 'lost' in kinds(server), 'said in the record', 10)
    event = [each for each in server.get('/v1/events')[1]['events'] if each['kind'] == 'lost'][0]
    assert event['id'] > written
    assert event['text'].split()[0] == losses.split()[1]
    verified = server.pool.poolctl('events', 'frontend01', '--verify')
    assert verified.returncode == 0 and f'{losses.split()[1]} events were lost' in verified.stdout
    # It is said once.
    server.kill_poold()
    server.start_poold()
    wait_until(lambda: kinds(server)[-1] == 'poold_started', 'started')
    assert kinds(server).count('lost') == 1


# ---- how much is written ----

@pytest.mark.case('H13')
def test_a_service_that_flaps_while_it_serves_does_not_fill_the_record(server):
    for _ in range(30):
        for state, phase in ('stopped', 'attention'), ('running', 'serving'):
            server.scm.change(state=state)
            server.wait_phase(phase)
    events = server.get('/v1/events')[1]['events']
    phases = [event for event in events if event['kind'] == 'phase']
    # One more for each minute that this takes.
    assert 20 <= len(phases) < 30, phases
    assert len([line for line in server.log().splitlines() if 'attention' in line]) <= 30
    # A drain is told all the same, and says what was left out.
    drain(server)
    told = [event['text'] for event in server.get('/v1/events')[1]['events']
            if event['kind'] == 'phase'][len(phases):]
    assert 'changes between were left out' in told[0] and 'drained' in told[-1], told


def add_events(path, count):
    """Adds events as poold does."""
    database = sqlite3.connect(path)
    last, head = database.execute('SELECT id, hash FROM events ORDER BY id DESC').fetchone()
    rows = []
    for number in range(last + 1, last + count + 1):
        event = {'id': number, 'time': '1970-01-01T00:00:01.000Z', 'kind': 'action', 'text': 'x'}
        event |= dict.fromkeys(['service', 'who', 'from', 'why', 'before', 'after'])
        text = json.dumps(event, sort_keys=True, separators=(',', ':'))
        head = hashlib.sha256(f'{head}\n{text}'.encode()).hexdigest()
        rows.append((number, head))
    database.executemany('INSERT INTO events(id, time, kind, text, hash) '
                         "VALUES(?, 1000, 'action', 'x', ?)", rows)
    database.commit()
    database.close()


@pytest.mark.case('H13')
def test_the_record_keeps_its_newest_events_and_stays_a_chain(server):
    path = server.folder / 'state/poold.sqlite'
    assert server.stop_poold() == 0
    add_events(path, 101500)
    server.start_poold()

    def first():
        return server.get('/v1/events?after=0&limit=1')[1]['events'][0]['id']
    wait_until(lambda: first() > 1000, 'trimmed', 20)
    last = server.get('/v1/events?after=0&limit=1')[1]['last']
    assert last - first() + 1 == 100000
    verified = server.pool.poolctl('events', 'frontend01', '--verify')
    assert verified.returncode == 0, verified.stderr
    assert ': 100000 events, chain unbroken' in verified.stdout
    # Less than that was cut off by somebody else.
    assert server.stop_poold() == 0
    with sqlite3.connect(path) as database:
        database.execute('DELETE FROM events WHERE id < ?', [last - 50000])
    database.close()
    server.start_poold()
    verified = server.pool.poolctl('events', 'frontend01', '--verify')
    assert verified.returncode == 9 and 'event 1 is missing' in verified.stderr


# ---- a copy is put back ----

@pytest.mark.case('H18')
def test_a_start_says_which_drains_it_found_and_how_old_they_are(server):
    state = server.folder / 'state'
    drain(server)
    assert server.stop_poold() == 0
    shutil.copytree(state, server.folder / 'copy')
    server.start_poold()
    assert server.delete('kb1')[0] == 200
    wait_until(lambda: server.scm.says() == BACK and not server.service()['saved'], 'back')
    assert server.stop_poold() == 0
    shutil.rmtree(state)
    shutil.copytree(server.folder / 'copy', state)
    before = len(server.log())
    folder = server.folder / 'fault'
    folder.mkdir()
    clock = folder / 'clock'
    clock.write_text(str(3 * 24 * 3600))
    server.start_poold(Fault(folder, state, clock=clock).env)
    log = server.log()[before:]
    assert 'the store holds drain kb1 of alice, requested 72h00m ago' in log, log
    assert 'the last event in the store is of' in log and 'patch day' in log
    assert 'to be put back: RTCSRV was running, startup automatic (delayed)' in log
    events = server.get('/v1/events')[1]['events']
    event = [each for each in events if each['kind'] == 'poold_started'][-1]
    assert 'it goes on with kb1 of alice, 72h00m old; the last event before is 72h00m old' in \
        event['text']
    assert [each['id'] for each in event['after']['drains']] == ['kb1']


@pytest.mark.brother('H18')
def test_a_start_without_drains_says_nothing_of_them(server):
    event = server.get('/v1/events')[1]['events'][0]
    assert event['kind'] == 'poold_started' and 'goes on' not in event['text']
    assert event['after'] == {'drains': []}
