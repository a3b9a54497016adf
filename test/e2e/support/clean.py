# SPDX-License-Identifier: Apache-2.0
"""Leaves engines as they were found: running, connected, with busybox and nothing else."""

import concurrent.futures
import json

from lab import wait_until

NETWORKS = ('bridge', 'host', 'none')


def mended(lab):
    """Mends every node and waits until all answer."""
    for node in lab.nodes:
        node.heal()
        node.unslow()
        node.launch()
    for node in lab.nodes:
        node.wait_answer()


def emptied(lab, manager=None):
    """Removes what tests made on the engines, and waits until the manager has seen it."""
    with concurrent.futures.ThreadPoolExecutor(len(lab.nodes)) as workers:
        list(workers.map(_emptied, lab.nodes))
    if not all(_has_busybox(node) for node in lab.nodes):
        lab.load_image()
    if manager is not None and manager.is_running():
        wait_until(lambda: _shows_nothing(manager), 20,
                   'the manager shows what was removed as gone')


def _emptied(node):
    for container in _listed(node, '/containers/json?all=1'):
        _removed(node, f'/containers/{container["Id"]}?force=1&v=1')
    for volume in _listed(node, '/volumes')['Volumes'] or []:
        _removed(node, f'/volumes/{volume["Name"]}?force=1')
    for network in _listed(node, '/networks'):
        if network['Name'] not in NETWORKS:
            _removed(node, f'/networks/{network["Id"]}')
    for image in _listed(node, '/images/json'):
        for tag in image['RepoTags'] or [image['Id']]:
            if tag != 'busybox:latest':
                name = image['Id'] if tag == '<none>:<none>' else tag
                _removed(node, f'/images/{name}?force=1')
    # BuildKit keeps what it built apart from the images, and a prune would report it.
    status, body = node.api('POST', '/build/prune?all=1', timeout=60)
    assert status == 200, body


def _has_busybox(node):
    return any('busybox:latest' in (image['RepoTags'] or [])
               for image in _listed(node, '/images/json'))


def _shows_nothing(manager):
    status, containers = manager.api('GET', '/containers/json?all=1')
    if status != 200 or json.loads(containers):
        return False
    status, volumes = manager.api('GET', '/volumes')
    if status != 200 or json.loads(volumes)['Volumes']:
        return False
    status, networks = manager.api('GET', '/networks?filters=%7B%22type%22%3A%5B%22custom%22%5D%7D')
    if status != 200 or json.loads(networks):
        return False
    status, images = manager.api('GET', '/images/json')
    return status == 200 and [image['RepoTags'] for image in json.loads(images)] == [
        ['busybox:latest']]


def _listed(node, path):
    status, body = node.api('GET', path)
    assert status == 200, body
    return json.loads(body)


def _removed(node, path):
    # 404: it went by itself, as a container with --rm does. 409: that is under way.
    status, body = node.api('DELETE', path, timeout=60)
    assert status in (200, 204, 404, 409), body
