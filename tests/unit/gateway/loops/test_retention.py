from __future__ import annotations

from typing import cast

import pytest

from genba_gateway.loops.retention import INTERVAL_S, Pruning
from genba_gateway.services.retention import Retention


class Ended(Exception):
    """The test has seen enough."""


class Old:
    """Fails at its first removal."""

    def __init__(self) -> None:
        self.pruned = 0

    async def prune(self) -> int:
        self.pruned += 1
        if self.pruned == 1:
            raise OSError("disk full")
        return 3


async def test_it_removes_at_the_start_and_every_hour_also_after_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    old, pauses = Old(), list[float]()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            raise Ended

    pruning = Pruning(cast("Retention", old), pause=pause)
    with pytest.raises(Ended):
        await pruning.run()
    assert (pauses, old.pruned, pruning.failed_steps) == ([INTERVAL_S] * 2, 2, 1)
    assert "can't be removed" in caplog.text
    assert "3 old rows" in caplog.text
