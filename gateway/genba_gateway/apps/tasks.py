"""Tasks beside a request: what goes wrong in one ends that request, and nobody else's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

log = logging.getLogger(__name__)

UNKNOWN_END: Final = "The gateway could not find out whether this may go on."


def start_task(
    tasks: asyncio.TaskGroup, work: Coroutine[Any, Any, None], *, name: str, on_failure: Callable[[], object]
) -> asyncio.Task[None]:
    """Run `work` in a group that many requests share: its failure is logged and never ends the group.

    Args:
        on_failure: ends the request that `work` belongs to.
    """
    return tasks.create_task(_contain(work, name, on_failure), name=name)


async def wait_reason(wait_for_end: Callable[[], Awaitable[str]]) -> str:
    """Why a request must end; when that can't be found out it ends, too: nobody would watch it any more."""
    try:
        return await wait_for_end()
    except Exception:
        log.exception("it could not be watched whether a request to an app may go on")
        return UNKNOWN_END


async def _contain(work: Coroutine[Any, Any, None], name: str, on_failure: Callable[[], object]) -> None:
    try:
        await work
    except Exception:
        log.exception("%s: it failed, and its request was ended", name)
        on_failure()
