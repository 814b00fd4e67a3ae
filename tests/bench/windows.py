"""Benchmarks of the Windows programs, on a machine under Wine."""

import contextlib
import json
import subprocess
import time
from statistics import median
from urllib.parse import urlsplit

from tools import (ADDRESS, CREDENTIAL_FILES, ROOT, SERVICE, Api, free_port, row, serving, temporary_folder,
                   wait_until, write_config)
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


def drain_us(api, scm, drain):
    """From the PUT sent until the SCM says paused, as pause-timed of scm.exe does it."""
    token = api.reserve(drain)
    begin = time.perf_counter()
    api.send_drain(drain, token)
    while scm.ask('query')['state'] != 'paused' and time.perf_counter() < begin + LIMIT:
        pass
    us = (time.perf_counter() - begin) * 1e6
    api.receive()
    api.wait_out(drain)
    if us > LIMIT * 1e6 or scm.ask('query')['state'] != 'paused':
        raise RuntimeError('poold says out, and the SCM does not say paused')
    api.end_drain(drain)
    scm.wait_state('running')
    return us


def pause_us(scm):
    us = scm.ask('pause-timed')['paused_us']
    scm.ask('continue')
    scm.wait_state('running')
    return us


@contextlib.contextmanager
def windows_machine(folder):
    """A machine with two services that run; gives it and the URL of a poold of the first."""
    port, other_port = free_port([ADDRESS], hold=True), free_port([ADDRESS], hold=True)
    url = write_config(folder / 'poold', port, path=windows_path)
    with Machine(folder / 'prefix', ADDRESS) as machine:
        machine.boot()
        for service, its_port in (SERVICE, port), (REFERENCE_SERVICE, other_port):
            machine.install(service, its_port)
            machine.start(service)
        yield machine, url


@contextlib.contextmanager
def windows_poold(folder, machine, url):
    """A poold on a machine that windows_machine() made in that folder."""
    with open(folder / 'poold.log', 'a') as log:
        poold = machine.popen([POOLD, 'run', '--config',
                               windows_path(folder / 'poold/poold.yaml')],
                              stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    CREDENTIAL_FILES[urlsplit(url).netloc] = (
        machine.prefix / 'drive_c/ProgramData/poolctl/state/local' /
        f'{ADDRESS}-{urlsplit(url).port}')
    with serving(poold, url + '/v1/server'):
        yield


def pauses():
    """From PUT to paused, against a bare ControlService, under Wine."""
    ours, reference = [], []
    with (temporary_folder() as folder, windows_machine(folder) as (machine, url),
          windows_poold(folder, machine, url)):
        api, scm, other = Api(url), Scm(machine, SERVICE), Scm(machine, REFERENCE_SERVICE)
        for i in range(PAUSES):
            ours.append(drain_us(api, scm, f'bench{i}'))
            reference.append(pause_us(other))
    limit = 1.5 * median(reference) + POLL_US
    return [row('PUT drain to paused', 'us', median(ours), median(reference), 1, limit)]
