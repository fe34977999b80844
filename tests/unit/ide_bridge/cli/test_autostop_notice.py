"""When a session is told that its workspace will stop by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from genba_ide_bridge.api.calls import Calls
from genba_ide_bridge.api.client import GatewayClient
from genba_ide_bridge.api.connect import open_transport
from genba_ide_bridge.cli.autostop_notice import AutostopNotice, say_on_terminal
from genba_wire.api.workspaces import Workspace
from tests.support.cli_builders import make_build, make_workspace
from tests.support.cli_gateway import CliGateway, running_cli_gateway
from tests.support.deaf_stderr import deaf_stderr

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Looks:
    """Between two looks, time passes and the gateway's workspace may change."""

    def __init__(self, gateway: CliGateway, workspace: Workspace, later: list[tuple[float, dict[str, Any]]]) -> None:
        self.now = NOON
        self.said: list[str] = []
        self._gateway = gateway
        self._workspace = workspace
        self._later = later

    async def sleep(self, delay_s: float) -> None:
        assert delay_s == 60.0
        if not self._later:
            raise asyncio.CancelledError
        minutes, changes = self._later.pop(0)
        self.now += timedelta(minutes=minutes)
        self._gateway.workspaces = {}
        self._gateway.page = b"<!DOCTYPE html><title>Sign in to the hotspot</title>" if changes == PAGE else b""
        if changes not in (GONE, PAGE):
            self._gateway.add_workspace(at_work(id=self._workspace.id, **changes))


GONE: dict[str, Any] = {"gone": True}

PAGE: dict[str, Any] = {"page": True}


def at_work(*, minutes: float | None, transition: str = "start", **changes: Any) -> Workspace:
    """A workspace that stops so many minutes after noon."""
    deadline = None if minutes is None else NOON + timedelta(minutes=minutes)
    return make_workspace(latest_build=make_build(deadline=deadline, transition=transition), **changes)


@asynccontextmanager
async def looks(workspace: Workspace, *later: tuple[float, dict[str, Any]]) -> AsyncGenerator[Looks]:
    async with running_cli_gateway() as gateway, open_transport(gateway.url, gateway.token, {}) as transport:
        looks = Looks(gateway, workspace, list(later))
        client = GatewayClient(Calls(transport))
        notice = AutostopNotice(
            client, workspace, 60.0, "dev", say=looks.said.append, clock=lambda: looks.now, sleep=looks.sleep
        )
        with pytest.raises(asyncio.CancelledError):
            await notice.run()
        yield looks


def minutes_in(said: list[str]) -> list[int]:
    assert all(one.startswith("The workspace dev stops by itself in ") for one in said)
    return [int(one.split(" in ")[1].split()[0]) for one in said]


async def test_it_is_said_half_an_hour_and_five_minutes_before_and_once_each() -> None:
    same = {"minutes": 60}
    steps = [(29.0, same), (1.0, same), (1.0, same), (24.0, same), (1.0, same), (3.0, same), (2.0, same)]
    async with looks(at_work(minutes=60), *steps) as found:
        assert minutes_in(found.said) == [30, 5]


async def test_one_that_is_nearly_over_is_told_at_once_and_without_a_request() -> None:
    async with looks(at_work(minutes=4)) as found:
        assert minutes_in(found.said) == [4]


async def test_a_deadline_that_was_put_off_is_a_new_one() -> None:
    async with looks(at_work(minutes=20), (1, {"minutes": 90}), (65, {"minutes": 90})) as found:
        assert minutes_in(found.said) == [20, 24]


@pytest.mark.parametrize(
    "workspace",
    [at_work(minutes=None), at_work(minutes=-60 * 24 * 365 * 2020), at_work(minutes=3, transition="stop")],
    ids=["none", "zero time", "stops already"],
)
async def test_nothing_is_said_where_there_is_nothing_to_say(workspace: Workspace) -> None:
    async with looks(workspace) as found:
        assert found.said == []


async def test_a_gateway_that_does_not_answer_ends_nothing_and_what_is_known_counts_on() -> None:
    async with looks(at_work(minutes=40), (5, GONE), (10, GONE)) as found:
        assert minutes_in(found.said) == [25]


async def test_a_page_in_the_gateways_place_ends_nothing_and_what_is_known_counts_on() -> None:
    async with looks(at_work(minutes=40), (5, PAGE), (10, PAGE), (5, {"minutes": 90})) as found:
        assert minutes_in(found.said) == [25]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_where_nobody_reads_it_is_said_all_the_same(monkeypatch: pytest.MonkeyPatch, is_terminal: bool) -> None:
    with deaf_stderr(monkeypatch, is_terminal=is_terminal):
        say_on_terminal("The workspace dev stops by itself in 5 min.")
