"""`genba netcheck` against servers that are wrong in one way each."""

from __future__ import annotations

import json
from pathlib import Path

from genba_wire.api.stream_check import STREAM_CHECK_PATH
from tests.support.broken_servers import broken_server, http_answer
from tests.support.cli_process import run_genba

NOT_FOUND = http_answer(404, b'{"message":"Route not found."}')


async def test_what_is_wrong_is_said_the_worst_first_and_reported(tmp_path: Path) -> None:
    async with broken_server() as server:
        server.answers[STREAM_CHECK_PATH] = http_answer(200, b"<html>")
        server.access_url = "http://other.test"
        server.websocket = http_answer(403, b"<html>")
        done = await run_genba("netcheck", folder=tmp_path, env={"GENBA_URL": server.url})
    assert done.code == 0
    websockets, *rest = done.err.splitlines()
    assert "websockets" in websockets
    assert any("other.test for its address" in line for line in rest)
    assert any("changes what the gateway answers" in line for line in rest)
    relay = json.loads(done.out)["derp"]
    assert any("changes what the gateway answers" in warning["message"] for warning in relay["warnings"])


async def test_silence_is_watched_when_asked_for(tmp_path: Path) -> None:
    async with broken_server() as server:
        server.answers[STREAM_CHECK_PATH] = NOT_FOUND
        server.first_message = b"\x81\x02{}\x88\x00"
        env = {"GENBA_URL": server.url}
        assert "Nothing is wrong" in (await run_genba("netcheck", folder=tmp_path, env=env)).err
        done = await run_genba("netcheck", "--idle", "20s", folder=tmp_path, env=env)
    assert "ends connections in which nothing is said after 0 s" in done.err
