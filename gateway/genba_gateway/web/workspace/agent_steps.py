"""What agents did in a build, shown beside Terraform's steps: how long each took to connect, and its scripts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from genba_gateway.domain.timings import BuildTimings, ScriptStatus, ScriptTiming, TimingStage
from genba_gateway.web.languages import mark, translate
from genba_gateway.web.workspace.words import lasted

_KINDS: Final = {
    TimingStage.START: mark("Start script"),
    TimingStage.STOP: mark("Stop script"),
    TimingStage.CRON: mark("Scheduled script, its latest run"),
}


@dataclass(frozen=True, slots=True)
class AgentStep:
    """One thing that an agent did."""

    agent: str
    what: str
    kind: str
    state: str
    looks: str
    """A class of genba.css."""
    took: str
    started_at: datetime


def list_agent_steps(timings: BuildTimings) -> tuple[AgentStep, ...]:
    """What the agents of a build did, in its order, in the language spoken here."""
    connected = (
        AgentStep(
            agent=each.agent_name,
            what=translate("Connect to the gateway"),
            kind="",
            state=translate("Done"),
            looks="good",
            took=lasted(each.ended_at - each.started_at),
            started_at=each.started_at,
        )
        for each in timings.connections
    )
    return tuple(sorted((*connected, *map(_view_script, timings.scripts)), key=lambda step: step.started_at))


def _view_script(script: ScriptTiming) -> AgentStep:
    state, looks = _say_end(script)
    return AgentStep(
        agent=script.agent_name,
        what=script.display_name,
        kind=translate(_KINDS[script.stage]),
        state=state,
        looks=looks,
        took=lasted(script.ended_at - script.started_at),
        started_at=script.started_at,
    )


def _say_end(script: ScriptTiming) -> tuple[str, str]:
    match script.status:
        case ScriptStatus.OK:
            return translate("Done"), "good"
        case ScriptStatus.TIMED_OUT:
            return translate("Took longer than it may"), "bad"
        case ScriptStatus.EXIT_FAILURE:
            return translate("Failed, exit code %(code)s") % {"code": script.exit_code}, "bad"
