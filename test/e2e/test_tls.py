# SPDX-License-Identifier: Apache-2.0
"""TLS from the command line through the manager to real engines that verify: streams, renewal,
resumption, and clients that are turned away."""

import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time

import pytest

from lab import host, wait_until
from lab.engine import settings
from support import Background, emptied, running
from support.certs import files_of, make_certs, sign, tls_flags, verified


@pytest.fixture(scope='module')
def secure(tls_lab, tmp_path_factory):
    """A manager that verifies its clients, over engines that verify theirs."""
    folder = tls_lab.path('certs')
    with running(','.join(tls_lab.addresses), tmp_path_factory.mktemp('tls') / 'log',
                 verified(f'{folder}/manager'), f'{folder}/client',
                 healthy=2) as manager:
        yield manager
        emptied(tls_lab, manager)


@pytest.fixture(scope='module')
def other(tmp_path_factory):
    """Certificates of another CA: client, manager."""
    return make_certs(str(tmp_path_factory.mktemp('other')), 'manager=127.0.0.1,localhost')


@pytest.mark.every_cli
def test_a_pool_over_tls(secure, cli):
    def docker(*args, **options):
        return secure.docker(*args, cli=cli, **options)

    env = {'DOCKER_TLS_VERIFY': '1', 'DOCKER_CERT_PATH': secure.certs}
    assert 'Nodes: 2' in docker('info').ok().stdout
    # The end of its input is one direction's end; the answer comes after it.
    assert docker('run', '--rm', '-i', 'busybox', 'md5sum', input='hello').ok().stdout == \
        '5d41402abc4b2a76b9719d911017c592  -\n'
    docker('run', '-d', '--name', 'box', 'busybox', 'sh', '-c',
           'while :; do echo tick; sleep 0.1; done').ok()
    try:
        large = os.urandom(300000)
        assert docker('exec', '-i', 'box', 'cat', input=large, binary=True).ok().stdout == large
        assert docker('exec', 'box', 'sh', '-c', 'echo to stderr >&2; exit 4').code == 4
        with Background(secure.address, cli, ['logs', '-f', 'box'], env=env) as logs, \
                Background(secure.address, cli, ['attach', '--no-stdin', 'box'],
                           env=env) as attached:
            logs.expect('tick')
            attached.expect('tick')
            docker('kill', 'box').ok()
            assert logs.wait() == 0 and attached.wait() == 137
    finally:
        docker('rm', '-f', 'box')


def test_compose_over_tls(secure, tmp_path):
    compose = shutil.which('docker-compose', path=host.PATH)
    if not compose:
        pytest.skip('no docker-compose is installed')
    (tmp_path / 'docker-compose.yml').write_text(
        'version: "2.4"\nservices:\n  one:\n    image: busybox\n    network_mode: none\n'
        '    command: sh -c "echo composed; sleep 100"\n    stop_signal: KILL\n')
    env = {'PATH': host.PATH, 'DOCKER_HOST': f'tcp://{secure.address}', 'HOME': str(tmp_path),
           'DOCKER_TLS_VERIFY': '1', 'DOCKER_CERT_PATH': secure.certs}

    def run(*args):
        done = subprocess.run([compose, *args], cwd=tmp_path, env=env, capture_output=True,
                              text=True, timeout=120, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done
        return done.stdout

    try:
        run('up', '-d')
        wait_until(lambda: 'composed' in run('logs'), 20, 'the service logs')
    finally:
        run('down')


def handshake(address, cafile=None, certs=None, maximum=None):
    """Connects; returns the server's certificate (DER). ssl.SSLError where TLS fails."""
    context = ssl.create_default_context(cafile=cafile)
    if not cafile:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certs:
        context.load_cert_chain(f'{certs}/cert.pem', f'{certs}/key.pem')
    if maximum:
        context.set_ciphers('ALL:@SECLEVEL=0')
        context.minimum_version = context.maximum_version = maximum
    name, port = address.split(':')
    with socket.create_connection((name, int(port)), timeout=20) as plain, \
            context.wrap_socket(plain, server_hostname=name) as wire:
        # Under TLS 1.3 only an answer tells that our certificate was taken.
        wire.sendall(b'GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
        assert wire.recv(100).startswith(b'HTTP/1.1 200')
        return wire.getpeercert(binary_form=True)


@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_clients_that_are_turned_away(secure, other, tls_lab, cli):
    """Each is told why, and so is the operator."""
    ours = f'{secure.certs}/ca.pem'
    plain = secure.docker('version', cli=cli, certs=None)
    assert plain.code and 'HTTP request to an HTTPS server' in plain.stderr, plain
    foreign = secure.docker('version', cli=cli, certs=f'{other}/client')
    assert foreign.code and 'unknown authority' in foreign.stderr, foreign
    for certs, reason, logged in [
            (None, 'certificate required', 'it shows no certificate'),
            (f'{other}/client', 'unknown ca', 'unable to get local issuer certificate .CN=client, '
             'issued by CN=Swarm CA'),
            (tls_lab.path('certs/node-1'), 'unsupported certificate|bad certificate',
             'unsuitable certificate purpose')]:
        with pytest.raises(ssl.SSLError, match=reason.replace(' ', '.')):
            handshake(secure.address, ours, certs)
        wait_until(lambda: secure.logged(f'no TLS with a client.*{logged}'), 10, logged)
    with pytest.raises((ssl.SSLError, OSError)):
        handshake(secure.address, ours, secure.certs, ssl.TLSVersion.TLSv1_1)
    assert handshake(secure.address, ours, secure.certs)
    assert handshake(secure.address, ours, secure.certs, ssl.TLSVersion.TLSv1_2)


def test_tls_on_a_plain_address(tmp_path, cli, other):
    with running('127.0.0.1:1', tmp_path / 'log', [], None) as manager:
        done = manager.docker('version', cli=cli, certs=f'{other}/client')
        assert done.code and 'server gave HTTP response to HTTPS client' in done.stderr, done
        assert manager.logged('TLS came where plain HTTP is spoken')


def test_certificates_are_renewed(tls_lab, tmp_path, cli):
    """By SIGHUP: new connections see the new one, and streams that are open go on. A faulty file is
    told, and changes nothing."""
    certs = str(tmp_path / 'certs')
    shutil.copytree(tls_lab.path('certs'), certs)
    ours = f'{certs}/manager'
    env = {'DOCKER_TLS_VERIFY': '1', 'DOCKER_CERT_PATH': f'{certs}/client'}
    with running(','.join(tls_lab.addresses), tmp_path / 'log', verified(ours),
                 f'{certs}/client', healthy=2) as manager:
        def shown():
            return handshake(manager.address, f'{certs}/ca.pem', f'{certs}/client')

        with Background(manager.address, cli, ['run', '--rm', '-i', 'busybox', 'cat'],
                        env=env) as talk:
            talk.send('before\n')
            talk.expect('before')
            first = shown()
            make_certs(certs, 'manager=127.0.0.1,localhost')
            assert shown() == first
            manager.process.send_signal(signal.SIGHUP)
            wait_until(lambda: shown() != first, 10, 'new connections see the new certificate')
            second = shown()
            with open(f'{ours}/key.pem', 'w') as file:
                file.write('nonsense\n')
            manager.process.send_signal(signal.SIGHUP)
            wait_until(lambda: manager.logged(f'{ours}/key.pem holds no private key in PEM form'),
                       10, 'the faulty key is told')
            assert shown() == second
            talk.send('after\n')
            talk.expect('after')
            talk.end_input()
            assert talk.wait() == 0
        assert len(manager.statuses('Healthy')) == 2


def visit(manager, context, session):
    """A client comes with what is left of its last visit: (was that taken, what is left of this)."""
    with socket.create_connection(manager.address.split(':'), timeout=20) as plain, \
            context.wrap_socket(plain, server_hostname='127.0.0.1', session=session) as wire:
        wire.sendall(b'GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n')
        answer = wire.recv(12)
        assert answer in (b'HTTP/1.1 200', b''), answer
        if not answer:
            raise ConnectionError('no answer')
        return wire.session_reused, wire.session


VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def settings_of(folder, version):
    made = settings(folder)
    made.minimum_version = made.maximum_version = version
    return made


def test_a_session_is_resumed(tmp_path):
    """A client that comes again pays for no second handshake, under mutual TLS too; not once the
    certificates were read again."""
    certs = make_certs(str(tmp_path / 'certs'), 'manager=127.0.0.1')
    with running('127.0.0.1:1', tmp_path / 'log', verified(f'{certs}/manager'),
                 f'{certs}/client') as manager:
        for version in VERSIONS:
            context = settings_of(f'{certs}/client', version)
            reused, session = visit(manager, context, None)
            assert not reused
            reused, session = visit(manager, context, session)
            assert reused, version
            manager.process.send_signal(signal.SIGHUP)
            wait_until(lambda: not visit(manager, context, session)[0], 20,
                       'the old session is no longer taken')


def test_nobody_negotiates_anew(tmp_path):
    """A handshake inside a connection costs the manager more than the client: it is refused."""
    certs = make_certs(str(tmp_path / 'certs'), 'manager=127.0.0.1')
    with running('127.0.0.1:1', tmp_path / 'log', verified(f'{certs}/manager'),
                 f'{certs}/client') as manager:
        files = [f'{certs}/client/{name}.pem' for name in ('ca', 'cert', 'key')]
        client = subprocess.run(
            ['openssl', 's_client', '-tls1_2', '-connect', manager.address, '-CAfile', files[0],
             '-cert', files[1], '-key', files[2]],
            input='R\n', capture_output=True, text=True, timeout=60)
        assert 'RENEGOTIATING' in client.stdout + client.stderr
        assert ':no renegotiation:' in client.stderr
        reused, _ = visit(manager, settings_of(f'{certs}/client', VERSIONS[0]), None)
        assert not reused


def test_no_session_outlives_its_authority(tmp_path, other):
    """Once clients of another CA are wanted, those of the old one have no way in."""
    certs = make_certs(str(tmp_path / 'certs'), 'manager=127.0.0.1')
    with running('127.0.0.1:1', tmp_path / 'log', verified(f'{certs}/manager'),
                 f'{certs}/client') as manager:
        left = []
        for version in VERSIONS:
            context = settings_of(f'{certs}/client', version)
            left.append((context, visit(manager, context, visit(manager, context, None)[1])[1]))
        shutil.copy(f'{other}/manager/ca.pem', f'{certs}/manager/ca.pem')
        manager.process.send_signal(signal.SIGHUP)
        wait_until(lambda: manager.logged('certificates are read again'), 20, 'the files were read again')
        for context, session in left:
            with pytest.raises(OSError):
                visit(manager, context, session)
        wait_until(lambda: len(manager.logged('no TLS with a client')) == len(left), 20,
                   'each refusal is logged')


def test_no_session_outlives_its_certificate(tmp_path):
    """A client whose certificate has expired is refused, though its last visit was well."""
    certs = make_certs(str(tmp_path / 'certs'), 'manager=127.0.0.1')
    with running('127.0.0.1:1', tmp_path / 'log', verified(f'{certs}/manager'),
                 f'{certs}/client') as manager:
        left, life = [], 4
        while not left:
            # Where the visits take longer than the certificate lives, the next one lives longer.
            end = int(time.time()) + life
            brief = sign(tmp_path, certs, 'client', 'brief', '20200101000000Z',
                         time.strftime('%Y%m%d%H%M%SZ', time.gmtime(end)))
            shutil.copy(brief / 'cert.pem', f'{certs}/client/cert.pem')
            visits = []
            with contextlib.suppress(OSError):
                for version in VERSIONS:
                    context = settings_of(f'{certs}/client', version)
                    reused, session = visit(manager, context,
                                            visit(manager, context, None)[1])
                    visits.append((context, session, reused))
            if time.time() < end:
                left = visits
            life *= 2
        assert [reused for _, _, reused in left] == [True, True]
        wait_until(lambda: time.time() > end + 1, life, 'it expires')
        for context, session, _ in left:
            with pytest.raises(OSError):
                visit(manager, context, session)
        assert manager.logged('expired')


def test_other_files_towards_the_engines(tls_lab, tmp_path, other, cli):
    with running(','.join(tls_lab.addresses), tmp_path / 'log',
                 [*verified(f'{other}/manager'),
                  *tls_flags(*files_of(tls_lab.path('certs/manager')), prefix='engine-tls')],
                 f'{other}/client', healthy=2) as manager:
        assert manager.docker('run', '--rm', 'busybox', 'echo', 'yes', cli=cli).ok().stdout == \
            'yes\n'


def test_encrypted_and_nobody_verified(tls_lab, tmp_path):
    """--tls alone."""
    certs = tls_lab.path('certs')
    with running(','.join(tls_lab.addresses), tmp_path / 'log',
                 ['--tls', *tls_flags(*files_of(f'{certs}/manager'))], f'{certs}/client',
                 healthy=2) as manager:
        assert handshake(manager.address)


def test_a_plain_manager_and_engines_with_tls(tls_lab, tmp_path):
    with running(','.join(tls_lab.addresses), tmp_path / 'log', [], None) as manager:
        wait_until(lambda: manager.logged('node is pending.*an HTTP request to an HTTPS server'),
                   20, 'the node says that it speaks TLS')
