"""Where the environment lies and what it depends on; tests/integration/test_setup.py makes real ones."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from scripts.environment import LOCKS, cache_folder, environment_hash, locked, set_up
from scripts.failures import ScriptFailure


def test_the_cache_folder_is_chosen_then_the_users_then_in_the_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "genba"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "genba"
    monkeypatch.setenv("GENBA_CACHE", "chosen")
    assert cache_folder() == Path("chosen").absolute()


def test_another_lock_is_another_environment(tmp_path: Path) -> None:
    for name in LOCKS.values():
        (tmp_path / name).write_text("one==1\n")
    before = environment_hash(tmp_path)
    assert environment_hash(tmp_path) == before
    (tmp_path / LOCKS["run"]).write_text("one==2\n")
    assert environment_hash(tmp_path) != before


@pytest.mark.parametrize("arguments", [[], ["all"], [""], ["run", "dev"]])
def test_a_stage_has_to_be_named(tmp_path: Path, arguments: list[str]) -> None:
    with pytest.raises(ScriptFailure, match=r"usage: scripts/setup\.sh run\|dev"):
        set_up(str(tmp_path), arguments)


def test_a_lock_is_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    order: list[str] = []

    def second() -> None:
        with locked(tmp_path / "lock"):
            order.append("second")

    thread = threading.Thread(target=second)
    with locked(tmp_path / "lock"):
        thread.start()
        while "another set-up is under way" not in capsys.readouterr().err:
            thread.join(0.01)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_lock_that_cannot_be_made_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ScriptFailure, match="export GENBA_CACHE="), locked(tmp_path / "absent" / "lock"):
        raise AssertionError("never")
