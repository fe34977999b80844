"""What the ticket behind a carrier allows: only the agent sees which streams are opened on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from genba_wire.tunnel.files import FILES
from genba_wire.tunnel.streams import PORTS, PTY, SPEED, SSH, TCP, UDP, UNIX

KINDS: Final[Mapping[str, frozenset[str]]] = {
    "terminal": frozenset({PTY, PORTS}),
    "files": frozenset({FILES}),
    "tunnel": frozenset({TCP, UNIX, UDP, SPEED, PORTS}),
    "ssh": frozenset({SSH}),
}
"""Kinds of streams by purpose."""


def may_open(purpose: str, kind: str) -> bool:
    """Whether a client whose ticket is for this purpose may open a stream of this kind.

    An unknown purpose allows nothing. None at all comes from a gateway that does not tell it yet.
    """
    return not purpose or kind in KINDS.get(purpose, frozenset())
