"""kill -9 at every call with which poold changes a file, during a drain and its end."""

import os
import random

import pytest

from faults import report
from points import each_of, every_point
from story import Story, tell

SEED = int(os.environ.get('SURVIVE_SEED') or random.randrange(1 << 32))
PAIRS = 24


def run(*faults):
    """A story with these faults, one for each life of poold: the call that the first met,
    whether it was a write, and what broke a promise; None if it was not reached."""
    def make(folder):
        # The client of every fourth story does not ask again.
        story = Story(folder, retries_put=faults[0][0] % 4 != 0)
        for fault in faults:
            story.add_fault(*fault)
        return story
    story, found = tell(make, ', then '.join(f'{what} at call {at}' for at, what in faults))
    if not story.is_met[0] and not found:
        return None
    return faults[0][0], not story.calls[0].endswith(' 0'), found


def conclude(name, results):
    found = [text for _, _, texts in results for text in texts]
    report(name, crash=len(results), violations=len(found))
    assert results
    assert not found, f'{len(found)} violations at {len(results)} points:\n' + '\n'.join(found)


@pytest.fixture(scope='module')
def before_each():
    """The stories with a kill before each call."""
    return every_point(lambda at: run((at, 'kill')))


def test_killed_before_each_call(before_each):
    assert len(before_each) > 100
    conclude('killed', before_each)


def test_killed_in_the_middle_of_each_write(before_each):
    writes = [at for at, is_write, _ in before_each if is_write]
    conclude('torn', each_of(lambda at: run((at, 'torn')), writes))


def test_killed_after_the_last_call(before_each):
    last = before_each[-1][0]
    conclude('killed_after', each_of(lambda at: run((at, 'kill_after')), range(last - 9, last)))


def test_killed_again_while_it_recovers(before_each):
    print(f'SURVIVE_SEED={SEED}')
    chance = random.Random(SEED)
    pairs = [(chance.randint(50, len(before_each)), chance.randint(1, 60))
             for _ in range(PAIRS)]
    conclude('killed_twice', each_of(lambda pair: run((pair[0], 'kill'), (pair[1], 'kill')),
                                     pairs))
