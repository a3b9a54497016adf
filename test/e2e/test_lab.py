# SPDX-License-Identifier: Apache-2.0
"""The lab itself: its engines are hosts of their own, what can happen to them happens, and
nothing is left of it."""

import glob
import os
import signal
import subprocess
import sys
import time

import pytest

from lab import Lab, LabError, engine, host, pool, wait_until

NAME = f'swarm-t{os.getpid() % 10000000}'


@pytest.fixture(scope='module')
def pair():
    """Two engines and a registry, beside the lab that the other tests use."""
    made = Lab(NAME)
    made.up(2, labels={2: {'storage': 'tape'}}, registry=True, tied=True)
    yield made
    made.down()


def left_on_machine(name):
    """What a lab of that name could have left here, but for processes. Of what other work on
    this machine also makes and removes, only what bears the name."""
    def entries(*places):
        return sorted(path for place in places for path in glob.glob(place))

    with open('/proc/self/mountinfo') as mounts:
        mounted = sorted(line.split()[4] for line in mounts)
    rules = subprocess.run(['iptables-save'], capture_output=True, text=True, check=True,
                           timeout=30).stdout.splitlines()
    return {
        'mounts': mounted,
        'firewall': [rule for rule in rules if rule.startswith('-')],
        'files': entries('/etc/*', '/etc/docker/*', '/opt/*', '/run/*', '/root/*', '/root/.docker',
                         '/var/lib/*', f'/var/tmp/{name}*', '/nonexistent'),
        'groups': entries(f'/sys/fs/cgroup/{name}', f'/sys/fs/cgroup/*/{name}',
                          '/sys/fs/cgroup/docker', '/sys/fs/cgroup/*/docker'),
        'links': entries(f'/sys/class/net/{name}*', '/sys/class/net/docker*'),
    }


def processes_of(lab):
    """All processes of a lab: those in its namespaces, its containers' among them."""
    inits = [process for process in host.marked(lab.state) if process.is_init()]
    spaces = {process.namespace(kind) for process in inits for kind in ('pid', 'net', 'mnt')}
    found = []
    for process in host.processes():
        try:
            with open(f'/proc/{process.pid}/cgroup') as groups:
                contained = f'/{lab.name}/' in groups.read()
        except OSError:
            continue
        if contained or any(process.namespace(kind) in spaces for kind in ('pid', 'net', 'mnt')):
            found.append(process)
    return found


def test_engines_are_hosts_of_their_own(pair):
    told = [node.docker('info', '-f', '{{.ID}} {{.Name}} {{.Labels}}').ok().stdout.split(' ', 2)
            for node in pair.nodes]
    assert told[0][0] != told[1][0]
    assert [name for _, name, _ in told] == ['node-1', 'node-2']
    assert [sorted(labels.strip('[]\n').split()) for _, _, labels in told] == [
        ['rack=a', 'storage=ssd'], ['rack=a', 'storage=tape']]


def test_engines_hold_one_image(pair):
    ids = {node.docker('images', '-q', '--no-trunc', 'busybox:latest').ok().stdout
           for node in pair.nodes}
    assert len(ids) == 1 and ids.pop().startswith('sha256:')


def test_runs_a_container(pair, cli):
    done = pair.node(1).docker('run', '--rm', '-i', 'busybox', 'md5sum', input='hello', cli=cli)
    assert (done.code, done.stdout) == (0, '5d41402abc4b2a76b9719d911017c592  -\n')
    assert pair.node(1).docker('run', '--rm', 'busybox', 'sh', '-c', 'exit 42', cli=cli).code == 42


def test_a_published_port_answers(pair):
    node = pair.node(2)
    node.docker('run', '-d', '--name', 'web', '-p', '8080:80', 'busybox',
                'sh', '-c', 'echo here > /index.html; exec httpd -f -h / -p 80').ok()

    def fetched():
        try:
            return engine.request(f'{node.ip}:8080', 'GET', '/', timeout=2)[1]
        except OSError:
            return None

    wait_until(lambda: fetched() == b'here\n', 10, 'the published port answers')
    node.docker('rm', '-f', 'web').ok()


def test_an_unknown_image_fails_at_once(pair):
    began = time.monotonic()
    done = pair.node(1).docker('run', '--rm', 'no-such-image', 'true')
    assert done.code == 125 and 'connection refused' in done.stderr
    assert time.monotonic() - began < 5


def test_images_go_through_the_registry(pair):
    first, second = pair.nodes
    name = f'{pair.registry}/passed/on:1'
    first.docker('tag', 'busybox', name).ok()
    first.docker('push', name).ok()
    second.docker('pull', name).ok()
    assert second.docker('run', '--rm', name, 'echo', 'came').ok().stdout == 'came\n'


def test_cut_and_heal(pair):
    first, second = pair.nodes
    first.cut()
    assert first.is_cut() and not first.answers() and second.answers()
    first.heal()
    first.wait_answer(10)
    assert not first.is_cut()


def test_stop_and_start(pair):
    node = pair.node(2)
    node.docker('create', '--name', 'kept', 'busybox', 'true').ok()
    node.stop()
    assert not node.is_running()
    with pytest.raises(ConnectionRefusedError):
        node.api('GET', '/_ping')
    node.start()
    assert node.docker('ps', '-a', '--format', '{{.Names}}').ok().lines == ['kept']
    node.docker('rm', 'kept').ok()


def test_kill_and_start(pair):
    node = pair.node(2)
    node.docker('run', '-d', '--name', 'alive', '--stop-timeout', '1', 'busybox',
                'sleep', '1000').ok()
    node.kill()
    assert not node.is_running()
    assert 'sleep 1000' in node.inside('ps', '-eo', 'args')
    node.start()
    status = '{{.State.Status}} {{.State.ExitCode}}'
    assert node.docker('inspect', '-f', status, 'alive').ok().stdout == 'exited 137\n'
    assert node.docker('start', 'alive').ok().stdout == 'alive\n'
    node.docker('rm', '-f', 'alive').ok()


def test_slow_and_unslow(pair):
    node = pair.node(1)
    size = 512 * 1024

    def timed(action):
        began = time.monotonic()
        action()
        return time.monotonic() - began

    def transfer():
        done = node.docker('run', '--rm', 'busybox', 'head', '-c', size, '/dev/zero', binary=True)
        assert done.stdout == bytes(size)

    node.slow(delay=0.2, rate=size // 2)
    assert node.is_slow()
    assert timed(lambda: node.api('GET', '/_ping')) >= 0.4
    assert timed(transfer) >= 2
    # The end of the input passes too.
    done = node.docker('run', '--rm', '-i', 'busybox', 'md5sum', input='hello').ok()
    assert done.stdout == '5d41402abc4b2a76b9719d911017c592  -\n'
    node.unslow()
    assert not node.is_slow()
    assert timed(lambda: node.api('GET', '/_ping')) < 0.2


def test_slow_resets_what_is_connected(pair):
    node = pair.node(1)
    watch = subprocess.Popen([pair.clis()[0][1], '-H', f'tcp://{node.address}', 'events'],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        established = ['ss', '-Htn', 'state', 'established', 'sport = :2375']
        wait_until(lambda: node.inside(*established), 10, 'the client is connected')
        node.slow(delay=0.01)
        assert watch.wait(10) != 0
    finally:
        watch.kill()
        watch.communicate()
        node.unslow()


def test_a_second_lab_of_the_name_is_refused(pair):
    with pytest.raises(LabError, match='there already'):
        Lab(NAME).up(1)
    assert all(node.answers() for node in pair.nodes)


def test_the_command_finds_the_lab(pair):
    command = [os.path.join(os.path.dirname(__file__), 'lab', 'lab'), '--name', NAME]
    shown = subprocess.run([*command, 'addresses'], capture_output=True, text=True, timeout=30)
    assert (shown.returncode, shown.stdout) == (0, ','.join(pair.addresses) + '\n')
    bad = subprocess.run([*command, 'cut', '3'], capture_output=True, text=True, timeout=30)
    assert (bad.returncode, bad.stderr) == (1, f'lab: lab {NAME} has no node 3: it has 2\n')


def test_down_leaves_nothing():
    before = left_on_machine('swarm-gone')
    lab = Lab('swarm-gone')
    try:
        lab.up(2, registry=True, tied=True)
        for node in lab.nodes:
            node.docker('run', '-d', '-p', '8080:80', '-v', '/data', 'busybox', 'top').ok()
        lab.node(1).slow(delay=0.01)
        lab.node(1).cut()
        lab.node(2).kill()
        running = processes_of(lab)
        commands = [process.command() for process in running]
        assert commands.count('top') == 2 and commands.count('dockerd') == 1
        assert left_on_machine('swarm-gone') != before
    finally:
        assert lab.down()
    assert [process.pid for process in running if process.alive()] == []
    assert processes_of(lab) == [] and host.marked(lab.state) == []
    assert left_on_machine('swarm-gone') == before
    assert not lab.down()


def test_a_failed_up_leaves_nothing_and_shows_why():
    before = left_on_machine('swarm-fail')
    lab = Lab('swarm-fail')
    with pytest.raises(LabError, match='unknown flag: --no-such-flag'):
        lab.up(1, engine_args=['--no-such-flag'], tied=True)
    assert host.marked(lab.state) == []
    assert left_on_machine('swarm-fail') == before


def test_programs_that_a_node_would_not_see_are_refused(tmp_path, monkeypatch):
    with pytest.raises(LabError, match='there is no dockerd'):
        Lab('swarm-fail').up(1, programs=[str(tmp_path / 'none')])
    (tmp_path / 'engines').mkdir()
    (tmp_path / 'engines' / 'dockerd').touch(0o755)
    monkeypatch.setattr(pool, 'HIDDEN', [str(tmp_path)])
    with pytest.raises(LabError, match='a node sees nothing of'):
        Lab('swarm-fail').up(2, programs=['', str(tmp_path / 'engines')])
    assert not os.path.exists(Lab('swarm-fail').state)


def test_a_tied_lab_dies_with_its_owner():
    before = left_on_machine('swarm-tied')
    script = ('import signal; from lab import Lab; Lab("swarm-tied").up(1, tied=True);'
              ' print("up", flush=True); signal.pause()')
    owner = subprocess.Popen([sys.executable, '-Bc', script], stdout=subprocess.PIPE,
                             cwd=os.path.dirname(__file__))
    lab = Lab('swarm-tied')
    try:
        assert owner.stdout.readline() == b'up\n'
        assert Lab('swarm-tied').owner() == owner.pid
        running = processes_of(lab)
        assert 'dockerd' in [process.command() for process in running]
        owner.send_signal(signal.SIGKILL)
        owner.wait(10)
        wait_until(lambda: not any(process.alive() for process in running), 10, 'all have ended')
    finally:
        owner.kill()
        owner.communicate()
        lab.down()
    assert left_on_machine('swarm-tied') == before
