"""What happens on a link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from genba_wire.buffers import Buffer


@dataclass(frozen=True, slots=True)
class LinkOpened:
    """The agent has accepted the link (the client's end only)."""

    boot_id: bytes
    keep_s: int
    """How long the agent keeps the link without a carrier."""


@dataclass(frozen=True, slots=True)
class LinkResumed:
    """The link goes on over this carrier; nothing was lost."""


@dataclass(frozen=True, slots=True)
class DataReceived:
    """The next bytes of the pipe, a view of the message."""

    data: Buffer


@dataclass(frozen=True, slots=True)
class CarrierDead:
    """The carrier is of no more use and the link has let go of it: send what there is to send, then close it.

    A client dials again and calls `attach`; an agent waits to be dialled.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class LinkClosed:
    """The link is over. `code` is a `CloseCode`, or one of a later version. Comes once, and nothing after it."""

    code: int
    reason: str


LinkEvent: TypeAlias = LinkOpened | LinkResumed | DataReceived | CarrierDead | LinkClosed
