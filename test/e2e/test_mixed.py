# SPDX-License-Identifier: Apache-2.0
"""A pool of engines of different versions: node-1 runs the installed engine, node-2 and node-3 the
newer one in the directory that $SWARM_LAB_MODERN names, node-3 with its images in containerd's
store. Skipped without it."""

import json
import os

import pytest

from lab import client, engine, wait_until

pytestmark = pytest.mark.skipif(not os.environ.get('SWARM_LAB_MODERN'),
                                reason='$SWARM_LAB_MODERN names no engine programs')


@pytest.fixture(scope='module')
def pool(mixed_manager):
    return mixed_manager


def ask(pool, method, path, body=None, status=200):
    got, text = engine.request(pool.address, method, path, body, timeout=60)
    assert got == status, f'{method} {path}: {got} {text[:500]!r}'
    return json.loads(text) if text.strip() else None


def versions(lab):
    return [engine.get(node.address, '/version')['ApiVersion'] for node in lab.nodes]


def number(version):
    return tuple(int(part) for part in version.split('.'))


def test_the_pool_speaks_the_oldest_version(mixed_lab, pool):
    said = versions(mixed_lab)
    assert said[0] != said[1] == said[2]
    version = ask(pool, 'GET', '/version')
    assert version['ApiVersion'] == min(said, key=number)
    engines = [part['Details'] for part in version['Components'][1:]]
    assert [(part['ApiVersion'], part['Nodes']) for part in engines] == \
        [(said[0], '1'), (said[1], '2')]


@pytest.mark.parametrize('version', ['1.24', '1.32', '1.41', '1.44', '1.51'])
def test_a_container_on_each_engine(mixed_lab, pool, version):
    for node in mixed_lab.nodes:
        made = ask(pool, 'POST', f'/v{version}/containers/create?name=box',
                   {'Image': 'busybox', 'Cmd': ['echo', 'here'], 'NoSuchField': {'a': 1},
                    'Env': [f'constraint:node=={node.name}']}, 201)
        ask(pool, 'POST', f'/v{version}/containers/box/start', status=204)
        assert ask(pool, 'POST', f'/v{version}/containers/box/wait')['StatusCode'] == 0
        seen = ask(pool, 'GET', f'/v{version}/containers/{made["Id"]}/json')
        assert seen['Node']['Name'] == node.name and seen['Name'] == '/box'
        listed = ask(pool, 'GET', f'/v{version}/containers/json?all=1')
        assert [entry['Id'] for entry in listed] == [made['Id']]
        ask(pool, 'DELETE', f'/v{version}/containers/box', status=204)


def images(pool, version):
    """By the node that has it: what each id of busybox is listed with."""
    def of(node):
        asked = json.dumps({'node': [node], 'reference': ['busybox']}).replace('"', '%22')
        return ask(pool, 'GET', f'/v{version}/images/json?filters={asked.replace(" ", "")}')

    return {node: of(node) for node in ('node-1', 'node-2', 'node-3')}


def test_one_image_in_stores_of_two_kinds(mixed_lab, pool):
    """It has an id in each kind of store, and one name, which stands for both."""
    found = images(pool, '1.51')
    ids = [entries[0]['Id'] for entries in found.values() if len(entries) == 1]
    assert ids[0] == ids[1] != ids[2] and len(ids) == 3
    assert len(ask(pool, 'GET', '/images/json')) == 2
    ask(pool, 'POST', '/images/busybox/tag?repo=other&tag=1', status=201)
    for node in mixed_lab.nodes:
        assert engine.get(node.address, '/images/other:1/json')['Id'] in ids
    ask(pool, 'DELETE', '/images/other:1')
    for node in mixed_lab.nodes:
        assert engine.request(node.address, 'GET', '/images/other:1/json')[0] == 404


@pytest.mark.parametrize('version', ['1.41', '1.44', '1.47', '1.48', '1.51'])
def test_a_list_of_images_has_the_shape_of_its_version(mixed_lab, pool, version):
    """As the newer engine answers in that version, whatever was read anew after an event."""
    ask(pool, 'POST', '/images/busybox/tag?repo=other&tag=2', status=201)
    ask(pool, 'DELETE', '/images/other:2')
    for at, node in enumerate(mixed_lab.nodes[1:], start=2):
        own = engine.get(node.address, f'/v{version}/images/json')

        def shown():
            entries = images(pool, version)[f'node-{at}']
            return [(sorted(entry), entry['Size'], entry['RepoTags']) for entry in entries]

        wanted = [(sorted(entry), entry['Size'], entry['RepoTags']) for entry in own]
        wait_until(lambda: shown() == wanted, 20, f'{node.name} is shown as {wanted}')


def test_an_image_goes_from_engine_to_engine(mixed_lab, pool):
    """Made on one of them, it is loaded into all from what the pool saved."""
    for node in mixed_lab.nodes:
        tag = f'made:on-{node.index}'
        ask(pool, 'POST', '/containers/create?name=box',
            {'Image': 'busybox', 'Env': [f'constraint:node=={node.name}']}, 201)
        ask(pool, 'POST', f'/commit?container=box&repo=made&tag=on-{node.index}', {}, 201)
        ask(pool, 'DELETE', '/containers/box', status=204)
        status, archive = engine.request(pool.address, 'GET', f'/images/{tag}/get', timeout=60)
        assert status == 200
        status, said = engine.request(pool.address, 'POST', '/images/load?quiet=1', archive,
                                      timeout=60)
        assert status == 200 and b'"error"' not in said, said
        for other in mixed_lab.nodes:
            assert tag in engine.get(other.address, f'/images/{tag}/json')['RepoTags']
        ask(pool, 'DELETE', f'/images/{tag}')


@pytest.mark.every_cli
def test_the_command_line(mixed_lab, pool, cli):
    for node in mixed_lab.nodes:
        done = client.docker(pool.address, 'run', '--rm', '-i', '-e',
                             f'constraint:node=={node.name}', 'busybox', 'cat', cli=cli,
                             input='hello').ok()
        assert done.stdout == 'hello', done
    for args in (['ps', '-a'], ['images', '--digests'], ['system', 'df', '-v'], ['info'],
                 ['version'], ['network', 'ls'], ['volume', 'ls'], ['image', 'prune', '-f']):
        assert client.docker(pool.address, *args, cli=cli).ok().stdout, args
