from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from genba_gateway.domain.provisioning import BuildResult, ResourceSpec
from genba_gateway.domain.timings import BuildTimings, ConnectionTiming, ScriptStatus, ScriptTiming, TimingStage
from genba_gateway.web.languages import speaking
from genba_gateway.web.workspace.agent_steps import list_agent_steps
from tests.support.dashboard_app import open_dashboard
from tests.unit.gateway.services.test_timings import AGENT, TOKEN

BEGAN = datetime(2026, 1, 31, tzinfo=UTC)


def _script(after_s: float, stage: TimingStage, status: ScriptStatus, exit_code: int = 0) -> ScriptTiming:
    at = BEGAN + timedelta(seconds=after_s)
    return ScriptTiming(at, at + timedelta(seconds=2), exit_code, stage, status, "Editor", "1", "main")


def test_what_agents_did_is_told_in_its_order() -> None:
    connected = ConnectionTiming(BEGAN + timedelta(seconds=1), BEGAN + timedelta(seconds=4), "1", "main")
    scripts = (
        _script(9, TimingStage.CRON, ScriptStatus.EXIT_FAILURE, 3),
        _script(5, TimingStage.START, ScriptStatus.OK),
        _script(20, TimingStage.STOP, ScriptStatus.TIMED_OUT),
    )
    steps = list_agent_steps(BuildTimings("job", (), scripts, (connected,)))
    assert [(step.what, step.kind, step.state, step.looks, step.took) for step in steps] == [
        ("Connect to the gateway", "", "Done", "good", "3.0 s"),
        ("Editor", "Start script", "Done", "good", "2.0 s"),
        ("Editor", "Scheduled script, its latest run", "Failed, exit code 3", "bad", "2.0 s"),
        ("Editor", "Stop script", "Took longer than it may", "bad", "2.0 s"),
    ]


@pytest.mark.parametrize("status", list(ScriptStatus))
@pytest.mark.parametrize("stage", [TimingStage.START, TimingStage.STOP, TimingStage.CRON])
def test_each_end_of_a_script_has_words_in_both_languages(stage: TimingStage, status: ScriptStatus) -> None:
    timings = BuildTimings("job", (), (_script(0, stage, status),), ())
    (english,) = list_agent_steps(timings)
    with speaking("ja"):
        (japanese,) = list_agent_steps(timings)
    assert not {english.kind, english.state} & {japanese.kind, japanese.state}


async def test_a_builds_page_shows_its_agents_scripts(tmp_path: Path) -> None:
    async with open_dashboard(tmp_path) as dashboard:
        workshop = dashboard.workshop
        template = await workshop.add_template()
        resource = ResourceSpec("docker_container", "a", agents=(AGENT,))
        workshop.provisioner.answers.append(BuildResult(state=b"s", resources=(resource,)))
        workspace = await workshop.add_workspace(template, "dev")
        browser, page = dashboard.browser(workshop.member), "/@mia/dev/builds/1"
        assert "Agents and their scripts" not in await browser.read(page)
        agent = workspace["latest_build"]["resources"][0]["agents"][0]
        report = {
            "script_id": agent["scripts"][0]["id"],
            "started_at": BEGAN.isoformat(),
            "ended_at": (BEGAN + timedelta(seconds=7)).isoformat(),
            "exit_code": 3,
            "stage": "start",
            "status": "exit_failure",
        }
        headers = {"Coder-Session-Token": TOKEN}
        await workshop.call(None, "POST", "/workspaceagents/me/script-timings", report, headers=headers)
        text = await browser.read(page)
    for shown in ("Agents and their scripts", "Startup Script", "Start script", "Failed, exit code 3", "7.0 s"):
        assert shown in text
