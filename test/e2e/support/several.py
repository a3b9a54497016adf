# SPDX-License-Identifier: Apache-2.0
"""Several managers over one store, of which one is the primary."""

import os
import signal
import subprocess

from lab import Manager, engine, wait_until
from lab.manager import binary


def info_rows(manager):
    """What the manager says of itself: {'Role': 'replica', 'Primary': ...}; {} without an answer."""
    try:
        rows = engine.get(manager.address, '/info', certs=manager.certs, timeout=5)
    except (OSError, ValueError):
        return {}
    return {name: value for name, value in rows.get('SystemStatus') or []
            if not name.startswith(' ')}


class Several:
    """Managers that elect a primary, and a `swarm join` for each node of the lab."""

    def __init__(self, store, directory, count=2, ttl='5s', nodes=(), args=(), certs=None):
        self.directory = str(directory)
        self.uri = store.uri('chaos')
        self.nodes = list(nodes)
        self.joins = []
        self.all = []
        for number in range(count):
            made = Manager(self.uri, self._path(f'manager-{number}.log'), certs=certs)
            made.args = ['--replication', '--replication-ttl', ttl, '--advertise', made.address,
                         *args]
            self.all.append(made)

    def _path(self, name):
        return os.path.join(self.directory, name)

    def __enter__(self):
        try:
            for node in self.nodes:
                with open(self._path('join.log'), 'ab') as log:
                    self.joins.append(subprocess.Popen(
                        [binary(), 'join', '--advertise', node, '--ttl', '180s', self.uri],
                        stdin=subprocess.DEVNULL, stdout=log, stderr=log))
            for manager in self.all:
                manager.start(healthy=len(self.nodes), timeout=60)
            self.primary()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, failed=None, *_):
        try:
            if not failed:
                for manager in self.living():
                    manager.process.send_signal(signal.SIGCONT)
                    manager.check_descriptors()
        finally:
            self._end()

    def _end(self):
        for manager in self.all:
            if manager.is_running():
                manager.process.send_signal(signal.SIGCONT)
                manager.kill()
        for join in self.joins:
            join.kill()
            join.wait()

    def living(self):
        return [manager for manager in self.all if manager.is_running()]

    def primary(self, timeout=60, among=None):
        """Waits until one of them (of all that run) is the primary, and all the others say so."""
        def agreed():
            asked = self.living() if among is None else among
            rows = [info_rows(manager) for manager in asked]
            leading = [manager for manager, row in zip(asked, rows)
                       if row.get('Role') == 'primary']
            if len(leading) != 1:
                return None
            named = {row.get('Primary') for row in rows if row.get('Role') == 'replica'}
            return leading[0] if named <= {leading[0].address} else None

        return wait_until(agreed, timeout, 'one manager is the primary, and all know it', poll=0.1)

    def replicas(self):
        primary = self.primary()
        return [manager for manager in self.living() if manager is not primary]
