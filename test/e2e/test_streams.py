# SPDX-License-Identifier: Apache-2.0
"""Connections that become streams, and plain ones, to the byte: what is told here are the bytes
on the wire, and they are those of one engine."""

import base64
import json

import pytest

from lab import wait_until
from support import frames, message_of

UPGRADE = {'Connection': 'Upgrade', 'Upgrade': 'tcp'}
KEPT = ('content-type', 'connection', 'upgrade', 'content-length', 'transfer-encoding')


def streams(data):
    """What each stream of the frames holds: an engine copies them side by side, in no order."""
    return {kind: b''.join(text for k, text in frames(data) if k == kind)
            for kind in {k for k, _ in frames(data)}}



def head(wire):
    status, reason, headers = wire.head()
    return status, reason, {name: headers[name] for name in KEPT if name in headers}


def attach_path(name, **more):
    query = {'stream': 1, 'stdin': 1, 'stdout': 1, 'stderr': 1, **more}
    return f'/containers/{name}/attach?' + '&'.join(f'{key}={value}'
                                                    for key, value in query.items())


def started(side, name, *command, tty=False):
    return side.start(name, *command, OpenStdin=True, StdinOnce=True, AttachStdin=True, Tty=tty)


def exec_in(side, name, *command, **config):
    reply = side.http('POST', f'/containers/{name}/exec',
                      {'AttachStdin': True, 'AttachStdout': True, 'AttachStderr': True,
                       'Cmd': list(command), **config})
    assert reply.status == 201, repr(reply)
    return reply.json()['Id']


@pytest.mark.parametrize('upgrade', [UPGRADE, {}], ids=['upgraded', 'plain'])
@pytest.mark.parametrize('tty', [False, True], ids=['multiplexed', 'tty'])
def test_attach(pair, upgrade, tty):
    """Our input ends before their output, and theirs ends all. Input in the segment of the request
    is kept, which an engine loses at times."""
    def story(side):
        started(side, 'echo', 'sh', '-c', 'cat; echo end >&2; exit 3', tty=tty)
        with side.wire() as wire:
            wire.request('POST', attach_path('echo'), {'Content-Type': 'text/plain', **upgrade},
                         early=b'early\n' if side is pair.pool else b'')
            told = head(wire)
            wire.send(b'late\n' if side is pair.pool else b'early\nlate\n')
            if tty:
                wire.send(b'\x04')
            else:
                wire.end_output()
            data = wire.rest()
        code = side.http('POST', '/containers/echo/wait').json()['StatusCode']
        return told, sorted(data.splitlines()) if tty else streams(data), code

    (status, reason, headers), data, code = pair.tell(story)
    assert (status, reason) == ((101, 'UPGRADED') if upgrade else (200, 'OK'))
    assert 'content-length' not in headers and 'transfer-encoding' not in headers
    assert headers['content-type'] == 'application/vnd.docker.raw-stream'
    assert code == 3
    if not tty:
        assert data == {1: b'early\nlate\n', 2: b'end\n'}


@pytest.mark.parametrize('upgrade', [UPGRADE, {}], ids=['upgraded', 'plain'])
def test_exec(pair, upgrade):
    """The request has a body, and input right behind it; output comes with the answer's head."""
    def story(side):
        side.start('box', 'sleep', '1000')
        made = exec_in(side, 'box', 'sh', '-c', 'echo first; cat; echo end >&2; exit 7')
        with side.wire() as wire:
            wire.json_request('POST', f'/exec/{made}/start', {'Detach': False, 'Tty': False},
                              upgrade, early=b'early\n' if side is pair.pool else b'')
            told = head(wire)
            wire.send(b'late\n' if side is pair.pool else b'early\nlate\n')
            wire.end_output()
            data = streams(wire.rest())
        wait_until(lambda: not side.http('GET', f'/exec/{made}/json').json()['Running'], 20,
                   'the exec has ended')
        return told, data, side.http('GET', f'/exec/{made}/json').json()['ExitCode']

    (status, reason, _), data, code = pair.tell(story)
    assert (status, reason) == ((101, 'UPGRADED') if upgrade else (200, 'OK'))
    assert (data, code) == ({1: b'first\nearly\nlate\n', 2: b'end\n'}, 7)


def test_exec_with_a_terminal(pair):
    def story(side):
        side.start('box', 'sleep', '1000')
        made = exec_in(side, 'box', 'sh', '-c', 'stty -echo; echo ready; read x; stty size',
                       Tty=True)
        with side.wire() as wire:
            wire.json_request('POST', f'/exec/{made}/start', {'Detach': False, 'Tty': True},
                              UPGRADE)
            told = head(wire)
            wire.until(b'ready\r\n')
            sized = side.http('POST', f'/exec/{made}/resize?h=33&w=44')
            wire.send(b'\n')
            return told, wire.rest(), sized.status

    assert pair.tell(story)[1] == b'33 44\r\n'


def test_exec_detached_is_no_stream(pair):
    """An ordinary answer, and the connection goes on."""
    def story(side):
        side.start('box', 'sleep', '1000')
        made = exec_in(side, 'box', 'true')
        with side.wire() as wire:
            wire.json_request('POST', f'/exec/{made}/start', {'Detach': True}, UPGRADE)
            first = wire.reply()
            wire.request('GET', '/_ping')
            return first[0], first[2], first[1].get('upgrade'), wire.reply()[2]

    assert pair.tell(story) == (200, b'', None, b'OK')


def test_an_upgrade_that_is_refused(pair):
    """A plain error, and the connection goes on. (An engine answers an attach with text.)"""
    def story(side):
        told = []
        for path in (attach_path('nosuch'), '/exec/nosuch/start'):
            with side.wire() as wire:
                wire.json_request('POST', path, {}, UPGRADE)
                status, _, body = wire.reply()
                told.append((status, b'nosuch' in body))
        return told

    assert pair.tell(story) == [(404, True), (404, True)]
    with pair.pool.wire() as wire:
        for path in (attach_path('nosuch'), '/exec/nosuch/start'):
            wire.json_request('POST', path, {}, UPGRADE)
            status, headers, body = wire.reply()
            assert status == 404 and 'nosuch' in message_of(headers, body)
        wire.request('GET', '/_ping')
        assert wire.reply()[2] == b'OK'


def test_output_ends_before_input(pair):
    """The engine closes all when the container ends, whatever we still have to say."""
    def story(side):
        started(side, 'short', 'sh', '-c', 'read line; echo "got $line"')
        with side.wire() as wire:
            wire.request('POST', attach_path('short'), UPGRADE)
            wire.head()
            wire.send(b'x\n')
            return frames(wire.rest())

    assert pair.tell(story) == [(1, b'got x\n')]


def test_a_client_that_leaves_ends_the_input(pair):
    """A reset reaches the process as the end of its input; nothing stays behind."""
    def story(side):
        side.start('box', 'sleep', '1000')
        made = exec_in(side, 'box', 'cat')
        wire = side.wire()
        wire.json_request('POST', f'/exec/{made}/start', {'Detach': False}, UPGRADE)
        wire.head()
        wire.send(b'x')
        wire.exactly(9)
        wire.reset()
        wait_until(lambda: not side.http('GET', f'/exec/{made}/json').json()['Running'], 20,
                   'the exec ends when its client has gone')
        return side.http('GET', f'/exec/{made}/json').json()['ExitCode']

    pair.tell(story)


def test_a_listener_that_leaves_is_noticed(pair):
    """It has ended its input, and is gone while the container says nothing."""
    pair.pool.start('box', 'sleep', '1000')
    with pair.pool.wire() as wire:
        wire.request('POST', '/containers/box/attach?stream=1&stdout=1', UPGRADE)
        wire.head()
        wire.end_output()
        wait_until(lambda: any('close-wait' in line for line in pair.manager.rest.beyond()), 20,
                   'the manager has heard of the end')
        wire.reset()
    pair.manager.check_descriptors()


def test_wait_answers_at_once_and_then_waits(pair):
    def story(side):
        side.start('long', 'sleep', '1000')
        with side.wire() as wire:
            wire.request('POST', '/containers/long/wait?condition=next-exit')
            told = head(wire)
            wire.timeout(0.3)
            with pytest.raises(TimeoutError):
                wire.exactly(1)
            assert side.http('POST', '/containers/long/kill').status == 204
            wire.timeout(30)
            body = wire.body(told[2])
            wire.request('GET', '/_ping')
            return told, json.loads(body), wire.reply()[2]

    assert pair.tell(story)[1]['StatusCode'] == 137


@pytest.mark.parametrize('condition', ['', '?condition=not-running', '?condition=removed',
                                       '?condition=nosuch'])
def test_wait_conditions(pair, condition):
    def story(side):
        side.create('idle', 'true')
        with side.wire() as wire:
            wire.request('POST', f'/containers/idle/wait{condition}')
            status, _, headers = wire.head()
            if 'removed' in condition:
                assert side.http('DELETE', '/containers/idle').status == 204
            return status, side.neutral.text(wire.body(headers).decode())

    pair.tell(story)


def test_logs_to_the_byte(pair):
    def story(side):
        side.start('two', 'sh', '-c', 'echo out; echo err >&2; printf "no end"')
        side.start('tty', 'sh', '-c', 'echo out', Tty=True)
        told = []
        for name in ('two', 'tty'):
            side.http('POST', f'/containers/{name}/wait')
            for query in ('stdout=1', 'stderr=1', 'stdout=1&stderr=1&tail=1', 'stdout=1&follow=1'):
                with side.wire() as wire:
                    wire.request('GET', f'/containers/{name}/logs?{query}')
                    told.append(wire.reply()[::2] + (name, query))
        return told

    assert pair.tell(story)[0][1] == b'\1\0\0\0\0\0\0\4out\n\1\0\0\0\0\0\0\6no end'


def test_many_requests_on_one_connection(pair):
    """One after the other, and several in one segment; answered in their order."""
    def story(side):
        side.create('one', 'true')
        told = []
        with side.wire() as wire:
            for path in ('/_ping', '/containers/one/json', '/containers/nosuch/json',
                         '/images/busybox/json', '/nosuch', '/_ping'):
                wire.request('GET', path)
                told.append(wire.reply()[0])
            wire.send(b''.join(f'GET {path} HTTP/1.1\r\nHost: x\r\n\r\n'.encode() for path in
                               ('/_ping', '/containers/one/json', '/containers/nosuch/json',
                                '/_ping')))
            told += [wire.reply()[0] for _ in range(4)]
            wire.request('GET', '/_ping', {'Connection': 'close'})
            told.append(wire.reply()[2])
            told.append(wire.is_ended())
        return told

    assert pair.tell(story) == [200, 200, 404, 200, 404, 200, 200, 200, 404, 200, b'OK', True]


def test_old_http(pair):
    """HTTP/1.0: no chunks, and the end of the connection is the end of the answer."""
    def story(side):
        side.create('one', 'true')
        told = []
        for path in ('/_ping', '/containers/json?all=1', '/containers/one/logs?stdout=1'):
            with side.wire() as wire:
                wire.send(f'GET {path} HTTP/1.0\r\n\r\n')
                status, _, headers = wire.head()
                body = wire.rest()
                told.append((status, 'transfer-encoding' in headers,
                             body if path == '/_ping' else bool(body)))
        return told

    assert pair.tell(story)[0] == (200, False, b'OK')


def test_a_request_in_small_pieces(pair):
    def story(side):
        body = json.dumps({'Image': 'busybox', 'Cmd': ['true']}).encode()
        request = (b'POST /containers/create?name=slowly HTTP/1.1\r\nHost: x\r\nContent-Type: '
                   b'application/json\r\nContent-Length: %d\r\n\r\n' % len(body)) + body
        with side.wire() as wire:
            for at in range(0, len(request), 7):
                wire.send(request[at:at + 7])
            return wire.reply()[0]

    assert pair.tell(story) == 201


def test_attach_by_websocket(pair):
    """Opaque to the pool: the upgrade is passed on, and the frames both ways."""
    def story(side):
        started(side, 'ws', 'sh', '-c', 'read line; echo "got $line"')
        key = base64.b64encode(b'0123456789abcdef').decode()
        with side.wire() as wire:
            wire.request('GET', '/containers/ws/attach/ws?stream=1&stdin=1&stdout=1',
                         {'Connection': 'Upgrade', 'Upgrade': 'websocket',
                          'Origin': 'http://docker',
                          'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': key})
            status, _, headers = wire.head()
            # One masked text frame: "x\n" under the mask of zeros.
            wire.send(b'\x81\x82\0\0\0\0x\n')
            data = wire.rest()
        return status, headers.get('sec-websocket-accept'), b'got x' in data

    status, accepted, came = pair.tell(story)
    assert (status, came) == (101, True) and accepted


def test_resize(pair):
    def story(side):
        side.create('idle', 'true', Tty=True)
        told = [side.http('POST', '/containers/idle/resize?h=1&w=1').status,
                side.http('POST', '/containers/nosuch/resize?h=1&w=1').status]
        side.start('term', 'sh', '-c', 'until [ "$(stty size)" = "35 45" ]; do :; done', Tty=True)
        told.append(side.http('POST', '/containers/term/resize?h=35&w=45').status)
        told.append(side.http('POST', '/containers/term/wait').json()['StatusCode'])
        told.append(side.http('POST', '/containers/term/resize?h=x&w=45').status)
        return told

    assert pair.tell(story)[2:4] == [200, 0]
