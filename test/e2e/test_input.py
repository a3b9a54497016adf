# SPDX-License-Identifier: Apache-2.0
"""Bad input: the status and the message that an engine has for it, and the manager lives on."""

import http.client
import json
import random

import pytest

from support import message_of

JSON = {'Content-Type': 'application/json'}


@pytest.fixture(autouse=True)
def lives_on(pair):
    """After each of these the manager is the one that it was, and serves."""
    pid = pair.manager.pid
    yield
    assert pair.manager.is_running() and pair.manager.pid == pid
    assert pair.pool.http('GET', '/_ping').body == b'OK'
    assert pair.pool.http('GET', '/containers/json').status == 200


@pytest.mark.parametrize('method, path', [
    ('GET', '/'), ('GET', '/nosuch'), ('GET', '/v1.41/nosuch'), ('GET', '/v1.41'),
    ('POST', '/containers'), ('GET', '/containers'), ('GET', '/containers/'),
    ('PUT', '/containers/json'), ('DELETE', '/containers/json'), ('POST', '/info'),
    ('PATCH', '/containers/x'), ('GET', '/containers/x/nosuch'), ('GET', '/images'),
    ('BREW', '/coffee'), ('OPTIONS', '/nosuch'),
    ('POST', '/containers/x/json'), ('DELETE', '/_ping'), ('GET', '/exec/x'),
    ('GET', '/containers/a/b/c/json')])
def test_paths_and_methods(pair, method, path):
    def ask(side):
        reply = side.http(method, path)
        return reply.status, reply.headers.get('Content-Type') == 'application/json', \
            side.neutral.text(reply.body.decode(errors='replace')).strip()

    pool, engine = pair.both(ask)
    assert pool[:2] == engine[:2], f'{method} {path}\n{pool}\n{engine}'
    if engine[1]:
        assert 'message' in json.loads(pool[2]), pool


@pytest.mark.parametrize('path, body', [
    ('/containers/create', b''), ('/containers/create', b'nonsense'),
    ('/containers/create', b'{"Image": '), ('/containers/create', b'[]'),
    ('/containers/create', b'"text"'), ('/containers/create', b'{}'),
    ('/containers/create', b'{"Image": 5}'), ('/containers/create', b'{"Image": ""}'),
    ('/containers/create', b'{"Image": "busybox", "Cmd": 5}'),
    ('/containers/create', b'{"Image": "busybox", "HostConfig": []}'),
    ('/containers/create', b'{"Image": "busybox", "HostConfig": {"Memory": "x"}}'),
    ('/containers/create', b'{"Image": "busybox", "HostConfig": {"Memory": 1}}'),
    ('/containers/create', b'{"Image": "busybox", "HostConfig": {"NanoCpus": -5}}'),
    ('/containers/create', b'{"Image": "busybox", "Labels": "x"}'),
    ('/containers/create', b'{"Image": "busybox", "Env": "x"}'),
    ('/containers/create', b'\xff\xfe\x00'), ('/containers/create', b'{"Image": "b\\ud800"}'),
    ('/containers/create', b'[' * 100000), ('/containers/create', b'null'),
    ('/containers/create?name=' + 'x' * 5000, b'{"Image": "busybox"}'),
    ('/containers/create?name=a%00b', b'{"Image": "busybox"}'),
    ('/containers/create?name=%ff', b'{"Image": "busybox"}'),
    ('/containers/box/update', b'nonsense'), ('/containers/box/exec', b'nonsense'),
    ('/commit?container=box', b'nonsense'), ('/auth', b'nonsense')],
    ids=lambda value: repr(value)[:50])
def test_bodies(pair, path, body):
    """Refused by the pool where an engine refuses it, with a message."""
    pair.both(lambda side: side.create('box', 'true'))

    def ask(side):
        return side.http('POST', path, body, JSON)

    pool, engine = pair.both(ask)
    assert (pool.status < 300) == (engine.status < 300), f'{pool}\n{engine}'
    if pool.status >= 300:
        assert pool.message()
        # What an engine calls its own failure may be the client's.
        assert pool.status == engine.status or pool.status in (400, 404), f'{pool}\n{engine}'


def test_a_body_of_another_type(pair):
    for headers in ({}, {'Content-Type': 'text/plain'}, {'Content-Type': 'application/json; x=y'}):
        pool, engine = pair.both(lambda side: side.http(
            'POST', '/containers/create', b'{"Image":"busybox","Cmd":["true"]}', headers))
        assert pool.status == engine.status, f'{headers}\n{pool}\n{engine}'


@pytest.mark.parametrize('path', ['/containers/create', '/images/load', '/build', '/nosuch'])
def test_a_body_cut_short(pair, path):
    """The client ends, or goes, in the middle of what it announced; nothing is made of it."""
    for head in ('Content-Length: 1000', 'Transfer-Encoding: chunked'):
        for ending in ('end_output', 'reset'):
            with pair.pool.wire() as wire:
                start = '3e8\r\n' if 'chunked' in head else ''
                wire.send(f'POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
                          f'{head}\r\n\r\n{start}{{"Image":"busybox",')
                getattr(wire, ending)()
                if ending == 'end_output':
                    wire.rest()
    assert pair.pool.http('GET', '/containers/json?all=1').json() == []


def answer_to(side, data):
    """The status of the answer to these bytes. An error must have a message."""
    with side.wire() as wire:
        wire.send(data)
        status, headers, body = wire.reply()
        if status >= 400:
            assert message_of(headers, body)
        return status


GET = b'GET /_ping HTTP/1.1\r\n'


@pytest.mark.parametrize('data, status', [
    (b'nonsense\r\n\r\n', 400), (b'\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03' + b'\0' * 100, 400),
    (b'GET\r\n\r\n', 400), (b'GET /_ping\r\n\r\n', 400), (b'GET /_ping HTTP/3.0\r\n\r\n', None),
    (b'GET  /_ping HTTP/1.1\r\nHost: x\r\n\r\n', 400), (GET + b'\r\n', 400),
    (GET + b'Host: x\r\nHost: y\r\n\r\n', 400), (GET + b'Host : x\r\n\r\n', 400),
    (GET + b'Host: x\r\n folded: y\r\n\r\n', None), (GET + b': x\r\n\r\n', 400),
    (GET + b'Host: x\r\nno colon\r\n\r\n', 400), (GET + b'Host: x\r\nA: b\0c\r\n\r\n', 400),
    (GET + b'Host: x\r\nA\x01: b\r\n\r\n', 400),
    (GET + b'Host: x\r\nContent-Length: x\r\n\r\n', 400),
    (GET + b'Host: x\r\nContent-Length: -1\r\n\r\n', 400),
    (GET + b'Host: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 400),
    (GET + b'Host: x\r\nContent-Length: 99999999999999999999\r\n\r\n', 400),
    (GET + b'Host: x\r\nTransfer-Encoding: gzip\r\n\r\n', None),
    (GET + b'Host: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n', None),
    (b'GET /containers/\0/json HTTP/1.1\r\nHost: x\r\n\r\n', 400),
    (b'GET /containers/%zz/json HTTP/1.1\r\nHost: x\r\n\r\n', 400),
    (b'GET /containers/json?all=%zz HTTP/1.1\r\nHost: x\r\n\r\n', None)],
    ids=lambda value: repr(value)[:60] if isinstance(value, bytes) else '')
def test_requests_that_are_none(pair, data, status):
    """status None: it may be refused or answered, but in order."""
    found = answer_to(pair.pool, data)
    if status is None:
        assert found in (200, 400, 404, 501, 505), found
    else:
        assert found == status


def test_a_request_is_never_read_as_two(pair):
    """What could hide a second request in the first is refused, and the connection ends."""
    hidden = b'POST /containers/create?name=smuggled HTTP/1.1\r\nHost: x\r\nContent-Type: ' \
             b'application/json\r\nContent-Length: 19\r\n\r\n{"Image":"busybox"}'
    for head in (b'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
                 b'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n',
                 b'Transfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n',
                 b'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
                 b'Content-Length: 0\r\nContent-Length: 5\r\n\r\n',
                 b'Content-Length: +0\r\n\r\n', b'Content-Length: 0x0\r\n\r\n',
                 b'X: y\r\n Content-Length: 0\r\n\r\n',
                 b'Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n',
                 b'Transfer-Encoding: chunked\r\n\r\n0 \r\n\r\n',
                 b'Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n',
                 b'Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n\r\n',
                 b'Transfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n'):
        with pair.pool.wire() as wire:
            wire.send(b'POST /containers/nosuch/start HTTP/1.1\r\nHost: x\r\n' + head + hidden)
            status, _, _ = wire.reply()
            assert 400 <= status < 502, head
            rest = wire.rest()
            assert b'201 Created' not in rest, f'{head}: {rest}'
    assert pair.pool.http('GET', '/containers/json?all=1').json() == []


def test_a_head_that_is_too_large(pair):
    for data in (GET + b'Host: x\r\nLarge: ' + b'x' * (2 << 20) + b'\r\n\r\n',
                 GET + b'Host: x\r\n' + b''.join(b'H%d: %s\r\n' % (number, b'x' * 1000)
                                                 for number in range(2000)) + b'\r\n'):
        def ask(side):
            with side.wire() as wire:
                try:
                    wire.send(data)
                except OSError:
                    pass
                return wire.head()[0]

        assert ask(pair.engine) == 431
        assert ask(pair.pool) == 431


def test_filters_and_numbers_that_are_none(pair):
    for path in ('/containers/json?filters={', '/images/json?filters=nonsense',
                 '/events?filters=[5]', '/containers/json?limit=many',
                 '/images/json?filters={"nosuch":["x"]}',
                 '/containers/json?filters={"nosuch":["x"]}'):
        pool, engine = pair.both(lambda side: side.http('GET', path.replace('"', '%22')))
        assert engine.status >= 400 and 400 <= pool.status < 500, f'{path}\n{pool}\n{engine}'
        assert pool.message()


def test_names_that_are_none(pair):
    for name in ('%00', 'a%00b', '..', '%2e%2e%2f', 'x' * 10000, '%ff%fe', 'a%0d%0aHost:%20y',
                 '*', '?', '%3f', 'a b'.replace(' ', '%20')):
        for path in (f'/containers/{name}/json', f'/images/{name}/json', f'/exec/{name}/json'):
            pool, engine = pair.both(lambda side: side.http('GET', path).status)
            assert pool == engine or 400 <= pool < 500, f'{path}: {pool}, an engine {engine}'


def test_half_a_request_holds_up_nobody(pair):
    with pair.pool.wire() as first, pair.pool.wire() as second:
        first.send(b'GET /containers/js')
        second.send(b'POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: '
                    b'application/json\r\nContent-Length: 100\r\n\r\n{"Im')
        for _ in range(5):
            assert pair.pool.http('GET', '/containers/json').status == 200
        first.send(b'on HTTP/1.1\r\nHost: x\r\n\r\n')
        assert first.reply()[0] == 200


def test_noise(pair):
    """Requests with a few bytes changed, the same each run."""
    pair.pool.create('one', 'true')
    chance = random.Random(2)
    good = [b'GET /v1.41/containers/json?all=1&filters={"name":["x"]} HTTP/1.1\r\nHost: x\r\n'
            b'Accept: application/json\r\n\r\n',
            b'POST /v1.41/containers/create?name=n HTTP/1.1\r\nHost: x\r\nContent-Type: '
            b'application/json\r\nContent-Length: 35\r\n\r\n{"Image":"nosuch","Cmd":["x","y"]}\r',
            b'GET /v1.41/containers/one/json HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n',
            b'POST /v1.41/containers/one/attach?stream=1&stdin=1 HTTP/1.1\r\nHost: x\r\n'
            b'Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n']
    for _ in range(400):
        data = bytearray(chance.choice(good))
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.choice(b'\0\r\n :/%?{"\xff09az')
        with pair.pool.wire() as wire:
            wire.send(bytes(data))
            try:
                wire.end_output()
                wire.timeout(0.05)
                wire.rest()
            except (OSError, http.client.HTTPException):
                pass
