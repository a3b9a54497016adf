# SPDX-License-Identifier: Apache-2.0
"""Compose v2 and buildx, plugins of the Docker command line: skipped where it has none. What is
built goes by /grpc, of which an engine tells nothing."""

import shutil

import pytest

from lab import client

SHOP = '''
services:
  db:
    image: busybox
    command: sh -c 'touch /tmp/ready; exec sleep 1000'
    volumes: ["data:/data"]
    healthcheck: {test: ["CMD", "test", "-e", "/tmp/ready"], interval: 200ms, retries: 50}
    networks: [back]
    stop_signal: SIGKILL
  init:
    image: busybox
    command: sh -c 'echo done > /data/init'
    volumes_from: [db]
    network_mode: none
    depends_on: {db: {condition: service_healthy}}
  web:
    build: {context: app}
    image: shop-web:1
    depends_on: {init: {condition: service_completed_successfully}}
    networks: {back: {aliases: [shop]}}
    volumes: ["data:/data:ro"]
    environment: {A: "1"}
    stop_signal: SIGKILL
volumes: {data: {}}
networks: {back: {}}
'''
DOCKERFILE = 'FROM busybox\nRUN echo one > /which\nCMD ["sleep", "1000"]\n'


class Plugin:
    """`docker compose` or `docker buildx` on one side, with settings of its own."""

    def __init__(self, work, name, found):
        config, self.cli = found
        own = work.folder / 'config'
        if config != client.NO_CONFIG:
            shutil.copytree(config, own, symlinks=True)
        self.work, self.name = work, name
        self.env = {'DOCKER_CONFIG': str(own)}

    def __call__(self, *args):
        return self.work.run(self.cli, self.name, *args, env=self.env)[0]


@pytest.fixture
def plugin(tool):
    def make(side, name):
        found = client.plugin(name)
        if not found:
            pytest.skip(f'docker {name} is not installed')
        return Plugin(tool(side), name, found)

    return make


@pytest.mark.slow
def test_a_project_that_builds(pair, plugin):
    """What it builds is there for its create, and built again replaces what ran."""
    def story(side):
        compose = plugin(side, 'compose')
        compose.work.file('compose.yaml', SHOP)
        compose.work.file('app/Dockerfile', DOCKERFILE)
        shop = ('-p', 'shop')
        told = []
        compose(*shop, 'up', '-d')
        for text in ('two', 'three'):
            told.append(compose(*shop, 'exec', '-T', 'web', 'cat', '/which', '/data/init'))
            compose.work.file('app/Dockerfile', DOCKERFILE.replace('one', text))
            compose(*shop, 'up', '-d', '--build')
        told.append(compose(*shop, 'exec', '-T', 'web', 'cat', '/which'))
        names = compose(*shop, 'ps', '-a', '--format', '{{.Name}} {{.State}}')
        told.append(sorted(names.splitlines()))
        compose(*shop, 'down', '-v', '-t', '0', '--rmi', 'local')
        return [*told, compose(*shop, 'ps', '-a', '-q')]

    told = pair.tell(story)
    assert told[:3] == ['one\ndone\n', 'two\ndone\n', 'three\n'], told


def test_buildx(pair, plugin):
    """An image is known at once: by name, in the list, to a run; built again it is the new one."""
    def story(side):
        buildx = plugin(side, 'buildx')
        told = []
        for text in ('one', 'two'):
            where = buildx.work.file('app/Dockerfile', DOCKERFILE.replace('one', text)).parent
            made = buildx('build', '-q', '-t', 'made:1', where).splitlines()
            told += [side.docker('image', 'inspect', '-f', '{{.Id}}', 'made:1').ok().lines == made,
                     side.docker('images', '-q', '--no-trunc', 'made:1').ok().lines == made,
                     side.docker('run', '--rm', 'made:1', 'cat', '/which').ok().stdout]
        return told

    assert pair.tell(story) == [True, True, 'one\n', True, True, 'two\n']
