# SPDX-License-Identifier: Apache-2.0
"""Much data, many commands, and readers that stall: nothing is lost, and memory stays flat."""

import concurrent.futures
import hashlib
import http.client
import os
import subprocess
import time

import pytest

from lab import Manager, binary, wait_until

MIB = 1 << 20
LINE = b'0123456789abcdef' * 7 + b'the end of it.\n'


def text_of(size):
    return (LINE * (size // len(LINE) + 1))[:size]


def writes(size):
    """A command that writes text_of(size)."""
    return ['sh', '-c', f'yes {LINE.decode().strip()!r} | head -c {size}']


def resident(pid):
    """Memory of a process in bytes, what it shares left out."""
    with open(f'/proc/{pid}/status') as status:
        fields = dict(line.split(':', 1) for line in status)
    return int(fields['RssAnon'].split()[0]) * 1024


def checksum(data):
    return hashlib.md5(data).hexdigest()


@pytest.mark.every_cli
def test_much_output_through_attach(pair):
    size = 100 * MIB
    done = pair.pool.docker('run', '--rm', '--log-driver', 'none', 'busybox', *writes(size),
                            binary=True, timeout=120)
    assert done.code == 0 and done.stderr == b'', done.stderr[:2000]
    assert len(done.stdout) == size and checksum(done.stdout) == checksum(text_of(size))


@pytest.mark.every_cli
def test_much_input(pair):
    data = text_of(50 * MIB)
    done = pair.pool.docker('run', '--rm', '-i', 'busybox', 'md5sum', input=data, timeout=120)
    assert (done.code, done.stdout) == (0, f'{checksum(data)}  -\n'), done
    done = pair.pool.docker('run', '--rm', '-i', '--log-driver', 'none', 'busybox', 'cat',
                            input=data[:10 * MIB], timeout=120, binary=True)
    assert (done.code, checksum(done.stdout)) == (0, checksum(data[:10 * MIB]))


@pytest.mark.parametrize('size', [20 * MIB, pytest.param(100 * MIB, marks=pytest.mark.slow)])
def test_many_logs(pair, size):
    """Whole, and the manager is no larger after it."""
    done = pair.pool.docker('run', '-d', '--name', 'talker', 'busybox', *writes(size)).ok()
    assert pair.pool.docker('wait', 'talker', timeout=120).ok().stdout == '0\n', done
    before = resident(pair.manager.pid)
    done = pair.pool.docker('logs', 'talker', binary=True, timeout=120)
    assert done.code == 0 and len(done.stdout) == size
    assert checksum(done.stdout) == checksum(text_of(size))
    assert resident(pair.manager.pid) - before < 8 * MIB


@pytest.mark.parametrize('size', [32 * MIB, pytest.param(200 * MIB, marks=pytest.mark.slow)])
def test_a_reader_that_stalls_costs_no_memory(pair, size):
    """What a stopped reader does not take stays with the engine."""
    pair.pool.docker('run', '-d', '--name', 'talker', 'busybox', *writes(size)).ok()
    pair.pool.docker('wait', 'talker', timeout=120).ok()
    before = resident(pair.manager.pid)
    with pair.pool.background('logs', 'talker') as stalled, \
            pair.pool.background('run', '--rm', '--log-driver', 'none', 'busybox', 'yes') as second:
        first = stalled._read(30)
        assert first and second._read(30)
        # While those two stand, others are served: 20 requests, among them 10 MB of input.
        for number in range(20):
            assert pair.pool.http('GET', '/containers/talker/json').status == 200
        data = text_of(10 * MIB)
        done = pair.pool.docker('run', '--rm', '-i', 'busybox', 'md5sum', input=data)
        assert done.stdout == f'{checksum(data)}  -\n', done
        grown = resident(pair.manager.pid) - before
        assert grown < 16 * MIB, f'the manager grew by {grown // 1024} KiB'
        # The one that stalled goes on and has all.
        total = len(first)
        while data := stalled._read(60):
            total += len(data)
        assert total == size


@pytest.mark.slow
def test_who_takes_nothing_for_a_while(pair):
    """A container that reads its input after 45 s has it whole, as has a client that begins to read
    then: a host is given up sooner, who is behind it is not."""
    data = text_of(32 * MIB)
    pair.pool.docker('run', '-d', '--name', 'talker', 'busybox', *writes(len(data))).ok()
    pair.pool.docker('wait', 'talker', timeout=120).ok()
    with pair.pool.background('logs', 'talker') as stalled:
        total = len(stalled._read(30))
        done = pair.pool.docker('run', '--rm', '-i', 'busybox', 'sh', '-c', 'sleep 45; md5sum',
                                input=data, timeout=120)
        assert (done.code, done.stdout) == (0, f'{checksum(data)}  -\n'), done
        while piece := stalled._read(60):
            total += len(piece)
        assert total == len(data)


def test_a_container_that_does_not_read(pair):
    """Input that nobody takes stays with the client."""
    before = resident(pair.manager.pid)
    pair.pool.docker('run', '-d', '--name', 'box', 'busybox', 'sleep', '1000').ok()
    with pair.pool.background('exec', '-i', 'box', 'sh', '-c', 'echo up; sleep 1000') as deaf:
        deaf.expect('up')

        def pour():
            try:
                for _ in range(64):
                    deaf.send(bytes(MIB))
            except OSError:
                return False
            return True

        with concurrent.futures.ThreadPoolExecutor(1) as workers:
            pouring = workers.submit(pour)
            for _ in range(20):
                assert pair.pool.http('GET', '/containers/box/json').status == 200
            grown = resident(pair.manager.pid) - before
            assert grown < 16 * MIB, f'the manager grew by {grown // 1024} KiB'
            deaf.process.kill()
            assert not pouring.result(30), 'it swallowed 64 MiB that nobody reads'


@pytest.mark.parametrize('count', [40, pytest.param(500, marks=pytest.mark.slow)])
def test_execs_in_a_row(pair, count):
    pair.pool.docker('run', '-d', '--name', 'box', 'busybox', 'sleep', '1000').ok()
    before = resident(pair.manager.pid)
    began = time.monotonic()
    for number in range(count):
        done = pair.pool.docker('exec', 'box', 'sh', '-c', f'echo {number}; exit {number % 100}')
        assert (done.code, done.stdout, done.stderr) == (number % 100, f'{number}\n', ''), done
    print(f'{count} execs in {time.monotonic() - began:.1f} s')
    assert resident(pair.manager.pid) - before < 4 * MIB


@pytest.mark.parametrize('count', [16, pytest.param(60, marks=pytest.mark.slow)])
def test_runs_at_once(pair, count):
    """Each has its own exit code and its own output, and nothing is left."""
    def run(number):
        return number, pair.pool.docker('run', '--rm', 'busybox', 'sh', '-c',
                                        f'echo out {number}; echo err {number} >&2; '
                                        f'exit {number % 100}', timeout=170)

    with concurrent.futures.ThreadPoolExecutor(count) as workers:
        for number, done in workers.map(run, range(count)):
            assert (done.code, done.stdout, done.stderr) == \
                (number % 100, f'out {number}\n', f'err {number}\n'), done
    assert pair.pool.docker('ps', '-aq').stdout == ''


def test_names_are_given_once_also_at_once(pair):
    """Of many that create one name at the same time, one succeeds, and all others hear why."""
    def create(number):
        return pair.pool.http('POST', '/containers/create?name=wanted',
                              {'Image': 'busybox', 'Cmd': [str(number)]})

    with concurrent.futures.ThreadPoolExecutor(20) as workers:
        replies = list(workers.map(create, range(20)))
    assert sorted(reply.status for reply in replies) == [201] + [409] * 19
    for reply in replies:
        if reply.status == 409:
            assert 'The name wanted is already assigned' in reply.message()
    assert len(pair.pool.docker('ps', '-aq').lines) == 1


def test_clients_that_come_and_go(pair):
    """Connections that are reset at any point of a request leave nothing behind."""
    manager = pair.manager
    pair.pool.docker('run', '-d', '--name', 'box', 'busybox', 'sleep', '1000').ok()
    requests = [b'GET', b'GET /containers/json HTTP/1.1\r\n',
                b'GET /containers/json HTTP/1.1\r\nHost: x\r\n\r\n',
                b'GET /containers/box/logs?stdout=1&follow=1 HTTP/1.1\r\nHost: x\r\n\r\n',
                b'GET /events HTTP/1.1\r\nHost: x\r\n\r\n',
                b'GET /containers/box/stats HTTP/1.1\r\nHost: x\r\n\r\n',
                b'POST /containers/box/wait HTTP/1.1\r\nHost: x\r\n\r\n',
                b'POST /containers/box/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\n'
                b'Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n',
                b'POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{']

    def descriptors():
        return len(os.listdir(f'/proc/{manager.pid}/fd'))

    def round_of_requests():
        for request in requests:
            for answered in (False, True):
                wire = pair.pool.wire()
                wire.send(request)
                if answered and request.endswith(b'\r\n\r\n'):
                    wire.head()
                wire.reset()

    round_of_requests()
    before = descriptors()
    for _ in range(20):
        round_of_requests()
    wait_until(lambda: descriptors() <= before + 8, 20,
               f'the manager has as few descriptors as before ({before})')
    assert pair.pool.docker('exec', 'box', 'echo', 'alive').stdout == 'alive\n'



@pytest.fixture
def five_engines(tmp_path):
    """A manager over five engines that are simulated: they take whatever is uploaded."""
    program = os.path.join(os.path.dirname(binary()), 'test', 'bench', 'bench-engines')
    with subprocess.Popen([program, '0', '5', '0'], stdout=subprocess.PIPE, text=True) as engines:
        manager = Manager(f'127.1.0.[0:4]:{int(engines.stdout.readline())}', tmp_path / 'log')
        try:
            manager.start(healthy=5)
            yield manager
            manager.check_descriptors()
        finally:
            manager.stop()
            engines.terminate()


@pytest.mark.slow
def test_a_load_of_two_gigabytes(five_engines):
    """It goes to five nodes through one buffer."""
    size, piece = 2048 * MIB, bytes(MIB)
    before = peak = resident(five_engines.pid)

    def pieces():
        nonlocal peak
        for _ in range(size // len(piece)):
            peak = max(peak, resident(five_engines.pid))
            yield piece

    connection = http.client.HTTPConnection(*five_engines.address.split(':'), timeout=600)
    connection.request('POST', '/images/load', body=pieces(),
                       headers={'Content-Type': 'application/x-tar', 'Content-Length': str(size)})
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    assert reply.status == 200 and body.count(b'Loaded image: big:latest') == 5, body[:2000]
    print(f'{(peak - before) / MIB:.1f} MiB above an idle manager')
    assert peak - before < 32 * MIB
