"""make demo: three servers, a drain of the first, its sessions end, and it comes back.

The servers are three poold with a simulated SCM; their sessions are real TCP connections.
"""

import pathlib
import random
import shlex
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'support'))
from pool import POOLCTL  # noqa: E402
from sessions import wait_until  # noqa: E402
from simulated import SimulatedPool  # noqa: E402

SESSIONS = 24
LIFE_S = 9  # the longest life of a session after the drain began


def say(text):
    print(f'\n# {text}', flush=True)


def poolctl(pool, *args):
    """Shows a command as one would type it, and runs it on this terminal."""
    print(f'$ poolctl {shlex.join(args)}', flush=True)
    return subprocess.run([POOLCTL, '--config', pool.file, *args], check=False).returncode


def end_by_themselves(sessions):
    """Users hang up one after the other."""
    ends = sorted(random.uniform(1, LIFE_S) for _ in sessions)
    began = time.monotonic()
    for end, session in zip(ends, sessions):
        time.sleep(max(0, began + end - time.monotonic()))
        session.end()


def tell(pool):
    first = pool.servers[0]
    say('A pool of three servers. Each has a service, RTCSRV, with users on it.')
    sessions = [first.session() for _ in range(SESSIONS)]
    others = [server.session() for server in pool.servers[1:] for _ in range(SESSIONS)]
    for server in pool.servers:
        wait_until(lambda: server.service()['sessions']['count'] == SESSIONS, 'all are counted')
    poolctl(pool, 'status')

    say('frontend01 is to be patched: no new sessions, the others end by themselves.')
    users = threading.Thread(target=end_by_themselves, args=(sessions,))
    users.start()
    status = poolctl(pool, 'drain', 'frontend01', '--reason', 'patch day')
    users.join()
    say(f'poolctl ended with {status}: 0 means drained, and verified. Nobody was cut off.')
    print(f'  A new session on frontend01 is {first.try_new()}, on frontend02 it is '
          f'{pool.servers[1].try_new()}.')
    poolctl(pool, 'status')

    say('Now frontend01 could be patched and rebooted; it would stay out. Then it comes back.')
    status = max(status, poolctl(pool, 'resume', 'frontend01'))
    poolctl(pool, 'status')
    for session in others:
        session.end()
    return status


def main(make_pool, try_next):
    with tempfile.TemporaryDirectory(prefix='poolctl-demo-') as folder:
        with make_pool(folder) as pool:
            status = tell(pool)
    say('What to try next:')
    print(try_next)
    return status


TRY_NEXT = '''  make demo-windows      the same with real Windows services, under Wine
  docs/runbooks.md       patching one server, a whole pool, and use in pipelines
  docs/install.md        poold on your own servers
  build/native/poolctl --help'''

if __name__ == '__main__':
    sys.exit(main(lambda folder: SimulatedPool(folder, 3).start(), TRY_NEXT))
