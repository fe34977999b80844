"""A file that is written beside its place and takes it when it is whole: nobody ever reads half of it."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from typing import Final

MAX_NAME_BYTES: Final = 180
"""What is kept of a file's name in its part's: the system takes 255 bytes."""


class Part:
    """One half-written file. Blocks: call everything in a thread. `close` it, whatever happens.

    The permissions of the file that is replaced are kept, and a link to it too.
    """

    def __init__(self, path: bytes, *, name: str = "", mode: int | None = None) -> None:
        """Open it; with a `name` one that is there already is gone on with.

        Raises:
            OSError: the folder is not there or can't be written to, or the path is a folder.
        """
        self._path = os.path.realpath(path)
        if os.path.isdir(self._path):
            raise IsADirectoryError(21, "Is a directory", os.fsdecode(self._path))
        self._mode = _mode_of(self._path) if mode is None else mode
        folder, own_name = os.path.split(self._path)
        suffix = f".genba-{name or secrets.token_hex(8)}".encode()
        self._part = os.path.join(folder, b"." + own_name[:MAX_NAME_BYTES] + suffix)
        self._is_kept = bool(name)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | (0 if name else os.O_EXCL)
        self._descriptor = os.open(self._part, flags, 0o666 if self._mode is None else 0o600)
        self.size = os.lseek(self._descriptor, 0, os.SEEK_END)
        self._is_done = False

    def write(self, data: bytes) -> None:
        """Append.

        Raises:
            OSError: the disk is full, or broken.
        """
        view = memoryview(data)
        while view:
            written = os.write(self._descriptor, view)
            self.size += written
            view = view[written:]

    def commit(self, *, size: int | None, mtime_ns: int | None) -> None:
        """Take the file's place.

        Raises:
            ValueError: it has not the size that it should have; a named part is of no use then either.
            OSError: the disk is full or broken, or the place may not be taken.
        """
        if size is not None and size != self.size:
            self._is_kept = self._is_kept and self.size < size
            raise ValueError(f"{self.size} of {size} bytes came")
        if self._mode is not None:
            os.fchmod(self._descriptor, self._mode)
        if mtime_ns is not None:
            os.utime(self._descriptor, ns=(mtime_ns, mtime_ns))
        os.fsync(self._descriptor)
        os.rename(self._part, self._path)
        self._is_done = True
        _sync_folder(os.path.dirname(self._path))

    def close(self) -> None:
        """Close it; unless it took its place, it is removed, or kept under its name."""
        os.close(self._descriptor)
        if not self._is_done and not (self._is_kept and self.size):
            with suppress(OSError):
                os.unlink(self._part)


def _mode_of(path: bytes) -> int | None:
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except FileNotFoundError:
        return None


def _sync_folder(path: bytes) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # Not every file system knows it.
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
