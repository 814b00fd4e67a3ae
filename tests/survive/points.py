"""Runs a story at every point at which a fault may come, several at a time."""

import concurrent.futures
import itertools
import os

# A story waits more than it works, so that two processors stand several.
PARALLEL = int(os.environ.get('SURVIVE_PARALLEL', '5'))


def each_of(run, points):
    """What run(point) returned for each point that was reached; None says that it was not."""
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as workers:
        return [each for each in workers.map(run, points) if each is not None]


def every_point(run):
    """The same for run(1), run(2) ... until a whole batch was not reached any more.

    A story's calls differ a little in number, as it depends on when each thing happens.
    """
    points = itertools.count(1)
    results = []
    while batch := each_of(run, itertools.islice(points, PARALLEL)):
        results += batch
    return results
