# SPDX-License-Identifier: Apache-2.0
"""A manager over real engines as an operator sees it: its sockets, its end, its log."""

import json
import os
import re
import signal
import stat
import subprocess
import time

import pytest

from lab import LabError, wait_until
from lab.manager import binary
from support import Side, Terminal


@pytest.fixture
def unix(lab, start_manager, tmp_path):
    """A manager that listens on a unix socket too; (manager, environment for a command line)."""
    path = tmp_path / 'swarm.sock'
    manager = start_manager('-H', f'unix://{path}')
    return manager, path, {'DOCKER_HOST': f'unix://{path}'}


@pytest.mark.every_cli
def test_docker_over_a_unix_socket(unix, cli):
    manager, path, env = unix
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o660

    def docker(*args, **options):
        return manager.docker(*args, cli=cli, env=env, **options)

    assert docker('run', '--rm', '-i', 'busybox', 'md5sum', input='hello').ok().stdout == \
        '5d41402abc4b2a76b9719d911017c592  -\n'
    docker('run', '-d', '--name', 'box', 'busybox', 'sleep', '1000').ok()
    try:
        assert docker('exec', 'box', 'sh', '-c', 'echo x; exit 4').code == 4
        assert docker('ps', '--format', '{{.Names}}').ok().stdout == 'box\n'
    finally:
        docker('rm', '-f', 'box').ok()


@pytest.mark.every_cli
def test_detach_keys(unix, cli):
    """Ctrl-p ctrl-q leaves it running; so do others that one chooses; attach comes back. (Over
    TCP the command line itself hangs on them, with one engine too.)"""
    manager, _, env = unix
    obedient = ['sh', '-c', 'echo ready; while read -r line; do eval "$line"; done']

    def terminal(*args):
        return Terminal(manager.address, cli, args, env=env)

    try:
        with terminal('run', '-it', '--name', 'left', 'busybox', *obedient) as run:
            run.expect('ready')
            assert run.press_until_end('\x10\x11') == 0, run.text
        with terminal('attach', '--detach-keys', 'ctrl-x,x', 'left') as again:
            again.send('\x15echo t"w"o\n')
            again.expect(r'\ntwo\r\n')
            assert again.press_until_end('\x18x') == 1 and 'read escape' in again.text
        running = manager.docker('inspect', '-f', '{{.State.Running}}', 'left').ok()
        assert running.stdout == 'true\n'
        with terminal('attach', 'left') as last:
            last.send('\x15exit 5\n')
            assert last.wait() == 5
    finally:
        manager.docker('rm', '-f', 'left')


def test_sockets_of_others(unix, tmp_path, lab, start_manager):
    """A live one is refused and left alone; what a dead one left behind is replaced."""
    manager, path, _ = unix
    second = subprocess.run([binary(), 'manage', '-H', f'unix://{path}', 'a:2375'],
                            capture_output=True, text=True, timeout=20)
    assert second.returncode == 1 and second.stderr.count('\n') == 1, second
    assert str(path) in second.stderr
    second = subprocess.run([binary(), 'manage', '-H', f'tcp://{manager.address}', 'a:2375'],
                            capture_output=True, text=True, timeout=20)
    assert second.returncode == 1 and second.stderr.count('\n') == 1, second
    assert manager.address in second.stderr
    assert manager.api('GET', '/_ping')[0] == 200
    manager.kill()
    assert path.exists()
    manager.start(healthy=3)
    done = manager.docker('ps', env={'DOCKER_HOST': f'unix://{path}'})
    assert done.code == 0, done
    assert manager.stop() == 0 and not path.exists()


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_streams_open(lab, start_manager, cli, number):
    """At once and well, whatever is open; clients hear the end of their streams; the containers
    stay as they are."""
    manager = start_manager('--debug')
    side = Side('pool', manager.address, lab, cli)
    side.docker('run', '-d', '--name', 'box', 'busybox', 'sh', '-c',
                'while :; do echo tick; sleep 0.1; done').ok()
    try:
        with side.background('logs', '-f', 'box') as logs, \
                side.background('events') as events, \
                side.background('exec', '-i', 'box', 'cat') as talk, \
                side.background('wait', 'box') as waiting, \
                side.background('stats', 'box') as stats, side.wire() as idle, \
                side.wire() as half:
            logs.expect('tick')
            talk.send('x\n')
            talk.expect('x')
            stats.expect('box')
            idle.request('GET', '/_ping')
            idle.reply()
            half.send(b'GET /containers/js')
            began = time.monotonic()
            manager.process.send_signal(number)
            assert manager.process.wait(10) == 0
            assert time.monotonic() - began < 5
            assert logs.wait() is not None and talk.wait() is not None
            assert waiting.wait() != 0 or waiting.text == ''
            assert events.wait() is not None and idle.is_ended() and half.is_ended()
        assert not manager.logged('level=(error|fatal)')
        manager.start(healthy=3)
        assert side.docker('ps', '--format', '{{.Names}}').ok().stdout == 'box\n'
    finally:
        for node in lab.nodes:
            node.api('DELETE', '/containers/box?force=1')


def test_the_log_tells_what_happened(fresh_lab, start_manager, tmp_path):
    """As JSON lines, for machines: a node that came, failed, and came back."""
    listing = tmp_path / 'nodes'
    listing.write_text('\n'.join(fresh_lab.addresses))
    manager = start_manager('--log-format', 'json', discovery=f'file://{listing}')
    node = fresh_lab.node(2)

    def told(pattern):
        return [json.loads(line) for line in manager.logged(pattern) if 'node-2' in line
                or node.address in line]

    assert told('node added') and told('node is healthy')
    node.kill()
    wait_until(lambda: told('node is unhealthy'), 45, 'it tells of a node that died')
    why = told('node is unhealthy')[0]
    assert why['level'] == 'warn' and re.search('refused|reset|closed|ended', str(why)), why
    node.start()
    wait_until(lambda: len(told('node is healthy')) == 2, 45, 'it tells of the return')
    listing.write_text('\n'.join(fresh_lab.addresses[:1] + fresh_lab.addresses[2:]))
    wait_until(lambda: told('node left|node removed'), 10, 'it tells of a node that left')
    for line in manager.logged('.'):
        assert {'time', 'level', 'msg'} <= set(json.loads(line)), line


@pytest.mark.slow
def test_nothing_piles_up(fresh_lab, start_manager):
    """Memory is what it was, and nothing is open, after every kind of request was made often."""
    manager = start_manager()
    side = Side('pool', manager.address, fresh_lab, None)
    paths = ['/_ping', '/info', '/version', '/containers/json?all=1', '/images/json', '/nosuch',
             '/containers/nosuch/json', '/images/busybox/json', '/v1.99/info']

    def use():
        for _ in range(40):
            for path in paths:
                side.http('GET', path)
        for number in range(10):
            made = side.create(f'c{number}', 'true')
            side.http('POST', f'/containers/{made}/start')
            side.http('POST', f'/containers/{made}/wait')
            side.http('GET', f'/containers/{made}/logs?stdout=1')
            side.http('DELETE', f'/containers/{made}')

    def used():
        with open(f'/proc/{manager.pid}/status') as status:
            fields = dict(line.split(':', 1) for line in status)
        return int(fields['RssAnon'].split()[0])

    use()
    before = used()
    for _ in range(2):
        use()
    manager.check_descriptors()
    assert used() < before + 1024, f'{before} KiB before, {used()} KiB after'


def test_what_is_left_open_is_told(lab, start_manager):
    """What the fixtures ask of every manager after each test: who is still there, and what for."""
    manager = start_manager('--debug')
    side = Side('pool', manager.address, lab, None)
    manager.check_descriptors()
    with side.wire() as idle, side.wire() as busy:
        idle.request('GET', '/_ping')
        idle.reply()
        busy.request('GET', '/events')
        busy.head()
        with pytest.raises(LabError) as told:
            manager.check_descriptors(timeout=0)
        said = str(told.value)
        for wire in (idle, busy):
            assert '-> {}:{} established'.format(*wire.socket.getsockname()) in said, said
    manager.check_descriptors()
