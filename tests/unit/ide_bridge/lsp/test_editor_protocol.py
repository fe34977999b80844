"""pygls as we use it: requests in, answers and notifications out, nothing in the log."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import msgspec
import pytest

from genba_ide_bridge.errors import NotSignedIn
from genba_ide_bridge.lsp.editor_protocol import EditorServer
from genba_ide_bridge.lsp.messages import BuildResult, ConnectionState, NoParameters, Nothing, SignInParameters

CEILING_S = 30.0


class Written:
    def __init__(self) -> None:
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def write(self, data: bytes) -> None:
        self.messages.put_nowait(json.loads(data))

    def close(self) -> None:
        """Nothing is held."""

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(CEILING_S):
            return await self.messages.get()


def make_server() -> tuple[EditorServer, Written]:
    server, written = EditorServer(), Written()
    server.set_writer(written, has_headers=False)
    return server, written


def request(method: str, params: object = None, message_id: int = 1) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": message_id, "method": method, "params": params})


async def test_initialize_names_the_server_and_promises_no_documents() -> None:
    server, written = make_server()
    server.receive(request("initialize", {"processId": None, "rootUri": None, "capabilities": {}}))
    result = (await written.next())["result"]
    assert result["serverInfo"]["name"] == "genba"
    assert result["capabilities"].get("textDocumentSync", {}).get("change", 0) == 0


@pytest.mark.parametrize("params", [None, {}, {"unknown": {"jsonrpc": 1}}])
async def test_a_request_is_answered_in_camel_case(params: object) -> None:
    async def build(_parameters: NoParameters) -> msgspec.Struct:
        return BuildResult(build_id="b", build_number=2)

    server, written = make_server()
    server.add_request("genba/x", NoParameters, build)
    server.receive(request("genba/x", params))
    assert await written.next() == {"jsonrpc": "2.0", "id": 1, "result": {"buildId": "b", "buildNumber": 2}}


async def test_an_error_is_answered_with_its_data() -> None:
    async def refuse(_parameters: NoParameters) -> msgspec.Struct:
        raise NotSignedIn("out")

    server, written = make_server()
    server.add_request("genba/x", NoParameters, refuse)
    server.receive(request("genba/x"))
    error = (await written.next())["error"]
    assert error == {"code": -32001, "message": "out", "data": {"kind": "notSignedIn", "detail": "out"}}


async def test_the_log_holds_no_token(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(_parameters: SignInParameters) -> msgspec.Struct:
        raise NotSignedIn("out")

    async def succeed(_parameters: SignInParameters) -> msgspec.Struct:
        return ConnectionState(state="the-secret", reason="")

    server, written = make_server()
    server.add_request("genba/fail", SignInParameters, fail)
    server.add_request("genba/succeed", SignInParameters, succeed)
    with caplog.at_level(logging.DEBUG):
        for method in ("genba/fail", "genba/succeed", "genba/unknown"):
            server.receive(request(method, {"url": "u", "token": "the-secret"}))
            await written.next()
        server.receive('{"jsonrpc": "2.0", "id": "the-secret')
    assert "the-secret" not in caplog.text


async def test_a_fault_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(_parameters: NoParameters) -> msgspec.Struct:
        raise RuntimeError("inner words")

    server, written = make_server()
    server.add_request("genba/x", NoParameters, fail)
    server.receive(request("genba/x"))
    error = (await written.next())["error"]
    assert error["code"] == -32603
    assert "inner words" not in json.dumps(error)
    assert "inner words" in caplog.text


async def test_a_notification_goes_after_the_answer_that_it_builds_on() -> None:
    server, written = make_server()
    go_on = asyncio.Event()

    async def answer(_parameters: NoParameters) -> msgspec.Struct:
        await go_on.wait()
        # Another task that runs in the same turn of the loop, before the answer is sent.
        asyncio.get_running_loop().call_soon(server.notify, "genba/connection", ConnectionState(state="s", reason=""))
        return Nothing()

    server.add_request("genba/x", NoParameters, answer)
    server.receive(request("genba/x"))
    go_on.set()
    assert (await written.next())["id"] == 1
    assert (await written.next())["method"] == "genba/connection"


@pytest.mark.parametrize("body", ["{", "[]", "7", "null", '{"jsonrpc": "2.0"}', "{}", b"\xff"])
async def test_what_is_no_message_is_passed_over(body: str | bytes) -> None:
    server, written = make_server()
    server.receive(body)
    server.receive(request("genba/unknown"))
    assert (await written.next())["error"]["code"] == -32601


async def test_a_request_that_can_not_be_read_is_answered() -> None:
    server, written = make_server()
    server.receive(request("initialize", {"capabilities": 7}))
    assert (await written.next())["error"]["code"] == -32600


async def test_exit_ends_by_whether_shutdown_was_asked() -> None:
    server, _ = make_server()
    server.receive(json.dumps({"jsonrpc": "2.0", "method": "exit"}))
    assert await server.wait_for_end() == 1
    server, written = make_server()
    server.receive(request("shutdown"))
    assert (await written.next())["result"] is None
    server.receive(json.dumps({"jsonrpc": "2.0", "method": "exit"}))
    assert await server.wait_for_end() == 0
    server.end(5)
    assert await server.wait_for_end() == 0
