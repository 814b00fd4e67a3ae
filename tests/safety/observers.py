"""Who watches the pool from outside while operators drain its servers, and believes nobody.

The ScmObserver asks what the SCMs say; the simulated SCM of a server is a file that is only
ever replaced as a whole.  Five files cannot be read at one instant, so it reads all of them,
keeps those open that say that the service does not run, and looks again at what is at their
places.  A file that is still the same one (an open file's inode is given to no other) was
there all the time in between: so those servers were out together at the instant between the
two passes.  Only these count, so nothing is called a violation that was none; and one that
lasts for two passes, without a change to one of its files, is never missed.

The PooldObserver asks the poolds themselves, not through the proxies, for reservations.
"""

import contextlib
import datetime
import http.client
import json
import os
import threading
import time

from sessions import LIMIT

PAUSE_S = 0.002
POOLD_PAUSE_S = 0.02
RESERVED_S = 15  # what poolctl asks for
LIFE_S = 300     # however often it is renewed
SLACK_S = 2      # promised is one; and expires_in_s is rounded up


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace('Z', '+00:00')).timestamp()


class Observer:
    """A thread that calls look() until it is left."""

    def __init__(self, pause_s):
        self.pause_s, self.is_over, self.failure = pause_s, False, None
        self.looks = 0
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.thread.join(LIMIT)

    def run(self):
        try:
            while not self.is_over:
                self.look()
                self.looks += 1
                time.sleep(self.pause_s)
        except Exception as error:  # for the test to raise, in its own thread
            self.failure = error


class ScmObserver(Observer):
    """`violations` has a line for each time the pool fell below its floor."""

    def __init__(self, servers, floor):
        super().__init__(PAUSE_S)
        self.servers, self.floor = servers, floor
        self.violations, self.most_out = [], 0
        self.is_below = False
        self.last_at, self.longest_s = None, 0  # between the beginnings of two looks

    def look(self):
        now = time.monotonic()
        self.longest_s = max(self.longest_s, now - (self.last_at or now))
        self.last_at = now
        with contextlib.ExitStack() as kept:
            out = []
            for server in self.servers:
                file = kept.enter_context(open(server.scm.path, 'rb'))
                service = json.load(file)['services'][server.scm.service]
                if service['state'] != 'running':
                    out.append((server, file))
            surely = [server.name for server, file in out
                      if os.stat(server.scm.path).st_ino == os.fstat(file.fileno()).st_ino]
        self.judge(surely)

    def judge(self, out):
        self.most_out = max(self.most_out, len(out))
        is_below = len(self.servers) - len(out) < self.floor
        if is_below and not self.is_below:
            self.violations.append(f'{", ".join(out)} were out at once')
        self.is_below = is_below


class PooldObserver(Observer):
    """`violations` has a line for each reservation that outlived its time.

    reserved_at(server, id) says when poold was asked for it last, as a time of day: None if
    never, infinity while it is being asked.
    """

    def __init__(self, servers, reserved_at):
        super().__init__(POOLD_PAUSE_S)
        self.servers, self.reserved_at = servers, reserved_at
        self.documents = {}  # the newest, by name
        self.seen, self.violations = set(), set()

    def look(self):
        for server in self.servers:
            # It may just have been killed.
            with contextlib.suppress(OSError, http.client.HTTPException):
                status, document = server.get('/v1/server')
                if status == 200:
                    self.documents[server.name] = document
                    self.check(server, document)

    def check(self, server, document):
        reservation = document['reservation']
        if not reservation:
            return
        name = f'{reservation["id"]} on {server.name} of {reservation["created_at"]}'
        self.seen.add(name)
        now = seconds(document['time'])
        asked = self.reserved_at(server, reservation['id'])
        if asked is None:
            self.violations.add(f'nobody asked for {name}')
        elif reservation['expires_in_s'] > RESERVED_S - (now - asked) + SLACK_S:
            self.violations.add(f'{name} outlives its time: it expires in '
                                f'{reservation["expires_in_s"]} s, and was asked for '
                                f'{now - asked:.2f} s ago')
        if now - seconds(reservation['created_at']) > LIFE_S:
            self.violations.add(f'{name} is older than it may be')

    def drains(self, server):
        """The ids of its drains, as they were a moment ago."""
        return [each['id'] for each in self.documents.get(server.name, {}).get('drains', [])]
