"""A client that asks and opens websockets (RFC 8441) over HTTP/2, as browsers do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TypeVar

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    DataReceived,
    Event,
    InformationalResponseReceived,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)

from tests.support.carriers import CEILING_S

AnyEvent = TypeVar("AnyEvent", bound=Event)


class Http2Client:
    """One connection, begun with HTTP/2 at once: by ALPN, or "prior knowledge"."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, scheme: str = "http", authority: str = ""
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._scheme = scheme
        self._authority = authority
        self._h2 = H2Connection(H2Configuration(client_side=True))
        self._events: list[Event] = []
        self.hints: list[list[tuple[bytes, bytes]]] = []
        """Heads of answers of the kind 1xx, as they came to `ask`."""
        self._h2.initiate_connection()

    async def open_websocket(self, port: int, path: str) -> int:
        """Open a stream that is a websocket; return its number."""
        await self._flush()
        await self._wait_for(RemoteSettingsChanged)
        stream = self._h2.get_next_available_stream_id()
        authority = self._authority or f"127.0.0.1:{port}"
        self._h2.send_headers(
            stream,
            [
                (":method", "CONNECT"),
                (":protocol", "websocket"),
                (":scheme", self._scheme),
                (":path", path),
                (":authority", authority),
                ("sec-websocket-version", "13"),
            ],
        )
        await self._flush()
        answer = await self._wait_for(ResponseReceived)
        assert (b":status", b"200") in [(bytes(name), bytes(value)) for name, value in answer.headers or []]
        return stream

    async def ask(
        self,
        *headers: tuple[str, str],
        method: str = "GET",
        path: str = "/",
        body: bytes = b"",
        trailers: Sequence[tuple[str, str]] = (),
        late: bytes = b"",
    ) -> list[Event]:
        """Ask, and return what came until the stream was over; `late` goes on with the body once there is an answer."""
        await self._flush()
        stream = self._h2.get_next_available_stream_id()
        pseudo = [(":method", method), (":scheme", self._scheme), (":path", path), (":authority", self._authority)]
        self._h2.send_headers(stream, [*pseudo, *headers], end_stream=not body and not trailers)
        if body:
            self._h2.send_data(stream, body, end_stream=not trailers and not late)
        if trailers:
            self._h2.send_headers(stream, list(trailers), end_stream=True)
        await self._flush()
        came = await self._read_answer()
        if late:
            self._h2.send_data(stream, late, end_stream=True)
            await self._flush()
        return came

    async def _read_answer(self) -> list[Event]:
        came: list[Event] = []
        async with asyncio.timeout(CEILING_S):
            while not any(isinstance(event, (StreamEnded, StreamReset)) for event in came):
                data = await self._reader.read(65536)
                assert data, "the server closed the connection"
                events = self._h2.receive_data(data)
                came += events
                self.hints += [_plain(event) for event in events if isinstance(event, InformationalResponseReceived)]
                await self._flush()
        return came

    async def send(self, stream: int, data: bytes) -> None:
        """Send bytes of a stream."""
        self._h2.send_data(stream, data)
        await self._flush()

    async def receive(self) -> bytes:
        """Return the next bytes of any stream."""
        return (await self._wait_for(DataReceived)).data or b""

    async def _wait_for(self, kind: type[AnyEvent]) -> AnyEvent:
        async with asyncio.timeout(CEILING_S):
            while True:
                for event in self._events:
                    if isinstance(event, kind):
                        self._events.remove(event)
                        return event
                data = await self._reader.read(65536)
                assert data, "the server closed the connection"
                self._events += self._h2.receive_data(data)
                await self._flush()

    async def _flush(self) -> None:
        self._writer.write(self._h2.data_to_send())
        await self._writer.drain()


def _plain(event: InformationalResponseReceived) -> list[tuple[bytes, bytes]]:
    return [(bytes(name), bytes(value)) for name, value in event.headers or []]
