# SPDX-License-Identifier: Apache-2.0
"""Images, as far as running containers needs them: one list for all nodes, and each change of
them on the nodes that it concerns."""

import base64
import io
import json
import re
import tarfile

import pytest

from lab import wait_until


def archive(text):
    """A file system of one file, other for each text."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode='w') as tar:
        entry = tarfile.TarInfo('file')
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text.encode()))
    return data.getvalue()


@pytest.fixture
def registry(pair):
    """image(name): puts an image that no engine has into the registry of each side, and returns
    its name without the registry."""
    def image(name, text='from the registry'):
        for side in (pair.pool, pair.engine):
            node = side.lab.node(1)
            full = f'{side.lab.registry}/{name}'
            status, body = node.api('POST', f'/images/create?fromSrc=-&repo={full}',
                                    archive(f'{text} {name}'))
            assert status == 200, body
            node.docker('push', full).ok()
            node.docker('rmi', full).ok()
        wait_until(lambda: len(pair.pool.docker('images', '-q').lines) == 1, 20,
                   'the manager has seen that the image went')
        return name

    return image


def refer(pair, name, *command):
    """The same command with an image of each side's own registry, compared."""
    def story(side):
        full = f'{side.lab.registry}/{name}'
        return side.said(*(full if word == '@' else word.replace('@', full)
                           if isinstance(word, str) else word for word in command))

    return pair.tell(story, 'docker ' + ' '.join(command))


@pytest.mark.every_cli
def test_list(pair):
    assert pair.ok('images', '--format', '{{.Repository}}:{{.Tag}}') == 'busybox:latest\n'
    for options in [[], ['-q'], ['-a'], ['--no-trunc'], ['--digests'], ['busybox'],
                    ['busybox:latest'], ['busybox:other'], ['busy*'], ['other'],
                    ['-f', 'dangling=true'], ['-f', 'dangling=false'],
                    ['-f', 'reference=busybox'], ['-f', 'reference=b*:l*'],
                    ['-f', 'reference=nosuch'], ['-f', 'label=x'], ['-f', 'before=busybox'],
                    ['-f', 'since=busybox']]:
        pair.ok('images', *options)
    pair.same('images', '-f', 'nosuch=x', code=1)
    pair.same('images', '-f', 'before=nosuch')
    pair.ok('history', '--no-trunc', 'busybox')
    pair.ok('history', '-q', 'busybox')
    pair.same('history', 'nosuch:tag', code=1)


def test_list_by_the_api(pair):
    pair.ok('tag', 'busybox', 'other:1')

    def story(side):
        entries = side.http('GET', '/images/json').json()
        for entry in entries:
            entry['RepoTags'].sort()
        return entries

    value, = pair.tell(story)
    assert value['RepoTags'] == ['busybox:latest', 'other:1']
    reply = pair.pool.http('GET', '/images/json?filters={"node":["node-1"]}')
    assert len(reply.json()) == 1
    assert pair.pool.http('GET', '/images/json?filters={"node":["nosuch"]}').json() == []


def test_inspect(pair):
    def story(side):
        value = side.http('GET', '/images/busybox/json').json()
        value['Metadata'] = value['GraphDriver'] = None
        return side.neutral.value(value)

    pair.tell(story)
    for name in ('busybox:latest', 'nosuch', 'nosuch:tag', 'busybox:nosuch', 'BAD', 'a/b/c:d'):
        pair.same('inspect', '--type', 'image', '-f', '{{.RepoTags}}', name)
    identity = pair.pool.docker('images', '-q', '--no-trunc').ok().stdout.strip()
    for name in (identity, identity[7:], identity[7:19], identity[7:13]):
        assert pair.ok('inspect', '--type', 'image', '-f', '{{.RepoTags}}', name) == \
            '[busybox:latest]\n'


def test_tag_and_remove(pair):
    """On all nodes that have it."""
    pair.ok('tag', 'busybox', 'mine/other:1')
    pair.ok('tag', 'busybox:latest', 'mine/other')
    assert pair.pool.nodes_with('mine/other:1') == ['node-1', 'node-2', 'node-3']
    assert pair.ok('images', 'mine/other', '--format', '{{.Tag}}', ordered=False) == '1\nlatest\n'
    for name in ('nosuch', 'nosuch:tag', 'busybox:nosuch'):
        pair.same('tag', name, 'mine/third', code=1)
        pair.same('rmi', name, code=1)
    pair.same('tag', 'busybox', 'Bad:Name', code=1)
    pair.ok('rmi', 'mine/other:1', 'mine/other')
    assert pair.pool.nodes_with('mine/other:1') == []
    assert pair.ok('images', '-q', 'mine/other') == ''


def test_remove_in_use(pair):
    pair.ok('tag', 'busybox', 'used:1')
    pair.ok('create', '--name', 'user', 'used:1', 'true')
    # On the nodes where nobody uses it, it could go; it stays or goes as a whole.
    pair.ok('rmi', 'used:1')
    assert pair.ok('ps', '-a', '--format', '{{.Names}}') == 'user\n'
    # The pool tells which node refused.
    pool, engine = pair.both(lambda side: side.said('rmi', 'busybox:latest', 'nosuch:1'))
    assert pool[2].replace('daemon: <node>: ', 'daemon: ') == engine[2] and pool[:2] == engine[:2]


@pytest.mark.every_cli
def test_load(pair, tmp_path):
    """On every node, from standard input and from a file."""
    saved = tmp_path / 'image.tar'
    pair.ok('tag', 'busybox', 'saved:1')
    pair.engine.docker('save', '-o', saved, 'saved:1').ok()
    pair.ok('rmi', 'saved:1')
    done = pair.pool.docker('load', input=saved.read_bytes())
    assert done.code == 0 and 'Loaded image: saved:1' in done.stdout, done
    assert pair.pool.nodes_with('saved:1') == ['node-1', 'node-2', 'node-3']
    # It is there for the next request.
    assert pair.pool.docker('run', '--rm', 'saved:1', 'echo', 'runs').ok().stdout == 'runs\n'
    pair.pool.docker('rmi', 'saved:1').ok()
    done = pair.pool.docker('load', '-q', '-i', saved)
    assert done.code == 0 and 'Loaded image: saved:1' in done.stdout, done
    pair.pool.docker('rmi', 'saved:1').ok()
    for data in (b'nothing of the kind' * 1000, saved.read_bytes()[:100000]):
        pool, engine = pair.both(lambda side: side.docker('load', input=data))
        assert (pool.code == 0) == (engine.code == 0), f'{pool}\n{engine}'
    assert pair.pool.docker('images', '-q').ok().lines == pair.engine.docker('images', '-q').lines


@pytest.mark.every_cli
def test_save(pair):
    """Some node that has it writes it out; another pool could load it."""
    done = pair.pool.docker('save', 'busybox', binary=True)
    assert done.code == 0, done
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        assert json.load(tar.extractfile('manifest.json'))[0]['RepoTags'] == ['busybox:latest']
    pool, engine = pair.both(lambda side: side.docker('save', 'nosuch'))
    assert pool.code == engine.code == 1 and 'No such image: nosuch' in pool.stderr, pool


def test_import(pair):
    """On one node, since each engine would make an image of its own; a container goes there."""
    done = pair.pool.docker('import', '-m', 'why', '-c', 'CMD ["/file"]', '-', 'made/by:import',
                            input=archive('x'))
    assert done.code == 0 and re.fullmatch(r'sha256:[0-9a-f]{64}\n', done.stdout), done
    where = pair.pool.nodes_with('made/by:import')
    assert len(where) == 1
    pair.pool.docker('create', '--name', 'user', 'made/by:import').ok()
    node = pair.pool.docker('inspect', '-f', '{{.Node.Name}}', 'user').ok().stdout
    assert node == where[0] + '\n'
    assert pair.ok('images', '-q', 'busybox')
    pool, engine = pair.both(lambda side: side.docker('import', '-', 'x:y', input=b'junk' * 999))
    assert pool.code == engine.code and pool.code != 0, f'{pool}\n{engine}'


def test_an_image_of_one_node(pair):
    """No digest says where else it could come from, so its containers go where it is."""
    node = pair.pool.lab.node(3)
    status, body = node.api('POST', '/images/create?fromSrc=-&repo=only&tag=here', archive('x'))
    assert status == 200, body
    wait_until(lambda: pair.pool.docker('images', '-q', 'only:here').stdout, 20,
               'the manager has seen an image that was made on a node')
    for number in range(4):
        pair.pool.docker('create', '--name', f'user-{number}', 'only:here', 'true').ok()
        found = pair.pool.docker('inspect', '-f', '{{.Node.Name}}', f'user-{number}').ok().stdout
        assert found == 'node-3\n'
    done = pair.pool.docker('create', '-e', 'constraint:node==node-1', 'only:here', 'true')
    assert done.code != 0, done


@pytest.mark.every_cli
def test_pull(pair, registry):
    """Onto every node; the lines say which."""
    name = registry('pulled/one:1')
    done = pair.pool.docker('pull', f'{pair.pool.lab.registry}/{name}')
    assert done.code == 0, done
    for node in ('node-1', 'node-2', 'node-3'):
        assert node in done.stdout, f'{node} is not named in\n{done.stdout}'
    assert pair.pool.nodes_with(f'{pair.pool.lab.registry}/{name}') == \
        ['node-1', 'node-2', 'node-3']
    pair.engine.docker('pull', f'{pair.engine.lab.registry}/{name}').ok()
    refer(pair, name, 'images', '--format', '{{.Repository}} {{.Tag}}', '@')
    refer(pair, name, 'inspect', '--type', 'image', '-f', '{{.RepoTags}}', '@')
    # Again: it is there.
    assert pair.pool.docker('pull', '-q', f'{pair.pool.lab.registry}/{name}').code == 0

    digest = pair.pool.docker('inspect', '-f', '{{index .RepoDigests 0}}', '--type', 'image',
                              f'{pair.pool.lab.registry}/{name}').ok().stdout.strip()
    pair.pool.docker('rmi', f'{pair.pool.lab.registry}/{name}').ok()
    done = pair.pool.docker('pull', digest)
    assert done.code == 0 and pair.pool.nodes_with(digest) == ['node-1', 'node-2', 'node-3']


@pytest.mark.every_cli
@pytest.mark.parametrize('name', ['nosuch/image:1', 'nosuch'])
def test_pull_what_there_is_not(pair, name):
    """What all nodes say the pool says once, as one engine does."""
    pool, engine = pair.both(lambda side: side.docker('pull', f'{side.lab.registry}/{name}'))
    assert pool.code == engine.code == 1, f'{pool}\n{engine}'
    words = engine.stderr.replace(pair.engine.lab.registry, pair.pool.lab.registry)
    assert pool.stderr == words, f'{pool}\n{engine}'


@pytest.mark.every_cli
def test_run_what_only_the_registry_has(pair, registry):
    """The client hears that there is none, pulls, and creates where it was pulled to."""
    name = registry('run/it:1')
    full = f'{pair.pool.lab.registry}/{name}'
    done = pair.pool.docker('create', '--name', 'pulled', full, 'true')
    assert done.code == 0 and f"Unable to find image '{full}' locally" in done.stderr, done
    where = pair.pool.nodes_with(full)
    assert len(where) == 1, f'pulled to {where}'
    assert pair.pool.docker('inspect', '-f', '{{.Node.Name}}', 'pulled').ok().stdout == \
        where[0] + '\n'
    done = pair.engine.docker('create', f'{pair.engine.lab.registry}/{name}', 'true')
    assert done.code == 0, done
    pool, engine = pair.both(lambda side: side.docker(
        'run', '--pull', 'never', f'{side.lab.registry}/nosuch', 'true'))
    assert pool.code == engine.code == 125, f'{pool}\n{engine}'


def test_run_with_credentials_pulls_on_the_chosen_node(pair, registry):
    """Whoever sends its credentials with the create has the pool pull."""
    name = registry('auth/it:1')
    full = f'{pair.pool.lab.registry}/{name}'
    auth = base64.urlsafe_b64encode(b'{"username":"someone","password":"secret"}').decode()
    reply = pair.pool.http('POST', '/containers/create?name=pulled', {'Image': full, 'Cmd': ['x']},
                           {'X-Registry-Auth': auth})
    assert reply.status == 201, repr(reply)
    assert len(pair.pool.nodes_with(full)) == 1


def test_an_image_that_was_made_is_there_at_once(pair):
    for number in range(5):
        pair.pool.create('base', 'true')
        reply = pair.pool.http('POST', f'/commit?container=base&repo=made&tag={number}', {})
        assert reply.status == 201, repr(reply)
        tags = [tag for entry in pair.pool.http('GET', '/images/json').json()
                for tag in entry['RepoTags'] or []]
        assert f'made:{number}' in tags
        reply = pair.pool.http('POST', '/containers/create', {'Image': f'made:{number}'})
        assert reply.status == 201, repr(reply)
        assert pair.pool.http('DELETE', '/containers/base').status == 204


def test_steps_of_a_build(pair, tmp_path):
    """Hidden from a list, there with -a, and what was built upon an image has it as an ancestor."""
    (tmp_path / 'Dockerfile').write_text('FROM busybox\nENV a=1\nENV b=2\nCMD ["true"]\n')
    pair.both(lambda side: side.docker('build', '-q', '-t', 'stepped', tmp_path,
                                       env={'DOCKER_BUILDKIT': '0'}).ok())
    pair.both(lambda side: side.create('mine', 'true', Image='stepped'))

    def counts(side):
        return [len(side.http('GET', f'/images/json?{query}').json())
                for query in ('all=0', 'all=1', 'filters={%22dangling%22:[%22true%22]}')]

    wait_until(lambda: counts(pair.pool) == counts(pair.engine), 30, 'the steps are known')
    assert counts(pair.pool)[1] > counts(pair.pool)[0]
    for ancestor in ('busybox', 'stepped', 'stepped:latest', 'nosuch'):
        pair.same('ps', '-a', '--format', '{{.Image}}', '--filter', f'ancestor={ancestor}')
    # An engine of 20.10 does not have it.
    for until, names in (('1h', 0), ('2100-01-01', 1)):
        reply = pair.pool.http('GET', f'/images/json?filters={{%22until%22:[%22{until}%22],'
                                      '%22reference%22:[%22stepped%22]}')
        assert reply.status == 200 and len(reply.json()) == names, f'{until}: {reply}'
