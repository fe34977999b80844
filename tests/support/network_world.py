"""A gateway with a workspace, and what a developer does with it, for tests of what may stand between."""

from __future__ import annotations

import asyncio
import json
import secrets
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from websockets.asyncio.client import connect

from genba_wire.version import VERSION
from tests.support.cli_process import run_genba, running_genba
from tests.support.host_template import host_template, script
from tests.support.http2_client import Http2Client
from tests.support.network_rows import Row, Site, Way
from tests.support.real_gateway import RealGateway
from tests.support.tls import Authority

MIB: Final = 1024 * 1024

RELAY_MAP: Final = "/api/v2/derp-map"
"""A websocket that needs no sign-in, and on which the gateway speaks first."""


@dataclass
class NetworkWorld:
    """A gateway with a workspace `demo`, whose agent logs what is added to the file `chatter`."""

    folder: Path
    gateway: RealGateway
    authority: Authority
    chatter: Path
    agent_id: str

    def make_site(self, name: str) -> Site:
        """A folder for what a row needs."""
        folder = self.folder / name
        folder.mkdir()
        return Site(folder, self.gateway, self.authority)

    def chat(self, line: str) -> None:
        """Have the agent log a line."""
        with self.chatter.open("a") as opened:
            opened.write(f"{line}\n")


@asynccontextmanager
async def network_world(folder: Path, gateway: RealGateway, authority: Authority) -> AsyncGenerator[NetworkWorld]:
    """Start the gateway and its workspace; at the end both are gone."""
    chatter = folder / "chatter"
    await asyncio.to_thread(chatter.touch)
    async with gateway:
        await gateway.sign_in()
        template = await gateway.push_template("host", host_template(chat=script("chat", f"tail -f {chatter}")))
        workspace = await gateway.create_workspace("demo", template["id"])
        await gateway.wait_for_build(workspace["latest_build"]["id"])
        # The script goes on for as long as the workspace does.
        agent = await gateway.wait_for_agent(workspace["id"], lifecycle="starting")
        yield NetworkWorld(folder, gateway, authority, chatter, agent["id"])
        await gateway.build(workspace["id"], "delete")


async def pass_all(here: NetworkWorld, row: Row) -> None:
    """Do all that a row of docs/networks.md promises.

    Raises:
        MissingPart: what stands between can't be had here.
    """
    site = await asyncio.to_thread(here.make_site, row.open.__name__)
    async with row.open(site) as way:
        await _do_everything(here, site.folder, way)
        await _offer_compression(here, way)
        if "requests" in row.http2:
            await _request_over_http2(way)
        if "websockets" in row.http2:
            await _open_websocket_over_http2(way)


async def sign_in(here: NetworkWorld, folder: Path, way: Way) -> dict[str, str]:
    """Sign the command line in; what its calls need in their environment from then on."""
    session = {**way.environment, "GENBA_CONFIG_DIR": str(folder / "config")}
    token = here.gateway.token
    done = await run_genba("login", way.url, "--token", token, "--use-token-as-session", folder=folder, env=session)
    assert done.code == 0, done
    return session


async def _do_everything(here: NetworkWorld, folder: Path, way: Way) -> None:
    """Sign in, run a program over ssh, move 1 MiB both ways, and follow the log, each with the real command line."""
    session = await sign_in(here, folder, way)
    async with running_genba("logs", "-f", "demo", folder=folder, env=session) as following:
        sent = secrets.token_hex(MIB // 2)
        came = await run_genba("ssh", "demo", "--", "cat; exit 7", folder=folder, stdin=sent.encode(), env=session)
        assert (came.code, came.out == sent) == (7, True), came.err
        line = secrets.token_hex(8)
        await asyncio.to_thread(here.chat, line)
        await following.wait_until(lambda: line in following.out)


async def _offer_compression(here: NetworkWorld, way: Way) -> None:
    """A terminal of a browser, which would compress, is served without."""
    query = f"reconnect={uuid.uuid4()}&width=80&height=24"
    url = f"ws{way.url.removeprefix('http')}/api/v2/workspaceagents/{here.agent_id}/pty?{query}"
    proxy = way.environment.get("HTTPS_PROXY")
    tls = way.make_context("http/1.1") if url.startswith("wss:") else None
    async with connect(
        url, compression="deflate", additional_headers=here.gateway.headers, proxy=proxy, ssl=tls
    ) as terminal:
        assert terminal.response is not None
        assert "Sec-WebSocket-Extensions" not in terminal.response.headers
        await terminal.send(json.dumps({"data": "echo mark-$((6*7)); exit\r"}).encode())
        seen = b""
        while b"mark-42" not in seen:
            message = await terminal.recv()
            seen += message.encode() if isinstance(message, str) else message


async def _request_over_http2(way: Way) -> None:
    async with httpx.AsyncClient(http2=True, verify=way.make_context(), trust_env=False) as client:
        answer = await client.get(f"{way.url}/api/v2/buildinfo")
    assert (answer.http_version, answer.status_code) == ("HTTP/2", 200)
    assert answer.json()["version"] == VERSION


async def _open_websocket_over_http2(way: Way) -> None:
    port = int(way.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=way.make_context("h2"))
    client = Http2Client(reader, writer, "https")
    await client.open_websocket(port, RELAY_MAP)
    received = b""
    while b"Regions" not in received:
        received += await client.receive()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
