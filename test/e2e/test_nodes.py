# SPDX-License-Identifier: Apache-2.0
"""Engines that die, are stopped or cut off, and come back; nodes that join and leave."""

import concurrent.futures
import json
import subprocess

import pytest

from lab import wait_until
from lab.manager import binary
from support import Side


@pytest.fixture
def pool(fresh_lab, start_manager, cli):
    """A pool of its own over all nodes, as a Side with .manager."""
    manager = start_manager('--debug')
    side = Side('pool', manager.address, fresh_lab, cli)
    side.manager = manager
    return side


def status_of(pool, node):
    """The status of a node in /info."""
    rows = pool.http('GET', '/info').json()['SystemStatus']
    names = [name.strip() for name, _ in rows]
    if node.name not in names:
        return None
    at = names.index(node.name)
    return next(value for name, value in rows[at:] if name.strip(' └') == 'Status')


def wait_status(pool, node, status, timeout):
    wait_until(lambda: status_of(pool, node) == status, timeout,
               f'{node.name} is {status}; it is {status_of(pool, node)}')


def run_on(pool, node, name, *command):
    pool.docker('run', '-d', '--name', name, '-e', f'constraint:node=={node.name}', 'busybox',
                *(command or ('sleep', '1000'))).ok()


def names(pool, *options):
    return sorted(pool.docker('ps', '--format', '{{.Names}}', *options).ok().lines)


@pytest.mark.slow
def test_an_engine_is_killed_and_brought_back(pool):
    """Its containers are hidden, or told to be on a host that is down; what is on others goes on
    undisturbed; and when it is back, all is right again."""
    first, second, _ = pool.lab.nodes
    run_on(pool, first, 'here', 'sh', '-c', 'while :; do echo tick; sleep 0.1; done')
    run_on(pool, second, 'lost')
    with pool.background('logs', '-f', 'here') as following, \
            pool.background('run', '--rm', '-i', '-e', f'constraint:node=={first.name}',
                            'busybox', 'cat') as talking:
        talking.send('before\n')
        talking.expect('before')
        following.expect('tick')
        second.kill()
        wait_status(pool, second, 'Unhealthy', 45)
        assert names(pool) == sorted(['here', *names_of_dialogue(pool)])
        assert 'lost' in names(pool, '-a')
        shown = pool.docker('ps', '-a', '--format', '{{.Names}} {{.Status}}').ok().lines
        assert 'lost Host Down' in shown, shown
        for method, path in [('POST', 'stop'), ('POST', 'start'), ('GET', 'json'),
                             ('POST', 'exec'), ('GET', 'logs?stdout=1'), ('DELETE', '')]:
            body = {'Cmd': ['true']} if path == 'exec' else None
            reply = pool.http(method, f'/containers/lost/{path}'.rstrip('/'), body)
            assert reply.status == 500, f'{path}: {reply}'
            assert reply.message() == 'Container lost running on unhealthy node node-2', path
        # What is new goes elsewhere, and its name stays taken.
        for number in range(4):
            pool.docker('run', '--rm', 'busybox', 'true').ok()
        assert pool.docker('create', '--name', 'lost', 'busybox', 'true').code == 1
        assert pool.docker('create', '-e', 'constraint:node==node-2', 'busybox', 'true').code == 1
        # Those on other nodes have not heard of it.
        talking.send('after\n')
        talking.expect('after')
        ticks = following.text.count('tick')
        wait_until(lambda: more(following, ticks), 10, 'the logs of another node go on')
        second.start()
        wait_status(pool, second, 'Healthy', 45)
        talking.end_input()
        assert talking.wait() == 0
    # The engine was killed, and so on its return ended what had run.
    wait_until(lambda: names(pool) == ['here'], 20, 'what ended with its engine is not shown')
    state = pool.docker('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'lost').ok()
    assert state.stdout == 'exited 137\n'
    pool.docker('start', 'lost').ok()
    assert names(pool) == ['here', 'lost']
    assert pool.docker('exec', 'lost', 'echo', 'back').ok().stdout == 'back\n'
    log = pool.manager.logged
    assert log('node is unhealthy.*node-2') and log('node is healthy.*node-2')


def names_of_dialogue(pool):
    """The drawn name of the container that runs cat."""
    return [entry['Names'][0][1:] for entry in pool.http('GET', '/containers/json').json()
            if entry['Command'] == 'cat']


def more(background, ticks):
    background.output += background._read(0.1) or b''
    return background.text.count('tick') > ticks


@pytest.mark.slow
def test_what_changed_while_it_was_away(pool):
    """An engine that is stopped and started: what happened there meanwhile is seen."""
    node = pool.lab.node(3)
    run_on(pool, node, 'stays')
    run_on(pool, node, 'goes')
    node.stop()
    wait_status(pool, node, 'Unhealthy', 45)
    node.start()
    assert node.api('DELETE', '/containers/goes?force=1')[0] == 204
    assert node.api('POST', '/containers/create?name=comes', {'Image': 'busybox'})[0] == 201
    wait_status(pool, node, 'Healthy', 45)
    wait_until(lambda: names(pool, '-a') == ['comes', 'stays'], 30,
               'the list is that of the engine')
    assert pool.docker('create', '--name', 'comes', 'busybox').code == 1
    pool.docker('create', '--name', 'goes', 'busybox').ok()


def test_what_is_made_on_an_engine_itself_is_seen(pool):
    """Within a moment, without any request to the manager."""
    node = pool.lab.node(1)
    status, body = node.api('POST', '/containers/create?name=direct',
                            {'Image': 'busybox', 'Cmd': ['sleep', '1000']})
    assert status == 201, body
    wait_until(lambda: names(pool, '-a') == ['direct'], 5, 'it is listed')
    assert node.api('POST', '/containers/direct/start')[0] == 204
    wait_until(lambda: names(pool) == ['direct'], 5, 'it is seen to run')
    assert pool.docker('exec', 'direct', 'echo', 'x').ok().stdout == 'x\n'
    assert node.api('POST', '/containers/direct/rename?name=other')[0] == 204
    wait_until(lambda: names(pool) == ['other'], 5, 'its new name is seen')
    assert node.api('DELETE', '/containers/other?force=1')[0] == 204
    wait_until(lambda: names(pool, '-a') == [], 5, 'it is seen to be gone')


def test_one_name_on_two_nodes(pool):
    """Made on the engines themselves: each is shown and found with its node only."""
    for node in pool.lab.nodes[:2]:
        assert node.api('POST', '/containers/create?name=twin', {'Image': 'busybox'})[0] == 201
    wait_until(lambda: len(pool.http('GET', '/containers/json?all=1').json()) == 2, 5,
               'both are seen')
    shown = sorted(entry['Names'] for entry in
                   pool.http('GET', '/containers/json?all=1').json())
    assert shown == [['/node-1/twin'], ['/node-2/twin']]
    reply = pool.http('GET', '/containers/twin/json')
    assert reply.status >= 400 and 'node-1' in reply.message() and 'node-2' in reply.message()
    assert pool.http('GET', '/containers/node-2/twin/json').json()['Node']['Name'] == 'node-2'
    assert pool.http('DELETE', '/containers/node-2/twin').status == 204
    entry, = pool.http('GET', '/containers/json?all=1').json()
    assert entry['Names'] == ['/twin', '/node-1/twin']


@pytest.mark.slow
def test_a_node_that_is_cut_off(pool):
    """No reset tells of it: it is known within 45 s, and meanwhile nothing else is held up."""
    node = pool.lab.node(2)
    run_on(pool, node, 'lost')
    run_on(pool, pool.lab.node(1), 'here')
    with pool.background('exec', 'lost', 'sleep', '1000') as hanging:
        node.cut()
        with concurrent.futures.ThreadPoolExecutor(1) as workers:
            asked = workers.submit(pool.http, 'GET', '/containers/lost/json')
            for number in range(5):
                assert pool.docker('exec', 'here', 'echo', 'x', timeout=10).ok().stdout == 'x\n'
            wait_status(pool, node, 'Unhealthy', 45)
            reply = asked.result(60)
        assert reply.status in (500, 502) and 'node-2' in reply.message(), repr(reply)
        assert names(pool) == ['here'] and names(pool, '-a') == ['here', 'lost']
        pool.docker('run', '--rm', 'busybox', 'true').ok()
        node.heal()
        wait_status(pool, node, 'Healthy', 60)
        assert hanging.process.poll() is None or hanging.wait() != 0
    assert names(pool) == ['here', 'lost']
    assert pool.docker('exec', 'lost', 'echo', 'back').ok().stdout == 'back\n'


def test_a_slow_node_holds_up_only_itself(pool):
    run_on(pool, pool.lab.node(1), 'here')
    pool.lab.node(2).slow(delay=0.3)
    run_on(pool, pool.lab.node(2), 'slow')
    pool.docker('exec', 'here', 'true', timeout=10).ok()
    assert names(pool) == ['here', 'slow']
    assert pool.docker('exec', 'slow', 'echo', 'late').ok().stdout == 'late\n'
    assert status_of(pool, pool.lab.node(2)) == 'Healthy'


def test_no_node_at_all(fresh_lab, start_manager, cli):
    """Nobody listens there: the manager serves, and says what is wrong."""
    manager = start_manager(discovery='127.0.0.1:1,127.0.0.1:2', healthy=0)
    done = manager.docker('run', 'busybox', 'true', cli=cli)
    assert done.code == 125 and 'No healthy node available in the cluster' in done.stderr, done
    assert manager.docker('ps', '-a', '-q', cli=cli).ok().stdout == ''
    assert manager.docker('images', '-q', cli=cli).ok().stdout == ''
    info = manager.docker('info', cli=cli).ok().stdout
    assert '(unknown): 127.0.0.1:1' in info and 'Status: Pending' in info
    assert 'refused' in info, info


def test_a_manager_is_no_engine(fresh_lab, start_manager):
    inner = start_manager(discovery='127.0.0.1:1', healthy=0)
    outer = start_manager(discovery=f'{inner.address},{fresh_lab.addresses[0]}', healthy=1)
    why = ('cannot get resources for this engine, make sure '
           f'{inner.address} is a Docker Engine, not a Swarm manager')
    wait_until(lambda: why.encode() in outer.api('GET', '/info')[1], 20, 'it says why')
    assert sorted(outer.statuses()) == ['Healthy', 'Pending']


def test_an_engine_listed_twice(fresh_lab, start_manager):
    node = fresh_lab.node(1)
    node.inside('ip', 'address', 'add', f'{fresh_lab.prefix}.111/24', 'dev', 'eth0')
    try:
        manager = start_manager(discovery=f'{node.address},{fresh_lab.prefix}.111:2375', healthy=1)
        wait_until(lambda: b'ID duplicated' in manager.api('GET', '/info')[1], 20, 'it says so')
        assert sorted(manager.statuses()) == ['Healthy', 'Pending']
        manager.docker('run', '--rm', 'busybox', 'true').ok()
        assert json.loads(manager.api('GET', '/info')[1])['NCPU'] == \
            json.loads(node.api('GET', '/info')[1])['NCPU']
    finally:
        node.inside('ip', 'address', 'delete', f'{fresh_lab.prefix}.111/24', 'dev', 'eth0')


def test_nodes_of_a_file_come_and_go(fresh_lab, start_manager, tmp_path, cli):
    """Without a restart; streams and containers of those that stay are not disturbed."""
    first, second, third = fresh_lab.nodes
    listing = tmp_path / 'nodes'
    listing.write_text(f'# the pool\n{first.address}\n')
    manager = start_manager(discovery=f'file://{listing}', healthy=1)
    pool = Side('pool', manager.address, fresh_lab, cli)
    run_on(pool, first, 'here', 'sh', '-c', 'while :; do echo tick; sleep 0.1; done')
    with pool.background('logs', '-f', 'here') as following:
        following.expect('tick')
        listing.write_text(f'# the pool\n{first.address}\n{second.address} # new\n')
        wait_status(pool, second, 'Healthy', 10)
        run_on(pool, second, 'there')
        assert names(pool) == ['here', 'there']
        replacement = tmp_path / 'new'
        replacement.write_text(f'{first.address}\n{third.address}\n')
        replacement.rename(listing)
        wait_status(pool, third, 'Healthy', 10)
        wait_until(lambda: status_of(pool, second) is None, 10, 'node-2 has left')
        assert names(pool, '-a') == ['here']
        assert pool.http('GET', '/containers/there/json').status == 404
        ticks = following.text.count('tick')
        wait_until(lambda: more(following, ticks), 10, 'the logs go on')
    assert second.docker('ps', '-q').ok().lines, 'the engine itself was left alone'


def test_ranges(fresh_lab, start_manager):
    prefix = fresh_lab.prefix
    manager = start_manager(discovery=f'nodes://{prefix}.[11:13]:2375')
    assert manager.statuses() == ['Healthy'] * 3
    listed = subprocess.run([binary(), 'list', f'nodes://{prefix}.[11:13]:2375'],
                            capture_output=True, text=True, timeout=20)
    assert (listed.returncode, listed.stdout.split()) == (0, fresh_lab.addresses)


def test_a_restarted_manager_finds_all(fresh_lab, start_manager, cli):
    """It keeps nothing of its own: who has what, it is told by the engines."""
    manager = start_manager()
    pool = Side('pool', manager.address, fresh_lab, cli)
    for number in range(4):
        pool.docker('run', '-d', '--name', f'c{number}', '-m', '64m', 'busybox', 'sleep',
                    '1000').ok()
    made = pool.http('POST', '/containers/c1/exec', {'Cmd': ['echo', 'found'],
                                                     'AttachStdout': True}).json()['Id']
    before = pool.docker('info', '-f', '{{json .SystemStatus}}').ok().stdout
    assert manager.stop() == 0
    manager.start(healthy=3)
    assert names(pool) == ['c0', 'c1', 'c2', 'c3']
    reply = pool.http('POST', f'/exec/{made}/start', {'Detach': False})
    assert reply.body.endswith(b'found\n'), repr(reply)

    def steady(text):
        return [row for row in json.loads(text) if row[0].strip(' └') != 'UpdatedAt']

    assert steady(pool.docker('info', '-f', '{{json .SystemStatus}}').ok().stdout) == steady(before)
