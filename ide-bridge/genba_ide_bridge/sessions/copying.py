"""Copies files and folders between this machine and a workspace; a file that was interrupted is gone on with."""

from __future__ import annotations

import asyncio
import os
import posixpath
import stat
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from genba_ide_bridge.sessions import local_files
from genba_ide_bridge.sessions.agent_link import SessionOver
from genba_wire.errors import StreamRefused, WireError
from genba_wire.tunnel.files import FileEntry, FileStat, escape_path
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.visible_text import visible_name, visible_text

if TYPE_CHECKING:
    from genba_ide_bridge.sessions.files import RemoteFiles

AT_ONCE: Final = 8
"""Files that are copied at the same time: each small one waits for a round trip."""

MAX_DEPTH: Final = 256
"""Folders in folders. Paths of systems end long before; what an agent tells of its own may never end."""

MAX_ENTRIES: Final = 1_000_000
"""Names in a workspace's folders that one `Copier` copies: each is planned before the folder's first byte, and an agent
may invent them. Those of this machine are its user's own."""

_TOO_DEEP: Final = f"It lies deeper than {MAX_DEPTH} folders."


class CopyEvents(Protocol):
    """Who is told how far it is."""

    def copied(self, size: int) -> None:
        """So many bytes more are there."""
        ...

    def file_done(self) -> None:
        """One more file is there, whole."""
        ...

    def failed(self, path: str, reason: str) -> None:
        """One could not be copied; the others go on."""
        ...


@dataclass(frozen=True, slots=True)
class _Job:
    path: str
    run: Callable[[], Awaitable[None]]


class Copier:
    """Copies in either direction. Remote paths are escaped, local ones are the system's.

    Raises (every method):
        SessionOver: there is no way to the agent any more. What else goes wrong is told to `events`.
    """

    def __init__(self, files: RemoteFiles, events: CopyEvents, *, is_recursive: bool) -> None:
        self._files = files
        self._events = events
        self._is_recursive = is_recursive
        self._planned = 0

    async def is_remote_folder(self, path: str) -> bool:
        """Whether a path of the workspace is a folder; false when nothing is there.

        Raises:
            StreamRefused: it may not be looked at.
        """
        try:
            return (await self._files.stat(path)).type == "directory"
        except StreamRefused as refusal:
            if refusal.code == ResetCode.GONE:
                return False
            raise

    async def upload(self, source: str, target: str) -> None:
        """Copy a file, or a folder with everything in it, to a path of the workspace."""
        jobs: list[_Job] = []
        folders: list[_Job] = []
        await self._guard(_Job(source, lambda: self._plan_upload(source, target, jobs, folders, depth=0)))
        await self._run_all(jobs)
        for folder in reversed(folders):
            await self._guard(folder)

    async def download(self, source: str, target: str) -> None:
        """Copy a file, or a folder with everything in it, of the workspace to a local path."""
        jobs: list[_Job] = []
        after: list[_Job] = []

        async def begin() -> None:
            found = await self._files.stat(source)
            await self._plan_download(source, found, target, jobs, after, depth=0)

        await self._guard(_Job(source, begin))
        await self._run_all(jobs)
        # Links come last, that nothing is ever written through one; folders too: to write into them changes their time.
        for job in reversed(after):
            await self._guard(job)

    async def _plan_upload(
        self, source: str, target: str, jobs: list[_Job], folders: list[_Job], *, depth: int
    ) -> None:
        found = await asyncio.to_thread(os.stat, source, follow_symlinks=depth == 0)
        mode = stat.S_IMODE(found.st_mode)
        if stat.S_ISREG(found.st_mode):
            jobs.append(_Job(source, lambda: self._upload_file(source, found, target)))
        elif stat.S_ISLNK(found.st_mode):
            link = escape_path(os.fsencode(await asyncio.to_thread(os.readlink, source)))
            jobs.append(_Job(source, lambda: self._files.make_link(target, link)))
        elif not stat.S_ISDIR(found.st_mode):
            self._events.failed(source, "It is neither a file, a folder nor a link.")
        elif not self._is_recursive:
            self._events.failed(source, "It is a folder: -r copies those.")
        elif depth > MAX_DEPTH:
            self._events.failed(source, _TOO_DEEP)
        else:
            await self._files.make_folder(target)
            folders.append(_Job(source, lambda: self._files.make_folder(target, mode)))
            for name in sorted(await asyncio.to_thread(os.listdir, source)):
                below, there = os.path.join(source, name), posixpath.join(target, escape_path(os.fsencode(name)))
                try:
                    await self._plan_upload(below, there, jobs, folders, depth=depth + 1)
                except OSError as error:
                    self._events.failed(below, error.strerror or str(error))

    async def _plan_download(
        self, source: str, found: FileStat, target: str, jobs: list[_Job], after: list[_Job], *, depth: int
    ) -> None:
        if found.type == "file":
            jobs.append(_Job(source, lambda: self._download_file(source, found, target)))
        elif found.type == "link":
            after.append(_Job(source, lambda: asyncio.to_thread(local_files.make_link, target, found.target)))
        elif found.type == "other":
            self._events.failed(_shown(source), "It is neither a file, a folder nor a link.")
        elif not self._is_recursive:
            self._events.failed(_shown(source), "It is a folder: -r copies those.")
        elif depth > MAX_DEPTH:
            self._events.failed(_shown(source), _TOO_DEEP)
        else:
            await asyncio.to_thread(local_files.make_folder, target, depth == 0)
            after.append(_Job(source, lambda: asyncio.to_thread(local_files.finish_folder, target, found)))
            entries = [entry async for entry in self._listed(source)]
            for entry in entries:
                name = local_files.local_name(entry.name)
                if not name:
                    self._events.failed(_shown(posixpath.join(source, entry.name)), "No file here may have this name.")
                    continue
                below, here = posixpath.join(source, entry.name), os.path.join(target, name)
                try:
                    await self._plan_download(below, entry.stat, here, jobs, after, depth=depth + 1)
                except (OSError, StreamRefused) as error:
                    self._events.failed(_shown(below), _reason(error))

    async def _listed(self, folder: str) -> AsyncGenerator[FileEntry]:
        """What is in a folder of the workspace.

        Raises:
            StreamRefused: it can't be listed, or there is more than anybody copies.
        """
        async with aclosing(self._files.list(folder)) as entries:
            async for entry in entries:
                self._planned += 1
                if self._planned > MAX_ENTRIES:
                    raise StreamRefused(ResetCode.FAILED, f"There are more than {MAX_ENTRIES} names to copy.")
                yield entry

    async def _upload_file(self, source: str, found: os.stat_result, target: str) -> None:
        name = await asyncio.to_thread(local_files.upload_name, source, found)
        counted = 0
        while True:
            try:
                part = await self._files.begin_write(
                    target,
                    size=found.st_size,
                    mode=stat.S_IMODE(found.st_mode),
                    mtime_ns=found.st_mtime_ns,
                    part=name,
                )
                try:
                    self._events.copied(part.size - counted)
                    counted = part.size

                    async def pieces(start: int) -> AsyncGenerator[bytes]:
                        nonlocal counted
                        async for piece in local_files.read_local(source, start):
                            yield piece
                            counted += len(piece)
                            self._events.copied(len(piece))

                    await part.write(pieces(part.size))
                    await part.finish()
                finally:
                    part.close()
            except StreamRefused as refusal:
                if refusal.code != ResetCode.LINK_LOST:
                    raise
            else:
                self._events.file_done()
                return

    async def _download_file(self, source: str, found: FileStat, target: str) -> None:
        folder, own_name = os.path.split(target)
        kept = os.fsdecode(os.fsencode(own_name)[: local_files.PART_NAME_BYTES])
        part = os.path.join(folder, f".{kept}.genba-{local_files.part_name(source, found.size, found.mtime_ns)}")
        descriptor = await asyncio.to_thread(os.open, part, local_files.PART_FLAGS, 0o600)
        try:
            size = await asyncio.to_thread(os.lseek, descriptor, 0, os.SEEK_END)
            self._events.copied(size)
            while size < found.size:
                try:
                    async for piece in self._files.read(source, offset=size, size=found.size - size):
                        if size + len(piece) > found.size:
                            raise StreamRefused(ResetCode.PROTOCOL, "The agent sent more than it was asked for.")
                        await asyncio.to_thread(local_files.write_all, descriptor, piece)
                        size += len(piece)
                        self._events.copied(len(piece))
                    break
                except StreamRefused as refusal:
                    if refusal.code != ResetCode.LINK_LOST:
                        raise
            if size != found.size:
                await asyncio.to_thread(os.unlink, part)
                raise OSError(0, "It changed while it was copied; try again.")
            await asyncio.to_thread(os.fsync, descriptor)
        finally:
            await asyncio.to_thread(os.close, descriptor)
        await asyncio.to_thread(local_files.finish_file, part, target, found)
        self._events.file_done()

    async def _run_all(self, jobs: list[_Job]) -> None:
        waiting = iter(jobs)
        over: list[SessionOver] = []

        async def work() -> None:
            for job in waiting:
                try:
                    await self._guard(job)
                except SessionOver as error:
                    over.append(error)
                    return

        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, len(jobs))):
                group.create_task(work(), name="copying")
        if over:
            raise over[0]

    async def _guard(self, job: _Job) -> None:
        try:
            await job.run()
        except (OSError, StreamRefused) as error:
            self._events.failed(_shown(job.path), _reason(error))


def _shown(path: str) -> str:
    return visible_name(path.replace("\0", "\\x"))


def _reason(error: OSError | WireError) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return visible_text(str(error))
