# SPDX-License-Identifier: Apache-2.0
"""Nodes that join and leave by a key-value store, of each kind: seen at once, kept while the store
is away, and gone when they are."""

import base64
import contextlib
import json
import re
import signal
import subprocess
import time
import types

import pytest

from lab import Manager, host, wait_until
from lab.manager import binary
from lab.stores import Consul, Etcd, ZooKeeper
from support.certs import make_certs, store_opts
from support.doubles import answering, engine_double

KINDS = {'etcd': Etcd, 'consul': Consul, 'zk': ZooKeeper}
AT_ONCE = 5  # seconds, for a second on a busy machine


class Join:
    """`swarm join` in the background."""

    def __init__(self, log, address, uri, *args):
        self.log = log
        argv = [binary(), '--debug', 'join', '--advertise', address, *args, uri]
        with open(log, 'ab') as output:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=output)

    def logged(self, text):
        with open(self.log, errors='replace') as log:
            return [line for line in log.read().splitlines() if text in line]

    def wait_registered(self):
        wait_until(lambda: self.logged('msg=registered'), 30, f'registered\n{host.tail(self.log)}')
        return self

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
        return self.process.returncode

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def run(*args, timeout=60):
    return subprocess.run([binary(), *args], capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL)


def listed(uri, *args):
    done = run('list', *args, uri)
    assert done.returncode == 0, done.stderr
    return sorted(done.stdout.split())


@pytest.fixture
def begin(tmp_path):
    """Begins managers and joins, and ends them after the test."""
    ended = contextlib.ExitStack()
    count = iter(range(100))

    def join(address, uri, *args):
        made = Join(str(tmp_path / f'join-{next(count)}.log'), address, uri, *args)
        ended.callback(made.kill)
        return made

    def manager(uri, *args, healthy=0):
        made = Manager(uri, str(tmp_path / f'manager-{next(count)}.log'), ['--debug', *args])
        ended.callback(made.finish)
        made.start(healthy=healthy)
        return made

    def store(kind, **options):
        made = KINDS[kind](str(tmp_path / f'store-{next(count)}'), **options)
        ended.callback(made.kill)
        made.start()
        return made

    with ended:
        yield types.SimpleNamespace(join=join, manager=manager, store=store)


@pytest.fixture(params=list(KINDS))
def kind(request):
    return request.param


# Its own client takes its time to find that nobody is there.
ZK_IS_SLOW = pytest.mark.parametrize('kind', ['etcd', 'consul',
                                              pytest.param('zk', marks=pytest.mark.slow)])


def wait_shown(manager, addresses, timeout=AT_ONCE):
    """Waits until these are the addresses of the nodes in /info."""
    def rows():
        status = json.loads(manager.api('GET', '/info')[1])['SystemStatus']
        return sorted(value for name, value in status
                      if '└' not in name and re.search(r':\d+$', value))

    wait_until(lambda: rows() == sorted(addresses), timeout,
               f'the nodes are {addresses}; they are {rows()}')


def test_nodes_join_and_leave(kind, begin, fresh_lab):
    """From the first to the last word: join, list, manage, leave; a heartbeat changes nothing."""
    store = begin.store(kind)
    uri = store.uri('some/prefix')
    manager = begin.manager(uri)
    wait_shown(manager, [])
    assert listed(uri) == []
    joins = [begin.join(node.address, uri, '--ttl', '21s', '--heartbeat', '1s')
             for node in fresh_lab.nodes[:2]]
    for join in joins:
        join.wait_registered()
    first, second = sorted(node.address for node in fresh_lab.nodes[:2])
    manager.wait_healthy(2)
    wait_shown(manager, [first, second])
    assert listed(uri) == [first, second]
    # Under another prefix there is nothing.
    assert listed(store.uri('some')) == [] and listed(store.uri('some/prefix/more')) == []

    reads = len(manager.logged('the discovery lists nodes'))
    beats = len(joins[0].logged('msg=renewed'))
    wait_until(lambda: len(joins[0].logged('msg=renewed')) >= beats + 3, 30, 'three heartbeats')
    assert len(manager.logged('the discovery lists nodes')) == reads

    leaving = next(join for join in joins if join.logged(first))
    assert leaving.stop() == 0
    wait_shown(manager, [second])
    assert listed(uri) == [second]
    # One that comes back while its old entry is there makes it its own.
    again = begin.join(second, uri, '--ttl', '21s', '--heartbeat', '1s').wait_registered()
    wait_shown(manager, [second])
    assert again.stop() == 0
    for join in joins:
        join.kill()


@pytest.mark.slow
def test_a_store_that_forgot_everything(kind, begin, fresh_lab):
    """Each join enters its node anew; meanwhile the manager keeps those whose engine answers."""
    store = begin.store(kind)
    uri = store.uri('x')
    node, dead = fresh_lab.nodes[:2]
    for each in (node, dead):
        begin.join(each.address, uri, '--ttl', '21s', '--heartbeat', '1s').wait_registered()
    manager = begin.manager(uri, healthy=2)
    # While the store is away, and one of the engines too.
    store.kill()
    wait_until(lambda: manager.logged('the discovery cannot be read'), 30, 'the outage is noticed')
    dead.stop()
    wait_until(lambda: manager.statuses('Unhealthy'), 60, 'its engine is known to be away')
    wait_shown(manager, sorted([node.address, dead.address]))
    store.wipe()
    store.start()
    wait_until(lambda: manager.logged('the discovery can be read again'), 30, 'it is read again')
    wait_shown(manager, [node.address])
    wait_until(lambda: listed(uri) == [node.address], 30, 'the node is entered again')
    assert not manager.logged(f'node left.*{node.address}')
    dead.start()
    wait_until(lambda: len(listed(uri)) == 2, 60, 'the other node is entered again')
    wait_shown(manager, sorted([node.address, dead.address]))


def test_an_entry_that_somebody_removed(begin):
    store = begin.store('etcd')
    with engine_double() as address:
        begin.join(address, store.uri(), '--ttl', '20s', '--heartbeat', '1s').wait_registered()
        key = base64.b64encode(f'docker/swarm/nodes/{address}'.encode()).decode()
        answer = store.servers[0].ask('/v3/kv/deleterange', {'key': key})
        assert answer['deleted'] == '1'
        wait_until(lambda: listed(store.uri()) == [address], 20, 'it is entered again')


def test_a_host_that_dies_leaves(begin, tmp_path):
    """Its entry ends with its lease. (The engine here is none: it is about the entry.)"""
    store = begin.store('etcd')
    uri = store.uri()
    with engine_double() as address:
        join = begin.join(address, uri, '--ttl', '3s', '--heartbeat', '1s').wait_registered()
        assert listed(uri) == [address]
        join.kill()
        wait_until(lambda: listed(uri) == [], 30, 'the entry is gone')


def put(store, key, value):
    """By hand, as no join would write it."""
    def text(word):
        return base64.b64encode(word.encode()).decode()
    store.servers[0].ask('/v3/kv/put', {'key': text(key), 'value': text(value)})


def test_entries_that_are_no_address(begin):
    store = begin.store('etcd')
    manager = begin.manager(store.uri('x'))
    put(store, 'x/docker/swarm/nodes/good', '127.0.0.1:1')
    wait_shown(manager, ['127.0.0.1:1'])
    for number, value in enumerate(['', 'nonsense', 'host:99999', '10.0.0.[1:9]:2375', '\x00']):
        put(store, f'x/docker/swarm/nodes/bad-{number}', value)
    put(store, 'x/docker/swarm/nodes/deeper/one', '127.0.0.1:2')
    put(store, 'x/docker/swarm/nodes-beside/one', '127.0.0.1:3')
    put(store, 'x/docker/swarm/nodes/better', '[::1]:1')
    wait_shown(manager, ['127.0.0.1:1', '[::1]:1'])
    assert manager.logged('a node is left out.*entry=nonsense')
    assert listed(store.uri('x')) == ['127.0.0.1:1', '[::1]:1']
    assert listed(store.uri('x'), '--discovery-opt', 'kv.path=/docker/swarm/nodes-beside/') == [
        '127.0.0.1:3']


@ZK_IS_SLOW
def test_a_store_that_is_not_there(kind, begin, tmp_path):
    """A list fails; a manager says so, tries again, and goes on when it is there."""
    made = KINDS[kind](str(tmp_path / 'later'))
    uri = made.uri('x')
    done = run('list', '--timeout', '20s', uri)
    assert done.returncode == 1 and done.stdout == ''
    assert done.stderr.count('\n') == 1 and made.addresses[0] in done.stderr, done.stderr
    start = time.monotonic()
    manager = begin.manager(uri)
    wait_until(lambda: len(manager.logged('the discovery cannot be read')) >= 5, 60,
               'it tries again')
    # After 250, 500 ms, 1 s, 2 s.
    assert time.monotonic() - start > 3.5
    # ZooKeeper's own client would try many times a second.
    assert len(manager.logged('server refused')) < 40
    with made:
        wait_until(lambda: manager.logged('the discovery can be read again'), 30, 'it can be read')
        wait_until(lambda: manager.logged('lists nodes.*nodes=0'), 5, 'nothing is listed')


@ZK_IS_SLOW
def test_a_store_that_hangs(kind, begin):
    """A list fails when its time is over."""
    store = begin.store(kind)
    store.pause()
    start = time.monotonic()
    done = run('list', '--timeout', '2s', store.uri())
    assert done.returncode == 1
    assert f'{kind}:// did not answer within --timeout' in done.stderr
    assert 1.9 < time.monotonic() - start < 20


GARBAGE = {
    'ssh': b'SSH-2.0-OpenSSH_9.2\r\n\r\n',
    'array': b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]',
    'cut': b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"header":{},"kv',
    'entries': b'HTTP/1.1 200 OK\r\nX-Consul-Index: 7\r\nContent-Length: 9\r\n\r\n[{"K":1}]',
    'moved': b'HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n',
    'unavailable': b'HTTP/1.1 503 No leader\r\nContent-Length: 9\r\n\r\nno leader',
    'zeros': bytes(4096),
}


@pytest.mark.parametrize('kind, answer', [
    *((kind, answer) for kind in ('etcd', 'consul') for answer in GARBAGE),
    ('zk', 'ssh')])
def test_a_store_that_answers_garbage(kind, answer):
    """One line says so."""
    with answering(GARBAGE[answer]) as address:
        done = run('list', '--timeout', '10s', f'{kind}://{address}/x')
        assert done.returncode == 1 and done.stderr.count('\n') == 1, done.stderr
        assert done.stderr.startswith('swarm list: ') and done.stdout == ''


@pytest.mark.parametrize('kind, answer', [('etcd', 'array'), ('consul', 'entries'), ('zk', 'ssh')])
def test_a_manager_outlives_garbage(kind, answer, begin, tmp_path):
    """It says so, tries again, and has the nodes once the store is well."""
    made = KINDS[kind](str(tmp_path / 'later'))
    with engine_double() as address:
        with answering(GARBAGE[answer], port=made.servers[0].port):
            manager = begin.manager(made.uri('x'))
            wait_until(lambda: len(manager.logged('the discovery cannot be read.*error=".+"')) >= 3,
                       90, 'it tries again')
            wait_shown(manager, [])
        with made:
            begin.join(address, made.uri('x')).wait_registered()
            wait_until(lambda: manager.logged('the discovery can be read again'), 30,
                       'it can be read')
            wait_shown(manager, [address])


@pytest.mark.parametrize('kind', ['etcd', 'consul'])
def test_a_store_over_tls(kind, begin, tmp_path):
    certs = make_certs(tmp_path / 'certs', 'manager-store=127.0.0.1', 'manager=127.0.0.1')
    own = certs / 'manager-store'
    store = begin.store(kind, tls=types.SimpleNamespace(
        ca=own / 'ca.pem', cert=own / 'cert.pem', key=own / 'key.pem'))
    opts = store_opts(certs / 'manager')
    with engine_double() as address:
        begin.join(address, store.uri(), *opts).wait_registered()
        assert listed(store.uri(), *opts) == [address]
        wait_shown(begin.manager(store.uri(), *opts), [address])
    for args in ([], opts[:2]):
        done = run('list', '--timeout', '10s', *args, store.uri())
        assert done.returncode == 1 and done.stderr.count('\n') == 1, done.stderr
    done = run('list', '--discovery-opt', 'kv.cacertfile=/nowhere', store.uri())
    assert done.returncode == 1 and '/nowhere' in done.stderr


def test_etcds_leader_is_killed(begin, fresh_lab):
    """The manager goes on, nodes stay, and new ones are seen."""
    store = begin.store('etcd', members=3)
    uri = store.uri('x')
    first, second = fresh_lab.nodes[0].address, fresh_lab.nodes[1].address
    begin.join(first, uri, '--ttl', '30s', '--heartbeat', '1s').wait_registered()
    manager = begin.manager(uri, healthy=1)
    store.leader().kill()
    begin.join(second, uri, '--ttl', '30s', '--heartbeat', '1s').wait_registered()
    manager.wait_healthy(2)
    assert not manager.logged('node left|a node leaves')


@pytest.mark.parametrize('args', [['--ttl', '15s', '--heartbeat', '5s'],
                                  ['--ttl', '60s', '--heartbeat', '30s']])
def test_consul_refuses_a_ttl_that_it_cannot_keep(begin, args):
    store = begin.store('consul')
    with engine_double() as address:
        done = run('join', '--advertise', address, *args, store.uri())
    assert done.returncode == 1 and 'consul:// needs a TTL of ' in done.stderr, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize('comes_back', ['with what it held', 'empty', 'from a stop of its clock'])
def test_a_store_is_away_for_two_minutes(comes_back, begin, fresh_lab):
    """A single manager goes on, keeps its nodes, and all is well when the store is back."""
    pools = []
    for kind in KINDS:
        store = begin.store(kind)
        joins = [begin.join(node.address, store.uri('x'), '--ttl', '60s', '--heartbeat', '5s')
                 for node in fresh_lab.nodes]
        pools.append((store, begin.manager(store.uri('x'), healthy=3), joins))
    for store, *_ in pools:
        if comes_back == 'from a stop of its clock':
            store.pause()
        else:
            store.kill()
    over = time.monotonic() + 120
    count = 0
    while time.monotonic() < over:
        for _, manager, _ in pools:
            count += 1
            manager.docker('run', '--rm', f'--name=while-{count}', 'busybox', 'true').ok()
            assert len(manager.statuses('Healthy')) == 3
        time.sleep(2)
    for store, *_ in pools:
        if comes_back == 'from a stop of its clock':
            store.resume()
            continue
        if comes_back == 'empty':
            store.wipe()
        store.start()
    for store, manager, _ in pools:
        wait_until(lambda: manager.logged('the discovery can be read again'), 60, 'it is back')
        wait_until(lambda: listed(store.uri('x')) == sorted(fresh_lab.addresses), 90,
                   'all nodes are registered again')
        wait_until(lambda: len(manager.statuses('Healthy')) == 3, 10, 'all nodes are well')
        assert not manager.logged('node left|a node leaves')
    # And who leaves now, leaves: at once where its engine does not answer, else later.
    *staying, leaving = fresh_lab.nodes
    leaving.stop()
    for *_, joins in pools:
        assert joins[-1].stop() == 0
    for _, manager, _ in pools:
        wait_shown(manager, [node.address for node in staying], 60)
        assert manager.logged(f'node left.*{leaving.address}')
