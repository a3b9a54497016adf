# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests are written with.

pair.py     the pool and one engine, asked the same and compared
neutral.py  takes out of an answer what must differ between two daemons
terminal.py a command line on a pseudo-terminal, or in the background
wire.py     HTTP by hand, to the byte
clean.py    leaves engines as they were found
process.py  a swarm command beside a test: a join, a token service, a manager
certs.py    certificates of a test's own, and the flags that name them
doubles.py  servers that say one thing to everybody
"""

from .clean import emptied, mended
from .neutral import Neutral
from .pair import Pair, Side
from .process import Process, running, swarm
from .terminal import Background, Terminal
from .wire import Wire, frames, message_of

__all__ = ['Background', 'Neutral', 'Pair', 'Process', 'Side', 'Terminal', 'Wire', 'emptied',
           'frames', 'mended', 'message_of', 'running', 'swarm']
