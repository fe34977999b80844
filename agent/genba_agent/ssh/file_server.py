"""The subsystem sftp: asyncssh's file server, as the workspace's user.

asyncssh works the disk on the event loop, where a slow one would hold up every other session. What may wait for a disk
goes to a thread here, one for each session, whose requests are handled one after the other anyway: one that waits for
ever holds up no other session. A hop to a thread costs a good part of what 32 KiB of SSH do, though, so what is surely
in memory is read at once, and writes stay until the disk proves slow.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final, cast
from weakref import WeakSet

import asyncssh
from asyncssh.constants import FXF_APPEND, FXF_CREAT, FXF_EXCL, FXF_READ, FXF_TRUNC, FXF_WRITE
from asyncssh.sftp import SFTPAttrs, SFTPName
from asyncssh.stream import SSHServerStreamSession

from genba_agent.ssh.disk_thread import DiskThread

if TYPE_CHECKING:
    from genba_agent.terminals.commands import TerminalEnvironment

SLOW_WRITE_S: Final = 0.005
"""A write that takes longer had to wait for the disk; the file's next ones go to a thread."""

MAX_READ_BYTES: Final = 4 * 1024 * 1024
"""What one request reads at most, which is what asyncssh tells clients; any of them may ask for 4 GiB."""

_BATCH_ENTRIES: Final = 128
"""Entries of a folder that are read in one go."""

_OPEN_FLAGS: Final = {
    FXF_APPEND: os.O_APPEND,
    FXF_CREAT: os.O_CREAT,
    FXF_TRUNC: os.O_TRUNC,
    FXF_EXCL: os.O_EXCL,
}

_BLOCKING: Final = (
    *("close", "lstat", "stat", "fstat", "setstat", "lsetstat", "fsetstat", "statvfs", "fstatvfs", "fsync"),
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
        self.thread = DiskThread("sftp")

    def map_path(self, path: bytes) -> bytes:
        return os.path.join(self._home, path)

    async def open(self, path: bytes, pflags: int, attrs: SFTPAttrs) -> object:
        mode = 0o666 if attrs.permissions is None else attrs.permissions
        return await self.thread.run(partial(open_file, self.map_path(path), pflags, mode))

    def read(self, file_obj: object, offset: int, size: int) -> bytes | Awaitable[bytes]:
        size = min(size, MAX_READ_BYTES)
        data = read_from_memory(cast(io.FileIO, file_obj).fileno(), offset, size)
        return self.thread.run(partial(self._read, file_obj, offset, size)) if data is None else data

    def write(self, file_obj: object, offset: int, data: bytes) -> int | Awaitable[int]:
        file_obj = cast(io.FileIO, file_obj)
        if file_obj in self._slow:
            return self.thread.run(partial(write_all, file_obj, offset, data))
        began = time.monotonic()
        written = write_all(file_obj, offset, data)
        if time.monotonic() - began > SLOW_WRITE_S:
            self._slow.add(file_obj)
        return written

    async def scandir(self, path: bytes) -> AsyncIterator[SFTPName]:
        names = self._scan(self.map_path(path))
        while batch := await self.thread.run(lambda: list(islice(names, _BATCH_ENTRIES))):
            for name in batch:
                yield name

    def exit(self) -> None:
        self.thread.close()
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


def open_file(path: bytes, pflags: int, mode: int) -> io.FileIO:
    """Open a file as a client of version 3 asks for it.

    Raises:
        OSError: it can't be opened; a named pipe neither, for writing, while nobody reads from it.
    """
    # Without O_NONBLOCK a named pipe would hold us until somebody opens its other end.
    flags = os.O_NONBLOCK | os.O_CLOEXEC | sum(flag for asked, flag in _OPEN_FLAGS.items() if pflags & asked)
    if pflags & FXF_WRITE:
        flags |= os.O_RDWR if pflags & FXF_READ else os.O_WRONLY
    kind = ("r+" if pflags & FXF_READ else "w") if pflags & FXF_WRITE else "r"
    return io.FileIO(path, kind, opener=lambda path, _: os.open(path, flags, mode))


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
        return await self.thread.run(partial(blocking, self, *arguments))

    return work


for _name in _BLOCKING:
    setattr(FileServer, _name, _in_thread(_name))
