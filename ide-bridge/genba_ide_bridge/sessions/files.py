"""Files of a workspace through its agent: one stream for each request."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from genba_wire.aio.stream_channel import StreamChannel
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.files import (
    FILES,
    FileChange,
    FileEntry,
    FileMatch,
    FileOpen,
    FileStat,
    encode,
    parse_file_change,
    parse_file_entry,
    parse_file_match,
    parse_file_stat,
)
from genba_wire.tunnel.mux_frames import ResetCode

if TYPE_CHECKING:
    from genba_ide_bridge.sessions.tunnel import Tunnel

MAX_LINE_BYTES: Final = 64 * 1024
"""A name and a link's target have 4 KiB each, and escaping makes them at most eight times as long in JSON."""


class RemoteFiles:
    """What can be done with files of a workspace.

    Paths are escaped (`genba_wire.tunnel.files.escape_path`), and absolute or below the home folder.

    Raises (every method):
        StreamRefused: `ResetCode.GONE` when the path is not there, `REFUSED` when it may not be used so, `FAILED` when
            it went wrong otherwise, `LINK_LOST` when the link broke: ask again.
        SessionOver: there is no way to the agent any more.
    """

    def __init__(self, tunnel: Tunnel) -> None:
        """`tunnel` is for the purpose "files"."""
        self._tunnel = tunnel

    async def stat(self, path: str, *, follow: bool = True) -> FileStat:
        """Say what a path is; with `follow`, what is behind a link."""
        channel, found = await self._open(FileOpen(op="stat", path=path, follow=follow))
        channel.finish()
        return found

    async def list(self, path: str) -> AsyncGenerator[FileEntry]:
        """Yield what is in a folder, as it comes, in no order."""
        async with aclosing(self._read_lines(FileOpen(op="list", path=path))) as lines:
            async for line in lines:
                yield parse_file_entry(line)

    async def search(
        self,
        folder: str,
        query: str,
        *,
        ignore_case: bool = False,
        regex: bool = False,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
    ) -> AsyncGenerator[FileMatch]:
        """Yield the lines of files below a folder that hold a text, or fit an expression, as they are found.

        Args:
            folder: where to search.
            query: the text, or with `regex` the expression.
            ignore_case: whether small and capital letters are alike.
            regex: which of both.
            include: globs of the files to look into; none for all.
            exclude: globs of files and folders to leave out.
        """
        request = FileOpen(
            op="search",
            path=folder,
            query=query,
            ignore_case=ignore_case,
            regex=regex,
            include=tuple(include),
            exclude=tuple(exclude),
        )
        async with aclosing(self._read_lines(request)) as lines:
            async for line in lines:
                yield parse_file_match(line)

    async def watch(self, folder: str) -> AsyncGenerator[FileChange]:
        """Yield what changes in a folder and those below it, until it is closed.

        The first change is an overflow at the folder itself: from then on all is told, so look at what is there. Its
        `poll_s` is above 0 where the folder is looked through from time to time instead.
        """
        async with aclosing(self._read_lines(FileOpen(op="watch", path=folder))) as lines:
            async for line in lines:
                yield parse_file_change(line)

    async def read(self, path: str, *, offset: int = 0, size: int | None = None) -> AsyncGenerator[bytes]:
        """Yield bytes of a file, from an offset on."""
        channel, _ = await self._open(FileOpen(op="read", path=path, offset=offset, size=size))
        try:
            while data := await channel.read():
                yield data
            channel.finish()
        finally:
            channel.close()

    async def begin_write(
        self,
        path: str,
        *,
        size: int | None = None,
        mode: int | None = None,
        mtime_ns: int | None = None,
        part: str = "",
    ) -> RemotePart:
        """Begin to write a file; it takes its place at the end, whole.

        Args:
            path: where it goes.
            size: how much it has in the end; less is an error.
            mode: its permissions; None keeps those that are there.
            mtime_ns: when it was changed.
            part: the same name goes on with what an earlier attempt left there.
        """
        channel, found = await self._open(
            FileOpen(op="write", path=path, size=size, mode=mode, mtime_ns=mtime_ns, part=part)
        )
        return RemotePart(channel, found.size)

    async def make_folder(self, path: str, mode: int | None = None) -> None:
        """Make a folder and those above it, unless they are there."""
        await self._change(FileOpen(op="mkdir", path=path, mode=mode))

    async def make_link(self, path: str, target: str) -> None:
        """Make a symbolic link, in the place of one that is there."""
        await self._change(FileOpen(op="link", path=path, to=target))

    async def rename(self, path: str, to: str) -> None:
        """Rename; what has that name is replaced."""
        await self._change(FileOpen(op="rename", path=path, to=to))

    async def delete(self, path: str) -> None:
        """Delete a file, a link, or a folder with everything in it."""
        await self._change(FileOpen(op="delete", path=path))

    async def _open(self, request: FileOpen) -> tuple[StreamChannel, FileStat]:
        stream = await self._tunnel.open_stream(FILES, encode(request))
        return StreamChannel(stream), parse_file_stat(stream.head)

    async def _read_lines(self, request: FileOpen) -> AsyncGenerator[bytes]:
        channel = StreamChannel(await self._tunnel.open_stream(FILES, encode(request)))
        rest = b""
        try:
            while data := await channel.read():
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    yield line
                if len(rest) > MAX_LINE_BYTES:
                    raise StreamRefused(ResetCode.PROTOCOL, "The agent's list can't be read.")
            channel.finish()
        finally:
            channel.close()

    async def _change(self, request: FileOpen) -> None:
        channel = StreamChannel(await self._tunnel.open_stream(FILES, encode(request)))
        channel.finish()


class RemotePart:
    """A file that is being written. `finish` or `close` it."""

    def __init__(self, channel: StreamChannel, size: int) -> None:
        self._channel = channel
        self.size = size
        """What is there already: write what follows."""

    async def write(self, pieces: AsyncIterable[bytes]) -> None:
        """Append."""
        async for piece in pieces:
            await self._channel.write(piece)

    async def finish(self) -> None:
        """Have it take its place; returns when it is on the disk."""
        self._channel.finish()
        await self._channel.read()

    def close(self) -> None:
        """Give it up, unless it is finished; a named part stays."""
        self._channel.close()
