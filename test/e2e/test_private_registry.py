# SPDX-License-Identifier: Apache-2.0
"""A registry that wants a name and a password: who has them gets through the pool what one engine
gives, who has not is told what it says."""

import base64
import json

import pytest

USERS = 'someone:$2b$05$oWu0zRjRbTXICHdYeeOnQeQdDIHqJAHk.RUGpRhDCqmFOGp26qvHG\n'  # "secret"
NAME = 'own/box:1'


@pytest.fixture
def private(pair, tmp_path):
    """The pair, and of each side .private, a registry of its own, and .known and .unknown, the
    environments of command lines that keep what they log in with."""
    for side in (pair.pool, pair.engine):
        side.private = side.lab.private_registry(USERS)
        folder = str(tmp_path / side.name)
        side.neutral.replaced += [(side.private, '<private>'), (folder, '<folder>')]
        side.known = {'DOCKER_CONFIG': f'{folder}/known'}
        side.unknown = {'DOCKER_CONFIG': f'{folder}/unknown'}
    return pair


def log_in(side, password='secret', env=None):
    return side.said('login', '-u', 'someone', '--password-stdin', side.private, input=password,
                     env=env or side.known)


def push(side):
    """Puts busybox there as NAME, and leaves it on no node."""
    full = f'{side.private}/{NAME}'
    log_in(side)
    side.docker('tag', 'busybox', full).ok()
    side.docker('push', full, env=side.known).ok()
    side.docker('rmi', full).ok()
    return full


def header(password):
    known = json.dumps({'username': 'someone', 'password': password}).encode()
    return {'X-Registry-Auth': base64.urlsafe_b64encode(known).decode()}


def test_login(private):
    assert private.tell(log_in)[0] == 0
    assert private.tell(lambda side: log_in(side, 'wrong', side.unknown))[0] == 1
    private.tell(lambda side: side.said('logout', side.private, env=side.known))


def test_push_and_pull(private):
    def story(side):
        full = push(side)
        side.docker('tag', 'busybox', full).ok()
        told = [side.said('push', full, env=side.unknown)]
        side.docker('rmi', full).ok()
        # What a pool says of its nodes on the way is its own.
        told += [side.said(*args, full, env=side.unknown) for args in [['pull'], ['run']]]
        told += [side.docker('pull', full, env=side.known).code]
        side.docker('rmi', full).ok()
        return told + [side.said('run', '--rm', full, 'echo', 'there', env=side.known)[:2]]

    told = private.tell(story)
    assert [code for code, _, _ in told[:3]] == [1, 1, 125]
    assert told[3:] == [0, (0, 'there\n')]


def test_a_pool_that_pulls(private):
    """Asked to create what no node has, with the credentials: on the node that it chose."""
    full = push(private.pool)
    body = {'Image': full, 'Cmd': ['true']}
    refused = private.pool.http('POST', '/containers/create?name=box', body, header('wrong'))
    assert refused.status >= 400 and 'no basic auth credentials' not in refused.message()
    assert 'unauthorized' in refused.message(), repr(refused)
    assert private.pool.nodes_with(full) == []
    made = private.pool.http('POST', '/containers/create?name=box', body, header('secret'))
    assert made.status == 201, repr(made)
    assert len(private.pool.nodes_with(full)) == 1


def test_distribution(private):
    def story(side):
        full = push(side)
        replies = [side.http('GET', f'/distribution/{full}/json', headers=headers)
                   for headers in [header('secret'), header('wrong'), {}]]
        return [(reply.status, side.neutral.value(reply.json())) for reply in replies]

    told = private.tell(story)
    assert told[0][0] == 200 and told[1][0] != 200 and told[2][0] != 200


def test_build_upon_it(private, tmp_path):
    def story(side):
        full = push(side)
        folder = tmp_path / f'{side.name}-context'
        folder.mkdir()
        (folder / 'Dockerfile').write_text(f'FROM {full}\nENV a=1\n')
        told = []
        for env in (side.unknown, side.known):
            code, _, err = side.said('build', '-q', '-t', 'upon', folder,
                                     env={**env, 'DOCKER_BUILDKIT': '0'})
            told.append((code, err))
        return told

    told = private.tell(story)
    assert [code for code, _ in told] == [1, 0]


def test_search(private):
    private.tell(lambda side: side.said('search', f'{side.private}/box', env=side.known))
