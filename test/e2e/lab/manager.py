# SPDX-License-Identifier: Apache-2.0
"""A swarm manager under test."""

import os
import re
import signal
import socket
import subprocess
import weakref

from . import client, descriptors, engine, host
from .host import LabError

REPOSITORY = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..', '..'))


def binary():
    """The program under test: $SWARM_BINARY, or build/swarm of this repository."""
    path = os.environ.get('SWARM_BINARY') or os.path.join(REPOSITORY, 'build', 'swarm')
    if not os.access(path, os.X_OK):
        raise LabError(f'{path} is not there: build it, or set SWARM_BINARY')
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Manager:
    """`swarm manage args... discovery` on a free port of loopback. address stays the same over
    stop() and start(). certs is the folder of a client's TLS files where args turn TLS on."""

    _started = weakref.WeakSet()

    def __init__(self, discovery, log, args=(), certs=None):
        self.certs = certs
        self.discovery = discovery
        self.log = log
        self.args = list(args)
        self.address = f'127.0.0.1:{free_port()}'
        self.process = None
        self.rest = None

    @property
    def pid(self):
        return self.process.pid

    def start(self, healthy=0, timeout=30):
        """Starts it and waits until it answers and shows that many healthy nodes."""
        self._started.add(self)
        argv = [binary(), 'manage', '-H', f'tcp://{self.address}', *self.args, self.discovery]
        with open(self.log, 'ab') as output:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=output)
        try:
            self._wait(lambda: engine.answers(self.address, certs=self.certs), timeout, 'the manager answers')
            self.wait_healthy(healthy, timeout)
            self.rest = descriptors.Rest(self.pid, self.state)
        except BaseException:
            self.stop()
            raise

    def wait_healthy(self, count, timeout=30):
        """Waits until at least count nodes are healthy."""
        self._wait(lambda: len(self.statuses('Healthy')) >= count, timeout,
                   f'{count} nodes are healthy')

    def state(self):
        """(its fibers, a line each; how many idle connections it keeps), as it says itself."""
        with open(self.log, errors='replace') as log:
            log.seek(0, os.SEEK_END)
            self.process.send_signal(signal.SIGUSR1)
            said = ''

            def told():
                nonlocal said
                said += log.read()
                return re.search(r'idle connections".*count"?[=:](\d+)', said)

            idle = self._wait(told, 20, 'it logs its idle connections', 0.005)
        return [line for line in said.splitlines() if 'fiber' in line], int(idle[1])

    def check_descriptors(self, timeout=40):
        """LabError unless it comes to rest: see descriptors.Rest. Nothing where it does not run."""
        left = []

        def at_rest():
            known = [one.local for other in self._started if other.is_running()
                     for one in descriptors.Open(other.pid).out]
            left[:] = self.rest.beyond(known)
            return not left

        if not self.is_running() or not self.rest:
            return
        try:
            host.wait_until(at_rest, timeout, 'it has no more open than may be')
        except LabError as error:
            raise LabError('\n  '.join([f'the manager at {self.address}: {error}', *left])) \
                from None

    def statuses(self, wanted=None):
        """The status of every node in /info, or those that equal wanted."""
        try:
            rows = engine.get(self.address, '/info', certs=self.certs).get('SystemStatus') or []
        except (OSError, ValueError):
            return []
        found = [value for name, value in rows if name.strip(' └') == 'Status']
        return [status for status in found if wanted in (None, status)]

    def _wait(self, condition, timeout, what, poll=0.05):
        def reached():
            if self.process.poll() is not None:
                raise LabError(f'the manager ended with {self.process.returncode}')
            return condition()

        try:
            return host.wait_until(reached, timeout, what, poll)
        except LabError as error:
            raise LabError(f"{error}\n  the end of the manager's log:\n"
                           f'{host.tail(self.log)}') from None

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, timeout=15):
        """Ends it as a service manager would; returns its exit code. LabError when it had to be
        killed."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise LabError(f'the manager did not end within {timeout} s of SIGTERM\n'
                           f'{host.tail(self.log)}') from None

    def finish(self):
        """Ends it where a test is done with it, and nobody may have left anything open. Returns its
        exit code."""
        try:
            self.check_descriptors()
        finally:
            code = self.stop()
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()

    def docker(self, *args, **options):
        """Runs the Docker command line through this manager: see client.docker."""
        return client.docker(self.address, *args, **{'certs': self.certs, **options})

    def api(self, method, path, body=None, timeout=30):
        """Asks the manager. Returns (status, body as bytes)."""
        return engine.request(self.address, method, path, body, timeout, self.certs)

    def logged(self, pattern):
        """The lines of its log that match a regular expression."""
        with open(self.log, errors='replace') as log:
            return [line for line in log.read().splitlines() if re.search(pattern, line)]
