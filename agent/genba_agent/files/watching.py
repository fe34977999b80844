"""Tells what changes in a folder and those below it, by Linux's inotify."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import struct
import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

from genba_wire.tunnel.files import ChangeType, FileChange, escape_path

MAX_FOLDERS: Final = 8192
"""Folders that one request watches: the system keeps about 1 KiB for each, and gives all of a user 8,192 on small
machines."""

EXHAUSTED: Final = frozenset({errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSYS})
"""The system has no inotify, or no more of it for this user: the folder has to be looked through instead."""

_READ_BYTES: Final = 64 * 1024
_HEAD: Final = struct.Struct("iIII")
"""struct inotify_event: descriptor of the watch, mask, cookie, length of the name that follows."""

_CLOSE_WRITE: Final = 0x8
_ATTRIB: Final = 0x4
_MOVED_FROM: Final = 0x40
_MOVED_TO: Final = 0x80
_CREATE: Final = 0x100
_DELETE: Final = 0x200
_OVERFLOW: Final = 0x4000
_IGNORED: Final = 0x8000
_IS_FOLDER: Final = 0x4000_0000
_ONLY_FOLDERS: Final = 0x100_0000
_NO_LINKS: Final = 0x200_0000
_MASK: Final = _CLOSE_WRITE | _ATTRIB | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _ONLY_FOLDERS

_TYPES: Final[dict[int, ChangeType]] = {
    _CREATE: "created",
    _MOVED_TO: "created",
    _DELETE: "deleted",
    _MOVED_FROM: "deleted",
    _CLOSE_WRITE: "changed",
    _ATTRIB: "changed",
}


class Watcher:
    """Watches a folder. `open` it, `run` it in a task, and `close` it at the end, whatever happens."""

    def __init__(self, folder: bytes, on_change: Callable[[list[FileChange]], None]) -> None:
        """`on_change` is told changes, with paths below the folder, in the order in which they came."""
        self._folder = folder
        self._on_change = on_change
        self._folders: dict[int, bytes] = {}
        """Watch descriptor: the path of its folder below ours."""
        self._descriptor = -1
        self._is_exhausted = False
        self._disk = threading.Lock()
        """Held while a thread uses the descriptor: a closed one's number is soon somebody else's."""

    async def open(self) -> None:
        """Begin; changes from here on are told.

        Raises:
            OSError: it is no folder, may not be read, or has too many folders below it.
        """
        await asyncio.to_thread(self._open)

    async def run(self) -> None:
        """Tell changes until cancelled, or until a new folder is one too many to watch (`EXHAUSTED`)."""
        loop = asyncio.get_running_loop()
        came = asyncio.Event()
        descriptor = self._descriptor
        while True:
            came.clear()
            # Not while it is read: the loop would be called for what the thread is about to take.
            loop.add_reader(descriptor, came.set)
            try:
                await came.wait()
            finally:
                loop.remove_reader(descriptor)
            changes = await asyncio.to_thread(self._read)
            if changes:
                self._on_change(changes)
            if self._is_exhausted:
                return

    async def close(self) -> None:
        """End; `run` must have ended before."""
        await asyncio.to_thread(self._close)

    def _open(self) -> None:
        with self._disk:
            self._descriptor = _check(_libc().inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
            self._add_tree(b"")

    def _close(self) -> None:
        with self._disk:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1

    def _read(self) -> list[FileChange]:
        with self._disk:
            try:
                data = os.read(self._descriptor, _READ_BYTES)
            except OSError:
                # Nothing is there, or it was closed.
                return []
            return [change for event in _split(data) for change in self._understand(*event)]

    def _understand(self, watch: int, mask: int, name: bytes) -> Iterator[FileChange]:
        if mask & _OVERFLOW:
            yield FileChange(type="overflow", path="")
            return
        if mask & _IGNORED:
            self._folders.pop(watch, None)
            return
        if watch not in self._folders or not name:
            return
        path = os.path.join(self._folders[watch], name)
        for bit, kind in _TYPES.items():
            if mask & bit:
                yield FileChange(type=kind, path=escape_path(path))
        if mask & _IS_FOLDER and mask & (_CREATE | _MOVED_TO):
            try:
                found = self._add_tree(path)
            except OSError as error:
                self._is_exhausted = self._is_exhausted or error.errno in EXHAUSTED
                if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                    # What happens below it will not be told.
                    yield FileChange(type="overflow", path=escape_path(path))
                return
            # What was put into it before it was watched.
            for each in found:
                yield FileChange(type="created", path=escape_path(each))

    def _add_tree(self, top: bytes) -> list[bytes]:
        """Watch a folder and those below it; returns the paths of all that is in them."""
        found: list[bytes] = []
        waiting = [top]
        while waiting:
            path = waiting.pop()
            whole = os.path.join(self._folder, path) if path else self._folder
            if len(self._folders) >= MAX_FOLDERS:
                raise OSError(errno.ENOSPC, f"There are more than {MAX_FOLDERS} folders to watch")
            mask = _MASK | (_NO_LINKS if path else 0)
            try:
                self._folders[_check(_libc().inotify_add_watch(self._descriptor, whole, mask))] = path
                with os.scandir(whole) as entries:
                    for entry in entries:
                        below = os.path.join(path, entry.name)
                        found.append(below)
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(below)
            except OSError as error:
                # Those below may vanish, or be somebody else's.
                if path == top or error.errno not in (errno.ENOENT, errno.EACCES, errno.ENOTDIR):
                    raise
        return found


def _split(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at + _HEAD.size <= len(data):
        watch, mask, _, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        yield watch, mask, data[at : at + length].rstrip(b"\0")
        at += length


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        words = os.strerror(number)
        if number == errno.ENOSPC:
            words = "The system lets this user watch no more folders (fs.inotify.max_user_watches)"
        elif number == errno.EMFILE:
            words = "The system lets this user have no more watchers (fs.inotify.max_user_instances)"
        raise OSError(number, words)
    return result
