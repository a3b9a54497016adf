#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures a manager over simulated engines (engines.c), and prints what it finds; README.md says
what each figure means. Nothing is asserted, and all of it stays on loopback.

    test/bench/pool.py [--build build] [--wide N] [PART...]    PART: memory requests idle streams
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), os.pardir, 'e2e'))
from lab import LabError, wait_until

MIB = 1 << 20

# The manager gives back what stacks and heap do not need every ten seconds, while there is any.
GIVING_BACK = 12


class Process:
    """A child, and what it has cost."""

    def __init__(self, argv, **kwargs):
        self.child = subprocess.Popen(argv, **kwargs)

    def cpu(self):
        """Seconds on the CPU of all its threads, user and system."""
        return time.clock_gettime((~self.child.pid) << 3 | 2)

    def memory(self):
        """Resident bytes."""
        with open(f'/proc/{self.child.pid}/smaps_rollup') as f:
            return next(int(line.split()[1]) for line in f if line.startswith('Rss:')) * 1024

    def stop(self):
        self.child.terminate()
        self.child.wait()


class Engines(Process):
    """Engine i is 127.1.(i / 256).(i % 256)."""

    def __init__(self, build, nodes, containers, certificate=()):
        super().__init__([f'{build}/test/bench/bench-engines', '0', str(nodes), str(containers),
                          *certificate], stdout=subprocess.PIPE, text=True)
        self.port = int(self.child.stdout.readline())
        self.nodes = nodes

    def address(self, i):
        return f'127.1.{i // 256}.{i % 256}'

    def addresses(self):
        return [f'{self.address(i)}:{self.port}\n' for i in range(self.nodes)]


class Connection:
    """Keeps its connection; as thin as it can be, since it runs beside what is measured."""

    def __init__(self, family, address):
        self.sock = socket.socket(family)
        self.sock.connect(address)
        self.buffer = bytearray(1 << 20)

    def send(self, method, path, body=None, headers=''):
        data = b'' if body is None else json.dumps(body).encode()
        if body is not None:
            headers += f'Content-Type: application/json\r\nContent-Length: {len(data)}\r\n'
        self.sock.sendall(f'{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n'.encode() + data)

    def head(self):
        data = b''
        while b'\r\n\r\n' not in data:
            piece = self.sock.recv(65536)
            if not piece:
                raise ConnectionError('closed in an answer')
            data += piece
        head, rest = data.split(b'\r\n\r\n', 1)
        return int(head[9:12]), head.lower(), rest

    def call(self, method, path, body=None):
        self.send(method, path, body)
        status, head, rest = self.head()
        if b'content-length: ' in head:
            due = int(head.split(b'content-length: ')[1].split(b'\r\n')[0])
            parts = [rest]
            have = len(rest)
            while have < due:
                parts.append(self.sock.recv(min(due - have, 1 << 20)))
                have += len(parts[-1])
            answer = b''.join(parts)
        elif b'chunked' in head:
            answer = self.chunks(rest)
        else:
            answer = b''
        if status >= 400:
            raise RuntimeError(f'{method} {path}: {status} {answer[:300]}')
        return answer

    def chunks(self, data):
        """The body; its end is told by the last chunk, which stands at the end of what comes."""
        parts = [data]
        while not (len(parts[-1]) >= 5 and parts[-1].endswith(b'0\r\n\r\n')):
            piece = self.sock.recv(1 << 20)
            if len(piece) < 5:
                piece = parts.pop() + piece
            parts.append(piece)
        data = b''.join(parts)
        at, out = 0, []
        while True:
            end = data.index(b'\r\n', at)
            n = int(data[at:end], 16)
            if not n:
                return b''.join(out)
            out.append(data[end + 2:end + 2 + n])
            at = end + 4 + n

    def drain(self):
        """Bytes until the other side ends."""
        total = 0
        while n := self.sock.recv_into(self.buffer):
            total += n
        return total


class Manager(Process):
    def __init__(self, build, nodes, flags=()):
        self.dir = tempfile.mkdtemp(prefix='swarm-bench-')
        with open(f'{self.dir}/nodes', 'w') as f:
            f.writelines(nodes)
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            self.port = s.getsockname()[1]
        self.log = open(f'{self.dir}/log', 'w')
        super().__init__([f'{build}/swarm', '--log-level', 'warn', 'manage',
                          '-H', f'tcp://127.0.0.1:{self.port}', '-H', f'unix://{self.dir}/sock',
                          *flags, f'file://{self.dir}/nodes'], stderr=self.log, stdout=self.log)

    def connect(self):
        return Connection(socket.AF_UNIX, f'{self.dir}/sock')

    def connect_tcp(self):
        return Connection(socket.AF_INET, ('127.0.0.1', self.port))

    def wait(self, condition, what, poll):
        """Until the condition holds; ends the benchmark with the manager's log where it never does."""
        try:
            wait_until(condition, 600, what, poll)
        except LabError as error:
            sys.exit(f'{error}\n' + open(f'{self.dir}/log').read())

    def wait_healthy(self, n):
        def listens():
            if self.child.poll() is not None:
                raise LabError('the manager ended')
            return os.path.exists(f'{self.dir}/sock')

        self.wait(listens, 'the manager listens', 0.02)
        c = self.connect()
        began = time.monotonic()
        self.wait(lambda: c.call('GET', '/info').count(b'"Healthy"') >= n,
                  'the nodes are healthy', 0.25)
        self.settled_after = time.monotonic() - began
        self.settled_cpu = self.cpu()

    def wait_quiet(self):
        """Until a second costs no less CPU than the one before: its start is over."""
        spent = []

        def quiet():
            spent.append(self.cpu())
            return len(spent) > 2 and spent[-1] - spent[-2] >= spent[-2] - spent[-3]

        self.wait(quiet, 'the manager comes to rest', 1)

    def memory_at_rest(self):
        """Once nothing was given back for longer than it takes to give back."""
        least, since = self.memory(), time.monotonic()

        def at_rest():
            nonlocal least, since
            now = self.memory()
            if now < 0.99 * least:
                least, since = now, time.monotonic()
            return time.monotonic() >= since + GIVING_BACK

        self.wait(at_rest, "the manager's memory comes to rest", 0.5)
        return least

    def stop(self):
        super().stop()
        self.log.close()
        with open(f'{self.dir}/log') as f:
            lines = f.readlines()
        if lines:
            print(f'    the manager logged {len(lines)} warnings, such as: {lines[-1].strip()}')
        shutil.rmtree(self.dir)


class Pool:
    """Engines and a manager over them, for the length of a with."""

    def __init__(self, build, nodes, containers=0, certificate=None):
        self.args = build, nodes, containers, certificate

    def __enter__(self):
        build, nodes, containers, certificate = self.args
        flags = []
        if certificate:
            flags = ['--tls', '--tlscert', certificate[0], '--tlskey', certificate[1]]
        with contextlib.ExitStack() as begun:
            self.engines = Engines(build, nodes, containers, certificate or ())
            begun.callback(self.engines.stop)
            manager = Manager(build, self.engines.addresses() if nodes else [], flags)
            begun.callback(manager.stop)
            manager.wait_healthy(nodes)
            self.begun = begun.pop_all()
        return manager

    def __exit__(self, *_):
        self.begun.close()


def row(what, *figures):
    print(f'  {what:<44}' + ''.join(f'{f:>16}' for f in figures), flush=True)


def idle_memory(build, *pool, **kwargs):
    with Pool(build, *pool, **kwargs) as manager:
        return manager.memory_at_rest()


def make_certificate(directory):
    files = f'{directory}/cert.pem', f'{directory}/key.pem'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                    'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=bench',
                    '-keyout', files[1], '-out', files[0]], check=True, capture_output=True)
    return files


def kib(n):
    return f'{n / 1024:.1f} KiB'


def memory_of_nodes(build, n, first=0, certificate=None):
    """Resident bytes for each idle node beyond the first ones."""
    few, many = (idle_memory(build, k, certificate=certificate) for k in (first, n))
    return (many - few) / (n - first)


def memory_of_nodes_over_tls(build, n):
    """The library itself is some 4 MiB: a tenth of the nodes have it already."""
    with tempfile.TemporaryDirectory() as directory:
        return memory_of_nodes(build, n, n // 10, make_certificate(directory))


def memory_of_containers(build, n):
    """Resident bytes for each of 100 nodes' containers, n on each."""
    few, many = (idle_memory(build, 100, k) for k in (0, n))
    return (many - few) / (100 * n)


def measure_memory(args):
    print('memory')
    build, n = args.build, args.wide
    row('resident, no nodes', kib(idle_memory(build, 0)))
    row(f'each idle node, TCP ({n} nodes)', kib(memory_of_nodes(build, n)))
    row(f'each idle node, TLS ({n} nodes)', kib(memory_of_nodes_over_tls(build, n)))
    row('each container, 1 KiB entry (100,000)', kib(memory_of_containers(build, 1000)))


ROUNDS = 5


def cost(manager, n, step):
    """
    Yields microseconds of the manager's CPU for each of n steps, once for each of the rounds, so
    that those of several pools can take turns.
    """
    n = max(n // ROUNDS, 1)
    for turn in range(ROUNDS):
        first = turn * n
        before = manager.cpu()
        for i in range(first, first + n):
            step(i)
        yield (manager.cpu() - before) / n * 1e6


def create_body(i):
    return {'Image': 'bench:1', 'Cmd': ['serve'], 'Env': ['A=1'], 'Labels': {'n': str(i)},
            'HostConfig': {'NetworkMode': 'default', 'Memory': MIB}}


def filtered(**filters):
    return '/v1.41/containers/json?all=1&filters=' + urllib.parse.quote(json.dumps(filters))


class Client:
    """Asks a manager for this and that."""

    def __init__(self, manager, nodes, containers):
        self.manager, self.nodes, self.containers = manager, nodes, containers
        self.c = manager.connect()
        pick = random.Random(1)
        self.names = [f'c-{pick.randrange(nodes)}-{pick.randrange(containers)}'
                      for _ in range(200)]
        self.ids = [json.loads(self.c.call('GET', f'/v1.41/containers/{name}/json'))['Id']
                    for name in self.names]

    def get(self, path):
        self.c.call('GET', path)

    def name(self, i):
        return self.names[i % 200]

    def id(self, i):
        return self.ids[i % 200]

    def inspect(self, ref):
        self.get(f'/v1.41/containers/{ref}/json')

    def not_found(self, i):
        try:
            self.inspect(f'nobody{i}')
        except RuntimeError:
            pass

    def create(self, i):
        self.c.call('POST', f'/v1.41/containers/create?name=b{i}', create_body(i))
        self.c.call('POST', f'/v1.41/containers/b{i}/start')

    def remove(self, i):
        self.c.call('DELETE', f'/v1.41/containers/b{i}?force=1')

    def exec(self, i):
        made = json.loads(self.c.call('POST', f'/v1.41/containers/{self.name(i)}/exec',
                                      {'Cmd': ['true']}))
        s = self.manager.connect()
        s.send('POST', f"/v1.41/exec/{made['Id']}/start", {'Detach': False},
               'Connection: Upgrade\r\nUpgrade: tcp\r\n')
        s.drain()


# What is asked for, how often (parts of --scale), and how.
REQUESTS = (
    ('ping', 5, lambda a, i: a.get('/_ping')),
    ('version', 1, lambda a, i: a.get('/version')),
    ('inspect, by id', 1, lambda a, i: a.inspect(a.id(i))),
    ('inspect, by 12 digits', 1, lambda a, i: a.inspect(a.id(i)[:12])),
    ('inspect, by name', 1, lambda a, i: a.inspect(a.name(i))),
    ('inspect, by node/name', 1, lambda a, i: a.inspect(node_name(a.name(i)))),
    ('not found', 1, Client.not_found),
    ('create and start', .5, Client.create),
    ('remove', .5, Client.remove),
    ('exec: create and start', .5, Client.exec),
    ('ps, by id', .1, lambda a, i: a.get(filtered(id=[a.id(i)]))),
    ('ps, by name=^/NAME$', .1, lambda a, i: a.get(filtered(name=[f'^/{a.name(i)}$']))),
    ('ps, by label', .02, lambda a, i: a.get(filtered(label=['no=label']))),
    ('ps -n 1', .02, lambda a, i: a.get('/v1.41/containers/json?limit=1')),
)

# What lists all of something: for each of these things.
LISTS = (
    ('ps -a, for each container', lambda a: a.nodes * a.containers,
     lambda a, i: a.get('/v1.41/containers/json?all=1')),
    ('image list, for each node', lambda a: a.nodes, lambda a, i: a.get('/v1.41/images/json')),
    ('info, for each node', lambda a: a.nodes, lambda a, i: a.get('/v1.41/info')),
)


def compare(clients, n, ask, per=lambda a: 1):
    """The lowest of the rounds for each client, which take turns: what disturbs one disturbs all."""
    rounds = zip(*(cost(a.manager, n, lambda i, a=a: ask(a, i)) for a in clients))
    return [min(costs) / per(a) for a, costs in zip(clients, zip(*rounds))]


def node_name(name):
    return f"node-{name.split('-')[1]}/{name}"


def measure_requests(args):
    small, wide = (10, 10), (args.wide, 100)
    print('CPU of the manager, microseconds for each')
    with Pool(args.build, *small) as one, Pool(args.build, *wide) as other:
        clients = [Client(one, *small), Client(other, *wide)]
        row('', *(f'{n} x {c}' for n, c in (small, wide)), 'ratio')

        def show(what, costs):
            row(what, *(f'{us:.1f}' for us in costs), f'{costs[1] / costs[0]:.2f}')

        show('from start to healthy, for each container',
             [a.manager.settled_cpu * 1e6 / a.nodes / a.containers for a in clients])
        for what, part, ask in REQUESTS:
            show(what, compare(clients, int(part * args.scale), ask))
        for what, per, ask in LISTS:
            show(what, compare(clients, ROUNDS, ask, per))


def measure_idle(args):
    print(f'CPU of the manager while nothing is asked, over {args.idle} s')
    for nodes, containers in (args.wide, 10), (5 * args.wide, 1):
        with Pool(args.build, nodes, containers) as manager:
            manager.wait_quiet()
            before = manager.cpu()
            time.sleep(args.idle)
            spent = manager.cpu() - before
            row(f'{nodes} nodes of {containers} containers',
                f'{spent / args.idle * 100:.2f} %',
                f'{spent / args.idle / nodes * 1e6:.1f} us/s/node',
                f'{kib(manager.memory() / nodes)}/node')


def stream_rate(process, connection, n, path, method='GET', upgrade=False, send=0):
    """MiB/s, and the process's CPU in ms for each MiB."""
    before, began = process.cpu(), time.monotonic()
    connection.send(method, path, None, 'Connection: Upgrade\r\nUpgrade: tcp\r\n' if upgrade else
                    'Connection: close\r\n')
    _, _, early = connection.head()
    if send:
        piece = bytes(MIB)
        for _ in range(send // MIB):
            connection.sock.sendall(piece)
        connection.sock.shutdown(socket.SHUT_WR)
        said = int(connection.sock.recv(100))
        if said != send:
            sys.exit(f'{said} of {send} bytes arrived')
    else:
        have = len(early) + connection.drain()
        if have < n:
            sys.exit(f'{have} of {n} bytes arrived')
    return n / MIB / (time.monotonic() - began), (process.cpu() - before) * 1000 / (n / MIB)


def measure_streams(args):
    n = args.mib * MIB
    print(f'streams of {args.mib} MiB')
    row('', 'direct MiB/s', 'pooled MiB/s', 'ratio', 'manager ms/MiB')
    pool = Pool(args.build, 3, 3)
    with pool as manager:
        name = 'c-1-1'
        id_ = json.loads(manager.connect().call('GET', f'/v1.41/containers/{name}/json'))['Id']
        address = pool.engines.address(1)
        for what, path, more in (
                ('logs', f'logs?stdout=1&bytes={n}', {}),
                ('attach, output', f'attach?stream=1&stdout=1&bytes={n}',
                 {'method': 'POST', 'upgrade': True}),
                ('attach, input', 'attach?stream=1&stdin=1',
                 {'method': 'POST', 'upgrade': True, 'send': n})):
            rates = []
            for _ in range(3):
                direct = DirectConnection(address, pool.engines.port)
                a, _ = stream_rate(pool.engines, direct, n, f'/containers/{id_}/{path}', **more)
                b, ms = stream_rate(manager, manager.connect_tcp(), n,
                                    f'/v1.41/containers/{name}/{path}', **more)
                rates.append((a, b, ms))
            a, b, ms = (sorted(r)[1] for r in zip(*rates))
            row(what, f'{a:.0f}', f'{b:.0f}', f'{b / a:.2f}', f'{ms:.3f}')


class DirectConnection(Connection):
    """To an engine itself, which knows by the Host header that it is meant."""

    def __init__(self, address, port):
        super().__init__(socket.AF_INET, (address, port))
        self.host = f'{address}:{port}'

    def send(self, method, path, body=None, headers=''):
        self.sock.sendall(f'{method} {path} HTTP/1.1\r\nHost: {self.host}\r\n'
                          f'{headers}\r\n'.encode())


PARTS = {'memory': measure_memory, 'requests': measure_requests, 'idle': measure_idle,
         'streams': measure_streams}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--build', default='build', help='where ninja built swarm and bench')
    parser.add_argument('--wide', type=int, default=1000, help='nodes of the large pool')
    parser.add_argument('--scale', type=int, default=2000, help='requests of each kind')
    parser.add_argument('--idle', type=int, default=60, help='seconds of idling')
    parser.add_argument('--mib', type=int, default=1024, help='MiB in a stream')
    parser.add_argument('parts', nargs='*', metavar='PART', help=', '.join(PARTS))
    args = parser.parse_args()
    for part in args.parts or PARTS:
        PARTS[part](args)


if __name__ == '__main__':
    main()
