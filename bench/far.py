#!/usr/bin/env python3
"""A long line on 127.0.0.1: whoever connects to the port that is printed is
joined to PORT, and every byte arrives MS later, each way, however many are
under way. It ends with its stdin.

usage: far.py PORT MS
"""

import asyncio
import sys

READ_BYTES = 1 << 18


async def deliver(line, writer):
    clock = asyncio.get_running_loop().time
    while True:
        at, data = await line.get()
        if (wait := at - clock()) > 0:
            await asyncio.sleep(wait)
        if not data:
            writer.close()
            return
        writer.write(data)
        await writer.drain()


async def carry(reader, writer, delay):
    clock = asyncio.get_running_loop().time
    line = asyncio.Queue()
    work = asyncio.create_task(deliver(line, writer))
    data = b"-"
    while data:
        data = await reader.read(READ_BYTES)
        line.put_nowait((clock() + delay, data))
    await work


async def main(port, delay):
    async def join(reader, writer):
        there = await asyncio.open_connection("127.0.0.1", port,
                                              limit=READ_BYTES)
        # Either side may cut it.
        await asyncio.gather(carry(reader, there[1], delay),
                             carry(there[0], writer, delay),
                             return_exceptions=True)

    server = await asyncio.start_server(join, "127.0.0.1", 0,
                                        limit=READ_BYTES)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(
        None, sys.stdin.buffer.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]) / 1000))
