# SPDX-License-Identifier: Apache-2.0
"""The command line itself: help, errors, list, and how a manager starts, logs and stops.

No engine is needed: the nodes of these managers are addresses where nobody listens.
"""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import stat
import subprocess
import time

import pytest

from lab import Manager, engine, host
from lab.manager import REPOSITORY, binary, free_port
from support.certs import make_certs

COMMANDS = ['create', 'list', 'manage', 'join', 'discovery']


def environment(**variables):
    clean = {name: value for name, value in os.environ.items() if not name.startswith('SWARM_')}
    return clean | variables


def swarm(*args, **variables):
    return subprocess.run([binary(), *args], env=environment(**variables), text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=30)


def refused(*args, **variables):
    """The one line on stderr of a command line that starts nothing."""
    done = swarm(*args, **variables)
    assert (done.returncode, done.stdout) == (1, '')
    assert done.stderr.endswith('\n') and done.stderr.count('\n') == 1, done.stderr
    return done.stderr.rstrip('\n')


def printed(*args, **variables):
    done = swarm(*args, **variables)
    assert (done.returncode, done.stderr) == (0, '')
    return done.stdout


@pytest.fixture
def manage(tmp_path):
    """manage(*args, **variables): starts `swarm manage args`; returns the process, whose log() is
    its stderr so far."""
    started = []

    def start(*args, **variables):
        path = tmp_path / f'log-{len(started)}'
        with open(path, 'wb') as log:
            process = subprocess.Popen([binary(), *args], env=environment(**variables),
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        process.log = path.read_text
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def logs(process, text, count=1):
    """Waits until the log has a text that many times."""
    def reached():
        assert process.poll() is None, process.log()
        return process.log().count(text) >= count

    host.wait_until(reached, 20, f'{count} times "{text}" in the log')


def stopped(process, number=signal.SIGTERM):
    process.send_signal(number)
    assert process.wait(20) == 0, process.log()
    return process.log()


# Help and version

def test_version():
    with open(os.path.join(REPOSITORY, 'meson.build')) as build:
        version = re.search(r"version: '([^']+)'", build.read())[1]
    assert printed('--version') == f'swarm version {version}\n'
    assert printed('-v') == printed('--version')


def test_overview():
    overview = printed()
    assert overview.startswith('Usage: swarm [FLAGS] COMMAND\n')
    for command in COMMANDS:
        assert re.search(rf'^  {command}\b', overview, re.M)
    for args in (['--help'], ['-h'], ['help'], ['h'], ['help', '--help'], ['help', '-h']):
        assert printed(*args) == overview


@pytest.mark.parametrize('command', COMMANDS)
def test_help_of_a_command(command):
    text = printed(command, '--help')
    assert text.startswith(f'Usage: swarm {command} ')
    assert max(map(len, text.splitlines())) <= 100
    for args in ([command, '-h'], ['help', command], ['--help', command],
                 ['help', command, '--help']):
        assert printed(*args) == text


@pytest.mark.parametrize('short, command', [('c', 'create'), ('l', 'list'), ('m', 'manage'),
                                            ('j', 'join')])
def test_short_names(short, command):
    assert printed(short, '--help') == printed(command, '--help')


def test_a_join_names_what_it_can_enter():
    text = printed('join', '--help')
    assert 'token://' in text and 'etcd://' in text
    assert 'file://' not in text and 'nodes://' not in text


def test_help_needs_no_good_environment():
    assert printed('manage', '--help', SWARM_ADVERTISE='nonsense').startswith('Usage: ')


# What is refused

@pytest.mark.parametrize('args, line', [
    (['nope'], 'swarm: there is no command "nope"; swarm help lists them'),
    (['help', 'nope'], 'swarm: there is no command "nope"; swarm help lists them'),
    (['help', '--nope'], 'swarm: there is no flag --nope'),
    (['help', 'list', 'join'], 'swarm: help takes one command, but there is "join" too'),
    (['no\nsuch\x1b'], r'swarm: there is no command "no\x0asuch\x1b"; swarm help lists them'),
    (['list', 'a:1\nb'], r'swarm list: invalid address "a:1\x0ab": the port is no number'),
    (['--nope'], 'swarm: there is no flag --nope'),
    (['-l', 'loud', 'manage', 'a:1'],
     'swarm: --log-level takes debug, info, warn, error or fatal, not "loud"'),
    (['--log-format=xml', 'manage', 'a:1'],
     'swarm: --log-format takes text or json, not "xml"'),
    (['manage', '--nope', 'a:1'], 'swarm manage: there is no flag --nope'),
    (['m', '--strat', 'spread', 'a:1'], 'swarm manage: there is no flag --strat'),
    (['manage', 'a:1', '--strategy'],
     'swarm manage: --strategy needs a value: it takes spread, binpack or random'),
    (['manage', '--strategy', 'best', 'a:1'],
     'swarm manage: --strategy takes spread, binpack or random, not "best"'),
    (['manage', '--heartbeat', '5', 'a:1'],
     'swarm manage: --heartbeat takes a duration such as 1m30s, at least 1s, not "5"'),
    (['manage', '-H', 'http://a:1', 'a:1'], 'swarm manage: --host takes tcp://ip:port, '),
    (['manage', '--state-dir', '/nowhere/at/all'],
     'swarm manage: --state-dir /nowhere/at/all cannot be made: No such file or directory'),
    (['manage', '--state-dir', '/etc/passwd'],
     'swarm manage: --state-dir /etc/passwd is no directory'),
    (['manage', '--replication', '--advertise', 'a:1'],
     'swarm manage: --replication needs a key-value discovery '),
    (['manage', '--discovery-opt', 'kv.path=x'],
     'swarm manage: --discovery-opt has no use without a <discovery>'),
    (['manage', 'a:1', 'b:1'],
     'swarm manage: there is more than one <discovery>: "a:1" and "b:1" (a list has commas'),
    (['manage', 'a'], 'swarm manage: invalid address "a": it has no port'),
    (['manage', 'token://x'], 'swarm manage: invalid cluster "token://x": it is token://<id> or '),
    (['manage', 'token://' + 32 * 'a'], 'swarm manage: token://<id> needs to know the token service: '),
    (['manage', '--replication', '--advertise', 'a:1', 'a:1'],
     'swarm manage: --replication needs a key-value discovery (etcd://, consul:// or zk://), '
     'which nodes:// is not'),
    (['manage', '--discovery-opt', 'kv.path=x', 'a:1'],
     'swarm manage: nodes:// has no option "kv.path=x"'),
    (['manage', '--tls', '--tlscert', '/nowhere', '--tlskey', '/nowhere', 'a:1'],
     'swarm manage: cannot read the certificate /nowhere: No such file or directory'),
    (['manage', '--user', 'no-such-user', 'a:1'],
     'swarm manage: --user: there is no user "no-such-user"'),
    (['list'], 'swarm list: a <discovery> is missing: '),
    (['list', '--timeout', 'x', 'a:1'], 'swarm list: --timeout takes a duration such as 1m30s, '),
    (['list', '--discovery-opt', 'kv.nope=1', 'zk://a'],
     'swarm list: zk:// has no option "kv.nope=1"; it has kv.path, '),
    (['list', '--discovery-opt', 'kv.cacertfile=/x', 'zk://a'],
     'swarm list: zk:// does not use TLS'),
    (['list', '--discovery-opt', 'kv.certfile=/x', 'etcd://a'],
     'swarm list: TLS to a key-value store needs --discovery-opt kv.cacertfile=FILE'),
    (['list', 'etcd://a:x/y'], 'swarm list: invalid address "a:x": the port is no number up to'),
    (['list', 'consul:///y'], 'swarm list: invalid address ":8500": it has no host'),
    (['list', '--tls', 'a:1'], 'swarm list: --tls needs --tlscert FILE beside it'),
    (['list', '--tls', '--tlscert', 'x', '--tlskey', 'x', 'a:1'],
     'swarm list: --tls has no use: nodes:// does not use TLS'),
    (['list', 'token://127.0.0.1:1/' + 32 * 'a'],
     'swarm list: the token service: cannot connect to 127.0.0.1:1: Connection refused'),
    (['list', 'file:///nowhere/at/all'],
     'swarm list: cannot read /nowhere/at/all: No such file or directory'),
    (['join', 'a:1'], 'swarm join: --advertise is missing: it takes host:port'),
    (['join', '--advertise', 'a', 'a:1'], 'swarm join: --advertise takes host:port, not "a"'),
    (['join', '--advertise', 'a:1', '--ttl', '60s', 'a:1'],
     'swarm join: --ttl must be longer than --heartbeat'),
    (['join', '--advertise', 'a:1', 'a:1'], 'swarm join: nodes:// takes no registrations: '),
    (['join', '--advertise', 'a:1', 'file:///x'], 'swarm join: file:// takes no registrations: '),
    (['join', '--advertise', 'a:1', '--heartbeat', '5s', '--ttl', '15s', 'consul://a'],
     'swarm join: consul:// needs a TTL of 20s at least: '),
    (['join', '--advertise', 'a:1', '--ttl', '2m', 'consul://a'],
     'swarm join: consul:// needs a TTL of more than 2m0s, twice the heartbeat: '),
    (['join', '--advertise', 'a:1'], 'swarm join: a <discovery> is missing: '),
    (['join', '--advertise', 'a:1', '--delay', '-1s', 'a:1'],
     'swarm join: --delay takes a duration such as 1m30s'),
    (['join', '--advertise', 'a:1', '--heartbeat', '1ms', 'a:1'],
     'swarm join: --heartbeat takes a duration such as 1m30s, at least 1s, not "1ms"'),
    (['join', '--advertise', 'a:1', '--tlscert', 'x', 'a:1'],
     'swarm join: --tlscert needs --tls or --tlsverify beside it'),
    (['create'], 'swarm create: a token service is missing: --service URL or $SWARM_TOKEN_SERVICE '),
    (['create', '--service', 'nonsense:x'],
     'swarm create: invalid token service "nonsense:x": it is host[:port] or a URL, and '),
    (['create', '--service', 'http://127.0.0.1:1'],
     'swarm create: the token service: cannot connect to 127.0.0.1:1: Connection refused'),
    (['create', '--service', 'http://127.0.0.1:1', '--tls', '--tlscert', 'x', '--tlskey', 'y'],
     'swarm create: --tls has no use: http:// does not use TLS'),
    (['create', 'x'], 'swarm create: takes no argument, but there is "x"'),
    (['discovery', 'x'], 'swarm discovery: takes no argument, but there is "x"'),
    (['discovery', '-H', 'x'], 'swarm discovery: --host takes tcp://ip:port, '),
    (['discovery', '--limit', 'x=1'],
     'swarm discovery: --limit takes connections, requests, head-time or idle-time=value, not '
     '"x=1": there is no limit x'),
    (['discovery', '--state-dir', '/nowhere/at/all'],
     'swarm discovery: --state-dir /nowhere/at/all cannot be made: '),
])
def test_refusals(args, line):
    assert refused(*args).startswith(line)


def test_refusals_name_the_variable():
    assert refused('manage', 'a:1', SWARM_HOST='nonsense').startswith(
        'swarm manage: $SWARM_HOST takes tcp://ip:port, ')


def test_closed_descriptors(tmp_path):
    """What would be printed goes nowhere, and never into a connection that got the number."""
    def shell(line):
        return subprocess.Popen(['sh', '-c', f'exec "$0" {line}', binary()], env=environment())

    assert shell('list a:1 >&-').wait(20) == 1
    address = f'127.0.0.1:{free_port()}'
    manager = shell(f'--debug manage -H {address} --state-dir {tmp_path}/state <&- >&- 2>&-')
    try:
        host.wait_until(lambda: engine.answers(address), 20, 'the manager answers')
        assert {os.readlink(f'/proc/{manager.pid}/fd/{number}') for number in range(3)} == \
            {'/dev/null'}
    finally:
        manager.terminate()
        assert manager.wait(20) == 0


# list

def test_list():
    assert printed('list', 'nodes://b:2375,a:[1:2],b:2375') == 'b:2375\na:1\na:2\n'
    assert printed('l', '10.0.[0:1].[09:10]:2375').split() == [
        '10.0.0.09:2375', '10.0.0.10:2375', '10.0.1.09:2375', '10.0.1.10:2375']
    assert printed('list', '--timeout=3s', '[::1]:2375') == '[::1]:2375\n'
    assert printed('list', SWARM_DISCOVERY='a:1') == 'a:1\n'
    assert printed('list', 'b:1', SWARM_DISCOVERY='a:1') == 'b:1\n'


def test_list_of_a_file(tmp_path):
    nodes = tmp_path / 'nodes'
    nodes.write_text('# all of them\r\na:1\r\n\r\nb:[1:2] # two\r\nnonsense\r\na:1\r\n')
    done = swarm('list', f'file://{nodes}')
    assert (done.returncode, done.stdout) == (0, 'a:1\nb:1\nb:2\n')
    assert 'entry=nonsense' in done.stderr and done.stderr.count('\n') == 1


def test_list_says_when_it_cannot_write():
    with open('/dev/full', 'w') as full:
        done = subprocess.run([binary(), 'list', 'a:1'], stdout=full, stderr=subprocess.PIPE,
                              text=True, timeout=30)
    assert (done.returncode, done.stderr) == (1, 'swarm list: cannot write to stdout\n')


# manage

@contextlib.contextmanager
def listening(kind, address):
    with socket.socket(kind) as taken:
        taken.bind(address)
        taken.listen()
        yield


def test_starts_logs_and_stops(manage):
    port = free_port()
    process = manage('--experimental', 'manage', '-H', f'127.0.0.1:{port}', '127.0.0.1:1')
    logs(process, 'the discovery lists nodes')
    socket.create_connection(('127.0.0.1', port), 5).close()
    log = stopped(process)
    assert f'msg=listening address="127.0.0.1:{port}" tls=off' in log
    assert 'discovery=nodes nodes=1' in log
    assert 'msg=stopping signal=SIGTERM' in log
    assert log.splitlines()[-1].endswith('msg=stopped')
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(('127.0.0.1', port), 5)


def test_stops_on_interrupt(manage):
    process = manage('manage', SWARM_HOST=f'127.0.0.1:{free_port()}', SWARM_DISCOVERY='127.0.0.1:1')
    logs(process, 'the discovery lists nodes')
    assert 'signal=SIGINT' in stopped(process, signal.SIGINT)


def test_logs_json(manage):
    process = manage('--log-format', 'json', 'manage', '-H', f'127.0.0.1:{free_port()}',
                     '127.0.0.1:1')
    logs(process, 'the discovery lists nodes')
    lines = [json.loads(line) for line in stopped(process).splitlines()]
    assert all({'time', 'level', 'msg'} <= line.keys() for line in lines)
    assert any(line['msg'] == 'the discovery lists nodes' and line['nodes'] == 1
               for line in lines)


def test_log_level(manage):
    process = manage('-l', 'fatal', 'manage', '-H', f'127.0.0.1:{(port := free_port())}',
                     '127.0.0.1:1')

    def answers():
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(('127.0.0.1', port), 5).close()
            return True

    host.wait_until(answers, 20, 'the manager listens')
    assert stopped(process) == ''


def test_usr1_logs_the_fibers(manage):
    process = manage('manage', '-H', f'127.0.0.1:{free_port()}', '127.0.0.1:1')
    logs(process, 'the discovery lists nodes')
    process.send_signal(signal.SIGUSR1)
    logs(process, 'idle connections')
    assert re.search(r'msg=fiber .*discovery(.*\n)+.*msg="idle connections" count=0',
                     stopped(process))


def test_taken_port_is_refused():
    port = free_port()
    with listening(socket.AF_INET, ('127.0.0.1', port)):
        line = refused('manage', '-H', f'tcp://127.0.0.1:{port}', '127.0.0.1:1')
    assert line == f'swarm manage: cannot listen on 127.0.0.1:{port}: Address already in use'


def test_unix_sockets(manage, tmp_path):
    path = str(tmp_path / 'swarm.sock')
    with listening(socket.AF_UNIX, path):
        line = refused('manage', '-H', f'unix://{path}', '127.0.0.1:1')
        assert line.startswith(f'swarm manage: cannot listen on {path}: ')

    # Nobody listens there any more, but it is still there: it is replaced.
    process = manage('manage', '-H', f'unix://{path}', '-H', f':{free_port()}', '127.0.0.1:1')
    logs(process, 'the discovery lists nodes')
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o660
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
    log = stopped(process)
    assert not os.path.exists(path)
    assert log.count('msg=listening') == 2
    assert 'whoever reaches this address is root on every node' in log


def test_follows_a_file(manage, tmp_path):
    nodes = tmp_path / 'nodes'
    nodes.write_text('127.0.0.1:1\n')
    process = manage('manage', '-H', f'127.0.0.1:{free_port()}', f'file://{nodes}')
    logs(process, 'discovery=file nodes=1')

    begin = time.monotonic()
    nodes.write_text('127.0.0.1:[1:3]\n')
    logs(process, 'discovery=file nodes=3')
    assert time.monotonic() - begin < 5    # the heartbeat is 60 s: it was the watch

    # It goes away: the nodes stay, which is logged once; then it is back.
    nodes.rename(tmp_path / 'away')
    logs(process, 'the discovery cannot be read; the nodes stay as they are')
    (tmp_path / 'new').write_text('127.0.0.1:1\n127.0.0.1:2\n')
    (tmp_path / 'new').rename(nodes)
    logs(process, 'discovery=file nodes=2')
    logs(process, 'the discovery can be read again')

    nodes.write_text('')
    logs(process, 'discovery=file nodes=0')
    assert stopped(process).count('cannot be read') == 1


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can become another user')
def test_becomes_another_user(manage):
    process = manage('manage', '--user', 'nobody', '-H', '127.0.0.1:0', '127.0.0.1:1')
    logs(process, 'the discovery lists nodes')
    with open(f'/proc/{process.pid}/status') as status:
        fields = dict(line.split(':', 1) for line in status)
    with open('/etc/passwd') as users:
        uid = next(line.split(':')[2] for line in users if line.startswith('nobody:'))
    assert set(fields['Uid'].split()) == {uid}
    assert int(fields['CapEff'], 16) == 0
    stopped(process)


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can become another user')
def test_another_user_must_be_able_to_read_the_keys(tmp_path):
    secret = tmp_path / 'key.pem'
    secret.write_text('')
    secret.chmod(0o600)
    line = refused('manage', '--user', 'nobody', '--tls', '--tlscert', str(secret), '--tlskey',
                   str(secret), '127.0.0.1:1')
    assert line == f'swarm manage: user "nobody" cannot read {secret}: Permission denied'
    certs = tmp_path / 'certs'
    make_certs(certs, 'manager=127.0.0.1')
    line = refused('manage', '--user', 'nobody', '--discovery-opt',
                   f'kv.cacertfile={certs}/ca.pem', 'etcd://127.0.0.1:1/x')
    assert line == f'swarm manage: user "nobody" cannot read {certs}/ca.pem: Permission denied'


@pytest.mark.parametrize('args, origin', [([], None), (['--api-enable-cors'], '*'),
                                          (['--cors'], '*')])
def test_other_sites_may_ask_where_they_are_let(tmp_path, args, origin):
    manager = Manager('127.0.0.1:1', str(tmp_path / 'log'), args)
    manager.start()
    try:
        for method in 'GET', 'OPTIONS':
            connection = http.client.HTTPConnection(manager.address, timeout=10)
            connection.request(method, '/containers/json')
            answer = connection.getresponse()
            connection.close()
            assert answer.status == 200
            assert answer.headers['Access-Control-Allow-Origin'] == origin
    finally:
        manager.finish()
