"""Cases C: pool.yaml and poold.yaml, and what names and paths in them mean."""

import pathlib
import subprocess

import pytest

import pool as pools
from pool import POOLCTL

# A pool to which one line is added, or one thing in it changed.
SERVICE, SERVER = 'SVC: {ports: 7000}', 'fe1: {address: 192.0.2.1}'
FILE = '''pools:
  p:
    services:
      SVC: {ports: 7000}
    servers:
      fe1: {address: 192.0.2.1}
      fe2: {address: 192.0.2.2}
'''


@pytest.fixture
def pool(make_pool):
    return make_pool(settle='100ms', tick='100ms')


def run(program, *args, **options):
    return subprocess.run([program, *args], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, check=False, **options)


@pytest.fixture
def check(tmp_path):
    """Runs `poolctl config check` on a text."""
    def run_check(text, *args):
        path = tmp_path / 'checked.yaml'
        path.write_text(text, encoding='utf-8')
        return run(POOLCTL, 'config', 'check', *args, path)
    return run_check


@pytest.fixture
def check_poold(check):
    return lambda text: check(f'server: fe1\n{text}\n', '--poold')


def refuses(done, *words):
    assert done.returncode == 2 and done.stdout == '', done.stdout
    for word in words:
        assert word in done.stderr, done.stderr


# ---- null ----

@pytest.mark.case('C1')
@pytest.mark.parametrize('word', ['~', 'null', 'Null', 'NULL', ''])
def test_a_null_is_an_absent_key(tmp_path, word):
    path = tmp_path / 'pool.yaml'
    lines = FILE.replace('  p:\n', f'  p:\n    fqdn: {word}\n    settle: {word}\n').replace(
        'SVC: {', f'SVC: {{display_name: {word}, optional: {word}, probe: {{taken: {word}}}, ')
    path.write_text(lines)
    shown = run(POOLCTL, 'config', 'show', '--config', path)
    assert shown.returncode == 0, shown.stderr
    assert 'settle: 10s  # default' in shown.stdout
    for key in 'fqdn', 'display_name', 'taken':
        assert f'{key}:' not in shown.stdout


@pytest.mark.brother('C1')
@pytest.mark.parametrize('old, new, words', [
    (SERVER, 'fe1: {address: null}', "needs the key 'address'"),
    (SERVER, 'fe1: {address: [~]}', "'address' needs a value"),
    ('ports: 7000', 'ports: [7000, null]', "'ports' needs a value"),
    ('SVC:', 'null:', 'must not be null'),
])
def test_a_null_where_a_value_is_needed_is_a_mistake(check, old, new, words):
    refuses(check(FILE.replace(old, new)), words)


@pytest.mark.brother('C1')
def test_a_null_over_the_value_of_a_profile_changes_nothing(tmp_path):
    path = tmp_path / 'pool.yaml'
    path.write_text(FILE.replace('services:\n      SVC: {ports: 7000}',
                                 'profile: sfb-2019-front-end\n    settle: null'))
    assert 'settle: 30s' in run(POOLCTL, 'config', 'show', '--config', path).stdout


# ---- paths ----

@pytest.mark.case('C2')
def test_paths_are_relative_to_the_file_that_names_them(pool, server, tmp_path):
    server.stop_poold()
    server.config.write_text(
        f'server: {server.name}\npool_file: ../pool.yaml\nstate_dir: state\n'
        'scm: simulated\nsimulated_file: scm.json\nlog_file: its.log\n')
    server.start_poold()
    assert (server.folder / 'its.log').exists() and server.document()['phase'] == 'serving'
    assert pool.poolctl('drain', server.name).returncode == 0
    # From another folder it still sees what is out.
    done = run(pools.ROOT / server.poold.args[0], 'uninstall', '--config', server.config,
               cwd=tmp_path)
    assert done.returncode == 5 and 'RTCSRV' in done.stderr


@pytest.mark.brother('C2')
def test_a_ca_file_is_relative_to_the_profile_that_names_it(tmp_path):
    (tmp_path / 'profiles').mkdir()
    (tmp_path / 'profiles/own.yaml').write_text(
        "services: {SVC: {http: [{url: 'https://127.0.0.1/', ca_file: ca.pem}]}}\n")
    path = tmp_path / 'pool.yaml'
    path.write_text(FILE.replace('services:\n      SVC: {ports: 7000}',
                                 'profile: profiles/own.yaml'))
    shown = run(POOLCTL, 'config', 'show', '--config', path).stdout
    assert f'ca_file: {tmp_path}/profiles/ca.pem' in shown


# ---- characters that nobody sees ----

@pytest.mark.case('C3')
def test_a_path_in_double_quotes_is_refused(check_poold):
    done = check_poold(r'log_file: "C:\temp\new.log"')
    refuses(done, "'log_file' has U+0009 after 'C:'", 'single quotes')


@pytest.mark.brother('C3')
@pytest.mark.parametrize('old, new', [
    (SERVICE, r'"SV\tC": {ports: 7000}'),
    (SERVICE, r'SVC: {ports: 7000, display_name: "The\nservice"}'),
    (SERVICE, r'SVC: {counters: [{path: "\\A\tB\\C"}]}'),
    (SERVER, r'fe1: {address: 192.0.2.1, upgrade_domain: "u\x7f"}'),
    ('  p:', r'  "p\e":'),
])
def test_control_characters_in_names_are_refused(check, old, new):
    refuses(check(FILE.replace(old, new)), 'has U+00', 'single quotes' if '7f' not in new else '')


@pytest.mark.case('C4')
@pytest.mark.parametrize('text, words', [
    ('SVC\u200b', "U+200B after 'SVC'"), ('SVC\u00a0', "U+00A0 after 'SVC'"),
    ('\u2018SVC\u2019', "U+2018 before 'SVC"), ('S\u2060VC', "U+2060 after 'S'"),
    ('\u200bSVC', "U+200B before 'SVC'"),
])
def test_what_looks_like_another_name_is_refused(check, text, words):
    refuses(check(FILE.replace('SVC', text)), words)


@pytest.mark.brother('C4')
@pytest.mark.parametrize('old, new, words', [
    (SERVER, 'fe1: {address: 192.0.2.1, upgrade_domain: ud1\u200b}', "U+200B after 'ud1'"),
    (SERVICE, 'SVC: {ports\u00a0: 7000}', "this key has U+00A0 after 'ports'"),
    (SERVICE, 'SVC: {ports: 7000, settle: 10s\u200b}', "'settle' has U+200B after '10s'"),
    (SERVICE, 'SVC: {ports: 7000, components: [\u201ca\u201d]}', "'components' has U+201C"),
    (SERVER, 'fe1: {address: \u00a0192.0.2.1}', "'address' has U+00A0 before '192.0.2.1'"),
])
def test_the_same_in_values_and_keys(check, old, new, words):
    refuses(check(FILE.replace(old, new)), words)


@pytest.mark.brother('C4')
def test_texts_for_people_may_have_them(check):
    assert check(FILE.replace('  p:\n', '  p:\n    title: ‘Our’\u00a0pool\n').replace(
        '7000', '7000, display_name: Service d\u2019acc\u00e8s')).returncode == 0


# ---- addresses ----

@pytest.mark.case('C5')
@pytest.mark.parametrize('one, other', [
    ('http://h:8650', 'http://h:8650/'), ('http://h', 'http://H:80'),
    ('https://h', 'https://h:0443'), ('http://192.0.2.2:8650', None),
    ('http://h/', 'http://a:b@h:80'),
])
def test_two_servers_with_one_url_are_refused(check, one, other):
    text = FILE.replace('192.0.2.1}', f"192.0.2.1, url: '{one}'}}")
    if other:
        text = text.replace('192.0.2.2}', f"192.0.2.2, url: '{other}'}}")
    refuses(check(text), "server 'fe2' has the url of server 'fe1' in line 6")


@pytest.mark.brother('C5')
def test_two_servers_with_one_address_are_told_once(check):
    done = check(FILE.replace('192.0.2.2', '192.0.2.1'))
    assert len(done.stderr.splitlines()) == 1 and 'has an address of server' in done.stderr


@pytest.mark.brother('C5')
def test_one_host_with_two_ports_is_good(check):
    assert check(FILE.replace('192.0.2.1}', '192.0.2.1, url: http://h:1}').replace(
        '192.0.2.2}', '192.0.2.2, url: http://h:2}')).returncode == 0


@pytest.mark.case('C9')
@pytest.mark.parametrize('old, new, words', [
    ('192.0.2.1}', "192.0.2.1, url: 'http://h:99999'}", 'port from 1 to 65535'),
    ('  p:\n', '  p:\n    fqdn: https://x\n', "fqdn 'https://x' of pool 'p' is not a name"),
])
def test_a_url_and_an_fqdn_are_what_they_should_be(check, old, new, words):
    refuses(check(FILE.replace(old, new)), words)


@pytest.mark.brother('C9')
@pytest.mark.parametrize('url', ['http://h:0', 'http://h:x', 'http://h:', 'http://[::1', 'http://:80',
                                 'http://[::1]x', 'http://a b'])
def test_other_urls_that_lead_nowhere(check, url):
    refuses(check(FILE.replace('192.0.2.1}', f"192.0.2.1, url: '{url}'}}")), 'must be http://HOST')
    refuses(check(FILE.replace('ports: 7000', f"http: [{{url: '{url}'}}]")), 'begin with http://HOST')


@pytest.mark.brother('C9')
@pytest.mark.parametrize('name', ['10.1.0.1', 'pool..contoso.com', 'x' * 64, 'pool:80', 'a b', '.'])
def test_other_names_that_dns_cannot_have(check, name):
    refuses(check(FILE.replace('  p:\n', f"  p:\n    fqdn: '{name}'\n")), 'not a name in DNS')


@pytest.mark.brother('C9')
@pytest.mark.parametrize('name', ['pool01', 'pool01.contoso.com.', 'pool1.müller.example', 'a_b.x'])
def test_names_that_dns_can_have(check, name):
    assert check(FILE.replace('  p:\n', f'  p:\n    fqdn: {name}\n')).returncode == 0


# ---- one word, one service ----

TWO = FILE.replace(SERVICE, 'A: {ports: 1, display_name: B}\n      B: {ports: 2}')


@pytest.mark.case('H4')
def test_a_word_that_means_two_services_is_refused(check):
    refuses(check(TWO), "'B' of service 'A' also means service 'B' in line 5")


@pytest.mark.brother('H4')
@pytest.mark.parametrize('one, other', [
    ('display_name: X', 'display_name: x'), ('components: [X, Y]', 'components: [x]'),
    ('components: [b]', ''), ('display_name: X', 'components: [x]'),
])
def test_so_is_one_that_comes_with_other_keys(check, one, other):
    refuses(check(FILE.replace(
        SERVICE, f'A: {{ports: 1, {one}}}\n      B: {{ports: 2, {other}}}')), 'also means service')


# ---- mistakes ----

@pytest.mark.case('F18')
def test_all_mistakes_are_reported_that_follow_from_no_other(check):
    done = check(FILE.replace('ports: 7000', 'porrt: 7000').replace('192.0.2.2', '192.0.2.1'))
    refuses(done, "no key 'porrt'", 'has an address of server')
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.brother('F18')
@pytest.mark.parametrize('old, new', [
    ('servers:', 'server:'), ('services:', 'servces:'), ('address: 192.0.2.1', 'adress: 192.0.2.1'),
    ('  p:\n', '  p:\n    profile: nonsense\n'), ('  p:\n', '  p:\n    availability: {max_out: 0}\n'),
])
def test_what_follows_from_a_mistake_is_not_reported(check, old, new):
    done = check(FILE.replace(old, new))
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.brother('F18')
def test_all_mistakes_of_poold_yaml_are_reported(check_poold):
    refuses(check_poold('stat_dir: x\ncommands: [{service: S, run: count.exe}]'),
            "no key 'stat_dir'", 'not the full path')


@pytest.mark.case('F15')
def test_a_key_that_belongs_below_another_is_found(check):
    refuses(check(FILE.replace('  p:\n', '  p:\n    floor: 3\n')), "'availability.floor'")
    refuses(check(FILE.replace('  p:\n', '  p:\n    resolvers: 192.0.2.9\n')), "'dns.resolvers'")


@pytest.mark.case('F17')
def test_a_display_name_as_key_names_the_service(check):
    refuses(check(FILE.replace('services:\n      SVC: {ports: 7000}',
                               'profile: sfb-2019-front-end\n    services:\n'
                               '      skype for Business Server Front-End: {ports: 7000}')),
            "is the display name of service 'RTCSRV'; use the short name")


# ---- names and programs ----

@pytest.mark.case('C7')
def test_a_service_with_a_comma_in_its_name_is_drained(make_pool):
    pool = make_pool(service='Fax, Print', settle='100ms')
    done = pool.poolctl('drain', 'frontend01', '--service', 'fax, print')
    assert done.returncode == 0, done.stderr
    assert pool.servers[0].document()['drains'][0]['services'] == ['Fax, Print']
    assert pool.poolctl('check', 'frontend01', '--service', 'Fax, Print').returncode == 0


@pytest.mark.case('C8')
@pytest.mark.parametrize('name', ['count.ps1', 'count.BAT', 'count.cmd ', 'count.vbs'])
def test_a_script_as_a_command_gets_a_hint(check_poold, name):
    refuses(check_poold(f"commands: [{{service: S, run: ['C:\\Tools\\{name}']}}]"),
            'is a script', "powershell.exe', -NoProfile, -File,")


@pytest.mark.case('A6')
def test_names_are_found_in_any_case(pool, server):
    done = pool.poolctl('status', 'FRONTEND01')
    assert done.returncode == 0 and 'frontend01' in done.stdout, done.stderr
    assert pool.poolctl('check', 'FE-Pool01').returncode == 0
    assert pool.poolctl('config', 'show', 'FE-Pool01').returncode == 0
    done = pool.poolctl('drain', 'Frontend01', '--force=floor', '--confirm', 'FE-POOL01')
    assert done.returncode == 0, done.stderr


@pytest.mark.brother('A6')
def test_operators_may_spell_names_differently(pool, server):
    server.stop_poold()
    server.config.write_text(server.config.read_text().replace('frontend01\n', 'FrontEnd01\n', 1))
    server.start_poold()
    assert server.document()['server'] == 'frontend01'
    pool.file.write_text(pool.file.read_text().replace('frontend01', 'FRONTEND01').replace(
        'RTCSRV', 'RtcSrv'))
    assert pool.poolctl('drain', 'frontend01', '--service', 'rtcsrv').returncode == 0
    for args in ('wait', 'frontend01', '--for', 'drained'), ('sessions', 'frontend01'), (
            'resume', 'frontend01'):
        done = pool.poolctl(*args)
        assert done.returncode == 0, (args, done.stderr)


@pytest.mark.brother('A6')
@pytest.mark.parametrize('old, new', [('fe2:', 'FE1:'), ('  p:', '  Fe1:'),
                                      (SERVICE, SERVICE + '\n      svc: {ports: 1}'),
                                      (SERVICE, 'MÜLLER: {ports: 1}\n      müller: {ports: 2}')])
def test_one_name_in_two_spellings_is_refused(check, old, new):
    refuses(check(FILE.replace(old, new)), "'")


@pytest.mark.brother('A6')
def test_two_pools_in_two_spellings_are_refused(check):
    refuses(check(FILE + FILE.replace('pools:\n  p:', '  P:').replace('fe', 'xe').replace(
        '192.0.2.', '192.0.3.')), "duplicate pool 'P'")


@pytest.mark.brother('A6')
def test_a_service_of_a_profile_is_found_in_any_case(check):
    assert check(FILE.replace('services:\n      SVC: {ports: 7000}',
                              'profile: sfb-2019-front-end\n    services:\n'
                              '      rtcsrv: {ports: 7000}')).returncode == 0


@pytest.mark.case('H1')
def test_a_drain_covers_a_service_in_its_new_spelling(pool, server):
    assert pool.poolctl('drain', 'frontend01', '--service', 'RTCSRV').returncode == 0
    server.stop_poold()
    pool.file.write_text(pool.file.read_text().replace('RTCSRV', 'RtcSrv'))
    server.start_poold()
    server.wait_phase('drained')
    now = server.document()
    assert now['drains'][0]['services'] == ['RtcSrv'] and now['drains'][0]['out']
    assert now['services'][0]['name'] == 'RtcSrv' and now['phase'] == 'drained'
    assert pool.poolctl('resume', 'frontend01').returncode == 0
    assert server.scm.says() == ('running', 'automatic', True)


@pytest.mark.brother('H1')
def test_a_start_without_a_service_that_is_out_names_it(pool, server):
    assert pool.poolctl('drain', 'frontend01').returncode == 0
    server.stop_poold()
    pool.file.write_text(pool.file.read_text().replace('RTCSRV', 'OTHER'))
    done = server.run_poold('run', '--config', server.config)
    assert done.returncode == 2 and "service RTCSRV, which pool.yaml" in done.stderr
