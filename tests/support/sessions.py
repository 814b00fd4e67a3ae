"""Sessions with a service, as its users have them: clients, ports, waiting for conditions.

The service speaks a line protocol, which tests/windows/testservice.c tells about.  Nothing
here waits by sleeping for a time: it waits for a condition, and not longer than a limit.
"""

import collections
import contextlib
import errno
import random
import socket
import threading
import time

LIMIT = 60.0  # seconds: long enough for a machine that is busy with something else


def wait_until(condition, what, limit=LIMIT):
    """The first true value of condition(), or AssertionError after limit seconds."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f'not within {limit:g} s: {what}')
        time.sleep(0.01)


class Session:
    """A client of the test service's line protocol; see the top of testservice.c."""

    def __init__(self, address, port, limit=LIMIT, source=''):
        self.socket = socket.create_connection((address, port), limit, (source, 0))
        self.lines = self.socket.makefile('r', encoding='ascii', newline='\n')
        self.greeting = self.lines.readline().rstrip('\n')
        if not self.greeting.startswith('READY '):
            self.close()
            raise ConnectionRefusedError(errno.ECONNREFUSED, self.greeting or 'no greeting')
        self.pid = int(self.greeting.split()[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def ask(self, line):
        self.socket.sendall(line.encode() + b'\n')
        reply = self.lines.readline()
        if not reply.endswith('\n'):
            raise ConnectionResetError(errno.ECONNRESET, 'session ended')
        return reply[:-1]

    def expect(self, line, reply):
        answer = self.ask(line)
        assert answer == reply, f'{line!r} was answered with {answer!r}'

    def talk(self, text='hello'):
        self.expect(f'TALK {text}', f'TALK {text}')

    def hold(self):
        self.expect('HOLD', 'HELD')

    def set(self, option, value):
        self.expect(f'SET {option.replace("_", "-")} {value}', 'OK')

    def release(self):
        self.expect('RELEASE', 'OK')

    def count(self):
        return int(self.ask('COUNT').removeprefix('COUNT '))

    def crash(self, how='CRASH'):
        """Kills the service; with DIE, the SCM sees it as Windows' own would."""
        with contextlib.suppress(OSError):
            self.ask(how)
        self.close()

    def end(self):
        self.expect('END', 'BYE')
        self.close()

    def alive(self):
        try:
            return self.ask('PING') == 'PONG'
        except OSError:
            return False

    def close(self):
        self.lines.close()
        self.socket.close()


def try_new_session(address, port, limit=10):
    """What a new client meets: 'taken', 'busy' or 'refused'; TimeoutError for silence."""
    try:
        Session(address, port, limit).close()
    except (ConnectionRefusedError, ConnectionResetError) as error:
        return 'busy' if 'BUSY' in str(error) else 'refused'
    return 'taken'


held_ports = []  # (port, socket)


def claim(port):
    """Tells other test runs that the port is taken, also while nothing listens there: a name
    that ends with this process.  False if another has it."""
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f'\0poolctl-tests-port-{port}')
    except OSError:
        name.close()
        return False
    held_ports.append((port, name))
    return True


def free_port(addresses=('127.0.1.1', '127.0.1.2', '127.0.1.3'), hold=False):
    """A port that is free on all the addresses, below those that the system gives out.

    It stays ours until the end of the test run: no other run takes it while our program is
    down.  With hold, nor does any other program; only one that sets SO_REUSEADDR, as the test
    service does, can listen there then.
    """
    while True:
        port = random.randrange(10000, 30000)
        if not claim(port):
            continue
        sockets = [socket.socket() for _ in addresses]
        try:
            for holder, address in zip(sockets, addresses):
                holder.bind((address, port))
        except OSError:
            release_port(port)
            continue
        for holder in sockets:
            if hold:
                holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                held_ports.append((port, holder))
            else:
                holder.close()
        return port


def release_port(port):
    """Gives up what free_port held."""
    for held in [each for each in held_ports if each[0] == port]:
        held_ports.remove(held)
        held[1].close()


class Talker:
    """Sessions that exchange data all the time, until they are ended one by one."""

    def __init__(self, server, count):
        self.sessions = collections.deque(server.session() for _ in range(count))
        self.ends = []  # when the number of sessions fell, newest last
        self.rounds = 0
        self.failure = None
        self.lock = threading.Lock()
        self.is_over = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.is_over:
            with self.lock:
                sessions = list(self.sessions)
                try:
                    for session in sessions:
                        session.talk('still here')
                except (OSError, AssertionError) as error:
                    self.failure = error
                    return
                self.rounds += 1
            time.sleep(0.02)

    def check_alive(self):
        """All sessions exchanged data after this call began."""
        before = self.rounds
        wait_until(lambda: self.failure or self.rounds > before + 1, 'sessions go on')
        assert not self.failure, f'a session was cut: {self.failure}'

    def end_one(self):
        with self.lock:
            self.sessions.popleft().end()
            self.ends.append(time.monotonic())

    def stop(self):
        self.is_over = True
        self.thread.join(LIMIT)
        for session in self.sessions:
            session.close()


class Prober:
    """Tries new sessions all the time and keeps what each met, with its time."""

    def __init__(self, server):
        self.server, self.outcomes, self.is_over = server, [], False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.is_over:
            try:
                outcome = self.server.try_new()
            except OSError as error:
                outcome = type(error).__name__
            self.outcomes.append((time.monotonic(), outcome))
            time.sleep(0.01)

    def stop(self):
        self.is_over = True
        self.thread.join(LIMIT)
        return self.outcomes
