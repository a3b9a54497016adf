# SPDX-License-Identifier: Apache-2.0
"""python3-docker: the library beneath Compose 1.x and Ansible's modules."""

import contextlib
import gc
import io
import socket
import tarfile

import pytest

import docker

pytestmark = pytest.mark.filterwarnings('ignore::DeprecationWarning')

IDLE = ['sh', '-c', 'trap exit TERM; echo up; while :; do sleep 0.1; done']
DOCKERFILE = b'FROM busybox\nARG WHO=nobody\nRUN echo "for $WHO" > /who\nCMD ["cat", "/who"]\n'


@pytest.fixture
def told(pair):
    """told(story): both tell story(client, side), each value that they yield made comparable."""
    def tell(story):
        def run(side):
            client = docker.DockerClient(base_url=f'tcp://{side.address}', timeout=60)
            try:
                return [side.neutral.value(value) for value in story(client, side)]
            finally:
                client.close()
                gc.collect()  # a stream that was not read to its end lives in a cycle

        return pair.tell(run)

    return tell


def archive_of(name, data):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode='w') as archive:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def refusal(call, *args, **options):
    with pytest.raises(docker.errors.APIError) as error:
        call(*args, **options)
    return type(error.value).__name__, error.value.status_code, error.value.explanation


def test_containers(told):
    def story(client, side):
        yield client.ping(), client.version()['ApiVersion']
        yield client.containers.run('busybox', ['echo', 'hello'], remove=True)
        with pytest.raises(docker.errors.ContainerError) as failed:
            client.containers.run('busybox', ['sh', '-c', 'echo bad >&2; exit 3'], remove=True)
        yield failed.value.exit_status, failed.value.stderr
        one = client.containers.run('busybox', IDLE, name='one', detach=True, tty=False,
                                    labels={'tier': 'front'}, environment={'A': '1'},
                                    mem_limit='64m', tmpfs={'/scratch': ''})
        yield one.status, one.name, one.labels.get('tier'), one.image.tags
        one.reload()
        yield one.status, one.attrs['Config']['Env'], one.attrs['HostConfig']['Memory']
        yield one.exec_run(['sh', '-c', 'echo out; echo err >&2; exit 4'], demux=True)
        yield b''.join(one.exec_run(['cat', '/etc/hostname'], stream=True).output) != b''
        yield one.top()['Titles'], next(one.logs(stream=True, follow=True))
        yield sorted(one.stats(stream=False))
        yield one.put_archive('/scratch/..', archive_of('note', b'written'))
        stream, stat = one.get_archive('/note')
        with tarfile.open(fileobj=io.BytesIO(b''.join(stream))) as archive:
            yield stat['name'], stat['size'], archive.extractfile('note').read()
        yield sorted(change['Path'] for change in one.diff())
        one.rename('uno')
        one.pause()
        yield [(each.name, each.status) for each in client.containers.list(
            filters={'label': 'tier=front'})], client.containers.list(filters={'status': 'exited'})
        one.unpause()
        one.update(mem_limit='80m', memswap_limit='160m')
        yield client.containers.get('uno').attrs['HostConfig']['Memory']
        one.stop(timeout=10)
        yield one.wait(), one.logs()
        yield refusal(client.containers.get, 'one')
        made = one.commit(repository='made', tag='1')
        yield made.tags, client.images.get('made:1').id == made.id
        one.remove()
        yield client.containers.list(all=True), client.containers.prune()['SpaceReclaimed']

    told(story)


def read_whole(plug, size):
    """As many bytes, however many pieces they come in."""
    data = b''
    while len(data) < size and (piece := plug.read(size - len(data))):
        data += piece
    return data


def unplug(plug):
    """To close what docker-py gives leaves the connection open, as the response has it too."""
    with contextlib.suppress(OSError):  # the engine's side may be through
        plug._sock.shutdown(socket.SHUT_RDWR)
    plug.close()


def test_attached(told):
    def story(client, side):
        made = client.containers.create('busybox', ['sh', '-c', 'read a; echo got $a; read b'],
                                        stdin_open=True, name='attached')
        plug = made.attach_socket(params={'stdin': 1, 'stdout': 1, 'stream': 1})
        made.start()
        plug._sock.sendall(b'this\n')
        yield read_whole(plug, 8 + len('got this\n'))
        plug._sock.sendall(b'end\n')
        yield made.wait(timeout=30), plug.read()
        unplug(plug)
        running = client.containers.run('busybox', ['cat'], stdin_open=True, detach=True)
        code, plug = running.exec_run(['cat'], stdin=True, socket=True, tty=True)
        plug._sock.sendall(b'typed\n')
        yield read_whole(plug, len('typed\r\ntyped\r\n'))
        unplug(plug)
        running.remove(force=True)
        made.remove()

    told(story)


def test_images(told):
    def story(client, side):
        built, log = client.images.build(fileobj=io.BytesIO(DOCKERFILE), tag='app:1',
                                         buildargs={'WHO': 'you'}, rm=True)
        said = ''.join(line.get('stream', '') for line in log)
        yield built.tags, [line for line in said.splitlines() if line.startswith('Step')]
        yield client.containers.run('app:1', remove=True)
        yield [entry['CreatedBy'] for entry in built.history()][0]
        with pytest.raises(docker.errors.BuildError) as failed:
            client.images.build(fileobj=io.BytesIO(b'FROM busybox\nRUN exit 9\n'), rm=True)
        yield failed.value.msg
        saved = b''.join(built.save(named=True))
        name = f'{side.lab.registry}/app'
        yield built.tag(name, '2'), 'error' in client.images.push(name, tag='2')
        client.images.remove(f'{name}:2')
        client.images.remove('app:1')
        yield refusal(client.images.get, 'app:1')
        # One engine tells of it once, the pool for every node.
        yield {tag for image in client.images.load(saved) for tag in image.tags} == {'app:1'}
        client.images.remove('app:1')
        yield client.images.pull(name, tag='2').tags
        yield sorted(sum((image.tags for image in client.images.list()), []))
        yield refusal(client.images.pull, f'{side.lab.registry}/none', tag='1')[:2]
        client.images.remove(f'{name}:2')

    told(story)


def test_networks_volumes_and_events(told):
    def story(client, side):
        net = client.networks.create('net', labels={'of': 'shop'})
        volume = client.volumes.create('data', labels={'of': 'shop'})
        yield net.name, net.attrs['Driver'], volume.name, volume.attrs['Labels']
        writer = client.containers.run('busybox', ['sh', '-c', 'echo kept > /data/x'], detach=True,
                                       volumes={'data': {'bind': '/data'}})
        yield writer.wait()
        yield client.containers.run('busybox', ['cat', '/data/x'], remove=True,
                                    volumes={'data': {'bind': '/data', 'mode': 'ro'}})
        late = client.containers.run('busybox', IDLE, detach=True, name='late', network='net')
        net.reload()
        yield [each.name for each in net.containers]
        yield refusal(net.remove)[1]
        net.disconnect(late)
        net.connect(late, aliases=['again'])
        yield sorted(client.api.inspect_container('late')['NetworkSettings']['Networks'])
        yield [each.name for each in client.networks.list(filters={'label': 'of=shop'})]
        yield [each.name for each in client.volumes.list(filters={'label': 'of=shop'})]
        late.remove(force=True)
        writer.remove()
        began = client.containers.run('busybox', 'true', name='noted', detach=True)
        began.wait()
        began.remove()
        seen = client.events(filters={'container': 'noted'}, decode=True, since=1)
        told = []
        for event in seen:
            told.append((event['Action'], event['Actor']['Attributes']['name']))
            if event['Action'] == 'destroy':
                break
        seen.close()
        yield told
        net.remove()
        volume.remove()
        yield client.networks.prune(), client.volumes.prune()['SpaceReclaimed']
        yield sorted(client.df())

    told(story)
