"""Lists of workspaces that follow what becomes of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from genba_gateway.domain import channels
from genba_gateway.domain.actors import UserActor
from genba_gateway.services.workspace_sights import PAUSE_S
from genba_gateway.services.workspaces import WATCH_REFRESH_S, WorkspacePage, Workspaces
from genba_gateway.store.pubsub import PubSub


class WorkspaceLists:
    """Use cases on many workspaces at once.

    Args:
        pause_s: the least time between two readings of a list: all its workspaces are read for a change of one.
    """

    def __init__(self, workspaces: Workspaces, pubsub: PubSub, *, pause_s: float = PAUSE_S) -> None:
        self._workspaces = workspaces
        self._pubsub = pubsub
        self._pause_s = pause_s

    async def watch_matching(
        self, actor: UserActor, text: str, *, limit: int, offset: int
    ) -> AsyncGenerator[WorkspacePage]:
        """What `Workspaces.list_matching` lists, now and after each change of it.

        Raises:
            BadRequest: the search is wrong.
        """
        listed: tuple[str, ...] = ()
        while True:
            # A workspace comes into the list with a job, which all hear of; those in it say themselves what they do.
            with self._pubsub.subscribe(channels.JOBS, *map(channels.of_workspace, listed)) as subscription:
                page = await self._workspaces.list_matching(actor, text, limit=limit, offset=offset)
                yield page
                before, listed = listed, tuple(workspace.id for workspace in page.workspaces)
                # Others than before are waited for by a subscription of their own, made before the next reading.
                if before == listed:
                    await subscription.changed(WATCH_REFRESH_S)
                await asyncio.sleep(self._pause_s)
