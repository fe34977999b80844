from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_gateway.domain.agents import (
    MACHINE_RESTARTED,
    Agent,
    AgentStatus,
    LifecycleState,
    LifecycleTimes,
    agent_health,
    agent_status,
    times_after,
)

CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)

AGENT = Agent(
    id="a",
    resource_id="r",
    name="main",
    position=0,
    instance_id="",
    architecture="amd64",
    operating_system="linux",
    directory="",
    expanded_directory="",
    version="",
    api_version="",
    boot_id="",
    connection_timeout_s=120,
    troubleshooting_url="",
    motd_file="",
    startup_script_behavior="non-blocking",
    display_apps=(),
    subsystems=(),
    host_boot_id="",
    lifecycle_state="created",
    disconnect_reason="",
    logs_length=0,
    logs_overflowed=False,
    first_connected_at=None,
    last_connected_at=None,
    disconnected_at=None,
    started_at=None,
    ready_at=None,
    created_at=CREATED,
    updated_at=CREATED,
)


def status_of(agent: Agent, now: datetime) -> AgentStatus:
    return agent_status(agent, now)[0]


def test_an_agent_that_never_connected_is_late_one_instant_after_its_timeout() -> None:
    limit = CREATED + timedelta(seconds=120)

    assert status_of(AGENT, limit) is AgentStatus.CONNECTING
    assert status_of(AGENT, limit + INSTANT) is AgentStatus.TIMEOUT


def test_an_agent_without_timeout_is_never_late() -> None:
    assert status_of(replace(AGENT, connection_timeout_s=0), CREATED + timedelta(days=900)) is AgentStatus.CONNECTING


def test_a_late_agent_names_the_page_that_helps() -> None:
    agent = replace(AGENT, troubleshooting_url="https://help.example/agents")

    assert "https://help.example/agents" in agent_status(agent, CREATED + timedelta(hours=1))[1]


def test_a_connected_agent_is_disconnected_one_instant_after_thirty_silent_seconds() -> None:
    agent = replace(AGENT, first_connected_at=CREATED, last_connected_at=CREATED + MINUTE)
    limit = CREATED + MINUTE + timedelta(seconds=30)

    assert status_of(agent, limit) is AgentStatus.CONNECTED
    assert status_of(agent, limit + INSTANT) is AgentStatus.DISCONNECTED


def test_an_agent_is_disconnected_when_its_connection_ended_after_it_began() -> None:
    agent = replace(
        AGENT, last_connected_at=CREATED + MINUTE, disconnected_at=CREATED + MINUTE, disconnect_reason="It left."
    )

    status, reason = agent_status(agent, CREATED + MINUTE)

    assert status is AgentStatus.DISCONNECTED
    assert reason.startswith("It left.")
    assert status_of(replace(agent, last_connected_at=CREATED + MINUTE + INSTANT), CREATED + MINUTE) is (
        AgentStatus.CONNECTED
    )


def test_an_agent_on_a_machine_that_restarted_is_disconnected_and_says_so() -> None:
    agent = replace(AGENT, host_boot_id="before", last_connected_at=CREATED)

    assert agent_status(agent, CREATED, boot_id="after") == (AgentStatus.DISCONNECTED, MACHINE_RESTARTED)
    assert agent_status(agent, CREATED, boot_id="before")[0] is AgentStatus.CONNECTED


def test_an_agent_elsewhere_does_not_care_for_the_gateways_machine() -> None:
    assert agent_status(replace(AGENT, last_connected_at=CREATED), CREATED, boot_id="x")[0] is AgentStatus.CONNECTED


def test_a_machine_that_does_not_tell_its_boot_id_proves_no_restart() -> None:
    agent = replace(AGENT, host_boot_id="before", last_connected_at=CREATED)

    assert agent_status(agent, CREATED, boot_id="")[0] is AgentStatus.CONNECTED


@pytest.mark.parametrize(
    ("status", "lifecycle", "said"),
    [
        (AgentStatus.DISCONNECTED, "off", "not running"),
        (AgentStatus.TIMEOUT, "off", "not running"),
        (AgentStatus.CONNECTED, "off", "shutting down"),
        (AgentStatus.TIMEOUT, "start_error", "too long"),
        (AgentStatus.DISCONNECTED, "start_error", "lost"),
        (AgentStatus.CONNECTED, "start_error", "start script"),
        (AgentStatus.CONNECTED, "shutting_down", "shutting down"),
        (AgentStatus.CONNECTED, "shutdown_timeout", "shutting down"),
        (AgentStatus.CONNECTED, "shutdown_error", "shutting down"),
        (AgentStatus.CONNECTED, "start_timeout", ""),
        (AgentStatus.CONNECTED, "ready", ""),
        (AgentStatus.CONNECTING, "created", ""),
    ],
)
def test_the_first_rule_that_fits_gives_the_health(status: AgentStatus, lifecycle: str, said: str) -> None:
    health = agent_health(replace(AGENT, lifecycle_state=lifecycle), status)

    assert health.healthy is (said == "")
    assert said in health.reason


DONE = {LifecycleState.READY, LifecycleState.START_ERROR, LifecycleState.START_TIMEOUT}


@given(st.lists(st.sampled_from(LifecycleState), max_size=30))
def test_times_follow_from_the_last_start_whatever_is_reported(states: list[LifecycleState]) -> None:
    times = LifecycleTimes(None, None)
    for index, state in enumerate(states):
        times = times_after(state, times, CREATED + index * MINUTE)

    starts = [index for index, state in enumerate(states) if state is LifecycleState.STARTING]
    since = starts[-1] if starts else 0
    ends = [index for index, state in enumerate(states) if state in DONE and index >= since]
    assert times.ready_at == (CREATED + ends[-1] * MINUTE if ends else None)
    if starts:
        assert times.started_at == CREATED + starts[-1] * MINUTE
    else:
        assert times.started_at == (CREATED + ends[0] * MINUTE if ends else None)


@given(
    connected=st.none() | st.integers(0, 300),
    disconnected=st.none() | st.integers(0, 300),
    now=st.integers(0, 400),
    timeout_s=st.integers(0, 200),
    lifecycle=st.sampled_from(LifecycleState),
)
def test_every_agent_has_a_status_with_a_reason(
    connected: int | None, disconnected: int | None, now: int, timeout_s: int, lifecycle: LifecycleState
) -> None:
    def at(second: int | None) -> datetime | None:
        return None if second is None else CREATED + timedelta(seconds=second)

    agent = replace(
        AGENT,
        last_connected_at=at(connected),
        disconnected_at=at(disconnected),
        connection_timeout_s=timeout_s,
        lifecycle_state=lifecycle.value,
    )
    status, reason = agent_status(agent, CREATED + timedelta(seconds=now))

    assert reason.endswith(".")
    assert (status in {AgentStatus.CONNECTING, AgentStatus.TIMEOUT}) is (connected is None)
    assert agent_health(agent, status).healthy is (agent_health(agent, status).reason == "")
    if status is AgentStatus.CONNECTED and connected is not None:
        assert now - connected <= 30
