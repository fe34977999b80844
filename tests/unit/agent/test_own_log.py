from __future__ import annotations

import json
import logging
from collections.abc import Generator
from pathlib import Path

import pytest

from genba_agent.options import AgentOptions, parse_options
from genba_agent.own_log import LOG_FILE, set_up_own_log

TOKEN = "5a9c1f0e-9f6e-4a53-9d0c-6f9f3c1f2b11"


@pytest.fixture
def root() -> Generator[logging.Logger]:
    """The root logger as it was, afterwards."""
    logger = logging.getLogger()
    handlers, level, raises = list(logger.handlers), logger.level, logging.raiseExceptions
    yield logger
    for handler in logger.handlers[:]:
        if handler not in handlers:
            handler.close()
            logger.removeHandler(handler)
    logger.setLevel(level)
    logging.raiseExceptions = raises


def make_options(folder: Path, *argv: str) -> AgentOptions:
    environ = {"CODER_AGENT_URL": "http://127.0.0.1:9", "CODER_AGENT_TOKEN": TOKEN, "CODER_AGENT_LOG_DIR": str(folder)}
    return parse_options(list(argv), environ)


def test_lines_go_to_stderr_and_to_a_private_file_without_the_token(
    tmp_path: Path, root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_own_log(make_options(tmp_path))
    logging.getLogger("genba_agent.test").warning("secret %s in a url", TOKEN)
    logging.getLogger("httpx").info("GET noise")
    file = tmp_path / LOG_FILE
    for text in (capsys.readouterr().err, file.read_text()):
        assert "[WARNING] secret [redacted] in a url" in text
        assert "noise" not in text
    assert file.stat().st_mode & 0o777 == 0o600


def test_json_lines_carry_tracebacks(tmp_path: Path, root: logging.Logger) -> None:
    set_up_own_log(make_options(tmp_path, "--log-json", str(tmp_path / "json"), "--log-human", ""))
    try:
        raise ValueError("broken")
    except ValueError:
        root.exception("It broke.")
    entry = json.loads((tmp_path / "json").read_text())
    assert (entry["level"], entry["msg"]) == ("ERROR", "It broke.")
    assert "ValueError: broken" in entry["traceback"]


def test_symbolic_link_in_the_log_folder_is_not_written_through(
    tmp_path: Path, root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "target"
    target.touch()
    (tmp_path / LOG_FILE).symlink_to(target)
    set_up_own_log(make_options(tmp_path))
    assert "No log is written" in capsys.readouterr().err
    assert target.read_text() == ""
