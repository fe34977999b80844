"""What a carrier carries: the frames, their limits and timers. `frames` has the bytes, and names all of this too."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from genba_wire.buffers import Buffer

MAGIC: Final = b"GNBA"
MAJOR: Final = 1
"""Another major version is another protocol: it is refused."""
MINOR: Final = 0
FEATURES: Final = 0
"""Bits of what this end can do beyond its version; what both have is used."""
NEVER_RESUMES: Final = 0x01
"""The one bit that counts by itself: a client's word that it will not resume the link, which so ends with its
carrier."""

FIRST_FATAL_TYPE: Final = 0x80
"""Unknown types below are ignored: later versions may say there what this one need not understand."""

DATA_CHUNK_BYTES: Final = 64 * 1024
"""What one Data frame carries at most when we send: past this, larger frames save next to no time, and a keystroke
would wait longer behind each."""
MAX_MESSAGE_BYTES: Final = 256 * 1024 + 64
"""What a hello may promise to take in one message: four chunks, and headers."""
MIN_MESSAGE_BYTES: Final = DATA_CHUNK_BYTES + 64
"""What each end has to take: one chunk with the headers of stream, link and frame. An end may send so much before it
has seen the other's hello."""
MAX_REASON_BYTES: Final = 1024
"""Reasons are for people: a few lines. What is longer is cut by the sender and refused by the receiver."""
MAX_CONTROL_BYTES: Final = 64 * 1024
"""A command or answer is a small JSON object; the largest member is a ticket of about 1 KiB."""

PING_AFTER_S: Final = 15.0
"""An end that heard nothing, or said nothing, for so long pings (the pace of contract 1.6)."""
DEAD_AFTER_S: Final = 30.0
"""A carrier on which nothing was heard for so long is dead: a ping and its answer were both lost."""
GREETING_S: Final = 10.0
"""The agent waits so long for a whole greeting, so that silent connections don't pile up."""
ANSWER_S: Final = 15.0
"""The client waits so long for the agent's answer: the gateway may take 10 s to fetch the agent."""

LINK_ID_BYTES: Final = 16
BOOT_ID_BYTES: Final = 16
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 16
MAC_BYTES: Final = 32
TOKEN_BYTES: Final = 8
NO_BOOT_ID: Final = bytes(BOOT_ID_BYTES)
"""The boot id in hellos of clients and of the gateway."""


class FrameType(IntEnum):
    """The first byte of a message."""

    PING = 0x01
    PONG = 0x02
    HELLO = 0x80
    OPEN = 0x81
    ACCEPT = 0x82
    RESUME = 0x83
    CHALLENGE = 0x84
    PROOF = 0x85
    RESUMED = 0x86
    CLOSED = 0x87
    DATA = 0x88
    ACK = 0x89
    COMMAND = 0xA0
    ANSWER = 0xA1


class CloseCode(IntEnum):
    """Why a link is over. Later versions may add codes, so frames carry an int."""

    NORMAL = 0
    WORKSPACE_RESTARTED = 1
    """The agent's process is another one than when the link was made."""
    UNKNOWN_LINK = 2
    """The agent does not know the link (any more)."""
    EXPIRED = 3
    """It was without a carrier for longer than the agent keeps a link."""
    REVOKED = 4
    BAD_PROOF = 5
    """Who resumed did not have the link's secret, or repeated an older resume."""
    BYTES_LOST = 6
    """A carrier took bytes with it that can't be sent again."""
    PROTOCOL = 7
    GOING_AWAY = 8
    """The end's process is stopping."""


@dataclass(frozen=True, slots=True)
class Ping:
    """Asks for a Pong with the same token of 8 bytes."""

    token: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a Ping."""

    token: bytes


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message of each end. `boot_id` is the agent's process; zeros from other ends."""

    boot_id: bytes = NO_BOOT_ID
    major: int = MAJOR
    minor: int = MINOR
    features: int = FEATURES
    max_message: int = MAX_MESSAGE_BYTES


@dataclass(frozen=True, slots=True)
class Open:
    """Client to agent: a link begins. The id is random, the key X25519."""

    link_id: bytes
    public_key: bytes


@dataclass(frozen=True, slots=True)
class Accept:
    """Agent to client: the link is open, and is kept for `keep_s` seconds without a carrier; 0: it ends with it."""

    public_key: bytes
    keep_s: int


@dataclass(frozen=True, slots=True)
class Resume:
    """Client to agent: this carrier is for a link that exists. `received`: bytes of the agent that have arrived."""

    link_id: bytes
    boot_id: bytes
    epoch: int
    received: int
    nonce: bytes


@dataclass(frozen=True, slots=True)
class Challenge:
    """Agent to client: prove that you have the link's secret."""

    nonce: bytes


@dataclass(frozen=True, slots=True)
class Proof:
    """Client to agent: HMAC over the resume and both nonces (`secret.client_proof`)."""

    mac: bytes


@dataclass(frozen=True, slots=True)
class Resumed:
    """Agent to client: the link goes on. `received`: bytes of the client that have arrived; `mac` is its own proof."""

    received: int
    mac: bytes


@dataclass(frozen=True, slots=True)
class Closed:
    """Either way: the link is over, or could not be had. Nothing follows."""

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes of the link from `offset` on. Parsed, `data` is a view of the message."""

    offset: int
    data: Buffer


@dataclass(frozen=True, slots=True)
class Ack:
    """All bytes below `received` have arrived."""

    received: int


@dataclass(frozen=True, slots=True)
class Command:
    """Gateway to agent on a control carrier: JSON of `genba_wire.tunnel.control`."""

    json: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """Agent to gateway on a control carrier: JSON of `genba_wire.tunnel.control`."""

    json: bytes


Frame: TypeAlias = (
    Ping | Pong | Hello | Open | Accept | Resume | Challenge | Proof | Resumed | Closed | Data | Ack | Command | Answer
)
