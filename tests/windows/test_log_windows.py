"""The log of the Windows service: one file, opened once, so that Windows renames it."""

import pytest

from sessions import wait_until

LIMIT_BYTES = 8 << 20


@pytest.mark.case('E8')
def test_the_log_of_the_service_is_rotated(server):
    """It is in the standard place, which the service opens before it has read poold.yaml, and
    again when it knows its state directory."""
    state = server.machine.prefix / 'drive_c/ProgramData/poolctl/state'
    state.mkdir(parents=True)
    older = state / 'poold.log.1'
    line = 'x' * 1023 + '\n'
    (state / 'poold.log').write_text(line * (LIMIT_BYTES // len(line) - 2))
    server.install_poold()
    for i in range(20):
        if older.exists():
            break
        status, _, body = server.put(f'kb{i}', {'reason': 'patch day ' * 40, 'owner': 'alice'})
        assert status == 201, body
    wait_until(older.exists, 'rotated', 10)
    assert LIMIT_BYTES - 8192 < older.stat().st_size <= LIMIT_BYTES
    log = server.log()
    assert len(log) < 65536 and 'patch day' in log
    server.poold('uninstall', check=False)
