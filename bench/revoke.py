"""How soon an open session is closed after its user may not go on: gateway, agent and client as they are run."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figures import Benchmark, Figure, median, note
from genba_wire.aio.link_session import LinkSession
from genba_wire.aio.transport import Transport, TransportOptions
from genba_wire.api.terminals import CLIENT_CARRIER_PATH, TICKET_HEADER, TICKET_PATH, TicketRequest, TicketResponse
from tests.support.real_gateway import RealGateway, read_starter

TURNS = 5
CEILING_S = 60
CLOSE_REVOKED = 4001

Act = Callable[[Transport], Awaitable[object]]
"""Takes the right away; it may use the client's own transport."""


@dataclass(slots=True)
class Desk:
    """A running workspace, its owner's gateway, and another owner of the deployment who uses it."""

    gateway: RealGateway
    folder: Path
    workspace: dict[str, Any]
    agent_id: str
    guest: str

    async def make_token(self, user: str = "me") -> str:
        """A session of a user's, of its own."""
        token: str = (await self.gateway.fetch("POST", f"/api/v2/users/{user}/keys"))["key"]
        return token

    async def set_guest(self, column: str, value: str) -> None:
        """Change the guest behind the gateway's back: there is no route yet for what this stands for."""
        await asyncio.to_thread(self._write, f"UPDATE users SET {column} = ? WHERE username = ?", value)  # noqa: S608

    def _write(self, statement: str, value: str) -> None:
        with closing(sqlite3.connect(self.folder / "data" / "genba.db", timeout=CEILING_S)) as database, database:
            database.execute(statement, (value, self.guest))

    async def time_end(self, token: str, act: Act) -> float:
        """Seconds from the act to the end of a session that was open before.

        The gateway closes its carrier, but for a stop: then the agent says goodbye before its machine is gone.
        """
        over = asyncio.Event()
        async with asyncio.timeout(CEILING_S), Transport(TransportOptions(self.gateway.url, token)) as transport:
            path = TICKET_PATH.format(agent_id=self.agent_id)
            ticket = await transport.fetch("POST", path, TicketResponse, body=TicketRequest(purpose="terminal"))
            carrier = await transport.carrier(
                CLIENT_CARRIER_PATH.format(agent_id=self.agent_id), headers={TICKET_HEADER: ticket.ticket}
            )
            session = await LinkSession.connect(carrier, on_lost=lambda _: over.set(), on_closed=lambda _: over.set())
            began = time.monotonic()
            await act(transport)
            await over.wait()
            seconds = time.monotonic() - began
            if session.end is None and carrier.close_code != CLOSE_REVOKED:
                raise RuntimeError(f"the carrier was closed with {carrier.close_code}: {carrier.close_reason}")
            session.close()
        return seconds


async def measure(folder: Path) -> Sequence[Figure]:
    """Take a session's right away in each way, several times; what counts is the slowest of all."""
    async with running_desk(folder) as desk:
        measured = {
            "sign-out": [await _sign_out(desk) for _ in range(TURNS)],
            "token deleted": [await _delete_token(desk) for _ in range(TURNS)],
            "suspended": [await _suspend(desk) for _ in range(TURNS)],
            "role lost": [await _take_role(desk) for _ in range(TURNS)],
            "workspace stopped": [await _stop(desk)],
        }
    for way, seconds in measured.items():
        note(f"resume.revoke_s, {way}: median {median(seconds):.3f}, most {max(seconds):.3f}")
    every = [each for seconds in measured.values() for each in seconds]
    return [Figure("resume.revoke_s", max(every), "s", len(every))]


@asynccontextmanager
async def running_desk(folder: Path) -> AsyncGenerator[Desk]:
    async with RealGateway(folder / "gateway") as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("host", read_starter("host"))
        workspace = await gateway.create_workspace("bench", template["id"])
        await gateway.wait_for_build(workspace["latest_build"]["id"])
        agent = await gateway.wait_for_agent(workspace["id"])
        guest = {"username": "guest", "email": "guest@example.com", "login_type": "none", "password": ""}
        await gateway.fetch("POST", "/api/v2/users", guest)
        desk = Desk(gateway, folder / "gateway", workspace, agent["id"], "guest")
        await desk.set_guest("roles", '["owner"]')
        yield desk
        await gateway.build(workspace["id"], "delete")


async def _sign_out(desk: Desk) -> float:
    return await desk.time_end(
        await desk.make_token(), lambda transport: transport.request("POST", "/api/v2/users/logout")
    )


async def _delete_token(desk: Desk) -> float:
    token = await desk.make_token()
    path = f"/api/v2/users/me/keys/{token.partition('-')[0]}"
    return await desk.time_end(token, lambda _: desk.gateway.request("DELETE", path))


async def _suspend(desk: Desk) -> float:
    seconds = await desk.time_end(await desk.make_token("guest"), lambda _: desk.set_guest("status", "suspended"))
    await desk.set_guest("status", "active")
    return seconds


async def _take_role(desk: Desk) -> float:
    seconds = await desk.time_end(await desk.make_token("guest"), lambda _: desk.set_guest("roles", "[]"))
    await desk.set_guest("roles", '["owner"]')
    return seconds


async def _stop(desk: Desk) -> float:
    path = f"/api/v2/workspaces/{desk.workspace['id']}"
    body = {"transition": "stop"}
    seconds = await desk.time_end(
        await desk.make_token(), lambda _: desk.gateway.request("POST", f"{path}/builds", body)
    )
    await desk.gateway.wait_for(path, lambda found: found["latest_build"]["status"] == "stopped")
    return seconds


BENCHMARK = Benchmark(("resume.revoke_s",), measure)
