"""Prometheus and promtool, as Debian packages them; `make setup-check` unpacks them."""

import json
import os
import pathlib
import subprocess
import urllib.parse
import urllib.request

from sessions import LIMIT, free_port, wait_until

CACHE = pathlib.Path(os.environ.get('POOLCTL_CACHE') or pathlib.Path(
    os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache', 'poolctl'))
PROGRAMS = CACHE / 'prometheus/usr/bin'


def promtool(*args, text=None):
    """Runs promtool on the text; it has to find nothing."""
    done = subprocess.run([PROGRAMS / 'promtool', *args], input=text, capture_output=True,
                          text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr + (text or '')
    return done.stdout


class Prometheus:
    """One that runs with this configuration until it is left."""

    def __init__(self, folder, config):
        self.folder = pathlib.Path(folder)
        (self.folder / 'prometheus.yml').write_text(config)
        self.url = f'http://127.0.0.1:{free_port(("127.0.0.1",))}'
        with open(self.folder / 'prometheus.log', 'w') as log:
            self.process = subprocess.Popen(
                [PROGRAMS / 'prometheus', f'--config.file={self.folder}/prometheus.yml',
                 f'--storage.tsdb.path={self.folder}/data',
                 f'--web.listen-address={self.url.removeprefix("http://")}'],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=os.environ | {'GOMAXPROCS': '1'})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(LIMIT)

    def get(self, path, **query):
        """The data of an answer of its API; None while it does not answer."""
        url = f'{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}'
        assert self.process.poll() is None, (self.folder / 'prometheus.log').read_text()
        try:
            with urllib.request.urlopen(url, timeout=LIMIT) as reply:
                return json.load(reply)['data']
        except OSError:
            return None

    def query(self, expression):
        """The series of it: labels and value."""
        data = self.get('query', query=expression)
        return data and [(each['metric'], float(each['value'][1])) for each in data['result']]

    def wait(self, expression):
        """Waits until the expression has series, and returns them."""
        return wait_until(lambda: self.query(expression), f'Prometheus knows {expression}')
