"""The story of one drain with one live session, told while something goes wrong.

poold is started, asked for a drain, the session ends, the drain is ended.  Whenever poold
dies, it is started again, as the Windows service manager would; a request without a reply is
sent again, as a client would.  Meanwhile an observer tries new sessions, reads the simulated
SCM's file and asks poold, all the time.  What broke a promise is in `violations`.
"""

import hashlib
import http.client
import json
import shutil
import threading
import time

from faults import Fault
from sessions import release_port, wait_until
from simulated import SimulatedPool, fresh_folder

LIMIT = 10.0  # seconds for a step; several times what the slowest takes
KILLED = -9
STATE_DIR = 11


class Broken(Exception):
    """A promise was broken, so that going on makes no sense."""


def check_chain(events):
    """What is wrong with the record, or None; see `hash` in docs/api.md."""
    before = '0' * 64
    for number, event in enumerate(events, 1):
        if event['id'] != number:
            return f'event {number} has the id {event["id"]}'
        if 'hash' not in event:
            continue
        rest = {key: value for key, value in event.items() if key != 'hash'}
        text = json.dumps(rest, separators=(',', ':'), sort_keys=True, ensure_ascii=False)
        if hashlib.sha256(f'{before}\n{text}'.encode()).hexdigest() != event['hash']:
            return f'the hash of event {number} is wrong'
        before = event['hash']
    return None


class Observer:
    """Tries new sessions, reads the SCM's file and asks poold, until it is stopped."""

    def __init__(self, server):
        self.server, self.is_over = server, False
        self.attempts, self.looks, self.documents = [], [], []
        self.threads = [threading.Thread(target=self.repeat, args=(each,), daemon=True)
                        for each in (self.attempt, self.look, self.ask)]
        for thread in self.threads:
            thread.start()

    def repeat(self, function):
        while not self.is_over:
            function()
            time.sleep(0.01)

    def attempt(self):
        began = time.monotonic()
        try:
            outcome = self.server.try_new()
        except OSError as error:
            outcome = type(error).__name__
        self.attempts.append((began, time.monotonic(), outcome))

    def look(self):
        began = time.monotonic()
        self.looks.append((began, self.server.scm.read(), time.monotonic()))

    def ask(self):
        began = time.monotonic()
        try:
            status, document = self.server.get('/v1/server')
        except (OSError, http.client.HTTPException, ValueError):
            return
        if status == 200:
            self.documents.append((began, document, time.monotonic()))

    def stop(self):
        self.is_over = True
        for thread in self.threads:
            thread.join()


class Story:
    """One drain, and when each thing of it happened."""

    faults_are_refused = False  # a fault may be answered with a problem document

    def __init__(self, folder, retries_put=True):
        self.folder, self.retries_put = folder, retries_put
        self.pool = SimulatedPool(folder, settle='200ms', tick='100ms')
        self.server = self.pool.servers[0]
        self.original = self.server.scm.read()
        self.put_at = self.out_at = self.end_at = self.delete_at = None
        # One for each life of poold, from the first on; those after have none.
        self.faults, self.lives = [], 0
        self.violations = []

    def add_fault(self, *args, **options):
        folder = self.folder / f'fault{len(self.faults)}'
        folder.mkdir()
        self.faults.append(Fault(folder, self.server.folder, *args, **options))

    # ---- poold, which may die at any time ----

    def launch(self):
        env = self.faults[self.lives].env if self.lives < len(self.faults) else None
        self.server.launch_poold(env)
        self.lives += 1

    def start(self):
        self.launch()
        self.until(self.answers, 'poold answers')

    def answers(self):
        return self.get('/v1/server') is not None

    def look_after(self):
        """Starts poold again if a fault ended it."""
        status = self.server.poold.poll()
        if status is None:
            return
        expected = STATE_DIR if self.faults_are_refused else KILLED
        if status != expected or self.lives > len(self.faults):
            raise Broken(f'poold ended with {status}')
        self.launch()

    def tend(self):
        """Called again and again while the story waits for something."""
        self.look_after()

    def until(self, condition, what):
        def tended():
            self.tend()
            return condition()
        try:
            return wait_until(tended, what, LIMIT)
        except AssertionError as error:
            raise Broken(str(error)) from None

    def request(self, method):
        """The status and the body of a reply, or None if there was none."""
        try:
            if method == 'PUT':
                status, _, body = self.server.put('kb1', {'reason': 'patch day'})
            else:
                status, _, body = self.server.delete('kb1')
        except (OSError, http.client.HTTPException):
            return None
        if status in (200, 201):
            return status, body
        if not self.faults_are_refused or status != 503 or 'code' not in body:
            raise Broken(f'{method} was answered with {status} {body}')
        return None

    # ---- the story ----

    def get(self, path):
        """The body of a good reply, or None."""
        try:
            status, body = self.server.get(path)
        except (OSError, http.client.HTTPException):
            return None
        return body if status == 200 else None

    def until_document(self, condition, what):
        return self.until(lambda: (now := self.get('/v1/server')) and condition(now), what)

    def is_as_before(self, document):
        return (document['phase'] == 'serving' and document['wanted'] == 'serving'
                and not document['drains'] and not document['services'][0]['saved']
                and self.server.scm.read() == self.original)

    def drain(self):
        """True if the drain is in force; it may be given up if its PUT was not answered."""
        self.put_at = time.monotonic()
        reply = self.request('PUT')
        if not reply and not self.retries_put:
            if not self.until(lambda: self.get('/v1/drains'), 'poold answers')['drains']:
                self.until_document(self.is_as_before, 'all as before, as no drain is there')
                return False
        if not reply and self.retries_put:
            reply = self.until(lambda: self.request('PUT'), 'the PUT is answered')
        if not reply or not reply[1]['out']:
            self.until_document(lambda now: now['drains'] and now['drains'][0]['out'], 'out')
        self.out_at = time.monotonic()
        return True

    def tell(self, session):
        if not self.drain():
            return
        self.until_document(lambda now: now['phase'] in ('draining', 'attention')
                            and now['services'][0]['sessions']['count'] == 1,
                            'the session is counted')
        if not session.alive():
            raise Broken('the live session was cut')
        self.end_at = time.monotonic()
        session.end()
        self.until_document(lambda now: now['phase'] == 'drained', 'drained')
        self.delete_at = time.monotonic()
        self.until(lambda: self.request('DELETE'), 'the DELETE is answered')
        self.until_document(self.is_as_before, 'all as before')

    def end(self):
        """A stop as by its supervisor; a fault may come even now."""
        self.server.poold.terminate()
        while (status := self.server.poold.wait(LIMIT)) == KILLED:
            self.look_after()
            self.until_document(self.is_as_before, 'all as before')
            self.server.poold.terminate()
        if status:
            raise Broken(f'poold stopped with {status}')

    def run(self):
        """Tells the story; what broke a promise is in self.violations."""
        observer = Observer(self.server)
        session = self.server.session()
        try:
            self.start()
            self.tell(session)
            self.until(lambda: observer.attempts[-1][2] == 'taken', 'sessions are taken')
            self.check_record()
            self.end()
        except Broken as broken:
            self.violations.append(str(broken))
        finally:
            observer.stop()
            session.close()
            self.server.close()
            self.calls = [fault.call() or 'not reached' for fault in self.faults]
            self.is_met = [fault.get('hits') > 0 for fault in self.faults]
            for fault in self.faults:
                fault.close()
            release_port(self.pool.port)
        self.check_sessions(observer)
        self.check_looks(observer)
        return self.violations

    # ---- the promises ----

    def check_record(self):
        body = self.until(lambda: self.get('/v1/events'), 'the record')
        events = body['events']
        if len(events) != body['last']:
            raise Broken(f'{len(events)} of {body["last"]} events')
        if wrong := check_chain(events):
            raise Broken(wrong)
        kinds = [event['kind'] for event in events]
        expected = 0 if self.put_at and not self.out_at else 1
        for kind in ('drain_created', 'drain_ended'):
            if kinds.count(kind) != expected:
                raise Broken(f'{kinds.count(kind)} events {kind}')

    def was_out(self, began, ended):
        """Between the answer that said so and the request that ended it."""
        return self.out_at and began > self.out_at and ended < (self.delete_at or float('inf'))

    def check_sessions(self, observer):
        for began, ended, outcome in observer.attempts:
            if outcome == 'taken' and self.was_out(began, ended):
                self.violations.append(f'a session was taken {began - self.out_at:.3f} s '
                                       'after the drain was acknowledged')
                return

    def check_looks(self, observer):
        for began, service, ended in observer.looks:
            if (not self.put_at or ended < self.put_at) and service != self.original:
                return self.violations.append(f'changed before any drain: {service}')
            if self.was_out(began, ended) and (service['state'], service['start_type']) != (
                    'paused', 'manual'):
                return self.violations.append(f'not held: {service}')
        for began, document, ended in observer.documents:
            if self.was_out(began, ended) and document['wanted'] != 'drained':
                return self.violations.append('an acknowledged drain was forgotten')
            if document['phase'] == 'drained' and (not self.end_at or ended < self.end_at):
                return self.violations.append('drained was said while the session lived')


def tell(make_story, what):
    """Runs a story in a folder of its own: it, and what it broke, as texts for people."""
    folder = fresh_folder()
    try:
        story = make_story(folder)
        found = story.run()
        about = f'{what} ({", then ".join(story.calls)})'
        return story, [f'{about}: {each}\n{story.server.log()}' for each in found]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
