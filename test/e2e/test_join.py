# SPDX-License-Identifier: Apache-2.0
"""swarm join beside a real engine: what it does when the engine or the discovery is away."""

import contextlib
import re
import signal

import pytest

from lab import LabError, wait_until
from lab.manager import free_port
from lab.stores import Etcd
from support import Process, swarm

BRISK = ['--heartbeat', '1s', '--ttl', '3s']


@pytest.fixture
def run(tmp_path):
    with contextlib.ExitStack() as stack:
        names = iter(range(1000))

        def start(*args, **options):
            log = tmp_path / f'{next(names)}-{args[0]}.log'
            return stack.enter_context(Process(log, *args, **options))

        yield start


@pytest.fixture
def serve(run, tmp_path):
    """serve(): starts a token service, the same one again after it was ended."""
    address = f'127.0.0.1:{free_port()}'

    def start():
        service = run('discovery', '-H', address, '--state-dir', tmp_path / 'state')
        service.expect('msg=listening')
        return service

    start.address = address
    return start


def cluster_of(serve):
    return f'token://{serve.address}/{swarm("create", "--service", serve.address).strip()}'


@pytest.fixture(params=['token', 'etcd'])
def discovery(request, tmp_path):
    """The URI of an empty discovery that takes registrations."""
    if request.param == 'etcd':
        with Etcd(tmp_path) as store:
            yield store.uri('pool')
        return
    serve = request.getfixturevalue('serve')
    serve()
    yield cluster_of(serve)


def wait_listed(uri, *expected, timeout=30):
    wait_until(lambda: swarm('list', uri).split() == sorted(expected), timeout,
               f'{uri} lists {expected}')


def test_it_renews_only_while_the_engine_answers(fresh_lab, discovery, run):
    node = fresh_lab.node(2)
    join = run('join', '--advertise', node.address, *BRISK, discovery)
    join.expect('msg=registered')
    wait_listed(discovery, node.address)

    node.stop()
    join.expect('the engine does not answer; its entry is not renewed')
    wait_listed(discovery)
    assert 'the engine answers again' not in join.text
    node.start()
    join.expect('the engine answers again')
    wait_listed(discovery, node.address)

    assert join.stop(signal.SIGINT) == 0
    assert swarm('list', discovery) == ''
    assert join.text.splitlines()[-1].endswith('msg="the entry is removed"')


def test_a_crash_leaves_the_entry_for_its_ttl(lab, discovery, run):
    join = run('join', '--advertise', lab.node(1).address, *BRISK, discovery)
    join.expect('msg=registered')
    join.kill()
    assert swarm('list', discovery).split() == [lab.node(1).address]
    wait_listed(discovery)


def test_it_waits_for_an_engine(serve, run):
    serve()
    uri = cluster_of(serve)
    port = free_port()
    join = run('join', '--advertise', f'127.0.0.1:{port}', *BRISK, uri)
    join.expect('the engine does not answer; it is not registered yet.*Connection refused')
    assert swarm('list', uri) == ''
    assert join.stop() == 0
    assert 'the entry' not in join.text, 'there was none'


def test_it_waits_for_the_discovery(lab, serve, run):
    service = serve()
    uri = cluster_of(serve)
    service.kill()
    join = run('join', '--advertise', lab.node(1).address, '--heartbeat', '2s', '--ttl', '10s', uri)
    join.expect('the discovery cannot be written; trying again.*Connection refused')
    serve()
    join.expect('msg=registered')
    assert swarm('list', uri).split() == [lab.node(1).address]


def test_it_outlives_the_service(lab, serve, run):
    """A service that was killed has all its nodes again when it is back."""
    service = serve()
    uri = cluster_of(serve)
    join = run('join', '--advertise', lab.node(1).address, *BRISK, uri)
    join.expect('msg=registered')
    service.kill()
    join.expect('the discovery cannot be written')
    serve()
    assert swarm('list', uri).split() == [lab.node(1).address]
    join.expect('msg="registered again"')


def test_an_engine_that_speaks_tls(tls_lab, serve, run):
    """It answers, with or without a certificate to show: what is wrong is for managers to say."""
    serve()
    node = tls_lab.node(1)
    run('join', '--advertise', node.address, *BRISK, cluster_of(serve)).expect('msg=registered')
    node.stop()
    try:
        join = run('join', '--advertise', node.address, *BRISK, cluster_of(serve))
        join.expect('the engine does not answer; it is not registered yet')
    finally:
        node.start()
    join.expect('msg=registered')
    join.process.send_signal(signal.SIGHUP)
    join.expect('no certificates to read again: TLS is off')
    assert join.stop() == 0


def test_a_cluster_that_is_not(lab, serve):
    serve()
    nobody = f'token://{serve.address}/{32 * "0"}'
    for args in (['join', '--advertise', lab.node(1).address, nobody], ['list', nobody]):
        with pytest.raises(LabError, match=f'the token service: {re.escape(serve.address)}: there '
                                           'is no cluster with this id'):
            swarm(*args)


def test_a_delay(lab, serve, run):
    serve()
    uri = cluster_of(serve)
    join = run('join', '--advertise', lab.node(1).address, '--delay', '10m', uri)
    join.expect('msg="swarm join"')
    assert join.stop() == 0
    assert 'msg=registered' not in join.text
    run('join', '--advertise', lab.node(1).address, '--delay', '1ms', uri).expect('msg=registered')
