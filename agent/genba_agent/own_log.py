"""The agent's own log: for people on stderr, in the log folder, and as JSON where asked for."""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime
from io import BufferedWriter, FileIO, TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from genba_agent.options import AgentOptions

LOG_FILE: Final = "coder-agent.log"

MAX_FILE_BYTES: Final = 5 * 1024 * 1024
"""The log file is then moved aside, once."""


def set_up_own_log(options: AgentOptions) -> None:
    """Send the log where the options say. A place that can't be written is named and left out."""
    # A handler whose stream is gone (the terminal was closed) must not print tracebacks to that same stream.
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    # They say every request, at INFO.
    for library in ("httpx", "httpcore", "websockets", "asyncio"):
        logging.getLogger(library).setLevel(logging.WARNING)
    redaction = _Redaction(options.address.token)
    problems: list[str] = []
    destinations: list[tuple[str, logging.Formatter]] = [
        (options.log_human, _HumanFormatter()),
        (options.log_json, _JsonFormatter()),
        (str(options.log_dir / LOG_FILE), _HumanFormatter()),
    ]
    for place, formatter in destinations:
        if not place:
            continue
        try:
            handler = _open_handler(place)
        except OSError as error:
            problems.append(f"No log is written to {place}: {error}.")
            continue
        handler.setFormatter(formatter)
        handler.addFilter(redaction)
        root.addHandler(handler)
    for problem in problems:
        root.warning("%s", problem)


def _open_handler(place: str) -> logging.Handler:
    if place == "/dev/stderr":
        return logging.StreamHandler(sys.stderr)
    if place == "/dev/stdout":
        return logging.StreamHandler(sys.stdout)
    Path(place).parent.mkdir(parents=True, exist_ok=True)
    return _PrivateFileHandler(place, maxBytes=MAX_FILE_BYTES, backupCount=1, encoding="utf-8")


class _PrivateFileHandler(RotatingFileHandler):
    def _open(self) -> TextIOWrapper:
        # The folder is often /tmp: don't write through somebody's symbolic link.
        flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        return TextIOWrapper(
            BufferedWriter(FileIO(os.open(self.baseFilename, flags, 0o600), "a")), encoding=self.encoding
        )


class _Redaction(logging.Filter):
    """Takes the token out of every line, wherever it came from."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self._token = token

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if self._token in message:
            record.msg, record.args = message.replace(self._token, "[redacted]"), None
        return True


class _HumanFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s [%(levelname)s] %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return _time_of(record)


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "ts": _time_of(record),
            "level": record.levelname,
            "logger": record.name,
            "msg": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry)


def _time_of(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
