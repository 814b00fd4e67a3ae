"""DNS servers for the tests, on loopback: real ones of Debian, and one that says anything.

Knot has zones of its own, and answers for nothing else; Unbound asks it, and keeps what it
says for as long as it may.  Both are unpacked by `make setup-check`, and run as
ordinary processes.
"""

import os
import pathlib
import signal
import socket
import struct
import subprocess
import threading

from prometheus import CACHE
from sessions import LIMIT, free_port, wait_until

KNOTD = CACHE / 'knot/usr/sbin/knotd'
UNBOUND = CACHE / 'unbound/usr/sbin/unbound'
ADDRESS = '127.0.0.1'
A, CNAME, AAAA = 1, 5, 28


def is_answering(port):
    """True if any answer comes to any question."""
    question = struct.pack('>6H', 4711, 0x0100, 1, 0, 0, 0) + b'\0' + struct.pack('>2H', 2, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(0.2)
        asker.connect((ADDRESS, port))
        try:
            asker.send(question)
            return bool(asker.recv(4096))
        except OSError:
            return False


class Nameserver:
    """A process that answers at self.resolver; it ends when it is left."""

    def __init__(self, folder, name):
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir()
        self.port = free_port((ADDRESS,))
        self.resolver = f'{ADDRESS}:{self.port}'
        self.process = None

    def __enter__(self):
        try:
            with open(self.folder / 'log', 'w') as log:
                self.process = subprocess.Popen(self.command(), cwd=self.folder, stdout=log,
                                                stderr=log, stdin=subprocess.DEVNULL)
            wait_until(self.is_ready, f'{self.folder.name} answers')
        except BaseException:
            self.__exit__()
            raise
        return self

    def is_ready(self):
        assert self.process.poll() is None, (self.folder / 'log').read_text()
        return is_answering(self.port)

    def __exit__(self, *_):
        if self.process:
            self.process.kill()
            self.process.wait(LIMIT)


class Knot(Nameserver):
    """Answers for its zones: a dict of their records, without SOA; None is a broken one."""

    def __init__(self, folder, zones, name='knot'):
        super().__init__(folder, name)
        self.serial = 0
        self.zones = zones
        for zone in zones:
            self.write(zone)

    def write(self, zone):
        self.serial += 1
        if self.zones[zone] is not None:
            (self.folder / f'{zone}.zone').write_text(
                f'$ORIGIN {zone}.\n$TTL 60\n@ SOA ns hostmaster {self.serial} 60 60 3600 60\n'
                f'@ NS ns\nns A 192.0.2.53\n{self.zones[zone]}\n')

    def change(self, zone, records):
        self.zones[zone] = records
        self.write(zone)
        os.kill(self.process.pid, signal.SIGHUP)

    def command(self):
        (self.folder / 'db').mkdir()
        (self.folder / 'knot.conf').write_text(
            f'server:\n  rundir: {self.folder}\n  listen: {ADDRESS}@{self.port}\n'
            '  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n'
            'log:\n - target: stderr\n   any: info\n'
            f'database:\n  storage: {self.folder}/db\n'
            f'template:\n - id: default\n   storage: {self.folder}\n   file: "%s.zone"\n'
            '   zonefile-sync: -1\n   journal-content: none\n'
            'zone:\n' + ''.join(f' - domain: {zone}\n' for zone in self.zones))
        return [KNOTD, '-c', self.folder / 'knot.conf']


class Unbound(Nameserver):
    """Asks the one given for its zones; or knows of test. what is in `local`, and no more."""

    def __init__(self, folder, source=None, local=(), name='unbound'):
        super().__init__(folder, name)
        self.source, self.local = source, local

    def command(self):
        zones = self.source.zones if self.source else ()
        (self.folder / 'unbound.conf').write_text(
            f'server:\n  directory: "{self.folder}"\n  chroot: ""\n  username: ""\n'
            f'  pidfile: ""\n  interface: {ADDRESS}\n  port: {self.port}\n'
            '  do-daemonize: no\n  use-syslog: no\n  do-not-query-localhost: no\n'
            '  module-config: "iterator"\n  num-threads: 1\n  root-hints: ""\n'
            # Nobody outside is ever asked.
            '  local-zone: "." refuse\n'
            f'  local-zone: "test." {"transparent" if zones else "static"}\n'
            + ''.join(f'  local-data: "{record}"\n' for record in self.local)
            + 'remote-control:\n  control-enable: no\n'
            + ''.join(f'stub-zone:\n  name: "{zone}."\n  stub-addr: {ADDRESS}@{self.source.port}\n'
                      for zone in zones))
        return [UNBOUND, '-d', '-c', self.folder / 'unbound.conf']


class Anything:
    """Answers a question with whatever answer(question) gives, over UDP; None is silence."""

    def __init__(self, answer=lambda question: None, address=ADDRESS, port=0):
        self.answer = answer
        self.questions = []
        self.family = socket.AF_INET6 if ':' in address else socket.AF_INET
        self.socket = socket.socket(self.family, socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        host = f'[{address}]' if ':' in address else address
        self.resolver = f'{host}:{self.socket.getsockname()[1]}'
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        with socket.socket(self.family, socket.SOCK_DGRAM) as last:
            last.sendto(b'', self.socket.getsockname())
        self.thread.join(LIMIT)
        self.socket.close()

    def run(self):
        while True:
            question, peer = self.socket.recvfrom(4096)
            if not question:
                return
            self.questions.append(question)
            answer = self.answer(question)
            if answer is not None:
                self.socket.sendto(answer, peer)


def wire_name(name):
    return b''.join(bytes([len(label)]) + label for label in name.split(b'.')) + b'\0'


def record(name, kind, data, ttl=60):
    """One of an answer; the name as it goes over the wire."""
    return name + struct.pack('>2HIH', kind, 1, ttl, len(data)) + data


SAME_NAME = b'\xc0\x0c'  # that of the question


def asked_kind(question):
    """The type of the question: A or AAAA."""
    end = question.index(b'\0', 12)
    return struct.unpack('>H', question[end + 1:end + 3])[0]


def answer_to(question, *records, code=0, flags=0x8180, count=None):
    """The question, answered with these records; by default as a resolver does."""
    end = question.index(b'\0', 12) + 5
    return (question[:2] + struct.pack('>5H', flags | code, 1,
                                       len(records) if count is None else count, 0, 0)
            + question[12:end] + b''.join(records))
