"""What the benchmarks share: rows, rounds, a poold with its files, and what answers on a URL."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request
from statistics import median

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests/windows'))

from wine import free_port, wait_until  # noqa: E402

ADDRESS = '127.0.0.1'
SERVER, SERVICE = 'frontend01', 'RTCSRV'
POOLD, POOLCTL = ROOT / 'build/native/poold', ROOT / 'build/native/poolctl'
START_LIMIT_S, END_LIMIT_S = 30, 10


def row(name, unit, ours, reference, bound, limit=None, ratio=None):
    """A line of the table: the ratio is ours to the reference, or to the limit if there is one.

    The bound is the most that the ratio may be, or a pair of the least and the most.  Beside
    a limit, the reference only says how much that is, and may be None.
    """
    ratio = ratio or ours / (limit or reference)
    low, high = bound if isinstance(bound, list) else (0, bound)
    return {'name': name, 'unit': unit, 'ours': ours, 'reference': reference, 'limit': limit,
            'ratio': ratio, 'bound': bound, 'within': low <= ratio <= high}


def compare(name, unit, ours, reference, bound):
    """The row of two lists from in_turn(): medians, and the median of each round's ratio.

    Both halves of a round meet the same noise of the machine, so that their ratio is steadier
    than the ratio of the medians.
    """
    ratio = median(our / their for our, their in zip(ours, reference))
    return row(name, unit, median(ours), median(reference), bound, ratio=ratio)


def in_turn(rounds, *measures):
    """Calls the measures in turn, A B A B; gives the list of results of each."""
    results = [[] for _ in measures]
    for _ in range(rounds):
        for measure, result in zip(measures, results):
            result.append(measure())
    return results


@contextlib.contextmanager
def temporary_folder():
    with tempfile.TemporaryDirectory(prefix='bench-') as folder:
        yield pathlib.Path(folder)


def get(url):
    with urllib.request.urlopen(url, timeout=START_LIMIT_S) as reply:
        return reply.read(), reply.headers['Content-Type']


def get_json(url):
    return json.loads(get(url)[0])


def answers(url):
    try:
        return get(url)
    except OSError:
        return None


@contextlib.contextmanager
def serving(process, url):
    """Waits until the process answers on the URL, and ends it afterwards."""
    try:
        wait_until(lambda: process.poll() is not None or answers(url), url, START_LIMIT_S)
        if process.poll() is not None:
            raise RuntimeError(f'{process.args} ended with {process.returncode}')
        yield process
    finally:
        process.terminate()
        try:
            process.wait(END_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def write_config(folder, session_port, path=str, **keys):
    """Writes pool.yaml and poold.yaml for one server with one service; gives its URL.

    JSON is YAML too.  `path` turns a path into what poold's system understands.
    """
    folder.mkdir(exist_ok=True)
    url = f'http://{ADDRESS}:{free_port([ADDRESS])}'
    pool = {'services': {SERVICE: {'ports': [session_port]}},
            'servers': {SERVER: {'address': ADDRESS, 'url': url}}}
    daemon = {'server': SERVER, 'state_dir': path(folder / 'state'),
              'pool_file': path(folder / 'pool.yaml')}
    (folder / 'pool.yaml').write_text(json.dumps({'pools': {'fe-pool01': pool}}))
    (folder / 'poold.yaml').write_text(json.dumps(daemon | keys))
    return url


@contextlib.contextmanager
def native_poold(folder, session_port=5061):
    """A poold with the simulated SCM and one service that runs; gives its process and URL."""
    scm = folder / 'scm.json'
    scm.write_text(json.dumps({'services': {SERVICE: {
        'display_name': 'Skype for Business Server Front-End', 'state': 'running',
        'start_type': 'automatic', 'delayed_auto_start': True, 'pid': 2140}}}))
    url = write_config(folder, session_port, scm='simulated', simulated_file=str(scm))
    with open(folder / 'poold.log', 'w') as log:
        process = subprocess.Popen([POOLD, 'run', '--config', folder / 'poold.yaml'],
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    with serving(process, url + '/v1/server'):
        yield process, url


def run_once(*command):
    """Runs a program with its output thrown away; gives what it used, as resource.getrusage."""
    pid = os.posix_spawn(command[0], command, os.environ,
                         file_actions=[(os.POSIX_SPAWN_OPEN, 1, '/dev/null', os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f'{command} ended with {os.waitstatus_to_exitcode(status)}')
    return usage
