"""Keep the terminal's Ctrl-C to ourselves, so that `make` does not report an interrupt after a clean end."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def own_foreground() -> Generator[None]:
    """Be the terminal's foreground process group, as a shell's job is; without a terminal, do nothing.

    `make` then waits undisturbed and ends with our exit code. Ctrl-Z is ignored, since `make` would not notice it.
    """
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        yield
        return
    before = os.getpgrp()
    try:
        if before == os.getpid() or os.tcgetpgrp(terminal) != before:
            yield  # a job of a shell already, or in the background
            return
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        os.setpgid(0, 0)
        os.tcsetpgrp(terminal, os.getpgrp())
        try:
            yield
        finally:
            os.tcsetpgrp(terminal, before)
            os.setpgid(0, before)
    finally:
        os.close(terminal)
