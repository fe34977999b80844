"""The script for macOS as it is made; tests/e2e/test_portable.py starts it."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from scripts.executable import recipe
from scripts.executable.portable import build_portable, make_portable


def test_head_and_tar_fit_and_hold_no_agent() -> None:
    script = make_portable()
    head, _, _ = script.partition(b"\x1f\x8b")
    first_line = head.count(b"\n") + 1
    assert f"tail -n +{first_line} ".encode() in head
    assert b"@" not in head.replace(b'"$@"', b"")
    with tarfile.open(fileobj=io.BytesIO(script[len(head) :])) as tar:
        names = tar.getnames()
        pins = tar.extractfile("requirements.txt")
        assert pins is not None
        text = pins.read().decode()
    assert (names[0], names[-1]) == ("requirements.txt", "main.py")
    assert {name.split("/")[1] for name in names if name.startswith("site/")} == {"genba_wire", "genba_ide_bridge"}
    assert text.count("==") == len(recipe.PORTABLE_WHEELS)
    assert text.count("--hash=") > len(recipe.PORTABLE_WHEELS)


def test_both_machines_get_the_same_file_which_is_left_alone_when_it_is_there(tmp_path: Path) -> None:
    files = build_portable(tmp_path)
    assert [file.name for file in files] == ["genba-darwin-amd64", "genba-darwin-arm64"]
    assert files[0].read_bytes() == files[1].read_bytes()
    before = [file.stat().st_ino for file in files]
    files[0].write_bytes(b"older")
    build_portable(tmp_path)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[1].stat().st_ino == before[1]
