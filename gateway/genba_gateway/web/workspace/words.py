"""A workspace's state in words, in the visitor's language: why it is so, until when, and what may be done.

What each state is called is said by `web.states`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from markupsafe import Markup, escape

from genba_gateway.domain.agents import (
    DISCONNECT_AFTER,
    Agent,
    AgentStatus,
    LifecycleState,
    agent_status,
)
from genba_gateway.domain.jobs import JobStatus
from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.workspaces import AUTOSTOP, Build, WorkspaceStatus
from genba_gateway.web.languages import mark, translate
from genba_gateway.web.times import show_time
from genba_gateway.web.workspace.steps import StepState

STEPS: Final = {
    StepState.PLANNED: (mark("Planned"), ""),
    StepState.DOING: (mark("Under way"), "busy"),
    StepState.DONE: (mark("Done"), "good"),
    StepState.FAILED: (mark("Failed"), "bad"),
}
"""What each state of a step is called, and how it looks."""
TRANSITIONS: Final = {
    Transition.START: mark("Start"),
    Transition.STOP: mark("Stop"),
    Transition.DELETE: mark("Deletion"),
}
REASONS: Final = {
    "initiator": mark("on request"),
    "autostart": mark("by its schedule"),
    "autostop": mark("at its deadline"),
    "restart": mark("for a restart"),
    "dormancy": mark("because nobody used it"),
    "dashboard": mark("from this dashboard"),
    "cli": mark("from a command line"),
    "ssh_connection": mark("for an SSH connection"),
    "vscode_connection": mark("for VS Code"),
    "jetbrains_connection": mark("for a JetBrains editor"),
}
BY_ITSELF: Final = frozenset({"autostart", "autostop", "dormancy"})
"""Reasons of builds that nobody asked for, though they are made in their workspace's owner's name."""
STAGES: Final = {
    "Setting up": mark("Setting up"),
    "Parsing template parameters": mark("Reading the parameters"),
    "Detecting persistent resources": mark("Looking for what stays"),
    "Detecting ephemeral resources": mark("Looking for what goes"),
    "Planning infrastructure": mark("Planning"),
    "Starting workspace": mark("Starting the workspace"),
    "Stopping workspace": mark("Stopping the workspace"),
    "Destroying workspace": mark("Removing the workspace"),
    "Cleaning Up": mark("Cleaning up"),
}
STEP_ACTIONS: Final = {
    "create": mark("make"),
    "update": mark("change"),
    "delete": mark("remove"),
    "replace": mark("replace"),
    "read": mark("read"),
}
HEALTH: Final = {
    "disabled": "",
    "initializing": mark("It has not answered yet: the agent's log may say how far it is."),
    "healthy": mark("It answers."),
    "unhealthy": mark("It does not answer: the agent's log may say why."),
}
LIFECYCLE: Final = {
    LifecycleState.CREATED: mark("Its agent has not begun."),
    LifecycleState.STARTING: mark("Its start scripts are running."),
    LifecycleState.START_TIMEOUT: mark(
        "A start script takes longer than it may; it goes on. Its log says how far it is."
    ),
    LifecycleState.START_ERROR: mark("A start script failed. The workspace can be used; its log says what is missing."),
    LifecycleState.READY: mark("Its start scripts are done."),
    LifecycleState.SHUTTING_DOWN: mark("Its stop scripts are running."),
    LifecycleState.SHUTDOWN_TIMEOUT: mark("A stop script takes longer than it may."),
    LifecycleState.SHUTDOWN_ERROR: mark("A stop script failed; its log says why."),
    LifecycleState.OFF: mark("It has ended."),
}


def say(text: str, **parts: object) -> Markup:
    """A sentence of the catalogs with its parts put in, escaped."""
    return Markup(escape(translate(text))) % parts if parts else Markup(escape(translate(text)))  # noqa: S704 - escaped


def lasted(span: timedelta | None) -> str:
    """How long something took: 0.3 s, 12 s, 3 min 5 s, 2 h 10 min."""
    if span is None:
        return ""
    seconds = max(0.0, span.total_seconds())
    if seconds < 10:
        return translate("%(number)s s") % {"number": f"{seconds:.1f}"}
    if seconds < 60:
        return translate("%(number)s s") % {"number": f"{seconds:.0f}"}
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return translate("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}
    hours, minutes = divmod(minutes, 60)
    return translate("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}


def took(build: Build) -> str:
    """How long a build ran, or nothing while it does."""
    job = build.job
    return lasted(job.completed_at - job.started_at) if job.completed_at and job.started_at else ""


def say_who_asked(build: Build) -> str:
    """Who asked for a build and why, or why it was made by itself."""
    why = translate(REASONS.get(build.reason, REASONS["initiator"]))
    return why if build.reason in BY_ITSELF else f"{build.initiator_name}, {why}"


def explain_state(build: Build) -> Markup:
    """Why the workspace is as it is, and what can be done; the error of a failure stands apart from it."""
    job, doing = build.job, translate(TRANSITIONS[build.transition])
    match job.status:
        case JobStatus.PENDING if job.queue_position > 1:
            text = mark("%(doing)s: it waits in the queue at place %(place)s of %(size)s. You can cancel it.")
            return say(text, doing=doing, place=job.queue_position, size=job.queue_size)
        case JobStatus.PENDING:
            return say(mark("%(doing)s: it is the next in the queue. You can cancel it."), doing=doing)
        case JobStatus.RUNNING:
            text = mark("%(doing)s: under way, begun %(when)s. You can follow it below, or cancel it.")
            return say(text, doing=doing, when=_moment(job.started_at))
        case JobStatus.CANCELING:
            text = mark(
                "%(doing)s: canceled %(when)s. Terraform ends its current step; if that takes too long, it is killed."
            )
            return say(text, doing=doing, when=_moment(job.canceled_at))
        case JobStatus.CANCELED:
            text = mark("%(doing)s: canceled. What was made is kept: start, stop or delete the workspace.")
            return say(text, doing=doing)
        case JobStatus.FAILED if build.reason == AUTOSTOP:
            text = mark("The stop at its deadline failed. It is tried again within an hour; you can stop it now, too.")
            return say(text)
        case JobStatus.FAILED:
            text = mark("%(doing)s: failed. The log says what happened; then start, stop or delete the workspace.")
            return say(text, doing=doing)
        case JobStatus.SUCCEEDED:
            return _explain_success(build)


def _explain_success(build: Build) -> Markup:
    when, who = _moment(build.job.completed_at), build.initiator_name
    why = translate(REASONS.get(build.reason, REASONS["initiator"]))
    match build.status:
        case WorkspaceStatus.RUNNING if build.reason in BY_ITSELF:
            return say(mark("Started %(when)s %(why)s."), when=when, why=why)
        case WorkspaceStatus.STOPPED if build.reason in BY_ITSELF:
            text = mark("Stopped %(when)s %(why)s. Its files are kept; start it to go on.")
            return say(text, when=when, why=why)
        case WorkspaceStatus.RUNNING:
            return say(mark("Started %(when)s by %(who)s, %(why)s."), when=when, who=who, why=why)
        case WorkspaceStatus.STOPPED:
            text = mark("Stopped %(when)s by %(who)s, %(why)s. Its files are kept; start it to go on.")
            return say(text, when=when, who=who, why=why)
        case _:
            return say(mark("Deleted %(when)s by %(who)s."), when=when, who=who)


def explain_deadline(build: Build) -> Markup | None:
    """When the workspace stops by itself, or that it does not; None while that means nothing."""
    if build.status is not WorkspaceStatus.RUNNING:
        return None
    if build.deadline is None:
        return say(mark("It runs until somebody stops it."))
    if build.max_deadline is not None and build.deadline >= build.max_deadline:
        return say(mark("It stops by itself %(when)s, at the latest that is allowed."), when=show_time(build.deadline))
    return say(mark("It stops by itself %(when)s, or later when it is used."), when=show_time(build.deadline))


def explain_agent(agent: Agent, now: datetime) -> Markup:
    """Whether the gateway reaches an agent, why not, and until when it waits for it."""
    status, reason = agent_status(agent, now)
    match status:
        case AgentStatus.CONNECTED:
            return say(LIFECYCLE[LifecycleState(agent.lifecycle_state)])
        case AgentStatus.CONNECTING if agent.connection_timeout_s > 0:
            text = mark(
                "It has not connected yet; its machine may still be starting. It is given up for late %(when)s."
            )
            return say(text, when=show_time(agent.created_at + timedelta(seconds=agent.connection_timeout_s)))
        case AgentStatus.CONNECTING:
            return say(mark("It has not connected yet; its machine may still be starting."))
        case AgentStatus.TIMEOUT:
            text = mark(
                "It has not connected within %(limit)s. Look at the log of the machine or container that should run "
                "it; it is still welcome when it comes."
            )
            return say(text, limit=lasted(timedelta(seconds=agent.connection_timeout_s)))
        case AgentStatus.DISCONNECTED if agent.last_connected_at and now - agent.last_connected_at > DISCONNECT_AFTER:
            text = mark("Nothing was heard from it since %(when)s. It connects again by itself when it runs.")
            return say(text, when=show_time(agent.last_connected_at))
        case AgentStatus.DISCONNECTED:
            return say(mark("Its connection ended: %(reason)s"), reason=reason)


def _moment(moment: datetime | None) -> Markup | str:
    return show_time(moment) if moment else translate("at an unknown time")


def key_of(stage: str) -> str:
    """A stage's name as log.js looks for its translation."""
    return "".join(letter for letter in stage.lower() if letter.isalnum())


def span_of(milliseconds: int) -> str:
    """A span of a setting."""
    return lasted(timedelta(milliseconds=milliseconds))
