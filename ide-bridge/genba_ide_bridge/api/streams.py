"""Streams that survive outages: logs of jobs and agents, and the watch of a workspace.

A stream is a websocket that is opened again with `after=<last id>` for as long as it takes, so that every line comes
once and in order, whatever happens to the gateway or the network in between. How a websocket was closed is not
believed: a gateway that shuts down may close it as if all were said. What is true is asked: is the job done?
When it is, one plain GET brings what the stream may have missed. Where no websocket passes, such GETs are all there is.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import msgspec

from genba_wire.api.agents import AgentLog
from genba_wire.api.jobs import JobLog
from genba_wire.errors import GatewayRefused, GatewayUnreachable, TransportError

if TYPE_CHECKING:
    from genba_ide_bridge.api.calls import Calls

ResultT = TypeVar("ResultT")
LineT = TypeVar("LineT", JobLog, AgentLog)

FIRST_DELAY_S: Final = 0.25
"""A gateway that restarts is back in about a second."""

LONGEST_DELAY_S: Final = 5.0
"""A developer who fixes the network should not wait longer than this for the log to go on."""

POLL_INTERVAL_S: Final = 1.0
"""How often a log is asked for where no websocket passes."""

_PASSING_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers of proxies and gateways that will be better later."""


class OutageReport(Protocol):
    """Is told when the gateway goes away and when it is back."""

    def gateway_is_away(self, reason: str) -> None:
        """Called at each failed attempt."""
        ...

    def gateway_is_back(self) -> None:
        """Called after each successful one."""
        ...


@dataclass(slots=True)
class Backoff:
    """Delays between attempts: doubling, with jitter so that many clients don't come at once."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _delay_s: float = field(default_factory=lambda: FIRST_DELAY_S)

    def reset(self) -> None:
        """The last attempt succeeded."""
        self._delay_s = FIRST_DELAY_S

    async def wait(self) -> None:
        """Wait before the next attempt."""
        delay_s = self._delay_s
        self._delay_s = min(self._delay_s * 2, LONGEST_DELAY_S)
        await self.sleep(delay_s * random.uniform(0.8, 1.2))  # noqa: S311  jitter needs no secrecy


@dataclass(slots=True)
class LogCursor:
    """How far a log was read: the id of the last line that was handed on."""

    after: int = 0


@dataclass(slots=True)
class Streams:
    """Follows logs through one client's calls."""

    calls: Calls
    report: OutageReport
    backoff: Backoff = field(default_factory=Backoff)

    async def persist(self, action: Callable[[], Awaitable[ResultT]]) -> ResultT:
        """Carry out a request, again and again until there is an answer.

        Raises:
            GatewayRefused: the gateway's no, when it is not a passing one.
        """
        while True:
            try:
                result = await action()
            except (GatewayUnreachable, GatewayRefused) as error:
                await self.wait_out(error)
            else:
                self.backoff.reset()
                self.report.gateway_is_back()
                return result

    async def read_log(
        self, path: str, line_type: type[LineT], cursor: LogCursor, on_line: Callable[[LineT], None]
    ) -> None:
        """Hand on the lines that are there after the cursor, once."""

        async def fetch() -> list[LineT]:
            return await self.calls.fetch("GET", path, list[line_type], params={"after": str(cursor.after)})  # type: ignore[valid-type]  # a runtime type is what decoding takes

        for line in await self.persist(fetch):
            _hand_on(line, cursor, on_line)

    async def follow_log(
        self,
        path: str,
        line_type: type[LineT],
        cursor: LogCursor,
        on_line: Callable[[LineT], None],
        is_complete: Callable[[], Awaitable[bool]],
    ) -> None:
        """Hand on lines as they come, until `is_complete` says that no more will.

        Args:
            path: below /api/v2, without its query.
            line_type: `JobLog` (one object per message) or `AgentLog` (arrays of them).
            cursor: where to begin; moves on with every line.
            on_line: called once per line, in order.
            is_complete: asked whenever the websocket ends.
        """
        from websockets.exceptions import ConnectionClosed

        while True:
            if self.calls.transport.carrier_ways.is_without_websockets:
                await self._poll_log(path, line_type, cursor, on_line, is_complete)
                return
            try:
                params = {"follow": "true", "after": str(cursor.after)}
                async with self.calls.transport.websocket("/api/v2" + path, params=params) as connection:
                    self.report.gateway_is_back()
                    async for message in connection:
                        self.backoff.reset()
                        for line in _decode_lines(message, line_type):
                            _hand_on(line, cursor, on_line)
            except (GatewayUnreachable, GatewayRefused, ConnectionClosed) as error:
                if await self.lacks_websockets(error):
                    continue
                await self.wait_out(error)
            if await self.persist(is_complete):
                await self.read_log(path, line_type, cursor, on_line)
                return
            await self.backoff.wait()

    async def lacks_websockets(self, error: Exception) -> bool:
        """Tell whether a websocket failed since none passes here."""
        from genba_wire.aio.carrier_dialling import lacks_websockets

        return isinstance(error, TransportError) and await lacks_websockets(self.calls.transport, error)

    async def _poll_log(
        self,
        path: str,
        line_type: type[LineT],
        cursor: LogCursor,
        on_line: Callable[[LineT], None],
        is_complete: Callable[[], Awaitable[bool]],
    ) -> None:
        """Do as `follow_log` does, by asking again and again."""
        while True:
            is_last = await self.persist(is_complete)
            await self.read_log(path, line_type, cursor, on_line)
            if is_last:
                return
            await self.backoff.sleep(POLL_INTERVAL_S)

    async def wait_out(self, error: Exception) -> None:
        """Report a failed attempt and wait for the next; raises an error that waiting won't cure."""
        if isinstance(error, GatewayRefused) and error.status not in _PASSING_STATUSES:
            raise error
        # A websocket that ended does not say that the gateway is away: the next attempt will.
        if isinstance(error, GatewayUnreachable | GatewayRefused):
            self.report.gateway_is_away(str(error))
        await self.backoff.wait()


def _decode_lines(message: str | bytes, line_type: type[LineT]) -> list[LineT]:
    text = message.encode() if isinstance(message, str) else message
    if text.lstrip().startswith(b"["):
        return msgspec.json.decode(text, type=list[line_type])  # type: ignore[valid-type]  # see read_log
    return [msgspec.json.decode(text, type=line_type)]


def _hand_on(line: LineT, cursor: LogCursor, on_line: Callable[[LineT], None]) -> None:
    if line.id > cursor.after:
        cursor.after = line.id
        on_line(line)
