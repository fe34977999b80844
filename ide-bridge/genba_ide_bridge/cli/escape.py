"""The escape of a terminal session, as OpenSSH has it: `~.` at the beginning of a line leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

ESCAPE: Final = ord("~")
_LEAVE: Final = ord(".")
_HELP: Final = ord("?")
_LINE_ENDS: Final = b"\r\n"


class EscapeAction(Enum):
    """What an escape asks of this program."""

    LEAVE = "leave"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Typed:
    """What a piece of input comes to: bytes for the workspace, and then what this program is to do."""

    data: bytes
    actions: tuple[EscapeAction, ...] = ()


@dataclass(slots=True)
class EscapeFilter:
    """Reads what is typed, byte by byte; a tilde at a line's beginning is held back until the next byte."""

    _is_line_start: bool = True
    _is_tilde_held: bool = field(default=False)

    def feed(self, data: bytes) -> Typed:
        """Take what was typed; nothing after `~.` counts."""
        if not self._is_tilde_held and not self._is_line_start and data[-1:] not in (b"\r", b"\n") and b"~" not in data:
            return Typed(data)
        sent = bytearray()
        actions: list[EscapeAction] = []
        for byte in data:
            if self._is_tilde_held:
                self._is_tilde_held = False
                if byte == _LEAVE:
                    return Typed(bytes(sent), (*actions, EscapeAction.LEAVE))
                if byte == _HELP:
                    actions.append(EscapeAction.HELP)
                    continue
                sent.append(ESCAPE)
                self._is_line_start = byte in _LINE_ENDS
                if byte != ESCAPE:
                    sent.append(byte)
            elif byte == ESCAPE and self._is_line_start:
                self._is_tilde_held = True
            else:
                sent.append(byte)
                self._is_line_start = byte in _LINE_ENDS
        return Typed(bytes(sent), tuple(actions))
