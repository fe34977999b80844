"""A Quart app served by a real Hypercorn on a free port of loopback, as the gateway is."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from hypercorn.asyncio import serve  # pyright: ignore[reportUnknownVariableType]  # its middleware is untyped
from hypercorn.config import Config
from hypercorn.typing import ASGIFramework
from quart import Quart

from tests.support.carriers import CEILING_S


@asynccontextmanager
async def served(app: Quart, shutdown: asyncio.Event) -> AsyncGenerator[str]:
    """Serve until the block ends, or `shutdown` is set; yields the URL. The shutdown has to succeed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = Config()
        config.bind = [f"fd://{os.dup(listener.fileno())}"]
        config.graceful_timeout = CEILING_S
        config.accesslog = None
        framework: ASGIFramework = app

        async def until_shutdown() -> None:
            await shutdown.wait()

        async with asyncio.TaskGroup() as tasks:
            server = tasks.create_task(serve(framework, config, shutdown_trigger=until_shutdown))
            try:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                shutdown.set()
                async with asyncio.timeout(CEILING_S):
                    await server
