"""Many operators drain servers of one pool at once, and it never falls below its floor.

SAFETY_ROUNDS says how many rounds: a drain and, if it came to anything, its resume.
SAFETY_SEED repeats what is drawn, as well as a machine can.
"""

import os
import random
import shutil
import time

import pytest

from counts import report
from operators import FAULTS, LONG_EVERY, LONG_FAULTS, NOTHING_CHANGED, World, write_pool
from sessions import release_port
from simulated import SimulatedPool, fresh_folder

ROUNDS = int(os.environ.get('SAFETY_ROUNDS') or 2000)
SEED = int(os.environ.get('SAFETY_SEED') or random.randrange(1 << 32))
SERVERS = 5


@pytest.fixture
def pool():
    folder = fresh_folder()
    with SimulatedPool(folder, SERVERS, settle='0s', tick='50ms') as made:
        yield made
    release_port(made.port)
    shutil.rmtree(folder)


def work(pool, floor, rounds, **availability):
    """Lets the operators work; what they met, once they are all through."""
    world = World(pool, floor, rounds, SEED)
    for file, port in (pool.file, pool.api_port), (world.file, world.port):
        write_pool(file, pool, port, availability={'floor': floor} | availability)
    pool.start()
    began = time.monotonic()
    with world:
        world.join()
    report(rounds=sum(world.statuses.values()), violations=len(world.scms.violations))
    print(f'\nSAFETY_SEED={SEED}: {world.told()} in {time.monotonic() - began:.0f} s')
    return world


def check_all_serve(pool):
    """Whatever is left of drains can be ended, and then everything is as it was at first."""
    for server in pool.servers:
        server.wait_answer()
        resumed = pool.poolctl('resume', server.name, '--all')
        assert resumed.returncode == 0, resumed.stderr
        assert server.scm.says() == ('running', 'automatic', True)
        server.wait_phase('serving')


# A floor alone; and one that is what the usual max_out leaves, where most are refused.
@pytest.mark.parametrize('floor, rounds, drained, availability', [
    (3, ROUNDS * 4 // 5, 1 / 8, {'max_out': SERVERS}), (4, ROUNDS // 5, 1 / 40, {})])
def test_the_floor_is_kept(pool, floor, rounds, drained, availability):
    world = work(pool, floor, rounds, **availability)
    check_all_serve(pool)
    for observer in world.scms, world.poolds:
        assert not observer.failure and observer.looks > rounds / 5, observer.failure
    assert not world.problems, world.problems
    assert not world.network.failures, world.network.failures
    assert not world.scms.violations, world.scms.violations
    assert not world.poolds.violations, world.poolds.violations

    # Where little was drained, or nothing went wrong, the floor is kept by nobody.
    statuses, faults = world.statuses, world.network.faults
    assert sum(statuses.values()) == rounds
    assert statuses[0] > rounds * drained
    assert sum(statuses[each] for each in NOTHING_CHANGED) > rounds / 10
    assert world.scms.most_out == SERVERS - floor
    assert len(world.poolds.seen) > statuses[0] / 2
    assert world.poold_kills > rounds / 100
    assert sum(faults[name] for name, _ in FAULTS) > rounds / 20
    assert sum(faults[name] for name in set(LONG_FAULTS)) >= rounds // LONG_EVERY
