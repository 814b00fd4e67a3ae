"""Fills the man pages: what the programs know comes from the programs.

    fill.py POOLCTL POOLD FOLDER

Writes each page beside this file into FOLDER.  A line `.\\" @WORD ARGUMENT` of a page is
replaced:

    @commands PROGRAM   its commands, with their options and examples
    @options PROGRAM    the options of every command
    @keys FILE          the keys of pool.yaml or poold.yaml
    @exits PAGE         the table of exit codes in a page of docs/
"""

import itertools
import json
import pathlib
import re
import subprocess
import sys
import textwrap

HERE = pathlib.Path(__file__).resolve().parent


def text(words):
    """Lines of prose: a sentence begins a line, and no line begins a macro."""
    words = re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', words).replace('`', '').replace('**', '')
    words = re.sub(r'\s+', ' ', words).strip().replace('\\', r'\e')
    words = re.sub(r'(?<=[a-z0-9)"\'\]][.!?]) (?=[A-Z])', '\n', words)
    return re.sub(r"^(?=[.'])", r'\\&', words, flags=re.M)


def sentence(words):
    """It begins with a capital, unless its first word is a value: "true: ..."."""
    begin = words if re.match(r'\w+:', words) else words[:1].upper() + words[1:]
    return text(begin.rstrip('.') + '.')


def wrapped(lines):
    """Prose, in lines that a terminal shows; displays and macros stay as they are."""
    is_literal = False
    for line in lines:
        is_literal = line.startswith('.Bd') or (is_literal and line != '.Ed')
        if is_literal or line.startswith('.') or len(line) < 80:
            yield line
        else:
            for part in textwrap.wrap(line, 78, break_long_words=False, break_on_hyphens=False):
                yield re.sub(r"^(?=[.'])", r'\\&', part)


def literal(words):
    return words.replace('\\', r'\e').replace('-', r'\-')


def display(lines):
    return ['.Bd -literal -offset indent', *map(literal, lines), '.Ed']


def arguments(args):
    """SERVER..., [FILE] [NAME] as mdoc."""
    words = []
    for word in args.split():
        if word.startswith('['):
            words += ['Oo', 'Ar', word.strip('[]'), 'Oc']
        else:
            words += ['Ar', word]
    return ' '.join(words)


def options(listed):
    if not listed:
        return []
    lines = ['.Bl -tag -width Ds']
    for option in listed:
        value = f' Ar {option["value"]}' if option['value'] else ''
        lines += [f'.It Fl -{option["option"]}{value}', sentence(option['help'])]
    return [*lines, '.El']


class Pages:
    def __init__(self, poolctl, poold):
        self.programs = {'poolctl': poolctl, 'poold': poold}

    def ask(self, program, *args):
        done = subprocess.run([self.programs[program], *args, '-o', 'json'], check=True,
                              stdout=subprocess.PIPE)
        return json.loads(done.stdout)

    def commands(self, program):
        lines = ['.Bl -tag -width Ds']
        for command in self.ask(program, 'help')['commands']:
            lines += [f'.It Cm {command["command"]} {arguments(command["arguments"])}'.rstrip(),
                      sentence(command['about'] or command['help']), *options(command['options'])]
            if command['examples']:
                lines += ['.Pp', 'Examples:', *display(
                    f'{program} {line}' for line in command['examples'].splitlines())]
        return [*lines, '.El']

    def options(self, program):
        return options(self.ask(program, 'help')['options'])

    def keys(self, file):
        """Each section once, where it stands first."""
        rows = self.ask('poolctl', 'config', 'reference')
        start = next(i for i, row in enumerate(rows) if row['section'] == file)
        lines, seen = [], set()
        for (section, path), keys in itertools.groupby(
                rows[start:], lambda row: (row['section'], row['path'])):
            if section.endswith('.yaml') and section != file:
                break
            if section in seen:
                continue
            seen.add(section)
            lines += [f'.Ss {path or "The file"}'.replace('[]', ', each'), '.Bl -tag -width Ds']
            for key in keys:
                lines += self.key(key)
            lines += ['.El']
        return lines

    @staticmethod
    def key(key):
        limits = {'choice': f'one of {key["range"]}', 'flag': ''}.get(key['type'], key['range'])
        about = ', '.join(filter(None, [
            key['type'], key['required'] and 'required',
            key['default'] and f'default {key["default"]}', limits]))
        example = display([f'{key["key"]}: {key["example"]}']) if key['example'] else []
        return [f'.It Cm {key["key"]}', sentence(about), sentence(key['help']), *example]

    def exits(self, page):
        table = (HERE.parent / page).read_text(encoding='utf-8').split('| exit | meaning |')[1]
        lines = ['.Bl -tag -width Ds']
        for status, meaning in re.findall(r'^\| (\d+) \| (.*) \|$', table.split('\n\n')[0], re.M):
            lines += [f'.It {status}', sentence(meaning)]
        return [*lines, '.El']

    def fill(self, page):
        lines = []
        for line in page.read_text(encoding='utf-8').splitlines():
            wish = re.fullmatch(r'\.\\" @(\w+) (\S+)', line)
            lines += getattr(self, wish[1])(wish[2]) if wish else [line]
        return '\n'.join(wrapped('\n'.join(lines).split('\n'))) + '\n'


def main(poolctl, poold, folder):
    pages = Pages(pathlib.Path(poolctl).resolve(), pathlib.Path(poold).resolve())
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for page in sorted(HERE.glob('*.[1-8]')):
        (folder / page.name).write_text(pages.fill(page), encoding='utf-8')


if __name__ == '__main__':
    main(*sys.argv[1:])
