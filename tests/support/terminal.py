"""A terminal of a given width, as a program sees it."""

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import threading


def run_on_terminal(args, columns, env=None):
    """What a terminal of that width would have got, and the exit status."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
    process = subprocess.Popen(args, stdin=slave, stdout=slave, stderr=slave,
                               env=os.environ | {'TERM': 'xterm', 'LC_ALL': 'C.UTF-8'} |
                               (env or {}))
    os.close(slave)
    text = b''
    ready = select.poll()
    ready.register(master, select.POLLIN)
    while True:
        try:
            if not ready.poll(60000):
                break
            part = os.read(master, 65536)
        except OSError:
            break
        if not part:
            break
        text += part
    os.close(master)
    return text.decode(), process.wait(60)


class Terminal:
    """A program on a terminal while it runs: what it wrote, and what is on the screen."""

    def __init__(self, args, columns, rows=24):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
        self.process = subprocess.Popen(args, stdin=slave, stdout=slave, stderr=slave,
                                        env=os.environ | {'TERM': 'xterm', 'LC_ALL': 'C.UTF-8'})
        os.close(slave)
        self.columns, self.text = columns, ''
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        with contextlib.suppress(OSError):
            while part := os.read(self.master, 65536):
                self.text += part.decode()

    def screen(self):
        """The lines on the screen, without colours; they must have fitted its width."""
        lines, row, column = [''], 0, 0
        for order, count, text in re.findall(r'\x1b\[(?:(\d*)([A-Za-z]))|([^\x1b]+)', self.text):
            if count == 'A':
                row -= int(order)
            elif count == 'K':
                lines[row] = lines[row][:column]
            elif count == 'J':
                lines[row] = lines[row][:column]
                del lines[row + 1:]
            for part in re.findall(r'[\r\n]|[^\r\n]+', text):
                if part == '\r':
                    column = 0
                elif part == '\n':
                    row += 1
                    lines += [''] * (row + 1 - len(lines))
                else:
                    lines[row] = lines[row][:column].ljust(column) + part + \
                        lines[row][column + len(part):]
                    column += len(part)
                    assert column <= self.columns, lines[row]
        return lines

    def close(self):
        """Ends it; its exit status."""
        self.process.terminate()
        status = self.process.wait(60)
        self.reader.join(60)
        os.close(self.master)
        return status
