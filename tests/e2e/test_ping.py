"""`genba ping` and `genba speedtest` to a real agent, through a real gateway."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.e2e.conftest import Demo
from tests.support.cli_process import run_genba, running_genba
from tests.support.real_gateway import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_round_trips_and_throughput_are_measured(short_dir: Path, demo: Demo) -> None:
    gateway, session = demo
    done = await run_genba("ping", "demo", "-n", "3", "--wait", "10ms", "--utc", folder=short_dir, env=session)
    assert done.code == 0
    lines = done.out.splitlines()
    assert len(lines) == 3
    assert all(f"pong from demo.main through the gateway {gateway.url} in " in line for line in lines)
    assert all("+00:00 pong" in line for line in lines)
    assert "3 sent, 3 answered" in done.err
    assert "Nothing is wrong." in done.err

    # An editor ends it with an interrupt.
    async with running_genba("ping", "demo", "--wait", "10ms", folder=short_dir, env=session) as running:
        await running.wait_until(lambda: running.out.count("pong") > 2)
        os.kill(running.process.pid, 2)
        assert await running.process.wait() == 0
        await running.wait_until(lambda: "Nothing is wrong." in running.err)

    for direction in ("down", "up"):
        flags = ("-o", "json", "-t", "1500ms", "--direction", direction)
        done = await run_genba("speedtest", "demo", *flags, folder=short_dir, env=session)
        assert done.code == 0, done.err
        measured = json.loads(done.out)
        assert list(measured) == ["overall", "intervals"]
        assert len(measured["intervals"]) == 2
        for each in (measured["overall"], *measured["intervals"]):
            assert list(each) == ["start_time_seconds", "end_time_seconds", "throughput_mbits"]
        assert measured["overall"]["end_time_seconds"] >= 1.5
        assert measured["overall"]["throughput_mbits"] > 1


async def test_workspace_that_is_not_there_is_an_error(short_dir: Path, demo: Demo) -> None:
    _, session = demo
    done = await run_genba("ping", "nothing", "-n", "1", folder=short_dir, env=session)
    assert (done.code, done.out) == (1, "")
    assert 'There is no workspace "nothing".' in done.err


async def test_way_is_checked_without_a_sign_in_and_named_where_it_is_wrong(short_dir: Path, demo: Demo) -> None:
    gateway, _ = demo
    done = await run_genba("netcheck", folder=short_dir, env={"GENBA_URL": gateway.url})
    assert done.code == 0, done.err
    assert f"Nothing is wrong on the way to {gateway.url}." in done.err
    report = json.loads(done.out)
    assert report["derp"]["severity"] == "ok"
    assert report["derp"]["regions"]["999"]["node_reports"][0]["can_exchange_messages"]
    nowhere = f"http://127.0.0.1:{free_port()}"
    done = await run_genba("netcheck", folder=short_dir, env={"GENBA_URL": nowhere})
    assert "Nothing listens on 127.0.0.1" in done.err
    assert json.loads(done.out)["derp"]["severity"] == "error"
    session = {"GENBA_URL": nowhere, "GENBA_SESSION_TOKEN": "x"}
    done = await run_genba("ping", "demo", folder=short_dir, env=session)
    assert (done.code, done.out) == (1, "")
    assert "Nothing listens on 127.0.0.1" in done.err
