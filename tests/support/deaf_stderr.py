"""A stderr that nobody reads any more."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress

import pytest


@contextmanager
def deaf_stderr(monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool) -> Generator[None]:
    """Let stderr be a terminal that was hung up, or a pipe whose reader has gone: to write fails (EIO, EPIPE)."""
    reader, writer = os.openpty() if is_terminal else os.pipe()
    os.close(reader)
    stderr = open(writer, "w", buffering=1)  # noqa: SIM115  closed below
    try:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", stderr)
            yield
    finally:
        with suppress(OSError):  # It tries once more what was not taken.
            stderr.close()
