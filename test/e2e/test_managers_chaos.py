# SPDX-License-Identifier: Apache-2.0
"""Several managers under chaos on purpose: killed, stopped in the middle, their store's members
killed, the store away. What a client was answered holds, and no name exists twice."""

import collections
import concurrent.futures
import http.client
import json
import signal
import threading
import time

import pytest

from lab import wait_until
from lab.stores import Consul, Etcd, ZooKeeper
from support.several import Several, info_rows

TTL = 5
SLACK = 5  # for a machine that is busy
RUNS = 50
pytestmark = pytest.mark.slow


@pytest.fixture
def several(fresh_lab, tmp_path):
    with Etcd(tmp_path) as store, \
            Several(store, tmp_path, count=3, ttl=f'{TTL}s', nodes=fresh_lab.addresses) as made:
        yield made


def names_on_nodes(lab):
    """How often each name is there, on the engines themselves."""
    counts = collections.Counter()
    for node in lab.nodes:
        status, body = node.api('GET', '/containers/json?all=1')
        assert status == 200
        counts.update(name for one in json.loads(body) for name in one['Names'])
    return counts


def assert_unique(lab):
    assert [name for name, count in names_on_nodes(lab).items() if count > 1] == []


def create(manager, name):
    """The status of the answer, or None where none came."""
    body = {'Image': 'busybox', 'Cmd': ['sleep', '1000']}
    try:
        return manager.api('POST', f'/containers/create?name={name}', body, timeout=60)[0]
    except (OSError, http.client.HTTPException):
        return None


def create_stubbornly(manager, name, seconds):
    """Again and again until it is there: 201, or 409 of an attempt before whose answer was lost.
    All that it was answered."""
    answers = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answers.append(create(manager, name))
        if answers[-1] in (201, 409):
            break
        time.sleep(0.2)
    return answers


def test_the_primary_is_killed_during_50_runs(several, fresh_lab):
    primary = several.primary()
    asked = [manager for manager in several.all if manager is not primary]
    begun = threading.Semaphore(0)

    def run(number):
        begun.release()
        return number, asked[number % 2].docker('run', '-d', '--name', f'run-{number}', 'busybox',
                                                'sleep', '1000', timeout=120)

    with concurrent.futures.ThreadPoolExecutor(25) as workers:
        runs = [workers.submit(run, number) for number in range(RUNS)]
        for _ in range(35):
            begun.acquire()
        primary.kill()
        killed_at = time.monotonic()
        several.primary()
        assert time.monotonic() - killed_at < TTL + SLACK
        results = dict(one.result() for one in runs)

    assert_unique(fresh_lab)
    there = names_on_nodes(fresh_lab)
    answered = [number for number, result in results.items() if not result.code]
    cut_off = [number for number, result in results.items() if result.code]
    assert answered and cut_off, results
    assert [number for number in answered if not there[f'/run-{number}']] == []
    # By name once more: taken already, or it works.
    for number in cut_off:
        answers = create_stubbornly(asked[0], f'run-{number}', SLACK)
        assert answers[-1] == (409 if there[f'/run-{number}'] else 201), (number, answers)
    assert_unique(fresh_lab)
    assert len(names_on_nodes(fresh_lab)) == RUNS


def test_a_primary_that_stood_still_steps_down_before_it_acts(several, fresh_lab):
    """SIGSTOP in the middle of creates and starts, past the TTL; another one leads; SIGCONT."""
    primary = several.primary()
    others = [manager for manager in several.all if manager is not primary]
    stop = threading.Event()

    def create_until_told(worker):
        answers = {}
        while not stop.is_set():
            name = f'still-{worker}-{len(answers)}'
            answers[name] = create(primary, name)
        return answers

    with concurrent.futures.ThreadPoolExecutor(8) as workers:
        creates = [workers.submit(create_until_told, worker) for worker in range(8)]
        time.sleep(1)
        primary.process.send_signal(signal.SIGSTOP)
        leader = several.primary(among=others)
        # The new one gives the very names away that the old one may be about to.
        for worker in range(8):
            for number in range(200):
                if create(leader, f'still-{worker}-{number}') == 201:
                    break
        primary.process.send_signal(signal.SIGCONT)
        assert several.primary() is leader
        stop.set()
        answers = {name: status for one in creates for name, status in one.result().items()}
    assert_unique(fresh_lab)
    there = names_on_nodes(fresh_lab)
    assert [name for name, status in answers.items()
            if status == 201 and not there['/' + name]] == []
    assert primary.logged("this manager's time as the primary is over")


def test_etcds_leader_is_killed(fresh_lab, tmp_path):
    with Etcd(tmp_path, members=3) as store, \
            Several(store, tmp_path, ttl=f'{TTL}s', nodes=fresh_lab.addresses) as managers:
        for round in range(2):
            victim = store.leader()
            victim.kill()
            for number in range(10):
                answers = create_stubbornly(managers.all[number % 2], f'round-{round}-{number}',
                                            4 * TTL)
                assert answers[-1] == 201, answers
            managers.primary()
            victim.start()
        assert_unique(fresh_lab)


@pytest.mark.parametrize('empty', [False, True], ids=['kept', 'emptied'])
def test_the_store_is_away_for_two_minutes(fresh_lab, tmp_path, empty):
    with Etcd(tmp_path) as store, \
            Several(store, tmp_path, ttl=f'{TTL}s', nodes=fresh_lab.addresses) as managers:
        primary = managers.primary()
        primary.docker('run', '-d', '--name', 'web', 'busybox', 'sleep', '1000').ok()
        store.kill()
        # It serves until its lease ends, and reads afterwards.
        assert create(primary, 'early') == 201
        wait_until(lambda: info_rows(primary).get('Role') == 'replica', 3 * TTL, 'its lease ends')
        away = time.monotonic()
        while time.monotonic() - away < 120:
            for manager in managers.all:
                assert create(manager, 'late') == 503
                assert 'web' in manager.docker('ps', '--format', '{{.Names}}').ok().lines
                assert len(manager.statuses('Healthy')) == len(fresh_lab.nodes)
            time.sleep(2)
        if empty:
            store.wipe()
        store.start()
        leader = managers.primary()
        assert create_stubbornly(managers.replicas()[0], 'late', SLACK)[-1] == 201
        assert len(leader.statuses('Healthy')) == len(fresh_lab.nodes)
        assert_unique(fresh_lab)


def test_30_restarts_in_a_row(several, fresh_lab):
    """One after the other, in order, while a client goes on to create through whoever is there."""
    stop = threading.Event()

    def create_until_told():
        names = []
        while not stop.is_set():
            name = f'all-{len(names)}'
            for manager in several.all:
                if create(manager, name) in (201, 409):
                    names.append(name)
                    break
            time.sleep(0.2)
        return names

    with concurrent.futures.ThreadPoolExecutor(1) as workers:
        client = workers.submit(create_until_told)
        try:
            for number in range(30):
                manager = several.all[number % 3]
                assert manager.stop() == 0
                several.primary()
                manager.start(healthy=len(fresh_lab.nodes))
        finally:
            stop.set()
        names = client.result()
    several.primary()
    assert_unique(fresh_lab)
    there = names_on_nodes(fresh_lab)
    assert names and [name for name in names if not there['/' + name]] == []


@pytest.mark.parametrize('kind, ttl', [(ZooKeeper, TTL), (Consul, 20)], ids=['zk', 'consul'])
def test_sessions_that_end_lead_to_new_campaigns(fresh_lab, tmp_path, kind, ttl):
    with kind(tmp_path) as store, \
            Several(store, tmp_path, ttl=f'{ttl}s', nodes=fresh_lab.addresses) as managers:
        first = managers.primary()
        [second] = managers.replicas()
        second.docker('run', '-d', '--name', 'web', 'busybox', 'sleep', '1000').ok()
        first.kill()
        assert managers.primary() is second
        first.start(healthy=len(fresh_lab.nodes))
        # Its session ends while it stands still.
        second.process.send_signal(signal.SIGSTOP)
        assert managers.primary(among=[first]) is first
        second.process.send_signal(signal.SIGCONT)
        assert managers.primary() is first
        assert create(second, 'web') == 409
        assert first.stop() == 0
        assert managers.primary(timeout=10) is second
