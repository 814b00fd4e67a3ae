"""Completion in the real shells.  PowerShell is not among Debian's packages: its script is not run."""

import os
import shutil
import subprocess

import pytest

import pool as pools
from sessions import wait_until
from terminal import Terminal

POOL = """\
pools:
  fe-pool01:
    services: {RTCSRV: {ports: [5061]}, 'odd$(touch pwned)': {ports: [5062]}}
    servers: {frontend01: {address: 127.0.0.1}, frontend02: {address: 127.0.0.2}}
  edge:
    services: {RTCSRV: {ports: [5061]}}
    servers: {edge01: {address: 127.0.0.3}}
"""

# What is typed before Tab, and the one word that it becomes.
CASES = [
    ('poolctl resu', 'resume'),
    ('poolctl drain edge', 'edge01'),
    ('poolctl drain frontend01 front', 'frontend02'),
    ('poolctl check fe', 'fe-pool01'),
    ('poolctl config pro', 'profiles'),
    ('poolctl drain --reason drain ed', 'edge01'),
    ('poolctl -o json drain ed', 'edge01'),
    ('poolctl drain edge01 --dead', '--deadline'),
    ('poolctl drain edge01 --on-deadline st', 'stop'),
    ('poolctl drain edge01 --service RTC', 'RTCSRV'),
    ('poolctl help config sch', 'schema'),
    ('poolctl completion fi', 'fish'),
    ('poolctl --config other.y', 'other.yaml'),
    ('poolctl --config other.yaml drain la', 'lab01'),
]
EQUALS = ('poolctl drain edge01 --on-deadline=st', '--on-deadline=stop')


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a pool.yaml; poolctl is on PATH."""
    (tmp_path / 'pool.yaml').write_text(POOL)
    (tmp_path / 'other.yaml').write_text(
        POOL.replace('edge01', 'lab01').replace('frontend', 'web'))
    (tmp_path / 'bin').mkdir()
    (tmp_path / 'bin/poolctl').symlink_to(pools.POOLCTL.resolve())
    for name, value in {'POOLCTL_CONFIG': tmp_path / 'pool.yaml', 'HOME': tmp_path,
                        'PATH': f'{tmp_path}/bin:{os.environ["PATH"]}',
                        'INPUTRC': '/dev/null', 'ZDOTDIR': tmp_path,
                        'XDG_CONFIG_HOME': tmp_path, 'XDG_DATA_HOME': tmp_path}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def next_words(*words, current=''):
    """The words that poolctl offers a shell."""
    done = subprocess.run(['poolctl', f'--complete={current}', *words], capture_output=True,
                          text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ''), done
    return [line.split('\t')[0] for line in done.stdout.splitlines()]


class Shell:
    """An interactive shell; Ctrl-T writes down the line that is being edited."""

    def __init__(self, folder, args, start):
        self.line = folder / 'line'
        (folder / '.zshrc').write_text(start)
        (folder / 'bashrc').write_text(start)
        self.terminal = Terminal(['setsid', '--ctty', '--wait', *args], 200)
        wait_until(lambda: 'READY>' in self.terminal.text, 'the prompt')

    def complete(self, typed):
        self.line.unlink(missing_ok=True)
        # Ctrl-U empties the line, Ctrl-A and Ctrl-K whatever is left.
        os.write(self.terminal.master, b'\x01\x0b' + typed.encode() + b'\t\x14')
        wait_until(self.line.exists, f'{typed}; the shell said {self.terminal.text!r}')
        return wait_until(self.line.read_text, 'the line').strip()

    def close(self):
        self.terminal.process.kill()
        self.terminal.close()


def start_bash(folder):
    return Shell(folder, ['bash', '--noprofile', '--rcfile', folder / 'bashrc', '-i'], f"""
PS1='READY>'
eval "$(poolctl completion bash)"
bind -x '"\\C-t": printf "%s\\n" "$READLINE_LINE" >{folder}/fresh; mv {folder}/fresh {folder}/line'
""")


def start_zsh(folder):
    return Shell(folder, ['zsh', '-d', '-i'], f"""
PS1='READY>'
autoload -Uz compinit; compinit -u -D
source <(poolctl completion zsh)
save() {{ print -r -- "$BUFFER" >{folder}/fresh; mv {folder}/fresh {folder}/line }}
zle -N save
bindkey -e; bindkey '^T' save; bindkey '^I' complete-word
""")


@pytest.mark.parametrize('name,start', [('bash', start_bash), ('zsh', start_zsh)])
def test_tab_completes(folder, name, start):
    if not shutil.which(name):
        pytest.skip(f'{name} is not installed')
    shell = start(folder)
    try:
        for typed, word in [*CASES, EQUALS]:
            expected = ' '.join([*typed.split(' ')[:-1], word])
            assert shell.complete(typed) == expected, shell.terminal.text
        # A name is no command.
        completed = shell.complete('poolctl drain --service odd')
        assert completed == r'poolctl drain --service odd\$\(touch\ pwned\)'
        # Nothing is said where there is nothing to say.
        (folder / 'pool.yaml').write_text('pools: [')
        before = shell.terminal.text
        assert shell.complete('poolctl drain ed') == 'poolctl drain ed'
        assert 'poolctl:' not in shell.terminal.text[len(before):]
    finally:
        shell.close()
    assert not (folder / 'pwned').exists()


def test_fish_completes(folder):
    if not shutil.which('fish'):
        pytest.skip('fish is not installed')
    script = 'poolctl completion fish | source\n' + ''.join(
        f"echo (complete -C '{typed}' | string split -f1 \\t | string join '|')\n"
        for typed, _ in [*CASES, EQUALS, ('poolctl drain ', '')])
    done = subprocess.run(['fish', '--no-config', '-c', script], capture_output=True, text=True,
                          timeout=120)
    assert done.stderr == ''
    lines = done.stdout.splitlines()
    assert lines[:-1] == [word for _, word in [*CASES, EQUALS]]
    assert lines[-1].split('|') == ['edge01', 'frontend01', 'frontend02']


@pytest.mark.parametrize('shell', ['bash', 'fish', 'zsh'])
def test_the_script_is_good_for_its_shell(folder, shell):
    if not shutil.which(shell):
        pytest.skip(f'{shell} is not installed')
    text = subprocess.run(['poolctl', 'completion', shell], capture_output=True, check=True).stdout
    assert text == (pools.ROOT / 'ctl/completion' / shell).read_bytes()
    (folder / 'script').write_bytes(text)
    done = subprocess.run([shell, '-n', folder / 'script'], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, '')


def test_every_command_and_option_is_offered(folder):
    """Those of the help, which is printed from the same table."""
    def from_help(*words):
        text = subprocess.run(['poolctl', *words, '--help'], capture_output=True, text=True,
                              check=True).stdout
        return {line.split()[0] for line in text.splitlines() if line.startswith('  --')}

    for command in next_words():
        if command == 'config':
            assert len(next_words('config')) > 4
            continue
        offered = {word for word in next_words(command, current='-')}
        assert offered == from_help(command), command


def test_what_is_there_already_is_not_offered_again(folder):
    assert next_words('drain', 'EDGE01') == ['frontend01', 'frontend02']
    assert '--dry-run' not in next_words('drain', '--dry-run', current='--d')
    assert '--service' in next_words('drain', '--service', 'RTCSRV', current='--s')
    assert next_words('sessions', 'edge01') == []
    assert next_words('drain', '--', current='--') == []


def test_services_of_several_pools_are_offered_once(folder):
    assert next_words('drain', '--service') == ['RTCSRV', 'odd$(touch pwned)']


@pytest.mark.parametrize('words', [['nosuch'], ['drain', '--nosuch', ''], ['-'], ['--', '--'],
                                   ['--output'], ['-o', '-o'], ['=', '='], [''], ['config', 'no'],
                                   ['version', 'x', 'y'], ['--config', '/nowhere', 'drain']])
def test_no_line_is_a_mistake(folder, words):
    for count in range(len(words) + 1):
        next_words(*words[:count])
        next_words(*words[:count], current='=')
        next_words(*words[:count], current='-')


def test_an_unknown_shell_is_refused(folder):
    done = subprocess.run(['poolctl', 'completion', 'fihs'], capture_output=True, text=True)
    assert done.returncode == 2
    assert "did you mean 'fish'" in done.stderr and 'bash, fish, powershell, zsh' in done.stderr
