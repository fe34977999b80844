"""The operator's command; beside a running gateway: tests/e2e/test_ssh_names.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from genba_gateway.__main__ import EXIT_CONFIG, main


def test_a_folder_without_a_database_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replace-ssh-authority", "--data-dir", str(tmp_path)]) == EXIT_CONFIG
    assert re.search(rf"There is no database {re.escape(str(tmp_path))}\S+: name", capsys.readouterr().err)
