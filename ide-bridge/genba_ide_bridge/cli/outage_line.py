"""Says on stderr that a terminal's connection is lost, and takes it back afterwards."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from genba_wire.visible_text import visible_name

_SAVE: Final = "\x1b7\x1b[?7l\x1b[7m"
"""Keep the cursor's place, don't wrap at the right margin, show reversed."""

_RESTORE: Final = "\x1b[27m\x1b[?7h\x1b8"

_ERASE: Final = "\x1b[K"
"""From the cursor, which is where the words began, to the end of the line."""


def write_to_stderr(text: str) -> None:
    """Write at once; a terminal that is gone, or a pipe that nobody reads, ends no session."""
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()


class OutageLine:
    """One outage after another. On a screen the words stand behind the cursor and are erased; elsewhere they stay."""

    def __init__(self, *, is_screen: bool, is_raw: bool, write: Callable[[str], None] = write_to_stderr) -> None:
        """Args: whether output and these words share a terminal; whether it is raw; where to write."""
        self._is_screen = is_screen
        self._line_end = "\r\n" if is_raw else "\n"
        self._write = write
        self.is_shown = False

    def show(self, reason: str) -> None:
        """Say that the connection is lost; on a screen also why it is lost still."""
        if not self._is_screen:
            if not self.is_shown:
                self._write(f"[genba: connection lost, reconnecting…]{self._line_end}")
        elif not self.is_shown:
            self._write(f"{_SAVE}[genba: connection lost, reconnecting…]{_RESTORE}")
        else:
            why = visible_name(" ".join(reason.split()))
            self._write(f"{_ERASE}{_SAVE}[genba: reconnecting… ~. leaves. {why}]{_RESTORE}")
        self.is_shown = True

    def hide(self, *, is_back: bool) -> None:
        """Take the words back; where they can't be, say that the connection is there again."""
        if not self.is_shown:
            return
        self.is_shown = False
        if self._is_screen:
            self._write(_ERASE)
        elif is_back:
            self._write(f"[genba: connected again]{self._line_end}")
