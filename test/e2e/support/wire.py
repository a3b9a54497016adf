# SPDX-License-Identifier: Apache-2.0
"""HTTP by hand: what is sent and what comes, to the byte."""

import json
import socket
import struct

from lab import LabError


class Wire:
    """One connection. Every wait has the time limit given; TimeoutError beyond."""

    def __init__(self, address, timeout=30):
        host, _, port = address.rpartition(':')
        self.socket = socket.create_connection((host, int(port)), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.held = b''
        self.ended = False

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def request(self, method, path, headers=None, body=b'', early=b''):
        """Sends a request, and early right behind it in the same segment."""
        lines = [f'{method} {path} HTTP/1.1', 'Host: docker']
        lines += [f'{name}: {value}' for name, value in (headers or {}).items()]
        if body and 'Transfer-Encoding' not in (headers or {}):
            lines.append(f'Content-Length: {len(body)}')
        self.send('\r\n'.join(lines).encode() + b'\r\n\r\n' + body + early)

    def json_request(self, method, path, value, headers=None, early=b''):
        self.request(method, path, {'Content-Type': 'application/json', **(headers or {})},
                     json.dumps(value).encode(), early)

    def end_output(self):
        """Closes our direction; the other one stays open."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """Ends it the hard way."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.socket.close()

    def timeout(self, seconds):
        self.socket.settimeout(seconds)

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b''
        self.ended = not data
        self.held += data
        return bool(data)

    def until(self, mark):
        """Reads up to mark, and with it."""
        while mark not in self.held:
            if not self._more():
                raise LabError(f'ended before {mark!r}: {self.held[-2000:]!r}')
        end = self.held.index(mark) + len(mark)
        data, self.held = self.held[:end], self.held[end:]
        return data

    def exactly(self, size):
        while len(self.held) < size:
            if not self._more():
                raise LabError(f'ended after {len(self.held)} of {size}: {self.held[-200:]!r}')
        data, self.held = self.held[:size], self.held[size:]
        return data

    def rest(self):
        """All to the end of what they send."""
        while self._more():
            pass
        data, self.held = self.held, b''
        return data

    def is_ended(self):
        """Waits for the end, and for nothing before it."""
        while self._more():
            pass
        return not self.held

    def head(self):
        """The head of an answer: (status, reason, {lower-case name: value})."""
        line, *fields = self.until(b'\r\n\r\n').decode('latin-1').split('\r\n')[:-2]
        _, status, reason = (line.split(' ', 2) + [''])[:3]
        headers = {}
        for field in fields:
            name, _, value = field.partition(':')
            headers[name.strip().lower()] = value.strip()
        return int(status), reason, headers

    def chunk(self):
        """The next chunk of a chunked body; b'' is the last."""
        size = int(self.until(b'\r\n').split(b';')[0], 16)
        data = self.exactly(size)
        self.until(b'\r\n')
        return data

    def body(self, headers):
        """The body that belongs to that head."""
        if headers.get('transfer-encoding') == 'chunked':
            pieces = []
            while piece := self.chunk():
                pieces.append(piece)
            return b''.join(pieces)
        if 'content-length' in headers:
            return self.exactly(int(headers['content-length']))
        return self.rest()

    def reply(self):
        """A whole answer: (status, headers, body)."""
        status, _, headers = self.head()
        return status, headers, b'' if status in (204, 304) else self.body(headers)


def frames(data):
    """The pieces of a multiplexed stream, neighbours of one kind joined: [(kind, bytes)]."""
    found = []
    while data:
        if len(data) < 8 or data[1:4] != b'\0\0\0':
            raise LabError(f'no frame: {data[:64]!r}')
        size = int.from_bytes(data[4:8], 'big')
        kind, piece, data = data[0], data[8:8 + size], data[8 + size:]
        if len(piece) < size:
            raise LabError(f'a frame of {size} ends after {len(piece)}')
        if found and found[-1][0] == kind:
            piece = found.pop()[1] + piece
        found.append((kind, piece))
    return found


def message_of(headers, body):
    """The message of an error, which must be declared as JSON."""
    if headers.get('content-type') != 'application/json':
        raise LabError(f'not declared as JSON: {headers} {body[:200]!r}')
    value = json.loads(body)
    if list(value) != ['message']:
        raise LabError(f'not one message: {value}')
    return value['message']
