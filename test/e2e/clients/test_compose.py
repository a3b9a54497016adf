# SPDX-License-Identifier: Apache-2.0
"""docker-compose 1.29: a project from its first `up` to `down -v`, on one node of the pool as on one
engine, since its networks and volumes are there."""

import re
import subprocess

import pytest

from lab import wait_until

SHOP = '''
version: "2.4"
services:
  db:
    image: busybox
    command: sh -c 'echo db ready; touch /tmp/ready; exec sleep 1000'
    volumes: ["data:/data"]
    healthcheck: {test: ["CMD", "test", "-e", "/tmp/ready"], interval: 200ms, retries: 50}
    networks: [back]
    stop_signal: SIGKILL
  web:
    build: {context: app, args: {WHO: you}}
    image: shop-web:1
    depends_on: {db: {condition: service_healthy}}
    networks: {back: {aliases: [shop]}, front: {}}
    environment: {A: "1"}
    volumes: ["/anonymous"]
    ports: ["18070:80"]
    stop_signal: SIGKILL
  worker:
    image: busybox
    command: sh -c 'echo working; exec sleep 1000'
    volumes_from: [db:ro]
    networks: [back]
    restart: on-failure:3
    stop_signal: SIGKILL
volumes: {data: {labels: {of: shop}}}
networks: {front: {}, back: {}}
'''
DOCKERFILE = ('FROM busybox\nARG WHO\nRUN echo "for $WHO" > /who\n'
              'CMD ["sh", "-c", "cat /who; exec sleep 1000"]\n')
LINKED = '''
version: "2"
services:
  far: {image: busybox, network_mode: bridge, command: sleep 1000, stop_signal: SIGKILL}
  near:
    image: busybox
    network_mode: bridge
    links: ["far:other"]
    command: sh -c 'grep -o other /etc/hosts; exec sleep 1000'
    stop_signal: SIGKILL
  beside: {image: busybox, network_mode: "service:far", command: sleep 1000, stop_signal: SIGKILL}
'''


class Project:
    """One project on one side."""

    def __init__(self, work, text):
        self.work = work
        work.file('docker-compose.yml', text)
        work.file('app/Dockerfile', DOCKERFILE)

    def compose(self, *args, **options):
        return self.work.run('docker-compose', '--ansi', 'never', '-p', 'shop', *args, **options)

    def told(self, *args, **options):
        """Its output without the order in which services come, which is any."""
        lines = self.work.side.neutral.text(self.compose(*args, **options)[0]).splitlines()
        return sorted(re.sub(r'\s+', ' ', line) for line in lines if line.strip('-'))

    def state(self):
        shown = self.work.side.docker('ps', '-a', '--format', '{{.Names}} {{.Image}} {{.State}}')
        return sorted(shown.ok().lines)

    def follow(self, expected):
        """`logs -f` until all of these lines have come; what it said, in order of its text."""
        process = subprocess.Popen(['docker-compose', '--ansi', 'never', '-p', 'shop', 'logs', '-f',
                                    '--no-color'], cwd=self.work.folder, env=self.work.env,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        said = []
        try:
            for line in process.stdout:
                said.append(re.sub(r'\s+', ' ', line.strip()))
                if all(any(line.endswith(end) for line in said) for end in expected):
                    return sorted(said)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
        raise AssertionError(f'logs -f ended with {said}')


@pytest.fixture
def project(tool):
    def make(side, text):
        return Project(tool(side), text)

    return make


@pytest.mark.slow
def test_project(pair, project):
    def story(side):
        shop = project(side, SHOP)
        shop.compose('up', '-d')
        told = [shop.state(), shop.told('ps'), shop.follow(['db ready', 'for you', 'working']),
                shop.told('exec', '-T', 'web', 'sh', '-c', 'echo $A; cat /who; ls -d /anonymous'),
                shop.told('exec', '-T', 'worker', 'ls', '-d', '/data'),
                shop.told('port', 'web', '80')]
        # Services find each other by name, on the project's own network.
        told.append(shop.told('exec', '-T', 'worker', 'sh', '-c', 'ping -c 1 -q shop | tail -n 2 '
                              '| head -n 1'))
        shop.compose('up', '-d', '--scale', 'worker=3')
        told.append(shop.state())
        shop.compose('up', '-d', '--scale', 'worker=1')
        told.append(shop.state())
        # What has not changed stays, what has is made anew, with its volumes.
        before = shop.told('ps', '-q', 'db')
        shop.work.file('docker-compose.yml', SHOP.replace('A: "1"', 'A: "2"'))
        shop.compose('up', '-d')
        told += [shop.told('ps', '-q', 'db') == before,
                 shop.told('exec', '-T', 'web', 'sh', '-c', 'echo $A'), shop.state()]
        shop.compose('down', '-v', '--rmi', 'local')
        told += [shop.state(), side.said('volume', 'ls', '-q'),
                 side.said('network', 'ls', '-q', '-f', 'type=custom')]
        return told

    told = pair.tell(story)
    assert told[0] == ['shop_db_1 busybox running', 'shop_web_1 shop-web:1 running',
                       'shop_worker_1 busybox running']
    assert told[6][0].startswith('1 packets transmitted, 1 packets received'), told[6]


@pytest.mark.slow
def test_every_command(pair, project):
    def story(side):
        shop = project(side, SHOP)
        shop.compose('up', '-d')
        told = [shop.told('top', 'db')[-1:] != [], shop.told('images', '-q') != []]
        for command in (['pause', 'db'], ['unpause', 'db'], ['stop', 'web'], ['start', 'web'],
                        ['restart', '-t', '0', 'worker'], ['kill', 'worker'],
                        ['rm', '-f', 'worker'], ['create'], ['up', '-d', '--force-recreate'],
                        ['up', '-d', '--remove-orphans']):
            shop.compose(*command)
            told.append((command[0], shop.state()))
        told.append(shop.told('run', '--rm', '-T', 'db', 'echo', 'once'))
        shop.compose('down', '-v', '--rmi', 'local', '--remove-orphans')
        return [*told, shop.state()]

    pair.tell(story)


@pytest.mark.slow
def test_build_before_up(pair, project):
    """The image is there first, wherever it was built, and the networks come later."""
    def story(side):
        shop = project(side, SHOP)
        shop.compose('build')
        shop.compose('up', '-d', 'web')
        told = [shop.told('exec', '-T', 'web', 'cat', '/who'), shop.state()]
        shop.work.file('app/Dockerfile', DOCKERFILE.replace('for', 'again for'))
        shop.compose('up', '-d', '--build', 'web')
        told += [shop.told('exec', '-T', 'web', 'cat', '/who'), shop.state()]
        shop.compose('down', '-v')
        return told

    assert pair.tell(story)[2] == ['again for you']


def test_links(pair, project):
    def story(side):
        shop = project(side, LINKED)
        shop.compose('up', '-d')
        told = [shop.state(), shop.follow(['other'])[-1],
                shop.told('exec', '-T', 'near', 'ping', '-c', '1', '-q', 'other')[-2:-1] != [],
                shop.told('exec', '-T', 'beside', 'hostname') ==
                shop.told('exec', '-T', 'far', 'hostname')]
        shop.compose('down')
        return [*told, shop.state()]

    assert pair.tell(story)[1].endswith('other')


def test_restart(pair, project):
    """A service that ends is started again, and is not once it was killed by command."""
    text = ('version: "2.4"\nservices:\n  job:\n    image: busybox\n    restart: always\n'
            '    command: sh -c "echo run; test -e /kept && exec sleep 1000; touch /kept"\n'
            '    network_mode: none\n    stop_signal: SIGKILL\n')

    def story(side):
        shop = project(side, text)
        shop.compose('up', '-d')
        wait_until(lambda: side.docker('logs', 'shop_job_1').stdout == 'run\nrun\n', 30,
                   'the service ran twice')
        told = [shop.state(), shop.told('logs', '--no-color')]
        shop.compose('kill')
        told.append(shop.state())
        shop.compose('rm', '-f')
        return [*told, shop.state()]

    told = pair.tell(story)
    assert told[0] == ['shop_job_1 busybox running'] and told[3] == []
