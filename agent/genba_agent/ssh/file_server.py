"""The subsystem sftp: asyncssh's file server, as the workspace's user.

asyncssh works the disk on the event loop, where a slow one would hold up every other session. What may wait for a disk
goes to a thread here. A hop to a thread costs a good part of what 32 KiB of SSH do, though, so what is surely in memory
is read at once, and writes stay until the disk proves slow.
"""

from __future__ import annotations

import asyncio
import errno
import io
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final, cast
from weakref import WeakSet

import asyncssh
from asyncssh.sftp import SFTPAttrs, SFTPName
from asyncssh.stream import SSHServerStreamSession

if TYPE_CHECKING:
    from genba_agent.terminals.commands import TerminalEnvironment

SLOW_WRITE_S: Final = 0.005
"""A write that takes longer had to wait for the disk; the file's next ones go to a thread."""

MAX_READ_BYTES: Final = 4 * 1024 * 1024
"""What one request reads at most, which is what asyncssh tells clients; any of them may ask for 4 GiB."""

_BATCH_ENTRIES: Final = 128
"""Entries of a folder that are read in one go."""

_BLOCKING: Final = (
    *("open", "close", "lstat", "stat", "fstat", "setstat", "lsetstat", "fsetstat", "statvfs", "fstatvfs", "fsync"),
    *("remove", "mkdir", "rmdir", "rename", "posix_rename", "realpath", "readlink", "symlink", "link"),
)
"""Methods of asyncssh's that only wait for the disk."""


def make_file_session(environment: TerminalEnvironment) -> SSHServerStreamSession[bytes]:
    """Make what serves files on one channel; it is driven like any session."""
    return SSHServerStreamSession(
        None,
        sftp_factory=lambda channel: FileServer(cast("asyncssh.SSHServerChannel[bytes]", channel), environment.home),
        sftp_version=3,
        allow_scp=False,
    )


class FileServer(asyncssh.SFTPServer):
    """Files of the workspace. Relative paths begin in the home folder: scp sends `host:~/file` as `file`.

    asyncssh handles one request of a channel after the other, so nothing is done twice at a time.
    """

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], home: str) -> None:
        super().__init__(channel)  # pyright: ignore[reportUnknownMemberType]  # its channels are generic
        self._channel = channel
        self._home = os.fsencode(home)
        self._slow: WeakSet[object] = WeakSet()

    def map_path(self, path: bytes) -> bytes:
        return os.path.join(self._home, path)

    def read(self, file_obj: object, offset: int, size: int) -> bytes | Awaitable[bytes]:
        size = min(size, MAX_READ_BYTES)
        data = read_from_memory(cast(io.FileIO, file_obj).fileno(), offset, size)
        return asyncio.to_thread(self._read, file_obj, offset, size) if data is None else data

    def write(self, file_obj: object, offset: int, data: bytes) -> int | Awaitable[int]:
        file_obj = cast(io.FileIO, file_obj)
        if file_obj in self._slow:
            return asyncio.to_thread(write_all, file_obj, offset, data)
        began = time.monotonic()
        written = write_all(file_obj, offset, data)
        if time.monotonic() - began > SLOW_WRITE_S:
            self._slow.add(file_obj)
        return written

    async def scandir(self, path: bytes) -> AsyncIterator[SFTPName]:
        names = self._scan(self.map_path(path))
        while batch := await asyncio.to_thread(lambda: list(islice(names, _BATCH_ENTRIES))):
            for name in batch:
                yield name

    def exit(self) -> None:
        # scp looks at the status, which asyncssh by itself does not tell.
        self._channel.exit(0)

    def _read(self, file_obj: object, offset: int, size: int) -> bytes:
        return cast(bytes, super().read(file_obj, offset, size))

    def _scan(self, folder: bytes) -> Iterator[SFTPName]:
        for name in (b".", b".."):
            yield SFTPName(name, attrs=SFTPAttrs.from_local(os.lstat(os.path.join(folder, name))))
        with os.scandir(folder) as entries:
            for entry in entries:
                yield SFTPName(entry.name, attrs=SFTPAttrs.from_local(entry.stat(follow_symlinks=False)))


def write_all(file: io.FileIO, offset: int, data: bytes) -> int:
    """Write all of it. The system takes less near a limit or a full disk, and says why with the rest.

    Raises:
        OSError: not all can be written.
    """
    left = memoryview(data)
    while left:
        count = os.pwrite(file.fileno(), left, offset)
        if not count:
            raise OSError(errno.EIO, "Nothing more can be written")
        left = left[count:]
        offset += count
    return len(data)


def read_from_memory(descriptor: int, offset: int, size: int) -> bytes | None:
    """What the page cache has, if it has all; None when the disk would have to be waited for, or may have to be."""
    if sys.platform != "linux":
        return None
    data = bytearray(size)
    try:
        count = os.preadv(descriptor, [data], offset, os.RWF_NOWAIT)
    except OSError:  # not in memory, or a file system or a kernel that can't say
        return None
    # A part may be the file's end; and a client that gets less than it asked for asks for less from there on.
    return bytes(data) if count == size else None


def _in_thread(name: str) -> Callable[..., Awaitable[object]]:
    blocking: Callable[..., object] = getattr(asyncssh.SFTPServer, name)

    async def work(self: FileServer, *arguments: object) -> object:
        return await asyncio.to_thread(blocking, self, *arguments)

    return work


for _name in _BLOCKING:
    setattr(FileServer, _name, _in_thread(_name))
