"""Messages on a control carrier: the JSON in its Command and Answer frames (docs/protocol.md, "Commands")."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import msgspec

from genba_wire.buffers import Buffer
from genba_wire.tunnel import json_messages

UUID_PATTERN: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
Uuid: TypeAlias = Annotated[str, msgspec.Meta(pattern=UUID_PATTERN)]


class Dial(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="dial"):
    """Gateway to agent: open a data carrier with this ticket. The same nonce again changes nothing.

    `build_id` is the workspace build that the ticket was made for; an agent of another build does not dial. `purpose`
    is the client's, and says which kinds of streams it may open; empty from a gateway that does not tell.
    """

    nonce: Uuid
    build_id: str
    ticket: str
    purpose: str = ""


class DialFailed(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="dial_failed"):
    """Agent to gateway: the carrier of that nonce will not come, and why, in words for the user."""

    nonce: Uuid
    reason: str


ControlMessage: TypeAlias = Dial | DialFailed

_COMMANDS: Final = {"dial": Dial}
_ANSWERS: Final = {"dial_failed": DialFailed}


def encode(message: ControlMessage) -> bytes:
    """Return the JSON for a Command or Answer frame."""
    return json_messages.encode(message)


def parse_command(data: Buffer) -> Dial | None:
    """Read what the gateway sent; None for a type that is not known.

    Raises:
        RemoteProtocolError: not JSON, or not of its type's shape.
    """
    return json_messages.decode_tagged(data, _COMMANDS)


def parse_answer(data: Buffer) -> DialFailed | None:
    """Read what the agent sent; None for a type that is not known.

    Raises:
        RemoteProtocolError: not JSON, or not of its type's shape.
    """
    return json_messages.decode_tagged(data, _ANSWERS)
