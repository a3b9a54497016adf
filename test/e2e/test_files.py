# SPDX-License-Identifier: Apache-2.0
"""What goes into a container and comes out of it: docker cp, the archive calls, docker logs."""

import base64
import io
import json
import tarfile

import pytest

from lab import wait_until


@pytest.fixture
def box(pair):
    """A pair with a container `box` on each side, which has a few files."""
    pair.ok('run', '-d', '--name', 'box', 'busybox', 'sh', '-c',
            'mkdir -p /d/sub; echo a > /d/a; echo b > /d/sub/b; ln -s a /d/link; '
            'chmod 640 /d/a; touch /ready; exec sleep 1000')
    for side in (pair.pool, pair.engine):
        wait_until(lambda: side.docker('exec', 'box', 'test', '-e', '/ready').code == 0, 20,
                   'the files are there')
    return pair


def tree(path):
    """What is below a directory: {name: contents}."""
    return {str(item.relative_to(path)): item.read_text() if item.is_file() else None
            for item in sorted(path.rglob('*'))}


def archive(**files):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode='w') as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return data.getvalue()


@pytest.mark.every_cli
def test_copy_out(box, tmp_path):
    def story(side):
        place = tmp_path / side.name
        place.mkdir()
        told = []
        for source, target in [('/d', 'whole'), ('/d/.', 'inside'), ('/d/a', 'file'),
                               ('/d/link', 'link'), ('/d/sub/b', '.'), ('/nosuch', 'x'),
                               ('/d/a/', 'y'), ('d/a', 'relative')]:
            code, out, err = side.said('cp', f'box:{source}', place / target)
            # The engine names the container as it was asked for, by the pool with an id.
            err = err.replace(str(place), '<place>').replace('<id 1>', 'box')
            told.append((source, code, out, err))
        done = side.docker('cp', 'box:/d', '-', binary=True)
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
            told += [(item.name, item.mode, item.uid, item.linkname) for item in tar]
        return told, tree(place)

    told, files = box.tell(story)
    assert files['whole/sub/b'] == 'b\n' and files['file'] == 'a\n' and files['b'] == 'b\n'


@pytest.mark.every_cli
def test_copy_in(box, tmp_path):
    (tmp_path / 'dir/sub').mkdir(parents=True)
    (tmp_path / 'dir/one').write_text('1\n')
    (tmp_path / 'dir/sub/two').write_text('2\n')
    (tmp_path / 'big').write_bytes(bytes(range(256)) * 20000)
    box.ok('cp', tmp_path / 'dir', 'box:/new')
    box.ok('cp', f'{tmp_path}/dir/.', 'box:/tmp')
    box.ok('cp', tmp_path / 'dir/one', 'box:/d/')
    box.ok('cp', tmp_path / 'big', 'box:/big')
    box.ok('cp', '-', 'box:/tmp', input=archive(**{'from-tar': 'tar\n'}))
    assert box.ok('exec', 'box', 'sh', '-c', 'cat /new/one /new/sub/two /tmp/one /d/one '
                  '/tmp/from-tar; md5sum /big').split()[:5] == ['1', '2', '1', '1', 'tar']
    box.same('cp', tmp_path / 'dir', 'box:/d/a', code=1)
    box.same('cp', tmp_path / 'dir/one', 'box:/no/such/place', code=1)
    box.same('cp', tmp_path / 'nosuch', 'box:/tmp', code=1)
    box.same('cp', '-', 'box:/tmp', input=b'no archive' * 100, code=1)


def test_copy_with_a_stopped_container(pair, tmp_path):
    (tmp_path / 'file').write_text('there\n')
    pair.ok('create', '--name', 'still', 'busybox', 'cat', '/tmp/file')
    pair.ok('cp', tmp_path / 'file', 'still:/tmp/file')
    assert pair.ok('start', '-a', 'still') == 'there\n'


def test_archive_stat(box):
    """HEAD and GET carry the same header; HEAD no body, and the connection goes on."""
    def story(side):
        told = []
        with side.wire() as wire:
            for path in ('/d/a', '/d', '/d/link', '/nosuch'):
                wire.request('HEAD', f'/containers/box/archive?path={path}')
                status, _, headers = wire.head()
                stat = headers.get('x-docker-container-path-stat')
                told.append((status, headers.get('content-type') if status == 200 else None,
                             {**json.loads(base64.b64decode(stat)), 'mtime': 0} if stat else None))
            wire.request('GET', '/containers/box/archive?path=/d/a')
            status, headers, body = wire.reply()
            stat = headers['x-docker-container-path-stat']
            told.append((status, json.loads(base64.b64decode(stat))['name'],
                         headers['content-type']))
            with tarfile.open(fileobj=io.BytesIO(body)) as tar:
                told.append(tar.extractfile('a').read())
            wire.request('GET', '/_ping')
            told.append(wire.reply()[2])
        return told

    assert box.tell(story)[-2:] == [b'a\n', b'OK']


def test_archive_put(box):
    """With a length, in chunks, and after an Expect; on one connection."""
    data = archive(put='put\n')

    def story(side):
        path = '/containers/box/archive?path=/tmp'
        told = []
        with side.wire() as wire:
            wire.request('PUT', path, {'Content-Type': 'application/x-tar'}, data)
            told.append(wire.reply()[::2])
            chunks = b''.join(b'%x\r\n%s\r\n' % (len(data[at:at + 1000]), data[at:at + 1000])
                              for at in range(0, len(data), 1000)) + b'0\r\n\r\n'
            wire.request('PUT', path, {'Transfer-Encoding': 'chunked'}, chunks)
            told.append(wire.reply()[::2])
            wire.request('PUT', path, {'Expect': '100-continue', 'Content-Length': len(data)})
            told.append(wire.head()[0])
            wire.send(data)
            told.append(wire.reply()[::2])
            wire.request('GET', '/_ping')
            told.append(wire.reply()[2])
        # The upload is refused before it is sent.
        with side.wire() as wire:
            wire.request('PUT', '/containers/nosuch/archive?path=/tmp',
                         {'Expect': '100-continue', 'Content-Length': len(data)})
            told.append(wire.head()[0])
        return told

    assert box.tell(story) == [(200, b''), (200, b''), 100, (200, b''), b'OK', 404]
    assert box.ok('exec', 'box', 'cat', '/tmp/put') == 'put\n'


LINES = 'for i in 1 2 3; do echo "out $i"; done'
BOTH = LINES + '; for i in 1 2 3; do echo "err $i" >&2; done'


@pytest.mark.every_cli
def test_logs(pair):
    pair.same('run', '--name', 'talk', 'busybox', 'sh', '-c', LINES, code=0)
    pair.same('run', '--name', 'two', 'busybox', 'sh', '-c', BOTH, code=0)
    assert pair.same('logs', 'two') == (0, 'out 1\nout 2\nout 3\n', 'err 1\nerr 2\nerr 3\n')
    pair.same('run', '--name', 'mute', 'busybox', 'true', code=0)
    for options in [[], ['--tail', '2'], ['-n', '0'], ['--tail', 'all'], ['-f'], ['-f', '-n', '1'],
                    ['--since', '10m'], ['--since', '2000-01-01T00:00:00'], ['--until', '10m'],
                    ['--since', '1s', '--until', '10m'], ['--details'], ['--tail', 'nosuch']]:
        pair.same('logs', *options, 'talk')
    assert pair.same('logs', 'mute') == (0, '', '')
    pair.same('logs', '--since', 'nosuch', 'talk', code=1)
    stamped = pair.ok('logs', '-t', 'talk')
    assert stamped == ''.join(f'<time> out {number}\n' for number in (1, 2, 3))

    def since_the_second(side):
        """From the time stamp of the second line on there are two of three."""
        lines = side.docker('logs', '-t', 'talk').ok().lines
        stamp = lines[1].split()[0]
        return side.said('logs', '--since', stamp, 'talk')[1]

    assert pair.tell(since_the_second) == 'out 2\nout 3\n'


@pytest.mark.every_cli
def test_logs_follow(pair):
    pair.ok('create', '-i', '--name', 'talk', 'busybox', 'sh', '-c',
            'while read line; do echo "said $line"; done')
    pair.ok('start', 'talk')

    def story(side):
        with side.background('attach', 'talk') as speaker, \
                side.background('logs', '-f', 'talk') as first:
            speaker.send('one\n')
            first.expect('said one\n')
            with side.background('logs', '-f', '--tail', '1', 'talk') as second:
                second.expect('said one\n')
                speaker.send('two\n')
                first.expect('said two\n')
                second.expect('said two\n')
                speaker.end_input()
                return first.wait(), first.text, second.wait(), second.text, speaker.wait()

    assert pair.tell(story) == (0, 'said one\nsaid two\n', 0, 'said one\nsaid two\n', 0)


def test_logs_of_a_terminal(pair):
    pair.same('run', '-t', '--name', 'term', 'busybox', 'sh', '-c', BOTH, code=0)
    assert pair.ok('logs', 'term').startswith('out 1\r\nout 2\r\n')
    pair.same('logs', '--tail', '1', 'term', code=0)


def test_logs_without_a_stream(pair):
    pair.ok('create', '--name', 'mute', 'busybox', 'true')
    pair.same_reply('GET', '/containers/mute/logs')
    pair.same_reply('GET', '/containers/mute/logs?stdout=1&since=nosuch')
    pair.ok('create', '--name', 'none', '--log-driver', 'none', 'busybox', 'true')
    pair.same('logs', 'none', code=1)
