"""The file in which editors look how the connection is (contract 2.1.3): `<pid of ssh>.json`, rewritten every 5 s."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from genba_ide_bridge.sessions.byte_session import Traffic

STALE_S: Final = 600.0
"""Files of others that nobody has rewritten for so long were left by calls that were killed."""


@dataclass(slots=True)
class NetworkInfo:
    """Rewrites the file until cancelled, then removes it.

    `relay` names the way: the gateway's host. Sessions are never peer to peer.
    """

    folder: Path
    ssh_pid: int
    relay: str
    traffic: Traffic
    round_trip_s: Callable[[], float]
    interval_s: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _last: tuple[float, int, int] = field(default=(0.0, 0, 0))
    _is_over: bool = False
    _writing: threading.Lock = field(default_factory=threading.Lock)

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / f"{self.ssh_pid}.json"

    async def run(self) -> None:
        """Keep the file fresh. What the disk refuses is left: a session must not end for it."""
        self._last = (self.clock(), self.traffic.sent, self.traffic.received)
        try:
            await asyncio.to_thread(self._prepare)
            while True:
                await asyncio.to_thread(self._write, self._measure())
                await self.sleep(self.interval_s)
        finally:
            await asyncio.to_thread(self._remove)

    def _measure(self) -> dict[str, object]:
        then, sent, received = self._last
        now = self.clock()
        self._last = (now, self.traffic.sent, self.traffic.received)
        passed_s = max(now - then, 0.001)
        latency_ms = round(self.round_trip_s() * 1000, 3)
        return {
            "p2p": False,
            "latency": latency_ms,
            "preferred_derp": self.relay,
            "derp_latency": {self.relay: latency_ms},
            "upload_bytes_sec": int((self.traffic.sent - sent) / passed_s),
            "download_bytes_sec": int((self.traffic.received - received) / passed_s),
            "using_coder_connect": False,
        }

    def _prepare(self) -> None:
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            remove_stale(self.folder, time.time())

    def _write(self, info: dict[str, object]) -> None:
        # Whole or not at all: an editor reads it at any time.
        with self._writing, suppress(OSError):
            if not self._is_over:
                fresh = self.folder / f".{self.ssh_pid}.{os.getpid()}"
                fresh.write_text(json.dumps(info), encoding="utf-8")
                fresh.replace(self.path)

    def _remove(self) -> None:
        # A write that was begun ends first, and none begins afterwards.
        with self._writing, suppress(OSError):
            self._is_over = True
            self.path.unlink(missing_ok=True)


def remove_stale(folder: Path, now: float) -> None:
    """Remove the files of calls that left theirs behind."""
    for path in folder.glob("*.json"):
        if path.stem.isdigit():
            with suppress(OSError):
                if now - path.stat().st_mtime > STALE_S:
                    path.unlink()
