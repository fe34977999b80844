"""A link: one reliable pipe of bytes between a client's process and an agent, over one carrier after another.

Both ends count the bytes they sent and received over the life of the link, and keep what they sent until the other end
has acknowledged it. A carrier that comes after another is resumed: the client says how much it has, proves that it has
the link's secret, and the agent says how much it has. Each end then sends again what the other lacks.

    client                                     agent
    Hello, Open            ->                             Greeting, then Link.accept
    (Data …)               ->
                           <-    Hello, Accept            both open
    — the carrier is lost, another one comes —
    Hello, Resume          ->                             Greeting, then Link.resume
                           <-    Hello, Challenge
    Proof                  ->
                           <-    Resumed                  both open
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from genba_wire.buffers import Buffer
from genba_wire.errors import LocalProtocolError, RemoteProtocolError
from genba_wire.tunnel.frames import (
    DATA_HEADER_BYTES,
    DEAD_AFTER_S,
    FEATURES,
    MAX_MESSAGE_BYTES,
    MIN_MESSAGE_BYTES,
    NEVER_RESUMES,
    NONCE_BYTES,
    Accept,
    Challenge,
    CloseCode,
    Hello,
    Open,
    Ping,
    Resume,
    data_header,
    parse,
)
from genba_wire.tunnel.link_base import ACK_BESIDE_BYTES, ACK_EVERY_BYTES, ACK_WITHIN_S, LinkBase, LinkState
from genba_wire.tunnel.link_events import CarrierDead, DataReceived, LinkClosed, LinkEvent, LinkOpened, LinkResumed
from genba_wire.tunnel.replay import PROCESS_BUDGET, ReplayBudget
from genba_wire.tunnel.secret import ResumeTranscript, derive_secret

__all__ = [
    "ACK_BESIDE_BYTES",
    "ACK_EVERY_BYTES",
    "ACK_WITHIN_S",
    "CarrierDead",
    "DataReceived",
    "Link",
    "LinkClosed",
    "LinkEvent",
    "LinkOpened",
    "LinkResumed",
    "LinkState",
]


class Link(LinkBase):
    """One end of a link. Make it with `connect` or `accept`.

    After each call send `messages_to_send()`, then act on the events. A driver sets one timer, by `next_timer()`, anew
    when it fires, after `attach`, `resume` and `detach`, and when `ack_at` comes before it.
    """

    @classmethod
    def connect(
        cls,
        link_id: bytes,
        private_key: bytes,
        *,
        now: float,
        random: Callable[[int], bytes] = os.urandom,
        never_resumes: bool = False,
        budget: ReplayBudget = PROCESS_BUDGET,
    ) -> Link:
        """Make the client's end of a link that does not exist yet; `attach` comes next.

        Args:
            link_id: 16 random bytes.
            private_key: 32 random bytes.
            now: monotonic seconds.
            random: returns random bytes, for nonces.
            never_resumes: let the link end with its carrier, at both ends.
            budget: what it shares with the other links of the process.
        """
        link = cls(link_id, private_key, is_client=True, now=now, random=random, budget=budget)
        link._never_resumes = never_resumes
        link._replay.is_keeping = not never_resumes
        return link

    @classmethod
    def accept(
        cls,
        open: Open,
        *,
        private_key: bytes,
        boot_id: bytes,
        keep_s: int,
        now: float,
        hello: Hello | None = None,
        random: Callable[[int], bytes] = os.urandom,
        budget: ReplayBudget = PROCESS_BUDGET,
    ) -> Link:
        """Make the agent's end of the link that `Greeting` was asked for; it is open at once.

        Args:
            open: the client's frame.
            private_key: 32 random bytes, of this link alone.
            boot_id: 16 bytes that name this process.
            keep_s: seconds to keep the link without a carrier, unless the client says that it never resumes.
            now: monotonic seconds.
            hello: the client's; without it the least that every end takes is assumed.
            random: returns random bytes, for nonces.
            budget: what it shares with the other links of the process.

        Raises:
            RemoteProtocolError: the client's key is not usable.
        """
        link = cls(open.link_id, private_key, is_client=False, now=now, random=random, budget=budget)
        keys = {"client_key": open.public_key, "agent_key": link._public_key}
        link._secret = derive_secret(private_key, open.public_key, link_id=open.link_id, **keys)
        is_kept = hello is None or not hello.features & NEVER_RESUMES
        link.boot_id, link.keep_s = boot_id, keep_s if is_kept else 0
        link._replay.is_keeping = is_kept
        link._take_carrier(LinkState.OPEN, now, hello)
        link._queue(Accept(link._public_key, link.keep_s))
        return link

    @property
    def is_flowing(self) -> bool:
        """Whether there is a carrier on which both ends may send."""
        return self.state is LinkState.OPEN or self.state is LinkState.OPENING

    @property
    def is_writable(self) -> bool:
        """Whether what is sent leaves at once. Else it waits here, so it is better kept back."""
        return self.is_flowing and not self._replay.has_more

    @property
    def room(self) -> int:
        """Bytes of data that `send` should be given at most, until more is acknowledged."""
        return self._replay.room

    @property
    def has_more_to_resend(self) -> bool:
        """Whether `resend` has something to do."""
        return self.state is LinkState.OPEN and self._replay.has_more

    @property
    def has_messages(self) -> bool:
        """Whether `messages_to_send` has something."""
        return bool(self._outgoing)

    @property
    def ack_at(self) -> float:
        """When an acknowledgement is due: infinity when nothing came since the last one."""
        return self._ack_at

    @property
    def epoch(self) -> int:
        """Of the last resume: the client counts its attempts, the agent keeps the one that it accepted last."""
        return self._epoch

    @property
    def detached_at(self) -> float | None:
        """Since when it is without a carrier; None while it has one, or is over."""
        return self._detached_at if self.state is LinkState.DETACHED else None

    @property
    def max_send_bytes(self) -> int:
        """What one `send` may carry."""
        promised = MIN_MESSAGE_BYTES if self._peer is None else min(self._peer.max_message, MAX_MESSAGE_BYTES)
        return promised - DATA_HEADER_BYTES

    def attach(self, now: float) -> None:
        """Begin on a carrier that was just opened (the client's end); it takes the place of an earlier one.

        Raises:
            LocalProtocolError: the agent's end, or the link is over, or the first carrier was not answered yet.
        """
        if not self._is_client or self.state in (LinkState.CLOSED, LinkState.OPENING):
            raise LocalProtocolError(f"a link that is {self.state.value} takes no carrier here")
        if self.state is LinkState.NEW:
            self._take_carrier(LinkState.OPENING, now, None)
            hello = Hello(features=NEVER_RESUMES if self._never_resumes else FEATURES)
            self._queue(hello, Open(self.link_id, self._public_key))
            return
        self._epoch += 1
        self._take_carrier(LinkState.RESUMING, now, None)
        self._resume = Resume(self.link_id, self.boot_id, self._epoch, self.received, self._random(NONCE_BYTES))
        self._queue(Hello(), self._resume)

    def resume(self, frame: Resume, now: float, *, hello: Hello | None = None) -> None:
        """Begin on a carrier whose client asks for this link (the agent's end); it takes the place of an earlier one.

        A client that then fails to prove itself leaves the link without a carrier, and otherwise as it was.

        Raises:
            LocalProtocolError: the client's end, another link, or the link is over.
        """
        if self._is_client or self.state is LinkState.CLOSED or frame.link_id != self.link_id:
            raise LocalProtocolError("this link can't be resumed here")
        self._take_carrier(LinkState.RESUMING, now, hello)
        nonce = self._random(NONCE_BYTES)
        self._resume = frame
        self._transcript = ResumeTranscript(self.link_id, frame.epoch, frame.nonce, nonce)
        self._queue(Challenge(nonce))

    def detach(self, now: float) -> list[LinkEvent]:
        """The carrier is gone. A link that was open is kept for `keep_s`; one that was not accepted yet is over, and
        so is one with nothing to be kept for."""
        self._now = now
        if self.is_attached:
            self._outgoing.clear()
            self._let_go()
        return self._take_events()

    def send(self, parts: Sequence[Buffer]) -> None:
        """Send bytes, given in parts, as one message. They are not copied: leave them as they are, for good.

        Without a carrier they wait for the next one. Does nothing once the link is over.

        Raises:
            LocalProtocolError: more than `max_send_bytes`, or past `room` and the reserve, or before the first carrier.
        """
        if self.state is LinkState.CLOSED:
            return
        if self.state is LinkState.NEW:
            raise LocalProtocolError("a link sends nothing before its first carrier")
        size = sum(map(len, parts))
        if size > self.max_send_bytes:
            raise LocalProtocolError(f"{size} bytes in one message; the other end takes {self.max_send_bytes}")
        leaves, offset = self.is_writable, self.sent
        kept = self._replay.append(parts, size)
        if leaves:
            if self.received - self._acked >= ACK_BESIDE_BYTES:
                self._acknowledge()
            self._outgoing.append((data_header(offset), *kept))
            self._live.said(self._now)

    def resend(self, budget: int) -> None:
        """Send again what the other end lacks after a resume, about `budget` bytes of it."""
        if self.state is LinkState.OPEN:
            for offset, parts in self._replay.take(budget, self.max_send_bytes):
                self._outgoing.append((data_header(offset), *parts))
            self._live.said(self._now)

    def close(self, code: int, reason: str) -> None:
        """End the link and tell the other end, if a carrier is there. No event follows."""
        self._end(code, reason, tell_peer=True)
        self._events.clear()

    @property
    def waiting_messages(self) -> int:
        """How many `messages_to_send` has."""
        return len(self._outgoing)

    def messages_to_send(self) -> list[tuple[Buffer, ...]]:
        """Take what is to be sent on the carrier, in order, each message in parts."""
        outgoing = self._outgoing
        if outgoing:
            self._outgoing = []
        return outgoing

    def receive_message(self, message: Buffer, now: float) -> list[LinkEvent]:
        """Take one message of the carrier that was attached last.

        Raises:
            RemoteProtocolError: the peer broke a rule. The link is over, and a Closed is there to be sent.
        """
        if not self.is_attached:
            return self._take_events()
        self._now = now
        self._live.heard(now)
        try:
            frame = parse(message)
            if frame is not None:
                self._handle(frame)
        except RemoteProtocolError as error:
            if self.state is LinkState.RESUMING and not self._is_client:
                # Whoever it is has proved nothing yet, and must not be able to end someone's link.
                self._refuse_carrier(CloseCode.PROTOCOL, str(error))
                return self._take_events()
            self.close(CloseCode.PROTOCOL, str(error))
            raise
        return self._take_events()

    def next_timer(self) -> float | None:
        """When `handle_timer` has something to do; None: never."""
        if self._events:
            return self._now
        match self.state:
            case LinkState.OPEN:
                return min(self._live.dead_at, self._live.ping_at, self._ack_at)
            case LinkState.OPENING | LinkState.RESUMING:
                return min(self._live.dead_at, self._live.ping_at, self._greet_until)
            case LinkState.DETACHED:
                return self._detached_at + self.keep_s
            case LinkState.NEW | LinkState.CLOSED:
                return None

    def handle_timer(self, now: float) -> list[LinkEvent]:
        """Acknowledge, ping, give up a silent carrier, or end a link that was without one for too long."""
        self._now = now
        if self.state is LinkState.DETACHED:
            if now >= self._detached_at + self.keep_s:
                self._end(CloseCode.EXPIRED, f"there was no connection for {self.keep_s} s")
        elif self.is_attached:
            if self.state is not LinkState.OPEN and now >= self._greet_until:
                self._lose_carrier("the other end did not answer in time")
            elif now >= self._live.dead_at:
                self._lose_carrier(f"nothing was heard for {DEAD_AFTER_S:.0f} s")
            elif now >= self._live.ping_at:
                self._acknowledge()
                self._queue(Ping(self._live.next_token(now)))
            elif now >= self._ack_at:
                self._acknowledge()
        return self._take_events()
