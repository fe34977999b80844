"""TLS to an app that stops speaking it."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest

from genba_gateway.apps.connections import UpstreamConnection, UpstreamLost
from genba_gateway.apps.tls_way import TlsWay
from genba_wire.buffers import Buffer
from tests.support.tls import make_server_tls


class AppsEnd:
    """The way within, and the app at its other end."""

    is_writable = True

    def __init__(self, folder: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*make_server_tls(folder))
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.is_released = False

    def listen(self, listener: Any) -> None:
        """It is the test that delivers."""

    def write(self, data: Buffer) -> None:
        self.incoming.write(data)

    def consumed(self, size: int) -> None:
        """There is no credit."""

    def release(self) -> None:
        self.is_released = True

    def shake_hands(self) -> bytes:
        """Go on with the handshake; what there is to send."""
        with suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
        return self.outgoing.read()


@pytest.fixture
def app(tmp_path: Path) -> AppsEnd:
    return AppsEnd(tmp_path)


async def connect(app: AppsEnd) -> tuple[TlsWay, UpstreamConnection]:
    way = TlsWay(cast("Any", app), "localhost")
    connection = UpstreamConnection(cast("Any", app), way)
    for _ in range(2):
        way.data_received(memoryview(app.shake_hands()))
    assert way.is_writable
    return way, connection


async def test_what_is_written_after_tls_broke_raises_nothing_and_goes_nowhere(app: AppsEnd) -> None:
    way, connection = await connect(app)
    await connection.write(b"hello")
    assert app.tls.read() == b"hello"

    way.data_received(memoryview(b"HTTP/1.1 200 OK\r\n\r\n"))
    app.incoming.read()
    way.write(b"more")
    assert not app.incoming.pending
    with pytest.raises(UpstreamLost, match="TLS failed"):
        await connection.write(b"more")


async def test_a_write_that_fails_ends_the_connection(app: AppsEnd, monkeypatch: pytest.MonkeyPatch) -> None:
    way, connection = await connect(app)

    class Broken:
        def write(self, _data: bytes) -> None:
            error = ssl.SSLError(1, "protocol is shutdown")
            error.reason = "PROTOCOL_IS_SHUTDOWN"
            raise error

    monkeypatch.setattr(way, "_tls", Broken())
    way.write(b"hello")
    with pytest.raises(UpstreamLost, match="TLS failed"):
        await connection.read()


async def test_what_waits_for_a_handshake_that_fails_is_forgotten(app: AppsEnd) -> None:
    way = TlsWay(cast("Any", app), "localhost")
    connection = UpstreamConnection(cast("Any", app), way)
    way.write(b"early")
    way.data_received(memoryview(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    with pytest.raises(UpstreamLost, match="TLS failed"):
        await connection.write(b"more")
