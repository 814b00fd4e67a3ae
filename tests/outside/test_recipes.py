"""Cases F: the recipes of the runbooks end as a pipeline needs it."""

import os
import re
import signal
import subprocess

import pytest

from pool import POOLCTL, ROOT
from sessions import wait_until

RECIPES = ROOT / 'docs/recipes'
OUT, BACK = ('paused', 'manual', True), ('running', 'automatic', True)


def start(pool, *command, **env):
    """The recipe, with poolctl in its path."""
    (pool.folder / 'poolctl').unlink(missing_ok=True)
    (pool.folder / 'poolctl').symlink_to(POOLCTL)
    path = f'{pool.folder}:{os.environ["PATH"]}'
    return subprocess.Popen([RECIPES / 'patch-server.sh', 'frontend01', *command],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            start_new_session=True,
                            env=os.environ | {'PATH': path, 'POOLCTL_CONFIG': str(pool.file)} | env)


def patch(pool, *command, **env):
    process = start(pool, *command, **env)
    return process.communicate(timeout=60)[1], process.returncode


@pytest.mark.case('F1')
def test_sessions_that_are_left_end_the_recipe_with_6(pool, server):
    with server.session():
        said, status = patch(pool, 'touch', pool.folder / 'patched', DRAIN_TIMEOUT='1s')
    assert status == 6, said
    assert server.scm.says() == BACK and not (pool.folder / 'patched').exists()


@pytest.mark.brother('F1')
def test_a_patch_that_works_brings_the_server_back(pool, server):
    said, status = patch(pool, 'sh', '-c', f'cat {server.scm.path} >{pool.folder}/then')
    assert status == 0, said
    assert '"paused"' in (pool.folder / 'then').read_text()
    assert server.scm.says() == BACK and 'may be out' not in said


@pytest.mark.case('F1')
def test_a_patch_that_fails_leaves_the_server_out_and_says_so(pool, server):
    said, status = patch(pool, 'sh', '-c', 'exit 6', DRAIN_ID='kb1')
    assert status == 20
    assert server.scm.says() == OUT
    assert 'frontend01 may be out. When it is well: poolctl resume frontend01 --id kb1\n' in said


@pytest.mark.brother('F1')
def test_a_runner_that_ends_the_job_leaves_the_server_out_and_says_so(pool, server):
    running = pool.folder / 'running'
    process = start(pool, 'sh', '-c', f'touch {running}; sleep 30')
    wait_until(running.exists, 'the patch runs')
    os.killpg(process.pid, signal.SIGTERM)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert server.scm.says() == OUT and 'may be out' in said


@pytest.mark.brother('F1')
def test_a_runner_that_ends_the_job_in_the_drain_leaves_no_poolctl_behind(pool, server):
    with server.session():
        process = start(pool, 'touch', pool.folder / 'patched')
        wait_until(lambda: server.scm.says() == OUT, 'out')
        process.terminate()
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and 'may be out' in said
    assert not (pool.folder / 'patched').exists()


@pytest.mark.brother('F1')
@pytest.mark.parametrize('args', [(), ('',)])
def test_without_a_command_nothing_is_patched(pool, server, args):
    said, status = patch(pool, *args)
    assert status == 2 and 'usage' in said
    assert server.scm.says() == BACK


@pytest.mark.brother('F1')
def test_two_runs_of_one_person_do_not_share_a_drain(pool, server):
    go = pool.folder / 'go'
    first = start(pool, 'sh', '-c', f'until [ -e {go} ]; do sleep 0.1; done')
    server.wait_phase('drained')
    said, status = patch(pool, 'true')
    # The other run still has the server.
    assert status == 20, said
    assert server.scm.says() == OUT
    go.touch()
    assert first.communicate(timeout=60) and first.returncode == 0
    assert server.scm.says() == BACK


@pytest.mark.brother('F1')
def test_a_pool_that_cannot_spare_the_server_ends_the_recipe_with_4(pool, server):
    pool.file.write_text(pool.file.read_text().replace('floor: 0', 'floor: 1'))
    said, status = patch(pool, 'touch', pool.folder / 'patched')
    assert status == 4, said
    assert server.scm.says() == BACK and not (pool.folder / 'patched').exists()


@pytest.mark.case('F23')
def test_each_alert_has_a_runbook():
    anchors = [re.sub(r'[^a-z0-9 -]', '', line.strip('# \n').lower()).replace(' ', '-')
               for line in (ROOT / 'docs/runbooks.md').read_text().splitlines()
               if line.startswith('#')]
    rules = (ROOT / 'docs/alerts.yaml').read_text()
    urls = re.findall(r'runbook_url: .*/docs/runbooks\.md#(\S+)', rules)
    assert len(urls) == rules.count('- alert:') and set(urls) <= set(anchors)
