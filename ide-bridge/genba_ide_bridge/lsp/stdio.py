"""LSP over standard input and output, on every platform.

Reading a pipe without blocking differs from platform to platform, so that a thread does it; another one writes, so
that an editor that does not read for a while holds up no terminal. Both are daemons on bare file descriptors: blocked
in the operating system they hold no lock that the interpreter wants at its end.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from genba_ide_bridge.lsp.editor_protocol import EditorServer

CHUNK_BYTES: Final = 64 * 1024

MAX_WAITING_BYTES: Final = 64 * 1024 * 1024
"""What an editor left unread. One that is so far behind is stuck, and is taken for gone."""

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
"""The longest message that is read; ours are a few hundred bytes, but editors tell their capabilities."""

MAX_HEADER_BYTES: Final = 8 * 1024

FLUSH_S: Final = 0.3
"""How long the last messages may take at the end."""

log = logging.getLogger(__name__)


class StdioEditor:
    """The editor at the other end of two file descriptors."""

    def __init__(self, input_fd: int, output_fd: int) -> None:
        self._input_fd = input_fd
        self._output = OutputThread(output_fd)

    async def run(self, server: EditorServer) -> None:
        """Hand on messages until the editor closes its end."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=MAX_HEADER_BYTES)
        self._output.start(lambda: loop.call_soon_threadsafe(server.end, 0))
        server.set_writer(self._output, has_headers=True)
        threading.Thread(target=self._read, args=(loop, reader), name="stdin", daemon=True).start()
        try:
            while True:
                server.receive(await read_message(reader))
        except asyncio.IncompleteReadError:
            server.end(0)
        except (ValueError, asyncio.LimitOverrunError) as error:
            log.error("Standard input does not carry LSP: %s.", error)
            server.end(1)

    def close(self) -> None:
        """Send what waits."""
        self._output.finish()

    def _read(self, loop: asyncio.AbstractEventLoop, reader: asyncio.StreamReader) -> None:
        try:
            while chunk := _read_some(self._input_fd):
                loop.call_soon_threadsafe(reader.feed_data, chunk)
            loop.call_soon_threadsafe(reader.feed_eof)
        except RuntimeError:
            return  # the loop is closed: the bridge ends


async def read_message(reader: asyncio.StreamReader) -> bytes:
    """Read the body of one message.

    Raises:
        asyncio.IncompleteReadError: the input ends.
        ValueError, asyncio.LimitOverrunError: not a header of LSP, or a message that is too long.
    """
    length = 0
    while True:
        header = (await reader.readuntil(b"\n")).strip()
        if not header:
            break
        name, _, value = header.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    if not 0 < length <= MAX_MESSAGE_BYTES:
        raise ValueError(f"a message of {length} bytes")
    return await reader.readexactly(length)


class OutputThread:
    """Writes to a file descriptor, in order, without blocking the caller."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._on_lost: Callable[[], object] = _ignore

    def start(self, on_lost: Callable[[], object]) -> None:
        """Begin; `on_lost` is called, in any thread, when nobody reads any more."""
        self._on_lost = on_lost
        self._thread = threading.Thread(target=self._write, name="stdout", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Send a message."""
        with self._lock:
            self._waiting_bytes += len(data)
            is_stuck = self._waiting_bytes > MAX_WAITING_BYTES
        if is_stuck:
            log.error("The editor does not read what the bridge sends; the bridge ends.")
            self._on_lost()
            return
        self._waiting.put(data)

    def close(self) -> None:
        """Nothing more will be sent."""
        self._waiting.put(None)

    def finish(self) -> None:
        """Wait until all is sent, but not for long."""
        self.close()
        if self._thread is not None:
            self._thread.join(FLUSH_S)

    def _write(self) -> None:
        try:
            while (data := self._waiting.get()) is not None:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(self._fd, rest) :]
                with self._lock:
                    self._waiting_bytes -= len(data)
        except OSError:
            try:
                self._on_lost()
            except RuntimeError:
                return  # the loop is closed: the bridge ends


def _read_some(fd: int) -> bytes:
    try:
        return os.read(fd, CHUNK_BYTES)
    except OSError:
        return b""  # as good as its end


def _ignore() -> None:
    """Nobody asked to be told."""
