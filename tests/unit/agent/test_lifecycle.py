from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_agent.lifecycle import (
    RUNNING_STATES,
    STATE_AFTER_STOP,
    LifecycleEvent,
    LifecycleState,
    Outcome,
    ScriptsStarting,
    StartFinished,
    StopFinished,
    StopRequested,
    next_state,
    worst_of,
)

EVENTS: list[LifecycleEvent] = [
    ScriptsStarting(),
    StopRequested(),
    *(StartFinished(outcome) for outcome in Outcome),
    *(StopFinished(outcome) for outcome in Outcome),
]


def run(*events: LifecycleEvent) -> LifecycleState:
    state = LifecycleState.CREATED
    for event in events:
        state = next_state(state, event)
    return state


@pytest.mark.parametrize(
    ("outcome", "started", "stopped"),
    [
        (Outcome.SUCCEEDED, "ready", "off"),
        (Outcome.FAILED, "start_error", "shutdown_error"),
        (Outcome.TIMED_OUT, "start_timeout", "shutdown_timeout"),
    ],
)
def test_outcomes_of_scripts_decide_the_states(outcome: Outcome, started: str, stopped: str) -> None:
    assert run(ScriptsStarting(), StartFinished(outcome)).value == started
    assert run(ScriptsStarting(), StartFinished(outcome), StopRequested(), StopFinished(outcome)).value == stopped


def test_start_that_ends_while_shutting_down_changes_nothing() -> None:
    assert run(ScriptsStarting(), StopRequested(), StartFinished(Outcome.SUCCEEDED)) is LifecycleState.SHUTTING_DOWN


@pytest.mark.parametrize("state", sorted(RUNNING_STATES))
def test_every_running_state_can_be_stopped(state: LifecycleState) -> None:
    assert next_state(state, StopRequested()) is LifecycleState.SHUTTING_DOWN


@given(st.lists(st.sampled_from(EVENTS)))
def test_states_only_move_forward(events: list[LifecycleEvent]) -> None:
    rank = dict.fromkeys(STATE_AFTER_STOP.values(), 3)
    rank |= {LifecycleState.CREATED: -1, LifecycleState.STARTING: 0, LifecycleState.SHUTTING_DOWN: 2}
    state = LifecycleState.CREATED
    for event in events:
        after = next_state(state, event)
        assert after is state or rank.get(after, 1) > rank.get(state, 1)
        state = after


def test_worst_outcome_wins() -> None:
    assert worst_of([]) is Outcome.SUCCEEDED
    assert worst_of([Outcome.SUCCEEDED, Outcome.FAILED]) is Outcome.FAILED
    assert worst_of([Outcome.FAILED, Outcome.TIMED_OUT, Outcome.SUCCEEDED]) is Outcome.TIMED_OUT
