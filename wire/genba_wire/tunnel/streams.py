"""Kinds of streams: what their heads and notes say, in JSON (docs/protocol.md, "Kinds of streams")."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from genba_wire.buffers import Buffer
from genba_wire.tunnel import json_messages
from genba_wire.tunnel.control import Uuid

PTY: Final = "pty"
"""A terminal that outlives its viewers. The stream's bytes are keystrokes one way and output the other."""

TCP: Final = "tcp"
"""A connection that the agent makes."""

UNIX: Final = "unix"
"""A connection that the agent makes to a unix socket."""

UDP: Final = "udp"
"""Datagrams to and from one address that the agent can reach (`datagrams.py`)."""

PORTS: Final = "ports"
"""A question: which ports the workspace listens on. Its head is empty, or an object."""

SPEED: Final = "speed"
"""Bytes that mean nothing, to be measured."""

COUNT_BYTES: Final = 8
"""A count of received bytes, big-endian, on a "speed" stream that goes up."""

SSH: Final = "ssh"
"""SSH between the user's client and the agent's server. Nobody is authenticated on it: the ticket did that."""

MAX_CELLS: Final = 65_535
"""Rows or columns: the kernel's winsize has 16 bits for each."""

Cells: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=MAX_CELLS)]
Port: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=65_535)]


class PtyOpen(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a "pty" stream. The same `reconnect` is the same session; an empty command the login shell.

    With `must_exist` a session that is not there is not started: the stream is refused with `GONE`.
    """

    reconnect: Uuid
    command: str = ""
    height: Cells = 24
    width: Cells = 80
    must_exist: bool = False


class TcpOpen(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a "tcp" stream."""

    host: str
    port: Port


class UnixOpen(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a "unix" stream. The path is absolute, or below the home folder of the agent's user."""

    path: Annotated[str, msgspec.Meta(min_length=1)]


class UdpOpen(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a "udp" stream."""

    host: str
    port: Port


class SpeedOpen(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a "speed" stream.

    Going down, the agent sends as much as it may until the stream is over. Going up, it drops what comes and says now
    and then how much has come. An echo sends back what came.
    """

    direction: Literal["down", "up", "echo"]


class SshOpen(msgspec.Struct, frozen=True, kw_only=True):
    """The head of an "ssh" stream; it says nothing as yet."""


class Resize(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="resize"):
    """A note of the client: the terminal's size in cells."""

    height: Cells
    width: Cells


class Exited(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="exited"):
    """A note of the agent: the session's process ended; a signal's number is negative."""

    code: int


PtyNote: TypeAlias = Resize | Exited

_NOTES: Final[dict[str, type[Resize] | type[Exited]]] = {"resize": Resize, "exited": Exited}


def encode(message: PtyOpen | TcpOpen | UnixOpen | UdpOpen | SpeedOpen | SshOpen | PtyNote) -> bytes:
    """Return the JSON of a head or note."""
    return json_messages.encode(message)


def parse_pty_open(head: Buffer) -> PtyOpen:
    """Read the head of a "pty" stream.

    Raises:
        RemoteProtocolError: not JSON, or not of this shape.
    """
    return json_messages.decode(head, PtyOpen)


def parse_tcp_open(head: Buffer) -> TcpOpen:
    """Read the head of a "tcp" stream.

    Raises:
        RemoteProtocolError: not JSON, or not of this shape.
    """
    return json_messages.decode(head, TcpOpen)


def parse_unix_open(head: Buffer) -> UnixOpen:
    """Read the head of a "unix" stream.

    Raises:
        RemoteProtocolError: not JSON, or not of this shape.
    """
    return json_messages.decode(head, UnixOpen)


def parse_udp_open(head: Buffer) -> UdpOpen:
    """Read the head of a "udp" stream.

    Raises:
        RemoteProtocolError: not JSON, or not of this shape.
    """
    return json_messages.decode(head, UdpOpen)


def parse_speed_open(head: Buffer) -> SpeedOpen:
    """Read the head of a "speed" stream.

    Raises:
        RemoteProtocolError: not JSON, or not of this shape.
    """
    return json_messages.decode(head, SpeedOpen)


def parse_ssh_open(head: Buffer) -> SshOpen:
    """Read the head of an "ssh" stream.

    Raises:
        RemoteProtocolError: not JSON, or not of this shape.
    """
    return json_messages.decode(head, SshOpen)


def parse_pty_note(data: Buffer) -> PtyNote | None:
    """Read a note of a "pty" stream; None for a type that is not known.

    Raises:
        RemoteProtocolError: not JSON, or not of its type's shape.
    """
    return json_messages.decode_tagged(data, _NOTES)
