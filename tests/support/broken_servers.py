"""Small servers that are wrong in one way each, on loopback."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

from genba_wire.api.buildinfo import BuildInfo
from genba_wire.api.message import encode_message
from genba_wire.version import VERSION

_KEY_SALT: Final = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455, section 1.3."""


class BrokenServer:
    """Answers each path as it is told, and a gateway's few paths rightly unless told otherwise."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: dict[str, bytes | None] = {}
        """Path: the answer's bytes, or None to close without one."""
        self.access_url = ""
        self.date = datetime.now(UTC)
        self.websocket: bytes | None = b""
        """What answers an upgrade: b"" rightly, None closes without an answer."""
        self.connections: set[asyncio.Task[None]] = set()
        self.first_message = b"\x81\x02{}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        task = asyncio.current_task()
        assert task is not None
        self.connections.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
                while first := await reader.read(1):
                    if first == b"\x16":
                        # TLS where none is spoken.
                        writer.write(http_answer(400))
                        break
                    head = first + await reader.readuntil(b"\r\n\r\n")
                    await reader.readexactly(_length_of(head))
                    if not await self._answer(head.decode(), writer):
                        break
                    if "upgrade: websocket" in head.decode().lower() and await reader.read(100):
                        # What else could it be than a close frame.
                        writer.write(b"\x88\x00")
                        break
        finally:
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()
            self.connections.discard(task)

    async def _answer(self, head: str, writer: asyncio.StreamWriter) -> bool:
        path = head.split(" ", 2)[1].removeprefix(self.url)
        answer = self.answers.get(path, self.answers.get("*", b""))
        if "upgrade: websocket" in head.lower():
            answer = self.websocket if self.websocket != b"" else self._accept(head)
        elif answer == b"":
            answer = self._rightly(path)
        if answer is None:
            return False
        writer.write(answer)
        await writer.drain()
        return True

    def _rightly(self, path: str) -> bytes:
        body = b""
        if path == "/api/v2/buildinfo":
            body = encode_message(
                BuildInfo(
                    external_url=self.access_url or self.url,
                    version=VERSION,
                    dashboard_url="",
                    telemetry=False,
                    workspace_proxy=False,
                    agent_api_version="",
                    provisioner_api_version="",
                    upgrade_message="",
                    deployment_id="",
                )
            )
        return http_answer(200, body, Date=format_datetime(self.date))

    def _accept(self, head: str) -> bytes:
        (key,) = (line.split(": ", 1)[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key"))
        digest = hashlib.sha1((key + _KEY_SALT).encode(), usedforsecurity=False).digest()
        accept = base64.b64encode(digest).decode()
        lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        return "\r\n".join([*lines, f"Sec-WebSocket-Accept: {accept}", "", ""]).encode() + self.first_message


def _length_of(head: bytes) -> int:
    """How long the body behind a request's head is."""
    found = re.search(rb"^content-length: (\d+)", head, re.IGNORECASE | re.MULTILINE)
    return int(found[1]) if found else 0


def http_answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    """The bytes of an answer."""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@asynccontextmanager
async def broken_server(tls: ssl.SSLContext | None = None) -> AsyncGenerator[BrokenServer]:
    """A server that is right until it is told to be wrong."""
    broken = BrokenServer()
    server = await asyncio.start_server(broken.serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    broken.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    async with server:
        try:
            yield broken
        finally:
            for connection in broken.connections:
                connection.cancel()
            if broken.connections:
                await asyncio.wait(broken.connections)
