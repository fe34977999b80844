"""The terminal in front of the user: raw mode while a session has it, its size, and what is typed.

The modules of Unix are imported when they are used, so that this module can be imported anywhere.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final

from genba_ide_bridge.errors import BridgeError

_POLITE_RESET: Final = "\x1b[0m\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>"
"""Colours, cursor, mouse reports, bracketed paste, keypad: what a program over there may have switched on."""

_ENTER_OTHER_SCREEN: Final = "\x1b[?1049h"
_LEAVE_OTHER_SCREEN: Final = "\x1b[?1049l"

_ENDING_SIGNALS: Final = ("SIGHUP", "SIGTERM")
"""By name: Windows has not all of them."""


def require_posix() -> None:
    """Refuse where there is no terminal as Unix has them.

    Raises:
        BridgeError: this is Windows.
    """
    try:
        import termios
        import tty
    except ImportError as error:
        raise BridgeError(
            "`genba terminal` needs a terminal as Linux and macOS have it.",
            "On Windows, run it in WSL, or open a terminal of the workspace in your editor.",
        ) from error
    del termios, tty


def screen_size() -> tuple[int, int]:
    """Height and width of the screen that is at stdout, stderr or stdin; 24 and 80 without one."""
    for descriptor in (1, 2, 0):
        with suppress(OSError):
            size = os.get_terminal_size(descriptor)
            if size.lines > 0 and size.columns > 0:
                return size.lines, size.columns
    fallback = shutil.get_terminal_size((80, 24))
    return fallback.lines, fallback.columns


def reopen_terminal(descriptor: int, access: int) -> int | None:
    """Open a terminal once more, non-blocking: that flag belongs to the open file, which our parent shares.

    Args:
        descriptor: what may be a terminal.
        access: `os.O_RDONLY` or `os.O_WRONLY`.

    Returns:
        A descriptor that the caller closes; None when there is no terminal, or it can't be opened by its name.
    """
    with suppress(OSError, AttributeError):
        if os.isatty(descriptor):
            return os.open(os.ttyname(descriptor), access | os.O_NOCTTY | os.O_NONBLOCK)
    return None


@contextmanager
def raw_mode(descriptor: int) -> Generator[None]:
    """Give every key to the session; the terminal is as it was at the end of the block, whatever happens in it.

    Something that is not a terminal is left alone.
    """
    if not os.isatty(descriptor):
        yield
        return
    import termios

    before = termios.tcgetattr(descriptor)
    # At once, without waiting for a screen that takes nothing, and without dropping what was typed ahead.
    enter_raw_mode(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSANOW, before)


def is_in_foreground(descriptor: int) -> bool:
    """Whether this program may set the terminal's mode without being stopped for it."""
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return False


def is_raw(descriptor: int) -> bool:
    """Whether a terminal passes every key on, and a line's end does not return to the left margin."""
    try:
        import termios
    except ImportError:
        return False
    try:
        flags: int = termios.tcgetattr(descriptor)[1]
    except (OSError, termios.error):
        return False
    return not flags & termios.OPOST


def enter_raw_mode(descriptor: int) -> None:
    """Give every key to the session once more, after the shell has had the terminal."""
    import termios
    import tty

    tty.setraw(descriptor, termios.TCSANOW)


@contextmanager
def signals(
    on_resize: Callable[[], None], on_continue: Callable[[], None], on_end: Callable[[int], None]
) -> Generator[None]:
    """Hear of another size of the screen, of a return to the foreground, and of signals that end this program."""
    loop = asyncio.get_running_loop()
    handlers: dict[signal.Signals, Callable[[], object]] = {
        signal.SIGWINCH: on_resize,
        signal.SIGCONT: on_continue,
    }
    for name in _ENDING_SIGNALS:
        number = signal.Signals[name]
        handlers[number] = partial(on_end, number)
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)


class ScreenMemory:
    """Remembers whether a program over there has the other screen, as editors and pagers do."""

    def __init__(self) -> None:
        self.is_other_screen = False

    def see(self, data: memoryview) -> None:
        """Look at output; a switch that is split between two pieces is not seen."""
        shown = bytes(data)
        entered, left = shown.rfind(_ENTER_OTHER_SCREEN.encode()), shown.rfind(_LEAVE_OTHER_SCREEN.encode())
        if entered >= 0 or left >= 0:
            self.is_other_screen = entered > left

    def farewell(self) -> str:
        """What makes the screen usable when the session is left in the middle of something."""
        return (_LEAVE_OTHER_SCREEN if self.is_other_screen else "") + _POLITE_RESET


def has_screen() -> bool:
    """Whether output is looked at: both stdout and stderr are terminals."""
    return sys.stdout.isatty() and sys.stderr.isatty()
