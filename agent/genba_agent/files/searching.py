"""Searches the files below a folder: by ripgrep where it is, else by a walk of our own. Both find the same.

Our own walk is another process of this program: expressions may take for ever in Python, with the interpreter's lock
held, and only a process can be ended. Both have a deadline, and end with the request.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import shutil
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from typing import Final

import msgspec

from genba_agent.files.globs import check_globs
from genba_agent.files.output_lines import OutputLines
from genba_agent.files.patterns import compile_pattern
from genba_agent.files.search_process import MAX_FILE_BYTES, SUBCOMMAND, Search, make_match
from genba_wire.tunnel.files import FileMatch

MAX_MATCHES: Final = 10_000
"""More than anybody reads; the search ends with them."""

SEARCH_LIMIT_S: Final = 60.0
"""A search that takes longer is one for another tool; what it found until then is told."""

MAX_EVENT_BYTES: Final = MAX_FILE_BYTES * 3 // 2
"""What is kept of a line that ripgrep writes: it holds a line of a file, which may be all of a file that is searched,
in JSON or in base64, and then each place in it where something was found. A minified program has a million."""

_LONG_EVENT_BYTES: Final = 64 * 1024
"""From here on, only the first place in a line of a file is read."""

_PLACES: Final = b'"submatches":['
_END_OF_PLACE: Final = re.compile(rb'"end":\d+\}')
"""Neither can be within a text, where JSON has a backslash before each quotation mark."""

_PIPE_BYTES: Final = 1024 * 1024
"""What is read of the output in one go, at most."""

_SAID_BYTES: Final = 4096
"""What is read of the words with which a search fails."""

_RIPGREP_CODES: Final = frozenset({0, 1})
"""Something was found, or nothing; 2 is an error, also where single files could not be read."""

_OUR_CODES: Final = frozenset({0})


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


async def search(
    folder: bytes, wanted: Search, command: Sequence[str], *, limit_s: float = SEARCH_LIMIT_S
) -> AsyncGenerator[list[FileMatch]]:
    """Yield what is found, in batches, at most `MAX_MATCHES` in all.

    Args:
        folder: where to search, absolute.
        wanted: for what.
        command: starts this program again.
        limit_s: how long it may take.

    Raises:
        OSError: the folder may not be read.
        ValueError: the expression or a glob can't be read, or the search took too long; says so.
    """
    compile_pattern(wanted.query, is_regex=wanted.regex, ignores_case=wanted.ignore_case)
    check_globs(wanted.include)
    check_globs(wanted.exclude)
    await asyncio.to_thread(os.listdir, folder)
    program = await asyncio.to_thread(_find_ripgrep)
    if program:
        lines = _run([program, *_ripgrep_arguments(wanted)], folder, b"", _read_event, _RIPGREP_CODES)
    else:
        request = msgspec.json.encode(msgspec.structs.replace(wanted, folder=folder))
        lines = _run([*command, "agent", SUBCOMMAND], b"/", request, _read_match, _OUR_CODES)
    left = MAX_MATCHES
    loop = asyncio.get_running_loop()
    until = loop.time() + limit_s
    try:
        while left > 0:
            async with asyncio.timeout_at(until):
                batch = await anext(lines, None)
            if batch is None:
                return
            told = loop.time()
            yield batch[:left]
            # A client that reads slowly takes its own time.
            until += loop.time() - told
            left -= len(batch)
    except TimeoutError:
        raise ValueError(f"The search took more than {limit_s:g} s: search less, or for something simpler.") from None
    finally:
        await lines.aclose()


def _find_ripgrep() -> str | None:
    program = shutil.which("rg")
    # A PATH may name folders by where we are; the search is elsewhere.
    return os.path.abspath(program) if program else None


def _ripgrep_arguments(wanted: Search) -> list[str]:
    # What .gitignore names is searched too: our own walk knows no such files, and whoever asks has globs.
    flags = ["--json", "--hidden", "--no-ignore", "--no-config", "--no-messages", "--max-filesize", str(MAX_FILE_BYTES)]
    flags.append("--ignore-case" if wanted.ignore_case else "--case-sensitive")
    if not wanted.regex:
        flags.append("--fixed-strings")
    # The last one that fits decides.
    for glob in (*wanted.include, *(f"!{glob}" for glob in wanted.exclude), "!.git"):
        flags += ["--glob", glob]
    return [*flags, "--regexp", wanted.query, "--", "./"]


async def _run(
    command: Sequence[str],
    folder: bytes,
    request: bytes,
    read: Callable[[bytes], FileMatch | None],
    codes: frozenset[int],
) -> AsyncGenerator[list[FileMatch]]:
    """Yield what a process finds; it is ended with the generator.

    Raises:
        ValueError: it failed; in its own words.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None  # noqa: S101  # for the type checkers
    assert process.stdout is not None  # noqa: S101  # likewise
    assert process.stderr is not None  # noqa: S101  # likewise
    output, has_found = OutputLines(MAX_EVENT_BYTES), False
    try:
        process.stdin.write(request)
        process.stdin.close()
        while data := await process.stdout.read(_PIPE_BYTES):
            found = [match for line in output.feed(data) if (match := read(line)) is not None]
            if found:
                has_found = True
                yield found
        said = (await process.stderr.read(_SAID_BYTES)).decode(errors="replace").strip()
        if await process.wait() not in codes and said and not has_found:
            raise ValueError(said.splitlines()[-1])
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _read_event(line: bytes) -> FileMatch | None:
    if len(line) > _LONG_EVENT_BYTES:
        line = _keep_first_place(line)
    if not line:
        return None
    event = msgspec.json.decode(line, type=_Event)
    if event.type != "match":
        return None
    data = msgspec.json.decode(event.data, type=_Data)
    column = data.submatches[0].start if data.submatches else 0
    return make_match(data.path.read().removeprefix(b"./"), data.line_number, column, data.lines.read())


def _keep_first_place(line: bytes) -> bytes:
    """An event with one place of many; without any when its text was cut, and nothing when the file's line was."""
    start = line.find(_PLACES)
    if start < 0:
        return b""
    first = _END_OF_PLACE.search(line, start)
    return line[: first.end() if first else start + len(_PLACES)] + b"]}}"


def _read_match(line: bytes) -> FileMatch:
    return msgspec.json.decode(line, type=FileMatch)
