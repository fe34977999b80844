"""Pins of the lock; fetching and trimming is the matter of tests/e2e/test_executable.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.executable import recipe
from scripts.executable.base import make_base, pick_pins
from scripts.failures import ScriptFailure

LOCK = """\
# made by uv
click==8.5.1 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via genba
h11==0.16.0 \\
    --hash=sha256:cc
"""


def test_pins_keep_their_hashes() -> None:
    assert pick_pins(LOCK, ["h11"]) == "h11==0.16.0 \\\n    --hash=sha256:cc\n"
    assert pick_pins(LOCK, ["click"]).count("--hash=") == 2


def test_a_package_that_the_lock_lacks_is_named() -> None:
    with pytest.raises(ScriptFailure, match=r"The lock has no rich, anyio: run `make lock`\."):
        pick_pins(LOCK, ["rich", "click", "anyio"])


def test_without_debians_tools_it_says_where_to_run_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ScriptFailure, match="apt-get is not here: run it on Debian or Ubuntu"):
        make_base(recipe.PLATFORMS["amd64"], tmp_path / "lock", tmp_path, tmp_path / "tree")


def test_a_packet_manager_without_the_way_to_its_archive_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (("apt-get", "#!/bin/sh\necho no route >&2\nexit 100\n"), ("dpkg-deb", ""), ("uv", "")):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    keyring = tmp_path / "keyring"
    keyring.touch()
    monkeypatch.setattr(recipe, "KEYRING", str(keyring))
    monkeypatch.setattr(recipe, "WHEELS", ("h11",))
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    (tmp_path / "lock").write_text(LOCK)
    with pytest.raises(ScriptFailure, match=r"apt reads Debian's lists: failed \(no route\)\. Check the way to"):
        make_base(recipe.PLATFORMS["amd64"], tmp_path / "lock", tmp_path, tmp_path / "tree")
