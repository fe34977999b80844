"""Our own search, in a process of its own.

It reads a `Search` as JSON from stdin, writes a `FileMatch` as JSON on a line of stdout for each line that it finds,
and is ended by whoever started it.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterator
from typing import Final

import msgspec

from genba_agent.files.globs import Globs
from genba_agent.files.patterns import compile_pattern
from genba_wire.tunnel.files import FileMatch, encode, escape_path

SUBCOMMAND: Final = "search-files"
"""Of `genba agent`; for the agent itself."""

MAX_FILE_BYTES: Final = 16 * 1024 * 1024
"""Larger files are passed over: they are data, no text."""

MAX_LINE_BYTES: Final = 1000
"""What is kept of a line that is found."""


class Search(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is searched for, and in which files: see `genba_wire.tunnel.files.FileOpen`."""

    query: str
    folder: bytes = b""
    """Absolute. The process does not start in it: what lies there might be taken for modules of ours."""
    ignore_case: bool = False
    regex: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


def main() -> int:
    """Search the folder that the request names."""
    wanted = msgspec.json.decode(sys.stdin.buffer.read(), type=Search)
    write = sys.stdout.buffer.write
    try:
        for match in walk(wanted.folder, wanted):
            write(encode(match) + b"\n")
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Nobody wants more; what is still buffered must not be tried again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 0


def walk(folder: bytes, wanted: Search) -> Iterator[FileMatch]:
    """Yield the lines that are found in files below a folder."""
    find = _finder(wanted)
    include, exclude = Globs(wanted.include), Globs(wanted.exclude)
    for above, folders, names in os.walk(folder):
        place = os.path.relpath(above, folder)
        place = b"" if place == b"." else place
        folders[:] = sorted(
            name for name in folders if name != b".git" and not exclude.fits_folder(_text(os.path.join(place, name)))
        )
        for name in sorted(names):
            path = os.path.join(place, name)
            shown = _text(path)
            if name == b".git" or exclude.fits_file(shown) or (wanted.include and not include.fits_file(shown)):
                continue
            for number, column, line in find(_read_text(os.path.join(above, name))):
                yield make_match(path, number, column, line)


class _LiteralFinder:
    """Finds bytes: the fastest way through many files."""

    def __init__(self, query: bytes) -> None:
        self._query = query

    def __call__(self, text: bytes) -> Iterator[tuple[int, int, bytes]]:
        if self._query not in text:
            return
        for number, line in enumerate(text.split(b"\n"), start=1):
            column = line.find(self._query)
            if column >= 0:
                yield number, column, line


class _PatternFinder:
    """Finds an expression, line by line."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern

    def __call__(self, text: bytes) -> Iterator[tuple[int, int, bytes]]:
        lines = text.split(b"\n")
        if not lines[-1]:
            # What follows the last end of a line is no line.
            lines.pop()
        for number, line in enumerate(lines, start=1):
            shown = line.decode("utf-8", "surrogateescape")
            found = self._pattern.search(shown)
            if found is not None:
                yield number, len(shown[: found.start()].encode("utf-8", "surrogateescape")), line


def _finder(wanted: Search) -> _LiteralFinder | _PatternFinder:
    if not wanted.regex and not wanted.ignore_case:
        return _LiteralFinder(wanted.query.encode())
    return _PatternFinder(compile_pattern(wanted.query, is_regex=wanted.regex, ignores_case=wanted.ignore_case))


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


def _read_text(path: bytes) -> bytes:
    """A file's content; nothing where it is no text, too large, or not to be read."""
    # Without O_NONBLOCK a named pipe would hold us for ever.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with open(os.open(path, flags), "rb") as file:
            found = os.fstat(file.fileno())
            is_text = stat.S_ISREG(found.st_mode) and found.st_size <= MAX_FILE_BYTES
            data = file.read(MAX_FILE_BYTES) if is_text else b""
    except OSError:
        return b""
    return b"" if b"\0" in data else data


def make_match(path: bytes, number: int, column: int, line: bytes) -> FileMatch:
    """A line that was found, cut around the place."""
    start = max(column - MAX_LINE_BYTES // 2, 0)
    text = line.rstrip(b"\r\n")[start : start + MAX_LINE_BYTES].decode(errors="replace")
    return FileMatch(path=escape_path(path), line=number, column=column, text=text)
