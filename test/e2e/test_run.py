# SPDX-License-Identifier: Apache-2.0
"""docker run: attached, in the background, with input, on a terminal; and its exit codes."""

import signal

import pytest

from lab import wait_until

pytestmark = pytest.mark.every_cli
FOREVER = ['sleep', '1000']
# Does what each line of its input says, without the editing of an interactive shell.
OBEDIENT = ['sh', '-c', 'trap "echo interrupted" INT; echo ready; '
            'while read -r line; do eval "$line"; done']


@pytest.mark.parametrize('code, args', [
    (0, ['busybox', 'true']),
    (1, ['busybox', 'false']),
    (42, ['busybox', 'sh', '-c', 'exit 42']),
    (125, ['--no-such-flag', 'busybox', 'true']),
    (125, ['--network', 'no-such-network', 'busybox', 'true']),
    (125, ['-v', 'relative/path:/x', 'busybox', 'true']),
    (125, ['--mount', 'type=volume,src=relative/path,dst=/x', 'busybox', 'true']),
    (126, ['busybox', '/etc/passwd']),
    (126, ['busybox', '/tmp']),
    (127, ['busybox', 'no-such-command']),
    (127, ['busybox', 'sh', '-c', 'no-such-command']),
    (137, ['busybox', 'sh', '-c', 'sh -c "kill -9 \\$\\$"; exit $?']),
    (255, ['busybox', 'sh', '-c', 'exit 255']),
], ids=lambda value: value if isinstance(value, int) else '')
def test_exit_codes(pair, code, args):
    pair.same('run', '--rm', *args, code=code)
    # With --rm nothing is left, also of what did not start.
    assert pair.pool.docker('ps', '-aq').stdout == ''


def test_without_rm_it_stays(pair):
    pair.same('run', '--name', 'stays', 'busybox', 'sh', '-c', 'echo out; echo err >&2; exit 3',
              code=3)
    assert pair.ok('inspect', '-f', '{{.State.ExitCode}}', 'stays') == '3\n'
    assert pair.ok('logs', 'stays') == 'out\n'
    pair.same('run', '--name', 'fails', 'busybox', 'no-such-command', code=127)
    pair.ok('ps', '-a', '--format', '{{.Names}} {{.Status}}')
    assert pair.ok('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'fails') == \
        'created 127\n'


def test_output_and_errors_stay_apart(pair):
    code, out, err = pair.same('run', '--rm', 'busybox', 'sh', '-c',
                               'for i in 1 2 3; do echo out $i; echo err $i >&2; done')
    assert (code, out, err) == (0, 'out 1\nout 2\nout 3\n', 'err 1\nerr 2\nerr 3\n')
    assert pair.same('run', '--rm', '-a', 'stderr', 'busybox', 'sh', '-c', 'echo o; echo e >&2') \
        == (0, '', 'e\n')


def test_input(pair):
    assert pair.same('run', '--rm', '-i', 'busybox', 'cat', input='one\ntwo') == \
        (0, 'one\ntwo', '')
    # No -i: the input is not given on.
    assert pair.same('run', '--rm', 'busybox', 'cat', input='lost') == (0, '', '')
    # The command ends before it has read all.
    pair.same('run', '--rm', '-i', 'busybox', 'head', '-c', '3', input='x' * 100000, code=0)
    # The end of the input is all that ends it.
    assert pair.same('run', '--rm', '-i', 'busybox', 'wc', '-c', input='') == (0, '0\n', '')


def test_a_dialogue(pair):
    def story(side):
        with side.background('run', '--rm', '-i', 'busybox', 'sh', '-c',
                             'while read line; do echo "got $line"; done; echo end') as run:
            for number in range(3):
                run.send(f'{number}\n')
                run.expect(f'got {number}\n')
            run.end_input()
            return run.wait(), run.text

    assert pair.tell(story) == (0, 'got 0\ngot 1\ngot 2\nend\n')


def test_in_the_background(pair):
    said = pair.same('run', '-d', '--name', 'back', 'busybox', 'sh', '-c', 'echo there; sleep 1000')
    assert said == (0, '<id 1>\n', '')
    pair.ok('ps')
    pair.ok('rm', '-f', 'back')
    pair.same('run', '-d', '--name', 'back', 'busybox', 'no-such-command', code=127)
    pair.ok('rm', 'back')
    # --rm in the background: it goes by itself.
    pair.ok('run', '-d', '--rm', '--name', 'back', 'busybox', 'true')
    wait_until(lambda: pair.pool.docker('ps', '-aq').stdout == '', 20, 'it is removed at its end')


def test_on_a_terminal(pair):
    def story(side):
        with side.terminal('run', '--rm', '-it', 'busybox', *OBEDIENT, rows=31, columns=97) as run:
            run.expect('ready')
            # The size is told right after the start, so it may take a moment.
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

    assert pair.tell(story) == 9


def test_a_terminal_needs_a_terminal(pair):
    pair.same('run', '--rm', '-it', 'busybox', 'true', code=1, input='')
    # -t alone: one line discipline, and no input.
    assert pair.same('run', '--rm', '-t', 'busybox', 'sh', '-c', 'tty; echo x >&2') == \
        (0, '/dev/pts/0\r\nx\r\n', '')


def test_signals_go_on(pair):
    trap = 'trap "echo got term; exit 12" TERM; echo ready; while :; do sleep 0.1; done'

    def story(side):
        with side.background('run', '--rm', 'busybox', 'sh', '-c', trap) as run:
            run.expect('ready')
            run.signal(signal.SIGTERM)
            return run.wait(), run.text

    assert pair.tell(story) == (12, 'ready\ngot term\n')


def test_settings_reach_the_container(pair, tmp_path):
    (tmp_path / 'env').write_text('FROM=file\n')
    show = ('echo $A-$B-$FROM; pwd; id -u; hostname; ls -d /scratch; grep far /etc/hosts; '
            'cat /sys/fs/cgroup/memory/memory.limit_in_bytes; '
            'grep -q "^[^ ]* / [^ ]* ro," /proc/mounts && echo read-only; cat /proc/1/comm')
    *told, first = pair.ok('run', '--rm', '-e', 'A=1', '-e', 'B=x=y', '--env-file',
                           tmp_path / 'env', '-w', '/tmp', '-u', '65534', '-h', 'called',
                           '--tmpfs', '/scratch', '--read-only', '--init',
                           '--add-host', 'far:10.9.8.7', '-m', '64m',
                           'busybox', 'sh', '-c', show).splitlines()
    assert told == ['1-x=y-file', '/tmp', '65534', 'called', '/scratch', '10.9.8.7\tfar',
                    str(64 << 20), 'read-only']
    assert first in ('docker-init', 'tini')
    assert pair.ok('run', '--rm', '--network', 'none', '--entrypoint', 'ls', 'busybox',
                   '/sys/class/net') == 'lo\n'

    def cidfile(side):
        path = tmp_path / f'cid-{side.name}'
        done = side.docker('run', '--cidfile', path, 'busybox', 'true')
        return done.code, side.docker('inspect', '-f', '{{.Id}}', path.read_text()).stdout == \
            path.read_text() + '\n'

    assert pair.tell(cidfile) == (0, True)


def test_volumes_that_engines_make(pair):
    assert pair.ok('run', '--name', 'first', '-v', '/data', 'busybox', 'sh', '-c',
                   'echo kept > /data/file; cat /data/file') == 'kept\n'
    assert pair.ok('run', '--rm', '--volumes-from', 'first', 'busybox', 'cat', '/data/file') == \
        'kept\n'


def test_health_is_seen(pair):
    pair.ok('run', '-d', '--name', 'checked', '--health-cmd', 'test -e /fine',
            '--health-interval', '200ms', '--health-retries', '1', 'busybox', *FOREVER)

    def shown(word):
        wait_until(lambda: all(word in side.docker('ps', '--format', '{{.Status}}').stdout
                               for side in (pair.pool, pair.engine)), 20, f'both show {word}')

    shown('(unhealthy)')
    assert pair.ok('ps', '-q', '-f', 'health=unhealthy') == '<id 1>\n'
    pair.ok('exec', 'checked', 'touch', '/fine')
    shown('(healthy)')
    assert pair.ok('ps', '-q', '-f', 'health=healthy') == '<id 1>\n'
    assert pair.ok('ps', '-q', '-f', 'health=unhealthy') == ''


def test_a_client_that_dies_leaves_the_container(pair):
    def story(side):
        with side.background('run', '--name', 'orphan', '-i', 'busybox', 'cat') as run:
            run.send('hello\n')
            run.expect('hello')
            run.signal(signal.SIGKILL)
            run.process.wait()
        # The end of the input reaches cat, as on an engine.
        return side.said('wait', 'orphan')

    assert pair.tell(story) == (0, '0\n', '')


def test_killed_from_elsewhere(pair):
    def story(side):
        with side.background('run', '--rm', '--name', 'victim', 'busybox', 'sh', '-c',
                             'echo ready; exec sleep 1000') as run:
            run.expect('ready')
            side.docker('kill', 'victim').ok()
            return run.wait(), run.text

    assert pair.tell(story) == (137, 'ready\n')


def test_restart_policy(pair):
    pair.ok('run', '-d', '--name', 'again', '--restart', 'on-failure:2', 'busybox', 'sh', '-c',
            'echo once; exit 1')
    both = (pair.pool, pair.engine)
    wait_until(lambda: all(side.docker('inspect', '-f', '{{.RestartCount}} {{.State.Status}}',
                                       'again').stdout == '2 exited\n' for side in both), 30,
               'it was started again twice')
    assert pair.ok('logs', 'again') == 'once\n' * 3
    pair.ok('ps', '-a', '--format', '{{.Names}} {{.Status}}')


def test_pull_never_and_always(pair):
    assert 'No such image' in pair.same('run', '--rm', '--pull', 'never', 'no-such-image', 'true',
                                        code=125)[2]


def test_an_image_that_nobody_has(pair):
    pair.same('create', 'no-such-image', 'true')
    pair.same('run', '--rm', 'no-such-image:tagged', 'true', code=125)
    pair.same('run', '--rm', 'BAD-NAME', 'true', code=125)
