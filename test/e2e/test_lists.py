# SPDX-License-Identifier: Apache-2.0
"""docker ps: what it shows, in every form, and what its filters pick. The containers are spread
over three nodes, and the list is that of one engine that has them all."""

import json
import urllib.parse

import pytest

FOREVER = ['sleep', '1000']


@pytest.fixture(scope='module')
def listing(shared_pair):
    """Containers in every state, made in one order on both sides, for tests that only look."""
    def run(name, *options, command=FOREVER):
        shared_pair.ok('run', '-d', '--name', name, *options, 'busybox', *command)

    run('web', '-l', 'tier=front', '-l', 'shop=1', '-p', '18080:80')
    run('db', '-l', 'tier=back', '-v', 'data:/data')
    shared_pair.ok('create', '--name', 'fresh', '-l', 'tier=back', 'busybox', 'true')
    run('failed', command=['sh', '-c', 'exit 3'])
    run('web-2', '--network', 'none', '-e', 'A=1')
    shared_pair.ok('wait', 'failed')
    shared_pair.ok('pause', 'web-2')
    return shared_pair


@pytest.fixture
def listed(listing, cli):
    return listing.by(cli)


def names(pair, *options):
    return pair.ok('ps', '--format', '{{.Names}}', *options).split()


ALL = ['web-2', 'failed', 'fresh', 'db', 'web']
FILTERS = [
    (['name=web'], ['web-2', 'web']), (['name=^/web$'], ['web']), (['name=^web$'], ['web']),
    (['name=e.*2'], ['web-2']), (['name=db', 'name=fresh'], ['fresh', 'db']),
    (['status=running'], ['db', 'web']), (['status=paused'], ['web-2']),
    (['status=exited', 'status=created'], ['failed', 'fresh']), (['status=dead'], []),
    (['label=tier'], ['fresh', 'db', 'web']), (['label=tier=back'], ['fresh', 'db']),
    (['label=tier=front', 'label=shop=1'], ['web']), (['label=tier', 'label=none'], []),
    (['exited=3'], ['failed']), (['exited=0'], []), (['exited=0', 'exited=3'], ['failed']),
    (['ancestor=busybox'], ALL), (['ancestor=busybox:latest'], ALL), (['ancestor=other'], []),
    (['volume=/data'], ['db']), (['network=none'], ['web-2']),
    (['network=bridge'], None), (['publish=18080'], ['web']), (['publish=18080/tcp'], ['web']),
    (['publish=18000-18100/tcp'], ['web']), (['expose=80'], ['web']), (['expose=80/udp'], []),
    (['before=db'], ['web']), (['since=failed'], ['web-2']), (['before=web-2', 'since=web'],
                                                              ['failed', 'fresh', 'db']),
    (['health=none'], ALL), (['health=healthy'], []), (['is-task=false'], ALL),
    (['is-task=true'], []), (['isolation=default'], None),
]


def picked(pair, filters):
    """Asked as the command line does, which would be a process for each."""
    told = {}
    for one in filters:
        key, _, value = one.partition('=')
        told.setdefault(key, {})[value] = True

    def ask(side):
        reply = side.http('GET', '/containers/json?all=1&filters=' +
                          urllib.parse.quote(json.dumps(told)))
        assert reply.status == 200, f'{filters}: {reply}'
        return [entry['Names'][0].removeprefix('/') for entry in reply.json()]

    return pair.tell(ask, str(filters))


def test_every_filter(listed):
    wrong = []
    for filters, expected in FILTERS:
        try:
            found = picked(listed, filters)
        except AssertionError as difference:
            wrong.append(str(difference))
            continue
        if expected is not None and found != expected:
            wrong.append(f'{filters}: {found}, not {expected}')
    assert not wrong, '\n'.join(wrong)


def test_filters_that_are_refused(listed):
    for value in ['status=nosuch', 'nosuch=x', 'name=[', 'exited=x', 'publish=99999999',
                  'expose=x', 'health=x', 'is-task=maybe', 'before=nosuch', 'since=nosuch']:
        # The words come out of the innards of one version of the engine.
        pool, engine = listed.both(lambda side: side.docker('ps', '-a', '-f', value))
        assert (pool.code, pool.stdout) == (engine.code, engine.stdout), f'{pool}\n{engine}'


def test_filters_that_are_no_json(listed):
    """Refused by both where one is; 20.10 calls its own failure to read them a 500, later engines
    a 400, and so does the pool."""
    for text in ['nonsense', '[]', '{"name":', '{"name": "x"}', '{"name": {"x": 1}}', '"x"', '5',
                 '{"name": ["web"]}', '{"name": {"web": true}}', '{}', 'null', '', '{"name": []}',
                 '{"id": {}}', '{"exited": []}', '{"publish": []}', '{"expose": []}',
                 '{"ancestor": []}', '{"network": []}', '{"volume": []}']:
        def ask(side):
            return side.http('GET', '/containers/json?all=1&filters=' + urllib.parse.quote(text))

        pool, engine = listed.both(ask)
        assert (pool.status == 200) == (engine.status == 200), f'{text}\n{pool}\n{engine}'
        if pool.status == 200:
            assert [entry['Names'][0] for entry in pool.json()] == \
                [entry['Names'][0] for entry in engine.json()], text
        else:
            assert pool.status == 400 and pool.message(), f'{text}\n{pool}'
    pool, engine = listed.both(lambda side: side.http('GET', '/containers/json?limit=x'))
    assert pool.status == 400 and 'limit' in pool.message() and engine.status == 500


@pytest.mark.every_cli
def test_forms(listed):
    assert names(listed) == ['web-2', 'db', 'web']
    assert names(listed, '-a') == ALL
    assert names(listed, '-l') == ['web-2']
    assert names(listed, '-a', '-f', 'label=tier', '-f', 'status=running') == ['db', 'web']
    assert names(listed, '-n', '3') == ['web-2', 'failed', 'fresh']
    assert names(listed, '-a', '-n', '2') == ['web-2', 'failed']
    for options in [[], ['-a'], ['-q'], ['-aq', '--no-trunc'], ['-l'], ['-n', '2'],
                    ['-a', '--format', '{{.ID}}|{{.Image}}|{{.Command}}|{{.Ports}}|{{.Status}}'],
                    ['-a', '--format', '{{.Names}} {{.Label "tier"}} {{.Mounts}} {{.Networks}}'
                     ' {{.LocalVolumes}} {{.State}} {{.RunningFor}} {{.CreatedAt}}'],
                    ['-s', '-a', '--format', '{{.Names}} {{.Size}}']]:
        listed.ok('ps', *options)

    def labels(side):
        # The command line prints a container's labels in any order; the pool adds one.
        lines = side.docker('ps', '-a', '--format', 'table {{.Names}}\t{{.Labels}}').ok().lines
        told = [(name, ''.join(rest).split(',')) for name, *rest in map(str.split, lines)]
        return [(name, sorted(label for label in values
                              if label and not label.startswith('com.docker.swarm.id=')))
                for name, values in told]

    assert listed.tell(labels) == [
        ('NAMES', ['LABELS']), ('web-2', []), ('failed', []), ('fresh', ['tier=back']),
        ('db', ['tier=back']), ('web', ['shop=1', 'tier=front'])]


def test_names_in_full(listed, lab):
    """The plain name first, then the one with the node."""
    found = listed.pool.docker('ps', '-a', '--no-trunc', '--format', '{{.Names}}').ok().lines
    assert [line.split(',')[0] for line in found] == ALL
    nodes = [line.split(',')[1].split('/') for line in found]
    assert [name for _, name in nodes] == ALL
    assert {node for node, _ in nodes} == {node.name for node in lab.nodes}, \
        'five containers are spread over all nodes'
    assert names(listed, '-a', '-f', 'name=web') == ['web-2', 'web']
    for node, name in nodes:
        assert name in listed.pool.docker('ps', '-a', '--format', '{{.Names}}', '-f',
                                          f'node={node}').ok().lines


def test_list_by_the_api(listed):
    """Every field of every entry, but the names."""
    for query in ['', '?all=1', '?all=true', '?limit=2', '?limit=-1', '?all=0', '?size=1&all=1']:
        def ask(side):
            reply = side.http('GET', '/containers/json' + query)
            if reply.status != 200:
                return reply.status, reply.message()
            entries = reply.json()
            for entry in entries:
                entry['Names'] = entry['Names'][:1]
                entry['Ports'].sort(key=lambda port: (port['PrivatePort'], port.get('IP', '')))
                entry['Created'] = bool(entry['Created'])
                entry['Mounts'] = len(entry['Mounts'])
                for network in entry['NetworkSettings']['Networks'].values():
                    for field in ('EndpointID', 'NetworkID', 'IPAddress', 'MacAddress'):
                        network[field] = bool(network[field])
            return reply.status, side.neutral.value(entries)

        listed.tell(ask, f'GET /containers/json{query}')
