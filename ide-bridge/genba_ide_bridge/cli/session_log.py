"""The log file of one session, by whose name editors find it."""

from __future__ import annotations

import logging
import secrets
import string
from datetime import datetime
from pathlib import Path
from typing import Final

from genba_ide_bridge.cli.output import note

_LETTERS: Final = 5

_OWN_LOGGERS: Final = ("genba_ide_bridge", "genba_wire")
"""Those of libraries may tell headers, and so secrets."""


def log_name(ssh_pid: int, now: datetime) -> str:
    """`coder-ssh-<day>-<time>-<5 letters>-<pid of ssh>.log`: editors look for the end (contract 2.1.3)."""
    letters = "".join(secrets.choice(string.ascii_lowercase) for _ in range(_LETTERS))
    return f"coder-ssh-{now:%Y%m%d-%H%M%S}-{letters}-{ssh_pid}.log"


def keep_from_stderr() -> None:
    """Have no warning written to stderr, which is what Python does with those that nobody takes."""
    for logger in map(logging.getLogger, _OWN_LOGGERS):
        logger.addHandler(logging.NullHandler())


def begin_log(folder: Path, name: str, *, is_verbose: bool) -> None:
    """Log to a file in the folder. Where that can't be, it is said, and the session goes on without."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(folder / name, encoding="utf-8")
    except OSError as error:
        note(f"Can't log to {folder}: {error.strerror}.")
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for logger in map(logging.getLogger, _OWN_LOGGERS):
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG if is_verbose else logging.INFO)
