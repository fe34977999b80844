"""Watching over a real HTTP server that can go away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from genba_ide_bridge.errors import NotSignedIn
from genba_ide_bridge.lsp.workspaces import WorkspaceWatch
from genba_wire.errors import GatewayUnreachable
from tests.support.bridge_session import session_in
from tests.support.cli_builders import make_workspace
from tests.support.cli_gateway import CEILING_S, TOKEN, CliGateway, running_cli_gateway


class Told:
    def __init__(self) -> None:
        self.all: list[tuple[str, Any]] = []
        self._more = asyncio.Event()

    def notify(self, method: str, parameters: msgspec.Struct) -> None:
        self.all.append((method.removeprefix("genba/"), msgspec.to_builtins(parameters)))
        self._more.set()

    def of(self, method: str) -> list[Any]:
        return [parameters for name, parameters in self.all if name == method]

    async def wait_for(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(CEILING_S):
            while not condition():
                self._more.clear()
                await self._more.wait()


@asynccontextmanager
async def watch_of(gateway: CliGateway, folder: Path) -> AsyncGenerator[tuple[WorkspaceWatch, Told]]:
    told = Told()
    async with session_in(folder, gateway.url, TOKEN) as session, asyncio.TaskGroup() as group:
        watch = WorkspaceWatch(session, group, told.notify)
        yield watch, told
        watch.stop()


@pytest.mark.parametrize("has_watch", [True, False])
async def test_changes_new_and_deleted_workspaces_are_told(tmp_path: Path, has_watch: bool) -> None:
    async with running_cli_gateway(has_watch=has_watch) as gateway:
        one = gateway.add_workspace(make_workspace(id="one", name="one"))
        async with watch_of(gateway, tmp_path) as (watch, told):
            assert [each.name for each in await watch.start()] == ["one"]
            gateway.add_build(one.id, status="stopping", transition="stop")
            await told.wait_for(lambda: told.of("workspacesChanged"))
            (changed,) = told.of("workspacesChanged")[0]["changed"]
            assert (changed["id"], changed["status"], changed["transition"]) == ("one", "stopping", "stop")
            gateway.add_workspace(make_workspace(id="two", name="two"))
            await told.wait_for(lambda: told.of("workspacesChanged")[-1]["added"])
            assert [each["id"] for each in told.of("workspacesChanged")[-1]["added"]] == ["two"]
            del gateway.workspaces["one"]
            await told.wait_for(lambda: told.of("workspacesChanged")[-1]["removed"] == ["one"])
            assert [each.id for each in await watch.start()] == ["two"]
            assert told.of("connection") == []


async def test_an_outage_is_told_once_and_what_changed_comes_after_it(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        one = gateway.add_workspace(make_workspace(id="one", name="one"))
        async with watch_of(gateway, tmp_path) as (watch, told):
            await watch.start()
            await gateway.stop()
            await told.wait_for(lambda: told.of("connection"))
            with pytest.raises(GatewayUnreachable):
                await watch.start()
            gateway.add_build(one.id, status="stopped", transition="stop")
            await gateway.start()
            await told.wait_for(lambda: told.of("workspacesChanged"))
            states = [state["state"] for state in told.of("connection")]
            assert states == ["reconnecting", "connected"]
            assert told.of("connection")[0]["reason"]
            assert [name for name, _ in told.all][:3] == ["connection", "connection", "workspacesChanged"]


async def test_watching_begins_without_the_gateway_and_brings_everything_when_it_is_there(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        gateway.add_workspace(make_workspace(id="one", name="one"))
        async with watch_of(gateway, tmp_path) as (watch, told):
            await gateway.stop()
            with pytest.raises(GatewayUnreachable):
                await watch.start()
            await gateway.start()
            await told.wait_for(lambda: told.of("workspacesChanged"))
            assert [each["id"] for each in told.of("workspacesChanged")[0]["added"]] == ["one"]
            assert told.of("connection") == [{"state": "connected", "reason": ""}]


async def test_the_end_of_the_session_is_told_and_ends_the_watch(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway, watch_of(gateway, tmp_path) as (watch, told):
        await watch.start()
        gateway.token = "another-one"
        await told.wait_for(lambda: told.of("signedOut"))
        assert "signed out" in told.of("signedOut")[0]["reason"]
        for name in ("url", "session"):
            (tmp_path / name).unlink()
        with pytest.raises(NotSignedIn):
            await watch.start()


async def test_another_session_is_taken_over(tmp_path: Path) -> None:
    async with running_cli_gateway() as first, running_cli_gateway() as second:
        first.add_workspace(make_workspace(id="one", name="one"))
        second.add_workspace(make_workspace(id="two", name="two"))
        async with watch_of(first, tmp_path) as (watch, told):
            await watch.start()
            (tmp_path / "url").write_text(second.url)
            watch.look_again()
            await told.wait_for(lambda: told.of("workspacesChanged"))
            changes = told.of("workspacesChanged")[0]
            assert ([each["id"] for each in changes["added"]], changes["removed"]) == (["two"], ["one"])
