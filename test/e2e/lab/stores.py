# SPDX-License-Identifier: Apache-2.0
"""Key-value stores on loopback, each a process (or three) with a directory of its own.

    with Etcd(tmp_path) as store:
        ... store.uri('prefix') ...
        store.kill(); store.start()                 # with what it held
        store.kill(); store.wipe(); store.start()   # empty

A store keeps its address over stop() and start(). It dies with the process that started it, so
start it from the main thread. `logs` are the files that it logs to.
"""

import glob
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys

from . import host
from .host import LabError
from .manager import free_port

CONSUL_DOUBLE = os.path.join(os.path.dirname(os.path.realpath(__file__)), 'consul.py')


class Server:
    """One process of a store."""

    def __init__(self, directory, port):
        self.directory = str(directory)
        self.port = port
        self.process = None
        os.makedirs(self.directory, exist_ok=True)

    @property
    def address(self):
        return f'127.0.0.1:{self.port}'

    @property
    def log(self):
        return os.path.join(self.directory, 'log')

    def argv(self):
        raise NotImplementedError

    def launch(self):
        """Starts it, without waiting until it serves."""
        assert self.process is None or self.process.poll() is not None, 'it runs already'
        environment = {'PATH': host.PATH, 'HOME': self.directory, 'LANG': 'C.UTF-8'}
        with open(self.log, 'ab') as output:
            self.process = subprocess.Popen(['setpriv', '--pdeathsig', 'KILL', *self.argv()],
                                            stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=output, env=environment, cwd=self.directory)

    def serves(self):
        raise NotImplementedError

    def wait_serving(self, timeout=60):
        def ready():
            if self.process.poll() is not None:
                raise LabError(f'it ended with {self.process.returncode}\n{host.tail(self.log)}')
            return self.serves()

        host.wait_until(ready, timeout, f'{self.argv()[0]} serves at {self.address}', poll=0.1)

    def start(self):
        self.launch()
        self.wait_serving()

    def signal(self, number):
        self.process.send_signal(number)

    def pause(self):
        """Nothing is answered, and nothing refused: from when its last thread stands still."""
        self.signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.signal(signal.SIGKILL)
            self.process.wait()

    def stop(self, timeout=20):
        if self.process is None or self.process.poll() is not None:
            return
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def wipe(self):
        """Forgets all that it held. Not while it runs."""
        for path in glob.glob(os.path.join(self.directory, 'data*')):
            shutil.rmtree(path)


class Store:
    """What is common to the stores: servers, a scheme, and being a context."""

    scheme = None
    servers = ()

    def uri(self, prefix=''):
        return f'{self.scheme}://{",".join(self.addresses)}' + (f'/{prefix}' if prefix else '')

    @property
    def addresses(self):
        return [server.address for server in self.servers]

    @property
    def logs(self):
        return [server.log for server in self.servers]

    def start(self):
        for server in self.servers:
            server.launch()
        for server in self.servers:
            server.wait_serving()

    def stop(self):
        for server in self.servers:
            server.stop()

    def kill(self):
        for server in self.servers:
            server.kill()

    def pause(self):
        for server in self.servers:
            server.pause()

    def resume(self):
        for server in self.servers:
            server.resume()

    def wipe(self):
        for server in self.servers:
            server.wipe()

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_):
        self.kill()


def connect(port, tls, timeout):
    """An HTTP client of a server with those certificates (None: in the clear)."""
    if not tls:
        return http.client.HTTPConnection('127.0.0.1', port, timeout=timeout)
    context = ssl.create_default_context(cafile=tls.ca)
    context.load_cert_chain(tls.cert, tls.key)
    return http.client.HTTPSConnection('127.0.0.1', port, timeout=timeout, context=context)


class EtcdServer(Server):
    def __init__(self, directory, name, port, peer_port, tls=None):
        super().__init__(directory, port)
        self.name = name
        self.peer = f'http://127.0.0.1:{peer_port}'
        self.tls = tls
        self.cluster = None  # all of them, as etcd writes it

    @property
    def url(self):
        return f'{"https" if self.tls else "http"}://{self.address}'

    def argv(self):
        argv = ['etcd', '--name', self.name, '--data-dir', os.path.join(self.directory, 'data'),
                '--listen-client-urls', self.url, '--advertise-client-urls', self.url,
                '--listen-peer-urls', self.peer, '--initial-advertise-peer-urls', self.peer,
                '--initial-cluster', self.cluster, '--logger', 'zap',
                '--heartbeat-interval', '100', '--election-timeout', '1000']
        if self.tls:
            argv += ['--cert-file', self.tls.cert, '--key-file', self.tls.key,
                     '--trusted-ca-file', self.tls.ca, '--client-cert-auth']
        return argv

    def ask(self, path, body, timeout=5):
        """Its JSON gateway's answer; OSError or ValueError."""
        connection = connect(self.port, self.tls, timeout)
        try:
            connection.request('POST', path, json.dumps(body))
            return json.loads(connection.getresponse().read())
        except http.client.HTTPException as error:
            raise OSError(str(error)) from None
        finally:
            connection.close()

    def serves(self):
        try:
            # A range is answered by a member that has a leader.
            return 'header' in self.ask('/v3/kv/range', {'key': 'AA=='})
        except (OSError, ValueError):
            return False

    def leads(self):
        try:
            status = self.ask('/v3/maintenance/status', {})
        except (OSError, ValueError):
            return False
        return status.get('leader') == status['header']['member_id']


class Etcd(Store):
    """Debian's etcd: one member, or as many as asked for. tls: files with .ca, .cert and .key,
    with which it serves and which it demands of its clients."""

    scheme = 'etcd'

    def __init__(self, directory, members=1, tls=None):
        self.servers = [EtcdServer(os.path.join(directory, f'etcd-{number}'), f'etcd-{number}',
                                   free_port(), free_port(), tls) for number in range(members)]
        for server in self.servers:
            server.cluster = ','.join(f'{other.name}={other.peer}' for other in self.servers)

    def leader(self):
        """The member that leads now."""
        return host.wait_until(lambda: next((server for server in self.servers
                                             if server.leads()), None),
                               30, 'etcd has a leader', poll=0.1)


class ZooKeeperServer(Server):
    def argv(self):
        config = os.path.join(self.directory, 'zoo.cfg')
        with open(config, 'w') as file:
            file.write(f'dataDir={self.directory}/data\nclientPort={self.port}\n'
                       'clientPortAddress=127.0.0.1\ntickTime=2000\nadmin.enableServer=false\n'
                       'maxClientCnxns=0\n4lw.commands.whitelist=*\n')
        return ['java', '-Xmx96m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1',
                '-Dzookeeper.log.dir=.', '-Djava.awt.headless=true', '-cp',
                '/etc/zookeeper/conf:/usr/share/java/zookeeper.jar',
                'org.apache.zookeeper.server.quorum.QuorumPeerMain', config]

    def asked(self, word):
        """The answer to a four-letter word; '' where there is none."""
        try:
            with socket.create_connection(('127.0.0.1', self.port), timeout=2) as connection:
                connection.sendall(word.encode())
                answer = b''
                while piece := connection.recv(4096):
                    answer += piece
                return answer.decode()
        except OSError:
            return ''

    def serves(self):
        return self.asked('ruok') == 'imok'


class ZooKeeper(Store):
    """Debian's ZooKeeper: a single server."""

    scheme = 'zk'

    def __init__(self, directory):
        self.servers = [ZooKeeperServer(os.path.join(directory, 'zookeeper'), free_port())]


class ConsulServer(Server):
    """The program that $CONSUL names, or the double of it in consul.py, which alone does TLS."""

    def __init__(self, directory, port, tls=None):
        super().__init__(directory, port)
        self.tls = tls

    def argv(self):
        data = os.path.join(self.directory, 'data')
        real = os.environ.get('CONSUL')
        if not real or self.tls:
            argv = [sys.executable, CONSUL_DOUBLE, '--port', str(self.port), '--data', data]
            if self.tls:
                argv += ['--tls', self.tls.ca, self.tls.cert, self.tls.key]
            return argv
        ports = ('ports { http = %d  grpc = -1  grpc_tls = -1  dns = -1  server = %d  '
                 'serf_lan = %d  serf_wan = -1 }' % (self.port, free_port(), free_port()))
        return [real, 'agent', '-server', '-bootstrap-expect=1', '-node=test', '-bind=127.0.0.1',
                '-client=127.0.0.1', f'-data-dir={data}', '-hcl', ports]

    def serves(self):
        connection = connect(self.port, self.tls, timeout=2)
        try:
            connection.request('GET', '/v1/status/leader')
            return len(connection.getresponse().read()) > 4
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class Consul(Store):
    scheme = 'consul'

    def __init__(self, directory, tls=None):
        self.servers = [ConsulServer(os.path.join(directory, 'consul'), free_port(), tls)]
