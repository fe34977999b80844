"""The states of workspaces and agents in words: what each is called, how it looks, and why it is so.

`domain.workspaces.explain_build` says the same to the command line, in English.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from genba_gateway.domain.agents import Agent, AgentStatus, LifecycleState, agent_status
from genba_gateway.domain.jobs import JobStatus
from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.templates import TemplateVersion
from genba_gateway.domain.workspaces import AUTOSTOP, Build, WorkspaceStatus
from genba_gateway.web.languages import mark, translate

GOOD: Final = "good"
BUSY: Final = "busy"
BAD: Final = "bad"
QUIET: Final = ""


@dataclass(frozen=True, slots=True)
class State:
    """A state as it is shown."""

    label: str
    tone: str
    """good, busy, bad, or nothing: a class of genba.css."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is in its state and what the user can do; and since when, where that is known."""

    text: str
    since: datetime | None = None


_WORKSPACE: Final = {
    WorkspaceStatus.PENDING: (mark("Waiting"), BUSY),
    WorkspaceStatus.STARTING: (mark("Starting"), BUSY),
    WorkspaceStatus.RUNNING: (mark("Running"), GOOD),
    WorkspaceStatus.STOPPING: (mark("Stopping"), BUSY),
    WorkspaceStatus.STOPPED: (mark("Stopped"), QUIET),
    WorkspaceStatus.FAILED: (mark("Failed"), BAD),
    WorkspaceStatus.CANCELING: (mark("Canceling"), BUSY),
    WorkspaceStatus.CANCELED: (mark("Canceled"), QUIET),
    WorkspaceStatus.DELETING: (mark("Deleting"), BUSY),
    WorkspaceStatus.DELETED: (mark("Deleted"), QUIET),
}
_AGENT: Final = {
    AgentStatus.CONNECTING: (mark("Connecting"), BUSY),
    AgentStatus.CONNECTED: (mark("Connected"), GOOD),
    AgentStatus.DISCONNECTED: (mark("Disconnected"), BAD),
    AgentStatus.TIMEOUT: (mark("Not connected"), BAD),
}
_LIFECYCLE: Final = {
    LifecycleState.STARTING: (mark("Start scripts run"), BUSY),
    LifecycleState.START_TIMEOUT: (mark("Start scripts take too long"), BAD),
    LifecycleState.START_ERROR: (mark("A start script failed"), BAD),
    LifecycleState.SHUTTING_DOWN: (mark("Stop scripts run"), BUSY),
    LifecycleState.SHUTDOWN_TIMEOUT: (mark("Stop scripts take too long"), BAD),
    LifecycleState.SHUTDOWN_ERROR: (mark("A stop script failed"), BAD),
    LifecycleState.OFF: (mark("Ended"), QUIET),
}
_AGENT_REASONS: Final = {
    AgentStatus.CONNECTING: mark("Agent %(agent)s has not connected yet; its machine may still be starting."),
    AgentStatus.DISCONNECTED: mark(
        "Agent %(agent)s lost its connection. It connects again by itself when it runs and reaches the gateway."
    ),
    AgentStatus.TIMEOUT: mark(
        "Agent %(agent)s did not connect in time. Look at the log of the machine that should run it; "
        "it is still welcome when it comes."
    ),
}
_LIFECYCLE_REASONS: Final = {
    LifecycleState.STARTING: mark("Agent %(agent)s runs its start scripts: follow its log."),
    LifecycleState.START_TIMEOUT: mark("The start scripts of agent %(agent)s take longer than they may: read its log."),
    LifecycleState.START_ERROR: mark("A start script of agent %(agent)s failed: read its log."),
}
_DOING: Final = {
    Transition.START: mark("start"),
    Transition.STOP: mark("stop"),
    Transition.DELETE: mark("deletion"),
}
_DONE: Final = {
    Transition.START: mark("Started"),
    Transition.STOP: mark("Stopped. Start it to go on."),
    Transition.DELETE: mark("Deleted"),
}


def workspace_state(status: WorkspaceStatus) -> State:
    """A workspace's state."""
    return _say(_WORKSPACE[status])


def agent_state(agent: Agent, now: datetime) -> State:
    """An agent's state: its connection, or what keeps a connected one from being ready."""
    status = agent_status(agent, now)[0]
    if status is AgentStatus.CONNECTED and (unready := _lifecycle_of(agent)) in _LIFECYCLE:
        return _say(_LIFECYCLE[unready])
    return connection_state(status)


def connection_state(status: AgentStatus) -> State:
    """Whether the gateway reaches an agent."""
    return _say(_AGENT[status])


def explain(build: Build, now: datetime) -> Reason:
    """Why a workspace is in the state that its latest build gives it, and what the user can do now."""
    job = build.job
    doing = {"doing": translate(_DOING[build.transition])}
    match job.status:
        case JobStatus.PENDING if job.queue_position > 1:
            place = {**doing, "place": str(job.queue_position), "size": str(job.queue_size)}
            return _why(mark("Its %(doing)s waits in the queue, %(place)s of %(size)s. You can cancel it."), place)
        case JobStatus.PENDING:
            return _why(mark("Its %(doing)s is next in the queue. You can cancel it."), doing)
        case JobStatus.RUNNING:
            return _why(mark("Its %(doing)s is running. Follow its log, or cancel it."), doing, job.started_at)
        case JobStatus.CANCELING:
            text = mark("Its %(doing)s was canceled, and Terraform is ending its current step.")
            return _why(text, doing, job.canceled_at)
        case JobStatus.CANCELED:
            return _why(mark("Its %(doing)s was canceled. What was made is kept: start, stop or delete it."), doing)
        case JobStatus.FAILED if build.reason == AUTOSTOP:
            text = mark("Its stop at the deadline failed: %(error)s It is tried again within an hour; read its log.")
            return _why(text, {"error": _end(job.error)})
        case JobStatus.FAILED:
            text = mark("Its %(doing)s failed: %(error)s Read the build's log, then start, stop or delete it.")
            return _why(text, {**doing, "error": _end(job.error)}, job.completed_at)
        case JobStatus.SUCCEEDED:
            return _explain_agents(build, now) or _why(_DONE[build.transition], {}, job.completed_at)


def _explain_agents(build: Build, now: datetime) -> Reason | None:
    """What keeps the agents of a running workspace from being of use, if anything does."""
    if build.transition is not Transition.START:
        return None
    for agent in (agent for resource in build.resources for agent in resource.agents):
        name = {"agent": agent.name}
        status = agent_status(agent, now)[0]
        if status in _AGENT_REASONS:
            return _why(_AGENT_REASONS[status], name)
        if (unready := _lifecycle_of(agent)) in _LIFECYCLE_REASONS:
            return _why(_LIFECYCLE_REASONS[unready], name)
    return None


def _lifecycle_of(agent: Agent) -> LifecycleState:
    return LifecycleState(agent.lifecycle_state)


def _end(error: str) -> str:
    """An error that a sentence follows: programs end theirs as they like."""
    return error if error.endswith((".", "!", "?", "。")) else f"{error}."


def _say(state: tuple[str, str]) -> State:
    return State(translate(state[0]), state[1])


def _why(text: str, values: Mapping[str, str], since: datetime | None = None) -> Reason:
    return Reason(translate(text) % values if values else translate(text), since)


_VERSION: Final = {
    JobStatus.PENDING: (mark("Waiting"), BUSY),
    JobStatus.RUNNING: (mark("Being imported"), BUSY),
    JobStatus.SUCCEEDED: (mark("Ready"), GOOD),
    JobStatus.CANCELING: (mark("Canceling"), BUSY),
    JobStatus.CANCELED: (mark("Canceled"), QUIET),
    JobStatus.FAILED: (mark("Failed"), BAD),
}


_JOB: Final = {
    **_VERSION,
    JobStatus.RUNNING: (mark("Under way"), BUSY),
    JobStatus.SUCCEEDED: (mark("Done"), GOOD),
}


def version_state(version: TemplateVersion) -> State:
    """The state of a template version's import."""
    return _say(_VERSION[version.job.status])


def job_state(status: JobStatus) -> State:
    """The state of a job, whatever it makes."""
    return _say(_JOB[status])
