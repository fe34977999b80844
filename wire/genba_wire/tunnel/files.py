"""Requests about files: one on each stream of the kind "files" (docs/protocol.md, "Files")."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from genba_wire.buffers import Buffer
from genba_wire.tunnel import json_messages

FILES: Final = "files"

Operation: TypeAlias = Literal["stat", "list", "read", "write", "mkdir", "link", "rename", "delete", "search", "watch"]
FileType: TypeAlias = Literal["file", "directory", "link", "other"]
ChangeType: TypeAlias = Literal["created", "changed", "deleted", "overflow"]
Natural: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
"""Sizes and offsets; so that the end of a range fits into the 63 bits of the kernel's offsets, too."""
Mode: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=0o7777)]
Part: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[0-9a-z]{0,32}$")]

_ESCAPED: Final = re.compile("\0([0-9a-f]{2})")


class FileOpen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The head of a "files" stream.

    `path` and `to` are escaped (`escape_path`), and absolute or below the home folder. `to` is what a link points to,
    or what is renamed gets. `offset` is where reading begins. `size` is how much a file that is written has in the end:
    less is an error; `part` names a half-written file that is kept when the stream breaks, and gone on with later.
    """

    op: Operation
    path: str
    to: str = ""
    offset: Natural = 0
    size: Natural | None = None
    mode: Mode | None = None
    mtime_ns: int | None = None
    part: Part = ""
    follow: bool = True
    """Whether `stat` looks behind a symbolic link."""
    query: str = ""
    """The text that is searched for, on one line; with `regex` an expression."""
    ignore_case: bool = False
    regex: bool = False
    include: tuple[str, ...] = ()
    """Globs of the files that are searched; none for all."""
    exclude: tuple[str, ...] = ()
    """Globs of files and folders that are left out, whatever `include` says."""


class FileStat(msgspec.Struct, frozen=True, kw_only=True):
    """What a file is; `size` in bytes, `target` of a link, escaped. It accepts "stat", "read" and "write".

    For "write" its size is that of the part which is there already: the client sends what follows.
    """

    type: FileType
    size: int
    mode: int
    mtime_ns: int
    target: str = ""


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One name in a folder, escaped: one line of the data of "list"."""

    name: str
    stat: FileStat


class FileMatch(msgspec.Struct, frozen=True, kw_only=True):
    """A line that was found: one line of the data of "search".

    `path` is escaped and below the folder; lines count from 1, `column` counts bytes from 0. Of a long line `text` is
    what is around the match.
    """

    path: str
    line: int
    column: int
    text: str


class FileChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that changed: one line of the data of "watch". The escaped path is below the folder.

    An overflow says that changes at or below the path were missed: look anew. `poll_s`, on an overflow, says that from
    here on the folder is looked through every so many seconds, since the system tells no changes: what comes and goes
    in between is not told.
    """

    type: ChangeType
    path: str
    poll_s: float = 0.0


def escape_path(path: bytes) -> str:
    """Return a path as text: a byte that is no UTF-8 becomes a zero character and two hexadecimal digits.

    No path holds a zero byte, so that nothing else looks like it.
    """
    text = path.decode("utf-8", "surrogateescape")
    return "".join(f"\0{ord(char) - 0xDC00:02x}" if 0xDC80 <= ord(char) <= 0xDCFF else char for char in text)


def unescape_path(text: str) -> bytes:
    """Return the bytes of a path that `escape_path` made; any other zero character stays, and is refused by the system.

    Raises:
        UnicodeEncodeError: the text holds a lone surrogate.
    """
    return b"".join(bytes.fromhex(piece) if at % 2 else piece.encode() for at, piece in enumerate(_ESCAPED.split(text)))


def encode(message: FileOpen | FileStat | FileEntry | FileMatch | FileChange) -> bytes:
    """Return the JSON of a head, an answer or a line."""
    return json_messages.encode(message)


def parse_file_open(head: Buffer) -> FileOpen:
    """Read the head of a stream.

    Raises:
        RemoteProtocolError: not JSON, or not of this shape.
    """
    return json_messages.decode(head, FileOpen)


def parse_file_stat(head: Buffer) -> FileStat:
    """Read what a stream was accepted with.

    Raises:
        RemoteProtocolError: not JSON, or not of this shape.
    """
    return json_messages.decode(head, FileStat)


def parse_file_entry(line: Buffer) -> FileEntry:
    """Read a line of a list.

    Raises:
        RemoteProtocolError: not JSON, or not of this shape.
    """
    return json_messages.decode(line, FileEntry)


def parse_file_match(line: Buffer) -> FileMatch:
    """Read a line of what was found.

    Raises:
        RemoteProtocolError: not JSON, or not of this shape.
    """
    return json_messages.decode(line, FileMatch)


def parse_file_change(line: Buffer) -> FileChange:
    """Read a line of what changed.

    Raises:
        RemoteProtocolError: not JSON, or not of this shape.
    """
    return json_messages.decode(line, FileChange)
