"""A client of a pool that is balanced by DNS, as users have it: it resolves the pool's name,
tries one of the addresses, and when that refuses, the next."""

import collections
import random
import socket
import struct
import threading
import time

from nameservers import A, wire_name
from sessions import LIMIT, Session

PAUSE_S = 0.05  # between two logons
DNS_S = 5


def resolve(resolver, name):
    """The IPv4 addresses of a name, as the DNS server at HOST:PORT has them."""
    host, port = resolver.split(':')
    number = random.randrange(1 << 16)
    question = wire_name(name.encode()) + struct.pack('>2H', A, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(DNS_S)
        asker.connect((host, int(port)))
        asker.send(struct.pack('>6H', number, 0x0100, 1, 0, 0, 0) + question)
        answer = asker.recv(4096)
    got, _, _, count, _, _ = struct.unpack('>6H', answer[:12])
    assert got == number, 'an answer to another question'
    addresses, at = [], 12 + len(question)
    for _ in range(count):
        # The name is that of the question: two bytes point to it.
        kind, _, _, length = struct.unpack('>2HIH', answer[at + 2:at + 12])
        if kind == A:
            addresses.append(socket.inet_ntoa(answer[at + 12:at + 16]))
        at += 12 + length
    return addresses


class BalancedClient:
    """Users who log on all the time, talk, and leave again; `held` of them are there at once.

    A logon fails if no address takes it.  A session is cut if it ends before its user
    leaves.
    """

    def __init__(self, resolver, name, port, held=20):
        self.resolver, self.name, self.port, self.held = resolver, name, port, held
        self.sessions = collections.deque()
        self.logons = collections.Counter()  # by address
        self.refused = 0                     # where the next address was tried
        self.failed, self.cut = [], []
        self.is_over = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.is_over:
            self.log_on()
            if len(self.sessions) > self.held:
                self.leave()
            for session in list(self.sessions):
                self.talk(session)
            time.sleep(PAUSE_S)
        while self.sessions:
            self.leave()

    def log_on(self):
        met = []
        try:
            addresses = resolve(self.resolver, self.name)
            for address in random.sample(addresses, len(addresses)):
                try:
                    self.sessions.append(Session(address, self.port))
                    self.logons[address] += 1
                    self.refused += len(met)
                    return
                except OSError as error:
                    met.append(f'{address}: {error}')
        except (OSError, AssertionError, struct.error) as error:
            met.append(f'{self.resolver}: {error!r}')
        self.failed.append('; '.join(met))

    def talk(self, session, leave=False):
        try:
            session.end() if leave else session.talk()
        except (OSError, AssertionError) as error:
            self.cut.append(repr(error))
            if not leave:
                self.sessions.remove(session)

    def leave(self):
        self.talk(self.sessions.popleft(), leave=True)

    def stop(self):
        self.is_over = True
        self.thread.join(LIMIT)
