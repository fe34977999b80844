"""The log file of a session."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from genba_ide_bridge.cli.session_log import begin_log, log_name


@pytest.fixture(autouse=True)
def _loggers_as_before() -> Generator[None]:
    loggers = [logging.getLogger(name) for name in ("genba_ide_bridge", "genba_wire")]
    before = [(logger.level, list(logger.handlers)) for logger in loggers]
    yield
    for logger, (level, handlers) in zip(loggers, before, strict=True):
        for handler in set(logger.handlers) - set(handlers):
            handler.close()
            logger.removeHandler(handler)
        logger.setLevel(level)


def test_a_name_ends_with_the_process_of_ssh() -> None:
    name = log_name(4711, datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC))
    assert re.fullmatch(r"coder-ssh-20260304-050607-[a-z]{5}-4711\.log", name)


def test_what_is_logged_is_in_the_file_and_details_with_verbose_only(tmp_path: Path) -> None:
    begin_log(tmp_path / "new", "a.log", is_verbose=False)
    logging.getLogger("genba_ide_bridge.cli.stdio_session").info("Connected.")
    logging.getLogger("genba_wire.aio").debug("A detail.")
    logging.getLogger("httpx").warning("Of a library.")
    begin_log(tmp_path / "new", "b.log", is_verbose=True)
    logging.getLogger("genba_wire.aio").debug("A detail.")
    assert "genba_ide_bridge.cli.stdio_session: Connected.\n" in (tmp_path / "new" / "a.log").read_text()
    assert "Of a library" not in (tmp_path / "new" / "a.log").read_text()
    assert (tmp_path / "new" / "b.log").read_text().endswith("DEBUG genba_wire.aio: A detail.\n")


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    begin_log(tmp_path / "file", "a.log", is_verbose=False)
    assert "Can't log to" in capsys.readouterr().err


def test_a_warning_does_not_come_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    program = (
        "import logging; from genba_ide_bridge.cli.session_log import keep_from_stderr; keep_from_stderr(); "
        "logging.getLogger('genba_ide_bridge.cli.session_pauses').warning('lost')"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    assert capfd.readouterr() == ("", "")
