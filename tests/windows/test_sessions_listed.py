"""Who is still connected to a Windows service: real connections, listed by poold.exe."""

import contextlib

import pytest

from sessions import wait_until


@pytest.fixture
def server(server):
    server.install_poold()
    return server


def test_the_sessions_are_those_of_the_clients_oldest_first(server):
    with contextlib.ExitStack() as stack:
        ports = []
        for i in range(3):
            session = stack.enter_context(server.session('127.0.2.7'))
            ports.append(session.socket.getsockname()[1])
            wait_until(lambda i=i: server.sessions()['count'] == i + 1, 'it is listed')
        wait_until(lambda: server.sessions()['sessions'][2]['age_s'] >= 1, 'they get older')
        document = server.sessions()
        assert [each['peer_port'] for each in document['sessions']] == ports
        assert document['known'] and document['whole']
        for each in document['sessions']:
            assert each == each | {'peer': '127.0.2.7', 'local': server.address,
                                   'local_port': server.pool.port, 'age_is_least': False,
                                   'idle_s': None, 'suspect': False}
        done = server.pool.poolctl('sessions', 'frontend01')
        assert done.returncode == 0, done.stderr
        assert [row.split()[0] for row in done.stdout.splitlines()[1:]] == [
            f'127.0.2.7:{port}' for port in ports]
        session.end()
        wait_until(lambda: server.sessions()['count'] == 2, 'one has ended')
        assert [each['peer_port'] for each in server.sessions()['sessions']] == ports[:2]
