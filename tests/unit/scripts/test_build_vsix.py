"""Packing the extension without Node; with it, tests/integration/test_vscode_extension.py packs it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scripts import build_vsix


def test_without_node_it_says_what_to_install_and_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["build_vsix", "--out", str(tmp_path / "made" / "genba.vsix")])
    with pytest.raises(SystemExit) as ended:
        build_vsix.main()
    assert ended.value.code == 1
    assert "needs npm, which is not on PATH: install Node.js 20 or later" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
