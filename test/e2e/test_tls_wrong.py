# SPDX-License-Identifier: Apache-2.0
"""Every way to get TLS wrong, on every side that speaks it, each with the words that it is told in:
our own files, and those whom we ask."""

import contextlib
import re
import shutil
import ssl
import subprocess

import pytest

from lab import host, wait_until
from lab.manager import binary, free_port
from lab.stores import Etcd
from support import Process, running
from support.certs import kv_opts, make_certs, sign, store_opts, tls_flags, verified
from support.doubles import answering, engine_double
from support.several import info_rows


@pytest.fixture(scope='module')
def other(tmp_path_factory):
    """Certificates of another CA: client, manager."""
    return make_certs(tmp_path_factory.mktemp('other'), 'manager=127.0.0.1,localhost')


@pytest.fixture(scope='module')
def wrong(tmp_path_factory, other):
    """A folder of certificates of one CA, among them good ones (manager, node-1), and of files of
    which each has one fault."""
    folder = make_certs(tmp_path_factory.mktemp('wrong'), 'manager=127.0.0.1', 'node-1=127.0.0.1',
                        'manager-2=10.255.255.1')
    shutil.copytree(other / 'manager', folder / 'foreign')
    (folder / 'noise.pem').write_text('no certificate\n')
    host.run('openssl', 'pkcs8', '-topk8', '-in', folder / 'manager/key.pem',
             '-passout', 'pass:word', '-out', folder / 'locked-key.pem')
    for name, since, until in [('expired', '20200101000000Z', '20200102000000Z'),
                               ('early', '20460101000000Z', '20470101000000Z')]:
        sign(folder, folder, 'manager', name, since, until)
    return folder


GOOD = ('ca', 'manager/cert', 'manager/key')

# The file at fault among CA, certificate and key, and what is said of it.
FAULTS = [
    (('missing', *GOOD[1:]),
     'cannot read the certificate {}/missing.pem: No such file or directory'),
    (('ca', '.', 'manager/key'), 'cannot read the certificate {}/..pem: No such file'),
    (('noise', *GOOD[1:]), '{}/noise.pem holds no certificate in PEM form'),
    (('ca', 'noise', 'manager/key'), '{}/noise.pem holds no certificate in PEM form'),
    (('ca', 'manager/cert', 'noise'), '{}/noise.pem holds no private key in PEM form'),
    (('ca', 'manager/cert', 'locked-key'),
     'the key {}/locked-key.pem is protected by a passphrase'),
    (('ca', 'manager/cert', 'foreign/key'),
     'the key {}/foreign/key.pem does not belong to the certificate {}/manager/cert.pem'),
    (('ca', 'expired/cert', 'expired/key'),
     'the certificate {}/expired/cert.pem expired on Jan  2 00:00:00 2020 GMT'),
    (('ca', 'early/cert', 'early/key'),
     'the certificate {}/early/cert.pem is not valid before Jan  1 00:00:00 2046 GMT'),
    (('expired/cert', *GOOD[1:]), 'the certificate {}/expired/cert.pem expired'),
]
NO_CLIENT = (('ca', 'node-1/cert', 'node-1/key'), 'the certificate {}/node-1/cert.pem is not for '
             'use by a TLS client: its extendedKeyUsage lacks clientAuth')
NO_SERVER = (('ca', 'client/cert', 'client/key'), 'the certificate {}/client/cert.pem is not for '
             'use by a TLS server: its extendedKeyUsage lacks serverAuth')

CLUSTER = 'token://127.0.0.1:1/' + 32 * 'a'


def tls(*files):
    return ['--tlsverify', *tls_flags(*files)]


def engine_tls(*files):
    return tls_flags(*files, prefix='engine-tls')


# Each command and each set of files that it takes, and how it uses them.
TAKERS = {
    'manage': (['manage', '-H', '127.0.0.1:0'], tls, ['127.0.0.1:1'], (NO_CLIENT, NO_SERVER)),
    'manage, to engines': (['manage', '-H', '127.0.0.1:0'], engine_tls, ['127.0.0.1:1'],
                           (NO_CLIENT,)),
    'manage, to etcd': (['manage', '-H', '127.0.0.1:0'], kv_opts, ['etcd://127.0.0.1:1/x'],
                        (NO_CLIENT,)),
    'join': (['join', '--advertise', '127.0.0.1:1'], tls, [CLUSTER], (NO_CLIENT,)),
    'join, to consul': (['join', '--advertise', '127.0.0.1:1'], kv_opts, ['consul://127.0.0.1:1/x'],
                        (NO_CLIENT,)),
    'list': (['list'], tls, [CLUSTER], (NO_CLIENT,)),
    'list, from etcd': (['list'], kv_opts, ['etcd://127.0.0.1:1/x'], (NO_CLIENT,)),
    'create': (['create', '--service', '127.0.0.1:1'], tls, [], (NO_CLIENT,)),
    'discovery': (['discovery', '-H', '127.0.0.1:0'], tls, [], (NO_SERVER,)),
}


@pytest.mark.parametrize('taker', TAKERS)
def test_files_that_are_refused_at_the_start(wrong, tmp_path, taker):
    command, spelled, words, wants = TAKERS[taker]
    if command[0] in ('manage', 'discovery'):
        command = [*command, '--state-dir', tmp_path]
    if spelled is engine_tls:
        command = [*command, *verified(wrong / 'manager')]
    for files, says in [*FAULTS, *wants]:
        paths = [f'{wrong}/{file}.pem' for file in files]
        done = subprocess.run([binary(), *command, *spelled(*paths), *words],
                              capture_output=True, text=True, timeout=20)
        assert done.returncode == 1 and done.stderr.count('\n') == 1, (files, done)
        assert says.format(*[wrong] * 2) in done.stderr, (files, done.stderr)


def server_of(folder, verify=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / 'cert.pem', folder / 'key.pem')
    if verify:
        context.load_verify_locations(verify)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


# What is wrong with a server, and what its client says of it.
PEERS = {
    'manager-2': r'IP address mismatch \(CN=manager-2, issued by CN=Swarm CA, for IP '
              r'Address:10\.255\.255\.1\)',
    'expired': r'certificate has expired \(CN=expired',
    'early': r'certificate is not yet valid \(CN=early',
    'foreign': r'unable to get local issuer certificate \(CN=manager, issued by CN=Swarm CA',
    'plain': r'it does not speak TLS',
    # What it says may be lost, as it closes with our request unread.
    'distrusting': r'does not trust the CA of our certificate|may not take our certificate',
}


@pytest.fixture(scope='module')
def peers(wrong, other):
    """{name of PEERS: address}"""
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(answering(
            b'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n',
            None if name == 'plain' else
            server_of(wrong / 'node-1', other / 'ca.pem') if name == 'distrusting' else
            server_of(wrong / name))) for name in PEERS}


def test_engines_that_are_wrong(wrong, peers, tmp_path, cli):
    """Each node's Error line says which certificate and what is wrong with it, and the others do
    not suffer."""
    with running(','.join(peers.values()), tmp_path / 'log', verified(wrong / 'manager'),
                 str(wrong / 'client')) as manager:
        def shown():
            return manager.docker('info', cli=cli).ok().stdout

        wait_until(lambda: shown().count('Error: ') >= len(peers), 20, 'all show an error')
        sections = {section.split('\n')[0]: section for section in shown().split('(unknown): ')}
        for name, address in peers.items():
            assert re.search(PEERS[name], sections[address].split('UpdatedAt')[0]), sections[address]


ASKERS = {
    'list of a token': (['list'], verified, 'token://{}/' + 32 * 'a'),
    'list of etcd': (['list'], store_opts, 'etcd://{}/x'),
    'list of consul': (['list'], store_opts, 'consul://{}/x'),
    'create': (['create', '--service'], verified, '{}'),
}


@pytest.mark.parametrize('name', PEERS)
@pytest.mark.parametrize('asker', ASKERS)
def test_a_discovery_that_is_wrong(wrong, peers, asker, name):
    command, flags, where = ASKERS[asker]
    where = where.format(peers[name])
    words = [*command, where, *flags(wrong / 'manager')] if command[-1] == '--service' else \
        [*command, *flags(wrong / 'manager'), where]
    done = subprocess.run([binary(), *words], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and done.stderr.count('\n') == 1, done
    assert peers[name] in done.stderr and re.search(PEERS[name], done.stderr), done.stderr


@pytest.mark.parametrize('scheme, flags', [('token', verified), ('etcd', store_opts),
                                           ('consul', store_opts)])
def test_who_goes_on_says_what_is_wrong(wrong, peers, tmp_path, scheme, flags):
    """A join and a manager try again, and tell why."""
    ours = flags(wrong / 'manager')
    with contextlib.ExitStack() as stack:
        engine = stack.enter_context(engine_double())
        told = []
        for name, address in peers.items():
            uri = f'{scheme}://{address}/' + 32 * 'a'
            for command, says in [
                    (['join', '--advertise', engine], 'the discovery cannot be written'),
                    (['manage', '-H', f'127.0.0.1:{free_port()}', '--state-dir', tmp_path],
                     'the discovery cannot be read')]:
                log = tmp_path / f'{command[0]}-{name}.log'
                process = stack.enter_context(Process(log, *command, *ours, uri))
                told.append((process, f'{says}.*({PEERS[name]})'))
        for process, words in told:
            process.expect(words)
        for process, _ in told:
            assert process.stop() == 0


@pytest.mark.parametrize('name, says', [
    ('manager-2', PEERS['manager-2']), ('plain', PEERS['plain']),
    # A manager shows its CA too.
    ('foreign', r'self-signed certificate in certificate chain \(CN=Swarm CA, ')])
def test_a_primary_that_is_wrong(wrong, tmp_path, name, says):
    """The clients of its replica are told, and the operator of the replica."""
    address = f'127.0.0.1:{free_port()}'
    theirs = [] if name == 'plain' else verified(wrong / name)
    with Etcd(tmp_path / 'etcd') as store, \
            Process(tmp_path / 'primary', 'manage', '-H', address, '--replication',
                    '--advertise', address, *theirs, store.uri('x')) as primary:
        primary.expect('this manager is the primary')
        with running(store.uri('x'), tmp_path / 'log', [
                '--replication', '--advertise', f'127.0.0.1:{free_port()}',
                *verified(wrong / 'manager')], str(wrong / 'client')) as replica:
            wait_until(lambda: info_rows(replica).get('Primary') == address, 20, 'it knows')
            done = replica.docker('ps')
            assert done.code == 1
            assert re.search(f'primary manager: .*{address}: {says}', done.stderr), done
            assert replica.logged(says)
        assert primary.stop() == 0
