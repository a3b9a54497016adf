# SPDX-License-Identifier: Apache-2.0
"""Volumes on real engines: each is on one node, found under its plain name, and draws to it the
containers that use it."""

import concurrent.futures
import json

import pytest

from lab import wait_until


def homes(lab, name):
    """The names of the nodes that have a volume."""
    return [node.name for node in lab.nodes if node.api('GET', f'/volumes/{name}')[0] == 200]


def node_of(pair, name):
    return pair.pool.http('GET', f'/containers/{name}/json').json()['Node']['Name']


def listed(pair, *filters):
    options = [word for value in filters for word in ('--filter', value)]
    return pair.pool.docker('volume', 'ls', '-q', *options).ok().lines


@pytest.mark.every_cli
def test_as_on_one_engine(pair):
    """The life of a volume, word for word as one engine has it."""
    assert pair.ok('volume', 'create', 'data') == 'data\n'
    assert pair.ok('volume', 'create', 'data') == 'data\n'
    pair.ok('volume', 'ls')
    pair.ok('volume', 'ls', '-q', '--filter', 'name=^dat')
    pair.ok('volume', 'inspect', 'data', '--format', '{{.Name}} {{.Driver}} {{.Scope}} {{.Options}}')
    pair.same('volume', 'inspect', 'nowhere', code=1)
    pair.same('volume', 'ls', '--filter', 'colour=red', code=1)
    pair.ok('run', '--rm', '-v', 'data:/x', 'busybox', 'sh', '-c', 'echo kept > /x/file')
    assert pair.ok('run', '--rm', '-v', 'data:/x', 'busybox', 'cat', '/x/file') == 'kept\n'
    pair.ok('create', '--name', 'user', '-v', 'data:/x', 'busybox')
    assert pair.same('volume', 'rm', 'data')[0] == 1
    pair.ok('volume', 'ls', '-q', '--filter', 'dangling=true')
    pair.ok('volume', 'ls', '-q', '--filter', 'dangling=false')
    pair.ok('rm', 'user')
    assert pair.ok('volume', 'rm', 'data') == 'data\n'
    pair.same('volume', 'rm', 'data', code=1)
    pair.ok('volume', 'rm', '-f', 'data')
    pair.ok('volume', 'ls')


def test_labels_and_filters(pair):
    pair.ok('volume', 'create', '--label', 'tier=db', '--label', 'plain', 'labelled')
    pair.ok('volume', 'create', 'other')
    for value in ('label=tier', 'label=tier=db', 'label=tier=web', 'label=plain', 'driver=local',
                  'driver=nfs', 'name=lab', 'name=^other$'):
        pair.ok('volume', 'ls', '-q', '--filter', value)
    pair.same_reply('GET', '/volumes?filters=%7B%22dangling%22%3A%5B%22maybe%22%5D%7D')
    pair.same_reply('GET', '/volumes?filters=%7B%22label%22%3A%7B%22tier%3Ddb%22%3Atrue%7D%7D',
                    compare_body=False)


def test_refusals_are_an_engines(pair):
    pair.same('volume', 'create', '-d', 'nosuchdriver', 'x', code=1)
    pair.same('volume', 'create', '--opt', 'odd=option', 'x', code=1)
    pair.same('volume', 'create', 'a b', code=1)
    assert pair.pool.docker('volume', 'ls', '-q').ok().stdout == ''


def test_users_are_drawn(pair, lab):
    pair.pool.docker('volume', 'create', 'data').ok()
    home = homes(lab, 'data')
    assert len(home) == 1
    for number in range(4):
        pair.pool.docker('create', '--name', f'u{number}', '-v', 'data:/x', 'busybox').ok()
        assert node_of(pair, f'u{number}') == home[0]
    pair.pool.docker('create', '--name', 'mounted', '--mount', 'source=data,target=/x', 'busybox').ok()
    assert node_of(pair, 'mounted') == home[0]
    assert homes(lab, 'data') == home


def test_many_at_once_make_one(pair, lab):
    with concurrent.futures.ThreadPoolExecutor(12) as workers:
        list(workers.map(lambda number: pair.pool.create(
            f'u{number}', 'true', HostConfig={'Binds': ['fresh:/x']}), range(12)))
    assert len(homes(lab, 'fresh')) == 1
    assert len({node_of(pair, f'u{number}') for number in range(12)}) == 1


def test_node_and_name(pair, lab):
    pool = pair.pool
    for node in ('node-1', 'node-3'):
        pool.docker('volume', 'create', f'{node}/data').ok()
    assert homes(lab, 'data') == ['node-1', 'node-3']
    assert listed(pair) == ['node-1/data', 'node-3/data']
    assert listed(pair, 'node=node-3') == ['node-3/data']
    refused = pool.docker('volume', 'inspect', 'data')
    assert refused.code == 1 and 'node-1/data, node-3/data' in refused.stderr, refused
    shown = json.loads(pool.docker('volume', 'inspect', 'node-3/data').ok().stdout)
    assert shown[0]['Name'] == 'node-3/data'
    for node in ('node-1', 'node-3'):
        pool.create(f'user-{node}', 'true', HostConfig={'Binds': [f'{node}/data:/x']})
        assert node_of(pair, f'user-{node}') == node
    # What is no node's name is part of the volume's, and the engine's to refuse.
    pair.same('volume', 'create', 'node-9/data', code=1)


def test_labels_say_where(pair, lab):
    pair.pool.docker('volume', 'create', '--label',
                     'com.docker.swarm.constraints=["node==node-2"]', 'there').ok()
    assert homes(lab, 'there') == ['node-2']


def test_volumes_apart_are_refused_with_the_reason(pair):
    pair.pool.docker('volume', 'create', 'node-1/one').ok()
    pair.pool.docker('volume', 'create', 'node-2/two').ok()
    refused = pair.pool.docker('create', '-v', 'one:/x', '-v', 'two:/y', 'busybox')
    assert refused.code == 1, refused
    for reason in ('volume one is on node-1', 'volume two is on node-2'):
        assert reason in refused.stderr, refused


def test_prune(pair, lab):
    pool = pair.pool
    pool.docker('volume', 'create', 'node-1/left').ok()
    pool.docker('volume', 'create', 'node-2/left').ok()
    pool.docker('volume', 'create', 'node-3/alone').ok()
    pool.docker('create', '--name', 'user', '-v', 'kept:/x', 'busybox').ok()
    reply = pool.http('POST', '/volumes/prune')
    assert reply.status == 200, repr(reply)
    assert sorted(reply.json()['VolumesDeleted']) == ['alone', 'node-1/left', 'node-2/left']
    assert reply.json()['SpaceReclaimed'] == 0
    assert listed(pair) == ['kept']
    pair.ok('volume', 'prune', '-f')
    assert pair.same_reply('POST', '/volumes/prune').json()['VolumesDeleted'] == []


def test_what_others_do_is_seen(pair, lab):
    lab.node(2).docker('volume', 'create', 'made-there').ok()
    wait_until(lambda: listed(pair) == ['made-there'], 10, 'the pool shows the volume')
    lab.node(2).docker('volume', 'rm', 'made-there').ok()
    wait_until(lambda: listed(pair) == [], 10, 'the pool shows that the volume went')


def test_anonymous_volumes_go_with_their_container(pair):
    pair.ok('run', '--rm', '-v', '/x', 'busybox', 'true')
    assert listed(pair) == []
    pair.pool.docker('create', '--name', 'keeps', '-v', '/x', 'busybox').ok()
    pair.pool.docker('rm', 'keeps').ok()
    wait_until(lambda: len(listed(pair)) == 1, 10, 'its volume is left')


def test_volumes_from(pair):
    """A container with a named volume, and one that takes its volumes."""
    pair.ok('run', '--name', 'source', '-v', 'data:/x', 'busybox', 'sh', '-c', 'echo hi > /x/f')
    assert pair.ok('run', '--rm', '--volumes-from', 'source', 'busybox', 'cat', '/x/f') == 'hi\n'
