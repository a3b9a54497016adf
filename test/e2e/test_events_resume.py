# SPDX-License-Identifier: Apache-2.0
"""docker events over nodes that are lost and found again: what a live stream tells of a node is
what its engine holds, each once and in order; where the engine has forgotten, that is said."""

import json
import time

import pytest

from lab import client, wait_until
from lab.node import PORT
from support import Background

# Nothing is looked at anew only because time has passed.
NO_RECONCILE = ['--engine-refresh-min-interval', '20m', '--engine-refresh-max-interval', '30m']


@pytest.fixture
def manager(fresh_lab, start_manager):
    return start_manager('--debug', *NO_RECONCILE)


@pytest.fixture
def live(manager):
    """docker events through the manager, known to listen."""
    with Background(manager.address, client.clis()[0][1],
                    ['events', '--format', '{{json .}}']) as events:
        number = 0
        while '"probe-' not in events.text:
            number += 1
            manager.docker('create', '--name', f'probe-{number}', 'busybox').ok()
            manager.docker('rm', f'probe-{number}').ok()
            events.output += events._read(0.2) or b''
        shown(events, 'destroy', f'probe-{number}')
        yield events


def shown(live, action, name, timeout=30):
    """Reads until that event is there, to the end of its line."""
    live.expect(rf'"{action}".*"name":"{name}".*\n', timeout)


def parsed(text):
    """The whole lines of it: the last one may have come in part."""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith('\n')]


def identity(event):
    return event['Type'], event['Action'], event['Actor']['ID'], event['timeNano']


def told_of(node, live, since):
    """What the live stream has told of what happened on a node since a moment, but for the pool's
    own events."""
    return [identity(event) for event in parsed(live.text)
            if event['Actor']['Attributes'].get('node.name') == node.name
            and event['Type'] != 'node' and event['timeNano'] >= since * 1e9]


def held_by(node, since):
    """What its engine holds since a moment."""
    status, body = node.api('GET', f'/events?since={since:.9f}&until={time.time():.9f}')
    assert status == 200, body
    return [identity(json.loads(line)) for line in body.decode().splitlines()]


def pool_events(live, action):
    return [event for event in parsed(live.text) if event['Action'] == action]


def made_and_removed(node, name):
    """Two events, on the node itself: the way to it may be cut."""
    node.inside('docker', '-H', f'127.0.0.1:{PORT}', 'create', '--name', name, 'busybox')
    node.inside('docker', '-H', f'127.0.0.1:{PORT}', 'rm', name)


def reset(node):
    """Every connection to the engine is reset."""
    node.inside('ss', '-K', 'state', 'established', f'sport = :{PORT}')


def test_a_reset_loses_and_doubles_nothing(fresh_lab, manager, live):
    node = fresh_lab.node(2)
    since = time.time()
    for number in range(4):
        made_and_removed(node, f'before-{number}')
        reset(node)
        made_and_removed(node, f'behind-{number}')
        shown(live, 'destroy', f'behind-{number}')
        wait_until(lambda n=number: len(manager.logged('an event stream broke')) > n, 20,
                   'the reset is noticed')
    assert told_of(node, live, since) == held_by(node, since)
    assert not pool_events(live, 'engine_events_lost')


def test_a_cut_that_connections_outlive(fresh_lab, live):
    node = fresh_lab.node(2)
    since = time.time()
    made_and_removed(node, 'before')
    node.cut()
    made_and_removed(node, 'during')
    node.heal()
    shown(live, 'destroy', 'during')
    assert told_of(node, live, since) == held_by(node, since)
    assert not pool_events(live, 'engine_events_lost')


@pytest.mark.slow
def test_a_cut_that_is_an_outage(fresh_lab, manager, live):
    node, other = fresh_lab.node(2), fresh_lab.node(1)
    since = time.time()
    made_and_removed(node, 'before')
    node.cut()
    made_and_removed(node, 'at-once')
    live.expect('"engine_disconnect"', timeout=90)
    made_and_removed(node, 'later')
    made_and_removed(other, 'elsewhere')
    shown(live, 'destroy', 'elsewhere')
    node.heal()
    live.expect('"engine_reconnect"', timeout=90)
    made_and_removed(node, 'behind')
    shown(live, 'destroy', 'behind')
    assert told_of(node, live, since) == held_by(node, since)
    assert told_of(other, live, since) == held_by(other, since)
    assert not pool_events(live, 'engine_events_lost')


def lost_span(live):
    """From when to when events of node-2 may be missing, on its engine's clock."""
    live.expect(r'"engine_events_lost".*\n', timeout=90)
    (event,) = pool_events(live, 'engine_events_lost')
    attributes = event['Actor']['Attributes']
    assert attributes['node.name'] == 'node-2'
    return float(attributes['from']), float(attributes['to'])


def shows_as_exited(manager, name):
    """Its end was no event: only who looks at all that is on the engine can know."""
    shown = manager.docker('ps', '-a', '--filter', f'name=^{name}$', '--format', '{{.Status}}')
    return shown.ok().stdout.startswith('Exited')


def run_on(manager, node, name):
    manager.docker('run', '-d', '--name', name, '-e', f'constraint:node=={node.name}',
                   'busybox', 'sleep', '1000').ok()


def test_a_restart_is_a_gap_that_is_told(fresh_lab, manager, live):
    node = fresh_lab.node(2)
    run_on(manager, node, 'killed')
    shown(live, 'start', 'killed')
    stopped = time.time()
    node.kill()
    node.start()
    started = time.time()
    made_and_removed(node, 'behind')
    shown(live, 'destroy', 'behind', timeout=60)
    begin, end = lost_span(live)
    assert begin <= stopped and stopped < end <= time.time()
    assert told_of(node, live, started) == held_by(node, started)
    wait_until(lambda: shows_as_exited(manager, 'killed'), 60, 'all of the node is looked at')


@pytest.mark.slow
def test_a_restart_behind_a_cut(fresh_lab, manager, live):
    node = fresh_lab.node(2)
    run_on(manager, node, 'killed')
    shown(live, 'start', 'killed')
    node.cut()
    # Its kernel may still send this when the cable is back, from a connection without an owner.
    made_and_removed(node, 'last')
    stopped = time.time()
    node.kill()
    node.launch()
    wait_until(lambda: 'OK' in node.inside('sh', '-c', 'docker -H 127.0.0.1:2375 version '
                                           '>/dev/null 2>&1 && echo OK || :'), 60,
               'the engine answers on its own host')
    started = time.time()
    made_and_removed(node, 'unseen')
    live.expect('"engine_disconnect"', timeout=90)
    node.heal()
    live.expect('"engine_reconnect"', timeout=90)
    begin, end = lost_span(live)
    assert begin <= stopped and stopped < end <= time.time()
    made_and_removed(node, 'behind')
    shown(live, 'destroy', 'behind')
    assert told_of(node, live, started) == held_by(node, started)
    wait_until(lambda: shows_as_exited(manager, 'killed'), 60, 'all of the node is looked at')
