"""A terminal of a given width, as a program sees it."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios


def run_on_terminal(args, columns, env=None):
    """What a terminal of that width would have got, and the exit status."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
    process = subprocess.Popen(args, stdin=slave, stdout=slave, stderr=slave,
                               env=os.environ | {'TERM': 'xterm', 'LC_ALL': 'C.UTF-8'} |
                               (env or {}))
    os.close(slave)
    text = b''
    while True:
        try:
            if not select.select([master], [], [], 60)[0]:
                break
            part = os.read(master, 65536)
        except OSError:
            break
        if not part:
            break
        text += part
    os.close(master)
    return text.decode(), process.wait(60)
