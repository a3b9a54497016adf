# SPDX-License-Identifier: Apache-2.0
"""Where containers go on real engines: spread, what is reserved, what is asked for, and the words
of a refusal. How nodes are chosen in every case is tested beside the scheduler."""

import concurrent.futures
import json

import pytest

NO_ROOM = 'no resources available to schedule container'


def node_of(pair, name):
    return pair.pool.http('GET', f'/containers/{name}/json').json()['Node']['Name']


def create(pair, name, *options):
    return pair.pool.docker('create', '--name', name, *options, 'busybox', 'true')


def counts(pair):
    found = {}
    for entry in pair.pool.http('GET', '/containers/json?all=1').json():
        node = entry['Names'][1].split('/')[1]
        found[node] = found.get(node, 0) + 1
    return found


def test_spread(pair):
    for number in range(9):
        create(pair, f's{number}').ok()
        if number % 3 == 2:
            share = number // 3 + 1
            assert counts(pair) == {'node-1': share, 'node-2': share, 'node-3': share}


def test_spread_when_all_come_at_once(pair):
    with concurrent.futures.ThreadPoolExecutor(12) as workers:
        list(workers.map(lambda number: pair.pool.create(f's{number}', 'true'), range(12)))
    assert counts(pair) == {'node-1': 4, 'node-2': 4, 'node-3': 4}


def test_memory_is_reserved(pair, lab):
    total = json.loads(lab.node(1).api('GET', '/info')[1])['MemTotal']
    each = total * 6 // 10
    for number in range(3):
        create(pair, f'm{number}', '-m', each).ok()
    assert counts(pair) == {'node-1': 1, 'node-2': 1, 'node-3': 1}
    refused = create(pair, 'm3', '-m', each)
    assert refused.code == 1 and NO_ROOM in refused.stderr, refused
    for node in lab.nodes:
        assert node.name in refused.stderr, f'not said of each node:\n{refused.stderr}'
    run = pair.pool.docker('run', '--rm', '-m', each, 'busybox', 'true')
    assert run.code == 125 and NO_ROOM in run.stderr, run
    # What is stopped counts; what is removed does not.
    create(pair, 'small', '-m', total // 10).ok()
    where = node_of(pair, 'm1')
    pair.pool.docker('rm', 'm1').ok()
    create(pair, 'm3', '-m', each).ok()
    assert node_of(pair, 'm3') == where


def test_cpus_are_reserved(pair, lab):
    """--cpus, and -c read as cores; a relative weight of 512 reserves nothing."""
    cores = json.loads(lab.node(1).api('GET', '/info')[1])['NCPU']
    for number in range(3):
        create(pair, f'c{number}', '--cpus', cores).ok()
    refused = create(pair, 'c3', '--cpus', '0.5')
    assert refused.code == 1 and NO_ROOM in refused.stderr, refused
    refused = create(pair, 'c3', '-c', '1')
    assert refused.code == 1 and NO_ROOM in refused.stderr, refused
    create(pair, 'weight', '-c', '512').ok()
    assert pair.pool.http('GET', '/containers/weight/json').json()['HostConfig']['CpuShares'] == 512
    pair.pool.docker('rm', 'c1').ok()
    create(pair, 'shares', '-c', '1').ok()
    shares = pair.pool.http('GET', '/containers/shares/json').json()['HostConfig']['CpuShares']
    assert shares == -(-1024 // cores)


def test_room_is_given_once_to_many_at_once(pair, lab):
    total = json.loads(lab.node(1).api('GET', '/info')[1])['MemTotal']

    def create_one(number):
        return pair.pool.http('POST', f'/containers/create?name=r{number}', {
            'Image': 'busybox', 'Cmd': ['true'], 'HostConfig': {'Memory': total * 4 // 10}})

    with concurrent.futures.ThreadPoolExecutor(16) as workers:
        replies = list(workers.map(create_one, range(16)))
    assert sorted(reply.status for reply in replies) == [201] * 6 + [500] * 10
    assert counts(pair) == {'node-1': 2, 'node-2': 2, 'node-3': 2}


@pytest.mark.parametrize('expression, nodes', [
    ('constraint:node==node-2', ['node-2']), ('constraint:storage==disk', ['node-2']),
    ('constraint:storage!=disk', ['node-1', 'node-3']), ('constraint:rack==/[bc]/', ['node-3']),
    ('constraint:node==node-*', None),
    ('constraint:nosuch==~x', None), ('whitelist:node==node-1|node-3', ['node-1', 'node-3']),
    ('constraint:ostype==linux', None)])
def test_constraints(pair, expression, nodes):
    for number in range(2):
        create(pair, f'e{number}', '-e', expression).ok()
        assert nodes is None or node_of(pair, f'e{number}') in nodes
        config = pair.pool.http('GET', f'/containers/e{number}/json').json()['Config']
        assert not any(value.startswith(('constraint', 'whitelist')) for value in config['Env'])
        kind = expression.partition(':')[0]
        assert expression.partition(':')[2] in config['Labels'][f'com.docker.swarm.{kind}s']


def test_affinities(pair):
    create(pair, 'first', '-l', 'tier=front').ok()
    where = node_of(pair, 'first')
    create(pair, 'beside', '-e', 'affinity:container==first').ok()
    create(pair, 'like', '-e', 'affinity:tier==front').ok()
    create(pair, 'away', '-e', 'affinity:container!=first').ok()
    create(pair, 'from', '--volumes-from', 'first').ok()
    assert {node_of(pair, name) for name in ('beside', 'like', 'from')} == {where}
    assert node_of(pair, 'away') != where
    create(pair, 'joined', '--network', 'container:first').ok()
    assert node_of(pair, 'joined') == where


def test_one_port_on_each_node(pair):
    for number in range(3):
        pair.pool.docker('run', '-d', '--name', f'p{number}', '-p', '18090:80', 'busybox', 'sleep',
                         '1000').ok()
    assert counts(pair) == {'node-1': 1, 'node-2': 1, 'node-3': 1}
    refused = pair.pool.docker('run', '-d', '-p', '18090:80', 'busybox', 'sleep', '1000')
    assert refused.code == 125 and '18090' in refused.stderr, refused
    pair.pool.docker('run', '-d', '-p', '18090:80/udp', 'busybox', 'sleep', '1000').ok()


@pytest.mark.parametrize('expression, words', [
    ('constraint:node==nosuch', 'constraint'), ('affinity:container==nosuch', 'affinity'),
    ('constraint:node==/[/', '/[/'), ('constraint:storage=disk', 'storage=disk')])
def test_refusals_tell_why(pair, expression, words):
    done = create(pair, 'refused', '-e', expression)
    assert done.code == 1 and words in done.stderr, done
    assert pair.pool.docker('ps', '-aq').stdout == ''
    # Nothing of it is held.
    create(pair, 'refused').ok()


def test_what_it_does_not_know_goes_through(pair):
    """Fields of a body reach the engine as they were sent, large numbers to the last digit."""
    body = (b'{"Image":"busybox","Cmd":["true"],"Labels":{"n":"9007199254740993"},'
            b'"HostConfig":{"Memory":1073741824,"ShmSize":67108867,"KernelMemory":0,'
            b'"Sysctls":{"net.core.somaxconn":"333"}},"Whatever":{"deep":[1,2,{"x":null}]},'
            b'"StopTimeout":7}')
    headers = {'Content-Type': 'application/json'}

    def story(side):
        reply = side.http('POST', '/containers/create?name=body', body, headers)
        assert reply.status == 201, repr(reply)
        value = side.http('GET', '/containers/body/json').json()
        host = value['HostConfig']
        return (host['ShmSize'], host['Memory'], host['Sysctls'], value['Config']['StopTimeout'],
                value['Config']['Labels']['n'])

    assert pair.tell(story) == (67108867, 1 << 30, {'net.core.somaxconn': '333'}, 7,
                                '9007199254740993')
