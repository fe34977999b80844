"""Commands that go on until they are told to end: in order, and without a complaint."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager


@contextmanager
def ending_signals(on_end: Callable[[], None]) -> Generator[None]:
    """Hear of Ctrl-C and of signals that ask this program to end."""
    names = ("SIGINT", "SIGTERM", "SIGHUP") if sys.platform != "win32" else ()
    numbers = [signal.Signals[name] for name in names]
    loop = asyncio.get_running_loop()
    for number in numbers:
        loop.add_signal_handler(number, on_end)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
