from __future__ import annotations

from typing import cast

import pytest

from genba_gateway.loops.app_usage import INTERVAL_S, AppUsageWriting
from genba_gateway.services.app_usage import AppUsage


class Ended(Exception):
    """The test has seen enough."""


class Usage:
    """Fails at its first writing."""

    def __init__(self) -> None:
        self.flushed = 0

    async def flush(self) -> None:
        self.flushed += 1
        if self.flushed == 1:
            raise OSError("disk full")


async def test_it_writes_every_half_minute_also_after_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    usage, pauses = Usage(), list[float]()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise Ended

    writing = AppUsageWriting(cast("AppUsage", usage), pause=pause)
    with pytest.raises(Ended):
        await writing.run()
    assert (pauses, usage.flushed, writing.failed_steps) == ([INTERVAL_S] * 3, 2, 1)
    assert "can't be written" in caplog.text
