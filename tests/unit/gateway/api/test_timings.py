"""The routes of how long builds took (contract 4.3)."""

from __future__ import annotations

from genba_gateway.domain.provisioning import BuildResult, ResourceSpec
from genba_gateway.domain.timings import ProvisionerTiming, TimingStage
from tests.support.workshop import UNKNOWN_ID, Workshop
from tests.unit.gateway.services.test_timings import AGENT, TOKEN


async def test_timings_of_a_build_and_of_a_workspaces_latest(workshop: Workshop) -> None:
    began = workshop.clock()
    template = await workshop.add_template()
    workshop.provisioner.answers.append(
        BuildResult(
            state=b"s",
            resources=(ResourceSpec("docker_container", "a", agents=(AGENT,)),),
            timings=(ProvisionerTiming(began, began, TimingStage.APPLY, "docker", "create", "docker_image.a"),),
        )
    )
    workspace = await workshop.add_workspace(template)
    agent = workspace["latest_build"]["resources"][0]["agents"][0]
    report = {
        "script_id": agent["scripts"][0]["id"],
        "started_at": began.isoformat(),
        "ended_at": began.isoformat(),
        "exit_code": 3,
        "stage": "start",
        "status": "exit_failure",
    }
    headers = {"Coder-Session-Token": TOKEN}
    sent = await workshop.call(None, "POST", "/workspaceagents/me/script-timings", report, headers=headers)
    assert sent.status == 204
    body = (await workshop.get(workshop.member, f"/workspaces/{workspace['id']}/timings")).body
    at = began.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert body == {
        "provisioner_timings": [
            {
                "job_id": workspace["latest_build"]["job"]["id"],
                "started_at": at,
                "ended_at": at,
                "stage": "apply",
                "source": "docker",
                "action": "create",
                "resource": "docker_image.a",
            }
        ],
        "agent_script_timings": [
            {
                "started_at": at,
                "ended_at": at,
                "exit_code": 3,
                "stage": "start",
                "status": "exit_failure",
                "display_name": "Startup Script",
                "workspace_agent_id": agent["id"],
                "workspace_agent_name": "main",
            }
        ],
        "agent_connection_timings": [],
    }
    of_build = f"/workspacebuilds/{workspace['latest_build']['id']}/timings"
    assert (await workshop.get(workshop.member, of_build)).body == body
    for path in (of_build, f"/workspaces/{workspace['id']}/timings"):
        assert (await workshop.get(workshop.stranger, path)).status == 404
        assert (await workshop.get(None, path)).status == 401
    assert (await workshop.get(workshop.member, f"/workspacebuilds/{UNKNOWN_ID}/timings")).status == 404


async def test_only_agents_report_scripts_and_a_bad_report_names_its_field(workshop: Workshop) -> None:
    path = "/workspaceagents/me/script-timings"
    assert (await workshop.call(workshop.member, "POST", path, {})).status == 401
    template = await workshop.add_template()
    workshop.provisioner.answers.append(
        BuildResult(state=b"s", resources=(ResourceSpec("docker_container", "a", agents=(AGENT,)),))
    )
    await workshop.add_workspace(template)
    sent = await workshop.call(None, "POST", path, {}, headers={"Coder-Session-Token": TOKEN})
    assert (sent.status, sent.fields) == (400, ["script_id"])
