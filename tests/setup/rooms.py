"""Checks that includes point one way: between rooms, and between the files of a room.

    rooms.py          prints what breaks the rule; fails if anything does
    rooms.py --table  prints the table for docs/internals.md

A room may include its own headers and those of the rooms it names, and of what these may
include.  No file may include another that leads back to it.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Room, what it is for, and the rooms right below it.
ROOMS = [
    ('common', 'errors, memory, clocks, the words of the API', []),
    ('common/text', 'text that is safe to show, JSON that is read', ['common']),
    ('common/system', 'what differs between Linux and Windows; the log', ['common']),
    ('pool-config', 'pool.yaml, poold.yaml, profiles', ['common/text', 'common/system']),
    ('ctl/terminal', 'lines for people, cleaned; colours, size, Ctrl-C', ['pool-config']),
    ('ctl/line', 'the command line, and what it means', ['pool-config']),
    ('ctl/tls', 'which server is trusted', ['pool-config']),
    ('ctl/access', 'the token that a server is asked with', ['pool-config']),
    ('ctl/api', 'requests to poold, and its replies as structs',
     ['ctl/line', 'ctl/tls', 'ctl/access']),
    ('ctl/dns', 'what DNS says of a pool', ['ctl/line']),
    ('ctl/gates', 'whether a pool can spare a server', ['ctl/api', 'ctl/dns']),
    ('ctl/operation', 'drain, resume and wait, as a table of steps', ['ctl/gates']),
    ('ctl/show', 'what is printed: tables, JSON, progress', ['ctl/operation', 'ctl/terminal']),
    ('ctl/commands', 'one file a command', ['ctl/show']),
    ('ctl/config', 'the commands about pool.yaml', ['ctl/commands']),
    ('ctl', 'the program', ['ctl/config']),
    ('daemon/store', 'what must survive: SQLite, the record', ['pool-config']),
    ('daemon/drains', 'drains and reservations', ['daemon/store']),
    ('daemon/sources', 'ways to count sessions', ['pool-config']),
    ('daemon/forecast', 'how long a drain takes', ['pool-config']),
    ('daemon/sessions', 'counting, settling, who is connected',
     ['daemon/sources', 'daemon/forecast', 'daemon/store']),
    ('daemon/scm', 'the Service Control Manager: of Windows, and simulated', ['pool-config']),
    ('daemon/services', 'one service: decide, act, restore',
     ['daemon/sessions', 'daemon/drains', 'daemon/scm']),
    ('daemon/tls', 'the certificate of this server, and the clients that have one',
     ['pool-config']),
    ('daemon/access', 'who may ask: tokens, roles, failed attempts', ['pool-config']),
    ('daemon/http', 'the API', ['daemon/services', 'daemon/tls', 'daemon/access']),
    ('daemon', 'the supervisor, and the program', ['daemon/http']),
]

BELOW = {}
for name, _, direct in ROOMS:
    BELOW[name] = set(direct).union(*(BELOW[room] for room in direct))
INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)
PLATFORM = re.compile(r'_(windows|unix|linux)$')


def find(path, name):
    """The file that an include in `path` means."""
    top = path.parts[0]
    for folder in [top, 'common', 'pool-config', 'daemon', 'ctl']:
        if (ROOT / folder / name).exists():
            return pathlib.PurePath(folder) / name
    return None  # made while building


def unit(path):
    """A .c and its .h are one, and so are the files of the platforms."""
    return path.parent / PLATFORM.sub('', path.stem).removesuffix('_private')


def read():
    for folder in 'common', 'pool-config', 'ctl', 'daemon':
        for file in sorted((ROOT / folder).rglob('*.[ch]')):
            path = pathlib.PurePath(file.relative_to(ROOT))
            for name in INCLUDE.findall(file.read_text(encoding='utf-8')):
                if found := find(path, name):
                    yield path, found


def upwards():
    for path, found in read():
        here, there = str(path.parent), str(found.parent)
        if here not in BELOW:
            yield f'{path}: {here} is no room; see tests/setup/rooms.py'
        elif here != there and there not in BELOW[here]:
            yield f'{path} includes {found}: {here} may not use {there}'


def circles():
    edges = {}
    for path, found in read():
        if unit(path) != unit(found):
            edges.setdefault(unit(path), set()).add(unit(found))
    state, way = {}, []

    def visit(node):
        state[node] = 'open'
        way.append(node)
        for other in sorted(edges.get(node, ())):
            if state.get(other) == 'open':
                yield 'circle: ' + ' -> '.join(map(str, way[way.index(other):] + [other]))
            elif other not in state:
                yield from visit(other)
        way.pop()
        state[node] = 'done'

    for node in sorted(edges):
        if node not in state:
            yield from visit(node)


def crowded(most=25):
    for folder in [*ROOT.iterdir(), *ROOT.glob('*/**')]:
        if folder.is_dir() and folder.relative_to(ROOT).parts[:1] not in [(), ('build',)] \
                and not str(folder.relative_to(ROOT)).startswith(('.git', 'build')):
            count = sum(file.is_file() for file in folder.iterdir())
            if count > most:
                yield f'{folder.relative_to(ROOT)} has {count} files; {most} are the most'


def table():
    rows = [f'| `{name}/` | {purpose} | {", ".join(f"`{room}/`" for room in direct)} |'
            for name, purpose, direct in reversed(ROOMS)]
    return '\n'.join(['| room | what it is for | uses |', '|---|---|---|', *rows, ''])


def stale():
    if table() not in (ROOT / 'docs/internals.md').read_text(encoding='utf-8'):
        yield 'docs/internals.md has another table of rooms: copy that of rooms.py --table'


if __name__ == '__main__':
    if sys.argv[1:] == ['--table']:
        print(table(), end='')
    else:
        mistakes = [*upwards(), *circles(), *crowded(), *stale()]
        print(*mistakes, sep='\n', end='\n' if mistakes else '')
        sys.exit(bool(mistakes))
