"""What is shown of a job while it waits and runs, with streams that answer when the test says so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Self, cast

from genba_ide_bridge.api.streams import Streams
from genba_ide_bridge.cli.following import _JobFollower  # pyright: ignore[reportPrivateUsage]  # its public face needs a gateway
from genba_wire.api.jobs import JobLog
from genba_wire.api.workspaces import WorkspaceBuild


class Shown:
    """Remembers what a progress display was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: object, exc: object, traceback: object) -> None:
        """Nothing to put away."""

    def show_queue(self, position: int, size: int) -> None:
        self.told.append(f"queued {position} of {size}")

    def show_line(self, line: JobLog) -> None:
        self.told.append(line.output)

    def show_failure_tail(self) -> None:
        """No job fails here."""


async def test_a_place_in_the_queue_that_comes_after_the_first_line_is_not_shown() -> None:
    asked, said = asyncio.Event(), asyncio.Event()
    pending = SimpleNamespace(job=SimpleNamespace(status="pending", queue_position=2, queue_size=5))

    async def get_build() -> Any:
        asked.set()
        await said.wait()  # the answer is on its way while the build begins
        return pending

    async def persist(ask: Callable[[], Awaitable[Any]]) -> Any:
        return await ask()

    async def follow_log(_path: str, _kind: object, _cursor: object, show: Callable[[JobLog], None], _: object) -> None:
        await asked.wait()
        line = JobLog(
            id=1, created_at=datetime.now(UTC), log_source="provisioner", log_level="info", stage="s", output="begun"
        )
        show(line)
        said.set()
        for _turn in range(5):
            await asyncio.sleep(0)

    shown = Shown()
    streams = cast("Streams", SimpleNamespace(persist=persist, follow_log=follow_log))
    follower: _JobFollower[WorkspaceBuild] = _JobFollower(streams, "/logs", get_build, shown)
    await follower.run()
    assert shown.told == ["begun"]
