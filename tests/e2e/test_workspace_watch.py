"""Both watches of a workspace: the whole of it first, then each change as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.support.host_template import host_template, slow_template
from tests.support.real_gateway import RealGateway, agents_of
from tests.support.real_streams import open_events, open_websocket, read_messages
from tests.support.waiting import eventually


async def collect_until_ready(snapshots: AsyncIterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """The snapshots until the workspace runs and its agent is ready."""
    collected: list[dict[str, Any]] = []
    async for snapshot in snapshots:
        collected.append(snapshot)
        agents = agents_of(snapshot)
        if snapshot["latest_build"]["status"] == "running" and agents and agents[0]["lifecycle_state"] == "ready":
            break
    return collected


def without_repeats(items: list[str]) -> list[str]:
    """Each item that differs from the one before."""
    return [item for place, item in enumerate(items) if place == 0 or items[place - 1] != item]


def check(snapshots: list[dict[str, Any]], workspace: dict[str, Any]) -> None:
    """The states came in their order, in full snapshots."""
    assert all(each.keys() == workspace.keys() for each in snapshots)
    assert {each["id"] for each in snapshots} == {workspace["id"]}
    statuses = without_repeats([each["latest_build"]["status"] for each in snapshots])
    assert statuses == ["pending", "starting", "running"]
    agents = [agents_of(each)[0] for each in snapshots if agents_of(each)]
    assert agents[-1]["status"] == "connected"
    order = {"created": 0, "starting": 1, "ready": 2}
    lifecycle = [order[agent["lifecycle_state"]] for agent in agents]
    assert lifecycle == sorted(lifecycle)
    assert without_repeats([agent["status"] for agent in agents])[-2:] == ["connecting", "connected"]


async def test_watches_deliver_each_state_as_it_comes(short_dir: Path) -> None:
    gate = short_dir / "gate"
    async with RealGateway(short_dir / "gateway", "--concurrent-builds", "1") as gateway:
        await gateway.sign_in()
        slow = await gateway.push_template("slow", slow_template(gate))
        template = await gateway.push_template("host", host_template())
        await gateway.create_workspace("first", slow["id"])
        await eventually(gate.with_name("gate.began").exists)
        workspace = await gateway.create_workspace("demo", template["id"])
        both_see_it_pending = asyncio.Barrier(3)

        async def watch_events() -> list[dict[str, Any]]:
            async def data(events: AsyncIterator[tuple[str, Any]]) -> AsyncIterator[dict[str, Any]]:
                kinds = [(await anext(events))[0]]
                assert kinds == ["ping"]
                kind, first = await anext(events)
                assert kind == "data"
                yield first
                async for kind, value in events:
                    if kind == "data":
                        yield value

            async with open_events(gateway, f"/api/v2/workspaces/{workspace['id']}/watch") as events:
                return await collect_with_start(data(events))

        async def watch_websocket() -> list[dict[str, Any]]:
            async def data(messages: AsyncIterator[Any]) -> AsyncIterator[dict[str, Any]]:
                async for message in messages:
                    assert message["type"] == "data"
                    yield message["data"]

            async with open_websocket(gateway, f"/api/v2/workspaces/{workspace['id']}/watch-ws") as websocket:
                return await collect_with_start(data(read_messages(websocket)))

        async def collect_with_start(snapshots: AsyncIterator[dict[str, Any]]) -> list[dict[str, Any]]:
            first = await anext(snapshots)
            await both_see_it_pending.wait()
            return [first, *await collect_until_ready(snapshots)]

        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            by_events = tasks.create_task(watch_events())
            by_websocket = tasks.create_task(watch_websocket())
            await both_see_it_pending.wait()
            gate.touch()
        check(by_events.result(), workspace)
        check(by_websocket.result(), workspace)
        assert (await gateway.build(workspace["id"], "delete"))["job"]["status"] == "succeeded"
