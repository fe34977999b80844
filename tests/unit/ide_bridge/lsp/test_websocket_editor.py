"""One editor on a websocket; the handshake's refusals are in tests/integration/test_bridge_ends.py."""

from __future__ import annotations

import asyncio
import json
from typing import cast

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection
from websockets.typing import Subprotocol

from genba_ide_bridge.lsp import websocket_editor
from genba_ide_bridge.lsp.editor_protocol import EditorServer
from genba_ide_bridge.lsp.messages import NoParameters, Nothing
from genba_ide_bridge.lsp.websocket_editor import Outbox, WebSocketEditor


async def test_messages_are_text_without_headers_and_the_editors_going_is_the_end() -> None:
    announced: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    server = EditorServer()

    async def do_nothing(_parameters: NoParameters) -> Nothing:
        return Nothing()

    server.add_request("genba/x", NoParameters, do_nothing)
    editor = WebSocketEditor("127.0.0.1", 0, lambda url, token: announced.put_nowait((url, token)))
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(editor.run(server))
        url, token = await announced.get()
        offered = [Subprotocol("genba-bridge"), Subprotocol(f"genba-token.{token}")]
        async with connect(url, subprotocols=offered) as websocket:
            for number in range(50):
                await websocket.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": "genba/x"}))
            for number in range(50):
                message = await websocket.recv()
                assert isinstance(message, str)
                assert json.loads(message) == {"jsonrpc": "2.0", "id": number, "result": {}}
        assert await server.wait_for_end() == 0


class StuckConnection:
    """An editor's connection that takes nothing more."""

    async def send(self, message: bytes, *, text: bool) -> None:
        await asyncio.Event().wait()


def test_an_editor_that_leaves_too_much_unread_is_taken_for_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_editor, "MAX_WAITING_BYTES", 100)
    stuck: list[str] = []
    outbox = Outbox(cast("ServerConnection", StuckConnection()), lambda: stuck.append("stuck"))
    outbox.write(bytes(99))
    outbox.write(b"x")
    assert stuck == []
    outbox.write(b"x")
    assert stuck == ["stuck"]
