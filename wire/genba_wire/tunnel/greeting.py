"""The agent's end of a new data carrier, until it is known which link it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from genba_wire.buffers import Buffer
from genba_wire.errors import RemoteProtocolError
from genba_wire.tunnel.frames import (
    GREETING_S,
    CloseCode,
    Closed,
    Hello,
    Open,
    Ping,
    Pong,
    Resume,
    check_hello,
    encode,
    parse,
)


@dataclass(frozen=True, slots=True)
class LinkRequested:
    """The greeting is over: `Link.accept` or `Link.resume` takes the carrier from here, with what came behind."""

    frame: Open | Resume
    hello: Hello
    """The client's: how large its messages may be."""


@dataclass(frozen=True, slots=True)
class GreetingFailed:
    """There will be no link on this carrier: send what there is to send, and close it."""

    code: CloseCode
    reason: str


GreetingEvent: TypeAlias = LinkRequested | GreetingFailed


class Greeting:
    """Reads hello and Open or Resume; says hello, or why not.

    After each call send `messages_to_send()`. Exactly one event comes; then the greeting is over, and messages on the
    carrier belong to the link.
    """

    def __init__(self, boot_id: bytes, now: float) -> None:
        """Wait for a client. `boot_id`: 16 bytes that name this process of the agent."""
        self._boot_id = boot_id
        self._deadline = now + GREETING_S
        self._hello: Hello | None = None
        self._is_over = False
        self._outgoing: list[tuple[Buffer, ...]] = []

    def receive_message(self, message: Buffer, now: float) -> list[GreetingEvent]:
        """Take one message of the carrier. Never raises: a broken rule is a `GreetingFailed`."""
        if self._is_over:
            return []
        try:
            return self._handle(message)
        except RemoteProtocolError as error:
            return [self.refuse(CloseCode.PROTOCOL, str(error))]

    def refuse(self, code: CloseCode, reason: str) -> GreetingFailed:
        """Say that there will be no link, for example `UNKNOWN_LINK` when nobody has the one to resume."""
        self._is_over = True
        self._outgoing.append((encode(Closed(code, reason)),))
        return GreetingFailed(code, reason)

    def messages_to_send(self) -> list[tuple[Buffer, ...]]:
        """Take what is to be sent, each message in parts."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def next_timer(self) -> float | None:
        """When `handle_timer` has something to do."""
        return None if self._is_over else self._deadline

    def handle_timer(self, now: float) -> list[GreetingEvent]:
        """Give the carrier up when its time is over."""
        if self._is_over or now < self._deadline:
            return []
        return [self.refuse(CloseCode.PROTOCOL, f"no whole greeting within {GREETING_S:.0f} s")]

    def _handle(self, message: Buffer) -> list[GreetingEvent]:
        match parse(message):
            case None | Pong():
                return []
            case Ping(token):
                self._outgoing.append((encode(Pong(token)),))
                return []
            case Hello() as hello if self._hello is None:
                # Ours goes out even when theirs is refused: so the other end can say which versions met.
                self._outgoing.append((encode(Hello(self._boot_id)),))
                check_hello(hello)
                self._hello = hello
                return []
            case (Open() | Resume()) as frame if self._hello is not None:
                if isinstance(frame, Resume) and frame.boot_id != self._boot_id:
                    return [self.refuse(CloseCode.WORKSPACE_RESTARTED, "the workspace restarted")]
                self._is_over = True
                return [LinkRequested(frame, self._hello)]
            case frame:
                raise RemoteProtocolError(f"a carrier does not begin with {type(frame).__name__}")
