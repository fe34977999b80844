"""Searching, by ripgrep and without it: both find the same."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from genba_agent.files import searching
from genba_agent.files.search_process import MAX_LINE_BYTES, Search, walk
from genba_wire.tunnel.files import FileMatch
from tests.support.carriers import CEILING_S

RIPGREP = shutil.which("rg")
COMMAND = [sys.executable, "-m", "genba_agent"]


@pytest.fixture(params=["ours", pytest.param("rg", marks=pytest.mark.skipif(not RIPGREP, reason="no ripgrep here"))])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which of the two searches; ours without its process, whose start takes longer than all the rest."""
    if request.param == "ours":
        monkeypatch.setattr(searching, "_run", _walk_here)
        monkeypatch.setenv("PATH", "/nowhere")
    return str(request.param)


async def _walk_here(command: Sequence[str], cwd: bytes, request: bytes, *_: object) -> AsyncGenerator[list[FileMatch]]:
    wanted = msgspec.json.decode(request, type=Search)
    yield await asyncio.to_thread(lambda: list(walk(wanted.folder, wanted)))


def fill(folder: Path) -> None:
    (folder / "a" / ".git").mkdir(parents=True)
    (folder / "a" / ".git" / "config").write_text("needle")
    (folder / "a" / "one.txt").write_text("nothing\nsome Needle and needle\r\n")
    (folder / ".hidden").write_text("needle")
    (folder / ".gitignore").write_text("other.txt\n")
    (folder / "binary").write_bytes(b"needle\0")
    (folder / "loop").symlink_to(".")
    (folder / "long").write_text("x" * 5000 + "needle" + "y" * 5000)
    (folder / "other.txt").write_bytes(b"caf\xe9 needle (1+1)\n")
    with open(bytes(folder) + b"/\xff", "wb") as odd:
        odd.write(b"needle")
    os.mkfifo(folder / "pipe")


async def find(folder: Path, query: str, **settings: Any) -> list[FileMatch]:
    wanted = Search(query=query, **settings)
    async with asyncio.timeout(CEILING_S):
        found = [match async for batch in searching.search(bytes(folder), wanted, COMMAND) for match in batch]
    return sorted(found, key=lambda match: (match.path, match.line))


async def test_lines_are_found_with_their_places(tmp_path: Path, engine: str) -> None:
    await asyncio.to_thread(fill, tmp_path)
    found = {match.path: match for match in await find(tmp_path, "needle")}
    assert set(found) == {"a/one.txt", ".hidden", "long", "other.txt", "\0ff"}
    assert found["a/one.txt"] == FileMatch(path="a/one.txt", line=2, column=16, text="some Needle and needle")
    assert found["other.txt"].text == "caf\ufffd needle (1+1)"
    assert found["long"].column == 5000
    assert "needle" in found["long"].text
    assert len(found["long"].text) == MAX_LINE_BYTES


async def test_text_is_no_pattern_and_case_may_be_ignored(tmp_path: Path, engine: str) -> None:
    await asyncio.to_thread(fill, tmp_path)
    assert [match.path for match in await find(tmp_path, "(1+1)")] == ["other.txt"]
    assert await find(tmp_path, "NEEDLE") == []
    first = [match for match in await find(tmp_path, "NEEDLE", ignore_case=True) if match.path == "a/one.txt"]
    assert first[0].column == 5
    assert await find(tmp_path, "--help") == []


LINES = "alpha = 1\nBeta = 22\n\n  gamma(x) = 333\nüber Öl 7\nend"


@pytest.mark.parametrize(
    ("query", "ignore_case", "places"),
    [
        (r"^\w+ = \d{2,}$", False, [(2, 0)]),
        (r"=\s*(?:1|333)", False, [(1, 6), (4, 11)]),
        (r"[a-f]\b", False, [(1, 4), (2, 3), (4, 6), (6, 2)]),
        (r"BETA|öl", True, [(2, 0), (5, 6)]),
        (r"\w+\(", False, [(4, 2)]),
        (r"^", False, [(1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0)]),
        (r"ÖL", True, [(5, 6)]),
        (r"(?P<word>über)", False, [(5, 0)]),
        (r"--end|end$", False, [(6, 0)]),
    ],
)
async def test_expressions_fit_the_same_lines(
    tmp_path: Path, engine: str, query: str, ignore_case: bool, places: list[tuple[int, int]]
) -> None:
    await asyncio.to_thread((tmp_path / "file").write_text, LINES, "utf-8")
    found = await find(tmp_path, query, regex=True, ignore_case=ignore_case)
    assert [(match.line, match.column) for match in found] == places


async def test_text_that_ignores_case_does_so_in_all_languages(tmp_path: Path, engine: str) -> None:
    await asyncio.to_thread((tmp_path / "file").write_text, LINES, "utf-8")
    assert [match.line for match in await find(tmp_path, "ÜBER öL", ignore_case=True)] == [5]


PROJECT = [
    *("build.py", "build/out.py", "main.py", "src/build/in.py"),
    *("src/deep/two.py", "src/one.py", "src/two.ts"),
]


def fill_project(folder: Path) -> None:
    for path in PROJECT:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("x\n")


@pytest.mark.parametrize(
    ("include", "exclude", "paths"),
    [
        ((), (), PROJECT),
        (("*.ts",), (), ["src/two.ts"]),
        (("src/*.py",), (), ["src/one.py"]),
        (("/main.py", "src/**/*.{py,ts}"), ("two.*",), ["main.py", "src/build/in.py", "src/one.py"]),
        (("*.py",), ("build/",), ["build.py", "main.py", "src/deep/two.py", "src/one.py"]),
        (("*.py",), ("build",), ["build.py", "main.py", "src/deep/two.py", "src/one.py"]),
        ((), ("src/**",), ["build.py", "build/out.py", "main.py"]),
        (("**/deep/**",), (), ["src/deep/two.py"]),
        (("[!m]*.py",), ("**/build/**",), ["build.py", "src/deep/two.py", "src/one.py"]),
        (("t?o.py",), (), ["src/deep/two.py"]),
        (("src",), (), []),
    ],
)  # fmt: skip
async def test_globs_choose_the_same_files(
    tmp_path: Path, engine: str, include: Sequence[str], exclude: Sequence[str], paths: list[str]
) -> None:
    await asyncio.to_thread(fill_project, tmp_path)
    found = await find(tmp_path, "x", include=tuple(include), exclude=tuple(exclude))
    assert [match.path for match in found] == paths


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"query": "(?=x)", "regex": True}, "look-around"),
        ({"query": "x", "include": ("!x",)}, "is no glob"),
        ({"query": "x", "exclude": ("",)}, "is no glob"),
    ],
)
async def test_what_the_engines_read_differently_is_refused_by_both(
    tmp_path: Path, engine: str, settings: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        await find(tmp_path, **settings)


async def test_our_own_search_is_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    await asyncio.to_thread(fill, tmp_path)
    found = await find(tmp_path, r"need\w+", regex=True, exclude=("long",))
    assert [match.path for match in found] == ["\0ff", ".hidden", "a/one.txt", "other.txt"]


@pytest.mark.parametrize("name", ["msgspec.py", "genba_agent/__init__.py"])
async def test_searching_a_folder_runs_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    ran = tmp_path / "ran"
    folder = tmp_path / "folder"
    await asyncio.to_thread((folder / name).parent.mkdir, parents=True)
    await asyncio.to_thread((folder / name).write_text, f"open({str(ran)!r}, 'w')\n")
    assert [match.path for match in await find(folder, "open(")] == [name]
    assert not await asyncio.to_thread(ran.exists)


async def test_ripgrep_is_not_taken_from_the_folder_that_is_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("", "folder/"):
        program = tmp_path / f"{place}bin" / "rg"
        await asyncio.to_thread(program.parent.mkdir, parents=True)
        await asyncio.to_thread(program.write_text, f"#!/bin/sh\necho '{place}' ran >&2\nexit 2\n")
        await asyncio.to_thread(program.chmod, 0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "bin")
    with pytest.raises(ValueError, match=r"^ran$"):
        await find(tmp_path / "folder", "x")


async def test_a_search_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    broken = [sys.executable, "-c", "raise SystemExit('out of order')"]
    with pytest.raises(ValueError, match="out of order"):
        await consume(searching.search(bytes(tmp_path), Search(query="x"), broken))


async def consume(batches: AsyncGenerator[list[FileMatch]]) -> None:
    async for _ in batches:
        """Whatever it is."""


async def test_an_expression_that_would_take_for_ever_ends_at_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    await asyncio.to_thread((tmp_path / "file").write_text, "a" * 64 + "b\n")
    wanted = Search(query="(a|a)+$", regex=True)
    async with asyncio.timeout(CEILING_S):
        with pytest.raises(ValueError, match=r"took more than 0\.3 s"):
            await consume(searching.search(bytes(tmp_path), wanted, COMMAND, limit_s=0.3))


@pytest.mark.parametrize("places", [1, 2, 2000])
async def test_of_a_long_line_the_first_place_is_told(tmp_path: Path, engine: str, places: int) -> None:
    line = "é" * 40_000 + '"submatches":[{"end":1}' + "needle" * places + " " * 40_000
    await asyncio.to_thread((tmp_path / "line").write_text, f"first\n{line}\nneedle\n", "utf-8")
    found = [(match.line, match.column, "needle" in match.text) for match in await find(tmp_path, "needle")]
    assert found == [(2, 80_023, True), (3, 0, True)]


@pytest.mark.skipif(not RIPGREP, reason="no ripgrep here")
async def test_many_places_in_a_line_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    decode = msgspec.json.decode

    def notice(data: bytes, **settings: Any) -> Any:
        sizes.append(len(data))
        return decode(data, **settings)

    monkeypatch.setattr(msgspec.json, "decode", notice)
    await asyncio.to_thread((tmp_path / "line").write_text, "ab" * 5000)
    assert [match.column for match in await find(tmp_path, "b")] == [1]
    assert max(sizes) < 11_000


@pytest.mark.skipif(not RIPGREP, reason="no ripgrep here")
@pytest.mark.parametrize(("more", "count"), [(-1, 0), (0, 1), (1000, 1)])
async def test_a_line_that_is_too_long_for_us_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: int, count: int
) -> None:
    line = "needle" * 20_000
    event = f'{{"type":"match","data":{{"path":{{"text":"./line"}},"lines":{{"text":"{line}"}},"line_number":1,'
    event += '"absolute_offset":0,"submatches":['
    monkeypatch.setattr(searching, "MAX_EVENT_BYTES", len(event) + more)
    await asyncio.to_thread((tmp_path / "line").write_text, line)
    assert len(await find(tmp_path, "needle")) == count


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
