"""A pool on Linux: real poold and poolctl, a simulated SCM, real TCP sessions.

The simulated SCM is a file.  A small service of our own follows what the file says, as a
Windows service follows its SCM: it takes sessions while it is running, refuses them while it
is paused, and its sessions live on then; when it stops, they end.
"""

import contextlib
import json
import os
import pathlib
import re
import selectors
import shutil
import socket
import subprocess
import tempfile
import threading

import pool
from sessions import wait_until

POOLD = pathlib.Path(os.environ.get('POOLD', pool.ROOT / 'build/native/poold'))
FAST_FOLDER = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None


def fresh_folder():
    """For tests that write much; who asks removes it."""
    return pathlib.Path(tempfile.mkdtemp(prefix='poolctl-', dir=FAST_FOLDER))


def last_words(done):
    """The last line of a poold that has ended, without its name or the log's time and level."""
    return re.sub(r'^(poold: |\S+ error +)', '', done.stderr.strip().splitlines()[-1])


class Scm:
    """The simulated SCM's file, for who plays the administrator."""

    def __init__(self, path, service, **fields):
        self.path, self.service = pathlib.Path(path), service
        self.write({'services': {service: {
            'display_name': pool.DISPLAY, 'state': 'running', 'start_type': 'automatic',
            'delayed_auto_start': True, 'pid': 1000} | fields}})

    def write(self, content):
        fresh = self.path.with_suffix('.fresh')
        fresh.write_text(json.dumps(content, indent=2))
        fresh.rename(self.path)

    def read(self):
        return json.loads(self.path.read_text())['services'].get(self.service)

    def change(self, **fields):
        content = json.loads(self.path.read_text())
        content['services'][self.service].update(fields)
        self.write(content)

    def says(self):
        now = self.read()
        return now['state'], now['start_type'], now['delayed_auto_start']


class Service:
    """The service: one thread for its listener and all its sessions."""

    def __init__(self, scm, address, port):
        self.scm, self.address, self.port = scm, address, port
        self.selector = selectors.DefaultSelector()
        self.listener = None
        self.sessions = set()
        self.pid = None
        self.is_over = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        wait_until(lambda: self.listener or self.now()[0] != 'running', 'the service listens')

    def now(self):
        """Its state and its process."""
        service = self.scm.read()
        # A service that was deleted is stopped.
        return (service['state'], service.get('pid')) if service else ('stopped', None)

    def run(self):
        while not self.is_over:
            self.follow(*self.now())
            for key, _ in self.selector.select(0.02):
                self.accept() if key.data is None else self.answer(key.data)
        self.follow('stopped', None)

    def follow(self, state, pid):
        if pid != self.pid:
            # Another process: the one before died, and all that it had.
            self.follow('stopped', self.pid)
            self.pid = pid
        if state == 'running' and not self.listener:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self.address, self.port))
            listener.listen(1024)
            self.selector.register(listener, selectors.EVENT_READ)
            self.listener = listener
        elif state != 'running' and self.listener:
            self.selector.unregister(self.listener)
            self.listener.close()
            self.listener = None
        if state == 'stopped':
            for session in list(self.sessions):
                self.end(session)

    def accept(self):
        session, _ = self.listener.accept()
        # The SCM's word counts, also if this service is a little behind.
        if self.now() != ('running', self.pid):
            return session.close()
        session.sendall(f'READY {self.pid}\n'.encode())
        self.sessions.add(session)
        self.selector.register(session, selectors.EVENT_READ, session)

    def end(self, session):
        self.sessions.discard(session)
        self.selector.unregister(session)
        session.close()

    def answer(self, session):
        with contextlib.suppress(OSError):
            line = session.recv(4096)
            if line.startswith(b'TALK'):
                return session.sendall(line)
            if line.startswith(b'PING'):
                return session.sendall(b'PONG\n')
            if line.startswith(b'END'):
                session.sendall(b'BYE\n')
        self.end(session)

    def stop(self):
        self.is_over = True
        self.thread.join()


class SimulatedServer(pool.Server):
    def __init__(self, owner, name, address, **fields):
        super().__init__(owner, name, address)
        self.folder = owner.folder / name
        self.folder.mkdir()
        self.scm = Scm(self.folder / 'scm.json', owner.service_name, **fields)
        self.service_process = Service(self.scm, address, owner.port)
        self.config, self.pool_file = self.folder / 'poold.yaml', owner.folder / f'pool-{name}.yaml'
        self.config.write_text(
            f'server: {name}\npool_file: {self.pool_file}\nstate_dir: {self.folder}/state\n'
            f'scm: simulated\nsimulated_file: {self.scm.path}\ntick: {owner.tick}\n')
        self.poold = None

    def copy_pool_file(self):
        """As an admin does; what changes in the pool's own file later is the operators'."""
        with contextlib.suppress(FileNotFoundError):
            fresh = self.pool_file.with_suffix('.fresh')
            shutil.copyfile(self.pool.file, fresh)
            fresh.rename(self.pool_file)

    def launch_poold(self, env=None):
        """Starts poold and returns at once."""
        self.copy_pool_file()
        with open(self.folder / 'poold.log', 'a') as log:
            self.poold = subprocess.Popen([POOLD, 'run', '--config', self.config], stdout=log,
                                          stderr=log, stdin=subprocess.DEVNULL,
                                          env=os.environ | (env or {}))

    def start_poold(self, env=None):
        self.launch_poold(env)
        self.wait_answer()

    def run_poold(self, *args):
        """A poold that is expected to end by itself."""
        self.copy_pool_file()
        return subprocess.run([POOLD, *args], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL)

    def new_token(self, name, role, *args):
        """A token of this server, as `poold token new` shows it once."""
        return subprocess.run([POOLD, 'token', 'new', '--config', self.config, '--name', name,
                               '--role', role, *args], capture_output=True, text=True,
                              check=True, timeout=60).stdout.strip()

    def stop_poold(self):
        """Ends poold as its supervisor would; its exit status."""
        self.poold.terminate()
        return self.poold.wait(60)

    def kill_poold(self):
        self.poold.kill()
        self.poold.wait(60)

    def log(self):
        return (self.folder / 'poold.log').read_text()

    def close(self):
        if self.poold and self.poold.poll() is None:
            self.kill_poold()
        self.service_process.stop()


class SimulatedPool(pool.Pool):
    """Servers frontend01, 02 … at 127.0.1.1, 127.0.1.2 …; ends them when it is left."""

    def __init__(self, folder, count=1, fields=None, **options):
        super().__init__(folder, **options)
        for i in range(1, count + 1):
            self.servers.append(
                SimulatedServer(self, f'frontend{i:02}', f'127.0.1.{i}', **(fields or {})))
        self.write()
        for server in self.servers:
            server.copy_pool_file()

    def start(self):
        for server in self.servers:
            server.start_poold()
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.close()
