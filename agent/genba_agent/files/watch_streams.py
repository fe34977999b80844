"""A client's watch of a folder: by inotify while it lasts, else by looking through the folder."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from genba_wire.aio.stream import Stream
from genba_wire.aio.stream_channel import StreamChannel
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.files import FileChange, FileOpen, encode

if TYPE_CHECKING:
    from genba_agent.files.polling import PollingWatcher
    from genba_agent.files.watching import Watcher


class _Teller:
    """Tells a client changes; one that does not read, or is away, looks anew when it is back."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._has_missed = False
        self.poll_s = 0.0

    def begin(self) -> None:
        """Say that all is told from here on, and by which means."""
        self.tell([FileChange(type="overflow", path="", poll_s=self.poll_s)])

    def tell(self, changes: list[FileChange]) -> None:
        if self._has_missed and self._stream.is_writable:
            self._has_missed = False
            self._write([FileChange(type="overflow", path="", poll_s=self.poll_s)])
        if self._stream.is_writable:
            self._write(changes)
        else:
            self._has_missed = True

    def _write(self, changes: list[FileChange]) -> None:
        self._stream.write(b"".join(encode(change) + b"\n" for change in changes))


async def serve_watch(request: FileOpen, path: bytes, stream: Stream) -> None:
    """Tell changes until the client finishes.

    Raises:
        OSError: the folder can't be watched in either way, or no more.
    """
    teller = _Teller(stream)
    watcher = await _open(path, teller)
    try:
        stream.accept()
        teller.begin()
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(_tell(watcher, path, teller), name="files: changes")
            ending = group.create_task(_wait_for_end(StreamChannel(stream)), name="files: end of a watch")
            await asyncio.wait((telling, ending), return_when=asyncio.FIRST_COMPLETED)
            failure = telling.result() if telling.done() else None
            telling.cancel()
            ending.cancel()
    finally:
        await watcher.close()
    if failure is not None:
        raise failure


async def _open(path: bytes, teller: _Teller) -> Watcher | PollingWatcher:
    # Most agents never watch: its foreign functions cost memory.
    from genba_agent.files.watching import EXHAUSTED, Watcher

    watcher = Watcher(path, teller.tell)
    try:
        await watcher.open()
    except OSError as error:
        await watcher.close()
        if error.errno not in EXHAUSTED:
            raise
        return await _open_polling(path, teller)
    except BaseException:
        await watcher.close()
        raise
    return watcher


async def _open_polling(path: bytes, teller: _Teller) -> PollingWatcher:
    from genba_agent.files.polling import POLL_S, PollingWatcher

    polling = PollingWatcher(path, teller.tell)
    await polling.open()
    teller.poll_s = POLL_S
    return polling


async def _tell(watcher: Watcher | PollingWatcher, path: bytes, teller: _Teller) -> OSError | None:
    """Tell changes; returns only when there is no way to find any more, and why."""
    await watcher.run()
    # A folder that was made is one too many: what is below it would not be told.
    await watcher.close()
    try:
        polling = await _open_polling(path, teller)
    except OSError as error:
        return error
    teller.begin()
    await polling.run()
    return None


async def _wait_for_end(channel: StreamChannel) -> None:
    with suppress(StreamRefused):
        while await channel.read():
            """The client has nothing to say; its end is what is waited for."""
        channel.finish()
