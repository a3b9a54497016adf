# SPDX-License-Identifier: Apache-2.0
"""The official image on real engines: built from no registry, and the documented walk as
containers, without root, capabilities or a place to write."""

import json
import os
import re
import subprocess

import pytest

from lab import client, engine, host, wait_until
from lab.manager import REPOSITORY, binary
from support import emptied

CONFINED = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges']


def build(address, *args):
    """tools/build-image with the static binary that lies beside the program under test."""
    folder = os.path.dirname(os.path.realpath(binary()))
    static = os.path.join(folder, 'swarm-static')
    done = subprocess.run(['ninja', '-C', folder, 'swarm-static'], capture_output=True, text=True,
                          timeout=300, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout
    done = subprocess.run([os.path.join(REPOSITORY, 'tools', 'build-image'), *args],
                          capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
                          env=client.environment(address, {'SWARM_STATIC': static}))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope='module')
def image(lab):
    """The image, on every engine."""
    emptied(lab)
    first = lab.node(1)
    build(first.address, 'swarm')
    archive = lab.path('swarm.tar')
    first.docker('save', '-o', archive, 'swarm').ok()
    lab.load_image(archive)
    yield 'swarm'
    emptied(lab)


@pytest.fixture
def containers(lab, image):
    """The engines with the image alone, before and after."""
    yield
    for node in lab.nodes:
        for container in node.docker('ps', '-aq').ok().lines:
            node.docker('rm', '-fv', container).ok()


def run(node, *args, options=()):
    """`docker run -d options... swarm args...` on one engine; the container's id."""
    return node.docker('run', '-d', *CONFINED, *options, 'swarm', *args).ok().stdout.strip()


def logs(node, container):
    result = node.docker('logs', container).ok()
    return result.stdout + result.stderr


def wait_said(node, container, pattern):
    return wait_until(lambda: re.search(pattern, logs(node, container)), 30,
                      f'the container says {pattern!r}')


def wait_nodes(address, count):
    def reached():
        try:
            rows = engine.get(address, '/info')['SystemStatus'] or []
        except (OSError, ValueError):
            return False
        return [value for name, value in rows if name.endswith('Status')].count('Healthy') == count

    wait_until(reached, 30, f'{count} healthy nodes')


def test_what_is_in_it(lab, image):
    node = lab.node(1)
    said = json.loads(node.docker('image', 'inspect', image).ok().stdout)[0]
    config = said['Config']
    assert config['User'] == '65532:65532'
    assert config['Entrypoint'] == ['/swarm'] and config['Cmd'] == ['--help']
    assert list(config['Volumes']) == ['/var/lib/swarm']
    assert 'SWARM_HOST=:2375' in config['Env'] and list(config['ExposedPorts']) == ['2375/tcp']
    assert said['Size'] < 12_000_000
    made = node.docker('create', image).ok().stdout.strip()
    listing = subprocess.run(['tar', 't'], input=node.docker('export', made, binary=True).ok().stdout,
                             capture_output=True, check=True, timeout=30).stdout.decode().split()
    node.docker('rm', '-v', made).ok()
    # The engine itself makes the rest, for what it mounts.
    assert {name for name in listing if not re.match(r'(dev|etc|proc|sys)/|\.dockerenv', name)} == \
        {'swarm', 'var/', 'var/lib/', 'var/lib/swarm/'}
    assert node.docker('run', '--rm', *CONFINED, image).ok().stdout.startswith('Usage: swarm ')


def test_the_documented_walk_as_containers(lab, containers):
    first = lab.node(1)
    run(first, 'discovery', options=['-p', '4001:2375', '--name', 'service'])
    wait_said(first, 'service', 'msg=listening')
    known = ['-e', 'SWARM_TOKEN_SERVICE=http://service.example:4001',
             '--add-host', f'service.example:{first.ip}']

    cluster_id = first.docker('run', '--rm', *CONFINED, *known, 'swarm', 'create').ok() \
        .stdout.strip()
    assert re.fullmatch('[0-9a-f]{32}', cluster_id)
    for node in lab.nodes:
        made = run(node, 'join', f'--addr={node.address}', f'token://{cluster_id}', options=known)
        wait_said(node, made, 'msg=registered')
    run(first, 'manage', f'token://{cluster_id}', options=['-p', '4000:2375', *known])

    pool = f'{first.ip}:4000'
    wait_nodes(pool, 3)
    assert 'Nodes: 3' in client.docker(pool, 'info').ok().stdout
    assert client.docker(pool, 'run', '--rm', 'busybox', 'echo', 'hello').ok().stdout == 'hello\n'
    listed = first.docker('run', '--rm', *CONFINED, *known, 'swarm', 'list',
                          f'token://{cluster_id}').ok().lines
    assert sorted(listed) == sorted(lab.addresses)

    # What makes up the pool does not stand among what runs in it, unless one asks for all.
    assert client.docker(pool, 'ps', '-q').ok().stdout == ''
    assert len(client.docker(pool, 'ps', '-aq').ok().lines) == 5

    # `docker stop` of a join takes its entry out.
    third = lab.node(3)
    third.docker('stop', *third.docker('ps', '-q').ok().lines).ok()
    wait_until(lambda: lab.node(3).address not in first.docker(
        'run', '--rm', *CONFINED, *known, 'swarm', 'list', f'token://{cluster_id}').ok().lines,
        30, 'its entry is gone')


def test_state_in_a_volume(lab, containers):
    """A manager that carries its own discovery: another container with its volume goes on."""
    first = lab.node(1)
    options = ['-p', '4000:2375', '-v', 'state:/var/lib/swarm', '--name', 'manager']
    args = ['manage', '--advertise', f'{first.ip}:4000']
    run(first, *args, options=options)
    uri = wait_said(first, 'manager', r'join --advertise <node_ip:2375> (token://\S+)').group(1)
    made = run(first, 'join', '--advertise', first.address, uri)
    wait_said(first, made, 'msg=registered')
    wait_nodes(f'{first.ip}:4000', 1)

    first.docker('rm', '-f', 'manager').ok()
    run(first, *args, options=options)
    assert wait_said(first, 'manager', r'2375> (token://\S+)').group(1) == uri
    wait_nodes(f'{first.ip}:4000', 1)
    first.docker('rm', '-f', 'manager').ok()
    first.docker('volume', 'rm', 'state').ok()


def test_a_service_baked_in(lab, containers):
    first = lab.node(1)
    build(first.address, 'swarm-baked', '--build-arg', f'SWARM_TOKEN_SERVICE=http://{first.ip}:4001')
    run(first, 'discovery', options=['-p', '4001:2375', '--name', 'service'])
    wait_said(first, 'service', 'msg=listening')
    said = first.docker('run', '--rm', *CONFINED, 'swarm-baked', 'create').ok().stdout
    assert re.fullmatch('[0-9a-f]{32}\n', said)
    # Without one it says what is missing.
    refused = first.docker('run', '--rm', *CONFINED, 'swarm', 'create')
    assert refused.code == 1 and '$SWARM_TOKEN_SERVICE' in refused.stderr
    host.wait_until(lambda: first.docker('rmi', 'swarm-baked').code == 0, 20, 'it is removed')
