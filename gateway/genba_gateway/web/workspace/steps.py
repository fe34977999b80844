"""What Terraform has done so far in a build, read from the lines of its log as they come.

Terraform prints one sentence an event (`terraform_data.home: Creating...`); the stages and times are the log's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from genba_gateway.domain.jobs import StoredJobLog

MAX_RESOURCES: Final = 500
"""Of a larger build the page shows the first, and says that there are more; the log has them all."""


class StepState(StrEnum):
    """How far something is."""

    PLANNED = "planned"
    DOING = "doing"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StageStep:
    """One stage of the build; `ended_at` None while it is the last."""

    name: str
    started_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ResourceStep:
    """One resource that the build makes, changes or removes."""

    address: str
    action: str
    """create, update, delete, replace or read."""
    state: StepState
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BuildSteps:
    """A build so far."""

    stages: tuple[StageStep, ...] = ()
    resources: tuple[ResourceStep, ...] = ()
    left_out: int = 0
    """Resources beyond `MAX_RESOURCES`."""

    @property
    def done(self) -> int:
        """How many resources are done."""
        return sum(each.state is StepState.DONE for each in self.resources)


_ENDINGS: Final = {
    "Creation": "create",
    "Modifications": "update",
    "Destruction": "delete",
    "Refresh": "read",
    "Read": "read",
}
_BEGINNINGS: Final = {
    "Creating": "create",
    "Modifying": "update",
    "Destroying": "delete",
    "Refreshing": "read",
    "Reading": "read",
}
_EVENT: Final = re.compile(
    r"(?P<address>\S.*?): (?:"
    r"Plan to (?P<planned>create|update|delete|replace|read)\b"
    rf"|(?P<begun>{'|'.join(_BEGINNINGS)})\.\.\."
    rf"|(?P<ended>{'|'.join(_ENDINGS)}) (?P<how>complete|errored) after )"
)


class StepReader:
    """Reads the lines of one build's log in their order, and tells how far it is."""

    def __init__(self) -> None:
        self.last_id = 0
        """Of the lines read; what follows is to be read next."""
        self._stages: list[StageStep] = []
        self._resources: dict[str, ResourceStep] = {}
        self._left_out: set[str] = set()

    def read(self, lines: Iterable[StoredJobLog]) -> None:
        """Take lines that come after those read before."""
        for line in lines:
            self.last_id = line.id
            self._enter_stage(line)
            if (event := _EVENT.match(line.output)) is not None:
                self._take(event, line.created_at)

    def steps(self, ended_at: datetime | None = None) -> BuildSteps:
        """The build so far; with the job's end, the last stage ends and what was under way has failed."""
        stages, resources = list(self._stages), list(self._resources.values())
        if ended_at is not None:
            if stages:
                stages[-1] = replace(stages[-1], ended_at=ended_at)
            resources = [
                replace(each, state=StepState.FAILED, ended_at=ended_at) if each.state is StepState.DOING else each
                for each in resources
            ]
        return BuildSteps(tuple(stages), tuple(resources), len(self._left_out))

    def _enter_stage(self, line: StoredJobLog) -> None:
        if self._stages and self._stages[-1].name == line.stage:
            return
        if self._stages:
            self._stages[-1] = replace(self._stages[-1], ended_at=line.created_at)
        self._stages.append(StageStep(line.stage, line.created_at))

    def _take(self, event: re.Match[str], at: datetime) -> None:
        address, known = event["address"], self._resources.get(event["address"])
        if known is None and len(self._resources) >= MAX_RESOURCES:
            self._left_out.add(address)
            return
        if planned := event["planned"]:
            self._resources[address] = ResourceStep(address, planned, StepState.PLANNED)
            return
        action = _BEGINNINGS[event["begun"]] if event["begun"] else _ENDINGS[event["ended"]]
        if action == "read" and (known is None or known.action != "read"):
            # Before each plan all that is there is read: no news, unless the plan says that it is part of the change.
            return
        # A replacement is a deletion and a creation; it is done when the second is.
        known = known or ResourceStep(address, action, StepState.DOING)
        if event["begun"]:
            started_at = known.started_at if known.action == "replace" and known.started_at else at
            self._resources[address] = replace(known, state=StepState.DOING, started_at=started_at, ended_at=None)
        elif event["how"] == "errored":
            self._resources[address] = replace(known, state=StepState.FAILED, ended_at=at)
        elif known.action == "replace" and action == "delete":
            self._resources[address] = replace(known, state=StepState.DOING)
        else:
            self._resources[address] = replace(known, state=StepState.DONE, ended_at=at)
