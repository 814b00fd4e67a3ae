"""poolctl config: what it finds, shows, writes and documents."""

import json
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess

import pytest
import yaml

from pool import POOLCTL, ROOT

CASES = ROOT / 'tests/config'
PROFILES = sorted((ROOT / 'pool-config/profiles').glob('*.yaml'))
GOOD = sorted(path.with_suffix('.yaml') for path in CASES.glob('*/*.ok'))
EXAMPLES = sorted((ROOT / 'pool-config/examples').glob('*.yaml'))


def is_poold(path):
    return path.name.startswith('poold') or path.parent.name.startswith('poold')


def run(*args, **options):
    return subprocess.run([POOLCTL, 'config', *args], capture_output=True, text=True, timeout=60,
                          check=False, stdin=subprocess.DEVNULL, **options)


def good(*args, **options):
    done = run(*args, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def show(path, *args):
    return good('show', '--config', path, *args)


def values(settings):
    """The tree of `config show -o json` without where each value came from."""
    if isinstance(settings, dict):
        if set(settings) == {'value', 'from'} and isinstance(settings['from'], str):
            return settings['value']
        return {name: values(value) for name, value in settings.items()}
    return [values(value) for value in settings]


def settings_of(path, *args):
    return json.loads(show(path, '-o', 'json', *args))


def write(folder, text):
    path = folder / 'pool.yaml'
    path.write_text(text, encoding='utf-8')
    return path


@pytest.mark.parametrize('command', ['check', 'show', 'init', 'schema', 'reference'])
def test_each_command_has_help(command):
    assert good(command, '--help').startswith(f'Usage: poolctl config {command}')
    overview = good('--help')
    assert overview.startswith('Usage: poolctl config COMMAND') and command in overview


@pytest.mark.parametrize('words, hint', [
    ([], 'poolctl config --help'), (['chek'], "'config check'"), (['nonsense'], '--help'),
    (['check', 'a', 'b'], "'b'"), (['schema', 'a'], "'a'"), (['show', '--pool', 'p'], '--pool'),
])
def test_a_wrong_command_line_is_told(words, hint):
    done = run(*words)
    assert done.returncode == 2 and hint in done.stderr


# ---- check ----

@pytest.mark.parametrize('path', [path for path in EXAMPLES + GOOD if not is_poold(path)],
                         ids=lambda path: path.stem)
def test_check_counts_pools_and_servers(path):
    pools = settings_of(path)['pools'].values()
    counts = len(pools), sum(len(pool['servers']) for pool in pools)
    words = [f'{count} {what}{"s"[count == 1:]}' for count, what in zip(counts, ('pool', 'server'))]
    assert good('check', path) == f'{path}: {", ".join(words)}\n'


@pytest.mark.parametrize('path', [path for path in EXAMPLES + GOOD if is_poold(path)],
                         ids=lambda path: path.stem)
def test_check_reads_poold_yaml_when_asked(path):
    assert good('check', '--poold', path).startswith(f'{path}: server ')


def test_check_tells_all_mistakes_with_their_places():
    path = CASES / 'keys/several_mistakes.yaml'
    done = run('check', path)
    assert done.returncode == 2 and done.stdout == ''
    expected = (CASES / 'keys/several_mistakes.err').read_text()
    assert done.stderr == expected.replace('several_mistakes.yaml', str(path))
    assert run('check', '--poold', path).returncode == 2


def test_check_takes_the_same_file_as_other_commands(tmp_path):
    path = EXAMPLES[0]
    assert good('check', '--config', path) == good('check', path)
    assert good('check', env=os.environ | {'POOLCTL_CONFIG': str(path)}) == good('check', path)
    missing = run('check', tmp_path / 'none.yaml')
    assert missing.returncode == 2 and 'none.yaml' in missing.stderr


# ---- show ----

def profile_pool(profile):
    """A pool of three with that profile; what it does not know is given."""
    text = f'pools:\n  p:\n    profile: {profile}\n    servers:\n'
    text += ''.join(f'      s{i}: {{address: 192.0.2.{i}, rank: {i}}}\n' for i in (1, 2, 3))
    known = yaml.safe_load((ROOT / f'pool-config/profiles/{profile}.yaml').read_text())
    if 'services' not in known:
        text += '    services: {Spooler: {ports: 9100}}\n'
    return text


def assert_shown_again(path, folder):
    """What is shown loads, and is then shown the same; other readers of YAML agree."""
    shown, settings = show(path), values(settings_of(path))
    assert yaml.safe_load(shown) == settings
    again = write(folder, shown)
    assert values(settings_of(again)) == settings
    stripped = [re.sub('  # .*', '', text) for text in (shown, show(again))]
    assert stripped[0] == stripped[1]


@pytest.mark.parametrize('profile', [path.stem for path in PROFILES])
def test_a_profile_is_shown_as_it_loads_again(tmp_path, profile):
    source = tmp_path / 'source.yaml'
    source.write_text(profile_pool(profile))
    assert_shown_again(source, tmp_path)
    pool = settings_of(source)['pools']['p']
    assert re.fullmatch(rf'profile {profile}:\d+', pool['title']['from'])


@pytest.mark.parametrize('path', [path for path in EXAMPLES + GOOD if not is_poold(path)],
                         ids=lambda path: path.stem)
def test_a_file_is_shown_as_it_loads_again(tmp_path, path):
    folder = tmp_path / 'source'
    shutil.copytree(path.parent, folder)  # with the profiles that stand beside it
    assert_shown_again(folder / path.name, folder)


@pytest.mark.parametrize('text', [
    'plain', 'two  words', ' before', 'after ', '  ', 'a # b', '#a', 'a: b', 'a:', ':a', '- a', '-',
    '? a', 'true', 'No', '~', 'null', '12', '1e5', '0x1F', '1:30', '2001-12-14', '.5', '-1', '+1',
    '<<', '=', '*a', '&a', '!a', '%a', '@a', '`a`', '[a]', '{a}', 'a, b', 'a]', '"', "'", "it's",
    '\\LS:AVMCU - Operations\\AVMCU - Number of Users', 'C:\\new\\table', 'two\nlines', '\n', 'a\n',
    '\ttab', 'x\x07y', 'x\x85y', 'Zürich', '日本', '😀', 'a\u2028b', 'a\u202eb', '\ufeffa',
    'a\U0001ffffb', '| a', '> a', '---', '...', 'http://[::1]:80/?a=b#c', 'x' * 3000, 'a b ' * 500,
], ids=lambda text: ascii(text)[:20])
def test_any_text_is_quoted_right(tmp_path, text):
    source = tmp_path / 'source.yaml'
    name = text[:200] if text.isprintable() else 'p'
    service = {'ports': [1], 'components': [name, 'x'], 'probe': {'port': 1, 'send': text}}
    source.write_text(yaml.safe_dump({'pools': {name: {
        'title': text, 'services': {'S': service},
        'servers': {'server01': {'address': '192.0.2.1'}}}}}))
    assert settings_of(source)['pools'][name]['title']['value'] == text
    assert_shown_again(source, tmp_path)


def test_show_tells_where_each_value_is_from(tmp_path):
    path = write(tmp_path, 'pools:\n  p:\n    profile: sfb-2019-front-end\n'
                           '    deadline: 4h\n'
                           '    servers:\n      a: {address: 192.0.2.1}\n')
    lines = show(path).splitlines()
    assert f'    deadline: 4h  # {path}:4' in lines
    assert '    on_deadline: hold  # default' in lines
    assert '        url: http://192.0.2.1:8650  # default' in lines
    profile = (ROOT / 'pool-config/profiles/sfb-2019-front-end.yaml').read_text().splitlines()
    settle = [i for i, line in enumerate(profile, 1) if line.startswith('settle:')][0]
    assert f'    settle: 30s  # profile sfb-2019-front-end:{settle}' in lines
    assert all('  # ' in line or line.rstrip().endswith(':') for line in lines)
    pool = settings_of(path)['pools']['p']
    assert pool['deadline'] == {'value': '4h', 'from': f'{path}:4'}
    assert pool['availability']['max_out'] == {'value': 1, 'from': 'default'}


def test_an_empty_list_over_that_of_the_profile_stays_empty(tmp_path):
    source = tmp_path / 'source.yaml'
    source.write_text(profile_pool('sfb-2019-front-end') +
                      '    floors: []\n    services: {RTCSRV: {counters: , components: }}\n')
    assert_shown_again(source, tmp_path)
    pool = values(settings_of(source))['pools']['p']
    assert pool['floors'] == pool['services']['RTCSRV']['counters'] == []
    assert pool['services']['RTCSRV']['components'] == []


def test_show_takes_a_pool_or_a_server(tmp_path):
    path = CASES / 'keys/everything.yaml'
    assert list(settings_of(path)['pools']) == ['fe-pool01', 'rds-pool']
    assert list(settings_of(path, 'rds-pool')['pools']) == ['rds-pool']
    one = settings_of(path, 'frontend02')['pools']
    assert list(one) == ['fe-pool01'] and list(one['fe-pool01']['servers']) == ['frontend02']
    assert_shown_again(write(tmp_path, show(path, 'frontend02')), tmp_path)
    unknown = run('show', '--config', path, 'frontend2')
    assert unknown.returncode == 2 and "'frontend02'" in unknown.stderr


@pytest.mark.parametrize('args', [['status', '-o', 'yaml'], ['config', 'check', '-o', 'yaml']])
def test_other_commands_have_no_yaml(args):
    done = subprocess.run([POOLCTL, *args, '--config', EXAMPLES[0]], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 2 and 'yaml' in done.stderr


# ---- schema ----

# A file with one of these mistakes is not accepted by the schema either.  What it cannot
# say: the range of a duration, a key that is there twice, what a name may be made of, and the rules between several
# keys, such as two servers with one address or a floor above the pool's size.
STRUCTURAL = re.compile('|'.join([
    r"has no key '(?!<<)", "needs the key '[a-z_]+':", 'needs a single value', 'needs a value or a list',
    'needs names; below', 'needs a list; each', 'expected keys with values', 'is not a duration',
    'is not a number', 'is not a port', 'is not an IP address', 'is not a floor', 'is not an address',
    'is not a flag', 'is not allowed: expected one of', ': unknown profile']))


def install_ajv():
    """Into build/, as the lock file says; the folder that Node.js finds it in."""
    folder, here = ROOT / 'build/npm', CASES / 'schema'
    lock = folder / 'package-lock.json'
    if not shutil.which('npm'):
        pytest.skip('npm is not installed')
    if lock.exists() and lock.read_text() == (here / 'package-lock.json').read_text() and (
            folder / 'node_modules/.package-lock.json').exists():
        return folder / 'node_modules'
    folder.mkdir(parents=True, exist_ok=True)
    for name in ('package.json', 'package-lock.json', '.npmrc'):
        shutil.copy(here / name, folder)
    done = subprocess.run(['npm', 'ci'], cwd=folder, capture_output=True, text=True, timeout=300,
                          check=False)
    if done.returncode:
        shutil.rmtree(folder)
        pytest.skip(f'npm cannot install ajv: {" ".join(done.stderr.split())[:200]}')
    return folder / 'node_modules'


@pytest.fixture(scope='module')
def validate():
    """Runs ajv over documents by name: what is wrong with each."""
    folder = install_ajv()

    def run_ajv(documents, *args):
        text = json.dumps({'schema': json.loads(good('schema', *args)), 'documents': documents},
                          default=str)
        done = subprocess.run(['node', CASES / 'schema/validate.cjs'], input=text, capture_output=True,
                              text=True, timeout=60, check=False,
                              env=os.environ | {'NODE_PATH': str(folder)})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run_ajv


def with_text_keys(value):
    if isinstance(value, dict):
        return {str(key): with_text_keys(item) for key, item in value.items()}
    return [with_text_keys(item) for item in value] if isinstance(value, list) else value


def read(path):
    return with_text_keys(yaml.safe_load(path.read_bytes()))


@pytest.mark.parametrize('kind', ['pool', 'poold'])
def test_the_schema_accepts_every_good_file(validate, tmp_path, kind):
    files = [path for path in EXAMPLES + GOOD if is_poold(path) == (kind == 'poold')]
    documents = {path.name: read(path) for path in files}
    if kind == 'pool':
        for path in PROFILES:
            documents[path.stem] = {'pools': {'p': read(path)}}
            documents[f'{path.stem} shown'] = yaml.safe_load(show(
                write(tmp_path, profile_pool(path.stem))))
    report = validate(documents, *(['--poold'] if kind == 'poold' else []))
    assert len(report) == len(documents) > 3
    assert {name: wrong for name, wrong in report.items() if wrong} == {}


@pytest.mark.parametrize('kind', ['pool', 'poold'])
def test_the_schema_refuses_what_is_wrong_in_itself(validate, kind):
    documents = {}
    for path in sorted(CASES.glob('*/*.err')):
        if is_poold(path) != (kind == 'poold'):
            continue
        # Mistakes in a profile that stands in another file are not this file's.
        own = [line for line in path.read_text().splitlines() if line.startswith(path.stem)]
        if any(STRUCTURAL.search(line) for line in own):
            try:
                documents[path.stem] = read(path.with_suffix('.yaml'))
            except yaml.YAMLError:
                pass
    report = validate(documents, *(['--poold'] if kind == 'poold' else []))
    assert len(report) > 5
    assert [name for name, wrong in report.items() if not wrong] == []


def test_the_schema_takes_texts_as_yaml_reads_them(validate):
    pool = {'title': 2019, 'notes': True, 'fqdn': None, 'on_deadline': None, 'settle': '10s', 'availability': {'floor': 2},
            'services': {'S': {'ports': 80, 'optional': True, 'components': [1, 'a']}},
            'servers': {'1': {'address': '192.0.2.1', 'rank': 1}}}
    wrong = [{'settle': 10}, {'availability': {'floor': '101%'}}, {'availability': {'floor': -1}},
             {'services': {'S': {'ports': [0]}}}, {'services': {'S': {'ports': 65536}}},
             {'services': {'S': {'optional': 'yes'}}}, {'title': ''},
             {'services': {'S': {'ports': [None]}}}, {'services': {'S': {'components': [None]}}},
             {'servers': {'1': None}}, {'servers': {'1': {'address': []}}}, {'profile': 'sfb'},
             {'on_deadline': 'wait'}, {'deadline': '4 h'}, {'dns': {'resolvers': 'dns01'}}]
    documents = {'good': {'pools': {'p': pool}}}
    documents |= {str(one): {'pools': {'p': pool | one}} for one in wrong}
    report = validate(documents)
    assert report.pop('good') == []
    assert [name for name, mistakes in report.items() if not mistakes] == []


# ---- reference ----

def test_the_page_has_the_reference_that_is_printed():
    page = (ROOT / 'docs/configuration.md').read_text()
    printed = page.split('<!-- keys -->\n')[1].split('<!-- /keys -->')[0]
    assert printed.strip() == good('reference').strip(), \
        'put the output of `poolctl config reference` between the marks'


KEYS = json.loads(good('reference', '-o', 'json'))

# A good file of each kind that has each section once, where an example can be put in.
COUNTED = {'counters': [{'path': '\\A\\B'}], 'http': [{'url': 'http://127.0.0.1/'}],
           'probe': {'port': 5061}}
POOL_FILE = {'pools': {'POOL': {
    'fqdn': 'pool01.contoso.com',
    'floors': [{'servers': 8, 'functional': 4}, {'servers': 1, 'functional': 1}],
    'services': {'RTCSRV': {'ports': [5061]} | COUNTED, 'SERVICE': {'ports': [5062]} | COUNTED},
    'servers': {'SERVER': {'address': '192.0.2.1', 'services': {'SERVICE': COUNTED}}}}}}
POOLD_FILE = {'server': 'frontend01', 'simulated_file': 'scm.json',
              'commands': [{'service': 'RTCSRV', 'run': '/bin/count'}],
              'tls': {'certificate': 'server.pem', 'key': 'server.key', 'client_ca': 'ca.pem',
                      'clients': [{'san': 'runner7', 'name': 'ci', 'role': 'viewer'}]}}

WRONG = {'text': '[a, b]', 'path': '[a, b]', 'IP:PORT': 'here', 'choice': 'perhaps', 'duration': 'soon',
         'number': 'many', 'flag': 'perhaps', 'floor': 'half', 'texts': '{a: b}', 'ports': '0',
         'IP addresses': 'here', 'keys': 'word', 'names': 'word', 'list': 'word'}


def identify(key):
    return f'{key["section"]}-{key["path"]}.{key["key"]}'.replace('.yaml', '').replace(' ', '-')


def file_with(key, written, folder):
    """A good file, and in it this text behind the key; without the key if it is None."""
    is_poold_key = key['section'] == 'poold.yaml' or key['path'].startswith(('commands', 'tls'))
    root = json.loads(json.dumps(POOLD_FILE if is_poold_key else POOL_FILE))
    place = root
    for step in key['path'].split('.') if key['path'] else []:
        place = place.setdefault(step.removesuffix('[]'), {})
        place = place[0] if step.endswith('[]') else place
    place[key['key']] = 'WRITTEN'
    if written is None:
        del place[key['key']]
    if key['key'] == 'subject':
        del place['san']
    if key['key'] == 'profile':
        del root['pools']['POOL']['services']['SERVICE']
        del root['pools']['POOL']['servers']['SERVER']['services']
    path = folder / ('poold.yaml' if is_poold_key else 'pool.yaml')
    path.write_text(yaml.safe_dump(root, sort_keys=False).replace('WRITTEN', written or ''))
    return ['--poold', path] if is_poold_key else [path]


def test_the_keys_are_all_there():
    assert len(KEYS) > 60
    for key in KEYS:
        assert key['help'] and key['type'] in WRONG
        assert key['example'] or key['type'] in ('keys', 'names', 'list'), key


@pytest.mark.parametrize('key', [key for key in KEYS if key['example']], ids=identify)
def test_the_example_of_a_key_loads(tmp_path, key):
    good('check', *file_with(key, key['example'], tmp_path))


@pytest.mark.parametrize('key', KEYS, ids=identify)
def test_a_wrong_value_is_refused_by_the_name_of_its_key(tmp_path, key):
    done = run('check', *file_with(key, WRONG[key['type']], tmp_path))
    assert done.returncode == 2
    name = 'pool' if key['key'] == 'pools' else key['key']
    assert re.search(rf"yaml:\d+:\d+: .*'?{name}", done.stderr), done.stderr


@pytest.mark.parametrize('key', [key for key in KEYS if key['type'] in ('number', 'duration')],
                         ids=identify)
def test_a_value_out_of_range_is_refused(tmp_path, key):
    number, unit = re.search(r'to (\d+)([a-z]*)$', key['range']).groups()
    done = run('check', *file_with(key, f'{int(number) + 1}{unit}', tmp_path))
    assert done.returncode == 2 and key['key'] in done.stderr


@pytest.mark.parametrize('key', [key for key in KEYS if key['required']], ids=identify)
def test_a_key_that_must_be_there_is_missed(tmp_path, key):
    done = run('check', *file_with(key, None, tmp_path))
    assert done.returncode == 2 and f"needs the key '{key['key']}'" in done.stderr


@pytest.mark.parametrize('key', [key for key in KEYS if key['default']], ids=identify)
def test_a_default_may_be_written_out(tmp_path, key):
    good('check', *file_with(key, key['default'], tmp_path))


# ---- init ----

FLAGS = ['--pool', 'fe-pool01', '--server', 'frontend01=10.1.0.11',
         '--server', 'frontend02=10.1.0.12,2001:db8::12']


def test_init_writes_a_file_that_loads(tmp_path):
    path = tmp_path / 'pool.yaml'
    text = good('init', path, *FLAGS, '--fqdn', 'pool01.contoso.com',
                '--profile', 'sfb-2019-front-end')
    assert str(path) in text
    assert good('check', path) == f'{path}: 1 pool, 2 servers\n'
    pool = values(settings_of(path))['pools']['fe-pool01']
    assert pool['fqdn'] == 'pool01.contoso.com' and pool['profile'] == 'sfb-2019-front-end'
    assert pool['servers']['frontend02'] == {'address': ['10.1.0.12', '2001:db8::12'],
                                             'url': 'http://127.0.0.1:8652'}
    assert pool['servers']['frontend01']['url'] == 'http://127.0.0.1:8651'
    assert '    #on_deadline: hold\n' in path.read_text()
    # The comments are settings: without the '#' the file still loads.
    path.write_text(re.sub('#([a-z_]+: )', r'\1', path.read_text()))
    good('check', path)


def test_init_writes_to_standard_output(tmp_path):
    args = [*FLAGS, '--service', 'RTCSRV=5061', '--service', 'My Service=80,443']
    text = good('init', *args)
    assert text == good('init', '-', *args)
    pool = values(settings_of(write(tmp_path, text)))['pools']['fe-pool01']
    assert pool['services']['My Service']['ports'] == [80, 443]


def test_init_writes_the_url_of_what_is_here(tmp_path):
    text = good('init', '--pool', 'p', '--server', 'a=127.0.1.1', '--server', 'b=::1',
                '--service', 'S=1')
    servers = values(settings_of(write(tmp_path, text)))['pools']['p']['servers']
    assert servers['a']['url'] == 'http://127.0.1.1:8650'
    assert servers['b']['url'] == 'http://[::1]:8650'


def test_init_never_overwrites(tmp_path):
    path = write(tmp_path, '')
    done = run('init', path, *FLAGS, '--service', 'S=1')
    assert done.returncode == 2 and str(path) in done.stderr and path.read_text() == ''
    nowhere = run('init', tmp_path / 'none/pool.yaml', *FLAGS, '--service', 'S=1')
    assert nowhere.returncode == 2 and 'none/pool.yaml' in nowhere.stderr


@pytest.mark.parametrize('args, word', [
    ([], '--pool'), (FLAGS[:2], '--service'), (FLAGS, '--service'),
    (FLAGS[:2] + ['--profile', 'sfb-edge'], '--server'),
    (FLAGS + ['--profile', 'generic'], '--service'), (FLAGS + ['--service', '=1'], '--service'),
    (['--server', 'a'], '--server'), (FLAGS + ['--service', 'S=http'], 'ports'),
    (FLAGS + ['--profile', 'sfb-egde'], 'sfb-edge'),
    (['--pool', 'p', '--server', 'a=here', '--service', 'S=1'], 'address'),
])
def test_init_says_what_it_needs_and_writes_nothing(tmp_path, args, word):
    path = tmp_path / 'pool.yaml'
    done = run('init', path, *args)
    assert done.returncode == 2 and word in done.stderr
    assert done.stdout == '' and not path.exists()


def talk(args, answers):
    """Answers each prompt of a program on a terminal; what was seen, and the exit status."""
    master, slave = pty.openpty()
    process = subprocess.Popen(args, stdin=slave, stdout=slave, stderr=slave,
                               env=os.environ | {'TERM': 'xterm', 'LC_ALL': 'C.UTF-8'})
    os.close(slave)
    text, answers = b'', list(answers)
    ready = select.poll()
    ready.register(master, select.POLLIN)
    while ready.poll(60000):
        try:
            part = os.read(master, 65536)
        except OSError:
            break
        text += part
        if not part:
            break
        if text.endswith(b': ') and answers:
            os.write(master, f'{answers.pop(0)}\n'.encode())
    os.close(master)
    assert not answers, text.decode()
    return text.decode(), process.wait(60)


def test_init_asks_on_a_terminal(tmp_path):
    path = tmp_path / 'pool.yaml'
    text, status = talk([POOLCTL, 'config', 'init'], [
        '', 'p1', '', '', 'nonsense', 'RTCSRV=5061', '', 'a=192.0.2.1', ' b=192.0.2.2 ', '', path])
    assert status == 0 and 'written' in text
    pool = values(settings_of(path))['pools']['p1']
    assert list(pool['servers']) == ['a', 'b'] and list(pool['services']) == ['RTCSRV']


def test_init_asks_only_for_what_the_flags_leave_open(tmp_path):
    path = tmp_path / 'pool.yaml'
    text, status = talk([POOLCTL, 'config', 'init', path, '--pool', 'p', '--profile', 'sfb-edge'],
                        ['', 'a=192.0.2.1', ''])
    assert status == 0, text
    assert 'Name of the pool' not in text and 'Windows service' not in text
    text, status = talk([POOLCTL, 'config', 'init', pathlib.Path('-'), *FLAGS, '--service', 'S=1'],
                        [])
    assert status == 0 and 'fe-pool01' in text
