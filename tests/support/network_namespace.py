"""A process in a network of its own, joined to this machine by a pair of virtual interfaces.

Needs root and Linux's network namespaces; `why_not` says what is missing.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

PROGRAM: Final = ("unshare", "--net", sys.executable)
"""Starts Python in a network of its own, as the same process."""


def why_not() -> str:
    """Why there can't be one here; empty when there can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "networks of processes' own need Linux and root"
    missing = [name for name in ("ip", "nsenter", "unshare") if shutil.which(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    done = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, check=False)
    return f"network namespaces are not allowed: {done.stderr.strip()}" if done.returncode else ""


@dataclass
class PrivateNetwork:
    """This machine's end of the pair has the address `host`; the process's end the one that it was given last."""

    name: str
    subnet: str
    host: str
    _address: str = ""
    _pid: int = field(default=0)

    async def admit(self, pid: int) -> None:
        """Give a process, started by `PROGRAM`, its end of the pair and a first address."""
        self._pid = pid
        # The process has its network a moment after it has begun.
        own = os.readlink("/proc/self/ns/net")
        async with asyncio.timeout(10):
            while os.readlink(f"/proc/{pid}/ns/net") == own:  # noqa: ASYNC110  # nobody announces it
                await asyncio.sleep(0.005)
        await _run("ip", "link", "set", f"{self.name}b", "netns", str(pid))
        await self._run_inside("ip", "link", "set", f"{self.name}b", "up")
        await self.move(2)

    async def move(self, number: int) -> None:
        """Take the process's address away and give it another one; its connections are told nothing."""
        if self._address:
            await self._run_inside("ip", "address", "del", self._address, "dev", f"{self.name}b")
        self._address = f"{self.subnet}.{number}/24"
        await self._run_inside("ip", "address", "add", self._address, "dev", f"{self.name}b")

    async def _run_inside(self, *command: str) -> None:
        await _run("nsenter", "--target", str(self._pid), "--net", *command)


@asynccontextmanager
async def private_network() -> AsyncGenerator[PrivateNetwork]:
    """Make the pair; it goes with its end."""
    name, subnet = f"gb{os.getpid() % 1_000_000}", f"10.213.{os.getpid() % 250}"
    network = PrivateNetwork(name, subnet, f"{subnet}.1")
    await _run("ip", "link", "add", f"{name}a", "type", "veth", "peer", "name", f"{name}b")
    try:
        await _run("ip", "address", "add", f"{network.host}/24", "dev", f"{name}a")
        await _run("ip", "link", "set", f"{name}a", "up")
        yield network
    finally:
        # It is gone already when the other end's network has ended.
        with suppress(AssertionError):
            await _run("ip", "link", "del", f"{name}a")


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, err = await process.communicate()
    assert process.returncode == 0, f"{' '.join(command)}: {err.decode()}"
