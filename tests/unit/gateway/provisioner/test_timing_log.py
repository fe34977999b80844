from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from genba_gateway.domain.timings import ProvisionerTiming, TimingStage
from genba_gateway.provisioner.timing_log import MAX_TIMINGS, Hook, HookResource, TimingLog

BEGINNING = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.time = BEGINNING

    def __call__(self) -> datetime:
        return self.time


def hook(address: str = "docker_container.a", action: str = "", provisioner: str = "") -> Hook:
    return Hook(HookResource(address, address.split("_")[0]), action, provisioner)


def at(seconds: float) -> str:
    return (BEGINNING + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def test_a_command_is_measured_by_the_gateways_clock_and_divided_where_it_goes_on() -> None:
    clock = Clock()
    log = TimingLog(clock)
    with pytest.raises(RuntimeError), log.measure(TimingStage.PLAN):
        clock.time += timedelta(seconds=2)
        log.go_on(TimingStage.APPLY)
        clock.time += timedelta(seconds=3)
        raise RuntimeError
    plan, apply = log.read()
    assert plan == ProvisionerTiming(
        BEGINNING, BEGINNING + timedelta(seconds=2), TimingStage.PLAN, "terraform", "plan", "terraform"
    )
    assert (apply.started_at, apply.ended_at, apply.action) == (plan.ended_at, clock.time, "apply")


@pytest.mark.parametrize(
    ("what", "given", "end", "action"),
    [
        ("refresh", hook(), "complete", "read"),
        ("apply", hook(action="create"), "complete", "create"),
        ("apply", hook(action="delete"), "errored", "delete"),
        ("provision", hook(provisioner="local-exec"), "complete", "provision"),
        ("ephemeral_op", hook(action="open"), "complete", "open"),
    ],
)
def test_a_resource_is_measured_by_terraforms_times(what: str, given: Hook, end: str, action: str) -> None:
    log = TimingLog()
    log.take(f"{what}_start", at(1), given)
    log.take(f"{what}_progress", at(2), given)
    log.take(f"{what}_{end}", at(3.5), given)
    (timing,) = log.read()
    assert (timing.started_at, timing.ended_at) == (
        BEGINNING + timedelta(seconds=1),
        BEGINNING + timedelta(seconds=3.5),
    )
    assert (timing.source, timing.action, timing.resource) == ("docker", action, "docker_container.a")


def test_resources_that_overlap_are_told_apart_and_sorted_by_their_beginning() -> None:
    log = TimingLog()
    for address, seconds in (("a_b.second", 2), ("a_b.first", 1)):
        log.take("apply_start", at(seconds), hook(address, "create"))
    for address in ("a_b.second", "a_b.first"):
        log.take("apply_complete", at(9), hook(address, "create"))
    assert [timing.resource for timing in log.read()] == ["a_b.first", "a_b.second"]


def test_what_never_ended_or_can_not_be_read_has_no_timing() -> None:
    log = TimingLog()
    log.take("apply_start", at(1), hook(action="create"))
    log.take("apply_complete", at(1), hook("other_thing.x", "create"))
    log.take("apply_complete", "yesterday", hook(action="create"))
    log.take("apply_start", at(1), Hook())
    log.take("apply_complete", at(2), Hook())
    log.take("version", at(2), hook())
    assert log.read() == ()


def test_there_are_only_so_many_timings() -> None:
    log = TimingLog()
    for number in range(MAX_TIMINGS + 1):
        log.take("apply_start", at(number), hook(f"a_b.n{number}", "create"))
        log.take("apply_complete", at(number), hook(f"a_b.n{number}", "create"))
        if number == MAX_TIMINGS - 1:
            assert len(log.read()) == MAX_TIMINGS
    assert len(log.read()) == MAX_TIMINGS
