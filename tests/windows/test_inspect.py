"""poold preflight on a Windows server: what the real SCM, registry and files say.

Where Wine has no answer, standins.exe gives the product's code those of Windows.
"""

import json

import pytest

from pool import SERVICE
from windows_pool import WindowsPool

POLICIES = 'drive_c/windows/security/templates/policies'
TEMPLATE = '''[Unicode]
Unicode=yes
[Version]
signature="$CHICAGO$"
[Service General Setting]
"Spooler",4,""
"{name}",2,"D:AR(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BA)"
'''
SESSION_MANAGER = r'HKLM\SYSTEM\CurrentControlSet\Control\Session Manager'
UPDATE = (r'HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update'
          r'\RebootRequired')


@pytest.fixture(scope='module')
def server(machine, tmp_path_factory):
    """A machine with a service that runs, and a poold that is configured, not installed."""
    pool = WindowsPool(tmp_path_factory.mktemp('pool'), [machine])
    machine.install(SERVICE, pool.port)
    machine.start(SERVICE)
    pool.servers[0].configure_poold()
    return pool.servers[0]


def preflight(server):
    done = server.poold('preflight', '-o', 'json', check=False)
    document = json.loads(done.stdout)
    assert done.returncode == (0 if document['possible'] else 4), done.stderr
    return document


def look(server):
    """The service's object, and the texts of its findings by code."""
    (service,) = preflight(server)['services']
    return service, {finding['code']: finding['text'] for finding in service['findings']}


def machine_texts(server):
    document = preflight(server)
    return document['reboot_pending'], [finding['text'] for finding in document['findings']]


def test_what_wine_cannot_tell_is_unknown_and_not_no(server):
    service, texts = look(server)
    assert service['possible'] is True
    assert service['observed'] == {'state': 'running', 'start_type': 'automatic',
                                   'delayed_auto_start': None, 'accepts_pause': True}
    assert set(texts) == {'triggers_unknown', 'recovery_unknown', 'delayed_unknown'}
    for code in ('triggers_unknown', 'recovery_unknown'):
        assert 'not supported here (error 124)' in texts[code]
    assert service['changes'] == ['save: running, automatic',
                                  'startup type: automatic -> manual', 'pause']
    assert server.machine.state(SERVICE) == 'running'


@pytest.mark.parametrize('file, encoding', [('gpt00001.inf', 'utf-16'),
                                            ('gpt00000.dom', 'ascii')])
def test_a_group_policy_is_found_in_the_templates(server, file, encoding):
    folder = server.machine.prefix / POLICIES
    folder.mkdir(parents=True, exist_ok=True)
    template = folder / file
    template.write_bytes(
        TEMPLATE.format(name='OTHER').replace('\n', '\r\n').encode(encoding))
    assert 'group_policy' not in look(server)[1]
    template.write_bytes(
        TEMPLATE.format(name=SERVICE.lower()).replace('\n', '\r\n').encode(encoding))
    assert f'{file} sets automatic' in look(server)[1]['group_policy']
    template.unlink()
    assert 'group_policy' not in look(server)[1]


def test_a_template_that_cannot_be_read_is_unknown(server):
    template = server.machine.prefix / POLICIES / 'gpt00002.inf'
    template.mkdir(parents=True)
    assert 'gpt00002.inf' in look(server)[1]['policy_unknown']
    template.rmdir()
    assert 'policy_unknown' not in look(server)[1]


def test_an_agent_that_sets_startup_types_back(server):
    assert machine_texts(server)[1] == []
    server.machine.install('puppet', server.pool.api_port, start_type='manual')
    (text,) = machine_texts(server)[1]
    assert 'puppet' in text
    server.machine.scm('startup', 'puppet', 'disabled')
    assert machine_texts(server)[1] == []
    server.machine.remove('puppet')


@pytest.mark.parametrize('add, delete, word', [
    ([SESSION_MANAGER, '/v', 'PendingFileRenameOperations', '/t', 'REG_MULTI_SZ', '/d', 'a'],
     [SESSION_MANAGER, '/v', 'PendingFileRenameOperations'], 'files'),
    ([UPDATE], [UPDATE], 'Windows Update')])
def test_a_reboot_that_is_pending(server, add, delete, word):
    assert machine_texts(server) == (False, [])
    server.machine.run(['reg', 'add', *add, '/f'])
    is_pending, (text,) = machine_texts(server)
    assert is_pending is True and word in text
    server.machine.run(['reg', 'delete', *delete, '/f'])
    assert machine_texts(server) == (False, [])


def test_what_cannot_be_drained(server):
    machine = server.machine
    machine.remove(SERVICE)
    service, texts = look(server)
    assert service['observed']['state'] == 'missing' and 'not_installed' in texts
    machine.install(SERVICE, server.pool.port, pause='deny')
    machine.start(SERVICE)
    service, texts = look(server)
    assert service['possible'] is False and 'no_pause' in texts


# ---- what Wine does not have ----

def standins(server, *args):
    return json.loads(server.machine.run([server.machine.tool('standins'), *args]).stdout)


def test_dependants_triggers_and_recovery_are_read_as_windows_gives_them(server):
    found = standins(server, 'inspect', 'plain')
    assert found['unknown'] == [''] * 6
    assert found['dependants'] == [['RTCRGS', 2, 'running'], ['Größe', 2, 'stopped']]
    assert found['triggers'] == 2, 'one of the three stops the service'
    assert found['recovery'] == 1 | 2 | 8, 'restart, reboot, also after an error'
    assert found['denied'] == 0
    assert found['protected'] is False
    assert standins(server, 'inspect', 'protected')['protected'] is True


def test_rights_that_are_missing_are_named_and_hide_only_their_facts(server):
    found = standins(server, 'inspect', 'denied')
    assert found['denied'] == 1 << 1 | 1 << 3, 'to configure and to stop'
    assert found['dependants'] == [] and found['triggers'] == 0
    assert ['access denied' in reason for reason in found['unknown']] == [
        True, True, True, False, False, True]


def test_a_list_that_grows_meanwhile_is_unknown_and_not_empty(server):
    found = standins(server, 'inspect', 'grown')
    assert 'cannot list what depends on RTCSRV' in found['unknown'][0]
    assert found['unknown'][1:] == [''] * 5


@pytest.mark.parametrize('world, ret, refused, text', [
    ('plain', 0, 0, ''), ('stopped', 0, 0, ''),
    ('needed', -1, 1, 'cannot stop RTCSRV: running services depend on it (error 1051)')])
def test_a_stop(server, world, ret, refused, text):
    assert standins(server, 'stop', world) == {
        'ret': ret, 'refused': refused, 'text': text, 'rights': 0x20, 'control': 1}


@pytest.mark.parametrize('world, is_due', [('booting', True), ('booted', False),
                                           ('ended', False), ('delayed', True),
                                           ('triggered', False)])
def test_a_start_that_this_boot_has_yet_to_make(server, world, is_due):
    """In the first minutes after a boot, and a delayed one at any time."""
    assert standins(server, 'observe', world) == {'state': 'stopped', 'start_due': is_due}
