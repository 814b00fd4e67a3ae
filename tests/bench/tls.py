"""Benchmarks of TLS: against plain HTTP, and against a bare program with the same libraries."""

import contextlib
import pathlib
import re
import subprocess
import time
from urllib.parse import urlsplit

from native import LOAD_ROUNDS, bare_httpd, load
from tools import (ADDRESS, ROOT, compare, get, in_turn, native_poold, row, serving, simulate,
                   start_poold, temporary_folder)

HANDSHAKE_ROUNDS, HANDSHAKES_S = 9, 2
MEMORY_LIMIT_KIB, KIB = 8192, 1024
SIZES = {'poold.exe': 6 * KIB, 'poolctl.exe': 4 * KIB}


def make_pair(folder):
    """The files of a certificate and its key, as `poold tls init` makes them: P-256."""
    certificate, key = folder / 'server.pem', folder / 'server.key'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                    'ec_paramgen_curve:P-256', '-noenc', '-keyout', key, '-out', certificate,
                    '-days', '90', '-subj', '/CN=frontend01', '-addext',
                    f'subjectAltName=IP:{ADDRESS}'], capture_output=True, check=True)
    key.chmod(0o600)
    return certificate, key


@contextlib.contextmanager
def tls_poold(folder):
    """As native_poold, with TLS."""
    folder.mkdir()
    url = simulate(folder).replace('http://', 'https://')
    certificate, key = make_pair(folder)
    pool = folder / 'pool.yaml'
    pool.write_text(pool.read_text().replace('http://', 'https://'))
    config = folder / 'poold.yaml'
    config.write_text(config.read_text().rstrip()[:-1] +
                      f', "tls": {{"certificate": "{certificate}", "key": "{key}"}}}}')
    with serving(start_poold(folder), url + '/v1/server') as process:
        yield process, url


def pss_kib(process):
    text = pathlib.Path(f'/proc/{process.pid}/smaps_rollup').read_text()
    return int(re.search(r'^Pss:\s+(\d+) kB', text, re.MULTILINE)[1])


def replies():
    """GET /v1/server over connections that are kept, and the memory of poold with TLS."""
    with temporary_folder() as folder:
        with tls_poold(folder / 'idle') as (process, _):
            time.sleep(2)
            idle = pss_kib(process)
        with native_poold(folder / 'plain') as (_, plain), \
                tls_poold(folder / 'tls') as (_, secure):
            ours, reference = in_turn(LOAD_ROUNDS, lambda: load(secure + '/v1/server'),
                                      lambda: load(plain + '/v1/server'))
    rates, plain_rates = ([rate for rate, _ in measured] for measured in (ours, reference))
    return [compare('GET over TLS, rate', '1/s', rates, plain_rates, [0.6, 10]),
            row('memory of an idle poold, TLS', 'KiB', idle, MEMORY_LIMIT_KIB, 1)]


def handshake_ms(url):
    """The time of a whole handshake, with that of the client."""
    text = subprocess.run(['openssl', 's_time', '-connect', urlsplit(url).netloc, '-new', '-tls1_3',
                           '-time', str(HANDSHAKES_S)], capture_output=True, text=True,
                          check=True).stdout
    count, seconds = re.search(r'(\d+) connections in (\d+) real seconds', text).groups()
    if int(count) < 10:
        raise RuntimeError(f'openssl s_time says:\n{text}')
    return int(seconds) * 1e3 / int(count)


def handshakes():
    """A full handshake, against a program that has nothing but the same libraries."""
    header = (ROOT / 'daemon/tls/tls.h').read_text()
    priorities = ''.join(re.findall(r'"([^"\n]*)"', header.split('#define TLS_PRIORITIES')[1]
                                    .split('\n\n')[0]))
    with temporary_folder() as folder, tls_poold(folder / 'ours') as (_, ours):
        certificate, key = folder / 'ours/server.pem', folder / 'ours/server.key'
        with bare_httpd(folder, *get(ours + '/livez'), certificate, key, priorities) as bare:
            mine, reference = in_turn(HANDSHAKE_ROUNDS, lambda: handshake_ms(ours),
                                      lambda: handshake_ms(bare))
    return [compare('TLS handshake', 'ms', mine, reference, 1.3)]


def sizes():
    """The programs for Windows, stripped."""
    return [row(f'size of {name}', 'KiB', (ROOT / 'build/windows' / name).stat().st_size / KIB,
                limit, 1) for name, limit in SIZES.items()]
