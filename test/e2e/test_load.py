# SPDX-License-Identifier: Apache-2.0
"""Crowds that mean no good, in bounded numbers: whoever behaves is served meanwhile, and afterwards
descriptors, memory and fibers are those from before."""

import contextlib
import http.client
import os
import resource
import selectors
import socket
import statistics
import struct
import threading
import time

import pytest

from lab import Manager, wait_until
from lab.engine import settings
from support.certs import make_certs, verified

pytestmark = pytest.mark.slow

IDLE, SLOW, DROPPED, BAD, SILENT = 5000, 2000, 10000, 5000, 2000
# Of anonymous memory that the allocator may keep after a crowd, in KiB.
KEPT = 8 * 1024


@pytest.fixture(autouse=True)
def many_descriptors():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def connect(manager):
    name, _, port = manager.address.rpartition(':')
    return socket.create_connection((name, int(port)), timeout=30)


def reset(wire):
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    wire.close()


def used(manager):
    """(descriptors, KiB of anonymous memory)"""
    with open(f'/proc/{manager.pid}/status') as status:
        fields = dict(line.split(':', 1) for line in status)
    return len(os.listdir(f'/proc/{manager.pid}/fd')), int(fields['RssAnon'].split()[0])


def connections(manager):
    """How many clients' connections it has a fiber for."""
    seen = len(manager.logged('msg=fiber'))
    manager.state()  # what it says behind its fibers
    return sum('http connection' in line for line in manager.logged('msg=fiber')[seen:])


@contextlib.contextmanager
def as_before(manager, say):
    for _ in range(20):
        assert manager.api('GET', '/containers/json?all=1')[0] == 200
    before = used(manager)
    yield
    wait_until(lambda: used(manager)[0] <= before[0] + 2, 60,
               f'descriptors go back to {before[0]}')
    wait_until(lambda: used(manager)[1] <= before[1] + KEPT, 60,
               f'memory goes back to {before[1]} KiB')
    assert connections(manager) <= 1
    after = used(manager)
    say(f'descriptors {before[0]} -> {after[0]}, memory {before[1]} -> {after[1]} KiB')
    assert not manager.logged('level=(error|fatal)')


class Guest(threading.Thread):
    """A client that behaves: asks again and again, and notes how long each answer took."""

    def __init__(self, manager):
        super().__init__()
        self.address = manager.address
        self.took = []
        self.failed = []
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            began = time.monotonic()
            try:
                name, _, port = self.address.rpartition(':')
                connection = http.client.HTTPConnection(name, int(port), timeout=30)
                connection.request('GET', '/containers/json?all=1')
                if connection.getresponse().status != 200:
                    self.failed.append('status')
                connection.close()
            except OSError as error:
                self.failed.append(str(error))
            self.took.append(time.monotonic() - began)
            self.stopping.wait(0.02)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.stopping.set()
        self.join(60)

    def figures(self):
        assert not self.failed, self.failed[:5]
        ordered = sorted(self.took)
        return (f'{len(ordered)} requests, median {statistics.median(ordered) * 1000:.1f} ms, '
                f'99 of 100 within {ordered[len(ordered) * 99 // 100] * 1000:.1f} ms')


def drip(manager, crowd, seconds):
    """Each of the crowd sends a byte a second of a head that never ends, and comes again when it
    is turned away. Returns how often that was."""
    selector = selectors.DefaultSelector()

    def join():
        wire = connect(manager)
        wire.sendall(b'GET /_ping HTTP/1.1\r\nHost: x\r\nX: ')
        wire.setblocking(False)
        selector.register(wire, selectors.EVENT_READ)

    def leave(wire):
        selector.unregister(wire)
        wire.close()

    for _ in range(crowd):
        join()
    away, end = 0, time.monotonic() + seconds
    while (now := time.monotonic()) < end:
        for key in list(selector.get_map().values()):
            with contextlib.suppress(OSError):
                key.fileobj.send(b'x')
        while (left := now + 1 - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                leave(key.fileobj)
                away += 1
                join()
    for key in list(selector.get_map().values()):
        leave(key.fileobj)
    selector.close()
    return away


def test_the_idle_and_the_slow(start_manager, say):
    manager = start_manager('--debug')
    with as_before(manager, say):
        with Guest(manager) as alone:
            time.sleep(3)
        idle = [connect(manager) for _ in range(IDLE)]
        try:
            with Guest(manager) as guest:
                away = drip(manager, SLOW, 15)
        finally:
            for wire in idle:
                wire.close()
    say(f'alone: {alone.figures()}')
    say(f'beside {IDLE} idle and {SLOW} slow ones: {guest.figures()}; {away} turned away')
    assert away >= SLOW, 'the slow have ten seconds for a head'


def test_connections_that_drop(start_manager, say):
    """At each byte of a request, by an end or a reset."""
    manager = start_manager('--debug')
    body = b'{"Image":"nosuch","Cmd":["x"]}'
    requests = [b'GET /v1.41/containers/json?all=1 HTTP/1.1\r\nHost: x\r\n\r\n',
                b'POST /v1.41/containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: '
                b'application/json\r\nContent-Length: %d\r\n\r\n' % len(body) + body,
                b'POST /v1.41/build HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'
                b'5\r\nhello\r\n0\r\n\r\n',
                b'POST /v1.41/containers/nosuch/attach?stream=1 HTTP/1.1\r\nHost: x\r\n'
                b'Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n',
                b'GET /v1.41/events HTTP/1.1\r\nHost: x\r\n\r\n']
    with as_before(manager, say), Guest(manager) as guest:
        for number in range(DROPPED):
            data = requests[number % len(requests)]
            wire = connect(manager)
            wire.sendall(data[:number // len(requests) % (len(data) + 1)])
            (reset if number % 2 else socket.socket.close)(wire)
    say(f'beside {DROPPED} that dropped: {guest.figures()}')


def test_a_flood_of_bad_requests(start_manager, say):
    manager = start_manager()
    bad = [b'nonsense\r\n\r\n', b'GET / HTTP/1.1\r\n\r\n', b'\x16\x03\x01\x02\x00',
           b'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
           b'GET / HTTP/1.1\r\nHost: x\r\n' + b'A: b\r\n' * 300 + b'\r\n',
           b'POST /v1.41/containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json'
           b'\r\nConnection: close\r\nContent-Length: 200000\r\n\r\n' + b'[' * 200000,
           b'GET /' + b'a' * 200000 + b' HTTP/1.1\r\nHost: x\r\n\r\n']
    began = time.monotonic()
    with as_before(manager, say), Guest(manager) as guest:
        for number in range(BAD):
            with connect(manager) as wire:
                with contextlib.suppress(ConnectionError):
                    wire.sendall(bad[number % len(bad)])
                    assert wire.recv(12) in (b'HTTP/1.1 400', b'HTTP/1.1 431')
    lines = len(manager.logged('request refused'))
    say(f'beside {BAD} bad requests: {guest.figures()}; {lines} lines of log')
    # Twenty a second, and the flood takes a while.
    assert lines <= 20 * (time.monotonic() - began + 2)
    assert manager.logged('more clients were refused')


def test_handshakes_that_never_come(tmp_path, say):
    certs = make_certs(str(tmp_path / 'certs'), 'manager=127.0.0.1')
    manager = Manager('127.0.0.1:1', str(tmp_path / 'log'),
                      verified(f'{certs}/manager'), certs=f'{certs}/client')
    manager.start()
    context = settings(f'{certs}/client')
    took = []
    try:
        with as_before(manager, say):
            silent = [connect(manager) for _ in range(SILENT)]
            for _ in range(200):
                began = time.monotonic()
                with connect(manager) as plain, \
                        context.wrap_socket(plain, server_hostname='127.0.0.1') as wire:
                    wire.sendall(b'GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n')
                    assert wire.recv(12) == b'HTTP/1.1 200'
                took.append(time.monotonic() - began)
            assert manager.logged('a TLS handshake gives way')
            for wire in silent:
                wire.close()
        manager.check_descriptors()
        say(f'beside {SILENT} silent ones: 200 handshakes, the longest took '
            f'{max(took) * 1000:.0f} ms')
    finally:
        manager.stop()
