"""Searches the files below a folder for a text: by ripgrep where it is, else by walking through them."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from itertools import islice
from typing import Final

import msgspec

from genba_wire.tunnel.files import FileMatch, escape_path

MAX_MATCHES: Final = 10_000
"""More than anybody reads; the search ends with them."""

MAX_FILE_BYTES: Final = 16 * 1024 * 1024
"""Larger files are passed over: they are data, no text."""

MAX_LINE_BYTES: Final = 1000
"""What is kept of a line that is found."""

BATCH_MATCHES: Final = 100
"""So many are found, by our own walk, before they are told."""

_PIPE_BYTES: Final = 1024 * 1024
"""A line of ripgrep's output holds a whole line of a file."""


class _Text(msgspec.Struct):
    """Text as ripgrep writes it: in base64 where it is no UTF-8."""

    text: str | None = None
    encoded: str = msgspec.field(default="", name="bytes")

    def read(self) -> bytes:
        return self.text.encode() if self.text is not None else base64.b64decode(self.encoded)


class _Submatch(msgspec.Struct):
    start: int


class _Data(msgspec.Struct):
    path: _Text
    lines: _Text
    line_number: int
    submatches: list[_Submatch] = []


class _Event(msgspec.Struct):
    type: str
    data: msgspec.Raw = msgspec.Raw()


async def search(folder: bytes, query: str, *, ignores_case: bool) -> AsyncGenerator[list[FileMatch]]:
    """Yield what is found, in batches, at most `MAX_MATCHES` in all.

    Raises:
        OSError: the folder may not be read.
    """
    await asyncio.to_thread(os.listdir, folder)
    program = await asyncio.to_thread(shutil.which, "rg")
    batches = _ripgrep(program, folder, query, ignores_case) if program else _walk(folder, query, ignores_case)
    left = MAX_MATCHES
    try:
        async for batch in batches:
            yield batch[:left]
            left -= len(batch)
            if left <= 0:
                return
    finally:
        await batches.aclose()


async def _ripgrep(program: str, folder: bytes, query: str, ignores_case: bool) -> AsyncGenerator[list[FileMatch]]:
    flags = ["--json", "--hidden", "--glob", "!.git", "--no-config", "--max-filesize", str(MAX_FILE_BYTES)]
    process = await asyncio.create_subprocess_exec(
        *(program, *flags, "--ignore-case" if ignores_case else "--case-sensitive", "--fixed-strings"),
        *("--regexp", query, "--", "./"),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=2 * MAX_FILE_BYTES,
    )
    assert process.stdout is not None  # noqa: S101  # for the type checkers
    rest = b""
    try:
        while data := await process.stdout.read(_PIPE_BYTES):
            *lines, rest = (rest + data).split(b"\n")
            found = [match for line in lines if (match := _read_event(line)) is not None]
            if found:
                yield found
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _read_event(line: bytes) -> FileMatch | None:
    event = msgspec.json.decode(line, type=_Event)
    if event.type != "match":
        return None
    data = msgspec.json.decode(event.data, type=_Data)
    column = data.submatches[0].start if data.submatches else 0
    return _make_match(data.path.read().removeprefix(b"./"), data.line_number, column, data.lines.read())


async def _walk(folder: bytes, query: str, ignores_case: bool) -> AsyncGenerator[list[FileMatch]]:
    matches = _walk_files(folder, query.encode(), ignores_case)
    while batch := await asyncio.to_thread(lambda: list(islice(matches, BATCH_MATCHES))):
        yield batch


def _walk_files(folder: bytes, query: bytes, ignores_case: bool) -> Iterator[FileMatch]:
    wanted = query.lower() if ignores_case else query
    for above, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if each != b".git")
        for name in sorted(names):
            path = os.path.join(above, name)
            text = _read_text(path)
            if wanted not in (text.lower() if ignores_case else text):
                continue
            for number, line in enumerate(text.split(b"\n"), start=1):
                column = (line.lower() if ignores_case else line).find(wanted)
                if column >= 0:
                    yield _make_match(os.path.relpath(path, folder), number, column, line)


def _read_text(path: bytes) -> bytes:
    """A file's content; nothing where it is no text, too large, or not to be read."""
    # Without O_NONBLOCK a named pipe would hold the thread for ever.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with open(os.open(path, flags), "rb") as file:
            is_large = os.fstat(file.fileno()).st_size > MAX_FILE_BYTES
            data = b"" if is_large else file.read(MAX_FILE_BYTES) or b""
    except OSError:
        return b""
    return b"" if b"\0" in data else data


def _make_match(path: bytes, number: int, column: int, line: bytes) -> FileMatch:
    start = max(column - MAX_LINE_BYTES // 2, 0)
    text = line.rstrip(b"\r\n")[start : start + MAX_LINE_BYTES].decode(errors="replace")
    return FileMatch(path=escape_path(path), line=number, column=column, text=text)
