"""What the benchmarks share: rows, rounds, a poold with its files, and what answers on a URL."""

import contextlib
import http.client
import json
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from statistics import median
from urllib.parse import urlsplit

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests/windows'))

from wine import LIMIT, free_port, wait_until  # noqa: E402
from pool import credential_file, credential_in  # noqa: E402

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


# The files with the credentials of poolds elsewhere than on this machine, by HOST:PORT.
CREDENTIAL_FILES = {}


def credential_of(url):
    """The file with the credential of a poold here."""
    where = urlsplit(url)
    return CREDENTIAL_FILES.get(where.netloc) or credential_file(where.hostname, where.port)


def credential(url):
    """The header with it; {} for what is no poold."""
    return credential_in(credential_of(url))


# What a program here presents is made for the measurement.
CONTEXT = ssl._create_unverified_context()


def get(url):
    request = urllib.request.Request(url, headers=credential(url))
    with urllib.request.urlopen(request, timeout=START_LIMIT_S, context=CONTEXT) as reply:
        return reply.read(), reply.headers['Content-Type']


def get_json(url):
    return json.loads(get(url)[0])


def answers(url):
    try:
        return get(url)
    except OSError:
        return None


class Api:
    """Requests over one connection, so that opening it is in no measurement but the first."""

    def __init__(self, url):
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=LIMIT)
        self.url = url

    def send(self, method, path, body=None, **headers):
        headers = {name.replace('_', '-'): value for name, value in headers.items()}
        self.connection.request(method, path, body, headers | credential(self.url))

    def receive(self):
        reply = self.connection.getresponse()
        answer = json.loads(reply.read())
        if reply.status >= 300:
            raise RuntimeError(f'poold says {reply.status}: {answer}')
        return answer

    def request(self, *args, **headers):
        self.send(*args, **headers)
        return self.receive()

    def put_drain(self, drain, **fields):
        self.send('PUT', f'/v1/drains/{drain}', json.dumps({'reason': 'benchmark'} | fields),
                  Content_Type='application/json')

    def reserve(self, drain):
        """The token that the drain is to be committed with."""
        self.put_drain(drain, phase='reserved')
        return self.receive()['reservation']['token']

    def send_drain(self, drain, token=None):
        self.put_drain(drain, reservation=token or self.reserve(drain))

    def wait_out(self, drain):
        wait_until(lambda: self.request('GET', f'/v1/drains/{drain}')['out'],
                   'poold says that the services are out')

    def end_drain(self, drain):
        self.request('DELETE', f'/v1/drains/{drain}', Poolctl_Request='1')
        wait_until(lambda: self.request('GET', '/v1/server')['phase'] == 'serving',
                   'serving again')


@contextlib.contextmanager
def ending(process):
    """Ends the process afterwards."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(END_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def serving(process, url):
    """Waits until the process answers on the URL, and ends it afterwards."""
    with ending(process):
        wait_until(lambda: process.poll() is not None or answers(url), url, START_LIMIT_S)
        if process.poll() is not None:
            raise RuntimeError(f'{process.args} ended with {process.returncode}')
        yield process


def write_config(folder, session_port, path=str, services=(SERVICE,), **keys):
    """Writes pool.yaml and poold.yaml for one server; gives its URL.

    JSON is YAML too.  `path` turns a path into what poold's system understands.  The ports
    of the services follow each other.
    """
    folder.mkdir(exist_ok=True)
    url = f'http://{ADDRESS}:{free_port([ADDRESS])}'
    pool = {'services': {service: {'ports': [session_port + i]}
                         for i, service in enumerate(services)},
            'servers': {SERVER: {'address': ADDRESS, 'url': url}}}
    daemon = {'server': SERVER, 'state_dir': path(folder / 'state'),
              'pool_file': path(folder / 'pool.yaml')}
    (folder / 'pool.yaml').write_text(json.dumps({'pools': {'fe-pool01': pool}}))
    (folder / 'poold.yaml').write_text(json.dumps(daemon | keys))
    return url


def simulate(folder, session_port=5061, services=(SERVICE,)):
    """Writes the files of a poold with the simulated SCM, whose services run; gives its URL."""
    scm = folder / 'scm.json'
    url = write_config(folder, session_port, services=services, scm='simulated',
                       simulated_file=str(scm))
    scm.write_text(json.dumps({'services': {service: {
        'display_name': 'Skype for Business Server Front-End', 'state': 'running',
        'start_type': 'automatic', 'delayed_auto_start': True, 'pid': 2140 + i}
        for i, service in enumerate(services)}}))
    return url


def start_poold(folder, env=None):
    with open(folder / 'poold.log', 'a') as log:
        return subprocess.Popen([POOLD, 'run', '--config', folder / 'poold.yaml'],
                                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                env=os.environ | (env or {}))


@contextlib.contextmanager
def native_poold(folder, session_port=5061):
    """A poold with the simulated SCM and one service that runs; gives its process and URL."""
    url = simulate(folder, session_port)
    with serving(start_poold(folder), url + '/v1/server') as process:
        yield process, url


def run_once(*command):
    """Runs a program with its output thrown away; gives what it used, as resource.getrusage."""
    pid = os.posix_spawn(command[0], command, os.environ,
                         file_actions=[(os.POSIX_SPAWN_OPEN, 1, '/dev/null', os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f'{command} ended with {os.waitstatus_to_exitcode(status)}')
    return usage
