# SPDX-License-Identifier: Apache-2.0
"""A relay that makes an engine slow: what passes is held back for a while and let through at a
limited rate, each way. It keeps half-closes and resets, and holds little.

Run by `lab slow` inside a node. It prints the port that it listens on. SIGTERM means that nobody
is sent here any more: what is still connected goes on at full speed, and the relay ends with the
last of it.
"""

import argparse
import asyncio
import collections
import signal
import socket
import struct

PIECE = 16 * 1024
HELD_AT_MOST = 256 * 1024


class Speed:
    def __init__(self, delay, rate):
        self.delay = delay
        self.rate = rate

    def lift(self):
        self.delay = 0
        self.rate = 0


async def carry(reader, writer, speed):
    """Copies one direction until its end of file. Reading runs ahead of writing, so that a delay
    costs time and no throughput."""
    loop = asyncio.get_running_loop()
    line = collections.deque()
    changed = asyncio.Condition()

    async def fill():
        while True:
            data = await reader.read(PIECE)
            async with changed:
                line.append((loop.time() + speed.delay, data))
                changed.notify_all()
                if not data:
                    return
                await changed.wait_for(lambda: len(line) * PIECE < HELD_AT_MOST)

    async def drain():
        while True:
            async with changed:
                await changed.wait_for(lambda: line)
                due, data = line.popleft()
                changed.notify_all()
            if speed.delay:
                await asyncio.sleep(due - loop.time())
            if not data:
                writer.write_eof()
                return
            writer.write(data)
            await writer.drain()
            if speed.rate:
                await asyncio.sleep(len(data) / speed.rate)

    async with asyncio.TaskGroup() as group:
        group.create_task(fill())
        group.create_task(drain())


def reset(writer):
    connection = writer.get_extra_info('socket')
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    writer.transport.abort()


async def serve(target, speed):
    host, _, port = target.rpartition(':')
    open_connections = set()
    idle = asyncio.Event()

    async def connected(reader, writer):
        open_connections.add(writer)
        idle.clear()
        onward = None
        try:
            onward_reader, onward = await asyncio.open_connection(host, int(port), limit=PIECE)
            async with asyncio.TaskGroup() as group:
                group.create_task(carry(reader, onward, speed))
                group.create_task(carry(onward_reader, writer, speed))
            onward.close()
            writer.close()
        except* OSError:
            for end in (writer, onward):
                if end is not None:
                    reset(end)
        finally:
            open_connections.discard(writer)
            if not open_connections:
                idle.set()

    idle.set()
    server = await asyncio.start_server(connected, '0.0.0.0', 0, limit=PIECE)
    print(server.sockets[0].getsockname()[1], flush=True)
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    await over.wait()
    speed.lift()
    server.close()
    await idle.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--to', required=True, help='host:port')
    parser.add_argument('--delay', type=float, default=0, help='seconds, each way')
    parser.add_argument('--rate', type=float, default=0, help='bytes a second, each way')
    options = parser.parse_args()
    asyncio.run(serve(options.to, Speed(options.delay, options.rate)))


if __name__ == '__main__':
    main()
