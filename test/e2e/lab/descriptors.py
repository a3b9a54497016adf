# SPDX-License-Identifier: Apache-2.0
"""What a process has open, in words, and what a manager has open that has nothing to do."""

import collections
import os
import re
import socket
import struct

LISTEN = '0A'
STATES = dict(zip('01 02 03 04 05 06 07 08 09'.split(),
                  'established syn-sent syn-received fin-wait-1 fin-wait-2 time-wait closed '
                  'close-wait last-ack'.split()))


class Socket:
    """One of a process. peer is '' for one that listens; state None where no table has it."""

    def __init__(self, inode, family='socket', local='', peer='', state=None):
        self.name = f'{family}:[{inode}]'
        self.local, self.peer, self.state = local, peer, state

    @property
    def listens(self):
        return self.state == 'listening'

    @property
    def port(self):
        return self.local.rpartition(':')[2]

    def __str__(self):
        return f'{self.name} {self.local} -> {self.peer} {self.state or "in no table"}'


def _endpoint(text):
    """'0100007F:0947' is 127.0.0.1:2375: each word of four bytes the other way round."""
    address, _, port = text.partition(':')
    words = re.findall('.{8}', address)
    data = b''.join(struct.pack('<I', int(word, 16)) for word in words)
    family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
    return f'{socket.inet_ntop(family, data)}:{int(port, 16)}'


def _table(pid, family):
    with open(f'/proc/{pid}/net/{family}') as file:
        return [line.split() for line in file.read().splitlines()[1:]]


def _internet(pid, family):
    for row in _table(pid, family):
        listens = family.startswith('tcp') and row[3] == LISTEN
        yield row[9], Socket(row[9], family, _endpoint(row[1]),
                             '' if listens else _endpoint(row[2]),
                             'listening' if listens else STATES.get(row[3], row[3]))


def _unix(pid):
    for row in _table(pid, 'unix'):
        listens = int(row[3], 16) & 0x10000
        yield row[6], Socket(row[6], 'unix', row[7] if len(row) > 7 else '', '',
                             'listening' if listens else 'connected')


def _sockets(pid):
    """{inode: Socket} of all in its network namespace."""
    found = dict(_unix(pid))
    for family in ('tcp', 'tcp6', 'udp', 'udp6'):
        if os.path.exists(f'/proc/{pid}/net/{family}'):
            found.update(_internet(pid, family))
    return found


def _targets(pid):
    """What its descriptors are links to."""
    folder = f'/proc/{pid}/fd'
    for name in os.listdir(folder):
        try:
            yield os.readlink(os.path.join(folder, name))
        except FileNotFoundError:  # closed meanwhile
            pass


class Open:
    """What a process has open at one moment. clients: connections of those who came to it; out: its
    own to others, and what no table has: a connection that was reset, which it may keep among its
    idle ones until it wants one; others: {what: how often} of all that is no socket and of the
    sockets that listen."""

    def __init__(self, pid):
        self.clients, self.out, self.others = [], [], collections.Counter()
        targets = list(_targets(pid))
        tables = _sockets(pid)
        sockets = []
        for target in targets:
            if match := re.fullmatch(r'socket:\[(\d+)\]', target):
                sockets.append(tables.get(match[1]) or Socket(match[1]))
            else:
                # Pipes have numbers of their own, and a file that is removed stays the one it was.
                self.others[re.sub(r':\[\d+\]$| \(deleted\)$', '', target)] += 1
        ports = {one.port for one in sockets if one.listens}
        for one in sockets:
            if one.listens:
                self.others[f'{one.name.split(":")[0]} socket that listens on {one.local}'] += 1
            elif one.state is None or one.name.startswith('tcp') and one.port not in ports:
                self.out.append(one)
            else:
                self.clients.append(one)


class Rest:
    """What a manager had open as it began, and what it may have open whenever it has nothing to do.
    state(): (its fibers, a line each; how many idle connections it keeps), as it says itself."""

    def __init__(self, pid, state):
        self.pid, self.state = pid, state
        now, self.held, _ = self._look()
        self.others = now.others

    def _look(self):
        """(what is open now; how many connections to others of it are in use; how many fibers wait
        on one). One that is not there yet is its caller's, which gives up in time. A session with
        ZooKeeper has an epoll of its own: a primary has one more session than a replica."""
        now = Open(self.pid)
        fibers, idle = self.state()
        now.others['anon_inode:[eventpoll]'] -= sum(' zookeeper: ' in line for line in fibers)
        waiting = [line for line in fibers if re.search('something to read|room to write', line)
                   and not re.search('http (accept|connection)', line)]
        made = [one for one in now.out if one.state != 'syn-sent']
        return now, len(made) - idle, len(waiting)

    def beyond(self, known=()):
        """A line for each that is open beyond what may be; [] at rest. Nothing but connections is
        open that was not as it began. There is no client, but for what managers keep idle (known:
        their ends of it). And each connection to others is idle, or a fiber waits on it; a library
        has its own, as many as it began with."""
        now, held, waiting = self._look()
        told = [f'of a client: {one}' for one in now.clients if one.peer not in known]
        told += [f'{count} of {what}' for what, count in (now.others - self.others).items()]
        if held > max(self.held, waiting):
            told.append(f'{held} connections in use, though {waiting} fibers wait, among:')
            told += [str(one) for one in now.out]
        return told
