from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from genba_gateway.domain.agents import AgentStatus, LifecycleState
from genba_gateway.domain.jobs import JobStatus
from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.workspaces import WorkspaceStatus
from genba_gateway.web import states
from genba_gateway.web.languages import speaking
from genba_gateway.web.workspace import words
from genba_gateway.web.workspace.steps import StepState
from genba_gateway.web.workspace.words import explain_agent, explain_deadline, explain_state, lasted, say, took
from tests.support.page_values import NOW, make_agent, make_build

LATER = NOW + timedelta(hours=2)
WAITING = {"started_at": None, "completed_at": None}


@pytest.mark.parametrize(
    ("job", "more", "said"),
    [
        ({**WAITING, "queue_position": 2, "queue_size": 3}, {}, "place 2 of 3"),
        ({**WAITING, "queue_position": 1, "queue_size": 3}, {}, "the next in the queue"),
        ({"completed_at": None}, {}, "under way"),
        ({"completed_at": None, "canceled_at": NOW}, {}, "ends its current step"),
        ({"canceled_at": NOW}, {}, "What was made is kept"),
        ({"error": "no"}, {}, "The log says what happened"),
        ({"error": "no"}, {"reason": "autostop"}, "tried again within an hour"),
        ({}, {"reason": "initiator"}, "by ana, on request"),
        ({}, {"reason": "autostart"}, "</time> by its schedule."),
        ({}, {"reason": "autostop", "transition": Transition.STOP}, "</time> at its deadline. Its files are kept"),
        ({}, {"transition": Transition.STOP}, "Its files are kept"),
        ({}, {"transition": Transition.DELETE}, "Deleted"),
    ],
)
def test_every_state_is_explained_in_both_languages(job: dict[str, Any], more: dict[str, Any], said: str) -> None:
    build = make_build(**more, job=job)
    english = explain_state(build)
    assert said in english
    with speaking("ja"):
        assert explain_state(build) != english


def test_nobody_is_named_who_did_not_ask() -> None:
    assert words.say_who_asked(make_build(reason="initiator")) == "ana, on request"
    assert words.say_who_asked(make_build(reason="autostop")) == "at its deadline"


def test_names_are_escaped_and_times_are_the_viewers() -> None:
    text = explain_state(make_build(initiator_name="<b>"))
    assert "&lt;b&gt;" in text
    assert '<time datetime="2026-11-28T12:00:00Z">' in text


@pytest.mark.parametrize(
    ("deadline", "limit", "said"),
    [(None, None, "until somebody"), (LATER, None, "or later when it is used"), (LATER, LATER, "at the latest")],
)
def test_a_running_workspace_says_until_when(deadline: Any, limit: Any, said: str) -> None:
    assert said in str(explain_deadline(make_build(deadline=deadline, max_deadline=limit)))


def test_only_a_running_one_has_an_end() -> None:
    assert explain_deadline(make_build(Transition.STOP)) is None


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ({}, "given up for late"),
        ({"connection_timeout_s": 0}, "may still be starting"),
        ({"created_at": NOW - timedelta(seconds=121)}, "not connected within 2 min 0 s"),
        ({"last_connected_at": NOW, "lifecycle_state": "ready"}, "scripts are done"),
        ({"last_connected_at": NOW - timedelta(hours=1)}, "Nothing was heard"),
        ({"last_connected_at": NOW, "disconnected_at": NOW, "disconnect_reason": "It <left>."}, "It &lt;left&gt;."),
    ],
)
def test_an_agent_says_what_it_waits_for_and_until_when(agent: dict[str, Any], said: str) -> None:
    assert said in explain_agent(make_agent(**agent), NOW)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0.0 s"),
        (0.34, "0.3 s"),
        (9.94, "9.9 s"),
        (10, "10 s"),
        (59.4, "59 s"),
        (60, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (7800, "2 h 10 min"),
    ],
)
def test_spans_are_as_exact_as_one_reads_them(seconds: float, text: str) -> None:
    assert lasted(timedelta(seconds=seconds)) == text


def test_what_is_not_over_has_taken_no_time() -> None:
    assert lasted(None) == ""
    assert took(make_build(job={"completed_at": None})) == ""
    assert took(make_build(job={"completed_at": NOW + timedelta(seconds=12)})) == "12 s"


def test_everything_that_can_be_has_its_word() -> None:
    assert all(states.workspace_state(each).label for each in WorkspaceStatus)
    assert all(states.connection_state(each).label for each in AgentStatus)
    assert all(states.job_state(each).label for each in JobStatus)
    assert set(StepState) == words.STEPS.keys()
    assert set(LifecycleState) == words.LIFECYCLE.keys()
    assert set(Transition) == words.TRANSITIONS.keys()
    assert all(words.key_of(stage).isalnum() for stage in words.STAGES)


def test_a_sentence_keeps_its_percent_signs() -> None:
    assert say("It answers.") == "It answers."
    assert words.span_of(5_400_000) == "1 h 30 min"
