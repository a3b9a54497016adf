# SPDX-License-Identifier: Apache-2.0
"""One host of the lab, with its Docker Engine, and what can happen to it."""

import os
import re
import signal
import sys

from . import client, engine, host, network
from .host import LabError

PORT = 2375
PIDFILE = '/run/docker.pid'
RELAY = os.path.join(os.path.dirname(__file__), 'relay.py')
UNREACHABLE_REGISTRIES = 'docker.io index.docker.io registry-1.docker.io auth.docker.io'


class Node:
    """index counts from 1; ip, address ("ip:port"), labels, programs and directory stay the same
    for the life of the lab. programs is the directory of this node's engine, '' for the one that
    is installed."""

    def __init__(self, lab, index, labels, programs=''):
        self.lab = lab
        self.index = index
        self.name = f'node-{index}'
        self.labels = labels
        self.programs = programs
        self.ip = network.address_of(lab.prefix, index)
        self.address = f'{self.ip}:{PORT}'
        self.directory = lab.path(self.name)
        self.log = os.path.join(self.directory, 'dockerd.log')
        self._launcher = None

    def create(self, switch, tied):
        """Makes the host, without an engine yet."""
        os.makedirs(os.path.join(self.directory, 'etc-docker'))
        with open(os.path.join(self.directory, 'hosts'), 'w') as hosts:
            hosts.write(f'127.0.0.1 localhost {UNREACHABLE_REGISTRIES}\n{self.ip} {self.name}\n')
        with open(os.path.join(self.directory, 'resolv.conf'), 'w') as resolver:
            resolver.write('nameserver 127.0.0.1\n')
        # /etc/docker holds the engine's identity, which must not be shared, and containerd makes
        # directories in /opt. Look-ups fail at once; a resolv.conf that leads into /run finds
        # nothing there until it is made. Without securityfs the engine leaves the AppArmor
        # profiles of this machine alone.
        script = f'''
            cd {self.directory}
            hostname {self.name}
            mount -n -t tmpfs -o mode=755 tmpfs /run
            mkdir /run/lock
            mount -n -t tmpfs -o mode=755 tmpfs /opt
            mount -n --bind etc-docker /etc/docker
            mount -n --bind hosts /etc/hosts
            resolver=$(readlink -m /etc/resolv.conf)
            case $resolver in /run/*) mkdir -p "${{resolver%/*}}"; : > "$resolver";; esac
            mount -n --bind resolv.conf "$resolver"
            umount -n --lazy /sys/kernel/security 2>/dev/null || :
            cd /
        '''
        log = os.path.join(self.directory, 'setup.log')
        init = host.start_namespace(self.lab.state, self.name, script, log, tied)
        network.plug(switch, init, self)

    # The host and its processes

    def init(self):
        """The host's init process; LabError when the host is gone."""
        init = host.find_init(self.lab.state, self.name)
        if init is None:
            raise LabError(f'{self.name} is gone: run `lab down`, then `lab up`')
        return init

    def inside(self, *argv):
        """Runs a command on this host and returns its output."""
        return host.run(*host.inside(self.init(), *argv))

    def _processes(self, *commands):
        space = self.init().namespace('pid')
        return [process for process in host.processes()
                if process.command() in commands and process.namespace('pid') == space]

    def is_running(self):
        """Whether the engine's process exists (it may not answer yet)."""
        return bool(self._processes('dockerd'))

    def is_coming_up(self):
        """Whether the engine's process exists, or what launch() began is still to become it."""
        launching = self._launcher is not None and self._launcher.poll() is None
        return launching or bool(self._processes('setsid', 'dockerd'))

    def answers(self):
        """Whether the engine answers to this machine."""
        return engine.answers(self.address, certs=self.lab.certs)

    # The engine

    def launch(self):
        """Starts the engine and does not wait for it."""
        if self.is_running():
            return
        self.inside('rm', '-f', PIDFILE)
        command = ['dockerd', *self._tls(), '-H', f'tcp://0.0.0.0:{PORT}',
                   '--data-root', os.path.join(self.directory, 'data'),
                   '--exec-root', '/run/docker', '--pidfile', PIDFILE,
                   '--cgroup-parent', f'/{self.lab.name}/{self.name}',
                   '--exec-opt', 'native.cgroupdriver=cgroupfs',
                   '--dns', '127.0.0.1', '--insecure-registry', f'{self.lab.prefix}.0/24',
                   *(f'--label={name}={value}' for name, value in self.labels.items()),
                   *self.lab.engine_args]
        # setsid --fork leaves it to the host's init, which reaps it when it is killed.
        self._launcher = host.start(host.inside(self.init(), 'setsid', '--fork', *command),
                                    self.lab.state, self.name, self.log, self.programs)

    def _tls(self):
        if not self.lab.certs:
            return ['--tls=false']
        return ['--tlsverify'] + [f'--tls{flag}={self.lab.path("certs")}/{self.name}/{file}.pem'
                                  for flag, file in [('cacert', 'ca'), ('cert', 'cert'),
                                                     ('key', 'key')]]

    def wait_answer(self, timeout=60):
        """Waits until the engine answers; LabError with the end of its log when it does not."""
        try:
            host.wait_until(self.answers, timeout, f'{self.name} {self.address} answers')
        except LabError as late:
            raise LabError(f'{late}\n  the end of its log:\n{host.tail(self.log)}') from None

    def start(self, timeout=60):
        """Starts the engine where it is not running, and waits until it answers."""
        self.launch()
        self.wait_answer(timeout)

    def stop(self, timeout=60):
        """Stops the engine as a service manager would; it ends its containers first."""
        self._end(signal.SIGTERM, timeout)

    def kill(self, timeout=20):
        """Kills the engine. Its containers live on until it is started again."""
        self._end(signal.SIGKILL, timeout)

    def _end(self, number, timeout):
        # Its containerd dies with it, and must be gone before a new one starts in its place.
        engines = self._processes('dockerd')
        for process in engines:
            process.kill(number)
        if engines:
            host.wait_until(lambda: not self._processes('dockerd', 'containerd'), timeout,
                            f'the engine of {self.name} has ended')

    # The way to it

    def cut(self):
        """Pulls the cable: whoever talks to the engine hears nothing any more."""
        network.set_link(self.lab.switch(), self, up=False)

    def heal(self):
        """Puts the cable back."""
        network.set_link(self.lab.switch(), self, up=True)

    def is_cut(self):
        return not network.link_is_up(self.lab.switch(), self)

    def slow(self, delay=0.0, rate=0, keep=False):
        """Puts a relay in front of the engine: each way, delay seconds and at most rate bytes a
        second (0: no limit). Connections that exist are reset, so that all that follows is slow;
        with keep they stay as they are."""
        self.unslow()
        init = self.init()
        output = os.path.join(self.directory, 'relay.log')
        host.run('truncate', '--size=0', output)
        host.start(host.inside(init, sys.executable, '-B', RELAY, '--to', f'127.0.0.1:{PORT}',
                               '--delay', str(delay), '--rate', str(rate)),
                   self.lab.state, self._relay_role(), output)

        def port():
            with open(output) as said:
                return re.match(r'(\d+)\n', said.read())

        number = host.wait_until(port, 20, f'the relay of {self.name} listens').group(1)
        self.inside('iptables', '-w', '-t', 'nat', '-I', 'PREROUTING', *self._redirect(number))
        if not keep:
            self.inside('ss', '-K', 'state', 'established', f'sport = :{PORT}')

    def unslow(self):
        """Takes the relay out of the way. What is connected through it goes on at full speed."""
        rules = self.inside('iptables', '-w', '-t', 'nat', '-S', 'PREROUTING')
        for number in re.findall(r'--to-ports (\d+)', rules):
            self.inside('iptables', '-w', '-t', 'nat', '-D', 'PREROUTING',
                        *self._redirect(number))
        for process in host.marked(self.lab.state, self._relay_role()):
            if process.command() != 'nsenter':
                process.kill(signal.SIGTERM)

    def is_slow(self):
        return '--to-ports' in self.inside('iptables', '-w', '-t', 'nat', '-S', 'PREROUTING')

    def _relay_role(self):
        return f'relay-{self.index}'

    @staticmethod
    def _redirect(number):
        return ['-i', 'eth0', '-p', 'tcp', '--dport', str(PORT),
                '-j', 'REDIRECT', '--to-ports', number]

    # What is asked of it

    def api(self, method, path, body=None, timeout=30):
        """Asks the engine. Returns (status, body as bytes)."""
        return engine.request(self.address, method, path, body, timeout, self.lab.certs)

    def docker(self, *args, **options):
        """Runs the Docker command line straight on this engine: see client.docker."""
        return client.docker(self.address, *args, certs=self.lab.certs, **options)
