# SPDX-License-Identifier: Apache-2.0
"""What is done to a container from its making to its end: each command through the pool and
straight to one engine, with one outcome."""

import io
import json
import tarfile

import pytest

from lab import wait_until

FOREVER = ['sleep', '1000']


@pytest.mark.every_cli
def test_life(pair):
    """Each step of a life, and what ps and inspect show after it."""
    state = '{{.State.Status}} {{.State.Running}} {{.State.Paused}} {{.State.ExitCode}}'
    pair.ok('create', '--name', 'life', 'busybox', *FOREVER)
    for step, shown in [
            (['start', 'life'], 'running true false 0'),
            (['pause', 'life'], 'paused true true 0'),
            (['unpause', 'life'], 'running true false 0'),
            (['restart', '-t', '0', 'life'], 'running true false 0'),
            (['kill', 'life'], 'exited false false 137'),
            (['start', 'life'], 'running true false 0'),
            (['stop', '-t', '0', 'life'], 'exited false false 137'),
            (['rename', 'life', 'afterlife'], 'exited false false 137')]:
        pair.ok(*step)
        name = 'afterlife' if step[0] == 'rename' else 'life'
        assert pair.ok('inspect', '-f', state, name) == shown + '\n'
        pair.ok('ps', '--format', '{{.Names}} {{.Status}} {{.State}}')
        pair.ok('ps', '-a')
    pair.same('inspect', 'life', code=1)
    pair.ok('wait', 'afterlife')
    pair.ok('rm', 'afterlife')
    assert pair.ok('ps', '-aq') == ''


def test_what_cannot_be_done_to_a_container_in_its_state(pair):
    pair.ok('create', '--name', 'idle', 'busybox', *FOREVER)
    for command in ['pause', 'unpause', 'top', 'exec', 'attach']:
        more = ['true'] if command == 'exec' else []
        pair.same(command, 'idle', *more, code=1)
    pair.same('kill', 'idle', code=1)
    pair.ok('stop', 'idle')
    pair.ok('start', 'idle')
    pair.same('rm', 'idle', code=1)
    pair.same('unpause', 'idle', code=1)
    pair.ok('start', 'idle')
    pair.ok('pause', 'idle')
    for command in ['pause', 'start', 'exec', 'attach', 'restart']:
        more = ['true'] if command == 'exec' else []
        more = ['-t', '0'] if command == 'restart' else more
        said = pair.same(command, *(more if command == 'restart' else []), 'idle',
                         *(more if command == 'exec' else []))
        assert (said[0] == 0) == (command == 'restart'), f'{command}: {said}'
    pair.same('kill', '-s', 'NOSUCH', 'idle', code=1)
    pair.ok('rm', '-f', 'idle')


@pytest.mark.parametrize('args', [
    ['start'], ['stop'], ['restart'], ['pause'], ['unpause'], ['rm'], ['rm', '-f'],
    ['wait'], ['top'], ['port'], ['logs'], ['diff'], ['export'], ['inspect'], ['attach'],
    ['stats', '--no-stream'], ['update', '-m', '32m']], ids=' '.join)
def test_no_such_container(pair, args):
    if args == ['export']:
        args = ['export', '-o', '/nonexistent/x']
    pair.same(*args, 'no-such-thing')
    if args[0] in ('start', 'rm', 'wait', 'stop', 'inspect'):
        pair.same(*args, 'no-such-thing', 'nor-such')


@pytest.mark.parametrize('args', [
    ['exec', 'no-such-thing', 'true'], ['rename', 'no-such-thing', 'other'],
    ['commit', 'no-such-thing', 'other'], ['cp', 'no-such-thing:/etc/passwd', '-'],
    ['cp', '/etc/hostname', 'no-such-thing:/tmp/'], ['port', 'no-such-thing', '80']],
    ids=' '.join)
def test_no_such_container_to_act_with(pair, args):
    assert pair.same(*args)[0] != 0


def test_several_at_once(pair):
    names = ['one', 'two', 'three', 'four']
    for name in names:
        pair.ok('run', '-d', '--name', name, 'busybox', *FOREVER)
    pair.ok('pause', *names)
    pair.ok('unpause', *names)
    pair.same('stop', '-t', '0', 'one', 'no-such-thing', 'two', code=1)
    pair.ok('wait', 'one', 'two')
    pair.same('start', 'one', 'no-such-thing', 'two', code=1)
    pair.ok('inspect', '-f', '{{.Name}} {{.State.Status}}', *names)
    pair.ok('kill', *names)
    pair.same('rm', 'one', 'no-such-thing', 'two', code=1)
    assert pair.ok('ps', '-a', '--format', '{{.Names}}').split() == ['four', 'three']
    pair.ok('rm', '-f', 'three', 'four')


@pytest.mark.every_cli
def test_wait_ends_with_the_container(pair):
    def story(side):
        side.docker('run', '-d', '--name', 'waited', 'busybox', *FOREVER).ok()
        with side.background('wait', 'waited') as waiting:
            other = side.background('wait', 'waited')
            with other:
                # Headers come at once, so both are there by the time that another one answers.
                side.docker('kill', '-s', 'KILL', 'waited').ok()
                return waiting.wait(), waiting.text, other.wait(), other.text

    assert pair.tell(story) == (0, '137\n', 0, '137\n')


def test_a_signal_is_told_from_another(pair):
    trap = ('trap "echo hup" HUP; trap "echo term; exit 7" TERM; echo ready; '
            'while :; do sleep 0.1; done')
    pair.ok('run', '-d', '--name', 'signals', 'busybox', 'sh', '-c', trap)

    def logged(side, text):
        wait_until(lambda: text in side.docker('logs', 'signals').stdout, 20, f'{text} is logged')

    pair.both(lambda side: logged(side, 'ready'))
    pair.ok('kill', '-s', 'HUP', 'signals')
    pair.both(lambda side: logged(side, 'hup'))
    pair.ok('stop', 'signals')
    assert pair.ok('wait', 'signals') == '7\n'
    assert pair.ok('logs', 'signals') == 'ready\nhup\nterm\n'


def test_update(pair):
    pair.ok('run', '-d', '--name', 'sized', '-m', '64m', 'busybox', *FOREVER)
    pair.ok('update', '-m', '96m', '--memory-swap', '128m', '--pids-limit', '50',
            '--restart', 'on-failure:3', 'sized')
    fields = ('{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.PidsLimit}}'
              ' {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}')
    assert pair.ok('inspect', '-f', fields, 'sized') == f'{96 << 20} {128 << 20} 50 on-failure 3\n'
    pair.same('update', '-m', '1k', 'sized', code=1)
    pair.same('update', '--restart', 'sometimes', 'sized', code=1)
    pair.same('update', '-m', '256m', 'sized', code=1)
    pair.ok('update', '--cpus', '0.5', 'sized')
    assert pair.ok('inspect', '-f', '{{.HostConfig.NanoCpus}}', 'sized') == '500000000\n'


def test_top(pair):
    pair.ok('run', '-d', '--name', 'busy', 'busybox', *FOREVER)

    def columns(side, *args):
        done = side.docker('top', 'busy', *args).ok()
        head, *rows = [line.split() for line in done.lines]
        return head, [[row[head.index(name)] for name in ('COMMAND', 'CMD') if name in head]
                      for row in rows]

    assert pair.tell(columns) == (['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'],
                                  [['sleep']])
    assert pair.tell(lambda side: columns(side, '-o', 'pid,comm')) == (
        ['PID', 'COMMAND'], [['sleep']])
    pair.same('top', 'busy', '-o', 'args', code=1)
    pair.same('top', 'busy', '--no-such-option', code=1)


@pytest.mark.every_cli
def test_stats(pair):
    pair.ok('run', '-d', '--name', 'busy', '-m', '64m', 'busybox', *FOREVER)
    pair.ok('create', '--name', 'idle', 'busybox', 'true')
    shown = '{{.Name}} {{.ID}} {{.PIDs}}'
    assert pair.ok('stats', '--no-stream', '--format', shown).startswith('busy <id')
    pair.ok('stats', '--no-stream', '-a', '--format', '{{.Name}} {{.PIDs}}')
    pair.ok('stats', '--no-stream', '--format', shown, 'busy', 'idle')

    def story(side):
        with side.background('stats', '--format', '{{.Name}} {{.MemUsage}}', 'busy') as stats:
            # The first figures, then those of a second later.
            stats.expect(r'busy \d[^\n]*64MiB\s(?:.|\n)*busy \d[^\n]*64MiB\s')

    pair.both(story)


def test_stats_by_the_api(pair):
    pair.ok('run', '-d', '--name', 'busy', 'busybox', *FOREVER)

    def fields(side):
        once = side.http('GET', '/containers/busy/stats?stream=0').json()
        shot = side.http('GET', '/v1.41/containers/busy/stats?stream=0&one-shot=1').json()
        with side.wire() as wire:
            wire.request('GET', '/containers/busy/stats')
            status, _, headers = wire.head()
            first, second = json.loads(wire.chunk()), json.loads(wire.chunk())
        assert first['read'] < second['read']
        return (status, headers.get('content-type'), sorted(once), once['name'],
                sorted(once['cpu_stats']), sorted(first),
                shot['precpu_stats'].get('system_cpu_usage'))

    assert pair.tell(fields)[3] == '/busy'


def test_inspect(pair):
    """The engine's own, and the node beside it."""
    pair.ok('run', '-d', '--name', 'seen', '-e', 'A=1', '-l', 'tier=front', '-p', '80', '-m', '64m',
            '--tmpfs', '/scratch', '-w', '/tmp', 'busybox', *FOREVER)
    ports = {}

    def seen(side):
        value = side.http('GET', '/containers/seen/json').json()
        ports[side.name] = value['NetworkSettings']['Ports']['80/tcp'][0]
        value.pop('Node', None)
        value['State']['Pid'] = bool(value['State']['Pid'])
        text = json.dumps(side.neutral.value(value), sort_keys=True)
        return json.loads(text.replace(ports[side.name]['HostPort'], '<port>'))

    def without_own(value):
        for field in ('SandboxID', 'SandboxKey'):
            value['NetworkSettings'].pop(field)
        return value

    value = pair.tell(lambda side: without_own(seen(side)))
    assert value['Name'] == '/seen' and value['Config']['Labels'] == {'tier': 'front'}

    value = pair.pool.http('GET', '/containers/seen/json').json()
    node = next(node for node in pair.pool.lab.nodes if node.name == value['Node']['Name'])
    told = value['Node']
    info = json.loads(node.api('GET', '/info')[1])
    assert (told['ID'], told['IP'], told['Addr']) == (info['ID'], node.ip, node.address)
    assert (told['Cpus'], told['Memory']) == (info['NCPU'], info['MemTotal'])
    assert node.labels.items() <= told['Labels'].items()
    assert ports['pool']['HostIp'] == node.ip and ports['engine']['HostIp'] == '0.0.0.0'
    assert len(value['Config']['Labels']['com.docker.swarm.id']) == 64
    assert pair.pool.docker('inspect', '-f', '{{.Node.Name}}', 'seen').ok().lines == [node.name]


def test_inspect_with_size_and_type(pair):
    pair.ok('run', '--name', 'sized', 'busybox', 'sh', '-c', 'head -c 100000 /dev/zero > /blob')
    assert pair.ok('inspect', '-s', '-f', '{{.SizeRw}} {{.SizeRootFs}}', 'sized') != ''
    pair.ok('inspect', '--type', 'container', '-f', '{{.Path}} {{.Args}}', 'sized')
    pair.same('inspect', '--type', 'container', 'busybox', code=1)
    pair.same('inspect', '--type', 'image', 'sized', code=1)
    pair.ok('inspect', '--type', 'image', '-f', '{{.RepoTags}}', 'busybox')
    pair.ok('inspect', '-f', '{{.Id}}', 'sized', 'busybox')
    pair.same('inspect', '-f', '{{.Nothing.Here}}', 'sized')
    # Of what there is not, the command says the same whatever the kind that it looks for.
    pair.same('inspect', 'no-such-thing', code=1)
    pair.same('inspect', 'sized', 'no-such-thing', '-f', '{{.Id}}', code=1)


def test_port(pair):
    pair.ok('run', '-d', '--name', 'web', '-p', '18080:80', '-p', '18053:53/udp',
            '-p', '127.0.0.1:18081:81', 'busybox', *FOREVER)
    assert '80/tcp -> 0.0.0.0:18080' in pair.ok('port', 'web', ordered=False)
    pair.ok('port', 'web', '53/udp')
    pair.ok('port', 'web', '81')
    pair.same('port', 'web', '82', code=1)
    pair.ok('ps', '--format', '{{.Names}} {{.Ports}}')


def test_rename(pair):
    pair.ok('create', '--name', 'first', 'busybox', 'true')
    pair.ok('create', '--name', 'second', 'busybox', 'true')
    pair.ok('rename', 'first', 'third')
    pair.same('rename', 'first', 'fourth', code=1)
    pair.same('rename', 'third', 'not a name', code=1)
    pair.same('rename', 'third', 'third', code=1)
    # The words differ by contract; the rest does not.
    pool, engine = pair.both(lambda side: side.docker('rename', 'third', 'second'))
    assert pool.code == engine.code == 1 and pool.stdout == engine.stdout
    assert 'Conflict: The name second is already assigned.' in pool.stderr, pool
    assert pair.ok('ps', '-a', '--format', '{{.Names}}').split() == ['second', 'third']
    # The name that it had is free.
    pair.ok('create', '--name', 'first', 'busybox', 'true')


def test_rm(pair):
    pair.ok('run', '-d', '--name', 'kept', '-v', '/data', 'busybox', *FOREVER)
    pair.same('rm', 'kept', code=1)
    pair.ok('rm', '-f', '-v', 'kept')
    for node in [*pair.pool.lab.nodes, *pair.engine.lab.nodes]:
        assert json.loads(node.api('GET', '/volumes')[1])['Volumes'] in (None, []), node.name
    pair.same('rm', 'kept', code=1)
    # 20.10 makes nothing of it, and later ones succeed; the pool has no word in that.
    pair.same('rm', '-f', 'kept')


def test_diff_commit_and_run(pair):
    pair.ok('run', '--name', 'base', 'busybox', 'sh', '-c', 'echo new > /new; rm /bin/vi; mkdir /d')
    assert pair.ok('diff', 'base', ordered=False) == 'A /d\nA /new\nC /bin\nD /bin/vi\n'
    pair.ok('commit', '-m', 'why', '-a', 'who', '-c', 'CMD ["cat", "/new"]', '-c', 'ENV A=b',
            'base', 'made:1')
    # It is there at once, for the next request, on the node that has it and nowhere else.
    assert pair.ok('run', '--rm', 'made:1') == 'new\n'
    assert pair.ok('run', '--rm', 'made:1', 'sh', '-c', 'echo $A; [ -e /bin/vi ]; echo $?') == \
        'b\n1\n'
    pair.ok('inspect', '-f', '{{.Comment}} {{.Author}} {{.Config.Cmd}} {{.Config.Env}}', 'made:1')
    pair.same('commit', 'base', 'Not:A:Name', code=1)


def test_export(pair):
    pair.ok('run', '--name', 'packed', 'busybox', 'sh', '-c', 'echo inside > /inside')

    def names(side):
        done = side.docker('export', 'packed', binary=True)
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            return done.code, done.stderr, sorted(archive.getnames()), \
                archive.extractfile('inside').read()

    assert pair.tell(names)[3] == b'inside\n'


def test_found_by_every_name(pair, lab):
    made = pair.pool.create('found', *FOREVER)
    pair.pool.create('other', *FOREVER)
    value = pair.pool.http('GET', '/containers/found/json').json()
    swarm_id, node = value['Config']['Labels']['com.docker.swarm.id'], value['Node']['Name']
    for name in [made, made[:12], made[:20], swarm_id, swarm_id[:12], 'found', '/found',
                 f'{node}/found', f'/{node}/found']:
        done = pair.pool.docker('inspect', '-f', '{{.Id}}', name)
        assert done.stdout == made + '\n', f'{name}: {done}'
    other = next(other for other in lab.nodes if other.name != node)
    done = pair.pool.docker('inspect', '--type', 'container', f'{other.name}/found')
    assert done.code == 1 and 'No such container' in done.stderr, done


def test_found_by_a_prefix_of_its_id(pair):
    """As soon as two ids begin alike, a prefix is either unique or an error that lists them."""
    made = [pair.pool.create(f'p{number}', 'true') for number in range(18)]
    for first in {name[0] for name in made}:
        alike = [name for name in made if name.startswith(first)]
        reply = pair.pool.http('GET', f'/containers/{first}/json')
        swarm = [name for name in made if pair.pool.http('GET', f'/containers/{name}/json')
                 .json()['Config']['Labels']['com.docker.swarm.id'].startswith(first)]
        if len(alike) > 1:
            assert reply.status in (400, 404, 500), f'{first}: {reply}'
            said = reply.message()
            assert 'No such container' not in said, said
            assert all(name[:12] in said for name in alike), f'{said} names not all of {alike}'
        elif not swarm or swarm == alike:
            assert reply.status == 200 and reply.json()['Id'] == alike[0], f'{first}: {reply}'
    for name in made[:3]:
        assert pair.pool.http('GET', f'/containers/{name[:6]}/json').json()['Id'] == name


def test_a_name_is_given_once(pair):
    pair.ok('create', '--name', 'taken', 'busybox', 'true')
    for args in (['create'], ['run'], ['run', '-d'], ['run', '--rm']):
        pool, engine = pair.both(
            lambda side: side.docker(*args, '--name', 'taken', 'busybox', 'true'))
        assert (pool.code, pool.stdout) == (engine.code, engine.stdout), f'{pool}\n{engine}'
        assert 'Conflict: The name taken is already assigned.' in pool.stderr, pool
        assert pool.stderr.count('\n') == engine.stderr.count('\n'), f'{pool}\n{engine}'
    statuses = pair.both(lambda side: side.http('POST', '/containers/create?name=taken',
                                                {'Image': 'busybox'}).status)
    assert statuses == (409, 409)
    for bad in ('x', '-x', 'a b', 'a$'):
        pair.same('create', '--name', bad, 'busybox', 'true')


def test_a_new_container_is_in_the_next_list(pair):
    """No wait between what a client did and what it sees."""
    for number in range(10):
        made = pair.pool.create(f'c{number}', 'true')
        shown = json.loads(pair.pool.http('GET', '/containers/json?all=1').body)
        assert made in [entry['Id'] for entry in shown]
        assert pair.pool.http('POST', f'/containers/{made}/start').status == 204
        assert pair.pool.http('POST', f'/containers/{made}/wait').json()['StatusCode'] == 0
        entry, = [entry for entry in pair.pool.http('GET', '/containers/json?all=1').json()
                  if entry['Id'] == made]
        assert entry['State'] == 'exited' and entry['Status'].startswith('Exited (0)'), entry
        assert pair.pool.http('DELETE', f'/containers/{made}').status == 204
        assert pair.pool.http('GET', '/containers/json?all=1').json() == []
