"""Our one line in the user's config, as bytes: nothing else in it is ours to touch."""

from __future__ import annotations

import os
from pathlib import PurePath

from genba_ide_bridge.ssh_config.quoting import include_word


def make_include_line(path: PurePath) -> bytes:
    """The line that includes a file, without its end."""
    return b"Include " + os.fsencode(include_word(path))


def has_line(config: bytes, line: bytes) -> bool:
    """Whether the line is there, wherever somebody moved it to."""
    return _find(config, line) is not None


def add_line(config: bytes, line: bytes) -> bytes:
    """Put the line on top, where it belongs to all hosts and wins over what follows; if it is there, nothing."""
    if has_line(config, line):
        return config
    first, newline, _ = config.partition(b"\n")
    return line + (b"\r\n" if newline and first.endswith(b"\r") else b"\n") + config


def remove_line(config: bytes, line: bytes) -> bytes:
    """Take the line away, and its end."""
    found = _find(config, line)
    return config if found is None else config[: found[0]] + config[found[1] :]


def _find(config: bytes, line: bytes) -> tuple[int, int] | None:
    """Where the first such line begins, and where the next line does."""
    start = 0
    while start < len(config):
        newline = config.find(b"\n", start)
        end = len(config) if newline < 0 else newline + 1
        if config[start:end] in (line, line + b"\n", line + b"\r\n"):
            return start, end
        start = end
    return None
