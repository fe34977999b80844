"""`genba ping` where the way is wrong; round trips are in tests/e2e/test_ping.py."""

from __future__ import annotations

from pathlib import Path

from tests.support.broken_servers import broken_server, http_answer
from tests.support.cli_process import run_genba


async def test_what_stands_in_the_way_is_said_before_any_workspace_is_looked_for(tmp_path: Path) -> None:
    async with broken_server() as server:
        server.answers["*"] = http_answer(502, b"<html>")
        env = {"GENBA_URL": server.url, "GENBA_SESSION_TOKEN": "x"}
        done = await run_genba("ping", "demo", folder=tmp_path, env=env)
    assert (done.code, done.out) == (1, "")
    assert "does not reach the gateway behind it (502)" in done.err
