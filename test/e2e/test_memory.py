# SPDX-License-Identifier: Apache-2.0
"""What a pool costs a manager in memory, over simulated engines: the bounds of the contract.
test/bench/pool.py, which measures it, tells the figures of larger pools."""

import os
import sys

import pytest

from lab import binary
from lab.manager import REPOSITORY

sys.path.insert(0, os.path.join(REPOSITORY, 'test', 'bench'))
import pool

pytestmark = pytest.mark.slow

KIB = 1024
NODES = 1000
CONTAINERS = 500  # on each of a hundred nodes


@pytest.mark.parametrize('what, measure, many, bound', [
    ('an idle node over TCP', pool.memory_of_nodes, NODES, 32 * KIB),
    ('an idle node over TLS', pool.memory_of_nodes_over_tls, NODES, 64 * KIB),
    ('a container of a list entry of 1 KiB', pool.memory_of_containers, CONTAINERS, 1.5 * KIB),
])
def test_memory(what, measure, many, bound, say):
    used = measure(os.path.dirname(binary()), many)
    say(f'{what}: {used / KIB:.2f} KiB')
    assert used <= bound
