# SPDX-License-Identifier: Apache-2.0
"""What this project relies on of Consul's HTTP API. Asked of the double in lab/consul.py, and of a
real Consul where $CONSUL names its program: so the one stays true to the other."""

import base64
import http.client
import json
import threading
import time

import pytest

from lab import wait_until
from lab.stores import Consul


class Client:
    def __init__(self, store):
        self.host, _, port = store.addresses[0].rpartition(':')
        self.port = int(port)

    def ask(self, method, path, body=None, timeout=40):
        """Returns (status, headers, JSON or text)."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            if isinstance(body, dict):
                body = json.dumps(body)
            connection.request(method, path, body)
            response = connection.getresponse()
            text = response.read().decode()
            try:
                return response.status, response.headers, json.loads(text)
            except ValueError:
                return response.status, response.headers, text
        finally:
            connection.close()

    def put(self, key, value, query=''):
        status, _, done = self.ask('PUT', f'/v1/kv/{key}{query}', value)
        assert status == 200, done
        return done

    def index(self, key, query='?recurse='):
        return int(self.ask('GET', f'/v1/kv/{key}{query}')[1]['X-Consul-Index'])

    def entry(self, key):
        status, _, entries = self.ask('GET', f'/v1/kv/{key}')
        return entries[0] if status == 200 else None

    def session(self, **fields):
        fields = {'TTL': '10s', 'LockDelay': '1ms', 'Behavior': 'delete', **fields}
        status, _, answer = self.ask('PUT', '/v1/session/create', fields)
        assert status == 200, answer
        return answer['ID']

    def waiting(self, key, index, wait='30s'):
        """A blocking query under way, as a thread with .answer and .took once it has ended."""
        def query():
            start = time.monotonic()
            thread.answer = self.ask('GET', f'/v1/kv/{key}?recurse=&index={index}&wait={wait}')
            thread.took = time.monotonic() - start

        thread = threading.Thread(target=query, daemon=True)
        thread.start()
        return thread


@pytest.fixture(scope='module')
def consul(tmp_path_factory):
    with Consul(tmp_path_factory.mktemp('consul')) as store:
        yield Client(store)


@pytest.fixture(autouse=True)
def emptied(consul):
    yield
    consul.ask('DELETE', '/v1/kv/?recurse=')


def test_keys(consul):
    status, headers, _ = consul.ask('GET', '/v1/kv/a/b')
    assert status == 404 and int(headers['X-Consul-Index']) > 0
    assert consul.put('a/b', b'\x00\xff') is True
    entry = consul.entry('a/b')
    assert entry['Key'] == 'a/b' and base64.b64decode(entry['Value']) == b'\x00\xff'
    assert consul.put('a/b', b'') is True
    assert not consul.entry('a/b')['Value']
    consul.put('a/c', b'1')
    consul.put('ab', b'2')
    _, _, entries = consul.ask('GET', '/v1/kv/a?recurse=')
    assert [entry['Key'] for entry in entries] == ['a/b', 'a/c', 'ab']
    assert consul.ask('DELETE', '/v1/kv/a/b')[2] is True
    assert consul.ask('DELETE', '/v1/kv/a/b')[2] is True
    assert consul.entry('a/b') is None


def test_the_index_moves_with_what_it_is_asked_for(consul):
    consul.put('a/b', b'1')
    before = consul.index('a')
    consul.put('elsewhere', b'1')
    assert consul.index('a') == before
    consul.put('a/c', b'1')
    assert (after := consul.index('a')) > before
    consul.ask('DELETE', '/v1/kv/a/c')
    assert consul.index('a') > after


def test_a_blocking_query_is_answered_by_a_change(consul):
    consul.put('a/b', b'1')
    for change in [lambda: consul.put('a/c', b'1'),
                   lambda: consul.ask('DELETE', '/v1/kv/a/c'),
                   lambda: consul.ask('DELETE', '/v1/kv/a/b'),
                   lambda: consul.put('a/b', b'2')]:
        index = consul.index('a')
        query = consul.waiting('a', index)
        consul.put('elsewhere', b'1')
        query.join(0.5)
        if consul.index('a') == index:  # it counts all keys where there are none
            assert query.is_alive()
        change()
        query.join(10)
        assert not query.is_alive()
        assert int(query.answer[1]['X-Consul-Index']) > index


def test_a_blocking_query_ends_after_its_wait(consul):
    consul.put('a/b', b'1')
    query = consul.waiting('a', consul.index('a'), wait='1s')
    query.join(20)
    assert 1 <= query.took < 15 and query.answer[0] == 200
    # With an index that is past already it does not wait.
    query = consul.waiting('a', 1)
    query.join(10)
    assert not query.is_alive()


def test_sessions_hold_keys(consul):
    first, second = consul.session(), consul.session()
    assert consul.put('lock', b'1', f'?acquire={first}') is True
    assert consul.put('lock', b'2', f'?acquire={first}') is True
    assert consul.put('lock', b'3', f'?acquire={second}') is False
    entry = consul.entry('lock')
    assert entry['Session'] == first and base64.b64decode(entry['Value']) == b'2'
    assert consul.put('lock', b'', f'?release={second}') is False
    assert consul.put('lock', b'', f'?release={first}') is True
    assert 'Session' not in consul.entry('lock')
    assert consul.put('lock', b'3', f'?acquire={second}') is True
    # Deleted by anybody, it is free at once.
    consul.ask('DELETE', '/v1/kv/lock')
    assert consul.put('lock', b'1', f'?acquire={first}') is True


def test_what_becomes_of_a_sessions_keys(consul):
    deleting, releasing = consul.session(), consul.session(Behavior='release')
    consul.put('a/deleted', b'1', f'?acquire={deleting}')
    consul.put('a/released', b'1', f'?acquire={releasing}')
    index = consul.index('a')
    query = consul.waiting('a', index)
    for session in (deleting, releasing, deleting):
        assert consul.ask('PUT', f'/v1/session/destroy/{session}')[2] is True
    query.join(10)
    assert not query.is_alive()
    assert consul.entry('a/deleted') is None
    assert 'Session' not in consul.entry('a/released')


def test_a_session_that_has_ended(consul):
    session = consul.session()
    assert consul.ask('PUT', f'/v1/session/renew/{session}')[0] == 200
    consul.ask('PUT', f'/v1/session/destroy/{session}')
    assert consul.ask('PUT', f'/v1/session/renew/{session}')[0] == 404
    status, _, text = consul.ask('PUT', f'/v1/kv/lock?acquire={session}', b'1')
    assert status == 500 and 'invalid session' in text


@pytest.mark.parametrize('fields', [{'TTL': '9s'}, {'TTL': '25h'}, {'Behavior': 'keep'}])
def test_sessions_that_it_refuses(consul, fields):
    status, _, text = consul.ask('PUT', '/v1/session/create', fields)
    assert status >= 400, text


def test_a_lock_delay(consul):
    """A key whose holder's session has ended is held back from all."""
    first, second = consul.session(LockDelay='2s'), consul.session()
    consul.put('lock', b'1', f'?acquire={first}')
    consul.ask('PUT', f'/v1/session/destroy/{first}')
    start = time.monotonic()
    assert consul.put('lock', b'2', f'?acquire={second}') is False
    wait_until(lambda: consul.put('lock', b'2', f'?acquire={second}'), 20, 'the delay is over')
    assert time.monotonic() - start > 1


@pytest.mark.slow
def test_a_session_ends_after_its_ttl_at_the_earliest(consul):
    session = consul.session(TTL='10s')
    consul.put('lock', b'1', f'?acquire={session}')
    start = time.monotonic()
    consul.ask('PUT', f'/v1/session/renew/{session}')
    wait_until(lambda: consul.entry('lock') is None, 60, 'the session has ended')
    assert 10 <= time.monotonic() - start
