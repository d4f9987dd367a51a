#!/usr/bin/env python3
"""`queuepulse top` on a real (pseudo) terminal: it draws, follows keys, says that the connection is
lost, comes back, and leaves the terminal as it was, however it ends.

    .ci/terminal.py QUEUEPULSE-BINARY
"""

import fcntl
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
import urllib.request

import pyte

BINARY = os.path.abspath(sys.argv[1])
ENTER, LEAVE, CURSOR = b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?25h"


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def until(is_so, what, within=30):
    end = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < end, f"{what}: not within {within} s"
        time.sleep(0.05)


def demo(port):
    child = subprocess.Popen([BINARY, "demo", "--listen", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ready():
        assert child.poll() is None, "the demo has ended"
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1).status == 200
        except OSError:
            return False

    until(ready, "the demo", 60)
    return child


class Terminal:
    """One run of top on a terminal of 80 by 24."""

    def __init__(self, *arguments, **environment):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.seen = b""
        self.screen = pyte.Screen(80, 24)
        self.stream = pyte.ByteStream(self.screen)
        self.child = subprocess.Popen([BINARY, "top", *arguments], stdin=self.slave, stdout=self.slave, stderr=self.slave,
                                      env={**os.environ, "TERM": "xterm-256color", **environment}, start_new_session=True)

    def read(self):
        while select.select([self.master], [], [], 0)[0]:
            some = os.read(self.master, 65536)
            self.seen += some
            self.stream.feed(some)
        return self.seen

    def text(self):
        """What stands on the screen."""
        self.read()
        return "\n".join(self.screen.display)

    def waits_for(self, words, within=15):
        try:
            until(lambda: words in self.text(), words, within)
        except AssertionError:
            print(self.text())
            raise

    def type(self, keys):
        os.write(self.master, keys)

    def ends(self, status, what):
        until(lambda: (self.read(), self.child.poll())[1] is not None, what, 5)
        self.read()
        assert self.child.returncode == status, f"{what}: status {self.child.returncode}: {self.text()[-300:]}"
        assert self.seen.rfind(LEAVE) > self.seen.rfind(ENTER) >= 0, f"{what}: still on the other screen"
        assert CURSOR in self.seen, f"{what}: no cursor"
        assert termios.tcgetattr(self.slave) == self.before, f"{what}: still raw"
        os.close(self.master)
        os.close(self.slave)
        print(f"restored after {what}")


def colours(terminal):
    cells = (cell for line in terminal.screen.buffer.values() for cell in line.values())
    return {cell.fg for cell in cells} - {"default"}


def main():
    port = free_port()
    url = f"127.0.0.1:{port}"
    engine = demo(port)
    try:
        terminal = Terminal("--url", url)
        terminal.waits_for("18 of 18 queues")
        terminal.waits_for("live, ")
        assert colours(terminal), "no colour"
        terminal.type(b"s")
        terminal.waits_for("s sort: name")
        terminal.type(b"/acme\r")
        terminal.waits_for("6 of 18 queues")
        os.kill(engine.pid, signal.SIGKILL)
        engine.wait()
        terminal.waits_for("Connection lost since")
        engine = demo(port)
        terminal.waits_for("live, ")
        terminal.waits_for("s sort: name")
        print(terminal.text())
        terminal.type(b"q")
        terminal.ends(0, "q")

        for what, end in [
            ("Ctrl-C", lambda terminal: terminal.type(b"\x03")),
            ("Escape", lambda terminal: terminal.type(b"\x1b")),
            ("SIGTERM", lambda terminal: terminal.child.send_signal(signal.SIGTERM)),
            ("SIGHUP", lambda terminal: terminal.child.send_signal(signal.SIGHUP)),
            ("SIGQUIT", lambda terminal: terminal.child.send_signal(signal.SIGQUIT)),
        ]:
            terminal = Terminal("--url", url, NO_COLOR="1")
            terminal.waits_for("18 of 18 queues")
            end(terminal)
            assert not colours(terminal), "colours with NO_COLOR"
            terminal.ends(0, what)
        terminal = Terminal("--url", f"127.0.0.1:{free_port()}")
        terminal.waits_for("no connection")
        terminal.waits_for("Cannot reach")
        terminal.type(b"q")
        terminal.ends(0, "q while nobody answers")
        terminal = Terminal("--url", f"ann:secret@{url}", "--window", "99m")
        terminal.waits_for('window "99m" is not configured; there are')
        assert "secret" not in terminal.text(), terminal.text()
        terminal.type(b"q")
        terminal.ends(0, "q where a window is not there")
    finally:
        engine.kill()
        engine.wait()


main()
