"""Type a command into a program on a terminal, as a person would, and wait for its answer."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Final

from scripts.failures import ScriptFailure

COMMAND: Final = b"echo echoed-$((6*7))\r"
ANSWER: Final = b"echoed-42"
"""Not in what is typed, which the terminal echoes too: so a shell has run."""

SHOWN_BYTES: Final = 500
"""How much of the screen a failure shows."""


def echo_in_terminal(argv: Sequence[str], environment: Mapping[str, str], within_s: float) -> float:
    """Start a program that gives a shell, and return the seconds until that has answered; it is ended by `exit`.

    Raises:
        ScriptFailure: no answer, or the program did not end well.
    """
    began = time.monotonic()
    controller, terminal = os.openpty()
    try:
        with subprocess.Popen(
            argv, env=environment, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
        ) as program:
            try:
                os.close(terminal)
                screen = _Screen(controller, began + within_s)
                # Typed ahead: the terminal keeps it until the shell reads.
                os.write(controller, COMMAND)
                screen.read_until(ANSWER)
                echoed_s = time.monotonic() - began
                os.write(controller, b"exit\r")
                screen.read_to_end()
                code = program.wait(timeout=max(began + within_s - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired as error:
                raise ScriptFailure("the terminal's program did not end after `exit`") from error
            finally:
                program.kill()
    finally:
        os.close(controller)
    if code != 0:
        raise ScriptFailure(f"the terminal's program ended with exit code {code}: {screen.end}")
    return echoed_s


class _Screen:
    """Everything that was written to a terminal."""

    def __init__(self, controller: int, deadline: float) -> None:
        self._controller = controller
        self._deadline = deadline
        self._shown = b""

    @property
    def end(self) -> str:
        """Return the last of it, for people."""
        return self._shown[-SHOWN_BYTES:].decode(errors="replace").strip()

    def read_until(self, text: bytes) -> None:
        """Read on until a text was shown."""
        while text not in self._shown:
            if not self._read():
                raise ScriptFailure(f"the terminal ended without an answer: {self.end}")

    def read_to_end(self) -> None:
        """Read on until nobody has the terminal open."""
        while self._read():
            continue

    def _read(self) -> bool:
        left_s = self._deadline - time.monotonic()
        if left_s <= 0 or not select.select([self._controller], [], [], left_s)[0]:
            raise ScriptFailure(f"the terminal did not answer in time: {self.end}")
        try:
            data = os.read(self._controller, 65536)
        except OSError:  # EIO: the other side is closed
            data = b""
        self._shown += data
        return bool(data)
