"""What tests make once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import kept_peers
from tests.support.kept_peers import keep_peer


def test_it_is_made_once_and_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_peers, "cache_folder", lambda: tmp_path)
    made: list[Path] = []

    def make(work: Path) -> Path:
        made.append(work)
        (work / "half").touch()
        if len(made) == 1:
            raise ValueError("broken off")
        (work / "tool").write_text("1.0")
        return work / "tool"

    with pytest.raises(ValueError, match="broken off"):
        keep_peer("tool-1.0", make)
    for _ in range(2):
        assert keep_peer("tool-1.0", make).read_text() == "1.0"
    assert len(made) == 2
    assert {path.name for path in (tmp_path / "test-peers").iterdir()} == {"tool-1.0", "tool-1.0.lock"}
