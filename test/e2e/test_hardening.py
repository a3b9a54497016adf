# SPDX-License-Identifier: Apache-2.0
"""What keeps a fault in the manager from becoming one of the machine: how the program is built, the
restrictions that it runs under, and what never gets into its log."""

import base64
import configparser
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

import pytest

from lab import engine, wait_until
from lab.manager import REPOSITORY, binary, free_port
from support import Side, Wire, message_of
from support.certs import make_certs, verified


def readelf(what):
    return subprocess.run(['readelf', '--wide', what, binary()], capture_output=True, text=True,
                          check=True, timeout=20).stdout


def test_how_it_is_linked_and_compiled():
    assert re.search(r'Type:\s+DYN \(Position-Independent Executable', readelf('--file-header'))
    segments = readelf('--segments')
    assert 'GNU_RELRO' in segments
    stack = re.search(r'GNU_STACK.*', segments).group()
    assert ' RW ' in stack and 'E' not in stack.split()[-2], stack
    assert not re.search(r'LOAD.* RWE ', segments), segments
    dynamic = readelf('--dynamic')
    assert 'BIND_NOW' in dynamic, dynamic
    assert not re.search('RPATH|RUNPATH|TEXTREL', dynamic), dynamic
    symbols = readelf('--dyn-syms')
    if '__asan_init' not in readelf('--symbols'):
        assert '__stack_chk_fail' in symbols
        assert {'__snprintf_chk', '__memcpy_chk'} <= set(re.findall(r'__\w+_chk', symbols))


def unit(name):
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str
    with open(os.path.join(REPOSITORY, 'systemd', name)) as file:
        parser.read_file(file)
    return parser


def test_units(tmp_path):
    service = unit('swarm.service')['Service']
    for name in ('NoNewPrivileges', 'ProtectHome', 'PrivateTmp', 'PrivateDevices',
                 'MemoryDenyWriteExecute', 'RestrictNamespaces', 'LockPersonality'):
        assert service[name] == 'yes', name
    assert service['ProtectSystem'] == 'strict' and service['CapabilityBoundingSet'] == ''
    assert '-H fd://' in service['ExecStart'] and 'HUP' in service['ExecReload']
    assert unit('swarm.socket')['Socket']['ListenStream'] == '3376'
    # What its comment tells to add is to be as a socket of the manager's own.
    with open(os.path.join(REPOSITORY, 'systemd', 'swarm.socket')) as file:
        assert 'SocketMode=0660' in file.read()
    analyze = shutil.which('systemd-analyze')
    if not analyze:
        return
    for name in ('swarm.service', 'swarm.socket'):
        with open(os.path.join(REPOSITORY, 'systemd', name)) as file:
            (tmp_path / name).write_text(file.read().replace('/usr/bin/swarm', '/bin/true')
                                         .replace('man:swarm(1)', 'https://swarm.example'))
    done = subprocess.run([analyze, 'verify', str(tmp_path / 'swarm.service')],
                          capture_output=True, text=True, timeout=60)
    told = [line for line in done.stderr.splitlines() if line.startswith('swarm.')
            or str(tmp_path) in line]
    assert not told, told


# As the service manager starts it: a socket as descriptor 3, no memory that is written and then
# run (prctl 65), no new privileges, no capabilities.
LAUNCHER = '''
import ctypes, os, sys
number = int(sys.argv[1])
os.dup2(number, 3)
os.set_inheritable(3, True)
libc = ctypes.CDLL(None, use_errno=True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1')
if libc.prctl(65, 1, 0, 0, 0) != 0:
    print('no PR_SET_MDWE', file=sys.stderr)
os.execvp(sys.argv[2], sys.argv[2:])
'''


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can become another user')
def test_as_the_unit_runs_it(lab, tmp_path):
    """Socket activation, without privileges, without code made at run time: expressions too."""
    with tempfile.TemporaryDirectory() as folder, \
            socket.create_server(('127.0.0.1', 0)) as listening, \
            open(tmp_path / 'log', 'w') as log:
        os.chmod(folder, 0o755)
        program = shutil.copy(binary(), folder)
        process = subprocess.Popen(
            ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', '--no-new-privs',
             '--bounding-set=-all', '--inh-caps=-all', sys.executable, '-c', LAUNCHER,
             str(listening.fileno()), program, 'manage', '-H', 'fd://',
             ','.join(lab.addresses)],
            pass_fds=[listening.fileno()], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        side = Side('pool', '127.0.0.1:{}'.format(listening.getsockname()[1]), lab, None)
        try:
            def healthy():
                return str(side.http('GET', '/info').json()['SystemStatus']).count('Healthy') == 3

            wait_until(healthy, 30, 'all nodes are healthy')
            reply = side.http('POST', '/placement', {'Image': 'busybox', 'Env': [
                'constraint:node==/^node-[2]$/']})
            assert reply.status == 200 and 'node-2' in reply.body.decode(), reply
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0
        finally:
            process.kill()
            process.wait()


def passed(listening, log, *arguments):
    """A manager with a socket that was passed to it."""
    return subprocess.Popen(
        [sys.executable, '-c', LAUNCHER, str(listening.fileno()), binary(), 'manage', '-H', 'fd://',
         *arguments],
        pass_fds=[listening.fileno()], stdin=subprocess.DEVNULL, stdout=log, stderr=log)


@pytest.mark.parametrize('kind', ['unix', 'loopback', 'everywhere', 'verified'])
def test_a_passed_socket_is_what_it_is(tmp_path, kind):
    """TLS is not for a unix socket, whoever made it; and what anybody can reach is warned of."""
    certs = make_certs(tmp_path / 'certs', 'manager=127.0.0.1')
    if kind == 'unix':
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(tmp_path / 'socket'))
        listening.listen()
    else:
        listening = socket.create_server(('127.0.0.1' if kind == 'loopback' else '0.0.0.0', 0))
    flags = verified(certs / 'manager') if kind in ('unix', 'verified') else []
    with listening, open(tmp_path / 'log', 'w') as log:
        process = passed(listening, log, *flags, '127.0.0.1:1')
        try:
            wait_until(lambda: 'msg=listening' in (tmp_path / 'log').read_text(), 20, 'it listens')
            if kind == 'unix':
                with socket.socket(socket.AF_UNIX) as client:
                    client.settimeout(20)
                    client.connect(str(tmp_path / 'socket'))
                    client.sendall(b'GET /_ping HTTP/1.0\r\n\r\n')
                    assert client.recv(100).startswith(b'HTTP/1.1 200 OK')
        finally:
            process.terminate()
            assert process.wait(15) == 0
        at = str(tmp_path / 'socket') if kind == 'unix' else '{}:{}'.format(
            *listening.getsockname())
    told = (tmp_path / 'log').read_text()
    tls = 'verify' if kind == 'verified' else 'off'
    assert re.search(f'msg=listening address="?{re.escape(at)}"? tls={tls}', told), told
    assert ('whoever reaches this address' in told) == (kind == 'everywhere'), told


def test_nodes_join_at_a_passed_socket(tmp_path):
    """A manager with a cluster of its own tells where that is reached, which no flag says."""
    told = tmp_path / 'log'
    with socket.create_server(('127.0.0.1', 0)) as listening, open(told, 'w') as log:
        process = passed(listening, log, '--state-dir', str(tmp_path / 'state'))
        try:
            wait_until(lambda: 'Use it:' in told.read_text(), 20, 'it tells how it is used')
        finally:
            process.terminate()
            assert process.wait(15) == 0
        at = '{}:{}'.format(*listening.getsockname())
    assert re.search(f'^Add a node: .* token://{at}/[0-9a-f]+$', told.read_text(), re.M)
    assert f'DOCKER_HOST=tcp://{at}\n' in told.read_text()


def malformed(secret):
    """Requests that no handler gets to see, with a secret where they are wrong or right beside."""
    rest = ' HTTP/1.1\r\nHost: x\r\n'
    return [text.encode() for text in (
        f'GET /info{rest}X-Registry-Auth: {secret}\r\n {secret}\r\n\r\n',
        f'GET /info{rest}X-Registry-Auth: {secret}\n{secret}\r\n\r\n',
        f'GET /info{rest}X-Registry-Auth: {secret}\x01\r\n\r\n',
        f'GET /info{rest}X-Registry-Auth: x\r\n{secret}\r\n\r\n',
        f'GET /info{rest}A b{secret}: c\r\n\r\n',
        f'GET /info HTTP/1.1\r\nHost: u:{secret}@x\r\n\r\n',
        f'GET /v1/clusters/{secret} x{rest}\r\n',
        f'GET x /v1/clusters/{secret}\r\n\r\n',
        f'GET /v1/clusters/{secret}#{rest}\r\n',
        f'POST /build?buildargs={{"P":"{secret}"}};x{rest}\r\n',
        f'POST /build?buildargs=%zz{secret}{rest}\r\n',
        f'{{"password":"{secret}"}}GET /info{rest}\r\n')]


def send_malformed(address, secret):
    """Each is refused, and its answer shows nothing of the secret either."""
    for data in malformed(secret):
        with Wire(address) as wire:
            wire.send(data)
            status, _, body = wire.reply()
            assert status == 400 and secret.encode() not in body, (data, status, body)


def test_secrets_stay_out_of_the_log(lab, start_manager):
    """Credentials, values of environments and tokens: not with --debug, not in errors."""
    manager = start_manager('--debug')
    side = Side('pool', manager.address, lab, None)
    secret = 'sw0rdf1sh'
    auth = base64.urlsafe_b64encode(json.dumps(
        {'username': 'u', 'password': secret, 'serveraddress': lab.registry}).encode()).decode()
    headers = {'X-Registry-Auth': auth, 'X-Registry-Config': auth, 'Authorization': auth}
    told = []

    def ask(method, path, body=None, more=None):
        reply = side.http(method, path, body, {**headers, **(more or {})})
        told.append(reply.body.decode(errors='replace'))
        return reply

    try:
        body = {'Image': 'busybox', 'Cmd': ['true'], 'Env': [f'PASSWORD={secret}'],
                'Labels': {'password': secret}}
        made = ask('POST', '/containers/create?name=secretive', body).json()['Id']
        told.clear()
        ask('POST', f'/containers/{made}/start')
        ask('POST', '/containers/create?name=secretive', body)
        ask('POST', '/containers/create', {**body, 'Image': 'nosuch/image'})
        ask('POST', '/containers/create', {**body, 'Image': f'{lab.registry}/nosuch'})
        ask('POST', '/containers/create', {**body, 'Env': body['Env'] + ['constraint:no==node']})
        ask('POST', '/containers/create', {**body, 'HostConfig': {'Memory': 'x'}})
        ask('POST', '/placement', body)
        ask('POST', f'/images/create?fromImage={lab.registry}/nosuch&tag=1')
        ask('POST', f'/images/{lab.registry}/nosuch/push?tag=1')
        ask('POST', '/auth', {'username': 'u', 'password': secret,
                              'serveraddress': lab.registry})
        ask('POST', f'/containers/{made}/exec', {'Cmd': ['true'], 'Env': [f'P={secret}']})
        ask('POST', f'/build?buildargs=%7B%22P%22:%22{secret}%22%7D', b'no archive',
            {'Content-Type': 'application/x-tar'})
        ask('POST', '/containers/create', (json.dumps(body)[:-1]).encode(),
            {'Content-Type': 'application/json'})
        ask('GET', f'/containers/json?filters={secret}')
        send_malformed(manager.address, secret)
    finally:
        side.http('DELETE', '/containers/secretive?force=1')
    # What a client itself wrote into a parameter may be told to it; the log is for others.
    assert not [text for text in told[:-1] if secret in text or auth in text]
    assert manager.logged('msg=request') and not manager.logged(f'{secret}|{re.escape(auth)}')


def test_tokens_stay_out_of_the_log(tmp_path):
    """A manager's own token service; it prints its cluster's token once, which is what it is for."""
    address = f'127.0.0.1:{free_port()}'
    with open(tmp_path / 'log', 'w') as log:
        process = subprocess.Popen([binary(), '--debug', 'manage', '-H', address, '--state-dir',
                                    str(tmp_path / 'state')],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)

    def ask(method, path, body=None):
        status, answer = engine.request(address, method, path, body)
        return status, answer.decode()

    try:
        wait_until(lambda: engine.answers(address), 20, 'the manager answers')
        status, answer = ask('POST', '/v1/clusters')
        token = re.search('[0-9a-f]{32}', answer).group()
        assert status < 300
        assert ask('POST', f'/v1/clusters/{token}?ttl=60', b'127.0.0.1:1')[0] < 300
        assert ask('GET', f'/v1/clusters/{token}')[0] == 200
        assert ask('POST', f'/v1/clusters/{token}?ttl=60', b'nonsense')[0] == 400
        assert ask('GET', f'/v1/clusters/{token}/more')[0] == 400
        assert ask('DELETE', f'/v1/clusters/{token[::-1]}')[0] == 404
        send_malformed(address, token)
    finally:
        process.terminate()
        assert process.wait(15) == 0
    told = (tmp_path / 'log').read_text()
    assert 'path=/v1/clusters' in told and 'request refused' in told
    assert token not in told and token[::-1] not in told


def post(path, body, *headers):
    return '\r\n'.join([f'POST {path} HTTP/1.1', 'Host: x', 'Content-Type: application/json',
                        *(headers or [f'Content-Length: {len(body)}']), '', body]).encode()


def create(**config):
    return post('/containers/create', json.dumps({'Image': 'busybox', **config}))


def test_what_is_over_a_limit_is_told(lab, start_manager):
    """To the client by a status and a message, and to the operator by a line of the log."""
    manager = start_manager('--limit', 'requests=1', discovery='127.0.0.1:1', healthy=0)
    side = Side('pool', manager.address, lab, None)
    rest, chunked = b' HTTP/1.1\r\nHost: x\r\n\r\n', 'Transfer-Encoding: chunked'
    keys = ','.join(f'%22k{number}%22:[%22x%22]' for number in range(65))
    cases = [
        (431, 'head of more than', b'GET / HTTP/1.1\r\nHost: x\r\nA: ' + b'x' * (257 << 10)),
        (431, 'target of more than', b'GET /' + b'x' * (129 << 10) + rest),
        (431, 'more than 256 headers', b'GET /' + rest[:-2] + b'A: b\r\n' * 256 + b'\r\n'),
        (400, 'query parameters', b'GET /info?' + b'a&' * 1025 + rest),
        (400, 'chunk size line of', post('/containers/create', f'1;{"a" * 5000}', chunked)),
        (400, 'trailer of more', post('/containers/create', f'0\r\nA: {"a" * 20000}', chunked)),
        (413, 'request body of more', post('/containers/create', '', 'Content-Length: 16777217')),
        (400, 'nested deeper', post('/containers/create', '{"Image":' + '[' * 129)),
        (400, 'items in Binds', create(HostConfig={'Binds': ['/a:/b'] * 4097})),
        (400, 'items in DeviceRequests', create(HostConfig={'DeviceRequests': [{}] * 257})),
        (400, 'expressions constraint:',
         create(Env=[f'constraint:node!=n{number}' for number in range(257)])),
        (400, 'longer than 1024', create(Env=[f'constraint:node==/{"x" * 1025}/'])),
        (400, 'more than 64 keys', f'GET /containers/json?filters=%7B{keys}%7D'.encode() + rest)]
    for status, words, data in cases:
        with side.wire() as wire:
            wire.send(data)
            found, headers, body = wire.reply()
            assert found == status and words in message_of(headers, body), (words, found, body)
        told = rf'(over a limit|refused).* status={status} error=.*{re.escape(words)}'
        wait_until(lambda: manager.logged(told), 10, f'the log says {told}')
    with side.wire() as busy:
        busy.request('GET', '/events')
        busy.head()
        assert side.http('GET', '/info').status == 429
    assert manager.logged('over a limit.*status=429')
