"""Says that a session of OpenSSH's is paused, where that disturbs nobody: on the terminal of its user, or with -v."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import Final

from genba_ide_bridge.cli.local_terminal import is_raw
from genba_ide_bridge.cli.outage_line import OutageLine
from genba_ide_bridge.cli.output import note

logger = logging.getLogger(__name__)

SHOWN_AFTER_S: Final = 1.0
"""A shorter pause is not noticed, so that words about it would be all that one sees of it."""


class SessionPauses:
    """One pause after another, told by a session's `on_outage` and `on_resumed`.

    Where stderr is a terminal, words stand behind the cursor for as long as a pause lasts (the user may be in a
    full-screen program). Elsewhere, where editors and scripts read along, nothing is said without -v.
    """

    def __init__(self, *, is_verbose: bool, shown_after_s: float = SHOWN_AFTER_S) -> None:
        self._is_verbose = is_verbose
        self._shown_after_s = shown_after_s
        self._line: OutageLine | None = None
        self._is_raw = False
        self._waiting: asyncio.TimerHandle | None = None
        self._reason = ""

    def begin(self, reason: str) -> None:
        """Learn that there is no way to the agent, or why there still is none."""
        logger.warning("The way to the agent is lost: %s Trying again.", reason)
        self._reason = reason
        if self._is_verbose:
            note(f"The way to the workspace is lost: {reason} Trying again; nothing is lost.")
        elif self._line is not None:
            self._line.show(reason)
        elif self._waiting is None and sys.stderr.isatty():
            self._waiting = asyncio.get_running_loop().call_later(self._shown_after_s, self._show)

    def end(self) -> None:
        """Learn that there is a way again."""
        logger.info("The way to the agent is back.")
        if self._is_verbose:
            note("The way to the workspace is back.")
        self.close(is_back=True)

    def close(self, *, is_back: bool = False) -> None:
        """Take the words back: the session is over, or goes on."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        if self._line is not None:
            self._line.hide(is_back=is_back)
            self._line = None
            if is_back and self._is_raw:
                # OpenSSH tells the agent the size once more, and that has the program over there draw anew what the
                # words covered. Nothing else takes notice of this signal.
                os.kill(os.getppid(), signal.SIGWINCH)

    def _show(self) -> None:
        self._waiting = None
        # OpenSSH makes its terminal raw once it is signed in, and for shells only.
        self._is_raw = is_raw(sys.stderr.fileno())
        self._line = OutageLine(is_screen=self._is_raw, is_raw=self._is_raw)
        self._line.show(self._reason)
