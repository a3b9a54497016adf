# SPDX-License-Identifier: Apache-2.0
"""Prunes and disk usage: what goes on all nodes together, with each command line."""

import re

import pytest

from lab import client


@pytest.fixture
def docker(fresh_lab, manager, cli):
    return lambda *args, **options: client.docker(manager.address, *args, cli=cli, **options)


def spread(docker, count):
    """Containers that are spread over the nodes, of which none runs."""
    for number in range(count):
        docker('create', '--name', f'idle-{number}', '-l', f'odd={number % 2}', 'busybox',
               'true').ok()


@pytest.mark.every_cli
def test_containers_of_all_nodes(docker):
    spread(docker, 6)
    docker('run', '-d', '--name', 'stays', 'busybox', 'sleep', '1000').ok()
    done = docker('container', 'prune', '-f', '--filter', 'label=odd=1').ok().stdout
    assert len(re.findall('^[0-9a-f]{64}$', done, re.M)) == 3
    assert docker('ps', '-a', '--format', '{{.Names}}', '-f', 'name=idle').lines == [
        'idle-4', 'idle-2', 'idle-0']
    done = docker('container', 'prune', '-f').ok().stdout
    assert len(re.findall('^[0-9a-f]{64}$', done, re.M)) == 3
    assert docker('ps', '-a', '--format', '{{.Names}}').lines == ['stays']
    assert 'Total reclaimed space: 0B' in docker('container', 'prune', '-f').stdout


def test_containers_of_one_node(docker):
    spread(docker, 6)
    names = docker('ps', '-a', '--format', '{{.Names}}', '-f', 'node=node-1').lines
    docker('container', 'prune', '-f', '--filter', 'node=node-1').ok()
    left = docker('ps', '-a', '--format', '{{.Names}}').lines
    assert names and sorted(left) == sorted(f'idle-{n}' for n in range(6)
                                            if f'idle-{n}' not in names)


def test_images_of_all_nodes(docker):
    docker('create', '--name', 'origin', 'busybox', 'true').ok()
    image = docker('commit', '-c', 'LABEL made=here', 'origin', 'made:1').ok().stdout.strip()
    assert docker('images', '-q', '--no-trunc', 'made').lines == [image]
    docker('rm', 'origin').ok()
    done = docker('image', 'prune', '-a', '-f', '--filter', 'label=made=here').ok().stdout
    assert 'made:1' in done and image in done
    assert docker('images', '-q', 'made').lines == []
    assert docker('images', '-q', 'busybox').lines


@pytest.mark.every_cli
def test_disk_usage(docker):
    spread(docker, 3)
    rows = docker('system', 'df', '--format', '{{.Type}}: {{.TotalCount}} {{.Active}}').lines
    assert rows[0].startswith('Images: 1 1')
    assert rows[1] == 'Containers: 3 0'
    shown = docker('system', 'df', '-v').ok().stdout
    assert 'idle-2' in shown and 'busybox' in shown


@pytest.mark.slow
def test_a_node_that_is_away(docker, fresh_lab, manager):
    spread(docker, 6)
    fresh_lab.node(2).cut()
    done = docker('container', 'prune', '-f', timeout=90)
    fresh_lab.node(2).heal()
    assert done.code == 1
    assert 'node-2' in done.stderr and 'the other nodes deleted 4' in done.stderr
    manager.wait_healthy(3, timeout=60)
    assert len(docker('ps', '-aq').lines) == 2


@pytest.mark.every_cli
def test_nodes(docker):
    rows = docker('node', 'ls', '--format', '{{.Hostname}} {{.Status}} {{.EngineVersion}}').lines
    assert [row.split()[:2] for row in rows] == [[f'node-{n}', 'Ready'] for n in (1, 2, 3)]
    assert '"Hostname": "node-2"' in docker('node', 'inspect', 'node-2').ok().stdout
    assert docker('plugin', 'ls', '-q').lines == []


def test_system_prune(pair, tmp_path):
    """Everything at once: what one engine deletes the pool deletes, wherever it is."""
    (tmp_path / 'Dockerfile').write_text('FROM busybox\nARG ROUND\nRUN echo $ROUND > /round\n')

    def pruned(side, *options):
        code, out, err = side.said('system', 'prune', '-f', *options)
        # Each of several in any order.
        return code, err, sorted(re.sub(r'<id \d+>', '<id>', out).splitlines())

    def story(side):
        # One on every node, so that busybox is used on each.
        side.start('stays', 'sleep', '1000', HostConfig={'Binds': ['used:/data']})
        for number in range(2):
            side.start(f'stays-{number}', 'sleep', '1000')
        for number in range(4):
            side.create(f'idle-{number}', 'true', Volumes={'/anonymous': {}})
        for name in ('net-1', 'net-2'):
            side.docker('network', 'create', name).ok()
        side.docker('volume', 'create', 'unused').ok()
        for number in range(2):
            side.docker('build', '-q', '-t', 'app:1', '--build-arg', f'ROUND={number}', tmp_path,
                        env={'DOCKER_BUILDKIT': '0'}).ok()
        told = [pruned(side, '--filter', 'label=none'), pruned(side), pruned(side)]
        told += [sorted(side.docker('ps', '-a', '--format', '{{.Names}}').ok().lines),
                 side.said('network', 'ls', '-q', '-f', 'type=custom'),
                 side.docker('volume', 'ls', '-q', '-f', 'name=used').ok().lines,
                 pruned(side, '-a', '--volumes')]
        return [*told, side.docker('volume', 'ls', '-q', '-f', 'name=used').ok().lines,
                sorted(side.docker('images', '--format', '{{.Repository}}').ok().lines)]

    told = pair.tell(story)
    assert {'net-1', 'net-2', 'Deleted Containers:', 'Deleted Images:'} <= set(told[1][2])
    assert told[3] == ['stays', 'stays-0', 'stays-1'] and told[5] == ['unused', 'used'] and told[8] == ['busybox']
