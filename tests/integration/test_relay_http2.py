"""A websocket over HTTP/2 (RFC 8441), whose transport carries other streams as well and so is never taken."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.http2_client import Http2Client
from tests.support.raw_websocket import make_frame
from tests.support.relay_app import serve_relay, switch_takeover


async def test_a_websocket_over_http2_goes_the_slower_way(monkeypatch: pytest.MonkeyPatch) -> None:
    switch_takeover(monkeypatch, is_on=True)
    async with serve_relay() as app:
        reader, writer = await asyncio.open_connection("127.0.0.1", app.port)
        client = Http2Client(reader, writer)
        stream = await client.open_websocket(app.port, "/echo")
        await client.send(stream, make_frame(b"over HTTP/2", key=b"abcd"))
        expected = make_frame(b"over HTTP/2", masked=False)
        received = b""
        while not received.endswith(expected):
            received += await client.receive()
        assert app.taken == [False]
        writer.close()
        await writer.wait_closed()
