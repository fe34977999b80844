"""One of the processes of bench/apps.py: `python -m bench.app_process ROLE …`.

Each prints lines of JSON. The echo ends when its stdin does.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time

from websockets.asyncio.server import ServerConnection, serve

from bench.load_roles import end_with_stdin_later, say

READ_BYTES = 256 * 1024


def run_fetch(port: int, request: str) -> None:
    """Send a request to a port of loopback, read its answer to the end; say how much came and how long it took."""
    memory = bytearray(READ_BYTES)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        began = time.perf_counter()
        connection.sendall(json.loads(request).encode())
        received = 0
        while got := connection.recv_into(memory):
            received += got
        say(received=received, seconds=time.perf_counter() - began)


async def run_echo() -> None:
    """Serve websockets that send back what comes."""

    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with serve(echo, "127.0.0.1", 0, compression=None) as server:
        say(port=next(iter(server.sockets)).getsockname()[1])
        await server.serve_forever()


def main() -> None:
    """Run the role that the arguments name."""
    role, *arguments = sys.argv[1:]
    if role == "fetch":
        run_fetch(int(arguments[0]), arguments[1])
    else:
        end_with_stdin_later()
        asyncio.run(run_echo())


if __name__ == "__main__":
    main()
