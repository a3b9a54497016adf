# SPDX-License-Identifier: Apache-2.0
"""Placement over five real engines with labels: strategies, filters, expressions, devices, the exact
words of refusals, and what `docker info` shows of reservations."""

import collections
import concurrent.futures
import json

import pytest

from lab import wait_until
from support import Side, emptied

NODES = [f'node-{index}' for index in range(1, 6)]
UNMET = 'Unable to find a node that satisfies the following conditions '
NO_ROOM = 'no resources available to schedule container'
# Not on the node of two containers at most.
ROOMY = ['-e', 'constraint:node!=node-5']
CLASSIC = {'DOCKER_BUILDKIT': '0'}


class Pool(Side):
    """A pool with helpers for what is where."""

    def make(self, name, *options):
        return self.docker('create', '--name', name, *options, 'busybox', 'true')

    def refusal(self, *options):
        """The words with which a create is refused, as the command line shows them."""
        done = self.make('refused', *options)
        assert done.code == 1 and done.stdout == '', done
        before, after = 'Error response from daemon: ', '\n'
        assert done.stderr.startswith(before) and done.stderr.endswith(after), done
        return done.stderr[len(before):-len(after)]

    def make_all(self, names, *options):
        """Creates them at once; returns their nodes, in the order of the names."""
        with concurrent.futures.ThreadPoolExecutor(8) as workers:
            for done in workers.map(lambda name: self.make(name, *options), names):
                done.ok()
        return [self.node_of(name) for name in names]

    def node_of(self, name):
        return self.http('GET', f'/containers/{name}/json').json()['Node']['Name']

    def id_of(self, name):
        return self.http('GET', f'/containers/{name}/json').json()['Id']

    def named_on(self, nodes, prefix):
        """The container on each of the nodes whose name begins so."""
        found = {}
        for entry in self.http('GET', '/containers/json?all=1').json():
            name, full = entry['Names']
            if name.startswith(f'/{prefix}'):
                found[full.split('/')[1]] = name[1:]
        return [found[node] for node in nodes]

    def counts(self):
        found = collections.Counter()
        for entry in self.http('GET', '/containers/json?all=1').json():
            found[entry['Names'][1].split('/')[1]] += 1
        return [found[name] for name in NODES]


@pytest.fixture
def pool(wide_lab, wide_manager, cli):
    yield Pool('pool', wide_manager.address, wide_lab, cli)
    emptied(wide_lab, wide_manager)


@pytest.fixture
def other_pool(pool, wide_lab, start_wide_manager, cli):
    """other_pool(args...): the same engines under another manager."""
    def start(*args):
        return Pool('pool', start_wide_manager(*args).address, wide_lab, cli)

    return start


def size(number):
    """Bytes as a refusal tells them, from a GiB on."""
    return f'{number / (1 << 30):.4g} GiB'


def labels_of(lab, key):
    return {node.name: node.labels[key] for node in lab.nodes}


def test_spread(pool):
    pool.make_all([f's{number}' for number in range(10)])
    assert pool.counts() == [2] * 5
    # node-5 has no slot left.
    pool.make_all([f't{number}' for number in range(4)])
    assert pool.counts() == [3, 3, 3, 3, 2]


def test_binpack(other_pool):
    pool = other_pool('--strategy', 'binpack')
    memory = json.loads(pool.lab.node(1).api('GET', '/info')[1])['MemTotal']
    # With 5 % of overcommit two of them fill a node.
    for number in range(6):
        pool.make(f'b{number}', '-m', memory // 2).ok()
    assert sorted(pool.counts()) == [0, 0, 2, 2, 2]
    pool.make('small', '-m', memory // 100).ok()
    assert sorted(pool.counts()) == [0, 0, 2, 2, 3]


def test_random(other_pool):
    pool = other_pool('--strategy', 'random')
    for number in range(12):
        pool.create(f'r{number}')
    assert sum(pool.counts()) == 12 and pool.counts()[4] <= 2


@pytest.mark.parametrize('expression, nodes', [
    ('constraint:storage==disk', '24'), ('constraint:storage!=disk', '135'),
    ('constraint:rack==a', '125'), ('constraint:rack==/^[bc]$/', '34'),
    ('constraint:node==*-3', '3'), ('constraint:node!=/node-[1-4]/', '5'),
    ('constraint:ostype==linux', '12345'), ('whitelist:node==node-2|node-4', '24'),
    ('whitelist:rack==b|c', '34'), ('constraint:nosuch!=x', '12345')])
def test_constraints(pool, expression, nodes):
    """Asked of each node, without creating; and one is created."""
    answer = pool.http('POST', '/placement', {'Image': 'busybox', 'Env': [expression]}).json()
    fit = sorted(node['Name'] for node in answer['Nodes'] if node['Fits'])
    assert fit == [f'node-{number}' for number in nodes], answer
    pool.make('one', '-e', expression).ok()
    assert pool.node_of('one') in fit


def test_a_constraint_that_nobody_meets(pool):
    assert pool.refusal('-e', 'constraint:storage==tape') == (
        f'{UNMET}\n[storage==tape]\nno node fits: 5 nodes: constraint storage==tape not met by '
        'node-1, node-2, node-3, node-4, node-5 (storage=ssd, storage=disk)')
    assert pool.refusal('-e', 'constraint:storage==ssd', '-e', 'whitelist:node==node-2|node-9') == (
        f'{UNMET}\n[storage==ssd]\n[node==node-2|node-9]\nno node fits: 5 nodes: whitelist '
        'node==node-2|node-9 not met by node-1, node-3, node-5; constraint storage==ssd not met by '
        'node-2, node-4 (storage=disk)')
    assert pool.refusal('-e', 'constraint:node==/(/') == (
        "invalid expression 'node==/(/': Value '/(/' is invalid: missing closing parenthesis at "
        'character 1')


def test_soft_expressions(pool):
    nodes = pool.make_all([f's{number}' for number in range(4)], '-e', 'constraint:storage==~disk')
    assert set(nodes) == {'node-2', 'node-4'}
    pool.make('nowhere', '-e', 'constraint:storage==~tape').ok()
    # A soft one gives way to what a hard one asks.
    pool.make('both', '-e', 'constraint:rack==~b', '-e', 'constraint:node==node-1').ok()
    assert pool.node_of('both') == 'node-1'


def test_affinities(pool):
    pool.make('web', '-l', 'tier=front', *ROOMY).ok()
    where = pool.node_of('web')
    wanted = {'near': 'affinity:container==web', 'id': f'affinity:container=={pool.id_of("web")}',
              'like': 'affinity:tier==fr*', 'away': 'affinity:container!=web',
              'unlike': 'affinity:tier!=/front|back/', 'any': 'affinity:container==~nobody'}
    for name, expression in wanted.items():
        pool.make(name, '-e', expression).ok()
    nodes = {name: pool.node_of(name) for name in wanted}
    assert {nodes['near'], nodes['id'], nodes['like']} == {where}
    assert where not in (nodes['away'], nodes['unlike'])
    assert pool.refusal('-e', 'affinity:container==nobody') == (
        f'{UNMET}\n[container==nobody]\nno node fits: 5 nodes: affinity container==nobody not met '
        'by node-1, node-2, node-3, node-4, node-5')


def test_an_image_attracts(pool, wide_lab):
    status, _ = wide_lab.node(3).api('POST', '/images/busybox/tag?repo=only&tag=here')
    assert status == 201
    wait_until(lambda: pool.http('GET', '/images/only:here/json').status == 200, 20,
               'the pool knows the tag')
    for name, options in {'hard': ['-e', 'affinity:image==only:here', 'busybox'],
                          'repo': ['-e', 'affinity:image==only', 'busybox'],
                          'itself': ['only:here']}.items():
        pool.docker('create', '--name', name, *options, 'true').ok()
        assert pool.node_of(name) == 'node-3', name


def test_groups_keep_apart(pool):
    apart = ['-l', 'app=db', '-e', 'affinity:app!=db']
    assert sorted(pool.make_all([f'd{number}' for number in range(5)], *apart)) == NODES
    assert pool.refusal(*apart).startswith(f'{UNMET}\n[app!=db]\nno node fits: 5 nodes: ')
    pool.make('sixth', '-l', 'app=db', '-e', 'affinity:app!=~db').ok()


def test_limit(pool):
    at_most = ['-l', 'app=web', '-e', 'limit:app==1']
    assert sorted(pool.make_all([f'w{number}' for number in range(5)], *at_most)) == NODES
    assert pool.refusal(*at_most) == (
        f'{UNMET}\n[limit:app==1]\nno node fits: 5 nodes: limit app==1 reached on node-1, node-2, '
        'node-3, node-4, node-5 (1 with app=web)')
    pool.make('soft', '-l', 'app=web', '-e', 'limit:app==~1').ok()
    pool.make('other', '-l', 'app=db', '-e', 'limit:app==1').ok()


def test_spread_over_racks(pool, wide_lab):
    racks = labels_of(wide_lab, 'rack')
    nodes = pool.make_all([f'k{number}' for number in range(6)], '-e', 'spread:by==rack')
    assert collections.Counter(racks[node] for node in nodes) == {'a': 3, 'b': 3}
    # A service of Compose is counted by itself: another begins anew.
    service = ['-l', 'com.docker.compose.service=db', '-e', 'spread:by==rack']
    assert {racks[node] for node in pool.make_all(['v0', 'v1'], *service)} == {'a', 'b'}
    pool.make('soft', '-e', 'spread:by==~rack', '-e', 'constraint:rack==a').ok()


def test_dependencies(pool):
    pool.docker('run', '-d', '--name', 'db', *ROOMY, 'busybox', 'sleep', '1000').ok()
    where = pool.node_of('db')
    away = next(name for name in NODES[:4] if name != where)
    pool.make('far', '-e', f'constraint:node=={away}').ok()
    for name, options in {'from': ['--volumes-from', 'db:ro'], 'link': ['--link', 'db:store'],
                          'net': ['--net', 'container:db'], 'pid': ['--pid', 'container:db'],
                          'node': ['--volumes-from', f'{where}/db'],
                          'id': ['--volumes-from', pool.id_of('db')]}.items():
        pool.make(name, *options).ok()
        assert pool.node_of(name) == where, name
    words = pool.refusal('--volumes-from', 'db', '--link', 'far:far')
    assert words.splitlines()[0] == 'Unable to find a node fulfilling all dependencies: db far'
    assert f'container far not on {where} (it is on {away})' in words
    assert f'container db not on {", ".join(name for name in NODES if name != where)}' in words


def test_ports(pool):
    published = ['-p', '18070:80']
    assert sorted(pool.make_all([f'p{number}' for number in range(5)], *published)) == NODES
    assert pool.refusal(*published) == (
        'unable to find a node with port 18070 available\nno node fits: 5 nodes: port 18070 taken '
        'on node-1, node-2, node-3, node-4, node-5 (' +
        ', '.join(pool.named_on(NODES, 'p')) + ')')
    pool.make('udp', '-p', '18070:80/udp').ok()
    pool.make('drawn', '-p', '80').ok()


def test_ports_in_host_mode(pool):
    host = ['--net', 'host', '--expose', '18071']
    assert sorted(pool.make_all([f'h{number}' for number in range(5)], *host)) == NODES
    assert pool.refusal(*host).splitlines()[0] == (
        'unable to find a node with port 18071/tcp available in the Host mode')
    assert pool.refusal('-p', '18071:80').splitlines()[0] == (
        'unable to find a node with port 18071 available')


def test_slots(pool):
    here = ['-e', 'constraint:node==node-5']
    pool.make_all(['s0', 's1'], *here)
    assert pool.refusal(*here) == (
        f'{UNMET}\n[node==node-5]\nno node fits: 5 nodes: no container slot free on node-5 (2 of 2 '
        'taken); constraint node==node-5 not met by node-1, node-2, node-3, node-4')
    pool.docker('rm', 's0').ok()
    pool.make('s2', *here).ok()


def test_reservations(pool, wide_lab):
    """Reserved CPU and memory, of --cpus, -c and -m, and `docker info` that shows them."""
    told = json.loads(wide_lab.node(1).api('GET', '/info')[1])
    cores, memory = told['NCPU'], told['MemTotal']
    here = ['-e', 'constraint:node==node-1']
    pool.make('cpus', '--cpus', '0.5', '-m', '512m', *here).ok()
    pool.make('cores', '-c', '1', *here).ok()
    info = pool.docker('info').ok().stdout
    shown = info[info.index(' node-1: '):info.index(' node-2: ')]
    assert f'└ Reserved CPUs: 1.5 / {int(cores * 1.05)}\n' in shown, info
    assert '└ Reserved Memory: 512 MiB / ' in shown, info
    assert '└ Containers: 2 (0 Running, 0 Paused, 2 Stopped)\n' in shown, info
    assert '└ Reserved gpu: 0 / 1\n' in shown, info
    assert pool.refusal('-m', memory * 2) == (
        f'{NO_ROOM}\nno node fits: 5 nodes: {size(memory * 2)} of memory not free on node-1, '
        f'node-2, node-3, node-4, node-5 ({size(memory * 1.05 - (512 << 20))} free, '
        f'{size(memory * 1.05)} free)')


def test_devices(pool):
    gpu = ['--gpus', '1']
    assert sorted(pool.make_all([f'g{number}' for number in range(5)], *gpu)) == NODES
    assert pool.refusal(*gpu) == (
        f'{NO_ROOM}\nno node fits: 5 nodes: 1 gpu not free on node-1, node-2, node-3, node-4, '
        'node-5 (0 of 1 free)')
    assert '└ Reserved gpu: 1 / 1\n' in pool.docker('info').ok().stdout
    where = pool.node_of('g2')
    pool.docker('rm', 'g2').ok()
    pool.make('again', '--gpus', 'all').ok()
    assert pool.node_of('again') == where


def test_platforms(pool, wide_lab):
    machine = json.loads(wide_lab.node(1).api('GET', '/version')[1])['Arch']
    pool.make('own', '--platform', f'linux/{machine}').ok()
    assert pool.refusal('--platform', 'linux/s390x') == (
        f'{UNMET}\n[platform linux/s390x]\nno node fits: 5 nodes: platform linux/s390x not on '
        f'node-1, node-2, node-3, node-4, node-5 (linux/{machine})')


def test_a_build_with_a_constraint(pool, wide_lab, tmp_path):
    (tmp_path / 'Dockerfile').write_text('FROM busybox\nLABEL made=here\n')
    pool.docker('build', '-t', 'made', '--build-arg', 'constraint:storage==disk', '--build-arg',
                'constraint:rack==b', tmp_path, env=CLASSIC, timeout=120).ok()
    have = [node.name for node in wide_lab.nodes
            if node.api('GET', '/images/made/json')[0] == 200]
    assert have == ['node-4']
    refused = pool.docker('build', '--build-arg', 'constraint:storage==tape', tmp_path, env=CLASSIC)
    assert refused.code == 1 and '[storage==tape]' in refused.stderr, refused


def test_each_try_is_told(other_pool):
    """An engine that cannot create it: with createretry each try goes to another node, and the
    answer has the error of each."""
    pool = other_pool('--cluster-opt', 'swarm.createretry=2')
    words = '--storage-opt is supported only for overlay over xfs'
    errors = pool.refusal('--storage-opt', 'size=1G').split('; ')
    assert len({error.split(':')[0] for error in errors}) == 3, errors
    assert all(error.split(': ')[0] in NODES and words in error for error in errors), errors
