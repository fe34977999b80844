"""LSP over one websocket on the loopback interface, opened with a token that works once (docs/bridge.md)."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from genba_ide_bridge.lsp.loopback import CLOSE_TIMEOUT_S, is_token, make_token, port_of, refuse_strangers
from genba_ide_bridge.lsp.stdio import MAX_MESSAGE_BYTES, MAX_WAITING_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

    from genba_ide_bridge.lsp.editor_protocol import EditorServer

SUBPROTOCOL: Final = Subprotocol("genba-bridge")
TOKEN_PREFIX: Final = "genba-token."

EDITOR_ORIGINS: Final = frozenset({"vscode-webview"})
"""Schemes of pages that belong to an editor; a browser lets no website use them."""

log = logging.getLogger(__name__)
_quiet = logging.getLogger(f"{__name__}.websockets")
_quiet.setLevel(logging.CRITICAL)  # the library logs handshakes, and the token is in them


class WebSocketEditor:
    """The one editor that comes with the token. `on_listening` is given the address and the token."""

    def __init__(self, host: str, port: int, on_listening: Callable[[str, str], None]) -> None:
        self._host = host
        self._port = port
        self._on_listening = on_listening
        self._token = make_token()
        self._address = ""
        self._is_taken = False

    async def run(self, server: EditorServer) -> None:
        """Listen, and hand on messages until the editor closes its connection."""

        async def serve_editor(connection: ServerConnection) -> None:
            await _serve(connection, server)

        async with serve(
            serve_editor,
            self._host,
            self._port,
            process_request=self._check_request,
            select_subprotocol=_select_subprotocol,
            compression=None,
            max_size=MAX_MESSAGE_BYTES,
            close_timeout=CLOSE_TIMEOUT_S,
            server_header=None,
            logger=_quiet,
        ) as listener:
            shown_host = f"[{self._host}]" if ":" in self._host else self._host
            self._address = f"{shown_host}:{port_of(listener)}"
            self._on_listening(f"ws://{self._address}", self._token)
            await server.wait_for_end()

    def close(self) -> None:
        """The connection was closed with the listener."""

    def _check_request(self, connection: ServerConnection, request: Request) -> Response | None:
        refusal = refuse_strangers(request.headers, self._address, EDITOR_ORIGINS)
        if refusal is None and (self._is_taken or not self._has_token(request)):
            refusal = HTTPStatus.UNAUTHORIZED, "The token is wrong, or was used.\n"
        if refusal is None:
            self._is_taken = True
        return connection.respond(*refusal) if refusal is not None else None

    def _has_token(self, request: Request) -> bool:
        offered = [
            name.strip() for line in request.headers.get_all("Sec-WebSocket-Protocol") for name in line.split(",")
        ]
        tokens = [name.removeprefix(TOKEN_PREFIX) for name in offered if name.startswith(TOKEN_PREFIX)]
        return len(tokens) == 1 and is_token(tokens[0], self._token)


class Outbox:
    """Sends messages in the order in which they were written; `on_stuck` is called when the editor reads none."""

    def __init__(self, connection: ServerConnection, on_stuck: Callable[[], None]) -> None:
        self._connection = connection
        self._on_stuck = on_stuck
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._grew = asyncio.Event()

    def write(self, data: bytes) -> None:
        """Send one message."""
        if self._waiting_bytes + len(data) > MAX_WAITING_BYTES:
            log.error("The editor does not read what the bridge sends; the bridge ends.")
            self._on_stuck()
            return
        self._waiting_bytes += len(data)
        self._waiting.append(data)
        self._grew.set()

    def close(self) -> None:
        """The connection closes by itself."""

    async def run(self) -> None:
        """Send what comes."""
        while True:
            await self._grew.wait()
            self._grew.clear()
            while self._waiting:
                message = self._waiting.popleft()
                await self._connection.send(message, text=True)
                self._waiting_bytes -= len(message)


async def _serve(connection: ServerConnection, server: EditorServer) -> None:
    outbox = Outbox(connection, lambda: server.end(0))
    server.set_writer(outbox, has_headers=False)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(outbox.run(), name="messages to the editor")
            while True:
                server.receive(await connection.recv())
    except* ConnectionClosed:
        log.info("The editor closed its connection.")
    finally:
        server.end(0)


def _select_subprotocol(_connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return SUBPROTOCOL if SUBPROTOCOL in offered else None
