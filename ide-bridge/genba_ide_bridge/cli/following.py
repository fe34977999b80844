"""Waits for jobs and shows them: builds of workspaces and imports of templates."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from genba_ide_bridge.api.calls import in_path
from genba_ide_bridge.api.streams import LogCursor, Streams
from genba_ide_bridge.cli.build_facts import is_over
from genba_ide_bridge.cli.output import note
from genba_ide_bridge.cli.progress import JobProgress, OutageNotes, make_progress
from genba_ide_bridge.errors import BridgeError
from genba_wire.api.jobs import JobLog, ProvisionerJob
from genba_wire.api.templates import TemplateVersion
from genba_wire.api.workspaces import WorkspaceBuild

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient


@dataclass(frozen=True, slots=True)
class DryRun:
    """A job that is for nothing but itself."""

    job: ProvisionerJob


SubjectT = TypeVar("SubjectT", WorkspaceBuild, TemplateVersion, DryRun)

QUEUE_INTERVAL_S: Final = 1.0
"""The place in the queue has no stream: it is asked for this often, while the job waits."""


@dataclass(slots=True)
class _JobFollower(Generic[SubjectT]):
    streams: Streams
    log_path: str
    get_subject: Callable[[], Awaitable[SubjectT]]
    progress: JobProgress
    has_begun: bool = False

    async def run(self) -> SubjectT:
        """Show the job until it is over; returns what it was for, as it is then."""
        with self.progress:
            async with asyncio.TaskGroup() as group:
                queue = group.create_task(self._show_queue(), name="queue position")
                await self.streams.follow_log(self.log_path, JobLog, LogCursor(), self._show_line, self._is_complete)
                queue.cancel()
        return await self.streams.persist(self.get_subject)

    def _show_line(self, line: JobLog) -> None:
        self.has_begun = True
        self.progress.show_line(line)

    async def _is_complete(self) -> bool:
        return is_over((await self.get_subject()).job)

    async def _show_queue(self) -> None:
        while True:
            job = (await self.streams.persist(self.get_subject)).job
            # An answer that was on its way when the first line came is out of date.
            if job.status != "pending" or self.has_begun:
                return
            self.progress.show_queue(job.queue_position, job.queue_size)
            await asyncio.sleep(QUEUE_INTERVAL_S)


async def follow_build(client: GatewayClient, build: WorkspaceBuild, *, title: str, name: str) -> WorkspaceBuild:
    """Show a build until it is over.

    Args:
        client: the gateway.
        build: as it is when the wait begins.
        title: what is being done, for the live line.
        name: the workspace, as the user would type it.

    Raises:
        BridgeError: the build failed or was canceled; says why and what to do.
    """
    follower = _JobFollower(
        Streams(client.calls, OutageNotes(client.base_url)),
        f"/workspacebuilds/{in_path(build.id)}/logs",
        lambda: client.workspaces.get_build(build.id),
        make_progress(title),
    )
    try:
        done = await follower.run()
    except asyncio.CancelledError:
        note(f"The build goes on without this command: `genba logs -f {name}` shows it.")
        raise
    if done.job.status != "succeeded":
        follower.progress.show_failure_tail()
        raise build_failure(done, name)
    return done


def build_failure(build: WorkspaceBuild, name: str) -> BridgeError:
    """Why a build is not what was asked for, and what to try."""
    log = f"`genba logs {name} --build {build.build_number}` shows its log"
    if build.job.status == "canceled":
        return BridgeError(f"Build {build.build_number} of {name} was canceled.", f"{log}.")
    reason = build.job.error or build.status_reason or "no reason was given"
    remedies = {
        "start": f"try again with `genba start {name}`.",
        "stop": f"try again with `genba stop {name}`, or remove all with `genba delete {name}`.",
        "delete": f"`genba delete --orphan {name}` forgets the workspace and leaves its resources.",
    }
    return BridgeError(
        f"Build {build.build_number} of {name} ({build.transition}) failed: {reason}",
        f"{log}; {remedies.get(build.transition, 'try again.')}",
    )


async def follow_import(client: GatewayClient, version: TemplateVersion, *, title: str) -> TemplateVersion:
    """Show a template version's import until it is over; the caller looks whether it succeeded."""
    follower = _JobFollower(
        Streams(client.calls, OutageNotes(client.base_url)),
        f"/templateversions/{in_path(version.id)}/logs",
        lambda: client.templates.get_version(version.id),
        make_progress(title),
    )
    done = await follower.run()
    if done.job.status != "succeeded" and done.job.error_code != "REQUIRED_TEMPLATE_VARIABLES":
        follower.progress.show_failure_tail()
    return done


async def follow_dry_run(client: GatewayClient, version_id: str, job: ProvisionerJob, *, title: str) -> ProvisionerJob:
    """Show a dry run until it is over.

    Raises:
        BridgeError: it failed or was canceled; says why.
    """

    async def get_job() -> DryRun:
        return DryRun(await client.templates.get_dry_run(version_id, job.id))

    path = f"/templateversions/{in_path(version_id)}/dry-run/{in_path(job.id)}/logs"
    follower = _JobFollower(Streams(client.calls, OutageNotes(client.base_url)), path, get_job, make_progress(title))
    done = (await follower.run()).job
    if done.status != "succeeded":
        follower.progress.show_failure_tail()
        reason = done.error or f"its plan is {done.status}"
        raise BridgeError(
            f"A workspace can't be made like this: {reason}",
            "Try other values; what the template does wrong, its author has to mend.",
        )
    return done
