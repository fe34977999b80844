"""What agents report, and the pure rules about it (contract 1.2, 1.4, 1.6)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from genba_wire.api.agent_protocol import MAX_METADATA_VALUE_BYTES

SUBSYSTEMS: Final = frozenset({"envbox", "envbuilder", "exectrace"})
"""What may run around an agent (contract appendix C, AgentSubsystem)."""

_NUMBER: Final = r"(0|[1-9]\d*)"
_IDENTIFIERS: Final = r"[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*"
_VERSION: Final = re.compile(rf"v{_NUMBER}(\.{_NUMBER}(\.{_NUMBER}(-{_IDENTIFIERS})?(\+{_IDENTIFIERS})?)?)?", re.ASCII)


def is_version(text: str) -> bool:
    """Whether it is a semantic version that begins with a `v`; the minor and patch numbers may be absent."""
    return _VERSION.fullmatch(text) is not None


class LogLevel(StrEnum):
    """Level of a line of an agent's log."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class LogPosition:
    """Where a batch stands in a spool of the agent: `first_line` counts the spool's lines from 0."""

    boot_id: str
    first_line: int


@dataclass(frozen=True, slots=True)
class NewLogLine:
    """One line to be stored."""

    output: str
    level: LogLevel


@dataclass(frozen=True, slots=True)
class AgentLogLine:
    """One stored line; ids grow within an agent."""

    id: int
    created_at: datetime
    output: str
    level: str
    source_id: str


def lines_not_stored(lines: Sequence[NewLogLine], position: LogPosition, next_line: int) -> Sequence[NewLogLine]:
    """The lines of a batch that its spool has not delivered before; `next_line` is the first of those.

    A batch that begins after `next_line` is whole: the agent drops what the gateway refused, and goes on.
    """
    return lines[max(0, next_line - position.first_line) :]


@dataclass(frozen=True, slots=True)
class MetadataItem:
    """One metadata item of an agent with what was last collected; `collected_at` None means never."""

    key: str
    display_name: str
    script: str
    interval_s: int
    timeout_s: int
    value: str
    error: str
    collected_at: datetime | None


@dataclass(frozen=True, slots=True)
class MetadataValue:
    """What was collected for a key."""

    key: str
    value: str
    error: str


def cut_metadata(reported: MetadataValue) -> MetadataValue:
    """Keep at most `MAX_METADATA_VALUE_BYTES` of value and error each; a cut value says so in the error."""
    value, error = _cut(reported.value), reported.error
    if value != reported.value:
        size = len(reported.value.encode())
        error = f"The value has {size} bytes and was cut to {MAX_METADATA_VALUE_BYTES}. {error}".rstrip()
    return MetadataValue(reported.key, value, _cut(error))


def _cut(text: str) -> str:
    return text.encode()[:MAX_METADATA_VALUE_BYTES].decode(errors="ignore")
