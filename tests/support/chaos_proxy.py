"""A TCP line between any two ends that does to its connections what networks do.

It delays, limits the rate, stalls, half-closes, resets at a chosen or random byte, lets nothing pass (and forgets, or
not, the connections of that time), cuts all, and comes from another address. Everything is told from the loop that it
runs in; `proxy_thread` is for tests that want it away from theirs.
"""

from __future__ import annotations

import asyncio
import random
import socket
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final, TypeVar

from tests.support.chaos_line import Conditions, Ends, Half, Line, Time, Way

__all__ = ["BOTH_WAYS", "ChaosProxy", "Conditions", "ProxyThread", "Time", "Way", "chaos_proxy", "proxy_thread"]

BOTH_WAYS: Final = (Way.UP, Way.DOWN)
HOST: Final = "127.0.0.1"
CEILING_S: Final = 60.0

T = TypeVar("T")


class ChaosProxy:
    """Forwards connections from `port` to a port of loopback. Make it with `chaos_proxy`."""

    def __init__(self, target_port: int, host: str, port: int, time: Time) -> None:
        self.host = host
        self.port = port
        self.conditions = {way: Conditions() for way in Way}
        """Of connections that are there, and of later ones."""
        self.source = HOST
        """Which address later connections come from; each that begins with 127 is this machine's (on Linux)."""
        self.connected = 0
        """How many connections were made."""
        self._target_port = target_port
        self._time = time
        self._lines: set[Line] = set()
        self._passed = dict.fromkeys(Way, 0)
        """Of connections that are over."""
        self._stopped: set[Way] = set()
        self._listener: socket.socket | None = None
        self._group: asyncio.TaskGroup | None = None
        self._draw: Callable[[], int] | None = None
        self._reset_way = Way.UP
        self._changed = asyncio.Event()

    @property
    def open_lines(self) -> int:
        """How many connections are there and not forgotten."""
        return sum(1 for line in self._lines if not line.is_forgotten)

    def passed(self, way: Way) -> int:
        """How many bytes were passed on, by all connections so far."""
        return self._passed[way] + sum(line.halves[way].passed for line in self._lines)

    def set_delay(self, seconds: float, *ways: Way) -> None:
        """Let bytes arrive so much later, always the same (both ways when none is named)."""
        for way in ways or BOTH_WAYS:
            self.conditions[way].delay_s = seconds

    def set_rate(self, bytes_s: float, *ways: Way) -> None:
        """Limit each connection to so many bytes a second; 0 lifts it."""
        for way in ways or BOTH_WAYS:
            self.conditions[way].rate_bytes_s = bytes_s

    def stop(self, *ways: Way, refuses: bool = False) -> None:
        """Let nothing pass, neither bytes nor ends, until `heal`; nobody is told.

        A connection that is made meanwhile hangs, since its beginning goes up; or it is refused.
        """
        self._stopped.update(ways or BOTH_WAYS)
        for line in self._lines:
            self._apply_flow(line)
        if refuses:
            self._refuse()

    def heal(self, *, forgets: bool = False) -> None:
        """Let everything pass again: what waited arrives late, or, when it `forgets`, the connections that are there
        stay silent for ever, as behind a router that has lost its table."""
        self._stopped.clear()
        for line in self._lines:
            line.is_forgotten = line.is_forgotten or forgets
            self._apply_flow(line)
        self._listen()

    def half_close(self, way: Way) -> None:
        """Tell the receivers of one way that no more comes; the other way goes on."""
        for line in self._lines:
            line.half_close(way)

    def cut(self) -> int:
        """Reset all connections at both ends, with all that is under way; says how many."""
        lines = list(self._lines)
        for line in lines:
            line.reset()
        return len(lines)

    def reset_later(self, draw: Callable[[], int] | None, way: Way = Way.UP) -> None:
        """Reset each later connection when so many bytes were passed on one way; None: not any more."""
        self._draw, self._reset_way = draw, way

    def reset_at_random(self, least: int, most: int, *, seed: int, way: Way = Way.UP) -> None:
        """Reset each later connection at a byte that a seeded generator draws."""
        generator = random.Random(seed)
        self.reset_later(lambda: generator.randint(least, most), way)

    async def wait_for(self, is_so: Callable[[], bool]) -> None:
        """Return once the condition holds; it is asked when connections come and go, and when bytes have passed."""
        async with asyncio.timeout(CEILING_S):
            while not is_so():
                self._changed.clear()
                await self._changed.wait()

    async def serve(self) -> None:
        """Take connections until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                self._listen()
                await asyncio.Event().wait()
        finally:
            self._refuse()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(BlockingIOError):
            connection, _ = listener.accept()
            connection.setblocking(False)
            assert self._group is not None
            self._group.create_task(self._carry(connection))

    async def _carry(self, connection: socket.socket) -> None:
        near = await asyncio.open_connection(sock=connection)
        resets = {way: self._draw() if self._draw and way is self._reset_way else None for way in Way}
        halves = {
            way: Half(self.conditions[way], self._time, reset_at=resets[way], on_passed=self._changed.set)
            for way in Way
        }
        line = Line(near, halves)
        self._lines.add(line)
        self._apply_flow(line)
        self.connected += 1
        self._changed.set()
        try:
            await line.run(self._connect)
        finally:
            self._lines.discard(line)
            for way in Way:
                self._passed[way] += line.halves[way].passed
            self._changed.set()

    async def _connect(self) -> Ends:
        return await asyncio.open_connection(HOST, self._target_port, local_addr=(self.source, 0))

    def _apply_flow(self, line: Line) -> None:
        for way, half in line.halves.items():
            if line.is_forgotten or way in self._stopped:
                half.flowing.clear()
            else:
                half.flowing.set()

    def _listen(self) -> None:
        if self._listener is None:
            listener = self._listener = socket.create_server((self.host, self.port), backlog=1024)
            listener.setblocking(False)
            self.port = listener.getsockname()[1]
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    def _refuse(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            asyncio.get_running_loop().remove_reader(listener)
            listener.close()


@asynccontextmanager
async def chaos_proxy(
    target_port: int, *, host: str = HOST, port: int = 0, time: Time | None = None
) -> AsyncGenerator[ChaosProxy]:
    """A proxy in this loop; at the end its connections are cut."""
    proxy = ChaosProxy(target_port, host, port, time or Time())
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(proxy.serve(), name="chaos proxy")
        await asyncio.sleep(0)
        try:
            yield proxy
        finally:
            proxy.cut()
            serving.cancel()


class ProxyThread:
    """A proxy in a thread of its own; `call` carries out what is asked of it there."""

    def __init__(self, proxy: ChaosProxy, loop: asyncio.AbstractEventLoop) -> None:
        self.port = proxy.port
        self._proxy = proxy
        self._loop = loop

    def call(self, do: Callable[[ChaosProxy], T]) -> T:
        """Do something with the proxy, and return what came of it."""

        async def run() -> T:
            return do(self._proxy)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(CEILING_S)

    def wait(self, do: Callable[[ChaosProxy], Awaitable[T]]) -> T:
        """Wait for something that the proxy is asked to wait for."""

        async def run() -> T:
            return await do(self._proxy)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(CEILING_S)


@contextmanager
def proxy_thread(target_port: int, *, port: int = 0) -> Generator[ProxyThread]:
    """A proxy in a thread of its own."""
    started: list[ProxyThread] = []
    is_ready = threading.Event()
    stop: list[Callable[[], object]] = []

    async def run() -> None:
        async with chaos_proxy(target_port, port=port) as proxy:
            loop, over = asyncio.get_running_loop(), asyncio.Event()
            started.append(ProxyThread(proxy, loop))
            stop.append(lambda: loop.call_soon_threadsafe(over.set))
            is_ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="chaos proxy", daemon=True)
    thread.start()
    assert is_ready.wait(CEILING_S)
    try:
        yield started[0]
    finally:
        stop[0]()
        thread.join(CEILING_S)
