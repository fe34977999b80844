"""Searching, by ripgrep and without it."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from genba_agent.files import searching
from genba_wire.tunnel.files import FileMatch

RIPGREP = shutil.which("rg")


@pytest.fixture(params=["ours", pytest.param("rg", marks=pytest.mark.skipif(not RIPGREP, reason="no ripgrep here"))])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which of the two searches."""
    if request.param == "ours":
        monkeypatch.setenv("PATH", "/nowhere")
    return str(request.param)


def fill(folder: Path) -> None:
    (folder / "a" / ".git").mkdir(parents=True)
    (folder / "a" / ".git" / "config").write_text("needle")
    (folder / "a" / "one.txt").write_text("nothing\nsome Needle and needle\r\n")
    (folder / ".hidden").write_text("needle")
    (folder / "binary").write_bytes(b"needle\0")
    (folder / "loop").symlink_to(".")
    (folder / "long").write_text("x" * 5000 + "needle" + "y" * 5000)
    (folder / "other.txt").write_bytes(b"caf\xe9 needle (1+1)\n")
    with open(bytes(folder) + b"/\xff", "wb") as odd:
        odd.write(b"needle")
    os.mkfifo(folder / "pipe")


async def find(folder: Path, query: str, *, ignores_case: bool = False) -> list[FileMatch]:
    found = [
        match async for batch in searching.search(bytes(folder), query, ignores_case=ignores_case) for match in batch
    ]
    return sorted(found, key=lambda match: (match.path, match.line))


async def test_lines_are_found_with_their_places(tmp_path: Path, engine: str) -> None:
    await asyncio.to_thread(fill, tmp_path)
    found = {match.path: match for match in await find(tmp_path, "needle")}
    assert set(found) == {"a/one.txt", ".hidden", "long", "other.txt", "\0ff"}
    assert found["a/one.txt"] == FileMatch(path="a/one.txt", line=2, column=16, text="some Needle and needle")
    assert found["other.txt"].text == "caf\ufffd needle (1+1)"
    assert found["long"].column == 5000
    assert "needle" in found["long"].text
    assert len(found["long"].text) == searching.MAX_LINE_BYTES


async def test_text_is_no_pattern_and_case_may_be_ignored(tmp_path: Path, engine: str) -> None:
    await asyncio.to_thread(fill, tmp_path)
    assert [match.path for match in await find(tmp_path, "(1+1)")] == ["other.txt"]
    assert await find(tmp_path, "NEEDLE") == []
    first = [match for match in await find(tmp_path, "NEEDLE", ignores_case=True) if match.path == "a/one.txt"]
    assert first[0].column == 5
    assert await find(tmp_path, "--help") == []


@pytest.mark.parametrize("more", [0, 1])
async def test_search_ends_at_its_limit(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch, more: int
) -> None:
    monkeypatch.setattr(searching, "MAX_MATCHES", 20)
    await asyncio.to_thread((tmp_path / "many").write_text, "x\n" * (20 + more))
    assert len(await find(tmp_path, "x")) == 20


async def test_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await find(tmp_path / "absent", "x")
