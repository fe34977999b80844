"""The lifecycle of a workspace agent: a pure state machine (contract 1.6).

created ── ScriptsStarting ──▶ starting ── StartFinished ──▶ ready | start_timeout | start_error
any of these ── StopRequested ──▶ shutting_down ── StopFinished ──▶ off | shutdown_timeout | shutdown_error

Events that come too late (a start script ends while the agent shuts down) change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never


class LifecycleState(StrEnum):
    """States, by their names on the wire."""

    CREATED = "created"
    STARTING = "starting"
    READY = "ready"
    START_TIMEOUT = "start_timeout"
    START_ERROR = "start_error"
    SHUTTING_DOWN = "shutting_down"
    OFF = "off"
    SHUTDOWN_TIMEOUT = "shutdown_timeout"
    SHUTDOWN_ERROR = "shutdown_error"


class Outcome(StrEnum):
    """How a script, or a set of them, ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed out"


@dataclass(frozen=True, slots=True)
class ScriptsStarting:
    """The start scripts are about to run."""


@dataclass(frozen=True, slots=True)
class StartFinished:
    """All start scripts have ended."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class StopRequested:
    """The agent was told to stop."""


@dataclass(frozen=True, slots=True)
class StopFinished:
    """All stop scripts have ended."""

    outcome: Outcome


LifecycleEvent = ScriptsStarting | StartFinished | StopRequested | StopFinished

STATE_AFTER_START: Final = {
    Outcome.SUCCEEDED: LifecycleState.READY,
    Outcome.FAILED: LifecycleState.START_ERROR,
    Outcome.TIMED_OUT: LifecycleState.START_TIMEOUT,
}

STATE_AFTER_STOP: Final = {
    Outcome.SUCCEEDED: LifecycleState.OFF,
    Outcome.FAILED: LifecycleState.SHUTDOWN_ERROR,
    Outcome.TIMED_OUT: LifecycleState.SHUTDOWN_TIMEOUT,
}

RUNNING_STATES: Final = frozenset({LifecycleState.CREATED, LifecycleState.STARTING, *STATE_AFTER_START.values()})
"""States from which the agent can be told to stop."""


def next_state(state: LifecycleState, event: LifecycleEvent) -> LifecycleState:
    """Return the state after an event; the same one when the event comes too late."""
    match event:
        case ScriptsStarting():
            return LifecycleState.STARTING if state is LifecycleState.CREATED else state
        case StartFinished(outcome):
            return STATE_AFTER_START[outcome] if state is LifecycleState.STARTING else state
        case StopRequested():
            return LifecycleState.SHUTTING_DOWN if state in RUNNING_STATES else state
        case StopFinished(outcome):
            return STATE_AFTER_STOP[outcome] if state is LifecycleState.SHUTTING_DOWN else state
        case _:
            assert_never(event)


def worst_of(outcomes: list[Outcome]) -> Outcome:
    """Combine outcomes of scripts that ran together: a time-out outweighs a failure, a failure outweighs success."""
    for outcome in (Outcome.TIMED_OUT, Outcome.FAILED):
        if outcome in outcomes:
            return outcome
    return Outcome.SUCCEEDED
