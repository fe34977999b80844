"""The gateway's end of an agent's control carrier: pure, time is an argument (docs/protocol.md, "Control carriers").

The agent says hello first; then either end pings a quiet carrier, and gives it up when it heard nothing for
`DEAD_AFTER_S`. Hypercorn pings, but does not judge missing pongs: only this finds half-open connections.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from genba_wire.buffers import Buffer
from genba_wire.errors import RemoteProtocolError
from genba_wire.tunnel.control import Dial, encode, parse_answer
from genba_wire.tunnel.frames import DEAD_AFTER_S, GREETING_S, MAJOR, Answer, Command, Frame, Hello, Ping, Pong
from genba_wire.tunnel.frames import encode as encode_frame
from genba_wire.tunnel.frames import parse as parse_frame
from genba_wire.tunnel.liveness import Liveness

MAX_WAITING_BYTES: Final = 1024 * 1024
"""What an agent may leave unread: a thousand dials. One that is so far behind reads nothing at all."""


@dataclass(frozen=True, slots=True)
class AgentGreeted:
    """The agent said hello: which process it is, and which protocol it speaks (`major.minor`)."""

    boot_id: str
    protocol: str


@dataclass(frozen=True, slots=True)
class DialRefused:
    """The agent could not open the carrier of a dial."""

    nonce: str
    reason: str


@dataclass(frozen=True, slots=True)
class CarrierSilent:
    """Nothing was heard for too long: the carrier is to be closed."""

    reason: str


ControlEvent = AgentGreeted | DialRefused


class ControlCarrier:
    """One control carrier. What it wants sent is in `messages_to_send`, to be asked after each call."""

    def __init__(self, now: float) -> None:
        self._liveness = Liveness(now)
        self._greet_until = now + GREETING_S
        self._is_greeted = False
        self._outgoing: list[bytes] = []
        self._waiting_bytes = 0

    @property
    def is_stuck(self) -> bool:
        """Whether more waits to be sent than an agent that reads would leave: the carrier is to be closed."""
        return self._waiting_bytes > MAX_WAITING_BYTES

    def receive_message(self, message: Buffer, now: float) -> list[ControlEvent]:
        """Take a message of the agent.

        Raises:
            RemoteProtocolError: not what an agent says on this carrier.
        """
        self._liveness.heard(now)
        frame = parse_frame(message)
        if not self._is_greeted:
            return [self._greet(frame, now)]
        match frame:
            case None | Pong():
                return []
            case Ping(token):
                self._send(Pong(token), now)
                return []
            case Answer(body):
                refusal = parse_answer(body)
                return [] if refusal is None else [DialRefused(refusal.nonce, refusal.reason)]
            case _:
                raise RemoteProtocolError(f"an agent sends no {type(frame).__name__} on its control carrier")

    def send_dial(self, dial: Dial, now: float) -> None:
        """Ask the agent to open a data carrier."""
        self._send(Command(encode(dial)), now)

    def messages_to_send(self) -> list[bytes]:
        """Take what is to be sent."""
        outgoing, self._outgoing = self._outgoing, []
        self._waiting_bytes = 0
        return outgoing

    def next_timer(self) -> float:
        """When `handle_timer` has something to do."""
        return min(self._liveness.ping_at, self._liveness.dead_at) if self._is_greeted else self._greet_until

    def handle_timer(self, now: float) -> CarrierSilent | None:
        """Ping a quiet carrier, give a silent one up."""
        if not self._is_greeted:
            return CarrierSilent(f"no hello for {GREETING_S:.0f} s") if now >= self._greet_until else None
        if now >= self._liveness.dead_at:
            return CarrierSilent(f"nothing heard for {DEAD_AFTER_S:.0f} s")
        if now >= self._liveness.ping_at:
            self._queue(Ping(self._liveness.next_token(now)))
        return None

    def _greet(self, frame: Frame | None, now: float) -> AgentGreeted:
        if not isinstance(frame, Hello):
            raise RemoteProtocolError("a carrier begins with a hello")
        if frame.major != MAJOR:
            raise RemoteProtocolError(f"the agent speaks protocol {frame.major}, this gateway {MAJOR}")
        self._is_greeted = True
        self._send(Hello(), now)
        return AgentGreeted(str(uuid.UUID(bytes=frame.boot_id)), f"{frame.major}.{frame.minor}")

    def _send(self, frame: Frame, now: float) -> None:
        self._liveness.said(now)
        self._queue(frame)

    def _queue(self, frame: Frame) -> None:
        message = encode_frame(frame)
        self._outgoing.append(message)
        self._waiting_bytes += len(message)
