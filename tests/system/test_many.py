"""poolctl status of many servers: few connections at once, and nobody waits for who hangs."""

import json
import subprocess
import time

import pytest

from crowd import Crowd
from pool import POOLCTL

COUNT, CONNECTIONS, LIMIT_S = 350, 100, 5


@pytest.fixture
def make_crowd(tmp_path):
    made = []

    def make(**options):
        made.append(Crowd(tmp_path, COUNT, **options))
        return made[-1]

    yield make
    for crowd in made:
        crowd.close()


def status(crowd):
    """What it says of each server, the exit status, and how long it took."""
    begin = time.monotonic()
    done = subprocess.run([POOLCTL, '--config', crowd.file, 'status', '-o', 'jsonl'],
                          capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    seen = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each['server'] for each in seen] == crowd.names
    return seen, done.returncode, time.monotonic() - begin


def test_all_of_them_answer_on_few_connections(make_crowd):
    crowd = make_crowd()
    seen, code, _ = status(crowd)
    assert code == 0 and {each['phase'] for each in seen} == {'serving'}
    assert sorted(crowd.asked) == crowd.names
    assert 10 < crowd.most <= CONNECTIONS


# One hangs; or so many that the others must wait for their turn.
@pytest.mark.parametrize('silent', [range(7, 8), range(CONNECTIONS)])
def test_who_hangs_costs_its_own_time_and_no_more(make_crowd, silent):
    crowd = make_crowd(silent=silent)
    seen, code, passed_s = status(crowd)
    assert code == 8
    for i, each in enumerate(seen):
        assert each['answers'] == (i not in silent), each
        assert i not in silent or 'does not answer' in each['message']
    assert LIMIT_S <= passed_s < 2 * LIMIT_S
    assert crowd.most <= CONNECTIONS
