"""Runs the demo on a terminal and writes what it shows as an animated SVG.

    record_svg.py FILE    make picture writes docs/demo.svg with it

The text is that of a real run; only the pauses are changed, so that they can be followed.  A
viewer that does not animate shows the last screen.
"""

import bisect
import contextlib
import html
import itertools
import os
import pathlib
import re
import sys
import tempfile
import time

import demo  # finds tests/support, too
from terminal import Terminal

# Wide enough for the progress bar, high enough for the whole drain.
COLUMNS, ROWS = 100, 24
COLUMN_PX, ROW_PX, FONT_PX, MARGIN_PX = 8.4, 19, 14, 14
COLORS = {'': '', '0': '', '31': 'r', '32': 'g', '33': 'y'}
STEP_S, COMMAND_S, LEAST_S, MOST_S, END_S = 2.5, 0.8, 0.2, 0.8, 6
LIMIT_BYTES = 60000
STYLE = '''
text{font:%dpx ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#d8dee9}
.c{fill:#8b98ad}.b{fill:#fff;font-weight:bold}.r{fill:#ff7b72}.g{fill:#7ee787}.y{fill:#f2cc60}
.o{opacity:0}g{animation:%.1fs step-end infinite}
@media(prefers-reduced-motion:reduce){g{animation:none!important}}
'''
# A step of the demo, a command, and a line that is drawn again begin a new picture.
PIECES = re.compile(rb'(?=\r\n# )|(?<=\n)(\$ [^\n]*\n)|(?=\r\x1b\[\d+A)')


class Recorder(Terminal):
    """Keeps what the program writes, and where each part of it ended, and when."""

    def read(self):
        self.output, self.reads = b'', []
        with contextlib.suppress(OSError):  # the program has ended
            while part := os.read(self.master, 65536):
                self.output += part
                self.reads.append((len(self.output), time.monotonic()))


def record():
    recorder = Recorder([sys.executable, __file__], COLUMNS, ROWS)
    recorder.reader.join()
    if status := recorder.process.wait():
        sys.exit(f'the demo ended with {status}:\n{recorder.output.decode()}')
    return recorder.output, recorder.reads


class Screen:
    """A terminal that only grows.  A row is a list of characters with their colours."""

    def __init__(self):
        self.rows, self.row, self.column, self.color = [[]], 0, 0, ''

    def write(self, text):
        for number, order, character in re.findall(r'\x1b\[(\d*)(.)|([^\x1b])', text):
            if order == 'A':
                self.row -= int(number)
            elif order == 'm':
                self.color = COLORS[number]
            elif order in ('J', 'K'):
                del self.rows[self.row][self.column:]
                del self.rows[self.row + 1:len(self.rows) if order == 'J' else 0]
            elif order:
                sys.exit(f'unknown escape sequence: {number}{order}')
            elif character == '\r':
                self.column = 0
            else:
                self.put(character)

    def put(self, character):
        if character == '\n' or self.column == COLUMNS:
            self.row, self.column = self.row + 1, 0
        while self.row >= len(self.rows):
            self.rows.append([])
        if character != '\n':
            row = self.rows[self.row]
            row += [(' ', '')] * (self.column + 1 - len(row))
            row[self.column] = character, self.color
            self.column += 1

    def picture(self):
        """Of each row what has one colour: column, class, text."""
        rows = [tuple(runs(row)) for row in self.rows]
        while rows and not rows[-1]:
            rows.pop()
        return rows


def runs(row):
    plain = ''.join(character for character, _ in row)
    usual = {'# ': 'c', '$ ': 'b'}.get(plain[:2], '')
    end = 0
    for color, cells in itertools.groupby(row, lambda cell: cell[1]):
        begin, end = end, end + sum(1 for _ in cells)
        # Not all viewers keep several spaces.
        for words in re.finditer(r'\S+( \S+)*', plain[begin:end]):
            yield begin + words.start(), color or usual, words.group()


def pictures(output, reads):
    """What is on the screen, and for how long, one after the other."""
    screen, at, before = Screen(), 0, None
    for piece in filter(None, PIECES.split(output)):
        now = reads[bisect.bisect_right(reads, (at, float('inf')))][1]
        if before:
            yield screen.picture(), (STEP_S if piece.lstrip().startswith(b'# ') else
                                     COMMAND_S if piece.startswith(b'$ ') else
                                     max(LEAST_S, min(now - before, MOST_S)))
        at, before = at + len(piece), now
        screen.write(piece.decode())
    yield screen.picture(), END_S


def spans(shown):
    """Each text that stays in a row: the row, its runs, its first picture, that after its last."""
    for row in range(max(map(len, shown))):
        end = 0
        for texts, same in itertools.groupby(
                picture[row] if row < len(picture) else () for picture in shown):
            begin, end = end, end + sum(1 for _ in same)
            if texts:
                yield row, texts, begin, end


def draw(shown, pauses):
    """The texts that come and go together are a group; all of them move up when it is full."""
    at = [100 * sum(pauses[:i]) / sum(pauses) for i in range(len(pauses))]
    style, body, groups = STYLE % (FONT_PX, sum(pauses)), '', {}
    for row, texts, *life in spans(shown):
        groups.setdefault(tuple(life), []).extend((row, *text) for text in texts)
    for i, ((begin, end), texts) in enumerate(groups.items()):
        style += (f'@keyframes k{i}{{{"0%{opacity:0}" if begin else ""}'
                  f'{at[begin]:.2f}%{{opacity:1}}')
        style += f'{at[end]:.2f}%{{opacity:0}}}}\n' if end < len(shown) else '}\n'
        hidden = ' class="o"' if end < len(shown) else ''
        body += f'<g{hidden} style="animation-name:k{i}">\n'
        for row, column, mark, text in texts:
            body += (f'<text class="{mark}" x="{column * COLUMN_PX:.1f}" '
                     f'y="{row * ROW_PX + FONT_PX}" textLength="{len(text) * COLUMN_PX:.1f}" '
                     f'lengthAdjust="spacingAndGlyphs">{html.escape(text)}</text>\n')
        body += '</g>\n'
    up = [f'transform:translateY(-{max(0, len(rows) - ROWS) * ROW_PX}px)' for rows in shown]
    style += '@keyframes up{' + ''.join(f'{at[i]:.2f}%{{{up[i]}}}' for i in range(len(shown))
                                        if not i or up[i] != up[i - 1]) + '}\n'
    width, height = round(COLUMNS * COLUMN_PX), ROWS * ROW_PX
    size = f'width="{width + 2 * MARGIN_PX}" height="{height + 2 * MARGIN_PX}"'
    return (f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
            f'<style>{style}</style>\n<rect {size} rx="8" fill="#1b2230"/>\n'
            f'<svg x="{MARGIN_PX}" y="{MARGIN_PX}" width="{width}" height="{height}">\n'
            f'<g style="animation-name:up;{up[-1]}">\n{body}</g></svg></svg>\n')


def main(path):
    picture = draw(*zip(*pictures(*record()))).encode()
    if len(picture) > LIMIT_BYTES:
        sys.exit(f'the picture has {len(picture)} bytes, and may have {LIMIT_BYTES}')
    pathlib.Path(path).write_bytes(picture)


def tell():
    """The demo without its last words: what a process of its own runs on the terminal."""
    with tempfile.TemporaryDirectory(prefix='poolctl-demo-') as folder:
        with demo.SimulatedPool(folder, 3).start() as pool:
            return demo.tell(pool)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]) if len(sys.argv) > 1 else tell())
