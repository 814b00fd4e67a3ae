"""Those who watch find what they are there for, and nothing else."""

import time

import pytest

from balanced import BalancedClient
from nameservers import KNOTD, Knot
from observers import PooldObserver, ScmObserver
from sessions import wait_until

RUNNING, PAUSED = {'state': 'running'}, {'state': 'paused'}
ALICE = {'owner': 'alice', 'reason': 'disk'}


# ---- the SCMs ----

@pytest.fixture
def servers(make_pool):
    return make_pool(5, start=False).servers


def test_each_fall_below_the_floor_is_found_and_counted_once(servers):
    with ScmObserver(servers, 3) as observer:
        for falls in (1, 2):
            for server in servers[:3]:
                server.scm.change(**PAUSED)
            wait_until(lambda: len(observer.violations) == falls, 'it is found')
            before = observer.looks
            wait_until(lambda: observer.looks > before + 10, 'more looks')
            assert len(observer.violations) == falls
            servers[1].scm.change(**RUNNING)
            wait_until(lambda: not observer.is_below, 'the floor holds again')
    assert not observer.failure and observer.most_out == 3
    assert observer.violations[0] == 'frontend01, frontend02, frontend03 were out at once'


def test_as_many_as_may_be_out_are_no_violation(servers):
    observer = ScmObserver(servers, 3)
    for server in servers[:2]:
        server.scm.change(**PAUSED)
    observer.look()
    assert observer.most_out == 2 and not observer.violations


class SwitchedBeforeItIsRead:
    """A server that goes out just before it is read, and another comes back before."""

    def __init__(self, server, other):
        self.server, self.other, self.name = server, other, server.name

    @property
    def scm(self):
        if self.other:
            self.other.scm.change(**RUNNING)
            self.server.scm.change(**PAUSED)
            self.other = None
        return self.server.scm


def test_servers_that_were_out_one_after_the_other_are_no_violation(servers):
    first, second = servers[:2]
    first.scm.change(**PAUSED)
    observer = ScmObserver([first, SwitchedBeforeItIsRead(second, first), *servers[2:]], 4)
    observer.look()
    assert observer.most_out == 1 and not observer.violations
    first.scm.change(**PAUSED)
    observer.look()
    assert len(observer.violations) == 1


# ---- reservations ----

@pytest.mark.parametrize('ttl_s, asked_before_s, words', [
    (15, 0, None), (60, 0, 'outlives its time'), (15, 5, 'outlives its time'),
    (15, None, 'nobody asked')])
def test_a_reservation_that_outlives_its_time_is_found(make_pool, ttl_s, asked_before_s, words):
    server = make_pool().servers[0]
    assert server.reserve('kb1', ALICE, ttl_s=ttl_s)[0] == 201
    asked = None if asked_before_s is None else time.time() - asked_before_s
    with PooldObserver([server], lambda *_: asked) as observer:
        wait_until(lambda: observer.violations or observer.looks > 10, 'it is looked at')
    assert len(observer.seen) == 1 and not observer.failure
    assert bool(observer.violations) == bool(words)
    assert all(words in each for each in observer.violations)


# ---- logons and sessions ----

@pytest.mark.skipif(not KNOTD.exists(), reason='Knot could not be unpacked')
def test_logons_that_fail_and_sessions_that_are_cut_are_found(make_pool, tmp_path):
    one, two = make_pool(2, start=False).servers
    zone = ''.join(f'pool A {server.address}\n' for server in (one, two))
    with Knot(tmp_path, {'test': zone}) as knot:
        client = BalancedClient(knot.resolver, 'pool.test', one.pool.port)
        wait_until(lambda: len(client.logons) == 2, 'both take logons')
        one.scm.change(**PAUSED)
        wait_until(lambda: client.refused > 5, 'the other takes them')
        assert not client.failed and not client.cut
        two.scm.change(**PAUSED)
        wait_until(lambda: client.failed, 'nobody takes them')
        assert not client.cut
        two.scm.change(state='stopped')
        wait_until(lambda: client.cut, 'sessions end before their users leave')
        client.stop()
    assert set(client.logons) == {one.address, two.address}
