"""Text that others chose, made harmless for a terminal.

Names of files, reasons of agents and errors of templates may hold control characters: escape sequences that move the
cursor, set the clipboard or answer as if keys had been pressed, and letters that turn the direction of what follows.
They are shown as what they are, `\\x1b`.
"""

from __future__ import annotations

from typing import Final

_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible_name(text: str) -> str:
    """Show a name, on one line."""
    return text if text.isprintable() else "".join(map(_show, text))


def visible_text(text: str) -> str:
    """Show sentences; ends of lines and tabs stay."""
    return text if text.isprintable() else "".join(char if char in "\n\t" else _show(char) for char in text)


def _show(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        # A byte of a path that is no UTF-8 (PEP 383).
        return f"\\x{code - 0xDC00:02x}"
    return _SHORT.get(char) or (
        f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    )
