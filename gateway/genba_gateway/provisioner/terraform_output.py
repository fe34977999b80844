"""Terraform's machine-readable output, line by line, as lines of a job's log.

`plan -json` and `apply -json` print one JSON object a line (`@level`, `@message`, `type`, …); diagnostics carry
a range and a snippet. Other lines happen too (problems of the CLI configuration, crashes) and are passed on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable

import msgspec

from genba_gateway.domain.provisioning import LogLevel
from genba_gateway.provisioner.diagnostics import Diagnostic, read_plain_diagnostics
from genba_gateway.provisioner.job_log import JobLog
from genba_gateway.provisioner.timing_log import Hook, TimingLog

# The longest raw line that is kept whole, so that it can be parsed; what is longer is cut.
MAX_RAW_LINE_BYTES = 1024 * 1024
# How much of Terraform's errors goes into the message of a failed job.
MAX_ERROR_CHARACTERS = 4096

_LEVELS = {level.value: level for level in LogLevel}
_MESSAGE_OF_CUT_LINE = re.compile(r'"@message":\s*("(?:[^"\\]|\\.)*)')


class _Changes(msgspec.Struct):
    operation: str = ""


class _Resource(msgspec.Struct):
    resource_type: str = ""


class _Change(msgspec.Struct):
    resource: _Resource = msgspec.field(default_factory=_Resource)


class _Message(msgspec.Struct):
    level: str = msgspec.field(default="info", name="@level")
    message: str = msgspec.field(default="", name="@message")
    timestamp: str = msgspec.field(default="", name="@timestamp")
    type: str = ""
    diagnostic: Diagnostic | None = None
    changes: _Changes | None = None
    change: _Change | None = None
    outputs: dict[str, msgspec.Raw] | None = None
    hook: Hook | None = None


_decoder = msgspec.json.Decoder(_Message)


class LineSplitter:
    """Cuts a stream of bytes into lines; of an overlong line the beginning is kept."""

    def __init__(self, on_line: Callable[[str], Awaitable[None]]) -> None:
        self._on_line = on_line
        self._pending = bytearray()
        self._is_skipping = False

    async def feed(self, chunk: bytes) -> None:
        """Take bytes as they come."""
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            self._append(chunk[start:end])
            await self._flush()
            self._is_skipping = False
            start = end + 1
        self._append(chunk[start:])

    async def close(self) -> None:
        """Hand on a last line without an end."""
        if self._pending:
            await self._flush()

    def _append(self, part: bytes) -> None:
        if self._is_skipping:
            return
        room = MAX_RAW_LINE_BYTES - len(self._pending)
        self._pending += part[:room]
        self._is_skipping = len(part) > room

    async def _flush(self) -> None:
        line = self._pending.decode("utf-8", "replace").rstrip("\r")
        self._pending.clear()
        await self._on_line(line)


class OutputLog:
    """Passes one command's output to the log and remembers its errors.

    `on_planned` is called once, when Terraform's plan is complete and the changes begin.
    """

    def __init__(
        self,
        log: JobLog,
        on_planned: Callable[[], Awaitable[None]] | None = None,
        *,
        timings: TimingLog | None = None,
    ) -> None:
        self._log = log
        self._timings = timings
        self._on_planned = on_planned
        self.diagnostics: list[Diagnostic] = []
        self._plain_errors: list[str] = []

    async def json_line(self, line: str) -> None:
        """Take a line of `-json` output."""
        message = _parse(line)
        if message is None:
            await self._log.write(LogLevel.INFO, line)
            return
        level = _LEVELS.get(message.level, LogLevel.INFO)
        if message.hook is not None and self._timings is not None:
            self._timings.take(message.type, message.timestamp, message.hook)
        if not _is_noise(message):
            await self._log.write(level, message.message)
        if message.diagnostic is not None:
            if message.diagnostic.severity == "error":
                self.diagnostics.append(message.diagnostic)
            for rendered in message.diagnostic.render():
                await self._log.write(level, rendered)
        if message.changes is not None and message.changes.operation == "plan" and self._on_planned is not None:
            await self._on_planned()
            self._on_planned = None

    async def plain_line(self, line: str) -> None:
        """Take a line that tells of progress (`init`)."""
        await self._log.write(LogLevel.DEBUG, line)

    async def error_line(self, line: str) -> None:
        """Take a line of standard error: a JSON log line when debugging, else a problem."""
        message = _parse(line)
        if message is not None:
            await self._log.write(_LEVELS.get(message.level, LogLevel.DEBUG), message.message)
            return
        self._plain_errors.append(line)
        await self._log.write(LogLevel.ERROR, line)

    def error_message(self, command: str, exit_code: int) -> str:
        """Return what to tell the user about a command that failed."""
        diagnostics = self.diagnostics or read_plain_diagnostics(self._plain_errors)
        if diagnostics:
            more = len(diagnostics) - 1
            suffix = f" (and {more} more, see the log)" if more else ""
            return f"terraform {command}: {diagnostics[0].sentence()[:MAX_ERROR_CHARACTERS]}{suffix}"
        plain = " ".join(part.strip(" │╷╵") for part in self._plain_errors).strip()
        if plain:
            return f"terraform {command}: {' '.join(plain.split())[:MAX_ERROR_CHARACTERS]}"
        return f"terraform {command} ended with exit code {exit_code} and no message; see the log."


def _is_noise(message: _Message) -> bool:
    """Say whether a line would only make users wonder.

    Every refresh gives agents a new token, which Terraform tells as drift; and no outputs are "Outputs: 0".
    """
    if message.type == "resource_drift":
        return message.change is not None and message.change.resource.resource_type == "coder_agent"
    return message.type == "outputs" and not message.outputs


def _parse(line: str) -> _Message | None:
    if not line.startswith("{"):
        return None
    try:
        return _decoder.decode(line)
    except msgspec.MsgspecError:
        cut = _MESSAGE_OF_CUT_LINE.search(line)
    if cut is None or '"@level"' not in line:
        return None
    try:
        return _Message(message=str(json.loads(cut[1] + '"')))
    except ValueError:
        return None
