"""kill -9 of poold, and of `poold token`, while tokens are made and revoked."""

import http.client
import random
import subprocess
import time

from simulated import POOLD

ROUNDS = 40


def status_of(server, token, source):
    connection = http.client.HTTPConnection(server.address, server.pool.api_port, timeout=60,
                                            source_address=(source, 0))
    connection.request('GET', '/v1/drains', headers={'Authorization': f'Bearer {token}'})
    status = connection.getresponse().status
    connection.close()
    return status


def change(server, chance, *args):
    """A `poold token` that runs while poold dies and may be killed too; how it ended."""
    with subprocess.Popen([POOLD, 'token', *args, '--config', server.config], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as command:
        time.sleep(chance.uniform(0, 0.02))
        server.poold.kill()
        if chance.random() < 0.5:
            command.kill()
        said, errors = command.communicate(timeout=60)
        server.poold.wait(60)
    assert command.returncode in (0, -9), errors
    return command.returncode, said


def test_no_token_is_lost_and_none_comes_back(server):
    chance = random.Random(8650)
    kept = {'first': server.new_token('first', 'operator')}
    revoked = []
    for i in range(ROUNDS):
        if i % 3 == 2:
            name = chance.choice(sorted(kept))
            token = kept.pop(name)
            status, _ = change(server, chance, 'revoke', name)
            if status == 0:
                revoked.append(token)
        else:
            name = f'token{i}'
            status, said = change(server, chance, 'new', '--name', name, '--role', 'operator')
            # It shows the token, then saves it, and then reports that it is made.
            if status == 0:
                kept[name] = said.strip()
        server.start_poold()
        for n, token in enumerate(kept.values()):
            assert status_of(server, token, f'127.9.{i}.{n + 1}') == 200, (i, token)
        for n, token in enumerate(revoked):
            assert status_of(server, token, f'127.8.{i}.{n + 1}') == 401, (i, token)
    assert len(kept) > 1 and revoked
