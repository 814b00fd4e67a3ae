"""Cases G: broken on purpose."""

import contextlib
import errno
import http.server
import json
import subprocess
import threading

import pytest

from faults import Fault
from pool import POOLCTL
from sessions import free_port, wait_until


@pytest.fixture
def full(make_pool):
    """A pool of one whose disk is full when armed."""
    pool = make_pool(start=False)
    server = pool.servers[0]
    folder = server.folder / 'fault'
    folder.mkdir()
    fault = Fault(folder, server.folder / 'state')
    server.start_poold(fault.env)
    yield pool, server, fault
    fault.close()


@pytest.mark.case('G3')
def test_a_full_disk_is_known_before_the_drain(full):
    pool, server, fault = full
    fault.arm(errno.ENOSPC)
    checked = pool.poolctl('check', 'frontend01')
    assert checked.returncode == 4
    assert 'a drain is not possible' in checked.stdout
    assert 'poold cannot write its store' in pool.poolctl('drain', 'frontend01', '--dry-run').stdout
    assert 'poold cannot write its store' in pool.poolctl('status').stdout
    drained = pool.poolctl('drain', 'frontend01', '--timeout', '20s')
    assert drained.returncode == 4 and 'poold cannot write its store' in drained.stderr
    of_pool = pool.poolctl('check', 'fe-pool01')
    assert of_pool.returncode == 4 and 'cannot write its store' in of_pool.stdout
    fault.lift()
    assert pool.poolctl('check', 'frontend01').returncode == 0
    wait_until(lambda: not server.document()['store']['failing'], 'written again')


@pytest.mark.brother('G3')
def test_a_record_that_lacks_events_is_not_unbroken(full):
    pool, server, fault = full
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    fault.arm(errno.ENOSPC)
    server.scm.change(state='running')
    wait_until(lambda: server.document()['store']['unwritten'], 'events wait')
    verified = pool.poolctl('events', 'frontend01', '--verify')
    assert verified.returncode != 0 and 'events are missing' in verified.stderr
    fault.lift()
    wait_until(lambda: not server.document()['store']['failing'], 'written again')
    assert pool.poolctl('events', 'frontend01', '--verify').returncode == 0


@pytest.mark.case('G9')
def test_one_drain_too_many_is_refused_at_once(pool, server):
    for i in range(64):
        assert server.put(f'kb{i}', {'reason': 'r', 'owner': 'alice'})[0] == 201
    done = pool.poolctl('drain', 'frontend01', '--id', 'more')
    assert done.returncode == 5
    assert '64 drains are active' in done.stderr and 'nothing was changed' in done.stderr


# ---- an end that comes late ----

@pytest.mark.brother('G2')
@pytest.mark.parametrize('reason', ['r', 'another'])
def test_an_end_that_comes_late_does_not_end_what_was_asked_for_again(pool, server, reason):
    body = {'reason': 'r', 'owner': 'alice'}
    assert server.put('kb1', body)[0] == 201
    seen = server.document()['index']
    assert server.put('kb1', body | {'reason': reason})[0] == 200
    status, _, problem = server.delete('kb1', f'?index={seen}')
    assert status == 409 and 'asked for again' in problem['detail']
    server.wait_phase('drained')
    assert server.delete('kb1', f'?index={server.document()["index"]}')[0] == 200
    assert server.delete('kb1', f'?index={seen}')[0] == 200
    server.wait_phase('serving')


@pytest.mark.brother('G2')
def test_a_resume_that_a_proxy_held_is_void(pool, server, tmp_path):
    """The proxy passes the DELETE on when the drain has been asked for again."""
    held, go = threading.Event(), threading.Event()

    class Proxy(http.server.BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def pass_on(self):
            body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
            if self.command == 'DELETE' and 'reservation' not in self.path:
                held.set()
                go.wait(60)
            headers = {name: value for name, value in self.headers.items() if name != 'Host'}
            status, _, reply = server.request(self.command, self.path, body or None, headers)
            text = json.dumps(reply).encode()
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.send_header('Content-Type', 'application/json' if status < 400 else
                                 'application/problem+json')
                self.send_header('Content-Length', str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        do_GET = do_PUT = do_DELETE = pass_on

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Proxy) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        through = tmp_path / 'through.yaml'
        through.write_text(pool.through(server, f'127.0.0.1:{proxy.server_port}'))
        assert pool.poolctl('drain', 'frontend01').returncode == 0
        resume = subprocess.Popen([POOLCTL, '--config', through, 'resume', 'frontend01'],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert held.wait(60)
        assert pool.poolctl('drain', 'frontend01').returncode == 0
        go.set()
        said = resume.communicate(timeout=60)[0]
        proxy.shutdown()
    assert resume.returncode == 5 and 'asked for again' in said, said
    assert server.document()['phase'] == 'drained'


# ---- G8: two poolds on one machine ----

@pytest.mark.case('G8')
def test_one_poold_drains_a_service(pool, server):
    second = server.folder / 'second.yaml'
    text = server.config.read_text().replace('/state\n', '/state2\n')
    second.write_text(f'listen: {server.address}:{free_port()}\n{text}')
    refused = server.run_poold('run', '--config', second)
    assert refused.returncode == 12, refused
    assert f'another poold on this machine drains {pool.service_name}' in refused.stderr
    assert not (server.folder / 'state2/poold.sqlite').exists()
