# SPDX-License-Identifier: Apache-2.0
"""Several managers: one leads, the others pass on; what happens when one ends. Chaos on purpose is
test_managers_chaos.py."""

import base64
import hashlib
import http.client
import json
import os
import re
import signal
import subprocess
import time

import pytest

from lab import engine, wait_until
from lab.client import environment
from lab.manager import binary
from lab.stores import Consul, Etcd, ZooKeeper
from support.certs import make_certs, verified
from support.several import Several, info_rows

NODES = 3


@pytest.fixture
def several(fresh_lab, tmp_path):
    with Etcd(tmp_path) as store, \
            Several(store, tmp_path, nodes=fresh_lab.addresses) as managers:
        yield managers


def test_a_primary_that_ends_is_replaced(several):
    """With what it answered."""
    first = several.primary()
    [second] = several.replicas()
    assert info_rows(second) == {**info_rows(first), 'Role': 'replica', 'Primary': first.address}

    second.docker('run', '-d', '--name', 'web', 'busybox', 'sleep', '1000').ok()
    first.kill()
    assert several.primary() is second
    assert second.docker('ps', '--format', '{{.Names}}').ok().lines == ['web']
    refused = second.docker('create', '--name', 'web', 'busybox')
    assert refused.code and 'The name web is already assigned' in refused.stderr

    first.start(healthy=NODES)
    assert several.primary() is second
    second.docker('rm', '-f', 'web').ok()


def leader_events(manager):
    """(action, manager) of each, in order, as `docker events` shows them afterwards."""
    shown = manager.docker('events', '--since', '0', '--until', str(int(time.time()) + 1),
                           '--filter', 'type=manager', '--format', '{{.Action}} {{.Actor.ID}}')
    return [tuple(line.split()) for line in shown.ok().lines]


@pytest.mark.parametrize('kind', [Etcd, Consul, ZooKeeper], ids=['etcd', 'consul', 'zk'])
def test_a_primary_that_is_stopped_is_replaced_at_once(tmp_path, kind):
    """Long before its lease ends. Each says who leads, in its log and as an event."""
    with kind(tmp_path) as store, Several(store, tmp_path, ttl='60s') as managers:
        first = managers.primary()
        [second] = managers.replicas()
        assert first.logged('leader elected: this manager is the primary')
        assert leader_events(first) == [('leader_elected', first.address)]
        assert first.stop() == 0
        assert managers.primary(timeout=10) is second
        assert leader_events(second) == [('leader_elected', first.address),
                                         ('leader_elected', second.address)]


@pytest.mark.parametrize('kind', [Etcd, pytest.param(Consul, marks=pytest.mark.slow),
                                  pytest.param(ZooKeeper, marks=pytest.mark.slow)],
                         ids=['etcd', 'consul', 'zk'])
def test_a_primary_that_dies_is_replaced_within_its_ttl(tmp_path, kind):
    """And not much before, which nobody may. A lease of twice that would last for 32 s at least,
    being renewed each third of it."""
    with kind(tmp_path) as store, Several(store, tmp_path, ttl='24s') as managers:
        first = managers.primary()
        [second] = managers.replicas()
        first.kill()
        start = time.monotonic()
        assert managers.primary() is second
        assert 8 < time.monotonic() - start < 24 + 7


def test_without_a_primary_one_comes_again(fresh_lab, tmp_path):
    """The store is away: reads go on, and nothing is written once the lease has ended."""
    with Etcd(tmp_path) as store, \
            Several(store, tmp_path, count=2, ttl='3s', nodes=fresh_lab.addresses) as managers:
        primary = managers.primary()
        [replica] = managers.replicas()
        primary.docker('run', '-d', '--name', 'web', 'busybox', 'sleep', '1000').ok()
        store.pause()
        wait_until(lambda: info_rows(primary).get('Role') == 'replica', 30, 'the lease ends')
        wait_until(lambda: primary.logged('leader lost: this manager is not the primary any more'),
                   10, 'it says so')
        assert leader_events(primary)[-1] == ('leader_lost', primary.address)
        for manager in primary, replica:
            status, body = manager.api('GET', '/containers/json')
            assert status == 200 and '/web' in json.loads(body)[0]['Names'], body
            status, headers, body = answered(manager, 'POST', '/containers/web/stop')
            assert status == 503, body
            assert headers['Retry-After'] == '5' and 'not the primary' in body
        store.resume()
        leader = managers.primary()
        leader.docker('stop', '-t', '0', 'web').ok()


def answered(manager, method, path):
    connection = http.client.HTTPConnection(manager.address, timeout=30)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def test_streams_go_through_a_replica_byte_for_byte(several):
    [replica] = several.replicas()
    # Text, since an engine's log keeps no other bytes.
    data = base64.encodebytes(os.urandom(3_000_000))
    digest = hashlib.sha256(data).hexdigest()

    echoed = replica.docker('run', '-i', '--name', 'cat', 'busybox', 'cat', input=data,
                            binary=True, timeout=120).ok().stdout
    assert hashlib.sha256(echoed).hexdigest() == digest
    logged = replica.docker('logs', 'cat', binary=True).ok().stdout
    assert hashlib.sha256(logged).hexdigest() == digest

    replica.docker('run', '-d', '--name', 'here', 'busybox', 'sleep', '1000').ok()
    echoed = replica.docker('exec', '-i', 'here', 'cat', input=data, binary=True,
                            timeout=120).ok().stdout
    assert hashlib.sha256(echoed).hexdigest() == digest
    failed = replica.docker('exec', 'here', 'sh', '-c', 'echo out; echo err >&2; exit 7')
    assert (failed.code, failed.stdout, failed.stderr) == (7, 'out\n', 'err\n')

    replica.docker('run', '-d', '--name', 'count', 'busybox', 'sh', '-c',
                   'for i in 1 2 3; do echo $i; sleep 0.3; done').ok()
    assert replica.docker('logs', '-f', 'count').ok().stdout == '1\n2\n3\n'
    assert replica.docker('wait', 'count').ok().stdout == '0\n'


def test_streams_outlive_their_primary_as_a_primary(several, tmp_path):
    """A primary that loses its lease, and lives, goes on with what is joined."""
    primary = several.primary()
    primary.docker('run', '-d', '-i', '--name', 'cat', 'busybox', 'cat').ok()
    with subprocess.Popen(['docker', 'attach', 'cat'], env=environment(primary.address),
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as attached:
        try:
            attached.stdin.write(b'before\n')
            attached.stdin.flush()
            assert attached.stdout.readline() == b'before\n'
            primary.process.send_signal(signal.SIGSTOP)
            [other] = [manager for manager in several.all if manager is not primary]
            several.primary(among=[other])
            primary.process.send_signal(signal.SIGCONT)
            assert several.primary() is other
            attached.stdin.write(b'after\n')
            attached.stdin.flush()
            assert attached.stdout.readline() == b'after\n'
        finally:
            attached.kill()


def test_managers_talk_tls_to_each_other(tmp_path):
    certs = make_certs(tmp_path / 'certs', 'manager=127.0.0.1,localhost')
    args = verified(certs / 'manager')
    with Etcd(tmp_path) as store, \
            Several(store, tmp_path, args=args, certs=str(certs / 'client')) as managers:
        [replica] = managers.replicas()
        status, body = replica.api('GET', '/version')
        assert status == 200 and json.loads(body)['Version'].startswith('swarm/'), body
        assert replica.docker('ps').ok().lines[0].startswith('CONTAINER ID')


def test_a_session_that_somebody_ended_leads_to_a_new_campaign(tmp_path):
    with Consul(tmp_path) as store, Several(store, tmp_path, count=1, ttl='60s') as managers:
        manager = managers.primary()
        [server] = store.servers
        [entry] = engine.get(server.address, '/v1/kv/chaos/docker/swarm/leader')
        status, body = engine.request(server.address, 'PUT',
                                      f'/v1/session/destroy/{entry["Session"]}')
        assert status == 200, body
        wait_until(lambda: len(manager.logged('this manager is the primary"')) == 2, 20,
                   'it is elected again')
        assert manager.logged('leader lost: this manager is not the primary any more')
        [again] = engine.get(server.address, '/v1/kv/chaos/docker/swarm/leader')
        assert again['Session'] != entry['Session']


def test_a_zookeepers_own_ttl_is_told(tmp_path):
    """Twenty of its ticks of 2 s, whatever is asked for."""
    with ZooKeeper(tmp_path) as store, Several(store, tmp_path, count=1, ttl='60s') as managers:
        manager = managers.primary()
        assert manager.logged("a TTL of its own for the primary's lease.*asked=1m0s.*granted=40s")


@pytest.mark.parametrize('args, said', [
    (['nodes://127.0.0.1:1'], 'needs a key-value discovery .* which nodes:// is not'),
    (['file:///nodes'], 'needs a key-value discovery .* which file:// is not'),
    (['token://127.0.0.1:1/' + 32 * 'a'], 'needs a key-value discovery .* which token:// is not'),
    ([], 'needs a key-value discovery .* there is no <discovery>'),
    (['--replication-ttl', '19s', 'consul://127.0.0.1:1'], '--replication-ttl: .* 20s at least'),
    (['--replication-ttl', '10ms', 'etcd://127.0.0.1:1'], '--replication-ttl'),
    (['--advertise', 'here', 'etcd://127.0.0.1:1'], '--advertise'),
])
def test_what_cannot_be_replicated_is_refused(args, said):
    done = subprocess.run([binary(), 'manage', '--replication', '--advertise', '127.0.0.1:4000',
                           *args], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert re.search(said, done.stderr) and done.stderr.count('\n') == 1, done.stderr


def test_replication_without_advertise_is_refused():
    done = subprocess.run([binary(), 'manage', '--replication', 'etcd://127.0.0.1:1'],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and '--advertise' in done.stderr
