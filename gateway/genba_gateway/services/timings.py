"""How long the parts of a build took (contract 4.3): read by users, and reported by agents."""

from __future__ import annotations

from dataclasses import replace

from genba_gateway.domain.actors import Action, AgentActor, Resource, UserActor
from genba_gateway.domain.channels import of_workspace
from genba_gateway.domain.timings import SCRIPT_STAGES, BuildTimings, ScriptStatus, ScriptTiming, TimingStage
from genba_gateway.domain.workspaces import Build
from genba_gateway.errors import BadRequest, FieldProblem, NotFound
from genba_gateway.services.times import to_utc
from genba_gateway.services.visibility import not_found, require
from genba_gateway.store import builds as build_store
from genba_gateway.store import timings as timing_store
from genba_gateway.store import workspaces as workspace_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_wire.api.timings import ScriptTimingReport

MAX_EXIT_CODE = 2**31 - 1


class Timings:
    """Use cases on timings."""

    def __init__(self, database: Database, pubsub: PubSub) -> None:
        self._database = database
        self._pubsub = pubsub

    async def get_of_build(self, actor: UserActor, build_id: str) -> BuildTimings:
        """What was measured of a build so far."""
        async with self._database.read() as connection:
            return await self._read(actor, await build_store.find_build(connection, build_id))

    async def get_of_workspace(self, actor: UserActor, workspace_id: str) -> BuildTimings:
        """What was measured of a workspace's latest build so far."""
        async with self._database.read() as connection:
            workspace = await workspace_store.find_workspace(connection, workspace_id)
        if workspace is None or workspace.deleted:
            raise not_found()
        return await self._read(actor, workspace.latest_build)

    async def _read(self, actor: UserActor, build: Build | None) -> BuildTimings:
        if build is None:
            raise not_found()
        require(actor, Resource.WORKSPACE, Action.READ, build.owner_id)
        job_id = build.job.id
        async with self._database.read() as connection:
            return BuildTimings(
                job_id,
                tuple(await timing_store.list_provisioner_timings(connection, job_id)),
                tuple(await timing_store.list_script_timings(connection, job_id)),
                tuple(await timing_store.list_connection_timings(connection, job_id)),
            )

    async def report_script(self, actor: AgentActor, report: ScriptTimingReport) -> None:
        """Store how long a script of the agent ran; of scheduled ones, the latest run is kept.

        Raises:
            BadRequest: an unknown stage or status, or an end before the beginning.
            NotFound: the script is not the agent's.
        """
        timing = _check(report)
        async with self._database.write() as connection:
            if not await timing_store.has_script(connection, actor.agent_id, report.script_id):
                raise NotFound(f"The agent has no script {report.script_id}.")
            named = replace(timing, agent_id=actor.agent_id, agent_name=actor.agent_name)
            await timing_store.upsert_script_timing(connection, report.script_id, named)
        self._pubsub.publish(of_workspace(actor.workspace_id))


def _check(report: ScriptTimingReport) -> ScriptTiming:
    problems: list[FieldProblem] = []
    started_at, ended_at = to_utc(report.started_at, "started_at"), to_utc(report.ended_at, "ended_at")
    if report.stage not in SCRIPT_STAGES:
        problems.append(FieldProblem("stage", f"{report.stage!r} is none of start, stop, cron"))
    if report.status not in list(ScriptStatus):
        problems.append(FieldProblem("status", f"{report.status!r} is none of {', '.join(ScriptStatus)}"))
    if ended_at < started_at:
        problems.append(FieldProblem("ended_at", "is before started_at"))
    if abs(report.exit_code) > MAX_EXIT_CODE:
        problems.append(FieldProblem("exit_code", "is no exit code"))
    if problems:
        raise BadRequest("The report of a script's run can't be used.", validations=problems)
    stage, status = TimingStage(report.stage), ScriptStatus(report.status)
    return ScriptTiming(started_at, ended_at, report.exit_code, stage, status, "", "", "")
