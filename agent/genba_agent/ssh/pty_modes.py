"""Settings of a terminal that an SSH client asks for (RFC 4254, section 8)."""

from __future__ import annotations

import termios
from collections.abc import Mapping
from typing import Final

_CONTROL_CHARACTERS: Final[Mapping[int, int]] = {
    1: termios.VINTR,
    2: termios.VQUIT,
    3: termios.VERASE,
    4: termios.VKILL,
    5: termios.VEOF,
    6: termios.VEOL,
    7: termios.VEOL2,
    8: termios.VSTART,
    9: termios.VSTOP,
    10: termios.VSUSP,
    12: termios.VREPRINT,
    13: termios.VWERASE,
    14: termios.VLNEXT,
    18: termios.VDISCARD,
}
"""By the opcode of the RFC; those that Linux lacks are absent."""

_IUTF8: Final = 0x4000
"""As in terminals/spawning.py: Python does not name it."""

_IUCLC: Final = 0x0200
_XCASE: Final = 0x0004
_OLCUC: Final = 0x0002
"""Likewise, from Linux's asm-generic/termbits.h."""

_INPUT, _OUTPUT, _CONTROL, _LOCAL = 0, 1, 2, 3
"""Places in what `termios.tcgetattr` returns."""

_FLAGS: Final[Mapping[int, tuple[int, int]]] = {
    30: (_INPUT, termios.IGNPAR),
    31: (_INPUT, termios.PARMRK),
    32: (_INPUT, termios.INPCK),
    33: (_INPUT, termios.ISTRIP),
    34: (_INPUT, termios.INLCR),
    35: (_INPUT, termios.IGNCR),
    36: (_INPUT, termios.ICRNL),
    37: (_INPUT, _IUCLC),
    38: (_INPUT, termios.IXON),
    39: (_INPUT, termios.IXANY),
    40: (_INPUT, termios.IXOFF),
    41: (_INPUT, termios.IMAXBEL),
    42: (_INPUT, _IUTF8),
    50: (_LOCAL, termios.ISIG),
    51: (_LOCAL, termios.ICANON),
    52: (_LOCAL, _XCASE),
    53: (_LOCAL, termios.ECHO),
    54: (_LOCAL, termios.ECHOE),
    55: (_LOCAL, termios.ECHOK),
    56: (_LOCAL, termios.ECHONL),
    57: (_LOCAL, termios.NOFLSH),
    58: (_LOCAL, termios.TOSTOP),
    59: (_LOCAL, termios.IEXTEN),
    60: (_LOCAL, termios.ECHOCTL),
    61: (_LOCAL, termios.ECHOKE),
    62: (_LOCAL, 0x4000),  # PENDIN
    70: (_OUTPUT, termios.OPOST),
    71: (_OUTPUT, _OLCUC),
    72: (_OUTPUT, termios.ONLCR),
    73: (_OUTPUT, termios.OCRNL),
    74: (_OUTPUT, termios.ONOCR),
    75: (_OUTPUT, termios.ONLRET),
    90: (_CONTROL, termios.CS7),
    91: (_CONTROL, termios.CS8),
    92: (_CONTROL, termios.PARENB),
    93: (_CONTROL, termios.PARODD),
}
"""By the opcode of the RFC: where the flag lies, and its bits."""

_NO_CHARACTER: Final = 255
"""How a client says that a character is not set."""


def apply_modes(terminal: int, modes: Mapping[int, int]) -> None:
    """Set the terminal's modes; opcodes that are not known are left alone, speeds mean nothing to a pty."""
    if not modes:
        return
    attributes = termios.tcgetattr(terminal)
    characters = attributes[6]
    for opcode, value in modes.items():
        if opcode in _CONTROL_CHARACTERS:
            characters[_CONTROL_CHARACTERS[opcode]] = bytes([0 if value == _NO_CHARACTER else value & 0xFF])
        elif opcode in _FLAGS:
            place, bits = _FLAGS[opcode]
            if value:
                attributes[place] |= bits
            else:
                attributes[place] &= ~bits
    termios.tcsetattr(terminal, termios.TCSANOW, attributes)
