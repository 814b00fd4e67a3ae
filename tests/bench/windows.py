"""Benchmarks of the Windows programs, on a machine under Wine."""

import contextlib
import http.client
import json
import subprocess
import time
from statistics import median
from urllib.parse import urlsplit

from tools import (ADDRESS, ROOT, SERVICE, free_port, row, serving, temporary_folder, wait_until,
                   write_config)
from wine import LIMIT, Machine, windows_path

POOLD = ROOT / 'build/windows/poold.exe'
PAUSES, POLL_US = 15, 100_000
REFERENCE_SERVICE = 'REFERENCE'


class Scm:
    """A scm.exe that stays, so that no start of a process is in what is measured."""

    def __init__(self, machine, service):
        self.process = machine.popen([machine.tool('scm'), 'poll', service],
                                     stderr=subprocess.DEVNULL)

    def ask(self, command):
        self.process.stdin.write(command + '\n')
        line = self.process.stdout.readline().strip()
        if line.startswith('error') or not line:
            raise RuntimeError(f'scm {command}: {line or "ended"}')
        return line if line == 'ok' else json.loads(line)

    def wait_state(self, state):
        wait_until(lambda: self.ask('query')['state'] == state, f'the service is {state}')


class Api:
    """Requests over one connection, so that opening it is in no measurement but the first."""

    def __init__(self, url):
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=LIMIT)

    def send(self, method, path, body=None, **headers):
        headers = {name.replace('_', '-'): value for name, value in headers.items()}
        self.connection.request(method, path, body, headers)

    def receive(self):
        reply = self.connection.getresponse()
        answer = json.loads(reply.read())
        if reply.status >= 300:
            raise RuntimeError(f'poold says {reply.status}: {answer}')
        return answer

    def request(self, *args, **headers):
        self.send(*args, **headers)
        return self.receive()


def drain_us(api, scm, drain):
    """From the PUT sent until the SCM says paused, as pause-timed of scm.exe does it."""
    path, body = f'/v1/drains/{drain}', json.dumps({'reason': 'benchmark'})
    begin = time.perf_counter()
    api.send('PUT', path, body, Content_Type='application/json')
    while scm.ask('query')['state'] != 'paused' and time.perf_counter() < begin + LIMIT:
        pass
    us = (time.perf_counter() - begin) * 1e6
    api.receive()
    wait_until(lambda: api.request('GET', path)['out'], 'poold says that the service is out')
    if us > LIMIT * 1e6 or scm.ask('query')['state'] != 'paused':
        raise RuntimeError('poold says out, and the SCM does not say paused')
    api.request('DELETE', path, Poolctl_Request='1')
    scm.wait_state('running')
    wait_until(lambda: api.request('GET', '/v1/server')['phase'] == 'serving', 'serving again')
    return us


def pause_us(scm):
    us = scm.ask('pause-timed')['paused_us']
    scm.ask('continue')
    scm.wait_state('running')
    return us


@contextlib.contextmanager
def windows_poold(folder):
    """A machine with two services that run, and a poold that knows of the first; its URL."""
    port, other_port = free_port([ADDRESS], hold=True), free_port([ADDRESS], hold=True)
    url = write_config(folder / 'poold', port, path=windows_path)
    with Machine(folder / 'prefix', ADDRESS) as machine:
        machine.boot()
        for service, its_port in (SERVICE, port), (REFERENCE_SERVICE, other_port):
            machine.install(service, its_port)
            machine.start(service)
        with open(folder / 'poold.log', 'w') as log:
            poold = machine.popen([POOLD, 'run', '--config',
                                   windows_path(folder / 'poold/poold.yaml')],
                                  stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        with serving(poold, url + '/v1/server'):
            yield machine, url


def pauses():
    """From PUT to paused, against a bare ControlService, under Wine."""
    ours, reference = [], []
    with temporary_folder() as folder, windows_poold(folder) as (machine, url):
        api, scm, other = Api(url), Scm(machine, SERVICE), Scm(machine, REFERENCE_SERVICE)
        for i in range(PAUSES):
            ours.append(drain_us(api, scm, f'bench{i}'))
            reference.append(pause_us(other))
    limit = 1.5 * median(reference) + POLL_US
    return [row('PUT drain to paused', 'us', median(ours), median(reference), 1, limit)]
