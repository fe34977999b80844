"""Measures a job: Terraform's commands by our clock, resources by the times that Terraform prints.

Terraform's `-json` output tells the beginning and the end of each thing that it does to a resource by two lines whose
`type` differs in its last word only: `apply_start` and `apply_complete` (or `apply_errored`), and likewise `refresh_…`
and `provision_…`. What never ended, since Terraform was killed, has no timing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import msgspec

from genba_gateway.domain.timings import ProvisionerTiming, TimingStage

MAX_TIMINGS: Final = 5_000
"""Of one job; each is a row in the database. The largest templates have hundreds of resources."""

TERRAFORM: Final = "terraform"
_ENDS: Final = frozenset({"complete", "errored"})
_ACTIONS: Final = {"refresh": "read", "provision": "provision"}
"""Where Terraform names no action of its own."""


class HookResource(msgspec.Struct):
    """Which resource a line is about."""

    addr: str = ""
    implied_provider: str = ""


class Hook(msgspec.Struct):
    """What Terraform does to it."""

    resource: HookResource = msgspec.field(default_factory=HookResource)
    action: str = ""
    provisioner: str = ""


class TimingLog:
    """Collects the timings of one job."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._stage, self._stage_began = TimingStage.PLAN, now()
        self._timings: list[ProvisionerTiming] = []
        self._begun: dict[tuple[str, str, str], datetime] = {}

    @contextmanager
    def measure(self, stage: TimingStage) -> Generator[None]:
        """Measure a command, also one that fails; `go_on` divides it."""
        self._stage, self._stage_began = stage, self._now()
        try:
            yield
        finally:
            self._end_stage()

    def go_on(self, stage: TimingStage) -> None:
        """End the stage of the command that runs, and begin its next one."""
        self._end_stage()
        self._stage, self._stage_began = stage, self._now()

    def take(self, kind: str, timestamp: str, hook: Hook) -> None:
        """Take a line of Terraform's output: its `type`, `@timestamp` and `hook`."""
        what, _, edge = kind.rpartition("_")
        if not hook.resource.addr or (edge != "start" and edge not in _ENDS):
            return
        try:
            at = datetime.fromisoformat(timestamp).astimezone(UTC)
        except ValueError:
            return
        key = (what, hook.resource.addr, hook.provisioner)
        if edge == "start":
            self._begun[key] = at
            return
        began = self._begun.pop(key, None)
        if began is not None:
            action = hook.action or _ACTIONS.get(what, what)
            self._add(ProvisionerTiming(began, at, self._stage, hook.resource.implied_provider, action, key[1]))

    def read(self) -> tuple[ProvisionerTiming, ...]:
        """What was measured, in the order in which it began."""
        return tuple(sorted(self._timings, key=lambda timing: timing.started_at))

    def _end_stage(self) -> None:
        stage = self._stage
        self._add(ProvisionerTiming(self._stage_began, self._now(), stage, TERRAFORM, stage.value, TERRAFORM))

    def _add(self, timing: ProvisionerTiming) -> None:
        if len(self._timings) < MAX_TIMINGS:
            self._timings.append(timing)
