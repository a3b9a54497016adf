# SPDX-License-Identifier: Apache-2.0
"""A double of one Consul agent, for tests: the part of its HTTP API that this project uses, kept
durable in a directory.

It follows Consul in what a client can tell: the index that grows with every change and that a
blocking query waits on, deletions that are remembered under their prefix, sessions whose end comes
at twice their TTL, lock delays, and what becomes of a session's keys. test_consul.py holds it to
that, and a real Consul too.

    python3 consul.py --port 8500 --data DIRECTORY
"""

import argparse
import base64
import http.server
import json
import os
import random
import re
import socket
import ssl
import threading
import time
import urllib.parse
import uuid

TTL_LEAST, TTL_MOST = 10, 86400
TTL_MULTIPLIER = 2
LOCK_DELAY, LOCK_DELAY_MOST = 15, 60
WAIT, WAIT_MOST = 300, 600
VALUE_MOST = 512 * 1024
UNITS = {'ns': 1e-9, 'us': 1e-6, 'ms': 1e-3, 's': 1, 'm': 60, 'h': 3600}


class Refused(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status
        self.text = text


def span(text, otherwise):
    """Seconds of a duration as Go writes it, or of a number of nanoseconds."""
    if text in (None, ''):
        return otherwise
    if isinstance(text, (int, float)):
        return text * 1e-9 if text >= 1000 else float(text)
    parts = re.findall(r'(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)', text)
    if not parts or ''.join(number + unit for number, unit in parts) != text:
        raise Refused(400, f'invalid duration: {text}')
    return sum(float(number) * UNITS[unit] for number, unit in parts)


class State:
    """All that the agent knows. Every method is called under the lock."""

    def __init__(self, path):
        self.path = path
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.index = 1
        self.keys = {}
        self.graves = {}  # deleted keys and the index of that
        self.sessions = {}
        self.ends = {}  # session: when its time is over
        self.delays = {}  # key: until when nobody can acquire it
        self._load()

    def _load(self):
        try:
            with open(self.path) as file:
                held = json.load(file)
        except FileNotFoundError:
            return
        self.index = held['index']
        self.keys = held['keys']
        self.sessions = held['sessions']
        # A leader that takes over gives every session its whole time again.
        for session in self.sessions:
            self.touch(session)

    def _save(self):
        with open(self.path + '.new', 'w') as file:
            json.dump({'index': self.index, 'keys': self.keys, 'sessions': self.sessions}, file)
        os.replace(self.path + '.new', self.path)

    def step(self):
        self.index += 1
        return self.index

    def publish(self):
        self._save()
        self.changed.notify_all()

    # Sessions

    def touch(self, session):
        ttl = span(self.sessions[session]['TTL'], 0)
        if ttl:
            self.ends[session] = time.monotonic() + TTL_MULTIPLIER * ttl

    def create_session(self, asked):
        ttl = span(asked.get('TTL'), 0)
        if ttl and not TTL_LEAST <= ttl <= TTL_MOST:
            raise Refused(400, f"Invalid Session TTL '{int(ttl * 1e9)}', must be between "
                               '[10s=24h0m0s]')
        delay = span(asked.get('LockDelay'), LOCK_DELAY)
        behavior = asked.get('Behavior') or 'release'
        if behavior not in ('release', 'delete'):
            raise Refused(400, f"Invalid Behavior setting '{behavior}'")
        name = str(uuid.uuid4())
        index = self.step()
        self.sessions[name] = {'ID': name, 'Name': asked.get('Name', ''), 'Node': 'test',
                               'LockDelay': int(min(delay, LOCK_DELAY_MOST) * 1e9),
                               'Behavior': behavior, 'TTL': asked.get('TTL', ''),
                               'CreateIndex': index, 'ModifyIndex': index}
        self.touch(name)
        self.publish()
        return name

    def end_session(self, name):
        session = self.sessions.pop(name, None)
        self.ends.pop(name, None)
        if session is None:
            return
        index = self.step()
        for key, entry in list(self.keys.items()):
            if entry.get('Session') != name:
                continue
            if session['LockDelay']:
                self.delays[key] = time.monotonic() + session['LockDelay'] / 1e9
            if session['Behavior'] == 'delete':
                self.bury(key, index)
            else:
                del entry['Session']
                entry['ModifyIndex'] = index
        self.publish()

    def expire(self):
        """Ends what is over; how long until the next is."""
        now = time.monotonic()
        for name, end in list(self.ends.items()):
            if end <= now:
                self.end_session(name)
        return min([end - now for end in self.ends.values()] + [1.0])

    # Keys

    def bury(self, key, index):
        del self.keys[key]
        self.graves[key] = index

    def put(self, key, value, query):
        if len(value) > VALUE_MOST:
            raise Refused(413, f'Request body({len(value)} bytes) too large')
        entry = self.keys.get(key)
        if 'cas' in query and int(query['cas']) != (entry['ModifyIndex'] if entry else 0):
            return False
        session = query.get('acquire') or query.get('release')
        if session is not None and session not in self.sessions:
            raise Refused(500, f'invalid session "{session}"')
        holder = entry.get('Session') if entry else None
        if 'acquire' in query:
            if self.delays.get(key, 0) > time.monotonic():
                return False
            if holder not in (None, session):
                return False
        if 'release' in query and holder != session:
            return False
        index = self.step()
        new = dict(entry or {'LockIndex': 0, 'Key': key, 'Flags': 0, 'CreateIndex': index})
        new['Value'] = base64.b64encode(value).decode() or None
        new['ModifyIndex'] = index
        if 'acquire' in query:
            new['Session'] = session
            new['LockIndex'] += holder is None
        if 'release' in query:
            new.pop('Session')
        self.keys[key] = new
        self.graves.pop(key, None)
        self.publish()
        return True

    def delete(self, key, recurse):
        gone = [k for k in self.keys if k == key or (recurse and k.startswith(key))]
        if gone:
            index = self.step()
            for k in gone:
                self.bury(k, index)
            self.publish()
        return True

    def query(self, key, recurse):
        """What is there, and its index."""
        if not recurse:
            entry = self.keys.get(key)
            return ([entry], entry['ModifyIndex']) if entry else ([], self.index)
        found = [self.keys[k] for k in sorted(self.keys) if k.startswith(key)]
        steps = [entry['ModifyIndex'] for entry in found]
        steps += [index for k, index in self.graves.items() if k.startswith(key)]
        return found, max(steps, default=self.index)

    def blocking(self, key, recurse, index, wait):
        """A query that waits while its index is not beyond the one given."""
        wait = min(wait, WAIT_MOST) or WAIT
        until = time.monotonic() + wait + random.uniform(0, wait / 16)
        while True:
            found, now = self.query(key, recurse)
            left = until - time.monotonic()
            if not index or now > index or left <= 0:
                return found, now
            self.changed.wait(left)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    state = None

    def log_message(self, *_):
        pass

    def answer(self, status, value=None, headers=()):
        body = b'' if value is None else value if isinstance(value, bytes) else (
            json.dumps(value).encode())
        self.send_response(status)
        for name, text in headers:
            self.send_header(name, text)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_any(self):
        path, _, query = self.path.partition('?')
        path = urllib.parse.unquote(path)
        query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        try:
            with self.state.lock:
                reply = self.route(path, query, body)
        except Refused as refused:
            reply = (refused.status, refused.text.encode())
        try:
            self.answer(*reply)
        except OSError:
            self.close_connection = True

    do_GET = do_PUT = do_DELETE = handle_any

    def route(self, path, query, body):
        if path.startswith('/v1/kv/'):
            return self.route_key(path.removeprefix('/v1/kv/'), query, body)
        if path == '/v1/status/leader':
            return 200, '127.0.0.1:8300'
        if path == '/v1/session/create' and self.command == 'PUT':
            return 200, {'ID': self.state.create_session(json.loads(body or b'{}'))}
        action, _, name = path.removeprefix('/v1/session/').partition('/')
        session = self.state.sessions.get(name)
        if action == 'destroy' and self.command == 'PUT':
            self.state.end_session(name)
            return 200, True
        if action == 'renew' and self.command == 'PUT':
            if session is None:
                return 404, f"Session id '{name}' not found".encode()
            self.state.touch(name)
            return 200, [session]
        if action == 'info':
            return 200, [session] if session else []
        return 404, b''

    def route_key(self, key, query, body):
        if not key and 'recurse' not in query:
            raise Refused(400, 'Missing key name')
        if self.command == 'PUT':
            return 200, self.state.put(key, body, query)
        if self.command == 'DELETE':
            return 200, self.state.delete(key, 'recurse' in query)
        found, index = self.state.blocking(key, 'recurse' in query, int(query.get('index', 0)),
                                           span(query.get('wait'), 0))
        headers = [('X-Consul-Index', str(index)), ('X-Consul-Knownleader', 'true'),
                   ('X-Consul-Lastcontact', '0')]
        return (200, found, headers) if found else (404, None, headers)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    tls = None

    def get_request(self):
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            # The handshake is done by the first read, on the connection's own thread.
            connection = self.tls.wrap_socket(connection, server_side=True,
                                              do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request, client_address):
        pass  # a client that went away, or that shows no certificate


def expire_for_ever(state):
    while True:
        with state.lock:
            left = state.expire()
        time.sleep(max(0.01, min(left, 1.0)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--port', type=int, required=True)
    parser.add_argument('--data', required=True)
    parser.add_argument('--tls', nargs=3, metavar=('CA', 'CERT', 'KEY'),
                        help='serve with it, and ask clients for a certificate of the CA')
    options = parser.parse_args()
    os.makedirs(options.data, exist_ok=True)
    Handler.state = State(os.path.join(options.data, 'state.json'))
    threading.Thread(target=expire_for_ever, args=(Handler.state,), daemon=True).start()
    server = Server(('127.0.0.1', options.port), Handler)
    if options.tls:
        ca, cert, key = options.tls
        server.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ca)
        server.tls.load_cert_chain(cert, key)
        server.tls.verify_mode = ssl.CERT_REQUIRED
    server.serve_forever()


if __name__ == '__main__':
    main()
