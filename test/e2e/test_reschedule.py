# SPDX-License-Identifier: Apache-2.0
"""Containers with reschedule:on-node-failure on real engines, whose nodes are cut off and come back."""

import json

import pytest

from lab import wait_until
from lab.stores import Etcd
from support import Side
from support.several import Several

# A failure is known at the first sign then, and it is the program's answer to it that takes time.
SOON = ('--engine-failure-retry', '1')
FOUND = 60


@pytest.fixture
def pool(fresh_lab, start_manager, cli, tmp_path):
    """A pool of its own over all nodes, as a Side with .manager, which remembers in .state."""
    state = tmp_path / 'state'
    manager = start_manager('--debug', '--state-dir', str(state), *SOON)
    side = Side('pool', manager.address, fresh_lab, cli)
    side.manager = manager
    side.state = state
    return side


def guard(pool, node, name, *options, policy=('-e', 'reschedule:on-node-failure')):
    """Runs a container that is to be moved; it may go to any node later, but begins on this one."""
    pool.docker('run', '-d', '--name', f'{node.name}/{name}', *policy, *options, 'busybox', 'sleep',
                '1000').ok()


def records(pool):
    return sorted(pool.state.glob('reschedule/*/*.json'))


def wait_records(pool, count):
    wait_until(lambda: len(records(pool)) == count, 20, f'{count} records; there are {records(pool)}')


def state_of(node, name):
    """The container's State.Status on that engine itself, or None."""
    status, body = node.api('GET', f'/containers/{name}/json')
    return json.loads(body)['State']['Status'] if status == 200 else None


def wait_state(node, name, state):
    wait_until(lambda: state_of(node, name) == state, FOUND,
               f'{name} on {node.name} is {state}; it is {state_of(node, name)}')


def home(nodes, name):
    """The node of these on which the container runs."""
    found = []

    def search():
        found[:] = [node for node in nodes if state_of(node, name) == 'running']
        return len(found) > 0

    wait_until(search, FOUND, f'{name} runs somewhere else')
    assert len(found) == 1, [node.name for node in found]
    return found[0]


def names(pool):
    return sorted(pool.docker('ps', '-a', '--format', '{{.Names}}').ok().lines)


def label(pool, name, key):
    return pool.http('GET', f'/containers/{name}/json').json()['Config']['Labels'].get(key)


def test_containers_move_and_their_copies_go(pool):
    """One copy of each runs at every end, under its name; what was stopped is not started, and what
    did not ask stays."""
    first, *others = pool.lab.nodes
    labels = json.dumps(['on-node-failure'])
    guard(pool, first, 'web', '-e', 'A=b', '-m', '64m')
    guard(pool, first, 'api', policy=('--label',
                                      f'com.docker.swarm.reschedule-policies={labels}'))
    guard(pool, first, 'user', '--volumes-from', 'web')
    guard(pool, first, 'idle')
    pool.docker('stop', '-t', '0', 'idle').ok()
    pool.docker('run', '-d', '--name', f'{first.name}/plain', 'busybox', 'sleep', '1000').ok()
    wait_records(pool, 4)
    swarm_id = label(pool, 'web', 'com.docker.swarm.id')

    first.kill()
    web = home(others, 'web')
    home(others, 'api')
    assert home(others, 'user') == web
    wait_until(lambda: any(state_of(node, 'idle') == 'created' for node in others), FOUND,
               'idle is made again')
    wait_until(lambda: len(pool.manager.logged('container rescheduled')) == 4, FOUND,
               'all are rescheduled')
    assert names(pool) == ['api', 'idle', 'plain', 'user', 'web']
    assert label(pool, 'web', 'com.docker.swarm.id') == swarm_id
    assert label(pool, 'web', 'com.docker.swarm.generation') == '1'
    shown = pool.docker('inspect', 'web', '--format',
                        '{{.Config.Env}} {{.HostConfig.Memory}} {{.Node.Name}}').ok().lines[0]
    assert 'A=b' in shown and f'{64 << 20} {web.name}' in shown
    assert pool.docker('exec', 'web', 'echo', 'there').ok().lines == ['there']
    assert 'plain Host Down' in pool.docker('ps', '-a', '--format',
                                            '{{.Names}} {{.Status}}').ok().lines

    first.start()
    for name in ['web', 'api', 'user', 'idle']:
        wait_state(first, name, None)
    assert state_of(first, 'plain') is not None
    assert names(pool) == ['api', 'idle', 'plain', 'user', 'web']
    assert len(pool.manager.logged('removed what a node had of a container')) == 4
    wait_records(pool, 4)
    pool.docker('rm', '-f', 'web', 'api', 'user', 'idle').ok()
    wait_records(pool, 0)


def test_a_killed_manager_forgets_nothing(pool):
    """The manager dies while the node is down, and one that begins then moves what ran there."""
    first, *others = pool.lab.nodes
    guard(pool, first, 'web')
    wait_records(pool, 1)
    pool.manager.kill()
    first.cut()
    pool.manager.start(healthy=2)
    assert pool.docker('create', '--name', 'web', 'busybox', 'true').code == 1
    home(others, 'web')
    pool.manager.kill()
    first.heal()
    pool.manager.start(healthy=3)
    wait_state(first, 'web', None)
    assert names(pool) == ['web']


def test_what_is_removed_meanwhile_is_not_moved(pool):
    """Nobody can remove it on its node; but it is not made again."""
    first, *others = pool.lab.nodes
    # There is no room for it elsewhere.
    guard(pool, first, 'web', '-e', f'constraint:node=={first.name}')
    wait_records(pool, 1)
    first.kill()
    wait_until(lambda: pool.manager.logged('cannot be rescheduled yet'), FOUND, 'it is tried')
    gone = pool.docker('rm', '-f', 'web')
    assert gone.code == 1
    assert f'Container web running on unhealthy node {first.name}; it is not rescheduled' in \
        gone.stderr
    wait_records(pool, 0)
    first.start()
    pool.manager.wait_healthy(3)
    assert state_of(first, 'web') is not None
    assert all(state_of(node, 'web') is None for node in others)


@pytest.mark.slow
def test_what_is_removed_after_its_move_does_not_come_back(pool):
    """Neither over a kill of the manager; a new container of the name is another one, and stays."""
    first, *others = pool.lab.nodes
    guard(pool, first, 'web')
    guard(pool, first, 'job', '--rm')
    wait_records(pool, 2)
    first.kill()
    home(others, 'web')
    job = home(others, 'job')
    wait_until(lambda: len(pool.manager.logged('container rescheduled')) == 2, FOUND,
               'both are rescheduled')
    pool.docker('rm', '-f', 'web').ok()
    graves = [record for record in records(pool) if json.loads(record.read_text()).get('removed')]
    assert len(graves) == 1
    job.docker('kill', 'job').ok()
    wait_until(lambda: all(json.loads(record.read_text()).get('removed')
                           for record in records(pool)), FOUND, 'job is removed')
    assert names(pool) == []
    pool.docker('run', '-d', '--name', 'web', 'busybox', 'sleep', '1000').ok()
    pool.manager.kill()
    pool.manager.start(healthy=2)
    assert len(records(pool)) == 2

    first.start()
    wait_state(first, 'web', None)
    wait_state(first, 'job', None)
    wait_records(pool, 0)
    assert names(pool) == ['web']
    home(others, 'web')


def test_an_unknown_policy_is_refused(pool):
    refused = pool.docker('create', '-e', 'reschedule:foo', 'busybox', 'true')
    assert refused.code == 1 and 'reschedule:foo' in refused.stderr
    refused = pool.docker('create', '--label', 'com.docker.swarm.reschedule-policies=["foo"]',
                          'busybox', 'true')
    assert refused.code == 1 and 'reschedule:foo' in refused.stderr


def copies(lab, name):
    """Where the container is, running or not: the names of the nodes."""
    return [node.name for node in lab.nodes if state_of(node, name) is not None]


@pytest.mark.slow
@pytest.mark.parametrize('moment', ['before', 'during'])
def test_a_new_primary_makes_the_move(fresh_lab, tmp_path, moment):
    """The primary is killed before it moves what a node had, or in the middle of it. The one after it
    knows from the store what is to be done: one copy of each runs at every end, under its name."""
    first, *others = fresh_lab.nodes
    wanted = [f'web{number}' for number in range(12)]
    with Etcd(tmp_path) as store, \
            Several(store, tmp_path, nodes=fresh_lab.addresses, args=SOON) as managers:
        primary = managers.primary()
        [heir] = managers.replicas()
        for name in wanted:
            guard(primary, first, name)
        first.cut()
        if moment == 'during':
            wait_until(lambda: primary.logged('rescheduling a container'), FOUND, 'it begins')
        primary.kill()
        for name in wanted:
            home(others, name)
        assert heir.logged('container rescheduled')

        first.heal()
        first.wait_answer()
        for name in wanted:
            wait_until(lambda: len(copies(fresh_lab, name)) == 1 and state_of(first, name) is None,
                       2 * FOUND, f'one copy of {name}')
            home(others, name)
        # The other one leads again, and finds nothing to do.
        primary.start(healthy=3, timeout=60)
        assert heir.stop() == 0
        assert managers.primary() is primary
        assert names(primary) == sorted(wanted)
        primary.docker('rm', '-f', *wanted, timeout=120).ok()
        assert [name for name in wanted if copies(fresh_lab, name)] == []


@pytest.fixture
def swarm(fresh_lab):
    """All engines in swarm mode, the first of them its manager."""
    leader, *workers = fresh_lab.nodes
    try:
        leader.docker('swarm', 'init', '--advertise-addr', leader.ip).ok()
        token = leader.docker('swarm', 'join-token', '-q', 'worker').ok().stdout.strip()
        for worker in workers:
            worker.docker('swarm', 'join', '--token', token, f'{leader.ip}:2377').ok()
        yield
    finally:
        for node in reversed(fresh_lab.nodes):
            node.heal()
            node.wait_answer()
            for name in node.docker('ps', '-aq').lines:
                node.docker('rm', '-f', name)
            node.docker('swarm', 'leave', '--force')
            node.docker('network', 'rm', 'docker_gwbridge')


def make_overlay(pool, node):
    """Network "over", and in it "peer" on that node."""
    made = pool.http('POST', '/networks/create', {'Name': 'over'})
    assert made.status == 201, repr(made)
    pool.docker('run', '-d', '--name', f'{node.name}/peer', '--network', 'over', 'busybox', 'sleep',
                '1000').ok()


def wait_found(pool, name):
    """By its name, from within the network."""
    wait_until(lambda: pool.docker('exec', 'peer', 'ping', '-c', '1', '-W', '5', name).code == 0,
               2 * FOUND, f'peer reaches {name}')


def overlay_members(pool):
    told = json.loads(pool.docker('network', 'inspect', 'over').ok().stdout)[0]['Containers']
    return sorted(one['Name'] for key, one in told.items() if not key.startswith('lb-'))


def networks_of(pool, name):
    return list(pool.http('GET', f'/containers/{name}/json').json()['NetworkSettings']['Networks'])


@pytest.mark.slow
def test_in_an_overlay_network(swarm, pool):
    """Made again in the network that it was in, and found there by its name, before its node is back
    and after."""
    leader, first, other = pool.lab.nodes
    make_overlay(pool, leader)
    guard(pool, first, 'web', '--network', 'over')
    wait_records(pool, 1)
    wait_found(pool, 'web')
    first.cut()
    home([leader, other], 'web')
    wait_until(lambda: pool.manager.logged('container rescheduled'), FOUND, 'it is in its network')
    wait_found(pool, 'web')
    assert networks_of(pool, 'web') == ['over']

    first.heal()
    first.wait_answer()
    wait_state(first, 'web', None)
    wait_found(pool, 'web')
    assert names(pool) == ['peer', 'web']
    assert overlay_members(pool) == ['peer', 'web']


@pytest.mark.slow
def test_a_cut_of_a_minute_at_the_defaults(swarm, fresh_lab, start_manager, cli, tmp_path):
    """Twelve containers of one node, four of them in a network, which is cut off for a minute and
    healed: one copy of each runs, under its name and in its network."""
    manager = start_manager('--state-dir', str(tmp_path / 'state'))
    pool = Side('pool', manager.address, fresh_lab, cli)
    leader, first, other = fresh_lab.nodes
    wired = [f'wired{number}' for number in range(4)]
    wanted = wired + [f'web{number}' for number in range(8)]
    make_overlay(pool, leader)
    for name in wanted:
        guard(pool, first, name, *(['--network', 'over'] if name in wired else []))
    first.cut()
    for name in wanted:
        home([leader, other], name)
    wait_until(lambda: len(manager.logged('container rescheduled')) == len(wanted), 60,
               'all are rescheduled')
    first.heal()
    first.wait_answer()
    for name in wanted:
        wait_state(first, name, None)
    running = sorted(pool.docker('ps', '--format', '{{.Names}}').ok().lines)
    assert running == sorted(wanted + ['peer'])
    for name in wired:
        wait_found(pool, name)
        assert networks_of(pool, name) == ['over']
    assert overlay_members(pool) == sorted(wired + ['peer'])
