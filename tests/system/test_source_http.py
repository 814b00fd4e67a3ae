"""The session source `http`: documents that tell a number, and servers that do not."""

import os
import pathlib
import signal
import socket
import subprocess
import time

import pytest

from documents import ADDRESS, Authority, ok, reply, serve
from sources import Source
from sessions import free_port, wait_until

DOCUMENT = ok(b'{"sessions": {"active": 7}}')
POINTER = '/sessions/active'


@pytest.fixture(scope='module')
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp('tls') / 'ca')


def http(server, *ca_file, pointer=POINTER, timeout_ms=20000, **options):
    return Source('http', getattr(server, 'url', server), pointer, timeout_ms, *ca_file,
                  **options)


def test_the_number_at_the_pointer_is_the_count():
    with serve(DOCUMENT) as server, http(server) as source:
        assert source.count() == 7
        server.reply = ok(b'{"sessions": {"active": 0}}')
        assert source.count() == 0
        request = server.requests[0]
        assert request.startswith('GET /status HTTP/1.1\r\n')
        assert '\r\nUser-Agent: poold/' in request
        assert '\r\nAccept: application/json\r\n' in request


def test_without_a_pointer_the_document_is_the_number():
    with serve(ok(b' 12\n')) as server, http(server, pointer='-') as source:
        assert source.count() == 12


def test_the_connection_is_kept_for_the_next_reading():
    with serve(DOCUMENT, close=False) as server, http(server) as source:
        for _ in range(5):
            assert source.count() == 7
        assert len(server.requests) == 5 and server.connections == 1


def test_a_connection_that_was_closed_meanwhile_is_made_anew():
    with serve(DOCUMENT, close=True) as server, http(server) as source:
        for _ in range(5):
            assert source.count() == 7
        assert server.connections == 5


@pytest.mark.parametrize('answer, why', [
    (reply(500, b'0'), 'the reply has status 500, not 200'),
    (reply(404, b'{"sessions": {"active": 0}}'), 'the reply has status 404, not 200'),
    (reply(204, Content_Length=None), 'the reply has status 204, not 200'),
    (reply(206, b'{"sessions": {"active": 0}}'), 'the reply has status 206, not 200'),
    (reply(401, b'', WWW_Authenticate='Basic realm="x"'), 'the reply has status 401'),
    (ok(b''), 'it is empty'), (ok(b'<html>0</html>'), 'it is not JSON'),
    (ok(b'{"sessions": 0}'), f"it has nothing at '{POINTER}'"),
    (ok(b'{"sessions": {"active": -1}}'), 'is no whole number'),
    (ok(b'{"sessions": {"active": 0}'), 'it is not JSON'),
    (ok(b'{"sessions": {"active": 0}}', Content_Length=100), 'transfer closed'),
    (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1b\r\n{"sessions": {"active": 0}}\r\n',
     'transfer closed'),
    (b'', 'Empty reply'), (b'0', 'HTTP/0.9'), (b'HTTP/1.1 200 OK\r\n', 'it is empty'),
    (ok(b'\x1b[2J\xff'), 'it is not JSON (line 1, column 1): ?[2J?'),
])
def test_any_other_reply_is_unknown_until_it_is_right(answer, why):
    with serve(answer) as server, http(server) as source:
        error = source.error()
        assert why in error and server.url in error and error.isprintable()
        server.reply = DOCUMENT
        assert source.count() == 7


@pytest.mark.parametrize('status', [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status):
    with serve(DOCUMENT) as other, serve(reply(status, Location=other.url)) as server:
        with http(server) as source:
            assert source.error() == (f'{server.url}: the reply has status {status}, not 200; '
                                      f'redirects are not followed: {other.url}')
            assert other.connections == 0


@pytest.mark.parametrize('location, shown', [
    ('/other?token=theirs', 'URL/other'), ('?token=theirs#theirs', 'URL/status'),
    ('//theirs:theirs@127.0.0.1:9/other?theirs', 'http://127.0.0.1:9/other'),
    ('http://theirs:theirs@127.0.0.1:9/#theirs', 'http://127.0.0.1:9/'),
    ('http://theirs:theirs/@127.0.0.1/', None), ('ftp://theirs:theirs@127.0.0.1/', None),
    ('theirs://theirs:theirs', None)])
def test_where_a_redirect_leads_is_shown_without_secrets(location, shown):
    with serve(reply(302, Location=location)) as server:
        base = server.url.removesuffix('/status')
        url = server.url.replace('://', '://name:secret@') + '?token=secret#secret'
        with http(url) as source:
            error = source.error()
    assert 'redirects are not followed' in error
    assert 'secret' not in error and 'theirs' not in error and 'name' not in error
    if shown:
        assert error.endswith(f'redirects are not followed: {shown.replace("URL", base)}')


def test_a_reply_that_is_too_large_is_ended():
    def endless(connection):
        connection.sendall(reply(200, Content_Length=None))
        while True:
            connection.sendall(b' ' * 65536)

    with serve(endless) as server, http(server) as source:
        assert source.error() == f'{server.url}: the reply is larger than 1048576 bytes'
        server.reply = ok(b'7' + b' ' * ((1 << 20) - 1))
    with serve(server.reply) as server, http(server, pointer='-') as source:
        assert source.count() == 7
        server.reply = ok(b'7' + b' ' * (1 << 20))
        assert 'larger than' in source.error()


def hang(connection):
    connection.recv(1)


def trickle(connection):
    connection.sendall(reply(200, Content_Length=1000))
    while True:
        connection.sendall(b' ')
        time.sleep(0.02)


@pytest.mark.parametrize('slow', [hang, trickle])
def test_its_time_limit_holds_for_the_whole_reply(slow):
    with serve(slow) as server, http(server, timeout_ms=300) as source:
        reading = source.read()
        assert reading['error'] == f'{server.url}: no whole reply within 0.3 s'
        assert 300 <= reading['ms'] < 2000
        server.reply = DOCUMENT
        assert source.count() == 7


def test_a_server_that_does_not_take_the_connection_is_unknown():
    """Its queue is full, so not even the handshake is answered."""
    with socket.socket() as listener:
        listener.bind((ADDRESS, 0))
        listener.listen(0)
        full = [socket.socket() for _ in range(4)]
        for each in full:
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        url = f'http://{ADDRESS}:{listener.getsockname()[1]}/'
        with http(url, timeout_ms=300) as source:
            assert 'no whole reply within 0.3 s' in source.error()
        for each in full:
            each.close()


@pytest.mark.parametrize('busy', [hang, trickle])
def test_stopping_ends_it_at_once(busy):
    with serve(busy) as server, http(server, timeout_ms=60000) as source:
        source.say('read')
        wait_until(lambda: server.requests, 'request')
        source.stop()
        reading = source.answer()
        assert reading['error'] == f'{server.url}: poold is stopping'
        assert reading['ms'] < 5000


def test_who_is_not_there_is_unknown():
    with http(f'http://{ADDRESS}:{free_port([ADDRESS])}/') as source:
        assert "Couldn't connect" in source.error() or 'refused' in source.error()
    with http('http://no-such-host.invalid/') as source:
        assert 'resolve' in source.error()


@pytest.mark.parametrize('url', ['file:///etc/hostname', 'ftp://127.0.0.1/', 'gopher://x/'])
def test_nothing_but_http_is_spoken(url):
    with http(url, pointer='-') as source:
        assert 'rotocol' in source.error()


def test_a_proxy_of_the_environment_is_not_asked():
    with serve(ok(b'{"sessions": {"active": 1}}')) as proxy, serve(DOCUMENT) as server:
        environment = os.environ | {'http_proxy': proxy.url, 'all_proxy': proxy.url}
        with http(server, env=environment) as source:
            assert source.count() == 7
        assert proxy.connections == 0


def test_secrets_in_the_url_are_not_shown():
    with serve(reply(503)) as server:
        url = server.url.replace('://', '://name:secret@') + '?token=secret#secret'
        with http(url) as source:
            assert source.error() == f'{server.url}: the reply has status 503, not 200'
        assert 'token=secret' in server.requests[0] and 'Authorization' in server.requests[0]


@pytest.mark.parametrize('url', ['http://name:sec/ret@127.0.0.1/', 'http://name:sec?ret@host',
                                 'https://name:sec#ret@host/', 'http://[::1]:sec/ret@host'])
def test_a_password_that_is_written_wrongly_is_not_shown_either(url):
    with http(url) as source:
        error = source.error()
        assert 'sec' not in error and 'ret' not in error


@pytest.mark.parametrize('url', ['http://[::1]:9/a@b?x', 'http://x@[::1]:9/a@b', 'http://[::1]:9/a@b'])
def test_what_is_no_secret_in_the_url_is_shown(url):
    with http(url) as source:
        assert source.error().startswith('http://[::1]:9/a@b: ')


# ---- a library that fails ----

FAILING_CURL = r"""
static int it;
int curl_global_init(long flags) { return 0; }
void *curl_easy_init(void) { return &it; }
int curl_easy_setopt(void *easy, int option, ...) { return 0; }
int curl_easy_getinfo(void *easy, int info, ...) { return 0; }
const char *curl_easy_strerror(int code) { return "code \377\n"; }
void curl_easy_cleanup(void *easy) {}
void *curl_multi_init(void) { return FAILING == 'i' ? 0 : &it; }
int curl_multi_add_handle(void *multi, void *easy) { return FAILING == 'a' ? 3 : 0; }
int curl_multi_remove_handle(void *multi, void *easy) { return 0; }
int curl_multi_perform(void *multi, int *running)
{
	*running = FAILING == 'w';
	return FAILING == 'p' ? 3 : 0;
}
int curl_multi_poll(void *multi, void *more, unsigned count, int ms, int *ready) { return 3; }
void *curl_multi_info_read(void *multi, int *left) { return 0; }
int curl_multi_cleanup(void *multi) { return 0; }
const char *curl_multi_strerror(int code) { return code == 3 ? "multi \377\n" : "wrong"; }
void *curl_slist_append(void *list, const char *text) { return &it; }
void curl_slist_free_all(void *list) {}
"""


@pytest.mark.parametrize('failing, why', [
    ('init', 'libcurl cannot be started'), ('add', 'multi ?'), ('perform', 'multi ?'),
    ('wait', 'multi ?'), ('transfer', 'code ?')])
def test_a_library_that_fails_is_unknown_and_ends_nothing(tmp_path, failing, why):
    file = tmp_path / 'curl.c'
    file.write_text(FAILING_CURL)
    subprocess.run(['gcc', f"-DFAILING='{failing[0]}'", '-fPIC', '-shared', '-o',
                    tmp_path / 'libcurl.so.4', file], check=True)
    environment = os.environ | {'LD_LIBRARY_PATH': str(tmp_path)}
    with http('http://127.0.0.1/', env=environment) as source:
        for _ in range(2):
            assert source.error() == f'http://127.0.0.1/: {why}'


# ---- TLS ----

def test_a_document_comes_over_tls(authority):
    with serve(DOCUMENT, context=authority.server()) as server:
        with http(server, authority.file) as source:
            assert source.count() == 7
            assert source.count() == 7


@pytest.mark.parametrize('certificate', [
    {'days': -1}, {'alternative': 'IP:127.0.0.2'}, {'alternative': 'DNS:other.example'}])
def test_a_certificate_that_is_over_or_anothers_is_refused(authority, certificate):
    with serve(DOCUMENT, context=authority.server(**certificate)) as server:
        with http(server, authority.file) as source:
            assert 'certificate' in source.error()
        assert server.requests == []


def test_another_authority_is_refused(authority, tmp_path):
    other = Authority(tmp_path / 'other', name='Other')
    with serve(DOCUMENT, context=authority.server()) as server:
        for trusted in ([other.file], []):
            with http(server, *trusted) as source:
                assert 'certificate' in source.error()
        assert server.requests == []


def test_with_a_ca_file_the_systems_authorities_do_not_count(authority, tmp_path):
    """The system's folder and file are named by these variables, where OpenSSL looks."""
    other = Authority(tmp_path / 'other', name='Other')
    environment = os.environ | {'SSL_CERT_FILE': str(authority.file),
                                'CURL_CA_BUNDLE': str(authority.file)}
    with serve(DOCUMENT, context=authority.server()) as server:
        with http(server, other.file, env=environment) as source:
            assert 'certificate' in source.error()


def test_a_ca_file_that_is_missing_is_unknown(authority, tmp_path):
    with serve(DOCUMENT, context=authority.server()) as server:
        missing = tmp_path / 'missing.pem'
        with http(server, missing) as source:
            assert 'certificate' in source.error()
            missing.write_bytes(authority.file.read_bytes())
            assert source.count() == 7


def test_plain_http_on_a_tls_port_and_the_other_way_is_unknown(authority):
    with serve(DOCUMENT) as server, http(server.url.replace('http:', 'https:')) as source:
        assert 'SSL' in source.error()
    with serve(DOCUMENT, context=authority.server()) as server:
        with http(server.url.replace('https:', 'http:')) as source:
            assert server.url.replace('https:', 'http:') in source.error()


def test_a_connection_that_breaks_does_not_end_the_program(authority):
    """A write to it would raise SIGPIPE; poold ignores that, and so does what plays it."""
    def ignore():
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)

    with serve(lambda connection: connection.close(), context=authority.server()) as server:
        with http(server, authority.file, preexec_fn=ignore, restore_signals=False) as source:
            for _ in range(3):
                assert source.error()
            server.reply = DOCUMENT
            assert source.count() == 7


# ---- the program ----

def test_readings_leave_nothing_open(authority):
    with serve(DOCUMENT, context=authority.server()) as server:
        with http(server, authority.file) as source:
            assert source.count() == 7
            folder = pathlib.Path(f'/proc/{source.pid}/fd')
            before = len(list(folder.iterdir()))
            for _ in range(20):
                assert source.count() == 7
            assert len(list(folder.iterdir())) <= before + 1


def test_the_library_is_loaded_by_who_needs_it_alone():
    def libraries(source):
        return pathlib.Path(f'/proc/{source.pid}/maps').read_text()

    with Source('command', '-', 20000, '/bin/echo', '7') as source:
        assert source.count() == 7
        assert 'libcurl' not in libraries(source)
    with serve(DOCUMENT) as server, http(server) as source:
        assert source.count() == 7
        assert 'libcurl' in libraries(source)
