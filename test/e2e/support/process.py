# SPDX-License-Identifier: Apache-2.0
"""A swarm command that runs beside a test: a join, a token service, a manager."""

import contextlib
import os
import re
import signal
import subprocess

from lab import LabError, Manager, host, wait_until
from lab.manager import binary


class Process:
    """`swarm args...`, on this machine or on a node of the lab (node=). Its output is in log; a
    `with` ends it."""

    def __init__(self, log, *args, node=None, **variables):
        argv = [os.path.realpath(binary()), *map(str, args)]
        if node is not None:
            # Without its process namespace nsenter becomes the command, and can be signalled.
            argv = host.inside(node.init(), *argv, kinds=('net', 'uts', 'mount'))
        clean = {name: value for name, value in os.environ.items()
                 if not name.startswith('SWARM_')}
        self.log = str(log)
        with open(self.log, 'ab') as output:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=output, env={**clean, **variables})

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if error[0] is not None:
            print(self.log, host.tail(self.log), sep='\n')
        if self.process.poll() is None:
            self.kill()

    @property
    def text(self):
        with open(self.log, errors='replace') as log:
            return log.read()

    def expect(self, pattern, timeout=30):
        """Waits until it has said that (a regular expression); returns the match."""
        def said():
            found = re.search(pattern, self.text)
            if not found and self.process.poll() is not None:
                raise LabError(f'it ended with {self.process.returncode}:\n{self.text}')
            return found

        return wait_until(said, timeout, f'the process says {pattern!r}')

    def stop(self, number=signal.SIGTERM, timeout=15):
        """Ends it as a service manager would; returns its exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout)

    def kill(self):
        self.process.kill()
        self.process.wait()


def swarm(*args, timeout=30, **variables):
    """Runs `swarm args...` to its end; what it printed, once it has succeeded."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith('SWARM_')}
    done = subprocess.run([binary(), *map(str, args)], env={**clean, **variables}, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout)
    if done.returncode:
        raise LabError(f'swarm {args}: {done.returncode}\n{done.stdout}{done.stderr}')
    return done.stdout


@contextlib.contextmanager
def running(discovery, log, args, certs, healthy=0):
    """A manager for the length of a `with`, which has nothing open at its end and stops well."""
    manager = Manager(discovery, str(log), ['--debug', *args], certs=certs)
    manager.start(healthy=healthy)
    try:
        yield manager
        manager.check_descriptors()
    finally:
        assert manager.stop() == 0, manager.logged('level=(error|fatal)')
