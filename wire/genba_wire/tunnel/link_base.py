"""What the frames of a carrier do to a link; `link` has what its users call."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum
from typing import Final

from genba_wire.buffers import Buffer
from genba_wire.errors import RemoteProtocolError
from genba_wire.tunnel.frames import (
    ANSWER_S,
    GREETING_S,
    NO_BOOT_ID,
    Accept,
    Ack,
    Challenge,
    CloseCode,
    Closed,
    Data,
    Frame,
    Hello,
    Ping,
    Pong,
    Proof,
    Resume,
    Resumed,
    check_hello,
    encode,
)
from genba_wire.tunnel.link_events import CarrierDead, DataReceived, LinkClosed, LinkEvent, LinkOpened, LinkResumed
from genba_wire.tunnel.liveness import Liveness
from genba_wire.tunnel.replay import ReplayBudget, ReplayBuffer
from genba_wire.tunnel.secret import (
    ResumeTranscript,
    agent_proof,
    client_proof,
    derive_secret,
    is_same,
    public_key,
)

ACK_EVERY_BYTES: Final = 4 * 1024 * 1024
"""An end acknowledges at least so often: rare enough to cost nothing, often enough for a replay buffer of 16 MiB."""

ACK_BESIDE_BYTES: Final = 128 * 1024
"""So much is acknowledged beside whatever else an end sends, mostly credit: that costs neither end another turn."""

ACK_WITHIN_S: Final = 0.2
"""An end acknowledges what came within so long: what is not acknowledged takes memory at the other end."""


class LinkState(Enum):
    """Where a link stands."""

    NEW = "new"
    """The client's end before its first carrier."""
    OPENING = "opening"
    """The client has said Open; it may send, and waits for Accept."""
    OPEN = "open"
    RESUMING = "resuming"
    """A later carrier is there; nothing is sent until the other end has proved itself."""
    DETACHED = "detached"
    """Without a carrier; kept for `keep_s`."""
    CLOSED = "closed"


_ATTACHED: Final = (LinkState.OPENING, LinkState.OPEN, LinkState.RESUMING)


class LinkBase:
    """The state of one end of a link, and how frames change it."""

    def __init__(
        self,
        link_id: bytes,
        private_key: bytes,
        *,
        is_client: bool,
        now: float,
        random: Callable[[int], bytes],
        budget: ReplayBudget,
    ) -> None:
        self.link_id = link_id
        self.state = LinkState.NEW
        self.ended: LinkClosed | None = None
        """Why the link is over."""
        self.boot_id = NO_BOOT_ID
        """The agent's."""
        self.keep_s = 0
        """Seconds that the link is kept without a carrier; with 0 it ends with its carrier."""
        self.received = 0
        self._private_key = private_key
        self._public_key = public_key(private_key)
        self._is_client = is_client
        self._never_resumes = False
        self._random = random
        self._secret = b""
        self._epoch: int = 0
        self._acked = 0
        self._ack_at = math.inf
        self._replay = ReplayBuffer(budget)
        self._peer: Hello | None = None
        self._resume: Resume | None = None
        self._transcript: ResumeTranscript | None = None
        self._now = now
        self._greet_until = now
        self._detached_at = now
        self._live = Liveness(now)
        self._outgoing: list[tuple[Buffer, ...]] = []
        self._events: list[LinkEvent] = []

    @property
    def sent(self) -> int:
        """Bytes given to `send` over the life of the link."""
        return self._replay.end

    @property
    def acknowledged(self) -> int:
        """Bytes of `sent` that the other end has for certain."""
        return self._replay.start

    @property
    def is_attached(self) -> bool:
        """Whether a carrier is there, greeted or not."""
        return self.state in _ATTACHED

    def _handle(self, frame: Frame) -> None:
        match frame:
            case Data(offset, data) if self.state is LinkState.OPEN:
                self._receive_data(offset, data)
            case Ping(token):
                self._acknowledge()
                self._queue(Pong(token))
            case Pong():
                pass
            case Ack(received) if self.state is LinkState.OPEN:
                if not self.acknowledged <= received <= self.sent:
                    raise RemoteProtocolError(f"{received} bytes acknowledged of {self.sent} that were sent")
                self._replay.acknowledge(received)
            case Closed(code, reason):
                self._end(code, reason)
            case Hello() if self._is_client and self._peer is None:
                self._receive_hello(frame)
            case Accept(agent_key, keep_s) if self.state is LinkState.OPENING and self._peer is not None:
                self._secret = derive_secret(
                    self._private_key,
                    agent_key,
                    link_id=self.link_id,
                    client_key=self._public_key,
                    agent_key=agent_key,
                )
                self.boot_id, self.state = self._peer.boot_id, LinkState.OPEN
                self.keep_s = 0 if self._never_resumes else keep_s
                self._events.append(LinkOpened(self.boot_id, self.keep_s))
            case Challenge(nonce) if self._is_client and self._resume is not None and self._peer is not None:
                self._answer_challenge(self._resume, nonce)
            case Proof(mac) if not self._is_client and self._resume is not None and self._transcript is not None:
                self._check_proof(self._resume, self._transcript, mac)
            case Resumed(received, mac) if self._is_client and self._transcript is not None:
                self._check_resumed(self._transcript, received, mac)
            case _:
                raise RemoteProtocolError(f"{type(frame).__name__} on a link that is {self.state.value}")

    def _receive_data(self, offset: int, data: Buffer) -> None:
        if offset != self.received:
            if offset > self.received:
                raise RemoteProtocolError(f"data from {offset} on, but only {self.received} bytes have come")
            data = memoryview(data)[self.received - offset :]
        if not data:
            return
        self.received += len(data)
        self._events.append(DataReceived(data))
        if self.received - self._acked >= ACK_EVERY_BYTES:
            self._acknowledge()
        elif self._ack_at == math.inf:
            self._ack_at = self._now + ACK_WITHIN_S

    def _receive_hello(self, hello: Hello) -> None:
        check_hello(hello)
        self._peer = hello
        if self.state is LinkState.RESUMING and hello.boot_id != self.boot_id:
            self._end(CloseCode.WORKSPACE_RESTARTED, "the workspace restarted")

    def _answer_challenge(self, resume: Resume, nonce: bytes) -> None:
        self._resume = None
        self._transcript = ResumeTranscript(self.link_id, resume.epoch, resume.nonce, nonce)
        self._queue(Proof(client_proof(self._secret, self._transcript, resume.received)))

    def _check_proof(self, resume: Resume, transcript: ResumeTranscript, mac: bytes) -> None:
        if not is_same(mac, client_proof(self._secret, transcript, resume.received)):
            self._refuse_carrier(CloseCode.BAD_PROOF, "the client did not prove that the link is its own")
        elif resume.epoch <= self._epoch:
            self._refuse_carrier(CloseCode.BAD_PROOF, "a later connection of the link was there already")
        else:
            self._epoch = resume.epoch
            self._queue(Resumed(self.received, agent_proof(self._secret, transcript, self.received)))
            self._go_on(resume.received)

    def _check_resumed(self, transcript: ResumeTranscript, received: int, mac: bytes) -> None:
        if not is_same(mac, agent_proof(self._secret, transcript, received)):
            self._end(CloseCode.BAD_PROOF, "the agent did not prove that the link is its own", tell_peer=True)
        else:
            self._go_on(received)

    def _go_on(self, peer_received: int) -> None:
        """Both ends are proved: what the other end lacks is sent again."""
        if not self.acknowledged <= peer_received <= self.sent:
            reason = f"the other end has {peer_received} bytes; {self.acknowledged} to {self.sent} can be gone on from"
            self._end(CloseCode.BYTES_LOST, reason, tell_peer=True)
            return
        self._resume = self._transcript = None
        self._replay.acknowledge(peer_received)
        self._replay.rewind()
        # The other end's count came with the resume.
        self._acked, self._ack_at = self.received, math.inf
        self.state = LinkState.OPEN
        self._events.append(LinkResumed())

    def _acknowledge(self) -> None:
        if self._acked != self.received and self.state is LinkState.OPEN:
            self._acked, self._ack_at = self.received, math.inf
            self._queue(Ack(self.received))

    def _queue(self, *frames: Frame) -> None:
        self._outgoing += [(encode(frame),) for frame in frames]
        self._live.said(self._now)

    def _take_carrier(self, state: LinkState, now: float, peer: Hello | None) -> None:
        self._now = now
        self._outgoing.clear()
        self._live = Liveness(now)
        self._greet_until = now + (ANSWER_S if self._is_client else GREETING_S)
        self._peer = peer
        self._resume = self._transcript = None
        self.state = state

    def _let_go(self) -> None:
        """Be without a carrier; what is queued stays for the old one."""
        if self.state is LinkState.OPENING:
            self._end(CloseCode.BYTES_LOST, "the connection was lost before the agent had accepted it")
        elif not self.keep_s:
            self._end(CloseCode.EXPIRED, "the connection was lost, and the link was not to be resumed")
        else:
            self.state = LinkState.DETACHED
            self._detached_at = self._now

    def _lose_carrier(self, reason: str) -> None:
        self._events.append(CarrierDead(reason))
        self._let_go()

    def _refuse_carrier(self, code: CloseCode, reason: str) -> None:
        self._outgoing.clear()
        self._queue(Closed(code, reason))
        self._lose_carrier(reason)

    def _end(self, code: int, reason: str, *, tell_peer: bool = False) -> None:
        if self.state is LinkState.CLOSED:
            return
        if tell_peer and self.is_attached:
            self._queue(Closed(code, reason))
        self.state = LinkState.CLOSED
        self._replay.clear()
        self.ended = LinkClosed(code, reason)
        self._events.append(self.ended)

    def _take_events(self) -> list[LinkEvent]:
        events, self._events = self._events, []
        return events
