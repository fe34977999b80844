"""A workspace with all that its page shows live: its state, the log of its build, its agents' metadata."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from genba_gateway.domain import channels
from genba_gateway.domain.actors import UserActor
from genba_gateway.domain.agent_reports import MetadataItem
from genba_gateway.domain.jobs import JobStatus, StoredJobLog
from genba_gateway.domain.workspaces import Workspace
from genba_gateway.services.jobs import Jobs
from genba_gateway.services.workspaces import Workspaces
from genba_gateway.store import agent_metadata as metadata_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub

PAUSE_S: Final = 0.1
"""Between two looks: a build prints hundreds of lines a second at times, and nobody reads so fast."""

REFRESH_S: Final = 10.0
"""It is looked again after so long without a change: an agent's silence is a change that nobody publishes."""


@dataclass(frozen=True, slots=True)
class WorkspaceSight:
    """A workspace as it is now."""

    workspace: Workspace
    lines: Sequence[StoredJobLog]
    """Of its latest build's log, those after the former sight's; none of a build that has succeeded."""
    metadata: Mapping[str, Sequence[MetadataItem]]
    """By agent."""


class WorkspaceSights:
    """Looks at workspaces, once or again and again.

    Args:
        pause_s: the least time between two looks.
        refresh_s: the longest.
    """

    def __init__(
        self,
        database: Database,
        pubsub: PubSub,
        workspaces: Workspaces,
        jobs: Jobs,
        *,
        pause_s: float = PAUSE_S,
        refresh_s: float = REFRESH_S,
    ) -> None:
        self._database = database
        self._pubsub = pubsub
        self._workspaces = workspaces
        self._jobs = jobs
        self._pause_s = pause_s
        self._refresh_s = refresh_s

    async def look(
        self, actor: UserActor, workspace_id: str, *, job_id: str = "", after: int = 0, with_lines: bool = True
    ) -> WorkspaceSight:
        """The workspace now, deleted or not.

        Args:
            actor: who looks.
            workspace_id: at what.
            job_id: of the build that was the latest at the former look, if there was one.
            after: the last line of its log that is known.
            with_lines: False for none of them: a chatty build has tens of thousands.
        """
        workspace = await self._workspaces.get(actor, workspace_id, include_deleted=True)
        job = workspace.latest_build.job
        lines: Sequence[StoredJobLog] = ()
        # A build that is watched is read to its end; of one that succeeded before, nobody asks how it went.
        if with_lines and (job.status is not JobStatus.SUCCEEDED or job.id == job_id):
            lines = await self._jobs.list_logs(job.id, after=after if job.id == job_id else 0, before=None)
        metadata: dict[str, Sequence[MetadataItem]] = {}
        async with self._database.read() as connection:
            for agent_id in agent_ids_of(workspace):
                metadata[agent_id] = await metadata_store.list_metadata(connection, agent_id)
        return WorkspaceSight(workspace, lines, metadata)

    async def watch(
        self, actor: UserActor, workspace_id: str, *, with_lines: bool = True
    ) -> AsyncGenerator[WorkspaceSight]:
        """The workspace now and after each change, until it is deleted. Check that the actor may see it before."""
        job_id, after = "", 0
        watched: tuple[str, ...] = (channels.of_workspace(workspace_id),)
        while True:
            with self._pubsub.subscribe(*watched) as subscription:
                while True:
                    sight = await self.look(actor, workspace_id, job_id=job_id, after=after, with_lines=with_lines)
                    workspace, latest = sight.workspace, sight.workspace.latest_build.job.id
                    after = sight.lines[-1].id if sight.lines else (after if latest == job_id else 0)
                    job_id = latest
                    yield sight
                    if workspace.deleted:
                        return
                    if (now_watched := _channels_of(workspace)) != watched:
                        watched = now_watched
                        break  # and look again at once: what changed before the new subscription told nobody
                    await subscription.changed(self._refresh_s)
                    await asyncio.sleep(self._pause_s)


def agent_ids_of(workspace: Workspace) -> list[str]:
    """The agents of the latest build, in the order of its resources."""
    return [agent.id for resource in workspace.latest_build.resources for agent in resource.agents]


def _channels_of(workspace: Workspace) -> tuple[str, ...]:
    job = workspace.latest_build.job
    return (
        channels.of_workspace(workspace.id),
        channels.of_job(job.id),
        *([channels.JOBS] if job.status is JobStatus.PENDING else []),  # its place in the queue
        *(channels.of_agent_metadata(agent_id) for agent_id in agent_ids_of(workspace)),
    )
