# SPDX-License-Identifier: Apache-2.0
"""What kv/kv.h promises, of each real store: test-kv asks, here the stores are started, and their
members killed."""

import os
import subprocess

import pytest

from lab import host
from lab.manager import binary
from lab.stores import Consul, Etcd, ZooKeeper


def asked(*args, timeout=120):
    """Runs test-kv; what it said, once it has passed."""
    program = os.path.join(os.path.dirname(binary()), 'test', 'kv', 'test-kv')
    done = subprocess.run([program, *args], capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(params=['etcd', 'etcd of three', 'consul', 'zookeeper'])
def store(request, tmp_path):
    made = {
        'etcd': lambda: Etcd(tmp_path),
        'etcd of three': lambda: Etcd(tmp_path, members=3),
        'consul': lambda: Consul(tmp_path),
        'zookeeper': lambda: ZooKeeper(tmp_path),
    }[request.param]()
    with made:
        yield made
        for log in made.logs:
            print(log, host.tail(log), sep='\n')


def test_a_store_keeps_its_promises(store):
    asked(store.uri('some/prefix'))


def test_a_member_that_is_dead_is_passed_over(tmp_path):
    """Whichever it is, the leader of the moment too."""
    with Etcd(tmp_path, members=3) as store:
        store.leader().kill()
        store.leader()
        asked(store.uri())


@pytest.mark.slow
def test_a_member_that_hangs_is_passed_over(tmp_path):
    with Etcd(tmp_path, members=3) as store:
        store.servers[0].pause()
        store.leader()
        asked(store.uri())
