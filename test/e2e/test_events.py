# SPDX-License-Identifier: Apache-2.0
"""docker events over all nodes: each as its engine has it, with its node, in the order of each
container, and while it happens."""

import json
import time

import pytest

from support import Side

LIFE = ['create', 'attach', 'start', 'die']


def parsed(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith('{')]


def listening(side, events):
    """Returns when `docker events` is known to listen: what is made to see that it shows."""
    number = 0
    while 'probe-' not in events.text:
        number += 1
        side.http('DELETE', '/containers/' + side.create(f'probe-{number}', 'true'))
        events.output += events._read(0.2) or b''


def story_of(text, name):
    return [(event['Type'], event['Action']) for event in parsed(text)
            if event['Type'] == 'container' and event['Actor']['Attributes'].get('name') == name]


@pytest.mark.every_cli
def test_live(pair):
    def story(side):
        with side.background('events', '--format', '{{json .}}') as events:
            listening(side, events)
            side.docker('run', '--name', 'lived', 'busybox', 'true').ok()
            side.docker('rm', 'lived').ok()
            events.expect(r'"destroy".*"name":"lived"')
            return story_of(events.text, 'lived')

    assert [action for _, action in pair.tell(story)] == [*LIFE, 'destroy']


def test_live_acts(pair):
    """Every act, in order."""
    def story(side):
        with side.background('events', '--format', '{{json .}}') as events:
            listening(side, events)
            made = side.start('acts', 'sleep', '1000')
            for act in ('pause', 'unpause', 'restart?t=0', 'kill'):
                assert side.http('POST', f'/containers/{made}/{act}').status == 204
            side.http('POST', f'/containers/{made}/wait')
            side.http('POST', f'/containers/{made}/rename?name=acted')
            side.docker('exec', 'acted', 'true')
            side.http('DELETE', f'/containers/{made}')
            events.expect(r'"destroy".*"name":"acted"')
            return [event['Action'] for event in parsed(events.text)
                    if event['Type'] == 'container' and event['Actor']['ID'] == made]

    told = pair.tell(story)
    assert told[:2] == ['create', 'start'] and told[-2:] == ['rename', 'destroy']


def test_every_event_tells_its_node(pair, lab):
    with pair.pool.background('events', '--format', '{{json .}}') as events:
        listening(pair.pool, events)
        for number in range(6):
            pair.pool.docker('run', '--name', f'e{number}', 'busybox', 'true').ok()
        pair.pool.docker('rm', *(f'e{number}' for number in range(6))).ok()
        for number in range(6):
            events.expect(rf'"destroy".*"name":"e{number}"')
        seen = set()
        for event in parsed(events.text):
            attributes = event['Actor']['Attributes']
            node = next(node for node in lab.nodes if node.name == attributes['node.name'])
            assert attributes['node.ip'] == node.ip and attributes['node.addr'] == node.address
            assert attributes['node.id'].count(':') == 11
            seen.add(node.name)
            if 'from' in event:
                assert event['from'].endswith(f' node:{node.name}'), event
        for number in range(6):
            actions = [action for _, action in story_of(events.text, f'e{number}')]
            assert actions == [*LIFE, 'destroy'], f'e{number}: {actions}'
        assert seen == {'node-1', 'node-2', 'node-3'}


def test_raw_events_have_the_node_too(pair):
    with pair.pool.wire() as wire:
        wire.request('GET', '/events?filters={"event":["create"]}')
        status, _, headers = wire.head()
        assert (status, headers['content-type']) == (200, 'application/json')
        made = pair.pool.create('one', 'true')
        event = json.loads(wire.chunk())
        assert event['id'] == made and event['status'] == 'create'
        assert event['node']['Name'] == event['Actor']['Attributes']['node.name']
        assert event['from'] == f"busybox node:{event['node']['Name']}"


@pytest.mark.parametrize('options, actions', [
    (['event=die'], ['die']), (['event=create', 'event=start'], ['create', 'start']),
    (['type=container', 'container=picked'], [*LIFE, 'destroy']), (['container=other'], []),
    (['image=busybox', 'event=start'], ['start']), (['image=nosuch'], []),
    (['label=pick'], [*LIFE, 'destroy']), (['label=pick=me', 'event=die'], ['die']),
    (['label=pick=you'], []), (['type=network', 'event=connect'], ['connect']),
    (['type=volume'], []), (['scope=swarm'], [])], ids=lambda value: ','.join(value))
def test_filters(pair, options, actions):
    """What comes until a moment that is told to it beforehand, and that all of it is done by."""
    def told(side, until):
        with side.wire() as wire:
            text = json.dumps({key: [value for found, _, value in
                                     (option.partition('=') for option in options) if found == key]
                               for key in {option.partition('=')[0] for option in options}},
                              separators=(',', ':'))
            wire.request('GET', f'/events?since={time.time():.9f}&until={until}&filters={text}')
            headers = wire.head()[2]
            side.docker('run', '--rm', '--name', 'picked', '-l', 'pick=me', 'busybox', 'true').ok()
            done = time.time()
            lines = wire.body(headers).decode()
        return [event['Action'] for event in parsed(lines)], done < until

    def story(side):
        for seconds in (2, 5, 10, 20, 40):
            actions_told, in_time = told(side, int(time.time()) + seconds)
            if in_time:
                return actions_told
        pytest.fail('a container took longer than 40 s')

    assert pair.tell(story) == actions


def test_until_ends_it(pair):
    def story(side):
        began = time.time()
        with side.wire() as wire:
            wire.request('GET', f'/events?since={began:.9f}&until={int(began) + 2}')
            status, _, headers = wire.head()
            body = wire.body(headers)
            # The connection goes on.
            wire.request('GET', '/_ping')
            alive = wire.reply()[2]
        return status, body, alive, int(began) + 1 <= time.time() <= began + 6

    assert pair.tell(story) == (200, b'', b'OK', True)


@pytest.mark.parametrize('query', ['since=nosuch', 'until=nosuch', 'since=20&until=10',
                                   'filters=nosuch',
                                   'since=1&until=2'])
def test_what_is_refused(pair, query):
    pool, engine = pair.both(lambda side: side.http('GET', f'/events?{query}'))
    assert (pool.status == 200) == (engine.status == 200), f'{pool}\n{engine}'
    if pool.status != 200:
        assert 400 <= pool.status and pool.message(), pool


def test_an_unknown_filter_is_refused(pair):
    """An engine pays no heed to it."""
    reply = pair.pool.http('GET', '/events?filters={"nosuch":["x"]}')
    assert reply.status == 400 and 'nosuch' in reply.message()


def test_the_past(pair):
    """What has happened since a moment, from all nodes, then what happens."""
    began = time.time()
    pair.ok('run', '--name', 'before', 'busybox', 'true')

    def story(side):
        with side.wire() as wire:
            wire.request('GET', f'/events?since={int(began)}&until={time.time() + 1:.9f}'
                         '&filters={"container":["before"]}')
            headers = wire.head()[2]
            return [event['Action'] for event in parsed(wire.body(headers).decode())]

    assert pair.tell(story) == LIFE


def test_nodes_that_come_and_go(fresh_lab, start_manager):
    """The pool's own events."""
    manager = start_manager()
    side = Side('pool', manager.address, fresh_lab, None)
    with side.wire(timeout=60) as wire:
        wire.request('GET', '/events')
        wire.head()
        fresh_lab.node(2).kill()
        lost = event_named(wire, 'engine_disconnect')
        assert lost['Actor']['Attributes']['node.name'] == 'node-2'
        fresh_lab.node(2).start()
        back = event_named(wire, 'engine_reconnect')
        assert back['Actor']['Attributes']['node.name'] == 'node-2'


def event_named(wire, action):
    while True:
        for event in parsed(wire.chunk().decode()):
            if event['Action'] == action:
                return event
