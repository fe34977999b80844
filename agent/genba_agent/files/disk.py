"""What is done to the disk for a client. Everything blocks: call it in a thread."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from typing import Final

from genba_wire.tunnel.files import FileEntry, FileStat, FileType, escape_path, unescape_path

_TYPES: Final[dict[int, FileType]] = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "link",
}


def locate(path: str) -> bytes:
    """Return an absolute path of an escaped one, which may lie below the home folder.

    Raises:
        ValueError: no path can look like this.
    """
    found = unescape_path(path)
    home = os.path.expanduser(b"~")
    return home if found in (b"", b"~") else os.path.join(home, found.removeprefix(b"~/"))


def describe(path: bytes, *, follows: bool = True) -> FileStat:
    """Say what a path is.

    Raises:
        OSError: it is not there, or may not be looked at.
    """
    return _describe(os.stat(path, follow_symlinks=follows), path)


def list_folder(path: bytes) -> Iterator[FileEntry]:
    """Yield what is in a folder, in the order of the disk; what vanishes meanwhile is left out.

    Raises:
        OSError: it is not a folder, or may not be read.
    """
    with os.scandir(path) as entries:
        for entry in entries:
            try:
                found = _describe(entry.stat(follow_symlinks=False), entry.path)
            except OSError:
                continue
            yield FileEntry(name=escape_path(entry.name), stat=found)


def make_folder(path: bytes, mode: int | None) -> None:
    """Make a folder and those above it; one that is there is as good.

    Raises:
        OSError: something else is there, or it may not be made.
    """
    os.makedirs(path, exist_ok=True)
    if mode is not None:
        os.chmod(path, mode)


def make_link(path: bytes, target: bytes) -> None:
    """Make a symbolic link, in the place of a link that is there.

    Raises:
        OSError: something else is there, or it may not be made.
    """
    if os.path.islink(path):
        os.unlink(path)
    os.symlink(target, path)


def delete(path: bytes) -> None:
    """Delete a file, a link (not what it points to), or a folder with everything in it.

    Raises:
        OSError: it is not there, or may not be deleted.
    """
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def _describe(found: os.stat_result, path: bytes) -> FileStat:
    kind: FileType = _TYPES.get(stat.S_IFMT(found.st_mode), "other")
    return FileStat(
        type=kind,
        size=found.st_size,
        mode=stat.S_IMODE(found.st_mode),
        mtime_ns=found.st_mtime_ns,
        target=escape_path(os.readlink(path)) if kind == "link" else "",
    )
