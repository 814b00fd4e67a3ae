"""Windows servers for the tests: a Wine prefix is one server, with its own SCM and registry.

    machine = Machine(folder / 'one', address='127.0.1.1')
    machine.boot()
    machine.install('RTCSRV', port, pause='slow')
    machine.scm('start', 'RTCSRV')
    session = Session(machine.address, port)
    machine.power_cut()

Sessions, ports and conditions to wait for are here as well.  Nothing in this file waits by
sleeping for a time: it waits for a condition, and not longer than a limit.
"""

import contextlib
import fcntl
import filecmp
import functools
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / 'support'))
from sessions import (LIMIT, Session, free_port, try_new_session,  # noqa: E402, F401
                      wait_until)

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ROOT / 'build/windows/tests'

# A test may hold thousands of sessions, and the Wine server inherits the limit.
resource.setrlimit(resource.RLIMIT_NOFILE, 2 * (resource.getrlimit(resource.RLIMIT_NOFILE)[1],))


def first_existing(*paths):
    return next((str(path) for path in paths if path and os.path.exists(path)), None)


# Debian's own /usr/bin/wine is a shell script that warns about wine32.
WINE = first_existing('/usr/lib/wine/wine64', shutil.which('wine64'), shutil.which('wine'))
WINESERVER = first_existing('/usr/lib/wine/wineserver64', '/usr/lib/wine/wineserver',
                            shutil.which('wineserver'))
WINE_DLLS = first_existing('/usr/lib/x86_64-linux-gnu/wine/x86_64-windows',
                           '/usr/lib64/wine/x86_64-windows', '/usr/lib/wine/x86_64-windows')


# ---- the prefix that every machine is copied from ----

def environment(prefix):
    env = {name: value for name, value in os.environ.items()
           if not name.startswith(('WINE', 'XDG_', 'POOLCTL_')) and name not in ('DISPLAY', 'LANG')}
    return env | {
        'WINEPREFIX': str(prefix), 'WINEARCH': 'win64', 'WINEDEBUG': '-all',
        'WINELOADER': WINE, 'WINESERVER': WINESERVER, 'LC_ALL': 'C.UTF-8',
        # No .NET, no HTML, no menus: less to install, and nothing that asks a person.
        'WINEDLLOVERRIDES': 'mscoree,mshtml=;winemenubuilder.exe=',
    }


def link_to_wine(prefix):
    """Replaces the copies of Wine's DLLs by links: 700 MB become 13."""
    for path in (prefix / 'drive_c').rglob('*'):
        original = pathlib.Path(WINE_DLLS, path.name)
        if (path.is_file() and not path.is_symlink() and original.is_file()
                and filecmp.cmp(path, original, shallow=False)):
            path.unlink()
            path.symlink_to(original)


@functools.cache
def template():
    """The prefix of this Wine version, made by whoever comes first and kept in the cache.

    Machines may be made by several test runs at once, so a lock guards the making, and
    the folder gets its name when it is complete.
    """
    version = subprocess.run([WINE, '--version'], capture_output=True, text=True, check=True)
    name = re.sub(r'[^\w.~+-]+', '-', version.stdout.strip()).strip('-')
    home = os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache'
    cache = pathlib.Path(os.environ.get('POOLCTL_CACHE') or pathlib.Path(home, 'poolctl'))
    cache.mkdir(parents=True, exist_ok=True)
    made = cache / (name if name.startswith('wine-') else f'wine-{name}')
    with open(f'{made}.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.is_dir():
            with tempfile.TemporaryDirectory(dir=cache, prefix='new-wine-') as folder:
                make_template(pathlib.Path(folder, 'prefix')).rename(made)
    return made


def make_template(prefix):
    """Boots twice: in the first boot of a new prefix, two services.exe answer in turn."""
    prefix.mkdir()
    machine = Machine(prefix)
    for _ in range(2):
        machine.boot()
        machine.power_cut()
    if WINE_DLLS:
        link_to_wine(prefix)
    forget_server_folder(prefix)
    return prefix


def forget_server_folder(prefix):
    """Debian's Wine keeps its socket in a folder of /tmp that a file in the prefix names.

    A copy of the prefix needs a folder of its own, so it must not have that file.
    """
    with contextlib.suppress(FileNotFoundError):
        name = pathlib.Path(prefix, 'wineserver')
        shutil.rmtree(pathlib.Path('/tmp', name.read_text()), ignore_errors=True)
        name.unlink()


# ---- a machine ----

class ScmError(Exception):
    """What scm.exe reported: .number is the Windows error, 1060 for instance."""

    def __init__(self, number, text):
        super().__init__(f'error {number} {text}')
        self.number = number


class Machine:
    """One Windows server, in a folder of its own that goes with close().

    A folder that does not exist yet is copied from the template.
    """

    def __init__(self, folder, address='127.0.1.1'):
        self.prefix = pathlib.Path(folder).absolute()
        self.address = address
        self.env = environment(self.prefix)
        if not self.prefix.exists():
            self.prefix.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(['cp', '-a', '--reflink=auto', template(), self.prefix], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def boot(self, limit=120):
        """Starts the server; returns once its SCM answers, with auto-start services begun."""
        for _ in range(3):
            # The Wine server makes the files, which no folder hands its access list down to.
            subprocess.run([WINESERVER, '-p'], env=self.env, timeout=limit, check=True,
                           stdin=subprocess.DEVNULL, umask=0o077)
            booted = subprocess.run([WINE, 'wineboot'], env=self.env, timeout=limit,
                                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL)
            if not booted.returncode:
                return
            # Now and then Wine does not start a program, and says nothing.
            self.power_cut()
        raise AssertionError(f'wineboot ended with {booted.returncode}')

    def processes(self, name=''):
        """The living processes of this prefix whose program begins with that name."""
        mark = b'WINEPREFIX=' + os.fsencode(self.prefix)
        return [pid for pid in map(int, filter(str.isdigit, os.listdir('/proc')))
                if mark in proc_read(pid, 'environ').split(b'\0')
                and program_name(pid).startswith(name)]

    def power_cut(self, lose_registry=False):
        """Ends everything at once, as SIGKILL does; no program hears of it.

        What the registry held is kept.  With lose_registry, the Wine server dies as well,
        and with it whatever was written to the registry since Wine last saved it.
        """
        # Frozen first, so that no program sees another one die.
        servers, all_processes = self.processes('wineserver'), self.processes()
        kill(all_processes, signal.SIGSTOP)
        kill(set(all_processes) - set(servers), signal.SIGKILL)
        kill(servers, signal.SIGKILL if lose_registry else signal.SIGINT)
        kill(servers, signal.SIGCONT)
        wait_until(lambda: not self.processes('wineserver'), 'end of the Wine server')
        kill(self.processes(), signal.SIGKILL)
        wait_until(lambda: not self.processes(), f'end of the processes of {self.prefix}')

    def close(self):
        """Ends the machine and removes its folder, and the one for its server's socket."""
        self.power_cut()
        forget_server_folder(self.prefix)
        shutil.rmtree(self.prefix)

    def popen(self, args, **options):
        """Starts a Windows program, with pipes of UTF-8 text for its three streams."""
        streams = {'stdin': subprocess.PIPE, 'stdout': subprocess.PIPE,
                   'stderr': subprocess.PIPE}
        env = self.env | options.pop('env', {})
        return subprocess.Popen([WINE, *map(str, args)], env=env, text=True, bufsize=1,
                                encoding='utf-8', errors='replace', **(streams | options))

    def run(self, args, timeout=LIMIT, check=True, **options):
        """Runs a Windows program to its end: a CompletedProcess with lines that end in \\n."""
        for _ in range(3):
            done = self.run_once(args, timeout, **options)
            # None of our programs fails in silence: Wine did not get as far as starting it.
            if not done.returncode or done.stdout or done.stderr:
                break
        if check and done.returncode:
            raise AssertionError(
                f'{done.args} ended with {done.returncode}: {done.stdout}{done.stderr}')
        return done

    def run_once(self, args, timeout, input='', **options):
        program = self.popen(args, **options)
        try:
            out, err = program.communicate(input, timeout)
        except BaseException:
            program.kill()
            program.communicate()
            raise
        return subprocess.CompletedProcess(program.args, program.returncode, out, err)

    def scm(self, *args):
        """Runs scm.exe: a dict for query, None for the others; ScmError if it refuses."""
        done = self.run([TOOLS / 'scm.exe', *args], check=False)
        refused = re.match(r'error (\d+) (.*)', done.stderr)
        if refused:
            raise ScmError(int(refused[1]), refused[2])
        if done.returncode not in (0, 3):
            raise AssertionError(f'scm {args} ended with {done.returncode}: {done.stderr}')
        return json.loads(done.stdout) if args[0] == 'query' else None

    def state(self, name):
        return self.scm('query', name)['state']

    def wait_state(self, name, state, limit=LIMIT):
        """Waits until the service is in that state; gives the whole answer of the query."""
        def reached():
            answer = self.scm('query', name)
            return answer if answer['state'] == state else None
        return wait_until(reached, f'{name} {state}', limit)

    def install(self, name, port, display=None, start_type='automatic', **options):
        """Creates a test service; when_paused='refuse' becomes --when-paused refuse."""
        arguments = [name, '--address', self.address, '--port', port]
        for option, value in options.items():
            arguments += ['--' + option.replace('_', '-'), value]
        self.scm('create', name, display or name, start_type,
                 windows_path(TOOLS / 'testservice.exe'), *arguments)

    def start(self, name):
        """Starts a service and waits until it runs."""
        self.scm('start', name)
        return self.wait_state(name, 'running')

    def remove(self, name):
        """Deletes a service in whatever state it is, and ends its process."""
        with contextlib.suppress(ScmError):
            self.scm('stop', name)
            self.wait_state(name, 'stopped')
        with contextlib.suppress(ScmError):
            self.scm('delete', name)

    def tool(self, name):
        """The path of a program that the Makefile built for the tests."""
        return TOOLS / f'{name}.exe'

    def windows_path(self, path):
        return windows_path(path)


def windows_path(path):
    return 'Z:' + os.path.abspath(path).replace('/', '\\')


def proc_read(pid, name):
    """A file of /proc, or nothing when the process is gone or a zombie."""
    try:
        with open(f'/proc/{pid}/{name}', 'rb') as file:
            return file.read()
    except OSError:
        return b''


def program_name(pid):
    try:
        return os.path.basename(os.readlink(f'/proc/{pid}/exe'))
    except OSError:
        return ''


def kill(pids, number):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
