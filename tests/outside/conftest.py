"""Cases from outside: what people who did not write the program tried on it.

A test says which case it is, with a letter and a number, and counts as one of its brothers
where it tries the same kind in another place:

    @pytest.mark.case('A2')
    @pytest.mark.brother('A2')

The letters: A command line and output, B replies and networks, C files, D sessions, E the
daemon on Windows, F as an administrator meets it, G and H broken on purpose.
"""

import os
import pathlib

import pytest

from fixtures import make_pool, pool, server  # noqa: F401

HERE = pathlib.Path(__file__).parent
COUNTS = pathlib.Path(os.environ.get('OUTSIDE_COUNTS', os.devnull))


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent != HERE:
            continue
        if not any(item.iter_markers('case')) and not any(item.iter_markers('brother')):
            raise pytest.UsageError(f'{item.nodeid} does not say which case it is')


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == 'call' or report.failed:
        with open(COUNTS, 'a', encoding='ascii') as counts:
            for kind in 'case', 'brother':
                for mark in item.iter_markers(kind):
                    for name in mark.args:
                        counts.write(f'{kind} {name} {"failed" if report.failed else "passed"} '
                                     f'{item.name}\n')
