# SPDX-License-Identifier: Apache-2.0
"""A command line that runs while the test goes on: on a pseudo-terminal, or on pipes."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from lab import LabError, client


class Background:
    """`docker args...` on pipes. Its output is read by expect(), wait() or rest(); what nobody
    reads stays in the pipe, so that a reader can stall."""

    def __init__(self, address, cli, args, stdin=subprocess.PIPE, stderr=subprocess.STDOUT,
                 env=None):
        self.argv = [cli, *map(str, args)]
        self.label = f'{" ".join(self.argv)} (at {address})'
        self.output = b''
        self.process = subprocess.Popen(self.argv, stdin=stdin, stdout=subprocess.PIPE,
                                        stderr=stderr, env=client.environment(address, env))
        self._source = self.process.stdout.fileno()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._close()

    def _close(self):
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass

    @property
    def text(self):
        return self.output.decode(errors='replace')

    def send(self, data):
        self.process.stdin.write(data.encode() if isinstance(data, str) else data)
        self.process.stdin.flush()

    def end_input(self):
        self.process.stdin.close()

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def end_by(self, number, times):
        """Sends a signal until it ends, so often at most; returns the exit code. Current command
        lines that hand no signal on go at the third."""
        for _ in range(times - 1):
            self.signal(number)
            try:
                return self.wait(3)
            except LabError:
                continue
        self.signal(number)
        return self.wait()

    def _read(self, timeout):
        """What is there within timeout; None after it, b'' at the end."""
        if not select.select([self._source], [], [], timeout)[0]:
            return None
        try:
            return os.read(self._source, 65536)
        except OSError:
            # A pseudo-terminal whose other end is closed.
            return b''

    def expect(self, pattern, timeout=30):
        """Reads until the output matches the regular expression; returns the match."""
        deadline = time.monotonic() + timeout
        while True:
            match = re.search(pattern, self.text, re.M)
            if match:
                return match
            data = self._read(max(0, deadline - time.monotonic()))
            if not data:
                why = 'ended' if data == b'' else f'not within {timeout:g} s'
                raise LabError(f'{self.label}: {why}: {pattern!r}\n  in {self.text!r}')
            self.output += data

    def wait(self, timeout=30):
        """Reads to the end and returns the exit code."""
        deadline = time.monotonic() + timeout
        while True:
            data = self._read(max(0, deadline - time.monotonic()))
            if data is None:
                raise LabError(f'{self.label}: no end within {timeout:g} s\n'
                               f'  it said {self.text[-2000:]!r}')
            if not data:
                break
            self.output += data
        try:
            return self.process.wait(max(1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise LabError(f'{self.label}: closed its output and goes on') from None


class Terminal(Background):
    """`docker args...` on a pseudo-terminal of its own, with so many rows and columns."""

    def __init__(self, address, cli, args, rows=24, columns=80, env=None):
        self.argv = [cli, *map(str, args)]
        self.label = f'{" ".join(self.argv)} (at {address})'
        self.output = b''
        self._source, inner = pty.openpty()
        self.size(rows, columns)

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        try:
            self.process = subprocess.Popen(
                self.argv, stdin=inner, stdout=inner, stderr=inner, preexec_fn=own_terminal,
                env=client.environment(address, {'TERM': 'xterm', **(env or {})}))
        finally:
            os.close(inner)

    def _close(self):
        os.close(self._source)

    def send(self, data):
        os.write(self._source, data.encode() if isinstance(data, str) else data)

    def press_until_end(self, keys, timeout=30):
        """Presses keys one by one, again and again until the command ends; returns its exit code.
        An engine knows its detach keys only where each comes alone, and nothing tells when one
        has come."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for key in keys:
                self.send(key)
                try:
                    return self.wait(0.2)
                except LabError:
                    continue
        raise LabError(f'{self.label}: {keys!r} does not end it\n  in {self.text!r}')

    def size(self, rows, columns):
        """Changes the window; the command is told by SIGWINCH."""
        fcntl.ioctl(self._source, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

    def size_until(self, rows, columns, pattern, timeout=30):
        """Changes the window, and tells of it until the output matches: a command line heeds
        SIGWINCH only some time after it has set the first size."""
        deadline = time.monotonic() + timeout
        self.size(rows, columns)
        while True:
            try:
                return self.expect(pattern, timeout=1)
            except LabError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
            self.signal(signal.SIGWINCH)
