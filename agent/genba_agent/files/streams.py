"""Requests of clients about files, one a stream."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from itertools import islice
from typing import Final

from genba_agent.carriers.guarding import guard
from genba_agent.files import disk
from genba_agent.files.parts import Part
from genba_agent.files.watch_streams import serve_watch
from genba_wire.aio.stream import Stream
from genba_wire.aio.stream_channel import StreamChannel
from genba_wire.errors import RemoteProtocolError, StreamRefused
from genba_wire.tunnel.files import FileEntry, FileOpen, FileStat, encode, parse_file_open, unescape_path
from genba_wire.tunnel.mux_frames import MAX_HEAD_BYTES, ResetCode

READ_BYTES: Final = 1024 * 1024
"""How much is read from a file in one go."""

PAGE_ENTRIES: Final = 512
"""How many names of a folder are read in one go; a folder may have millions."""

MAX_REQUESTS: Final = 64
"""Requests that are served at the same time; more wait."""

_ABSENT: Final = frozenset({errno.ENOENT, errno.ENOTDIR})
_FORBIDDEN: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class FileStreams:
    """Serves streams of the kind "files"."""

    def __init__(self, group: asyncio.TaskGroup, command: Sequence[str]) -> None:
        """`group` is the parent of the tasks that serve, `command` starts this program again."""
        self._group = group
        self._room = asyncio.Semaphore(MAX_REQUESTS)
        self._operations: dict[str, Callable[[FileOpen, bytes, Stream], Awaitable[None]]] = {
            "stat": _stat,
            "list": _list,
            "read": _read,
            "write": _write,
            "search": partial(_search, command),
            "watch": serve_watch,
        }

    def handle_stream(self, kind: str, head: bytes, stream: Stream) -> None:
        """Answer a request; refuse it when what it names is not there, or not allowed."""
        try:
            request = parse_file_open(head)
        except RemoteProtocolError as error:
            stream.refuse(ResetCode.PROTOCOL, str(error))
            return
        if request.op == "watch":
            # It takes no room: it is idle, and lasts.
            self._group.create_task(guard(stream, self._answer(request, stream)), name="files: watch")
            return
        self._group.create_task(guard(stream, self._serve(request, stream)), name=f"files: {request.op}")

    async def _serve(self, request: FileOpen, stream: Stream) -> None:
        async with self._room:
            await self._answer(request, stream)

    async def _answer(self, request: FileOpen, stream: Stream) -> None:
        try:
            await self._operations.get(request.op, _change)(request, disk.locate(request.path), stream)
        except OSError as error:
            stream.reset(_code_of(error), error.strerror or str(error))
        except ValueError as error:
            stream.reset(ResetCode.FAILED, str(error))
        except StreamRefused:
            # The client has gone.
            return


def _code_of(error: OSError) -> ResetCode:
    if error.errno in _ABSENT:
        return ResetCode.GONE
    return ResetCode.REFUSED if error.errno in _FORBIDDEN else ResetCode.FAILED


async def _stat(request: FileOpen, path: bytes, stream: Stream) -> None:
    _accept(stream, await asyncio.to_thread(disk.describe, path, follows=request.follow))
    stream.finish()


async def _list(request: FileOpen, path: bytes, stream: Stream) -> None:
    entries = disk.list_folder(path)
    # Before it is accepted: a folder that may not be read is a refusal.
    page = await asyncio.to_thread(_take_page, entries)
    stream.accept()
    channel = StreamChannel(stream)
    while page:
        await channel.write(b"".join(encode(entry) + b"\n" for entry in page))
        page = await asyncio.to_thread(_take_page, entries)
    channel.finish()


async def _search(command: Sequence[str], request: FileOpen, path: bytes, stream: Stream) -> None:
    # Most agents never search.
    from genba_agent.files.search_process import Search
    from genba_agent.files.searching import search

    if not request.query or "\n" in request.query or "\0" in request.query:
        raise ValueError("What is searched for is a text on one line.")
    wanted = Search(
        query=request.query,
        ignore_case=request.ignore_case,
        regex=request.regex,
        include=request.include,
        exclude=request.exclude,
    )
    async with aclosing(search(path, wanted, command)) as batches:
        # Before it is accepted: a folder that may not be read is a refusal.
        batch = await anext(batches, None)
        stream.accept()
        channel = StreamChannel(stream)
        while batch is not None:
            await channel.write(b"".join(encode(match) + b"\n" for match in batch))
            batch = await anext(batches, None)
        channel.finish()


def _take_page(entries: Iterator[FileEntry]) -> list[FileEntry]:
    return list(islice(entries, PAGE_ENTRIES))


async def _read(request: FileOpen, path: bytes, stream: Stream) -> None:
    descriptor, found = await asyncio.to_thread(_open, path)
    try:
        _accept(stream, found)
        channel = StreamChannel(stream)
        at = request.offset
        end = None if request.size is None else at + request.size
        while end is None or at < end:
            wanted = READ_BYTES if end is None else min(READ_BYTES, end - at)
            data = await asyncio.to_thread(os.pread, descriptor, wanted, at)
            if not data:
                break
            await channel.write(data)
            at += len(data)
        channel.finish()
    finally:
        os.close(descriptor)


def _open(path: bytes) -> tuple[int, FileStat]:
    # Without O_NONBLOCK a named pipe would hold the thread for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = disk.describe(path)
        if found.type != "file":
            raise OSError(
                errno.EISDIR if found.type == "directory" else errno.EINVAL, f"It is no file but {found.type}"
            )
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, found


async def _write(request: FileOpen, path: bytes, stream: Stream) -> None:
    part = await asyncio.to_thread(lambda: Part(path, name=request.part, mode=request.mode))
    try:
        _accept(stream, FileStat(type="file", size=part.size, mode=request.mode or 0, mtime_ns=0))
        channel = StreamChannel(stream)
        while data := await channel.read():
            await asyncio.to_thread(part.write, data)
        await asyncio.to_thread(lambda: part.commit(size=request.size, mtime_ns=request.mtime_ns))
        channel.finish()
    finally:
        await asyncio.to_thread(part.close)


async def _change(request: FileOpen, path: bytes, stream: Stream) -> None:
    await asyncio.to_thread(_change_disk, request, path)
    stream.accept()
    stream.finish()


def _change_disk(request: FileOpen, path: bytes) -> None:
    match request.op:
        case "mkdir":
            disk.make_folder(path, request.mode)
        case "link":
            disk.make_link(path, unescape_path(request.to))
        case "rename":
            os.rename(path, disk.locate(request.to))
        case "delete":
            disk.delete(path)
        case _:
            raise ValueError(f"This agent can't {request.op}.")


def _accept(stream: Stream, found: FileStat) -> None:
    head = encode(found)
    if len(head) > MAX_HEAD_BYTES:
        raise ValueError("The link's target is too long.")
    stream.accept(head)
