# SPDX-License-Identifier: Apache-2.0
"""Networks on real engines: one list, each found under its plain name, containers that find each
other in them, and what a swarm's engines share."""

import json
import re

import pytest

from lab import wait_until

NAMES = '{{.Name}} {{.Driver}} {{.Scope}}'


def homes(lab, name):
    """The names of the nodes that have a network."""
    return [node.name for node in lab.nodes
            if any(network['Name'] == name
                   for network in json.loads(node.api('GET', '/networks')[1]))]


def node_of(pair, name):
    return pair.pool.http('GET', f'/containers/{name}/json').json()['Node']['Name']


def listed(pair, *filters):
    options = [word for value in ('type=custom', *filters) for word in ('--filter', value)]
    return pair.pool.docker('network', 'ls', '--format', '{{.Name}}', *options).ok().lines


@pytest.mark.every_cli
def test_as_on_one_engine(pair):
    """The life of a network, word for word as one engine has it."""
    pair.ok('network', 'create', 'front')
    pair.same('network', 'create', 'front', code=1)
    pair.same('network', 'create', 'bridge', code=1)
    pair.ok('network', 'ls', '--filter', 'type=custom', '--format', NAMES)
    pair.ok('network', 'inspect', 'front', '--format',
            '{{.Name}} {{.Driver}} {{.Scope}} {{.Attachable}} {{.Containers}}')
    pair.same('network', 'inspect', 'nowhere', code=1)
    assert pair.same_reply('GET', '/networks/front?scope=swarm').status == 404
    pair.same('network', 'ls', '--filter', 'colour=red', code=1)
    pair.same('network', 'rm', 'bridge', code=1)
    pair.ok('run', '-d', '--name', 'web', '--network', 'front', 'busybox', 'sleep', '1000')
    assert pair.ok('ps', '-q', '--filter', 'network=front').count('\n') == 1
    assert pair.ok('network', 'inspect', 'front', '--format',
                   '{{range .Containers}}{{.Name}}{{end}}') == 'web\n'
    assert pair.same('network', 'rm', 'front')[0] == 1
    pair.ok('network', 'disconnect', 'front', 'web')
    pair.same('network', 'disconnect', 'front', 'web', code=1)
    pair.ok('network', 'connect', '--alias', 'site', 'front', 'web')
    pair.ok('rm', '-f', 'web')
    pair.ok('network', 'rm', 'front')
    pair.same('network', 'rm', 'front', code=1)
    assert listed(pair) == []


@pytest.mark.every_cli
def test_containers_find_each_other(pair):
    """By name and by alias, in a network of their own."""
    pair.ok('network', 'create', 'app')
    pair.ok('run', '-d', '--name', 'db', '--network', 'app', '--network-alias', 'store',
            'busybox', 'sleep', '1000')
    for name in ('db', 'store'):
        pair.ok('run', '--rm', '--network', 'app', 'busybox', 'sh', '-c',
                f'ping -c 1 -W 5 {name} > /dev/null && echo found')


def test_labels_and_filters(pair):
    pair.ok('network', 'create', '--label', 'tier=db', 'labelled')
    pair.ok('network', 'create', '--internal', 'other')
    for value in ('label=tier', 'label=tier=web', 'driver=bridge', 'driver=macvlan',
                  'name=lab', 'name=^other$', 'scope=local', 'scope=swarm', 'dangling=true'):
        pair.ok('network', 'ls', '--filter', 'type=custom', '--filter', value, '--format', NAMES)
    pair.ok('network', 'inspect', 'other', '--format', '{{.Internal}} {{.Labels}}')
    for wrong in ('type=odd', 'dangling=maybe', 'colour=red'):
        pair.same('network', 'ls', '--filter', wrong, code=1)


def test_a_list_of_before_128(pair):
    """It told the containers of each network."""
    pair.same('network', 'create', 'mine')
    pair.same('run', '-d', '--name', 'idle', '--network', 'mine', 'busybox', 'sleep', '1000')

    def listed(side):
        told = {}
        for version in ('v1.24', 'v1.27', 'v1.28'):
            rows = side.http('GET', f'/{version}/networks').json()
            told[version] = [[one['Name'] for one in row['Containers'].values()]
                             for row in rows if row['Name'] == 'mine']
        return told

    assert pair.tell(listed) == {'v1.24': [['idle']], 'v1.27': [['idle']], 'v1.28': [[]]}


def test_the_built_in_ones(pair, lab):
    pool = pair.pool
    shown = pool.docker('network', 'ls', '--filter', 'type=builtin', '--format',
                        '{{.Name}}').ok().lines
    assert shown == sorted(f'{node.name}/{name}' for node in lab.nodes
                           for name in ('bridge', 'host', 'none'))
    for number in range(3):
        pool.start(f'c{number}', 'sleep', '1000')
    everywhere = json.loads(pool.docker('network', 'inspect', 'bridge').ok().stdout)[0]
    assert everywhere['Name'] == 'bridge'
    assert sorted(one['Name'] for one in everywhere['Containers'].values()) == ['c0', 'c1', 'c2']
    one = json.loads(pool.docker('network', 'inspect', 'node-2/bridge').ok().stdout)[0]
    assert one['Name'] == 'node-2/bridge' and len(one['Containers']) == 1
    pool.docker('run', '-d', '--name', 'there', '--network', 'node-3/bridge', 'busybox', 'sleep',
                '1000').ok()
    assert node_of(pair, 'there') == 'node-3'


def test_containers_are_drawn(pair, lab):
    pair.pool.docker('network', 'create', 'front').ok()
    home = homes(lab, 'front')
    assert len(home) == 1
    for number in range(4):
        pair.pool.docker('run', '-d', '--name', f'c{number}', '--network', 'front', 'busybox',
                         'sleep', '1000').ok()
        assert node_of(pair, f'c{number}') == home[0]


def test_node_and_name(pair, lab):
    pool = pair.pool
    pool.docker('network', 'create', 'node-2/front').ok()
    assert homes(lab, 'front') == ['node-2'] and listed(pair) == ['front']
    pool.docker('network', 'create', 'node-3/front').ok()
    assert listed(pair) == ['node-2/front', 'node-3/front']
    refused = pool.docker('network', 'inspect', 'front')
    assert refused.code == 1
    assert re.search(r'node-2/front \([0-9a-f]{12}\), node-3/front \([0-9a-f]{12}\)', refused.stderr)
    pool.docker('run', '-d', '--name', 'web', '--network', 'node-3/front', 'busybox', 'sleep',
                '1000').ok()
    assert node_of(pair, 'web') == 'node-3'
    shown = json.loads(pool.docker('network', 'inspect', 'node-3/front').ok().stdout)[0]
    assert shown['Name'] == 'node-3/front' and len(shown['Containers']) == 1
    pool.docker('rm', '-f', 'web').ok()
    pool.docker('network', 'rm', 'node-3/front').ok()
    assert listed(pair) == ['front']


def test_connect_goes_to_the_containers_node(pair):
    pool = pair.pool
    pool.docker('network', 'create', 'node-1/front').ok()
    for node in ('node-1', 'node-2'):
        pool.start(f'at-{node}', 'sleep', '1000', Env=[f'constraint:node=={node}'])
    pool.docker('network', 'connect', 'front', 'at-node-1').ok()
    refused = pool.docker('network', 'connect', 'front', 'at-node-2')
    assert refused.code == 1 and 'network front not found on node-2' in refused.stderr, refused
    # Each node has a bridge, and the one that is meant is the container's.
    pool.docker('network', 'disconnect', 'bridge', 'at-node-2').ok()
    assert pool.http('GET', '/containers/at-node-2/json').json()['NetworkSettings'][
        'Networks'] == {}
    pool.docker('network', 'connect', 'bridge', 'at-node-2').ok()


def test_prune(pair):
    pool = pair.pool
    for name in ('node-1/left', 'node-2/left', 'node-3/alone', 'node-3/kept'):
        pool.docker('network', 'create', name).ok()
    pool.docker('run', '-d', '--name', 'web', '--network', 'kept', 'busybox', 'sleep', '1000').ok()
    reply = pool.http('POST', '/networks/prune')
    assert reply.status == 200, repr(reply)
    assert sorted(reply.json()['NetworksDeleted']) == ['alone', 'node-1/left', 'node-2/left']
    assert listed(pair) == ['kept']


def test_what_others_do_is_seen(pair, lab):
    lab.node(2).docker('network', 'create', 'made-there').ok()
    wait_until(lambda: listed(pair) == ['made-there'], 10, 'the pool shows the network')
    lab.node(2).docker('network', 'rm', 'made-there').ok()
    wait_until(lambda: listed(pair) == [], 10, 'the pool shows that the network went')


def test_a_project(pair):
    """What Compose asks for: a network and a volume with its labels, two containers that use both,
    one that reads what the other wrote and finds it by its service's name; then all away."""
    labels = {'com.docker.compose.project': 'shop'}

    def story(side):
        told = []

        def ask(method, path, body=None):
            reply = side.http(method, path, body)
            assert reply.status < 300, f'{side.name}: {method} {path}: {reply!r}'
            told.append((method, reply.status))
            return reply.json() if reply.body else None

        label = '%7B%22label%22%3A%5B%22com.docker.compose.project%3Dshop%22%5D%7D'
        network = ask('POST', '/networks/create', {
            'Name': 'shop_default', 'CheckDuplicate': True, 'Driver': 'bridge',
            'Labels': labels})['Id']
        ask('POST', '/volumes/create', {'Name': 'shop_data', 'Labels': labels})
        for service in ('db', 'web'):
            made = ask('POST', f'/containers/create?name=shop_{service}_1', {
                'Image': 'busybox', 'Labels': labels,
                'Cmd': ['sh', '-c', f'echo {service} >> /data/log; sleep 1000'],
                'HostConfig': {'Binds': ['shop_data:/data:rw'], 'NetworkMode': 'shop_default'},
                'NetworkingConfig': {'EndpointsConfig': {'shop_default': {
                    'Aliases': [service]}}}})['Id']
            ask('POST', f'/networks/{network}/disconnect', {'Container': made})
            ask('POST', f'/networks/{network}/connect', {
                'Container': made, 'EndpointConfig': {'Aliases': [service, made[:12]]}})
            ask('POST', f'/containers/{made}/start')
        told.append(side.docker('exec', 'shop_web_1', 'sh', '-c',
                                'ping -c 1 -W 5 db > /dev/null && echo found').stdout)
        told.append(sorted(side.docker('exec', 'shop_web_1', 'cat', '/data/log').stdout.split()))
        told.append([n['Name'] for n in ask('GET', f'/networks?filters={label}')])
        told.append([v['Name'] for v in ask('GET', f'/volumes?filters={label}')['Volumes']])
        told.append(sorted(c['Names'][0] for c in ask('GET',
                                                      f'/containers/json?filters={label}')))
        for service in ('web', 'db'):
            ask('DELETE', f'/containers/shop_{service}_1?force=1&v=1')
        ask('DELETE', f'/networks/{network}')
        ask('DELETE', '/volumes/shop_data')
        return told

    pair.tell(story, 'a project')


@pytest.fixture
def swarm(pair, lab):
    """node-1 and node-2 in swarm mode, the first of them its manager, and the pool knows."""
    lab.node(1).docker('swarm', 'init', '--advertise-addr', lab.node(1).ip).ok()
    try:
        token = lab.node(1).docker('swarm', 'join-token', '-q', 'worker').ok().stdout.strip()
        lab.node(2).docker('swarm', 'join', '--token', token, f'{lab.node(1).ip}:2377').ok()
        yield
    finally:
        for entry in pair.pool.http('GET', '/containers/json?all=1').json():
            pair.pool.http('DELETE', f'/containers/{entry["Id"]}?force=1')
        for index in (2, 1):
            lab.node(index).docker('swarm', 'leave', '--force')
            lab.node(index).docker('network', 'rm', 'docker_gwbridge')
        # Engines do not tell that their network `ingress` went: the next look at all of them does.
        wait_until(lambda: not listed(pair), 70, 'the pool shows what the swarm had as gone')


@pytest.mark.slow
def test_overlay(pair, swarm, start_manager):
    """Without a driver a network is the swarm's, attachable: its engines' containers find each
    other in it, and no other engine's can join."""
    manager = start_manager()
    pool = type(pair.pool)('pool', manager.address, pair.pool.lab, pair.pool.cli)
    made = pool.http('POST', '/networks/create', {'Name': 'over'})
    assert made.status == 201, repr(made)
    shown = pool.docker('network', 'inspect', 'over', '--format',
                        NAMES + ' {{.Attachable}}').ok().stdout
    assert shown == 'over overlay swarm true\n'
    for index in (1, 2):
        pool.start(f'on-{index}', 'sleep', '1000', Env=[f'constraint:node==node-{index}'],
                   HostConfig={'NetworkMode': 'over'})
    told = json.loads(pool.docker('network', 'inspect', 'over').ok().stdout)[0]['Containers']
    assert {'on-1', 'on-2'} <= {one['Name'] for one in told.values()}
    listing = pool.docker('network', 'ls', '--filter', 'scope=swarm', '--filter', 'name=over',
                          '--format', '{{.Name}}').ok().lines
    assert listing == ['over']
    for index in (1, 2):
        pool.docker('exec', f'on-{index}', 'ping', '-c', '1', '-W', '10', f'on-{3 - index}').ok()
    refused = pool.docker('create', '--network', 'over', '-e', 'constraint:node==node-3', 'busybox')
    assert refused.code == 1 and 'network over is on node-1, node-2' in refused.stderr, refused
    pool.docker('rm', '-f', 'on-1', 'on-2').ok()
    pool.docker('network', 'rm', 'over').ok()
    assert pool.docker('network', 'ls', '-q', '--filter', 'name=over').ok().stdout == ''
