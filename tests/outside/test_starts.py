"""What a start must neither miss nor forget, broken on purpose: more of cases F13 and H."""

import os

import pytest

from sessions import wait_until

BACK = ('running', 'automatic', True)
BODY = {'reason': 'patch day', 'owner': 'alice'}


@pytest.mark.brother('F13')
def test_a_file_that_is_changed_during_the_start_is_used(make_pool):
    """The SCM's file is a pipe, so that poold stands still between the files and the rest."""
    server = make_pool(start=False).servers[0]
    real, pipe = server.scm.path, server.folder / 'pipe.json'
    os.mkfifo(pipe)
    server.config.write_text(server.config.read_text().replace(str(real), str(pipe)))
    server.launch_poold()
    with open(pipe, 'w') as file:
        pipe.unlink()
        pipe.symlink_to(real)
        server.pool_file.write_text(server.pool_file.read_text().replace('200ms', '300ms'))
        file.write(real.read_text())
    wait_until(lambda: 'the change of pool.yaml is in use now' in server.log(), 'it is in use')
