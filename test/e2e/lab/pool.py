# SPDX-License-Identifier: Apache-2.0
"""The lab as a whole: up, down, and what its nodes share."""

import concurrent.futures
import json
import os
import re
import shutil
import signal
import time

from . import client, engine, host, image, network, registry
from .host import LabError
from .node import Node

TOOLS = ['dockerd', 'docker-init', 'containerd', 'busybox', 'ip', 'ss', 'iptables', 'nsenter',
         'unshare', 'setpriv', 'setsid', 'hostname']
MAKE_CERTS = os.path.join(os.path.dirname(__file__), '..', '..', '..', 'tools', 'make-certs')
# A node's own mounts hide what this machine has there.
HIDDEN = ['/run', '/opt']


def default_labels(index):
    """Labels that differ between nodes: disks alternate, and two nodes share a rack."""
    return {'storage': 'disk' if index % 2 == 0 else 'ssd', 'rack': 'ab'[(index - 1) // 2 % 2]}


def remove_cgroups(name):
    """Removes what a lab's containers left of the control groups, deepest first."""
    base = '/sys/fs/cgroup'
    for parent in [base] + [os.path.join(base, entry) for entry in os.listdir(base)]:
        for directory, _, _ in os.walk(os.path.join(parent, name), topdown=False):
            def removed(path=directory):
                try:
                    os.rmdir(path)
                except FileNotFoundError:
                    pass
                except OSError:
                    return False
                return True
            host.wait_until(removed, 10, f'the control group {directory} is empty')


class Lab:
    """A lab has a name, by which it is found again from another process, and which names its link
    (so it is short). say is called with each line of progress."""

    def __init__(self, name='swarm-lab', say=None, root='/var/tmp'):
        if not re.fullmatch(r'[a-z][a-z0-9-]{1,14}', name):
            raise LabError(f'{name}: a lab is named by 2 to 15 of a-z, 0-9 and -, a letter first')
        self.name = name
        self.say = say or (lambda line: None)
        self.state = os.path.join(root, name)
        self.prefix = None
        self.nodes = []
        self.engine_args = []
        self.registry = None
        self._private_registry = None
        self._load()

    def path(self, name):
        """A file of the lab's state directory, which `down` removes."""
        return os.path.join(self.state, name)

    @property
    def addresses(self):
        return [node.address for node in self.nodes]

    @property
    def certs(self):
        """The folder of a client's TLS files; None where the engines speak plain HTTP."""
        path = self.path('certs/client')
        return path if os.path.isdir(path) else None

    @property
    def image_archive(self):
        """The busybox image as an archive that `docker load` takes."""
        return self.path('busybox.tar')

    def node(self, index):
        """node-<index>, counted from 1."""
        if not 1 <= index <= len(self.nodes):
            raise LabError(f'lab {self.name} has no node {index}: it has {len(self.nodes)}')
        return self.nodes[index - 1]

    def switch(self):
        switch = host.find_init(self.state, network.SWITCH)
        if switch is None:
            raise LabError(f'lab {self.name} is not up')
        return switch

    def owner(self):
        """The pid of the live process that this lab is tied to, or None."""
        try:
            with open(self.path('owner')) as file:
                pid, started = file.read().split()
            process = host.Process(pid)
        except (OSError, ValueError, IndexError):
            return None
        return process.pid if process.alive() and process.start == started else None

    # Up

    def up(self, count, labels=None, registry=False, engine_args=(), tied=False, tls=False,
           programs=()):
        """Starts count engines and loads busybox into them. labels gives {index: {name: value}}
        beyond default_labels(). tied: the lab's processes die with this one, however that ends.
        tls: the engines verify their clients; path('certs') has what tools/make-certs makes for
        them and for managers on this machine. programs: for each node in turn, the directory of
        its engine's programs, '' for those that are installed, as for all that it does not name.
        When it fails, what was started is taken down again."""
        programs = [*programs, *[''] * count][:count]
        self._check(count, registry, programs)
        os.mkdir(self.state, 0o700)
        try:
            self._up(count, labels or {}, registry, list(engine_args), tied, tls, programs)
        except BaseException:
            self.say(f'lab {self.name} did not come up: taking it down')
            self.down()
            raise

    def _check(self, count, registry, programs):
        if os.geteuid():
            raise LabError('the lab makes namespaces: it needs root')
        if not 1 <= count <= network.MOST_NODES:
            raise LabError(f'a lab has 1 to {network.MOST_NODES} nodes, not {count}')
        tools = TOOLS + (['docker-registry'] if registry else [])
        for directory in set(programs):
            missing = [tool for tool in tools
                       if not shutil.which(tool, path=host.path_of(directory))]
            if missing:
                raise LabError(f'not installed: {", ".join(missing)}')
            if directory:
                self._check_programs(directory)
        if os.path.exists(self.state):
            raise LabError(f'lab {self.name} is there already: `lab down` first')
        if os.path.exists(f'/sys/class/net/{self.name}'):
            raise LabError(f'this machine has a link {self.name} already: choose another --name')

    @staticmethod
    def _check_programs(directory):
        if not shutil.which('dockerd', path=directory):
            raise LabError(f'{directory}: there is no dockerd')
        if any(os.path.realpath(directory).startswith(f'{hidden}/') for hidden in HIDDEN):
            raise LabError(f'{directory}: a node sees nothing of {" and ".join(HIDDEN)}')

    def _up(self, count, labels, with_registry, engine_args, tied, tls, programs):
        began = time.monotonic()
        if tied:
            process = host.Process(os.getpid())
            with open(self.path('owner'), 'w') as file:
                file.write(f'{process.pid} {process.start}\n')
        self.prefix = network.create(self, tied)
        self.engine_args = engine_args
        if with_registry:
            self.registry = f'{network.switch_of(self.prefix)}:{registry.PORT}'
        self.nodes = [Node(self, index, {**default_labels(index), **labels.get(index, {})}, own)
                      for index, own in enumerate(programs, start=1)]
        self._save()
        if tls:
            host.run(MAKE_CERTS, self.path('certs'), 'manager=127.0.0.1,localhost',
                     *(f'{node.name}={node.ip}' for node in self.nodes))
        switch = self.switch()
        for node in self.nodes:
            node.create(switch, tied)
            node.launch()
        self.say(f'{count} engines started on {self.prefix}.0/24')
        if with_registry:
            registry.start(self, 'registry', registry.PORT)
        image.build(self.image_archive)
        self._wait_engines(began)
        self.load_image()
        self.say(f'lab {self.name} is up after {time.monotonic() - began:.1f} s')

    def _wait_engines(self, began, timeout=90):
        waiting = list(self.nodes)
        deadline = began + timeout
        while waiting:
            for node in list(waiting):
                if node.answers():
                    waiting.remove(node)
                    self.say(f'{node.name} {node.address} answers')
                elif time.monotonic() > deadline or not node.is_coming_up():
                    raise LabError(f'{node.name} {node.address}: its engine does not come up;'
                                   f' the end of its log:\n{host.tail(node.log)}')
            time.sleep(0.05)

    def private_registry(self, users):
        """The address of another registry, of these users alone (see registry.start); one for all
        who ask."""
        if not self._private_registry:
            self._private_registry = registry.start(self, 'private-registry',
                                                    registry.PRIVATE_PORT, users)
        return self._private_registry

    def load_image(self, archive=None):
        """Loads an image archive (busybox by default) into all engines."""
        path = archive or self.image_archive

        def load(node):
            with open(path, 'rb') as file:
                status, body = node.api('POST', '/images/load?quiet=1', file, timeout=120)
            if status != 200 or b'"error"' in body:
                raise LabError(f'{node.name} does not load {path}: {body.decode().strip()}')

        with concurrent.futures.ThreadPoolExecutor() as workers:
            list(workers.map(load, self.nodes))
        self.say(f'{os.path.basename(path)} loaded into {len(self.nodes)} engines')

    # Down

    def down(self):
        """Leaves nothing: works on what is there, be it a half of a lab or none. Returns whether
        there was something. Signals wait until it is done."""
        if os.geteuid():
            raise LabError('only root can take a lab down')
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            return self._down()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def _down(self):
        ended = host.end_marked(self.state)
        existed = ended or os.path.exists(self.state)
        if existed:
            network.remove(self.name)
            remove_cgroups(self.name)
            # All mounts were in namespaces that are gone; should one be here, it is not followed.
            host.run('rm', '-rf', '--one-file-system', self.state, timeout=300)
        self.nodes, self.prefix, self.engine_args = [], None, []
        self.registry = self._private_registry = None
        self.say(f'lab {self.name} is down' if existed else f'lab {self.name} was not up')
        return existed

    # What another process needs to find it again

    def _save(self):
        with open(self.path('lab.json'), 'w') as file:
            json.dump({'prefix': self.prefix, 'registry': self.registry,
                       'engine_args': self.engine_args,
                       'labels': [node.labels for node in self.nodes],
                       'programs': [node.programs for node in self.nodes]}, file)

    def _load(self):
        try:
            with open(self.path('lab.json')) as file:
                saved = json.load(file)
        except (OSError, ValueError):
            return
        self.prefix = saved['prefix']
        self.registry = saved['registry']
        self.engine_args = saved['engine_args']
        self.nodes = [Node(self, index, labels, programs)
                      for index, (labels, programs) in enumerate(
                          zip(saved['labels'], saved['programs']), start=1)]

    @staticmethod
    def clis():
        """The Docker command lines installed here: see client.clis."""
        return client.clis()
