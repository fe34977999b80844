"""Which way carriers go: by websocket wherever those pass, else over plain HTTP requests.

What refuses websockets is remembered for some minutes, so that not every carrier pays for finding out; then they are
tried again, since proxies get mended. What the gateway itself says to a carrier never sends it the other way.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Final, Protocol

from genba_wire.aio.carrier import DialledCarrier
from genba_wire.errors import GatewayRefused, GatewayUnreachable, HttpWayClosed, TransportError

WEBSOCKETS_VARIABLE: Final = "GENBA_WEBSOCKETS"
"""Chooses the way of carriers, for agent, command line and bridge."""

REMEMBER_S: Final = 300.0
"""How long websockets are not tried again: finding out costs up to half a minute where nothing answers them."""

LOOK_AGAIN_S: Final = 3.0
"""How long the handshake may take that finds out whether websockets pass again: a session waits for it, and whoever
asked for that session (`genba_agent.carriers.dialling.DIAL_S`)."""

TRIES: Final = 3
"""What has to fit into the time that a carrier is given: two websockets, and the way without them."""

_NOT_THE_GATEWAYS: Final = frozenset({403, 405, 501})
"""Refusals of what opens a carrier that no gateway gives."""


class WebsocketUse(StrEnum):
    """Whether carriers are websockets."""

    AUTO = "auto"
    """Wherever they pass."""

    ALWAYS = "always"
    """Or there is no carrier."""

    NEVER = "never"
    """Carriers go over HTTP requests."""


def read_websocket_use(environ: Mapping[str, str]) -> WebsocketUse:
    """Read the variable.

    Raises:
        GatewayUnreachable: it says something else.
    """
    text = environ.get(WEBSOCKETS_VARIABLE, "").strip().lower()
    try:
        return WebsocketUse(text or WebsocketUse.AUTO)
    except ValueError as error:
        known = ", ".join(WebsocketUse)
        raise GatewayUnreachable(f"{WEBSOCKETS_VARIABLE} is {text!r}; it may be one of {known}.") from error


def describe_fallback(reason: str) -> str:
    """What people are told when carriers begin to go over HTTP requests."""
    return f"Connections go over HTTP requests, which is slower: websockets don't pass, as {reason}."


class Ways(Protocol):
    """The two ways of one carrier, and what is known of the gateway without them."""

    async def open_websocket(self) -> DialledCarrier:
        """Open a carrier by websocket."""
        ...

    async def open_http(self) -> DialledCarrier:
        """Open the same one over HTTP requests."""
        ...

    async def is_answering(self) -> bool:
        """Whether the gateway answers a plain request."""
        ...

    def read_refusal(self, error: TransportError) -> tuple[str, bool] | None:
        """What a failed handshake says of websockets: why they don't pass, and whether that is doubtful."""
        ...


class CarrierWays:
    """Chooses the way of each carrier to one gateway."""

    def __init__(
        self, use: WebsocketUse, clock: Callable[[], float] = time.monotonic, *, look_again_s: float = LOOK_AGAIN_S
    ) -> None:
        self.on_fallback: Callable[[str], None] | None = None
        """Hears, once for each reason, why carriers are no websockets."""
        self._use = use
        self._clock = clock
        self._look_again_s = look_again_s
        self._http_until = float("-inf")
        self._reason = f"{WEBSOCKETS_VARIABLE} forbids them" if use is WebsocketUse.NEVER else ""
        self._told = ""
        self._doubts = 0

    @property
    def is_without_websockets(self) -> bool:
        """Whether none is to be tried at the moment."""
        return self._use is WebsocketUse.NEVER or self._clock() < self._http_until

    @property
    def http_reason(self) -> str:
        """Why carriers go over HTTP requests at the moment; empty while they are websockets."""
        return self._reason

    async def open(self, ways: Ways, *, within_s: float | None = None) -> DialledCarrier:
        """Open a carrier.

        Args:
            within_s: how long the caller waits, if it has a limit; enough of it is left for the second way.

        Raises:
            GatewayUnreachable, GatewayRefused: there is none, by the way that was tried first.
        """
        if self._use is WebsocketUse.ALWAYS:
            return await ways.open_websocket()
        if self._use is WebsocketUse.NEVER:
            return await self._told_of(ways.open_http)
        if self.is_without_websockets:
            return await self._go_on_without(ways)
        if self._reason:
            return await self._look_again(ways)
        limit_s = None if within_s is None else within_s / TRIES
        try:
            carrier = await _open_websocket(ways, limit_s)
        except TransportError as error:
            found = await self._look_closer(ways, error, limit_s)
            if not found:
                raise
            if isinstance(found, str):
                return await self._fall_back(ways, found, error)
            carrier = found
        self.note_websocket()
        return carrier

    def note_websocket(self) -> None:
        """A websocket was opened: they pass."""
        if self._use is not WebsocketUse.NEVER:
            self._http_until = float("-inf")
            self._reason = self._told = ""
            self._doubts = 0

    async def lacks_websockets(self, ways: Ways, error: TransportError) -> bool:
        """Tell whether a websocket that is no carrier failed since none passes: its user has another form of it.

        A doubtful failure counts from the second in a row.
        """
        refusal = None if self._use is WebsocketUse.ALWAYS else ways.read_refusal(error)
        if refusal is None:
            self._doubts = 0
            return False
        reason, is_doubtful = refusal
        if is_doubtful:
            self._doubts = self._doubts + 1 if await ways.is_answering() else 0
            if self._doubts <= 1:
                return False
        self._remember(reason)
        return True

    async def _look_again(self, ways: Ways) -> DialledCarrier:
        """Open a carrier after the term: websockets may pass again."""
        # Before anything else: one carrier pays for looking, and what it knew stays known though its caller gives up.
        self._http_until = self._clock() + REMEMBER_S
        try:
            carrier = await _open_websocket(ways, self._look_again_s)
        except TransportError as error:
            refusal = ways.read_refusal(error)
            if refusal is None:
                raise
            reason, is_doubtful = refusal
            if not is_doubtful:
                self._remember(reason)
            return await self._go_on_without(ways)
        self.note_websocket()
        return carrier

    async def _go_on_without(self, ways: Ways) -> DialledCarrier:
        try:
            return await ways.open_http()
        except (GatewayRefused, HttpWayClosed) as error:
            if not isinstance(error, GatewayRefused) or error.status in _NOT_THE_GATEWAYS or error.status < 400:
                # That way is closed now, too: the next carrier looks at both anew.
                self._http_until = float("-inf")
            raise

    async def _look_closer(self, ways: Ways, error: TransportError, limit_s: float | None) -> DialledCarrier | str:
        """Find why websockets don't pass, empty when it is something else; or they do, and here is the carrier."""
        refusal = ways.read_refusal(error)
        if refusal is None:
            return ""
        reason, is_doubtful = refusal
        if not is_doubtful:
            return reason
        if not await ways.is_answering():
            return ""
        # The gateway is there: but was it a moment ago? Twice in a row is no restart.
        try:
            return await _open_websocket(ways, limit_s)
        except TransportError as again:
            refusal = ways.read_refusal(again)
            if refusal is None:
                raise
            return refusal[0]

    async def _fall_back(self, ways: Ways, reason: str, error: TransportError) -> DialledCarrier:
        try:
            carrier = await ways.open_http()
        except GatewayRefused as refusal:
            # An older gateway does not know that way; any other no of it is the answer.
            raise (error if refusal.status in (404, 405) else refusal) from refusal
        except GatewayUnreachable as other:
            raise GatewayUnreachable(f"{error} {other}") from other
        self._remember(reason)
        return carrier

    async def _told_of(self, open_http: Callable[[], Awaitable[DialledCarrier]]) -> DialledCarrier:
        carrier = await open_http()
        self._tell()
        return carrier

    def _remember(self, reason: str) -> None:
        self._http_until = self._clock() + REMEMBER_S
        self._reason = reason
        self._tell()

    def _tell(self) -> None:
        if self.on_fallback is not None and self._reason != self._told:
            self._told = self._reason
            self.on_fallback(self._reason)


async def _open_websocket(ways: Ways, limit_s: float | None) -> DialledCarrier:
    try:
        async with asyncio.timeout(limit_s):
            return await ways.open_websocket()
    except TimeoutError as error:
        raise GatewayUnreachable(
            f"Can't reach the gateway by websocket: no answer to the handshake within {limit_s:.0f} s."
        ) from error
