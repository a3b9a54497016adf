# SPDX-License-Identifier: Apache-2.0
"""The lab's network: a switch in a namespace of its own, one cable to each node and one to this
machine.

The bridge is not among this machine's own links, so its firewall never sees what nodes say to
each other, and all that the machine gets is one link, which goes when the switch's init dies.
There is no route out: nothing in the lab can reach another network.
"""

import fcntl
import ipaddress
import json
import os
import zlib

from . import host
from .host import LabError

SWITCH = 'switch'
BRIDGE = 'br0'
UPLINK = 'uplink'
FIRST_NODE = 11
MOST_NODES = 200


def address_of(prefix, index):
    """The address of node-<index>, counted from 1."""
    return f'{prefix}.{FIRST_NODE - 1 + index}'


def gateway_of(prefix):
    """This machine's own address in the lab."""
    return f'{prefix}.1'


def switch_of(prefix):
    """The switch's own address, where the registry listens."""
    return f'{prefix}.2'


def _taken():
    """The networks that this machine routes, save those as wide as all of 10.0.0.0/8."""
    taken = []
    for route in json.loads(host.run('ip', '-json', '-4', 'route', 'show', 'table', 'all')):
        destination = route.get('dst', 'default')
        if destination != 'default':
            network = ipaddress.ip_network(destination, strict=False)
            if network.prefixlen > 8:
                taken.append(network)
    return taken


def _free_prefix(name):
    """The first three numbers of a /24 that nothing here uses; by the lab's name, so that the
    same lab tends to get the same addresses again."""
    taken = _taken()
    first = zlib.crc32(name.encode())
    for attempt in range(1024):
        number = (first + attempt) % 1024
        prefix = f'10.{212 + number // 256}.{number % 256}'
        candidate = ipaddress.ip_network(f'{prefix}.0/24')
        if not any(candidate.overlaps(network) for network in taken):
            return prefix
    raise LabError('no free network below 10.212.0.0/14 on this machine')


def create(lab, tied):
    """Starts the switch and plugs this machine in. Returns the prefix of the lab's network."""
    script = '''
        ip link add br0 type bridge
        ip link set br0 up
        ip link set lo up
    '''
    switch = host.start_namespace(lab.state, SWITCH, script, lab.path('switch.log'), tied)
    # The lock keeps two labs that start at once from taking one network.
    directory = os.open(os.path.dirname(lab.state), os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        prefix = _free_prefix(lab.name)
        host.run('ip', 'link', 'add', lab.name, 'type', 'veth',
                 'peer', 'name', UPLINK, 'netns', str(switch.pid))
        host.run('ip', 'address', 'add', f'{gateway_of(prefix)}/24', 'dev', lab.name)
        host.run('ip', 'link', 'set', lab.name, 'up')
    finally:
        os.close(directory)
    in_switch(switch, 'ip', 'address', 'add', f'{switch_of(prefix)}/24', 'dev', BRIDGE)
    in_switch(switch, 'ip', 'link', 'set', UPLINK, 'master', BRIDGE, 'up')
    return prefix


def in_switch(switch, *argv):
    """Runs a command in the switch's network."""
    return host.run(*host.inside(switch, *argv, kinds=('net',)))


def plug(switch, init, node):
    """Lays the cable between the switch and a node, whose end of it is eth0."""
    host.run('ip', 'link', 'add', node.name, 'netns', str(switch.pid),
             'type', 'veth', 'peer', 'name', 'eth0', 'netns', str(init.pid))
    in_switch(switch, 'ip', 'link', 'set', node.name, 'master', BRIDGE, 'up')
    for command in (['ip', 'link', 'set', 'lo', 'up'],
                    ['ip', 'address', 'add', f'{node.ip}/24', 'dev', 'eth0'],
                    ['ip', 'link', 'set', 'eth0', 'up']):
        host.run(*host.inside(init, *command, kinds=('net',)))


def set_link(switch, node, up):
    """Pulls a node's cable out, or puts it back."""
    in_switch(switch, 'ip', 'link', 'set', node.name, 'up' if up else 'down')


def link_is_up(switch, node):
    link = json.loads(in_switch(switch, 'ip', '-json', 'link', 'show', node.name))[0]
    return 'UP' in link['flags']


def remove(name):
    """Takes this machine's link to a lab away where it is still there."""
    if os.path.exists(f'/sys/class/net/{name}'):
        host.run('ip', 'link', 'delete', name, check=False)
        host.wait_until(lambda: not os.path.exists(f'/sys/class/net/{name}'), 10,
                        f'the link {name} is gone')
