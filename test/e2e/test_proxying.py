# SPDX-License-Identifier: Apache-2.0
"""What HTTP allows and clients do, on the way through the manager: said by hand, and answered as
one engine answers it."""

import io
import json
import os
import tarfile

import pytest

LINE = 'HTTP/1.1\r\nHost: docker\r\n'


def tar(**files):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode='w') as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
    return data.getvalue()


def chunks(data, trailer=''):
    pieces = [data[at:at + 700] for at in range(0, len(data), 700)]
    return b''.join(b'%x;note="x"\r\n%s\r\n' % (len(piece), piece) for piece in pieces) + \
        b'0\r\n' + trailer.encode() + b'\r\n'


def read_back(side, path):
    """A file out of a container's archive."""
    body = side.http('GET', f'/containers/box/archive?path={path}').body
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        return archive.extractfile(archive.getmembers()[0]).read()


@pytest.fixture
def box(pair):
    pair.both(lambda side: side.create('box', 'true'))
    return pair


def put(side, head, body, wait=False):
    """PUT of an archive; with wait the body follows when the other end asks for it."""
    with side.wire() as wire:
        wire.send(f'PUT /containers/box/archive?path=/tmp {LINE}{head}\r\n\r\n')
        asked = None
        if wait:
            asked = wire.head()[:2]
        wire.send(body)
        return asked, wire.reply()[0]


def test_a_body_that_waits_to_be_asked_for(box):
    body = tar(asked=b'for')
    said = box.tell(lambda side: (put(side, f'Expect: 100-continue\r\nContent-Length: {len(body)}',
                                      body, wait=True), read_back(side, '/tmp/asked')))
    assert said == (((100, 'Continue'), 200), b'for')


def test_a_body_that_is_not_wanted(box):
    """Refused before the body was asked for: the client need not send it."""
    def story(side):
        with side.wire() as wire:
            wire.send(f'PUT /containers/nosuch/archive?path=/tmp {LINE}'
                      'Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n')
            status, _, body = wire.reply()
            return status, json.loads(body)

    assert box.tell(story) == (404, {'message': 'No such container: nosuch'})


def test_chunks_with_extensions_and_a_trailer(box):
    body = chunks(tar(chunked=b'x' * 5000), 'X-Checksum: 1\r\nX-Other: 2\r\n')
    said = box.tell(lambda side: (put(side, 'Transfer-Encoding: chunked\r\nTrailer: X-Checksum',
                                      body), read_back(side, '/tmp/chunked')))
    assert said == ((None, 200), b'x' * 5000)


def test_a_connection_serves_on_after_each_of_these(box):
    """Whatever had no body, an unread one, or a chunked one: the next answer is its own."""
    asks = [('HEAD', '/containers/box/archive?path=/etc', ''), ('GET', '/containers/box/json', ''),
            ('HEAD', '/containers/box/archive?path=/nosuch', ''),
            ('POST', '/containers/box/stop', ''), ('POST', '/containers/nosuch/start', ''),
            ('GET', '/containers/box/archive?path=/etc/passwd', ''), ('HEAD', '/_ping', ''),
            ('POST', '/containers/box/rename?name=box', 'xyz'), ('OPTIONS', '/info', '')]

    def story(side):
        told = []
        with side.wire() as wire:
            for method, path, body in asks:
                wire.send(f'{method} {path} {LINE}Content-Length: {len(body)}\r\n\r\n{body}')
                status, _, headers = wire.head()
                if method != 'HEAD' and status not in (204, 304):
                    wire.body(headers)
                told.append((method, path, status))
            wire.send(f'GET /_ping {LINE}Connection: close\r\n\r\n')
            status, headers, body = wire.reply()
            told.append((status, body, headers.get('connection'), wire.is_ended()))
        return told

    told = box.tell(story)
    assert told[3] == ('POST', '/containers/box/stop', 304)
    assert told[-1] == (200, b'OK', 'close', True)


def test_names_with_escapes(box):
    """A slash, a letter, a colon: escaped or not, they are the same path."""
    node = box.pool.http('GET', '/containers/box/json').json()['Node']['Name']
    made = box.pool.http('GET', '/containers/box/json').json()['Id']
    for name in (f'{node}%2Fbox', f'{node}/box', f'{node}%2fb%6fx', '%62ox', '%2Fbox'):
        reply = box.pool.http('GET', f'/containers/{name}/json')
        assert reply.status == 200 and reply.json()['Id'] == made, f'{name}: {reply}'
    for name in ('busybox%3Alatest', 'busybox:latest', 'docker.io%2Flibrary%2Fbusybox',
                 'docker.io/library/busybox%3alatest'):
        box.tell(lambda side, name=name: (
            side.http('GET', f'/images/{name}/json').status,
            side.http('GET', f'/images/{name}/json').json()['RepoTags']), name)
    for path in ('//containers//box//json', '/v1.41//containers/box/json',
                 '/containers/x/../box/json', '/./containers/./box/json'):
        reply = box.pool.http('GET', path)
        assert reply.status in (200, 301), f'{path}: {reply}'


def test_long_urls(box):
    """As long as an engine takes them, and a limit that is told."""
    pad = 'x' * 60000
    for path in (f'/containers/json?all=1&pad={pad}', f'/containers/box/logs?stdout=1&pad={pad}',
                 f'/containers/box/archive?path=/{pad}'):
        status = box.tell(lambda side, path=path: side.http('GET', path).status, path[:50])
        assert status < 500 or 'archive' in path
    assert box.pool.http('GET', f'/info?pad={"x" * 300000}').status == 431


def test_headers_of_the_clients_own(box):
    """HttpHeaders of the command line: they change nothing, with a hijack either."""
    many = {f'X-Mine-{i}': 'y' * 100 for i in range(100)}
    for method, path in (('GET', '/containers/box/json'), ('GET', '/containers/json'),
                         ('POST', '/containers/box/start'), ('GET', '/info')):
        box.tell(lambda side, method=method, path=path:
                 side.http(method, path, headers=many).status, path)

    def story(side):
        with side.wire() as wire:
            wire.request('POST', '/containers/box/attach?stream=1&stdout=1',
                         {'Connection': 'X-Mine-1, Upgrade', 'Upgrade': 'tcp', **many})
            answer = wire.head()[:2]
            wire.reset()  # to a container that has ended an engine would keep the stream for ever
            return answer

    assert box.tell(story) == (101, 'UPGRADED')


def test_chunks_both_ways_at_once(pair):
    """A build answers while its context is still coming."""
    context = tar(Dockerfile=b'FROM busybox\nCOPY big /\n', big=os.urandom(300000))

    def story(side):
        with side.wire(timeout=120) as wire:
            wire.send(f'POST /build?t=both&rm=1 {LINE}Content-Type: application/x-tar\r\n'
                      'Transfer-Encoding: chunked\r\n\r\n')
            wire.send(chunks(context))
            status, headers, body = wire.reply()
            return status, headers.get('transfer-encoding'), headers.get('content-type'), \
                b'Successfully tagged both:latest' in body

    assert pair.tell(story) == (200, 'chunked', 'application/json', True)


def test_an_old_client_without_keep_alive(box):
    """HTTP/1.0: no chunks, and the end of the connection is the end of the answer."""
    def story(side):
        with side.wire() as wire:
            wire.send('GET /containers/box/archive?path=/etc/passwd HTTP/1.0\r\n\r\n')
            status, _, headers = wire.head()
            data = wire.rest()
            return status, headers.get('transfer-encoding'), data[257:262]

    assert box.tell(story) == (200, None, b'ustar')
