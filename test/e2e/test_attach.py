# SPDX-License-Identifier: Apache-2.0
"""docker attach: who joins a container's own process."""

import signal

import pytest


@pytest.mark.every_cli
def test_attach(pair):
    """Several may attach; each sees what comes after it came."""
    pair.ok('create', '-i', '--name', 'echo', 'busybox', 'sh', '-c',
            'while read line; do echo "out $line"; echo "err $line" >&2; done; exit 4')
    pair.ok('start', 'echo')

    def story(side):
        with side.background('attach', 'echo') as first:
            first.send('1\n')
            first.expect('out 1(.|\n)*err 1|err 1(.|\n)*out 1')
            with side.background('attach', '--no-stdin', 'echo') as second:
                # The second one is known to be there once it shows a line that came later.
                number = 1
                while 'out' not in second.text:
                    number += 1
                    first.send(f'{number}\n')
                    first.expect(f'out {number}\n')
                    data = second._read(0.2)
                    second.output += data or b''
                first.end_input()
                codes = first.wait(), second.wait()
        return codes, side.said('wait', 'echo')

    assert pair.tell(story) == ((4, 4), (0, '4\n', ''))


def test_attach_and_signals(pair):
    trap = 'trap "exit 12" TERM; while :; do echo ready; sleep 0.1; done'
    pair.ok('run', '-d', '--name', 'one', 'busybox', 'sh', '-c', trap)
    pair.ok('run', '-d', '--name', 'two', 'busybox', 'sh', '-c', trap)

    def story(side):
        with side.background('attach', 'one') as attached:
            attached.expect('ready')
            attached.signal(signal.SIGTERM)
            proxied = attached.wait()
        with side.background('attach', '--sig-proxy=false', 'two') as attached:
            attached.expect('ready')
            alone = attached.end_by(signal.SIGTERM, 3)
        return proxied, alone, side.said('inspect', '-f', '{{.State.Running}}', 'two')

    told = pair.tell(story)
    assert told[0] == 12 and told[2][1] == 'true\n'
