"""What happens on the streams of a link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """The peer opened a stream: `Mux.accept` or `Mux.refuse` it, at once or later."""

    stream: int
    kind: str
    head: bytes


@dataclass(frozen=True, slots=True)
class StreamAccepted:
    """The peer accepted the stream that was opened here; it may be sent to."""

    stream: int
    head: bytes


@dataclass(frozen=True, slots=True)
class StreamData:
    """Bytes of the peer, a view; call `Mux.consumed` when they need no memory any more."""

    stream: int
    data: memoryview


@dataclass(frozen=True, slots=True)
class StreamNote:
    """A note of the peer, in order with its data."""

    stream: int
    data: bytes


@dataclass(frozen=True, slots=True)
class StreamFinished:
    """The peer sends nothing more; this end still may."""

    stream: int


@dataclass(frozen=True, slots=True)
class StreamReset:
    """The peer refused the stream or broke it off. `code` is a `ResetCode`, or one of a later version."""

    stream: int
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class StreamWritable:
    """There is credit again, after `Mux.send` had taken less than it was given."""

    stream: int


MuxEvent: TypeAlias = (
    StreamOpened | StreamAccepted | StreamData | StreamNote | StreamFinished | StreamReset | StreamWritable
)
