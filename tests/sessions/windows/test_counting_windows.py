"""Sessions of a Windows service come and go while poold.exe counts them: every sample is
right.  The service, its sockets and the SCM are those of Wine; the clients are Linux'.
Wine reads /proc/net/tcp, which may skip sockets while thousands of others come and go: this
test must not run beside that of Linux.

SESSIONS_SEED repeats who comes and goes when, as well as a machine can.
"""

import random
import socket
import threading
import time

from pool import SERVICE
from sessions import LIMIT, Session, wait_until
from truth import SEED, Sampler, Truth, check, report
from windows_pool import WindowsPool

MOST, SAMPLES = 400, 400
OTHERS = 50
PEERS, EXCLUDED = [f'127.0.4.{i}' for i in range(1, 5)], ['127.0.5.1']
BURST, REST_S, TURN_S = 20, 0.2, 3


class Guests:
    """Clients that come to the test service and leave at random; notes their lives."""

    def __init__(self, server, most, sources):
        self.server, self.most, self.sources = server, most, sources
        self.random = random.Random(f'{SEED} {sources[0]}')
        self.sessions, self.lives = [], []
        self.is_wandering = self.is_over = False
        self.failure = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            while not self.is_over:
                self.burst(self.wanted())
                time.sleep(REST_S)
        except OSError as error:
            self.failure = error

    def wanted(self):
        if not self.is_wandering:
            return self.most
        turn = random.Random(f'{SEED} {int(time.monotonic() / TURN_S)}')
        return turn.choice([0, turn.randrange(self.most), self.most])

    def burst(self, wanted):
        for _ in range(self.random.randrange(BURST)):
            if len(self.sessions) < wanted:
                self.come()
            elif self.sessions and self.is_wandering:
                self.leave(self.sessions.pop(self.random.randrange(len(self.sessions))))

    def come(self):
        life = [time.monotonic_ns(), 0, 0, 0]
        session = Session(self.server.address, self.server.pool.port,
                          source=self.random.choice(self.sources))
        # The service has greeted it.
        life[1] = time.monotonic_ns()
        self.lives.append(life)
        self.sessions.append((session, life))

    def leave(self, guest):
        session, life = guest
        life[2] = time.monotonic_ns()
        if self.random.randrange(2):
            session.expect('END', 'BYE')
        else:
            session.socket.shutdown(socket.SHUT_WR)
        # The service has closed its end when ours is told so.
        assert not session.lines.readline()
        life[3] = time.monotonic_ns()
        session.close()

    def stop(self):
        self.is_over = True
        self.thread.join(LIMIT)
        for session, _ in self.sessions:
            session.close()
        if self.failure:
            raise self.failure


def test_every_sample_under_wine_is_right(machine, tmp_path):
    print(f'\nSESSIONS_SEED={SEED}')
    pool = WindowsPool(tmp_path, [machine], tick='200ms')
    port = f'ports: [{pool.port}]'
    pool.file.write_text(pool.file.read_text().replace(
        port, f'{port}\n        exclude: [{", ".join(EXCLUDED)}]'))
    server = pool.servers[0]
    machine.install(SERVICE, pool.port)
    machine.start(SERVICE)
    server.install_poold()
    guests, others = Guests(server, MOST, PEERS), Guests(server, OTHERS, EXCLUDED)
    sampler = Sampler(server)

    def failed():
        return guests.failure or others.failure or sampler.failure
    wait_until(lambda: failed() or sampler.most() == MOST, 'all there are to be', 120)
    guests.is_wandering = True
    wait_until(lambda: failed() or sampler.are_there(SAMPLES, SAMPLES / 10),
               f'{SAMPLES} samples', 300)
    sampler.stop()
    guests.stop()
    others.stop()
    machine.remove(SERVICE)
    samples, beside = sampler.samples(), Truth(others.lives)
    wrong, exact = check(samples, guests.lives)
    tempted = sum(beside.bounds(begin, end)[0] > 0 for _, begin, end in samples)
    print(f'{len(samples)} samples ({len(sampler.documents)} of poold\'s own), {exact} that '
          f'had to be exact, {tempted} beside others, {len(guests.lives)} sessions, '
          f'{sampler.most()} at once, {len(wrong)} wrong')
    report(samples=len(samples), wrong=len(wrong) + sampler.unknown)
    assert not wrong and not sampler.unknown, wrong[:5]
    assert exact > SAMPLES / 10 and tempted > SAMPLES / 2
