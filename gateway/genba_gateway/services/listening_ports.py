"""Ports that a workspace listens on: its agent is asked, and what is no news to people is left out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

import msgspec

from genba_gateway.domain.actors import UserActor
from genba_gateway.domain.agents import App
from genba_gateway.errors import AgentNotConnected, AgentUnreachable, BadRequest, WorkspaceNotRunning
from genba_gateway.services.agent_links import AgentLinks
from genba_gateway.services.agent_sessions import AgentSessions
from genba_gateway.services.agents import Agents
from genba_wire.aio.stream_channel import StreamChannel
from genba_wire.api.agents import ListeningPort, ListeningPorts
from genba_wire.api.message import decode_message
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.streams import PORTS

ANSWER_S: Final = 30.0
"""How long the agent may take (contract 1.14)."""

MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024
"""All 65,535 ports with long names fit."""

IGNORED_PORTS: Final = frozenset(
    {*range(9), 20, 21, 22, 23, 25, 53, 110, 143, 179, 389, 465, 587, 636, 989, 990, 993, 995}
    | {3306, 3389, 5432, 27017, 27018, 27019, 28017}
)
"""System services and databases, which no browser speaks with (contract 1.14)."""

_LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})


class ListeningPortsOf:
    """Lists the ports of agents."""

    def __init__(self, agents: Agents, sessions: AgentSessions, links: AgentLinks) -> None:
        self._agents = agents
        self._sessions = sessions
        self._links = links

    async def list_ports(self, actor: UserActor, agent_id: str) -> ListeningPorts:
        """Ports that a program of the workspace listens on, and that no app stands for.

        Raises:
            BadRequest: not a UUID, or the agent is not connected (contract 1.14).
            NotFound: no such agent, or not the actor's to use.
            AgentUnreachable: the agent can't be asked, or is of a version that can't say.
        """
        agent = await self._agents.get_agent(actor, agent_id)
        try:
            await self._sessions.grant(actor, agent_id)
        except (WorkspaceNotRunning, AgentNotConnected) as error:
            raise BadRequest(error.message, detail=error.detail) from error
        found = await self._ask(agent.id)
        return ListeningPorts(ports=leave_out_known(found.ports, agent.apps))

    async def _ask(self, agent_id: str) -> ListeningPorts:
        try:
            async with asyncio.timeout(ANSWER_S), self._links.open_stream(agent_id, PORTS, b"{}") as opened:
                return decode_message(await _read_all(StreamChannel(opened.stream)), ListeningPorts)
        except TimeoutError as error:
            raise AgentUnreachable(f"The agent did not list its ports within {ANSWER_S:g} s.") from error
        except StreamRefused as error:
            raise AgentUnreachable(f"The agent broke off: {error}.") from error
        except msgspec.MsgspecError as error:
            raise AgentUnreachable(f"The agent's list of ports can't be read: {error}.") from error


def leave_out_known(ports: Iterable[ListeningPort], apps: Iterable[App]) -> list[ListeningPort]:
    """Drop well-known services, and ports that an app shows already."""
    known = IGNORED_PORTS | {port for app in apps if (port := _port_of(app.url)) is not None}
    return [each for each in ports if each.port not in known]


def _port_of(url: str) -> int | None:
    try:
        parts = urlsplit(url)
        return parts.port if parts.hostname in _LOCAL_HOSTS else None
    except ValueError:
        return None


async def _read_all(channel: StreamChannel) -> bytes:
    data = bytearray()
    while piece := await channel.read():
        data += piece
        if len(data) > MAX_ANSWER_BYTES:
            raise AgentUnreachable("The agent's list of ports is too long.")
    return bytes(data)
