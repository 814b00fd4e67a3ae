"""GET /metrics: what it says, to promtool, and to a Prometheus that scrapes it."""

import errno
import os
import re
import time

import pytest

import pool as pool_module
from faults import Fault
from prometheus import PROGRAMS, Prometheus, promtool
from sessions import wait_until

DOCS = pool_module.ROOT / 'docs'
PHASES = {'serving', 'draining', 'drained', 'resuming', 'attention'}
SERIES = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$', re.M)
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

pytestmark = pytest.mark.skipif(not (PROGRAMS / 'promtool').exists(), reason=(
    'Prometheus could not be unpacked; make setup-check says why'))


def fetch(server):
    status, headers, text = server.page('/metrics')
    return status, headers['Content-Type'], text


def page(server):
    """The page, which promtool has nothing against."""
    status, kind, text = fetch(server)
    assert (status, kind) == (200, 'text/plain; version=0.0.4; charset=utf-8'), text
    promtool('check', 'metrics', text=text)
    return text


def read(server):
    """The page as {(name, its labels): value}."""
    return {(name, tuple(LABEL.findall(labels))): float(value)
            for name, labels, value in SERIES.findall(page(server))}


def value(metrics, name, **labels):
    return metrics.get((name, tuple(labels.items())))


def check_phase(server, phase):
    server.wait_phase(phase)
    metrics = read(server)
    for each in PHASES:
        assert value(metrics, 'poold_phase', phase=each) == (each == phase)
        assert value(metrics, 'poold_service_phase', service='RTCSRV', phase=each) == (
            each == phase)
    assert value(metrics, 'poold_sample_age_seconds', service='RTCSRV', source='tcp') < 60
    return metrics


def test_every_phase(server):
    assert not value(check_phase(server, 'serving'), 'poold_drift_total', service='RTCSRV')
    began = time.time()
    with server.session():
        assert server.put('kb1', {'reason': 'r', 'owner': 'CORP\\al"ice'})[0] == 201
        wait_until(lambda: server.service()['sessions']['count'] == 1, 'the session')
        metrics = check_phase(server, 'draining')
        assert value(metrics, 'poold_sessions', service='RTCSRV') == 1
        assert value(metrics, 'poold_source_sessions', service='RTCSRV', source='tcp') == 1
        assert value(metrics, 'poold_sessions_unknown_seconds', service='RTCSRV') == 0
        age = value(metrics, 'poold_drain_age_seconds', drain='kb1', owner='CORP\\\\al\\"ice')
        assert 0 <= age <= time.time() - began
        assert value(metrics, 'poold_drain_overdue', drain='kb1') == 0
        assert began - 60 < value(metrics, 'poold_start_time_seconds') <= began
    metrics = check_phase(server, 'drained')
    assert value(metrics, 'poold_sessions', service='RTCSRV') == 0
    server.scm.change(state='start_pending', wait_hint_ms=60000)
    wait_until(lambda: value(read(server), 'poold_drift_total', service='RTCSRV') == 1, 'drift')
    assert server.delete('kb1')[0] == 200
    metrics = check_phase(server, 'resuming')
    assert not [name for name, _ in metrics if name.startswith('poold_drain')]
    server.scm.change(state='running')
    server.wait_phase('serving')
    server.scm.change(state='paused')
    check_phase(server, 'attention')


def test_what_a_deadline_does(server):
    with server.session(), server.session():
        server.put('kb1', {'reason': 'r', 'deadline_s': 1})
        wait_until(lambda: server.document()['drains'][0]['overdue'], 'overdue')
        assert value(read(server), 'poold_drain_overdue', drain='kb1') == 1
        assert value(read(server), 'poold_sessions_cut', service='RTCSRV') == 0
        server.put('kb1', {'reason': 'r', 'deadline_s': 1, 'on_deadline': 'stop'})
        wait_until(lambda: server.scm.says()[0] == 'stopped', 'stopped')
        server.wait_phase('drained')
        metrics = read(server)
        assert value(metrics, 'poold_sessions_cut', service='RTCSRV') == 2
        assert value(metrics, 'poold_drain_overdue', drain='kb1') == 0


def test_sessions_that_are_not_known_are_absent(make_pool):
    pool = make_pool(start=False)
    pool.file.write_text(pool.file.read_text().replace(
        '        ports:', "        counters: [{path: '\\A\\B'}]\n        ports:"))
    server = pool.servers[0]
    began = time.monotonic()
    server.start_poold()
    first = value(read(server), 'poold_sessions_unknown_seconds', service='RTCSRV')
    assert 0 < first <= time.monotonic() - began
    metrics = read(server)
    assert first < value(metrics, 'poold_sessions_unknown_seconds', service='RTCSRV')
    assert not [name for name, _ in metrics if name == 'poold_sessions']


def test_a_store_that_cannot_be_written(make_pool):
    server = make_pool(start=False).servers[0]
    folder = server.folder / 'fault'
    folder.mkdir()
    fault = Fault(folder, server.folder / 'state')
    server.start_poold(fault.env)
    assert value(read(server), 'poold_store_failing') == 0
    fault.arm(errno.ENOSPC)
    assert server.put('kb1', {'reason': 'r'})[0] == 503
    wait_until(lambda: value(read(server), 'poold_store_failing') == 1, 'failing')
    fault.lift()
    assert server.put('kb1', {'reason': 'r'})[0] == 201
    wait_until(lambda: value(read(server), 'poold_store_failing') == 0, 'writable')


def test_what_may_be_wrong_by_now_is_not_said(server):
    """The simulated SCM blocks: its file is a pipe that nobody writes to."""
    server.service_process.stop()
    fresh = server.folder / 'pipe'
    os.mkfifo(fresh)
    fresh.rename(server.scm.path)
    wait_until(lambda: fetch(server)[0] == 503, 'stale')
    status, kind, text = fetch(server)
    assert (status, kind) == (503, 'application/problem+json') and '"stale"' in text


def test_the_table_in_the_docs_is_what_poold_says(server):
    with server.session():
        server.put('kb1', {'reason': 'r'})
        text = page(server)
    labels = {name: [label for label, _ in LABEL.findall(found)]
              for name, found, _ in SERIES.findall(text)}
    types = dict(re.findall(r'^# TYPE (\w+) (\w+)$', text, re.M))
    said = [(name, types[name], labels.get(name, []), help_text)
            for name, help_text in re.findall(r'^# HELP (\w+) (.*)$', text, re.M)]
    rows = re.findall(r'^\| `(\w+)` \| (\w+) \|(.*)\| (.*) \|$',
                      (DOCS / 'metrics.md').read_text(), re.M)
    assert said == [(name, kind, re.findall(r'`(\w+)`', named), help_text)
                    for name, kind, named, help_text in rows]


# ---- with Prometheus ----

def test_prometheus_scrapes_it(pool, server, tmp_path):
    server.put('kb1', {'reason': 'r', 'owner': 'CORP\\al"ice'})
    server.wait_phase('drained')
    target = f'{server.address}:{pool.api_port}'
    text = (DOCS / 'metrics.md').read_text()
    block = re.search(r'^    scrape_configs:\n(?:      .*\n)+', text, re.M).group()
    config = re.sub(r'targets: .*', f'targets: ["{target}"]', re.sub(r'(?m)^    ', '', block))
    token = tmp_path / 'token'
    token.write_text(server.new_token('prometheus', 'viewer'))
    config = re.sub(r'credentials_file: .*', f'credentials_file: {token}', config)
    with Prometheus(tmp_path, config.replace('15s', '100ms') +
                    f'rule_files: [{DOCS}/alerts.yaml]\n') as prometheus:
        prometheus.wait('up{job="poold"} == 1')
        assert prometheus.query('poold_phase{phase="drained"}')[0][1] == 1
        [(labels, age)] = prometheus.query('poold_drain_age_seconds')
        assert labels['owner'] == 'CORP\\al"ice' and 0 <= age < 60
        joined = re.search(r'^    (poold_sessions \* .*)$', text, re.M).group(1)
        [(labels, sessions)] = prometheus.query(joined)
        assert (labels['server'], labels['pool'], sessions) == ('frontend01', 'fe-pool01', 0)
        about = prometheus.get('targets/metadata', metric='poold_drift_total')[0]
        assert about['type'] == 'counter' and 'poold holds' in about['help']
        rules = prometheus.get('rules')['groups'][0]['rules']
        assert len(rules) == 7 and {rule['state'] for rule in rules} == {'inactive'}


def test_the_alert_rules_are_right():
    promtool('check', 'rules', DOCS / 'alerts.yaml')


@pytest.mark.parametrize('alert, series, values, quiet, fires', [
    ('PooldDown', 'up{job="poold"}', '1 0+0x60', '5m', '6m'),
    ('PooldDrainForgotten', 'poold_drain_age_seconds{drain="kb1",owner="ci"}',
     '86340+60x60', '1m', '2m'),
    ('PooldDrainOverdue', 'poold_drain_overdue{drain="kb1"}', '0 1+0x60', '0m', '1m'),
    ('PooldSessionsUnknown', 'poold_sessions_unknown_seconds{service="A"}', '0+60x60',
     '10m', '11m'),
    ('PooldStoreFailing', 'poold_store_failing', '0 1+0x60', '0m', '1m'),
    ('PooldAttention', 'poold_service_phase{service="A",phase="attention"}', '0 1+0x60', '1m',
     '2m'),
    ('PooldDrift', 'poold_drift_total{service="A"}', '0 0 1+0x60', '1m', '2m'),
])
def test_an_alert_fires_in_time(tmp_path, alert, series, values, quiet, fires):
    """promtool plays the series, a value a minute; `quiet` is just before it fires."""
    count = 'count(ALERTS{alertname="%s",alertstate="firing"})' % alert
    (tmp_path / 'test.yaml').write_text(f"""
rule_files: [{DOCS}/alerts.yaml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series: [{{series: '{series}', values: '{values}'}}]
    promql_expr_test:
      - {{expr: '{count}', eval_time: {quiet}}}
      - {{expr: '{count}', eval_time: {fires}, exp_samples: [{{labels: '{{}}', value: 1}}]}}
""")
    promtool('test', 'rules', tmp_path / 'test.yaml')
