# SPDX-License-Identifier: Apache-2.0
"""docker exec: what runs beside a container's own process."""

import pytest

from lab import wait_until

OBEDIENT = ['sh', '-c', 'trap "echo interrupted" INT; echo ready; '
            'while read -r line; do eval "$line"; done']


@pytest.fixture(scope='module')
def box(shared_pair):
    """A container `box` on each side, which goes on through all of these tests."""
    shared_pair.ok('run', '-d', '--name', 'box', 'busybox', 'sleep', '10000')
    return shared_pair


@pytest.fixture
def running(box, cli):
    return box.by(cli)


@pytest.mark.every_cli
@pytest.mark.parametrize('code, command', [
    (0, ['true']), (1, ['false']), (42, ['sh', '-c', 'exit 42']),
    (126, ['/etc/passwd']), (127, ['sh', '-c', 'no-such-command']),
    (137, ['sh', '-c', 'kill -9 $$'])], ids=lambda value: value if isinstance(value, int) else '')
def test_exit_codes(running, code, command):
    running.same('exec', 'box', *command, code=code)


def test_no_such_command(running):
    # 126, and what runc says about it.
    running.same('exec', 'box', 'no-such-command')
    running.same('exec', '-d', 'box', 'no-such-command')


@pytest.mark.every_cli
def test_output_and_input(running):
    assert running.same('exec', 'box', 'sh', '-c', 'echo out; echo err >&2') == \
        (0, 'out\n', 'err\n')
    assert running.same('exec', '-i', 'box', 'cat', input='one\ntwo') == (0, 'one\ntwo', '')
    assert running.same('exec', 'box', 'cat', input='lost') == (0, '', '')
    running.same('exec', '-i', 'box', 'head', '-c', '3', input='x' * 100000, code=0)
    assert running.same('exec', '-i', 'box', 'wc', '-c', input='') == (0, '0\n', '')


def test_settings(running):
    assert running.ok('exec', '-e', 'A=1', '-e', 'B=x=y', '-w', '/tmp', '-u', '65534', 'box', 'sh',
                      '-c', 'echo $A-$B; pwd; id -u') == '1-x=y\n/tmp\n65534\n'
    running.same('exec', '-w', '/no/such/place', 'box', 'true')
    running.same('exec', '-u', 'nosuchuser', 'box', 'true')


@pytest.mark.every_cli
def test_in_the_background(running):
    assert running.same('exec', '-d', 'box', 'sh', '-c', 'echo done > /told') == (0, '', '')
    for side in (running.pool, running.engine):
        wait_until(lambda: side.docker('exec', 'box', 'cat', '/told').stdout == 'done\n', 20,
                   'what runs in the background has run')
    running.ok('exec', 'box', 'rm', '/told')


@pytest.mark.every_cli
def test_on_a_terminal(running):
    def story(side):
        with side.terminal('exec', '-it', 'box', *OBEDIENT, rows=31, columns=97) as run:
            run.expect('ready')
            run.send('until [ "$(stty size)" = "31 97" ]; do :; done; stty size; tty\n')
            run.expect(r'\r\n31 97\r\n/dev/pts/0\r\n')
            run.send('until [ "$(stty size)" = "17 55" ]; do :; done; echo "now $(stty size)"\n')
            run.size_until(17, 55, r'now 17 55\r\n')
            run.send("sh -c 'echo wait; exec sleep 1000'\n")
            run.expect(r'\r\nwait\r\n')
            run.send('\x03')
            run.expect(r'\^C(\r\n)?interrupted\r\n')
            run.send('exit 9\n')
            return run.wait()

    assert running.tell(story) == 9


def test_a_dialogue(running):
    def story(side):
        with side.background('exec', '-i', 'box', 'sh', '-c',
                             'while read line; do echo "got $line"; done; echo end') as run:
            for number in range(3):
                run.send(f'{number}\n')
                run.expect(f'got {number}\n')
            run.end_input()
            return run.wait(), run.text

    assert running.tell(story) == (0, 'got 0\ngot 1\ngot 2\nend\n')


def test_it_ends_with_its_container(running):
    def story(side):
        side.start('brief', 'sleep', '1000')
        with side.background('exec', 'brief', 'sh', '-c', 'echo in; exec sleep 1000') as run:
            run.expect('in')
            side.docker('kill', 'brief').ok()
            ended = run.wait(), run.text
        side.docker('rm', 'brief').ok()
        return ended

    assert running.tell(story) == (137, 'in\n')


def test_inspected_by_id(running):
    def story(side):
        config = {'Cmd': ['sh', '-c', 'exit 6'], 'AttachStdout': True, 'Env': ['A=1']}
        made = side.http('POST', '/containers/box/exec', config)
        assert made.status == 201, repr(made)
        path = f'/exec/{made.json()["Id"]}'
        told = [side.neutral.value(side.http('GET', path + '/json').json())]
        told.append(side.http('POST', path + '/start', {}).status)
        wait_until(lambda: not side.http('GET', path + '/json').json()['Running'], 20, 'it ends')
        value = side.http('GET', path + '/json').json()
        value['Pid'] = bool(value['Pid'])
        told.append(side.neutral.value(value))
        # What has run cannot run again.
        again = side.http('POST', path + '/start', {})
        told += [again.status, side.neutral.text(again.body.decode())]
        return told

    told = running.tell(story)
    assert told[0]['ExitCode'] is None and told[2]['ExitCode'] == 6


@pytest.mark.parametrize('method, path, body', [
    ('GET', '/exec/nosuch/json', None), ('POST', '/exec/nosuch/start', {}),
    ('POST', '/exec/nosuch/resize?h=1&w=1', None),
    ('POST', '/containers/nosuch/exec', {'Cmd': ['true']}),
    ('POST', '/containers/box/exec', {'Cmd': []}),
    ('POST', '/containers/box/exec', b'{"Cmd": ')])
def test_refused(running, method, path, body):
    headers = {'Content-Type': 'application/json'} if body is not None else {}
    assert running.same_reply(method, path, body, headers).status >= 400
