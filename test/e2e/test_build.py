# SPDX-License-Identifier: Apache-2.0
"""docker build over the pool: the classic builder and BuildKit, on real engines. The base image is
the lab's busybox, as there is no way out of the lab."""

import glob
import io
import os
import signal
import tarfile

import pytest

from lab import client, clis, wait_until
from support import Background, Wire, emptied

CLASSIC = {'DOCKER_BUILDKIT': '0'}
BUILDKIT = {'DOCKER_BUILDKIT': '1'}
OLDEST = clis()[0][1]


@pytest.fixture(params=[CLASSIC, BUILDKIT], ids=['classic', 'buildkit'])
def builder(request):
    return request.param


@pytest.fixture
def pool(lab, manager):
    """docker(args...) against the pool, with the oldest command line: a current one has no BuildKit
    of its own, but asks buildx for it."""
    def docker(*args, **options):
        return client.docker(manager.address, *args, **{'timeout': 120, **options})

    emptied(lab, manager)
    yield docker
    emptied(lab, manager)


def context(directory, dockerfile, **files):
    directory.mkdir(exist_ok=True)
    (directory / 'Dockerfile').write_text(dockerfile)
    for name, text in files.items():
        (directory / name.replace('__', '.')).write_text(text)
    return str(directory)


def holders(lab, image):
    """The names of the nodes that have it, as they say themselves."""
    return {node.name for node in lab.nodes
            if client.docker(node.address, 'image', 'inspect', image).code == 0}


def node_of(pool, name):
    return pool('inspect', '-f', '{{.Node.Name}}', name).ok().stdout.strip()


def test_args_labels_and_ignored_files(pool, builder, tmp_path):
    where = context(tmp_path / 'c', '''
        FROM busybox
        ARG GREETING=none
        LABEL stage=test
        COPY . /data/
        RUN echo $GREETING > /greeting && ls /data > /list
        CMD cat /greeting /list
        ''', kept='1', secret__txt='2', __dockerignore='*.txt\n')
    pool('build', '-t', 'app:1', '--build-arg', 'GREETING=hello there', '--label', 'extra=yes',
         where, env=builder).ok()
    # Known at once, by name and label, and it runs where it is.
    assert pool('images', '-q', 'app:1').ok().lines
    assert pool('images', '-q', '--filter', 'label=extra=yes').ok().lines
    said = pool('run', '--rm', 'app:1').ok().stdout
    assert said.startswith('hello there\n') and 'kept' in said and 'secret.txt' not in said


def test_multi_stage_from_another_file(pool, builder, tmp_path):
    where = context(tmp_path / 'c', 'FROM no-such-image\n', other='''
        FROM busybox AS first
        RUN echo made > /thing
        FROM busybox
        COPY --from=first /thing /copied
        CMD cat /copied
        ''')
    pool('build', '-t', 'staged', '-f', f'{where}/other', where, env=builder).ok()
    assert pool('run', '--rm', 'staged').ok().stdout == 'made\n'


def test_constraints_choose_the_node(pool, builder, lab, tmp_path):
    # The text is used up by the pool: a Dockerfile that knows no such arg is not asked about it.
    where = context(tmp_path / 'c', 'FROM busybox\nRUN echo x > /x\n')
    for node in ('node-2', 'node-3'):
        image = f'at-{node}'
        pool('build', '-t', image, '--build-arg', f'constraint:node=={node}', where,
             env=builder).ok()
        assert holders(lab, image) == {node}
        for name in ('a', 'b'):
            pool('run', '-d', '--name', f'{image}-{name}', image, 'sleep', '100').ok()
            assert node_of(pool, f'{image}-{name}') == node
    refused = pool('build', '--build-arg', 'constraint:node==node-9', where, env=builder)
    assert refused.code != 0 and 'node==node-9' in refused.stderr


def test_a_rebuild_replaces_the_image(pool, builder, lab, tmp_path):
    for text in ('one', 'two', 'three'):
        where = context(tmp_path / text, f'FROM busybox\nRUN echo {text} > /x\nCMD cat /x\n')
        pool('build', '-t', 'again', where, env=builder).ok()
        assert pool('run', '--rm', 'again').ok().stdout == f'{text}\n'
    assert len(holders(lab, 'again')) == 1


def test_context_from_stdin(pool, builder, tmp_path):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode='w') as tar:
        for name, data in (('Dockerfile', b'FROM busybox\nCOPY big /big\n'),
                           ('big', os.urandom(3 << 20))):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    pool('build', '-t', 'piped', '-', input=archive.getvalue(), binary=True, env=builder).ok()
    assert pool('run', '--rm', 'piped', 'stat', '-c', '%s', '/big').ok().stdout == '3145728\n'
    # And a Dockerfile alone.
    pool('build', '-t', 'alone', '-', input='FROM busybox\nCMD echo alone\n', env=builder).ok()
    assert pool('run', '--rm', 'alone').ok().stdout == 'alone\n'


def test_a_failed_step_is_the_builds_failure(pool, builder, tmp_path):
    where = context(tmp_path / 'c', 'FROM busybox\nRUN echo before && exit 7\n')
    failed = pool('build', '-t', 'broken', where, env=builder)
    assert failed.code != 0 and '7' in failed.stderr
    assert pool('images', '-q', 'broken').ok().stdout == ''


def test_a_base_that_is_nowhere(pool, builder, tmp_path):
    failed = pool('build', context(tmp_path / 'c', 'FROM no-such-base:9\n'), env=builder)
    # The engine's own words: whom it asked in vain.
    assert failed.code != 0 and 'registry-1.docker.io' in failed.stderr


def is_running(*words):
    """Some process of this machine, so of any node, is that command."""
    for path in glob.glob('/proc/[0-9]*/cmdline'):
        try:
            with open(path, 'rb') as file:
                if file.read().split(b'\0')[:-1] == [word.encode() for word in words]:
                    return True
        except OSError:
            continue
    return False


@pytest.mark.slow
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGKILL])
def test_whoever_leaves_stops_the_build(pool, builder, manager, tmp_path, number):
    step = ['sleep', str(100000 + os.getpid())]
    where = context(tmp_path / 'c', f'FROM busybox\nRUN {" ".join(step)}\n')
    with Background(manager.address, OLDEST, ['build', '-t', 'never', where],
                    env=builder) as running:
        wait_until(lambda: is_running(*step), 60, 'the step of the build')
        running.signal(number)
        wait_until(lambda: not is_running(*step), 30, 'the end of the step')
    assert pool('images', '-q', 'never').ok().stdout == ''


def test_secrets_and_plain_progress(pool, tmp_path):
    (tmp_path / 'token').write_text('squeamish')
    where = context(tmp_path / 'c', '''
        FROM busybox AS base
        RUN echo base > /base
        FROM base
        RUN --mount=type=secret,id=token wc -c < /run/secrets/token > /size
        CMD cat /size
        ''')
    done = pool('build', '--progress=plain', '--secret', f'id=token,src={tmp_path}/token', '-t',
                'secretive', where, env=BUILDKIT).ok()
    assert 'wc -c' in done.stderr
    assert pool('run', '--rm', 'secretive').ok().stdout == '9\n'


def test_builds_of_two_clients_at_once(pool, builder, manager, lab, tmp_path):
    running = []
    for i in range(4):
        where = context(tmp_path / str(i), f'FROM busybox\nRUN echo {i} > /x && sleep 2\nCMD cat /x\n')
        running.append(Background(manager.address, OLDEST, ['build', '-t', f'at-once-{i}', where],
                                  env=builder))
    for build in running:
        with build:
            assert build.wait(120) == 0, build.text
    for i in range(4):
        assert pool('run', '--rm', f'at-once-{i}').ok().stdout == f'{i}\n'
    assert len(set.union(*(holders(lab, f'at-once-{i}') for i in range(4)))) > 1


@pytest.mark.every_cli
def test_as_it_comes(manager, lab, cli, tmp_path):
    """Nothing said about builders: what each command line makes of the pool's Builder-Version."""
    where = context(tmp_path / 'c', 'FROM busybox\nCMD echo built\n')
    client.docker(manager.address, 'build', '-t', 'plain', where, cli=cli, timeout=120).ok()
    said = client.docker(manager.address, 'run', '--rm', 'plain', cli=cli).ok().stdout
    assert said == 'built\n'
    emptied(lab, manager)


def test_grpc_reaches_buildkit(manager):
    """What buildx opens: HTTP/2 in the clear behind an upgrade. BuildKit answers its preface with
    SETTINGS, a frame of type 4."""
    upgrade = {'Connection': 'Upgrade', 'Upgrade': 'h2c'}
    with Wire(manager.address) as probe:
        probe.request('POST', '/grpc', upgrade)
        assert probe.head()[0] == 101
    for _ in range(2):
        with Wire(manager.address) as wire:
            wire.request('POST', '/grpc', upgrade)
            status, _, headers = wire.head()
            assert (status, headers['upgrade']) == (101, 'h2c')
            wire.send(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
            assert wire.exactly(9)[3] == 4
