# SPDX-License-Identifier: Apache-2.0
"""The lab: N real Docker Engines on one machine, each a host of its own.

    from lab import Lab
    lab = Lab('swarm-lab')
    lab.up(3)
    lab.nodes[0].docker('run', '--rm', 'busybox', 'echo', 'hello')
    lab.nodes[1].cut()
    lab.down()

It needs root and Debian's docker.io, busybox-static, iproute2, iptables and util-linux (and
docker-registry where a registry is asked for). README.md says how it is made.
"""

from .client import Result, clis, docker
from .host import LabError, wait_until
from .manager import Manager, binary
from .node import Node
from .pool import Lab

__all__ = ['Lab', 'LabError', 'Manager', 'Node', 'Result', 'binary', 'clis', 'docker',
           'wait_until']
