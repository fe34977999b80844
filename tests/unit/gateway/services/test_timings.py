"""Timings of builds, and what agents report of their scripts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from genba_gateway.domain.actors import AgentActor
from genba_gateway.domain.provisioning import AgentSpec, BuildResult, ResourceSpec, ScriptSpec
from genba_gateway.domain.timings import BuildTimings, ProvisionerTiming, TimingStage
from genba_gateway.errors import BadRequest, NotFound
from genba_gateway.services.timings import MAX_EXIT_CODE
from genba_gateway.store import agents as agent_store
from genba_wire.api.timings import ScriptTimingReport
from tests.support.workshop import UNKNOWN_ID, Workshop

TOKEN = "7b0f3c52-25b1-4bd0-8ad7-ce1f5d1f7e01"
SCRIPT = ScriptSpec(display_name="Startup Script", script="true", run_on_start=True)
AGENT = AgentSpec("main", "linux", "amd64", token=TOKEN, scripts=(SCRIPT,))


async def build_with_agent(workshop: Workshop) -> tuple[dict[str, Any], AgentActor, str]:
    """A running workspace, its agent, and the id of the agent's script."""
    began = workshop.clock()
    timings = tuple(
        ProvisionerTiming(began, began + timedelta(seconds=1), stage, "docker", "create", f"docker_image.{stage.value}")
        for stage in (TimingStage.PLAN, TimingStage.APPLY)
    )
    resource = ResourceSpec("docker_container", "a", agents=(AGENT,))
    template = await workshop.add_template()
    workshop.provisioner.answers.append(BuildResult(state=b"s", resources=(resource,), timings=timings))
    workspace = await workshop.add_workspace(template)
    actor = await workshop.services.sessions.authenticate_agent(TOKEN)
    async with workshop.database.read() as connection:
        agent = await agent_store.find_agent(connection, workshop.sealer, actor.agent_id)
    assert agent is not None
    return workspace, actor, agent.scripts[0].id


def make_report(workshop: Workshop, script_id: str, **changes: object) -> ScriptTimingReport:
    began = workshop.clock()
    report = ScriptTimingReport(
        script_id=script_id,
        started_at=began,
        ended_at=began + timedelta(seconds=2),
        exit_code=0,
        stage="start",
        status="ok",
    )
    return msgspec.structs.replace(report, **changes)


async def read(workshop: Workshop, workspace: dict[str, Any]) -> BuildTimings:
    return await workshop.services.timings.get_of_build(workshop.member.actor, workspace["latest_build"]["id"])


async def test_a_build_has_what_terraform_did_how_agents_connected_and_what_they_ran(workshop: Workshop) -> None:
    workspace, actor, script_id = await build_with_agent(workshop)
    assert (await read(workshop, workspace)).connections == ()
    connected_at = workshop.clock() + timedelta(seconds=4)
    async with workshop.database.write() as connection:
        await agent_store.update_agent(connection, actor.agent_id, {"first_connected_at": connected_at})
    await workshop.services.timings.report_script(actor, make_report(workshop, script_id, exit_code=-15))
    found = await read(workshop, workspace)
    assert [(each.stage, each.resource) for each in found.provisioner] == [
        (TimingStage.PLAN, "docker_image.plan"),
        (TimingStage.APPLY, "docker_image.apply"),
    ]
    (connection_timing,) = found.connections
    assert (connection_timing.agent_name, connection_timing.ended_at) == ("main", connected_at)
    (script,) = found.scripts
    assert (script.display_name, script.agent_name, script.exit_code) == ("Startup Script", "main", -15)
    assert found == await workshop.services.timings.get_of_workspace(workshop.member.actor, workspace["id"])
    with pytest.raises(NotFound):
        await workshop.services.timings.get_of_workspace(workshop.stranger.actor, workspace["id"])


async def test_the_latest_run_of_each_stage_is_kept(workshop: Workshop) -> None:
    workspace, actor, script_id = await build_with_agent(workshop)
    timings, now = workshop.services.timings, workshop.clock()

    async def report(minutes: int, stage: str) -> None:
        began = now + timedelta(minutes=minutes)
        await timings.report_script(
            actor, make_report(workshop, script_id, started_at=began, ended_at=began, stage=stage)
        )

    for minutes, stage in ((0, "start"), (1, "cron"), (3, "cron"), (2, "cron"), (3, "cron")):
        await report(minutes, stage)

    def minutes_of(time: datetime) -> float:
        return (time - now).total_seconds() / 60

    found = (await read(workshop, workspace)).scripts
    assert [(each.stage.value, minutes_of(each.started_at)) for each in found] == [("start", 0), ("cron", 3)]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"stage": "plan"}, "stage"),
        ({"stage": ""}, "stage"),
        ({"status": "great"}, "status"),
        ({"exit_code": MAX_EXIT_CODE + 1}, "exit_code"),
    ],
)
async def test_a_report_that_can_not_be_used(workshop: Workshop, changes: dict[str, object], field: str) -> None:
    _, actor, script_id = await build_with_agent(workshop)
    with pytest.raises(BadRequest) as refused:
        await workshop.services.timings.report_script(actor, make_report(workshop, script_id, **changes))
    assert [problem.field for problem in refused.value.validations] == [field]


async def test_an_end_before_the_beginning_and_another_agents_script_are_refused(workshop: Workshop) -> None:
    workspace, actor, script_id = await build_with_agent(workshop)
    timings = workshop.services.timings
    early = make_report(workshop, script_id, ended_at=workshop.clock() - timedelta(seconds=1))
    with pytest.raises(BadRequest, match="can't be used"):
        await timings.report_script(actor, early)
    with pytest.raises(NotFound):
        await timings.report_script(actor, make_report(workshop, UNKNOWN_ID))
    await timings.report_script(actor, make_report(workshop, script_id, exit_code=MAX_EXIT_CODE))
    assert len((await read(workshop, workspace)).scripts) == 1
