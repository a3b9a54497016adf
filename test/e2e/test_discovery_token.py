# SPDX-License-Identifier: Apache-2.0
"""The token service, alone and carried by a manager, over real engines: the documented walk, what
outlives what, and what strangers may."""

import contextlib
import json
import os
import pathlib
import re
import signal
import tempfile

import pytest

from lab import LabError, client, engine, wait_until
from lab.manager import free_port
from lab.network import gateway_of
from support import Process, Wire, swarm
from support.certs import make_certs, verified


@pytest.fixture
def here(lab):
    """here(): an address of this machine that the nodes reach too, with a free port."""
    return lambda: f'{gateway_of(lab.prefix)}:{free_port()}'


@pytest.fixture
def run(tmp_path):
    """run(*args, node=None, **variables): a Process of the test's own."""
    with contextlib.ExitStack() as stack:
        names = iter(range(1000))

        def start(*args, **options):
            log = tmp_path / f'{next(names)}.log'
            return stack.enter_context(Process(log, *args, **options))

        yield start


def ask(address, method, path, body=None):
    status, answer = engine.request(address, method, path, body)
    return status, answer.decode()


def message(answer):
    status, body = answer
    return status, json.loads(body)['message']


def docker(address, *args):
    return client.docker(address, *args).ok().stdout


def healthy(address):
    """The addresses of the healthy nodes that a manager shows."""
    rows = engine.get(address, '/info')['SystemStatus'] or []
    found, at = [], None
    for name, value in rows:
        if re.match(r' [^ ]', name):
            at = value
        elif name.strip(' └') == 'Status' and value == 'Healthy':
            found.append(at)
    return sorted(found)


def wait_healthy(address, expected, timeout=30):
    def reached():
        try:
            return healthy(address) == sorted(expected)
        except (OSError, ValueError):
            return False

    wait_until(reached, timeout, f'the healthy nodes are {expected}')


def test_the_documented_walk(lab, here, run, tmp_path):
    """Word for word: a service, a cluster, a join on each host, a manager, and a container."""
    service, pool = here(), here()
    known = {'SWARM_TOKEN_SERVICE': f'http://{service}'}
    run('discovery', '-H', f'tcp://{service}', '--state-dir',
        tmp_path / 'state').expect('msg=listening')

    cluster_id = swarm('create', **known).strip()
    assert re.fullmatch('[0-9a-f]{32}', cluster_id)
    discovery = f'token://{cluster_id}'
    joins = [run('join', f'--addr={node.address}', discovery, node=node, **known)
             for node in lab.nodes]
    for join in joins:
        join.expect('msg=registered discovery=token')

    run('manage', '-H', f'tcp://{pool}', '--heartbeat=1s', discovery, **known)
    wait_healthy(pool, lab.addresses)
    info = docker(pool, 'info')
    assert 'Nodes: 3' in info and info.count('Status: Healthy') == 3
    assert docker(pool, 'run', '--rm', 'busybox', 'echo', 'hello') == 'hello\n'
    assert swarm('list', discovery, **known).split() == sorted(lab.addresses)
    assert swarm('list', f'token://{service}/{cluster_id}').split() == sorted(lab.addresses)

    # A host that is taken out on purpose leaves no entry, and the manager follows.
    assert joins[0].stop() == 0
    assert 'the entry is removed' in joins[0].text
    assert swarm('list', discovery, **known).split() == sorted(lab.addresses[1:])
    wait_healthy(pool, lab.addresses[1:])


def announced(manager):
    """The two lines of a manager without a discovery: its URI, and what DOCKER_HOST is to be."""
    said = manager.expect(r'Add a node:   swarm join --advertise <node_ip:2375> (token://\S+)\n'
                          r'Use it:       export DOCKER_HOST=tcp://(\S+)\n')
    return said.group(1), said.group(2)


def test_a_manager_carries_its_own(lab, here, run, tmp_path):
    """Nodes that join are there at once, though nothing polls for an hour; all of it outlives a
    manager that was killed."""
    pool, state = here(), tmp_path / 'state'
    args = ['--debug', 'manage', '-H', f'tcp://{pool}', '--state-dir', state, '--heartbeat', '1h']
    manager = run(*args)
    discovery, address = announced(manager)
    assert address == pool and discovery.startswith(f'token://{pool}/')
    assert 'other hosts cannot reach' not in manager.text
    assert os.stat(state).st_mode & 0o777 == 0o700

    joins = [run('join', '--advertise', node.address, discovery, node=node) for node in lab.nodes]
    for join in joins:
        join.expect('msg=registered')
    wait_healthy(pool, lab.addresses, timeout=10)
    assert swarm('list', discovery).split() == sorted(lab.addresses)
    docker(pool, 'run', '-d', '--name', 'kept', 'busybox', 'sleep', '1000')
    try:
        with pytest.raises(LabError, match='registry.db: another process uses it'):
            swarm('manage', '-H', f'tcp://{here()}', '--state-dir', state)

        manager.kill()
        again = run(*args)
        assert announced(again) == (discovery, address)
        wait_healthy(pool, lab.addresses, timeout=15)
        assert docker(pool, 'ps', '--format', '{{.Names}}') == 'kept\n'
    finally:
        docker(pool, 'rm', '-f', 'kept')

    assert joins[1].stop(signal.SIGINT) == 0
    wait_healthy(pool, [lab.addresses[0], lab.addresses[2]], timeout=10)
    cluster_id = discovery.rpartition('/')[2]
    assert message(ask(pool, 'DELETE', f'/v1/clusters/{cluster_id}')) == \
        (409, "this is the manager's own cluster: it ends with its state directory")
    # The id is as good as a password: said on stdout once, and not in the log.
    assert 'path=/v1/clusters ' in again.text and again.text.count(cluster_id) == 1


def test_a_manager_whose_service_is_away(lab, here, run, tmp_path):
    """It goes on asking, says so, and keeps its nodes."""
    service, pool = here(), here()
    args = ['discovery', '-H', service, '--state-dir', tmp_path / 'state']
    first = run(*args)
    first.expect('msg=listening')
    uri = f'token://{service}/{swarm("create", "--service", service).strip()}'
    cluster_id = uri.rpartition('/')[2]
    for address in lab.addresses:
        assert ask(service, 'POST', f'/v1/clusters/{cluster_id}', address.encode())[0] == 200
    first.kill()

    manager = run('manage', '-H', pool, '--heartbeat', '1s', uri)
    manager.expect('the discovery cannot be read; the nodes stay as they are.*Connection refused')
    second = run(*args)
    wait_healthy(pool, lab.addresses)
    manager.expect('the discovery can be read again')
    second.kill()
    wait_until(lambda: manager.text.count('the discovery cannot be read') >= 2, 20,
               'the manager notices')
    assert healthy(pool) == sorted(lab.addresses)


def test_what_a_manager_says_where_nobody_can_join(run, tmp_path):
    port = free_port()
    said = run('manage', '-H', f':{port}', '--state-dir', tmp_path / 'a', '--advertise',
               'swarm.example.org:4000')
    assert announced(said)[1] == 'swarm.example.org:4000'
    said = run('manage', '-H', f'127.0.0.1:{free_port()}', '--state-dir', tmp_path / 'b')
    announced(said)
    assert 'other hosts cannot reach this address' in said.text
    said = run('manage', '-H', f'unix://{tmp_path}/socket', '--state-dir', tmp_path / 'c')
    said.expect('no node can join: there is no port')
    said = run('manage', '-H', f':{free_port()}', '--state-dir', tmp_path / 'd')
    assert not announced(said)[1].startswith(('0.0.0.0', ':', '127.'))


def test_a_state_directory_of_another_user(run):
    """It is made for --user, and refused where they cannot write."""
    args = ['manage', '-H', f'127.0.0.1:{free_port()}', '--user', 'nobody', '--state-dir']
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o711)
        manager = run(*args, folder / 'made')
        announced(manager)
        assert {path.owner() for path in folder.rglob('*')} == {'nobody'}
        assert manager.stop() == 0
        (folder / 'mine').mkdir(0o700)
        with pytest.raises(LabError, match=r'user "nobody" cannot write to .*/mine: Permission '):
            swarm(*args, folder / 'mine')


@pytest.fixture(params=['discovery', 'manage'])
def service(request, run, tmp_path):
    """The address of a service, alone or carried."""
    address = f'127.0.0.1:{free_port()}'
    run(request.param, '-H', address, '--state-dir', tmp_path / 'state').expect('msg=listening')
    return address


def test_what_the_service_answers(service):
    status, cluster_id = ask(service, 'POST', '/v1/clusters')
    assert status == 200 and re.fullmatch('[0-9a-f]{32}', cluster_id)
    path = f'/v1/clusters/{cluster_id}'
    assert ask(service, 'GET', path) == (200, '[]\n')
    assert ask(service, 'POST', f'{path}?ttl=180', b'host-b:2375') == (200, '')
    assert ask(service, 'POST', path, b'[fd00::1]:2375\n') == (200, '')
    assert ask(service, 'GET', path) == (200, '["[fd00::1]:2375","host-b:2375"]\n')
    assert ask(service, 'POST', f'{path}?ttl=0', b'[fd00::1]:2375') == (200, '')
    assert ask(service, 'POST', f'{path}?ttl=1', b'brief:1') == (200, '')
    wait_until(lambda: ask(service, 'GET', path) == (200, '["host-b:2375"]\n'), 20,
               'the brief entry ends')
    assert ask(service, 'DELETE', path) == (204, '')
    assert message(ask(service, 'GET', path)) == (404, 'there is no cluster with this id')


def test_what_the_service_refuses(service):
    _, cluster_id = ask(service, 'POST', '/v1/clusters')
    path = f'/v1/clusters/{cluster_id}'
    nobody = '/v1/clusters/' + 32 * '0'
    for method, target, body, status, part in [
            ('GET', '/v1/clusters', None, 405, 'GET is not for /v1/clusters: POST is'),
            ('PUT', path, None, 405, 'GET, POST and DELETE are'),
            ('GET', '/v1/clusters/zz', None, 400, 'invalid cluster id: it is 32 hex'),
            ('GET', f'{path}/more', None, 400, 'it is 32 hexadecimal digits'),
            ('GET', nobody, None, 404, 'there is no cluster with this id'),
            ('POST', nobody, b'a:1', 404, 'there is no cluster with this id'),
            ('DELETE', nobody, None, 404, 'there is no cluster with this id'),
            ('POST', f'{path}?ttl=soon', b'a:1', 400, 'invalid ttl "soon"'),
            ('POST', f'{path}?ttl=-1', b'a:1', 400, 'a number of seconds, at most 31536000'),
            ('POST', path, b'', 400, 'invalid address "": it has no port'),
            ('POST', path, b'tcp://a:1', 400, 'invalid address "tcp://a:1"'),
            ('POST', path, b'\x00\xff:1', 400, 'neither a name nor an IP address'),
            ('POST', path, 600 * b'a', 413, '')]:
        said = message(ask(service, method, target, body))
        assert said[0] == status and part in said[1], (method, target, said)
    assert ask(service, 'GET', path) == (200, '[]\n')


def test_one_client_cannot_fill_it(service):
    made = {ask(service, 'POST', '/v1/clusters')[1] for _ in range(256)}
    assert len(made) == 256
    assert message(ask(service, 'POST', '/v1/clusters')) == \
        (403, '127.0.0.1 has made 256 clusters here, which is all that one client may')
    assert ask(service, 'DELETE', f'/v1/clusters/{made.pop()}') == (204, '')
    assert ask(service, 'POST', '/v1/clusters')[0] == 200


@pytest.mark.parametrize('kind', ['discovery', 'manage'])
def test_one_client_cannot_hold_it(run, tmp_path, kind):
    """A request that does not come to its end counts as under way, and the operator is told."""
    address = f'127.0.0.1:{free_port()}'
    serving = run(kind, '-H', address, '--state-dir', tmp_path / 'state', '--limit', 'requests=1')
    serving.expect('msg=listening')
    path = f'/v1/clusters/{ask(address, "POST", "/v1/clusters")[1]}'
    with Wire(address) as silent:
        silent.send(f'POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n')
        wait_until(lambda: ask(address, 'GET', path)[0] == 429, 10, 'the silent one is under way')
        serving.expect('msg="request over a limit".* status=429 error="too many requests of this ')
        silent.send('a:123')
        assert silent.reply()[0] == 200
    assert ask(address, 'GET', path) == (200, '["a:123"]\n')


@pytest.mark.parametrize('kind', ['discovery', 'manage'])
def test_over_tls(run, tmp_path, kind):
    """With a port of its own it is https where TLS flags are given, and nobody without a certificate
    gets in."""
    certs = make_certs(tmp_path / 'certs', 'manager=127.0.0.1')
    address = f'127.0.0.1:{free_port()}'
    run(kind, '-H', address, '--state-dir', tmp_path / 'state',
        *verified(certs / 'manager')).expect('tls=verify')
    mine = verified(certs / 'client')
    cluster_id = swarm('create', '--service', address, *mine).strip()
    uri = f'token://{address}/{cluster_id}'
    assert swarm('list', *mine, uri) == ''
    for args, why in [(['create', '--service', f'http://{address}'], 'the token service: '),
                      (['create', '--service', f'https://{address}'], 'certificate'),
                      (['list', uri], 'the token service: '),
                      (['list', '--tls', *mine[2:], uri], None)]:
        if why is None:
            assert swarm(*args) == ''
            continue
        with pytest.raises(LabError, match=why):
            swarm(*args)
