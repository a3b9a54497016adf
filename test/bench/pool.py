#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures a manager over simulated engines (engines.c), and prints what it finds; README.md says
what each figure means. Nothing is asserted, and all of it stays on loopback.

    test/bench/pool.py [--build build] [--wide N] [PART...]    PART: memory requests idle streams
"""

import argparse
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

MIB = 1 << 20


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
        self.wait_healthy(len(nodes))

    def connect(self):
        return Connection(socket.AF_UNIX, f'{self.dir}/sock')

    def connect_tcp(self):
        return Connection(socket.AF_INET, ('127.0.0.1', self.port))

    def wait_healthy(self, n):
        deadline = time.monotonic() + 600
        while not os.path.exists(f'{self.dir}/sock'):
            if self.child.poll() is not None or time.monotonic() > deadline:
                sys.exit(open(f'{self.dir}/log').read())
            time.sleep(0.02)
        c = self.connect()
        began = time.monotonic()
        while c.call('GET', '/info').count(b'"Healthy"') < n:
            if time.monotonic() > deadline:
                sys.exit('the nodes do not become healthy:\n' + open(f'{self.dir}/log').read())
            time.sleep(0.25)
        self.settled_after = time.monotonic() - began
        self.settled_cpu = self.cpu()

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
        self.engines = Engines(build, nodes, containers, certificate or ())
        self.manager = Manager(build, self.engines.addresses() if nodes else [], flags)
        return self.manager

    def __exit__(self, *_):
        self.manager.stop()
        self.engines.stop()


def row(what, *figures):
    print(f'  {what:<44}' + ''.join(f'{f:>16}' for f in figures), flush=True)


def idle_memory(build, *pool, **kwargs):
    """Once what long-parked stacks do not need was given back."""
    with Pool(build, *pool, **kwargs) as manager:
        time.sleep(4)
        return manager.memory()


def make_certificate(directory):
    files = f'{directory}/cert.pem', f'{directory}/key.pem'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                    'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=bench',
                    '-keyout', files[1], '-out', files[0]], check=True, capture_output=True)
    return files


def kib(n):
    return f'{n / 1024:.1f} KiB'


def measure_memory(args):
    print('memory')
    build, n = args.build, args.wide
    empty = idle_memory(build, 0)
    row('resident, no nodes', kib(empty))
    nodes = idle_memory(build, n)
    row(f'each idle node, TCP ({n} nodes)', kib((nodes - empty) / n))
    with tempfile.TemporaryDirectory() as directory:
        tls = idle_memory(build, n, certificate=make_certificate(directory))
    row(f'each idle node, TLS ({n} nodes)', kib((tls - empty) / n))
    few, many = idle_memory(build, 100), idle_memory(build, 100, 1000)
    row('each container, 1 KiB entry (100,000)', kib((many - few) / 100000))


def cost(manager, n, step):
    """Microseconds of the manager's CPU for each of n steps."""
    for i in range(max(n // 10, 1)):
        step(-1 - i)
    before = manager.cpu()
    for i in range(n):
        step(i)
    return (manager.cpu() - before) / n * 1e6


def create_body(i):
    return {'Image': 'bench:1', 'Cmd': ['serve'], 'Env': ['A=1'], 'Labels': {'n': str(i)},
            'HostConfig': {'NetworkMode': 'default', 'Memory': MIB}}


def exec_once(c, manager, name):
    made = json.loads(c.call('POST', f'/v1.41/containers/{name}/exec', {'Cmd': ['true']}))
    s = manager.connect()
    s.send('POST', f"/v1.41/exec/{made['Id']}/start", {'Detach': False},
           'Connection: Upgrade\r\nUpgrade: tcp\r\n')
    s.drain()


def filtered(**filters):
    return '/v1.41/containers/json?all=1&filters=' + urllib.parse.quote(json.dumps(filters))


def request_costs(manager, nodes, containers, scale):
    """What is asked for, and what one of it costs."""
    c = manager.connect()
    pick = random.Random(1)
    names = [f'c-{pick.randrange(nodes)}-{pick.randrange(containers)}' for _ in range(200)]
    ids = [json.loads(c.call('GET', f'/v1.41/containers/{name}/json'))['Id'] for name in names]

    def get(path):
        return lambda i: c.call('GET', path(i % 200))

    yield 'ping', cost(manager, 5 * scale, get(lambda i: '/_ping'))
    for how, key in (('id', lambda i: ids[i]), ('12 digits', lambda i: ids[i][:12]),
                     ('name', lambda i: names[i]), ('node/name', lambda i: node_name(names[i]))):
        yield f'inspect, by {how}', cost(
            manager, scale, get(lambda i, key=key: f'/v1.41/containers/{key(i)}/json'))
    yield 'not found', cost(manager, scale, lambda i: not_found(c))

    def create(i):
        c.call('POST', f'/v1.41/containers/create?name=b{i}', create_body(i))
        c.call('POST', f'/v1.41/containers/b{i}/start')

    yield 'create and start', cost(manager, scale // 2, create)
    yield 'remove', cost(manager, scale // 4,
                         lambda i: c.call('DELETE', f'/v1.41/containers/b{i}?force=1'))
    yield 'exec: create and start', cost(manager, scale // 2,
                                         lambda i: exec_once(c, manager, names[i % 200]))
    few = scale // 10
    yield 'ps, by id', cost(manager, few, get(lambda i: filtered(id=[ids[i]])))
    yield 'ps, by name=^/NAME$', cost(manager, few,
                                      get(lambda i: filtered(name=[f'^/{names[i]}$'])))
    yield 'ps -n 1', cost(manager, few, get(lambda i: '/v1.41/containers/json?limit=1'))
    every = max(4, 2000 // (nodes * containers // 100))
    whole = cost(manager, every, lambda i: c.call('GET', '/v1.41/containers/json?all=1'))
    yield 'ps -a, for each container', whole / (nodes * containers)
    images = cost(manager, every, lambda i: c.call('GET', '/v1.41/images/json'))
    yield 'image list, for each node', images / nodes
    whole = cost(manager, every, lambda i: c.call('GET', '/v1.41/info'))
    yield 'info, for each node', whole / nodes


def node_name(name):
    return f"node-{name.split('-')[1]}/{name}"


def not_found(c):
    try:
        c.call('GET', '/v1.41/containers/nobody/json')
    except RuntimeError:
        pass


def measure_requests(args):
    wide = args.wide
    pools = [(10, 10), (wide, 100)]
    print('CPU of the manager, microseconds for each')
    found = {}
    for nodes, containers in pools:
        with Pool(args.build, nodes, containers) as manager:
            found.setdefault('from start to healthy, for each container', []).append(
                manager.settled_cpu * 1e6 / nodes / containers)
            for what, us in request_costs(manager, nodes, containers, args.scale):
                found.setdefault(what, []).append(us)
    row('', *(f'{n} x {c}' for n, c in pools), 'ratio')
    for what, (small, large) in found.items():
        row(what, f'{small:.1f}', f'{large:.1f}', f'{large / small:.2f}')


def measure_idle(args):
    print(f'CPU of the manager while nothing is asked, over {args.idle} s')
    for nodes, containers in (args.wide, 10), (5 * args.wide, 1):
        with Pool(args.build, nodes, containers) as manager:
            time.sleep(3)
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
