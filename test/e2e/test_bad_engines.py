# SPDX-License-Identifier: Apache-2.0
"""Engines that misbehave: each hurts its own node only, which says how, and heals when it behaves.

A relay stands before a real engine. It passes all on until it is told what to do instead.
"""

import socket
import threading

import pytest

from lab import engine, wait_until

# What an answer may take of the manager's memory while it is found to be too large, in KiB.
GROWTH = 200 * 1024


class Relay:
    """address is where managers reach the engine. turn(fault) ends what is open; from then on
    requests get the fault in place of an answer, where it says so. fault(path) answers a
    generator of bytes, or None: that request is passed on."""

    def __init__(self, target):
        self.target = target
        self.fault = lambda path: None
        self.open = set()
        self.lock = threading.Lock()
        self.listening = socket.create_server(('127.0.0.1', 0))
        self.address = '127.0.0.1:{}'.format(self.listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _keep(self, wire):
        with self.lock:
            self.open.add(wire)

    def _accept(self):
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            self._keep(client)
            threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client):
        with client:
            try:
                head = b''
                while b'\r\n\r\n' not in head:
                    piece = client.recv(65536)
                    if not piece:
                        return
                    head += piece
                answer = self.fault(head.split(b' ', 2)[1].decode())
                if answer:
                    for piece in answer:
                        client.sendall(piece)
                    while client.recv(65536):
                        pass
                else:
                    self._pass_on(client, head)
            except OSError:
                pass

    def _pass_on(self, client, head):
        """One request for each connection, so that each is seen."""
        name, _, port = self.target.rpartition(':')
        with socket.create_connection((name, int(port)), timeout=60) as real:
            self._keep(real)
            real.sendall(head.replace(b'\r\n', b'\r\nConnection: close\r\n', 1))
            while piece := real.recv(65536):
                client.sendall(piece)

    def _end_all(self):
        with self.lock:
            ended, self.open = self.open, set()
        for wire in ended:
            try:
                wire.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def turn(self, fault):
        self.fault = fault
        self._end_all()

    def close(self):
        try:
            self.listening.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listening.close()
        self._end_all()


OK = b'HTTP/1.1 200 OK\r\n'


def repeated(first, more):
    """Without end, in large pieces."""
    yield first
    while True:
        yield more


def everything(*answer):
    return lambda path: iter(answer)


def the_list(answer):
    """The containers' list alone: pings and the rest are answered well."""
    return lambda path: answer() if '/containers/json' in path else None


ITEM = b'{"Id":"' + b'0' * 64 + b'","Names":["/x"],"Filler":"' + b'y' * 65000 + b'"},'
CHUNK = b'%x\r\n' % len(ITEM) + ITEM + b'\r\n'


@pytest.fixture
def relay(lab):
    made = Relay(lab.node(1).address)
    yield made
    made.close()


def slow(*values, id):
    return pytest.param(*values, id=id, marks=pytest.mark.slow)


@pytest.mark.parametrize('fault, reason', [
    pytest.param(everything(b'\0\1\2 garbage\r\n\r\n'), 'not HTTP|status line|control',
                 id='garbage'),
    slow(lambda path: repeated(OK, b'A: ' + b'b' * 60000 + b'\r\n'), 'head of more than',
         id='endless-head'),
    slow(everything(OK + b'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello'),
         'Content-Length', id='two-lengths'),
    slow(everything(OK + b'Transfer-Encoding: chunked\r\n\r\nzz\r\n'), 'bad chunk size',
         id='bad-chunk'),
    slow(everything(OK + b'Content-Length: 10\r\n\r\n'), 'no answer|not answer|timed out',
         id='cut-short'),
    pytest.param(the_list(lambda: repeated(OK + b'Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n',
                                           CHUNK)), 'more than 67108864 bytes', id='endless-json'),
    pytest.param(the_list(lambda: iter([OK + b'Content-Length: 10000000000\r\n\r\n['])),
                 'more than 67108864 bytes', id='10-GB'),
    pytest.param(the_list(lambda: iter([OK + b'Content-Length: 2\r\n\r\n[}'])), 'JSON',
                 id='no-json'),
    pytest.param(the_list(lambda: iter([OK + b'Content-Length: 400\r\n\r\n' + b'[' * 400])),
                 'deep|nest|levels', id='deep-json')])
def test_an_engine_that_misbehaves(lab, relay, start_manager, fault, reason):
    good = lab.node(2)
    manager = start_manager('--engine-refresh-min-interval', '1s', '--engine-refresh-max-interval',
                            '1s', '--engine-failure-retry', '1',
                            discovery=f'{relay.address},{good.address}', healthy=2)

    def nodes():
        """{address: (status, error)}, as `docker info` shows them."""
        found, at = {}, None
        for name, value in engine.get(manager.address, '/info')['SystemStatus']:
            if name.startswith(' ') and '└' not in name:
                at = value
            elif name.endswith('Status'):
                found[at] = (value, '')
            elif name.endswith('Error'):
                found[at] = (found[at][0], value)
        return found

    def memory():
        with open(f'/proc/{manager.pid}/status') as status:
            fields = dict(line.split(':', 1) for line in status)
        return int(fields['RssAnon'].split()[0])

    most = memory() + GROWTH
    relay.turn(fault)

    def told():
        assert memory() < most
        status, error = nodes()[relay.address]
        return status == 'Unhealthy' and any(word in error for word in reason.split('|'))

    wait_until(told, 60, f'the node is unhealthy: {reason}')
    assert nodes()[good.address] == ('Healthy', '')
    assert manager.docker('run', '--rm', 'busybox', 'echo', 'well').ok().stdout == 'well\n'
    relay.turn(lambda path: None)
    wait_until(lambda: nodes()[relay.address] == ('Healthy', ''), 60, 'the node heals')


@pytest.mark.slow
def test_an_engine_that_never_answers(lab, relay, start_manager):
    """It accepts, and says nothing."""
    good = lab.node(2)
    manager = start_manager('--engine-failure-retry', '1',
                            discovery=f'{relay.address},{good.address}', healthy=2)
    relay.turn(lambda path: iter([b'']))
    wait_until(lambda: manager.statuses('Unhealthy'), 60, 'the node is unhealthy')
    assert manager.docker('run', '--rm', 'busybox', 'echo', 'well').ok().stdout == 'well\n'
    assert manager.logged('node is unhealthy')
