# SPDX-License-Identifier: Apache-2.0
"""What the manager answers itself: ping, version and info; and which API versions it takes."""

import email.utils
import json
import re
import time

import pytest


def engine_of(pair):
    """What an engine of the pool says of its version."""
    return pair.engine.http('GET', '/version').json()


@pytest.mark.parametrize('method', ['GET', 'HEAD'])
@pytest.mark.parametrize('path', ['/_ping', '/v1.24/_ping', '/v1.41/_ping'])
def test_ping(pair, method, path):
    names = ('Api-Version', 'Ostype', 'Docker-Experimental', 'Cache-Control', 'Pragma',
             'Content-Type', 'Content-Length')

    def story(side):
        reply = side.http(method, path)
        return reply.status, reply.body, {name: reply.headers.get(name) for name in names}

    status, body, headers = pair.tell(story)
    assert status == 200 and body == (b'OK' if method == 'GET' else b'')
    assert headers['Api-Version'] == engine_of(pair)['ApiVersion']
    assert headers['Ostype'] == 'linux'
    reply = pair.pool.http(method, path)
    assert reply.headers['Swarm'] == 'inactive' and reply.headers['Builder-Version']
    assert re.fullmatch(r'Docker/swarm-\S+ \(linux\)', reply.headers['Server'])


def test_every_reply_says_who_answers(pair):
    pair.pool.create('box', 'true')
    version = engine_of(pair)['ApiVersion']
    for path in ('/info', '/nosuch', '/containers/nosuch/json', '/v1.99/info', '/images/json',
                 '/containers/box/changes'):
        headers = pair.pool.http('GET', path).headers
        assert headers['Api-Version'] == version and headers['Ostype'] == 'linux', path
        assert headers['Server'].startswith('Docker/swarm-'), path
        assert headers['Docker-Experimental'] == 'false', path
        assert len(headers.get_all('Date')) == 1, path
        age = time.time() - email.utils.parsedate_to_datetime(headers['Date']).timestamp()
        assert -1 < age < 60, path


@pytest.mark.parametrize('version', ['1.24', '1.25', '1.30', '1.35', '1.40', '1.41'])
def test_a_client_of_each_version(pair, version):
    env = {'DOCKER_API_VERSION': version}
    assert pair.same('run', '--name', 'old', 'busybox', 'echo', 'hello', env=env) == \
        (0, 'hello\n', '')
    assert pair.same('run', '--rm', '-i', 'busybox', 'cat', input='hello', env=env)[1] == 'hello'
    for args in (['ps', '-a'], ['logs', 'old'], ['images'], ['start', 'old'], ['wait', 'old'],
                 ['inspect', '-f', '{{.Name}}', 'old'], ['rm', 'old'], ['inspect', 'nosuch']):
        pair.same(*args, env=env)


@pytest.mark.parametrize('version, words', [
    ('1.0', 'client version 1.0 is too old. Minimum supported API version is 1.24, please upgrade '
     'your client to a newer version'),
    ('1.23', 'client version 1.23 is too old. Minimum supported API version is 1.24, please '
     'upgrade your client to a newer version'),
    ('1.99', 'client version 1.99 is too new. Maximum supported API version is 1.51'),
    ('2.0', 'client version 2.0 is too new. Maximum supported API version is 1.51')])
def test_a_client_of_another_version(pair, version, words):
    for path in ('info', 'containers/json', 'containers/nosuch/start'):
        method = 'POST' if path.endswith('start') else 'GET'
        reply = pair.pool.http(method, f'/v{version}/{path}')
        assert (reply.status, reply.message()) == (400, words), path
    done = pair.pool.docker('ps', env={'DOCKER_API_VERSION': version})
    assert done.code == 1 and words in done.stderr, done


def test_a_client_that_is_newer_than_the_engines(pair):
    """It may have agreed on a version before an older node came: the requests go on."""
    for version in ('1.42', '1.44', '1.51'):
        made = pair.pool.http('POST', f'/v{version}/containers/create?name=newer',
                              {'Image': 'busybox', 'Cmd': ['echo', 'here']})
        assert made.status == 201, repr(made)
        for method, path, status in [('POST', 'start', 204), ('POST', 'wait', 200),
                                     ('GET', 'logs?stdout=1', 200), ('GET', 'json', 200)]:
            reply = pair.pool.http(method, f'/v{version}/containers/newer/{path}')
            assert reply.status == status, f'{version} {path}: {reply}'
        assert pair.pool.http('DELETE', f'/v{version}/containers/newer').status == 204


def test_versions_that_are_none(pair):
    # An engine takes a third number behind any but its newest version, and the pool behind none.
    newest = engine_of(pair)['ApiVersion']
    for path in ('/v1/info', '/v1.x/info', '/v/info', '/v1.41', '/v1.41/', f'/v{newest}.1/info',
                 '/V1.41/info'):
        pool, engine = pair.both(lambda side: side.http('GET', path).status)
        assert pool == engine, f'{path}: {pool}, an engine {engine}'


def test_version(pair):
    value = pair.pool.http('GET', '/version').json()
    fields = engine_of(pair)
    assert value['Version'].startswith('swarm/')
    assert value['ApiVersion'] == fields['ApiVersion']
    assert value['MinAPIVersion'] == '1.24' and value['Os'] == 'linux'
    assert value['Platform']['Name']
    assert fields['Version'] in [part['Version'] for part in value['Components'][1:]], value
    assert set(fields) <= set(value), set(fields) - set(value)


@pytest.mark.every_cli
def test_docker_version(pair):
    done = pair.pool.docker('version').ok()
    assert re.search(r'Server: Docker Swarm\n Swarm:\n', done.stdout), done
    engine = re.escape(engine_of(pair)['Version'])
    assert re.search(rf'\n Engine:\n  Version: +{engine}\n', done.stdout), done
    assert pair.ok('version', '-f', '{{.Server.APIVersion}} {{.Server.Os}} {{.Server.Arch}}')


@pytest.mark.every_cli
def test_docker_info(pair, lab):
    """Line by line as the contract has it."""
    pair.pool.docker('run', '-d', '--name', 'web', '-m', '64m', '--cpus', '0.5', '-e',
                     'constraint:node==node-2', 'busybox', 'sleep', '1000').ok()
    pair.pool.docker('create', '--name', 'idle', '-e', 'constraint:node==node-2', 'busybox',
                     'true').ok()
    lines = pair.pool.docker('info').ok().stdout.splitlines()
    engine = engine_of(pair)['Version']
    start = next(at for at, line in enumerate(lines) if line.strip() == 'Role: primary')
    shown = [line.rstrip() for line in lines[start:start + 4 + 9 * len(lab.nodes)]]
    indent = len(shown[0]) - len(shown[0].lstrip())
    shown = [line[indent:] for line in shown]
    assert shown[:4] == [
        'Role: primary', 'Strategy: spread',
        'Filters: health, port, containerslots, dependency, affinity, constraint, whitelist',
        'Nodes: 3']
    for at, node in enumerate(lab.nodes):
        block = shown[4 + at * 9:4 + (at + 1) * 9]
        info = json.loads(node.api('GET', '/info')[1])
        # With the 5 % that may be given away beyond.
        total = f'{info["MemTotal"] * 1.05 / (1 << 30):.4g} GiB'
        busy = node.name == 'node-2'
        assert block[0] == f' {node.name}: {node.address}', shown
        assert block[1:6] == [
            f'  └ ID: {info["ID"]}', '  └ Status: Healthy',
            '  └ Containers: 2 (1 Running, 0 Paused, 1 Stopped)' if busy else
            '  └ Containers: 0 (0 Running, 0 Paused, 0 Stopped)',
            f'  └ Reserved CPUs: {"0.5" if busy else "0"} / {info["NCPU"]}',
            f'  └ Reserved Memory: {"64 MiB" if busy else "0 B"} / {total}'], block
        labels = block[6].removeprefix('  └ Labels: ').split(', ')
        assert [label.partition('=')[0] for label in labels] == sorted(
            ['architecture', 'kernelversion', 'operatingsystem', 'ostype', 'storagedriver',
             *node.labels])
        assert {f'{name}={value}' for name, value in node.labels.items()} <= set(labels)
        assert re.fullmatch(r'  └ UpdatedAt: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ', block[7]), block
        assert block[8].startswith(f'  └ ServerVersion: {engine}'), block


def test_info_sums_up(pair, lab):
    pair.pool.create('one', 'true')
    pair.pool.start('two', 'sleep', '1000')
    pair.pool.start('three', 'sleep', '1000')
    assert pair.pool.http('POST', '/containers/three/pause').status == 204
    value = pair.pool.http('GET', '/info').json()
    of_nodes = [json.loads(node.api('GET', '/info')[1]) for node in lab.nodes]
    for field in ('Containers', 'ContainersRunning', 'ContainersPaused', 'ContainersStopped',
                  'NCPU', 'MemTotal'):
        assert value[field] == sum(info[field] for info in of_nodes), field
    assert value['Images'] == 1
    assert value['ServerVersion'].startswith('swarm/')
    other = {name for name, shown in pair.engine.http('GET', '/info').json().items()
             if value.get(name) is not None and shown is not None
             and type(value[name]) is not type(shown)}
    assert not other, f'of another type than an engine has: {sorted(other)}'


def test_what_the_pool_does_not_have(pair):
    for method, path in [('GET', '/services'), ('GET', '/tasks'), ('GET', '/secrets'),
                         ('GET', '/configs'), ('GET', '/swarm'), ('POST', '/swarm/init')]:
        reply = pair.pool.http(method, path, {} if method == 'POST' else None)
        assert reply.status == 503 and 'swarm-mode' in reply.message(), f'{path}: {reply}'
    assert pair.pool.docker('service', 'ls').code == 1


def test_info_has_what_all_nodes_say(pair):
    names = ('CgroupDriver', 'CgroupVersion', 'LoggingDriver', 'DefaultRuntime', 'Runtimes',
             'SecurityOptions', 'Plugins', 'IndexServerAddress', 'Driver', 'DriverStatus',
             'MemoryLimit', 'SwapLimit', 'CpuCfsQuota', 'PidsLimit', 'InitBinary', 'OSVersion')
    pair.tell(lambda side: {name: side.http('GET', '/info').json().get(name) for name in names})


@pytest.mark.parametrize('method, path', [
    ('GET', '/containers/box/checkpoints'), ('POST', '/containers/box/checkpoints'),
    ('DELETE', '/containers/box/checkpoints/one'), ('GET', '/containers/nosuch/checkpoints')])
def test_checkpoints_go_to_the_engine(pair, method, path):
    pair.both(lambda side: side.create('box', 'true'))
    body = {'CheckpointID': 'one'} if method == 'POST' else None
    pool, engine = pair.both(lambda side: side.http(method, path, body))
    if 'nosuch' in path:
        assert (pool.status, pool.message()) == (404, 'No such container: nosuch')
    else:
        assert (pool.status, pool.message()) == (engine.status, engine.message())


def test_what_all_nodes_say_alike_is_said_once(pair):
    bad = 'filters={%22nosuch%22:[%22x%22]}'
    for path in (f'/containers/prune?{bad}', f'/images/prune?{bad}', f'/volumes/prune?{bad}',
                 f'/networks/prune?{bad}', f'/build/prune?{bad}', '/images/create?fromImage=UPPER'):
        pair.same_reply('POST', path)
