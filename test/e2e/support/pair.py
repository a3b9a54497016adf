# SPDX-License-Identifier: Apache-2.0
"""The pool and one engine that is not in it, asked the same: what they answer must be equal."""

import concurrent.futures
import difflib
import http.client
import json
import pprint

from lab import client

from .neutral import Neutral
from .terminal import Background, Terminal
from .wire import Wire


# Of a difference that is shown.
MOST_LINES = 60


class Reply:
    """An HTTP answer, read to its end."""

    def __init__(self, response):
        self.status = response.status
        self.reason = response.reason
        self.headers = response.headers
        self.body = response.read()

    def __repr__(self):
        return f'{self.status} {self.reason}\n{self.headers}{self.body[:2000]!r}'

    def json(self):
        return json.loads(self.body)

    def message(self):
        """Of an error, as every client reads it: JSON of one field, and so declared."""
        assert self.headers.get('Content-Type') == 'application/json', repr(self)
        value = self.json()
        assert list(value) == ['message'], repr(self)
        return value['message']


class Side:
    """One of the two: a daemon's address, and how it is asked."""

    def __init__(self, name, address, lab, cli):
        self.name = name
        self.address = address
        self.lab = lab
        self.cli = cli
        self.neutral = Neutral(address, lab)

    def docker(self, *args, **options):
        return client.docker(self.address, *args, cli=self.cli, **options)

    def said(self, *args, **options):
        """What a command did, made comparable."""
        done = self.docker(*args, **options)
        if options.get('binary'):
            return done.code, done.stdout, done.stderr
        return done.code, self.neutral.text(done.stdout), self.neutral.text(done.stderr)

    def background(self, *args, **options):
        return Background(self.address, self.cli, args, **options)

    def terminal(self, *args, **options):
        return Terminal(self.address, self.cli, args, **options)

    def wire(self, **options):
        return Wire(self.address, **options)

    def http(self, method, path, body=None, headers=None, timeout=60):
        """body is bytes, an iterable of them (sent in chunks) or what json takes."""
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers.setdefault('Content-Type', 'application/json')
        host, _, port = self.address.rpartition(':')
        connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=headers)
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def create(self, name, *command, **config):
        """A container by the API, quicker than by command; returns its id."""
        config = {'Image': 'busybox', 'Cmd': list(command), **config}
        reply = self.http('POST', f'/containers/create?name={name}', config)
        assert reply.status == 201, repr(reply)
        return reply.json()['Id']

    def start(self, name, *command, **config):
        made = self.create(name, *command, **config)
        reply = self.http('POST', f'/containers/{made}/start')
        assert reply.status == 204, repr(reply)
        return made

    def nodes_with(self, image):
        """The names of the nodes that have an image."""
        return sorted(node.name for node in self.lab.nodes
                      if node.api('GET', f'/images/{image}/json')[0] == 200)


def difference(pool, engine):
    def lines(value):
        if isinstance(value, str):
            return value.splitlines()
        if isinstance(value, tuple) and len(value) == 3 and isinstance(value[1], str):
            code, stdout, stderr = value
            return [f'exit code {code}', 'stdout:', *stdout.splitlines(),
                    'stderr:', *stderr.splitlines()]
        return pprint.pformat(value, width=120).splitlines()

    told = list(difflib.unified_diff(lines(engine), lines(pool), 'one engine', 'the pool',
                                     lineterm='', n=2)) or [f'{engine!r}', f'{pool!r}']
    if len(told) > MOST_LINES:
        told[MOST_LINES:] = [f'... and {len(told) - MOST_LINES} lines more']
    return '\n'.join(line[:400] for line in told)


class Pair:
    """pool and engine are Sides, manager is the pool's. What is asked of both is asked of them at
    once."""

    def __init__(self, pool, engine, manager):
        self.pool = pool
        self.engine = engine
        self.manager = manager

    def by(self, cli):
        """The same two, asked by another command line, with a Neutral that has seen nothing."""
        return Pair(*(Side(side.name, side.address, side.lab, cli)
                      for side in (self.pool, self.engine)), self.manager)

    def both(self, story):
        """Runs story(side) on both and returns what it answered, of the pool and of the engine."""
        with concurrent.futures.ThreadPoolExecutor(2) as workers:
            answers = [workers.submit(story, side) for side in (self.pool, self.engine)]
            return answers[0].result(), answers[1].result()

    def tell(self, story, about='it'):
        """Runs story(side) on both, whose answers must be equal; returns the answer."""
        pool, engine = self.both(story)
        assert pool == engine, f'{about} differs:\n{difference(pool, engine)}'
        return pool

    def same(self, *args, code=None, ordered=True, **options):
        """Runs one command on both: exit code, output and errors must be equal. Returns them.
        Not ordered: the lines of the output may come in any order, as out of a Go map."""
        line = 'docker ' + ' '.join(map(str, args))

        def story(side):
            code, stdout, stderr = side.said(*args, **options)
            if not ordered:
                stdout = ''.join(sorted(stdout.splitlines(keepends=True)))
            return code, stdout, stderr

        said = self.tell(story, line)
        if code is not None:
            assert said[0] == code, f'{line}: exit code {said[0]}, not {code}\n{said}'
        return said

    def ok(self, *args, **options):
        """As same, and it must succeed. Returns its output."""
        return self.same(*args, code=0, **options)[1]

    def same_reply(self, method, path, body=None, headers=None, compare_body=True):
        """One request to both: status, content type and JSON must be equal. Returns the pool's
        Reply."""
        kept = {}

        def ask(side):
            reply = side.http(method, path, body, headers)
            kept[side] = reply
            told = [reply.status, reply.headers.get('Content-Type')]
            if compare_body:
                try:
                    told.append(side.neutral.value(reply.json()))
                except ValueError:
                    told.append(reply.body)
            return told

        self.tell(ask, f'{method} {path}')
        return kept[self.pool]
