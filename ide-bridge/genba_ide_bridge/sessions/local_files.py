"""What copying does to the disk of this machine. Everything blocks but `read_local`: call it in a thread."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Final

from genba_wire.tunnel.files import FileStat, unescape_path

READ_BYTES: Final = 1024 * 1024
"""How much is read from a file in one go."""

PART_NAME_BYTES: Final = 180
"""What is kept of a file's name in that of its half-written part: systems take 255 bytes."""

PART_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


async def read_local(path: str, start: int) -> AsyncGenerator[bytes]:
    """Yield bytes of a file, from an offset on."""
    file = await asyncio.to_thread(open, path, "rb")
    try:
        await asyncio.to_thread(file.seek, start)
        while data := await asyncio.to_thread(file.read, READ_BYTES):
            yield data
    finally:
        await asyncio.to_thread(file.close)


def upload_name(source: str, found: os.stat_result) -> str:
    """The name of the part of a local file."""
    return part_name(os.path.abspath(source), found.st_size, found.st_mtime_ns)


def part_name(path: str, size: int, mtime_ns: int) -> str:
    """The same for the same content of the same file: another content begins anew."""
    return hashlib.sha256(f"{path}\0{size}\0{mtime_ns}".encode("utf-8", "surrogateescape")).hexdigest()[:32]


def write_all(descriptor: int, data: bytes) -> None:
    """Append, all of it."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def finish_file(part: str, target: str, found: FileStat) -> None:
    """Give a whole part the permissions, time and place of its file."""
    os.chmod(part, found.mode & 0o777)
    os.utime(part, ns=(found.mtime_ns, found.mtime_ns))
    os.replace(part, target)


def make_folder(path: str, is_top: bool) -> None:
    """Make a folder, unless it is there.

    Raises:
        OSError: something else is in its place.
    """
    if not is_top and os.path.islink(path):
        # Whoever writes the list could lead us out of the folder that the user named.
        raise FileExistsError(17, "A link is in the folder's place.")
    with suppress(FileExistsError):
        os.mkdir(path)
    if not os.path.isdir(path):
        raise NotADirectoryError(20, "Something else is in the folder's place.")


def finish_folder(path: str, found: FileStat) -> None:
    """Give a folder its permissions and time, once all is in it."""
    # The owner keeps the right to write: the next copy goes into it.
    os.chmod(path, found.mode & 0o777 | stat.S_IRWXU)
    os.utime(path, ns=(found.mtime_ns, found.mtime_ns))


def make_link(path: str, target: str) -> None:
    """Make a symbolic link, in the place of one that is there."""
    if os.path.islink(path):
        os.unlink(path)
    os.symlink(os.fsdecode(unescape_path(target)), path)


def local_name(name: str) -> str:
    """The name of a file here; empty when none may be called so, as what would lead out of its folder."""
    try:
        found = os.fsdecode(unescape_path(name))
    except UnicodeError:
        return ""
    separators = {"/", "\0", os.sep, os.altsep or "/", *(":" if os.name == "nt" else "")}
    return "" if found in ("", ".", "..") or any(each in found for each in separators) else found
