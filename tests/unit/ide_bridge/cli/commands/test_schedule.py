"""`genba schedule`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.cli_builders import NOW, make_workspace
from tests.support.cli_gateway import TOKEN, CliGateway, running_cli_gateway
from tests.support.cli_process import run_genba


def session(gateway: CliGateway) -> dict[str, str]:
    return {"GENBA_URL": gateway.url, "GENBA_SESSION_TOKEN": TOKEN}


async def test_schedules_are_shown(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        schedule = "CRON_TZ=Europe/Vienna 30 9 * * 1-5"
        gateway.add_workspace(
            make_workspace(name="demo", autostart_schedule=schedule, next_start_at=NOW, ttl_ms=30_600_000)
        )
        table = await run_genba("schedule", "show", folder=tmp_path, env=session(gateway))
        assert "9:30AM Mon-Fri (Europe/Vienna)" in table.out
        assert "8h30m" in table.out
        raw = await run_genba("schedule", "show", "demo", "-o", "json", folder=tmp_path, env=session(gateway))
        (shown,) = json.loads(raw.out)
        assert shown["starts_next"] == NOW.isoformat()
        assert list(shown) == ["workspace", "starts_at", "starts_next", "stops_after", "stops_next"]
        await run_genba("schedule", "show", "--all", folder=tmp_path, env=session(gateway))
        assert [one.query for one in gateway.requests_of("GET", "/workspaces")] == ["q=owner%3Ame", ""]


async def test_starts_and_stops_are_set_and_taken_back(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        workspace = gateway.add_workspace(make_workspace(name="demo"))

        async def run(*words: str) -> str:
            done = await run_genba("schedule", *words, folder=tmp_path, env=session(gateway))
            assert done.code == 0, done
            return done.out

        said = await run("start", "demo", "9:30AM", "Mon-Fri", "Europe/Vienna")
        assert said == f"Workspace demo starts at 9:30AM Mon-Fri (Europe/Vienna), {NOW.isoformat()} next.\n"
        assert await run("start", "demo", "manual") == "Workspace demo does not start by itself.\n"
        assert await run("stop", "demo", "8h") == "Workspace demo stops 8h after its next start.\n"
        assert await run("stop", "demo", "manual") == "Workspace demo does not stop by itself.\n"
        base = f"/workspaces/{workspace.id}"
        assert [one.json()["schedule"] for one in gateway.requests_of("PUT", f"{base}/autostart")] == [
            "CRON_TZ=Europe/Vienna 30 9 * * 1-5",
            None,
        ]
        assert [one.json()["ttl_ms"] for one in gateway.requests_of("PUT", f"{base}/ttl")] == [28_800_000, None]


@pytest.mark.parametrize("name", ["extend", "override-stop"])
async def test_a_stop_is_put_off(tmp_path: Path, name: str) -> None:
    async with running_cli_gateway() as gateway:
        workspace = gateway.add_workspace(make_workspace(name="demo"))
        began = datetime.now(UTC)
        done = await run_genba("schedule", name, "demo", "2h", folder=tmp_path, env=session(gateway))
        assert done.code == 0
        (asked,) = gateway.requests_of("PUT", f"/workspaces/{workspace.id}/extend")
        assert datetime.fromisoformat(asked.json()["deadline"]) >= began + timedelta(hours=2)


async def test_what_is_no_time_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        for words in (("start", "demo", "noonish"), ("stop", "demo", "later"), ("extend", "demo", "soon")):
            done = await run_genba("schedule", *words, folder=tmp_path, env=session(gateway))
            assert (done.code, "is not a" in done.err) == (2, True)
        assert gateway.requests == []
