"""`poolctl trust`: shows what a server presents, and pins it in pool.yaml after a yes; the rest
of the file stays as it is."""

import json
import os
import pty
import subprocess

import pytest

from certificates import make_tls_pool, self_signed  # noqa: F401
from pool import POOLCTL
from sessions import LIMIT

EDITS = {
    'in_a_block': ('''\
# The pools of the house.
pools:
  fe-pool01:   # front ends
    services: {{RTCSRV: {{ports: [{port}]}}}}
    servers:
      frontend01:
        # at the window
        url: "https://127.0.1.1:{api}"  # by hand
        address: 127.0.1.1
      frontend02: {{address: 127.0.1.2}}
''', '''\
        pin: {pin}
        url: "https'''),
    'in_braces': ('''\
pools:
  fe-pool01: {{notes: "die Größe", services: {{RTCSRV: {{ports: [{port}]}}}}, servers: {{Frontend01: {{ address: 127.0.1.1, url: "https://127.0.1.1:{api}"}}}}}}
''', '{{ pin: {pin}, address: 127.0.1.1'),
    'with_another_pin': ('''\
pools:
  fe-pool01:
    ca_file: nothing.pem
    services: {{RTCSRV: {{ports: [{port}]}}}}
    servers:
      frontend01:
        address: 127.0.1.1
        pin: "{other}" # of last year
        url: https://127.0.1.1:{api}
      frontend02:
        address: 127.0.1.2
''', '        pin: "{pin}" # of last year\n'),
    'with_crlf': ('''\
pools:\r
  fe-pool01:\r
    services: {{RTCSRV: {{ports: [{port}]}}}}\r
    servers:\r
      frontend01:\r
        address: 127.0.1.1\r
        url: https://127.0.1.1:{api}\r
''', '        pin: {pin}\r\n        address'),
}

NOT_EDITED = {
    'a_list_of_pins': '''\
pools:
  fe-pool01:
    services: {{RTCSRV: {{ports: [{port}]}}}}
    servers:
      frontend01:
        pin: [{other}]
        address: 127.0.1.1
        url: https://127.0.1.1:{api}
''',
    'an_anchor_of_two_servers': '''\
pools:
  fe-pool01:
    services: {{RTCSRV: {{ports: [{port}]}}}}
    servers:
      frontend02: {{address: 127.0.1.2, pin: &known {other}}}
      frontend01: {{address: 127.0.1.1, pin: *known, url: "https://127.0.1.1:{api}"}}
''',
}


@pytest.fixture(scope='session')
def mine(tmp_path_factory):
    return self_signed(tmp_path_factory.mktemp('mine'), 'mine')


@pytest.fixture(scope='session')
def other(tmp_path_factory):
    return self_signed(tmp_path_factory.mktemp('other'), 'other')


@pytest.fixture
def scene(make_tls_pool, mine):
    return make_tls_pool(mine)


def fill(pool, text, other):
    pool.file.write_bytes(text.format(port=pool.port, api=pool.api_port,
                                      other=other.pin()).encode())


@pytest.mark.parametrize('text, line', EDITS.values(), ids=EDITS)
def test_the_pin_is_written_and_all_else_stays(scene, mine, other, text, line):
    fill(scene, text, other)
    before = scene.file.read_bytes().decode()
    assert scene.poolctl('status', 'frontend01').returncode == 3
    done = scene.poolctl('trust', 'frontend01', '--yes', mine.pin())
    assert not done.returncode, done
    assert mine.pin() in done.stdout and 'CN = mine' in done.stdout
    after = scene.file.read_bytes().decode()
    assert line.format(pin=mine.pin()) in after
    # Without the pin, the file is the one from before.
    if other.pin() in before:
        assert after == before.replace(other.pin(), mine.pin())
    else:
        pin = f'pin: {mine.pin()}'
        assert before in [after.replace(f'{pin}{rest}', '')
                          for rest in ('\n        ', '\r\n        ', ', ')]
    assert scene.file.stat().st_mode & 0o777 == 0o644
    assert not scene.poolctl('status', 'frontend01').returncode
    # Once more: there is nothing to do.
    done = scene.poolctl('trust', 'frontend01')
    assert not done.returncode and 'frontend01: trusted' in done.stdout.lower()
    assert scene.file.read_bytes().decode() == after


@pytest.mark.parametrize('text', NOT_EDITED.values(), ids=NOT_EDITED)
def test_where_it_cannot_be_sure_it_says_the_line(scene, mine, other, text):
    fill(scene, text, other)
    before = scene.file.read_bytes()
    done = scene.poolctl('trust', 'frontend01', '--yes', mine.pin())
    assert done.returncode == 2 and f'pin: {mine.pin()}' in done.stderr, done
    assert scene.file.read_bytes() == before


def test_nothing_is_written_without_a_yes(scene, mine, other):
    before = scene.file.read_bytes()
    done = scene.poolctl('trust', 'frontend01')
    assert done.returncode == 2 and f'--yes {mine.pin()}' in done.stderr, done
    for wrong in '', 'yes', mine.pin()[:-1], mine.pin() + '=':
        done = scene.poolctl('trust', 'frontend01', '--yes', wrong)
        assert done.returncode == 2 and '--yes' in done.stderr, done
    done = scene.poolctl('trust', 'frontend01', '--yes', other.pin())
    assert done.returncode == 3 and 'another key than --yes says' in done.stderr, done
    told = json.loads(scene.poolctl('trust', 'frontend01', '-o', 'json').stdout)
    assert told['presented']['pin'] == mine.pin() and not told['trusted'] and not told['written']
    assert told['known'] == {'pins': [], 'ca_file': None}
    for answer, status in ('no', 3), ('', 3), ('y', 3):
        assert ask(scene, answer) == status
        assert scene.file.read_bytes() == before
    assert ask(scene, 'yes') == 0
    assert mine.pin() in scene.file.read_text()


def ask(pool, answer):
    """The exit status of a trust on a terminal, where somebody types the answer."""
    leader, follower = pty.openpty()
    process = subprocess.Popen([POOLCTL, '--config', pool.file, 'trust', 'frontend01'],
                               stdin=follower, stdout=subprocess.DEVNULL, stderr=follower)
    os.close(follower)
    shown = b''
    while b'type yes' not in shown:
        shown += os.read(leader, 1024)
    os.write(leader, answer.encode() + b'\n')
    status = process.wait(LIMIT)
    os.close(leader)
    return status


def test_what_has_no_tls_has_nothing_to_trust(make_pool):
    pool = make_pool()
    done = pool.poolctl('trust', 'frontend01')
    assert done.returncode == 2 and 'begins with https://' in done.stderr, done
    pool.file.write_text(pool.file.read_text().replace('http://', 'https://'))
    done = pool.poolctl('trust', 'frontend01')
    assert done.returncode == 3 and 'does not speak TLS' in done.stderr, done
    pool.servers[0].kill_poold()
    done = pool.poolctl('trust', 'frontend01')
    assert done.returncode == 3, done
    for words in 'frontend01: does not answer at https://127.0.1.1', 'check that poold runs there':
        assert words in done.stderr, done


def test_a_certificate_of_strangers_controls_no_terminal(make_tls_pool, tmp_path):
    (tmp_path / 'evil').mkdir()
    evil = self_signed(tmp_path / 'evil', 'e\x1b[31mvil', names='DNS:localhost')
    done = make_tls_pool(evil).poolctl('trust', 'frontend01')
    assert 'vil' in done.stdout and '\x1b' not in done.stdout + done.stderr
