"""Every route of the table, asked by every kind of caller."""

import contextlib
import http.client
import json
import ssl
import subprocess

import pytest

from certificates import Authority, TlsPool, authority, good  # noqa: F401
from pool import SERVICE
from simulated import POOLD

ROLES = ['none', 'viewer', 'operator', 'admin']
JSON = {'Content-Type': 'application/json'}
SURE = {'Poolctl-Request': '1'}
BODY = json.dumps({'reason': 'r'})

# The role that a route needs, a request, and the status that whoever may ask gets.  Each of
# these requests changes nothing.
ROWS = {
    'GET /v1/caller': ('viewer', '/v1/caller', None, {}, 200),
    'GET /v1/server': ('viewer', '/v1/server', None, {}, 200),
    'GET /v1/preflight': ('viewer', '/v1/preflight', None, {}, 200),
    'GET /v1/drains': ('viewer', '/v1/drains', None, {}, 200),
    'GET /v1/drains/{id}': ('viewer', '/v1/drains/none', None, {}, 404),
    'PUT /v1/drains/{id}': ('operator', '/v1/drains/kb1', BODY, JSON, 409),
    'DELETE /v1/drains/{id}': ('operator', '/v1/drains/none', None, SURE, 404),
    'GET /v1/services/{name}/sessions': (
        'viewer', f'/v1/services/{SERVICE}/sessions', None, {}, 200),
    'GET /v1/events': ('viewer', '/v1/events', None, {}, 200),
    'GET /metrics': ('viewer', '/metrics', None, {}, 200),
    'GET /livez': ('none', '/livez', None, {}, 200),
    'GET /readyz': ('none', '/readyz', None, {}, 200),
}
WRONG = {
    'nobody': None, 'no scheme': 'x', 'another scheme': 'Basic YTpi', 'nothing': 'Bearer ',
    'wrong': 'Bearer poolctl_' + '0' * 64, 'wrong local': 'Bearer poold_local_' + '0' * 64,
}
CALLERS = [*WRONG, 'expired', 'revoked', 'cut off', 'with more', 'viewer', 'operator', 'admin',
           'local administrator']


def test_the_table_has_every_route():
    done = subprocess.run([POOLD, '--dump-routes'], capture_output=True, text=True, check=True)
    said = {f'{method} {path}': role
            for method, path, role in map(str.split, done.stdout.splitlines())}
    assert said == {route: row[0] for route, row in ROWS.items()}


def change_tokens(server, name, **fields):
    file = server.folder / 'state/tokens.json'
    document = json.loads(file.read_text())
    [token] = [token for token in document['tokens'] if token['name'] == name]
    token.update(fields)
    fresh = file.with_suffix('.fresh')
    fresh.write_text(json.dumps(document))
    fresh.rename(file)


@pytest.fixture(scope='module')
def authorizations(request, tmp_path_factory):
    """A server, and the header of each caller."""
    from simulated import SimulatedPool
    pool = SimulatedPool(tmp_path_factory.mktemp('routes'), settle='200ms', tick='50ms').start()
    request.addfinalizer(pool.__exit__)
    [server] = pool.servers
    tokens = {role: server.new_token(role, role) for role in ROLES[1:]}
    tokens['expired'] = server.new_token('expired', 'admin')
    change_tokens(server, 'expired', expires_at='2026-01-01T00:00:00.000Z')
    tokens['revoked'] = server.new_token('revoked', 'admin')
    assert server.run_poold('token', 'revoke', 'revoked', '--config',
                            server.config).returncode == 0
    tokens['cut off'] = tokens['admin'][:-1]
    tokens['with more'] = tokens['admin'] + '0'
    headers = {name: f'Bearer {token}' for name, token in tokens.items()}
    return server, WRONG | headers | {
        'local administrator': server.credential()['Authorization']}


# Failures of one address are slowed, so each case has an address of its own.
ADDRESSES = {(route, caller): f'127.{10 + i}.{j}.7' for i, route in enumerate(ROWS)
             for j, caller in enumerate(CALLERS)}


@pytest.mark.parametrize('caller', CALLERS)
@pytest.mark.parametrize('route', ROWS)
def test_a_route_and_a_caller(authorizations, route, caller):
    server, headers = authorizations
    role, path, body, more, good = ROWS[route]
    has = {'local administrator': 'admin'}.get(caller, caller if caller in ROLES else None)
    status, reply_headers, text = ask(server, route.split()[0], path, body,
                                      more | {'Authorization': headers[caller]},
                                      ADDRESSES[route, caller])
    if role == 'none' or (has and ROLES.index(has) >= ROLES.index(role)):
        assert status == good, text
        return
    problem = json.loads(text)
    assert reply_headers['Content-Type'] == 'application/problem+json'
    assert problem['exit_code'] == 3 and problem['detail']
    assert reply_headers['Connection'] == 'close'
    if has:
        assert (status, problem['code']) == (403, 'forbidden')
        assert role in problem['detail']
    else:
        assert (status, problem['code']) == (401, 'unauthenticated')
        assert reply_headers['WWW-Authenticate'].startswith('Bearer')
    secret = (headers[caller] or '').split(' ')[-1]
    assert not secret or len(secret) < 8 or secret not in text
    assert server.document()['drains'] == []


def ask(server, method, path, body, headers, source):
    """The status, the headers and the text of a reply to a request of an address."""
    connection = http.client.HTTPConnection(server.address, server.pool.api_port, timeout=60,
                                            source_address=(source, 0))
    try:
        connection.request(method, path, body, {
            name: value for name, value in headers.items() if value is not None})
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read().decode()
    finally:
        connection.close()


# ---- clients with a certificate ----

CLIENTS = {'viewer': 'watch.contoso.com', 'operator': 'ci.contoso.com', 'admin': 'alice.contoso.com',
           'not in the list': 'eve.contoso.com'}


@pytest.fixture(scope='module')
def certified(request, tmp_path_factory, good):
    """A server with TLS, and the context of each client."""
    folder = tmp_path_factory.mktemp('certified')
    authority, stranger = Authority(folder, 'clients'), Authority(folder, 'stranger')
    listed = ''.join(f'    - {{san: {CLIENTS[role]}, name: {role}, role: {role}}}\n'
                     for role in ROLES[1:])
    pool = TlsPool(folder, good, settle='200ms', tick='50ms',
                   tls=f'  client_ca: {authority.certificate}\n  clients:\n{listed}').start()
    request.addfinalizer(pool.__exit__)
    contexts = {}
    for name, host in CLIENTS.items():
        pair = authority.issue(name.replace(' ', '_'), f'DNS:{host}', usage='clientAuth')
        contexts[name] = client_context(pair)
    contexts['of another authority'] = client_context(
        stranger.issue('admin', f'DNS:{CLIENTS["admin"]}', usage='clientAuth'))
    return pool.servers[0], contexts


def client_context(pair):
    context = ssl._create_unverified_context()
    context.load_cert_chain(pair.certificate, pair.key)
    return context


@pytest.mark.parametrize('client', [*CLIENTS, 'of another authority'])
@pytest.mark.parametrize('route', ROWS)
def test_a_route_and_a_client_with_a_certificate(certified, route, client):
    server, contexts = certified
    role, path, body, more, good_status = ROWS[route]
    connection = http.client.HTTPSConnection(
        server.address, server.pool.api_port, timeout=60, context=contexts[client],
        source_address=(f'127.30.{list(ROWS).index(route)}.{list(contexts).index(client)}', 0))
    with contextlib.closing(connection):
        connection.request(route.split()[0], path, body, more)
        reply = connection.getresponse()
        text = reply.read().decode()
    has = client if client in ROLES else 'none'
    if ROLES.index(has) >= ROLES.index(role):
        assert reply.status == good_status, text
    elif has == 'none':
        assert (reply.status, json.loads(text)['code']) == (401, 'unauthenticated')
    else:
        assert (reply.status, json.loads(text)['code']) == (403, 'forbidden')


def test_a_token_counts_before_a_certificate(certified):
    server, contexts = certified
    connection = http.client.HTTPSConnection(server.address, server.pool.api_port, timeout=60,
                                             context=contexts['admin'])
    with contextlib.closing(connection):
        connection.request('GET', '/v1/server', headers={'Authorization': WRONG['wrong']})
        assert connection.getresponse().status == 401


def test_the_owner_is_the_client_of_the_certificate(certified):
    server, contexts = certified
    connection = http.client.HTTPSConnection(server.address, server.pool.api_port, timeout=60,
                                             context=contexts['operator'])
    with contextlib.closing(connection):
        connection.request('GET', '/v1/server')
        reply = connection.getresponse()
        index = json.loads(reply.read())['index']
        assert index
        connection.request('PUT', '/v1/drains/kb1', json.dumps(
            {'reason': 'r', 'owner': 'somebody', 'phase': 'reserved', 'ttl_s': 60}), JSON)
        reply = connection.getresponse()
        assert reply.status == 201, reply.read()
        token = json.loads(reply.read())['reservation']
        connection.request('GET', '/v1/server')
        reservation = json.loads(connection.getresponse().read())['reservation']
        assert reservation['owner'] == 'operator'
        assert token


def test_head_needs_what_get_needs(server):
    assert server.request('HEAD', '/v1/server', headers={'Authorization': None})[0] == 401
    assert server.request('HEAD', '/v1/server')[0] == 200
