"""Finds out what changes in a folder by looking through it from time to time, where inotify can't be had."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from genba_wire.tunnel.files import FileChange, escape_path

POLL_S: Final = 2.0
"""Between two looks. An editor shows a change no later than this, and a look through thousands of files takes less."""

LOOK_SHARE: Final = 0.1
"""A look that takes long is followed by a pause that is so much longer, so that looking costs a tenth at most."""

MAX_ENTRIES: Final = 200_000
"""Names that are remembered: some 50 MB."""

Print: TypeAlias = tuple[int, int, int, int]
"""What tells a file's states apart: its number, kind and permissions, size, and time of its last change."""


class PollingWatcher:
    """Like `watching.Watcher`: `open` it, `run` it in a task, and `close` it at the end.

    What comes and goes between two looks is not told; that is why a client is told how long they are apart.
    """

    def __init__(
        self,
        folder: bytes,
        on_change: Callable[[list[FileChange]], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`on_change` is told changes, with paths below the folder."""
        self._folder = folder
        self._on_change = on_change
        self._clock = clock
        self._sleep = sleep
        self._seen: dict[bytes, Print] = {}
        self._pause_s = POLL_S

    async def open(self) -> None:
        """Look for the first time; changes from here on are told.

        Raises:
            OSError: it is no folder, may not be read, or has too much below it.
        """
        self._seen = await self._look()

    async def run(self) -> None:
        """Tell changes until cancelled. A folder that vanishes, or grows too large, is told as missed."""
        while True:
            await self._sleep(self._pause_s)
            try:
                seen = await self._look()
            except OSError:
                self._on_change([FileChange(type="overflow", path="", poll_s=self._pause_s)])
                continue
            changes = _compare(self._seen, seen)
            self._seen = seen
            if changes:
                self._on_change(changes)

    async def close(self) -> None:
        """End: there is nothing to give back."""

    async def _look(self) -> dict[bytes, Print]:
        began = self._clock()
        try:
            return await asyncio.to_thread(_look_through, self._folder)
        finally:
            # Also of a look in vain: through a folder that has grown too large it takes the longest.
            self._pause_s = max(POLL_S, (self._clock() - began) / LOOK_SHARE)


def _look_through(folder: bytes) -> dict[bytes, Print]:
    """What is below a folder, by its path there; links are not followed.

    Raises:
        OSError: the folder itself can't be read, or there is too much.
    """
    seen: dict[bytes, Print] = {}
    waiting = [b""]
    while waiting:
        place = waiting.pop()
        try:
            with os.scandir(os.path.join(folder, place) if place else folder) as entries:
                for entry in entries:
                    path = os.path.join(place, entry.name)
                    try:
                        found = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue
                    is_folder = stat.S_ISDIR(found.st_mode)
                    # A folder's own time changes with what is in it, and that is told by itself.
                    print_ = (
                        found.st_ino,
                        found.st_mode,
                        *((0, 0) if is_folder else (found.st_size, found.st_mtime_ns)),
                    )
                    seen[path] = print_
                    if is_folder:
                        waiting.append(path)
                    if len(seen) > MAX_ENTRIES:
                        raise OSError(errno.ENOSPC, f"There are more than {MAX_ENTRIES} names to watch")
        except OSError as error:
            # Those below may vanish, or be somebody else's.
            if not place or error.errno not in (errno.ENOENT, errno.EACCES, errno.ENOTDIR):
                raise
    return seen


def _compare(before: dict[bytes, Print], after: dict[bytes, Print]) -> list[FileChange]:
    gone = [FileChange(type="deleted", path=escape_path(path)) for path in before if path not in after]
    come: list[FileChange] = []
    for path, print_ in after.items():
        old = before.get(path)
        if old is None:
            come.append(FileChange(type="created", path=escape_path(path)))
        elif old != print_:
            come.append(FileChange(type="changed", path=escape_path(path)))
    return gone + come
