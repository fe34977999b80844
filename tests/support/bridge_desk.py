"""A developer's machine: a real gateway, and an editor that talks to a real bridge."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection

from tests.support.bridge_editor import CEILING_S, BridgeEditor, EditorTransport, bridge_editor
from tests.support.host_template import host_template, script
from tests.support.real_gateway import RealGateway, clean_environment

Shared = tuple[RealGateway, str]
"""A gateway for many desks, and the id of its template."""


def bridge_environment(folder: Path) -> dict[str, str]:
    """An environment with a config folder of its own."""
    return {**clean_environment(), "GENBA_CONFIG_DIR": str(folder / "config")}


@dataclass(slots=True)
class Desk:
    """A developer's machine: a gateway, and an editor with a bridge."""

    gateway: RealGateway
    template_id: str
    editor: BridgeEditor

    def workspace(self, name: str) -> dict[str, Any]:
        """A workspace as the editor knows it by now; empty when there is none."""
        known: dict[str, dict[str, Any]] = {}
        for changes in self.editor.told("genba/workspacesChanged"):
            known |= {each["id"]: each for each in changes["added"] + changes["changed"]}
            for identifier in changes["removed"]:
                del known[identifier]
        named = [each for each in known.values() if each["name"] == name]
        return named[0] if named else {}

    def is_ready(self, name: str) -> bool:
        """Whether the workspace runs and its agent is ready, as far as the editor knows."""
        agents: list[dict[str, str]] = self.workspace(name).get("agents", [])
        return [(agent["status"], agent["lifecycle"]) for agent in agents] == [("connected", "ready")]


@asynccontextmanager
async def bridge_gateway(folder: Path) -> AsyncGenerator[Shared]:
    """Start it; agents of its template say three lines."""
    async with RealGateway(folder / "gateway") as gateway:
        await gateway.sign_in()
        lines = script("lines", "for i in 1 2 3; do echo line $i; done")
        template = await gateway.push_template("host", host_template(lines=lines))
        yield gateway, template["id"]


async def tidy(gateway: RealGateway) -> None:
    """Undo what a test that failed left: a gateway that is dead, workspaces."""
    assert gateway.process is not None
    if gateway.process.returncode is not None:
        await gateway.start()
    for workspace in (await gateway.fetch("GET", "/api/v2/workspaces"))["workspaces"]:
        await gateway.wait_for_build(workspace["latest_build"]["id"])
        await gateway.build(workspace["id"], "delete")


@asynccontextmanager
async def desk(
    shared: Shared, folder: Path, transport: EditorTransport, *, signed_in: bool = True
) -> AsyncGenerator[Desk]:
    """A new developer's machine in front of a gateway; at the end of the block nothing of it is left."""
    gateway, template_id = shared
    async with bridge_editor(transport, bridge_environment(folder)) as editor:
        if signed_in:
            await editor.ask("genba/signIn", {"url": gateway.url, "token": gateway.token})
        yield Desk(gateway, template_id, editor)


async def status_with(gateway: RealGateway, token: str, method: str, path: str) -> int:
    """The status of a request with another session; a client of its own, since the gateway's keeps a cookie."""
    async with httpx.AsyncClient(base_url=gateway.url) as client:
        return (await client.request(method, path, headers={"Coder-Session-Token": token})).status_code


async def see(connection: ClientConnection, text: bytes) -> bytes:
    """Read a terminal until something was printed."""
    seen = b""
    async with asyncio.timeout(CEILING_S):
        while text not in seen:
            message = await connection.recv()
            seen += message if isinstance(message, bytes) else b""
    return seen


async def read_state(connection: ClientConnection) -> dict[str, Any]:
    """The next state that a terminal tells."""
    async with asyncio.timeout(CEILING_S):
        while isinstance(message := await connection.recv(), bytes):
            continue
    state: dict[str, Any] = json.loads(message)
    return state
