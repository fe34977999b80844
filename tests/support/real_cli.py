"""The real command line as a process, signed in to a real gateway."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.real_gateway import CEILING_S, RealGateway, clean_environment


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended."""

    code: int
    out: str
    err: str


class RealCli:
    """`genba` with a config folder of its own."""

    def __init__(self, folder: Path, gateway: RealGateway) -> None:
        self.environment = {
            **clean_environment(),
            "GENBA_CONFIG_DIR": str(folder),
            "GENBA_URL": gateway.url,
            "GENBA_SESSION_TOKEN": gateway.token,
        }

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """Start a command; the caller ends it."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "genba_ide_bridge.cli.main", *arguments),
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *arguments: str, expect: int | None = 0) -> Finished:
        """Run a command to its end and insist on its exit code."""
        process = await self.start(*arguments)
        async with asyncio.timeout(CEILING_S):
            out, err = await process.communicate()
        finished = Finished(process.returncode or 0, out.decode(), err.decode())
        assert expect is None or finished.code == expect, f"genba {' '.join(arguments)}: {finished}"
        return finished
