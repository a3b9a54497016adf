# SPDX-License-Identifier: Apache-2.0
"""docker events with a past: of all nodes, in order, to its end, with each command line."""

import subprocess
import time

import pytest

from lab import client

FORMAT = '{{.Actor.Attributes.name}}'


@pytest.fixture
def docker(fresh_lab, manager, cli):
    return lambda *args, **options: client.docker(manager.address, *args, cli=cli, **options)


def create(docker, first, last):
    for number in range(first, last + 1):
        docker('create', '--name', f'c{number}', 'busybox', 'true').ok()


def events(docker, *options):
    return docker('events', '--filter', 'event=create', '--filter', 'type=container',
                  '--format', FORMAT, *options).lines


@pytest.mark.every_cli
def test_a_past_range(docker):
    create(docker, 1, 2)
    time.sleep(0.1)
    since = time.time()
    create(docker, 3, 6)
    until = time.time()
    time.sleep(0.1)
    create(docker, 7, 7)
    assert events(docker, '--since', f'{since:.6f}', '--until', f'{until:.6f}') == [
        'c3', 'c4', 'c5', 'c6']
    assert events(docker, '--since', f'{since:.6f}', '--until', f'{time.time():.6f}') == [
        'c3', 'c4', 'c5', 'c6', 'c7']
    shown = docker('events', '--since', f'{since:.6f}', '--until', f'{time.time():.6f}').ok().stdout
    assert 'node.name=node-' in shown


def test_past_then_live(docker, manager, cli):
    since = time.time()
    create(docker, 1, 3)
    argv = [cli, '-H', f'tcp://{manager.address}', 'events', '--since', f'{since:.6f}',
            '--filter', 'event=create', '--filter', 'type=container', '--format', FORMAT]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as reader:
        assert [reader.stdout.readline().strip() for _ in range(3)] == ['c1', 'c2', 'c3']
        create(docker, 4, 5)
        assert [reader.stdout.readline().strip() for _ in range(2)] == ['c4', 'c5']
        reader.terminate()


def test_an_end_to_come(docker):
    since = time.time()
    create(docker, 1, 1)
    began = time.monotonic()
    assert events(docker, '--since', f'{since:.6f}', '--until', f'{time.time() + 3:.3f}') == ['c1']
    assert 2 < time.monotonic() - began < 10


def test_an_end_before_the_beginning(docker):
    done = docker('events', '--since', '10', '--until', '5')
    assert done.code == 1 and 'cannot be after' in done.stderr
