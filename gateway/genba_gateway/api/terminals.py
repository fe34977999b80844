"""The web terminal (contract 3.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import UUID

from quart import Blueprint, Response, websocket

from genba_gateway.api.carriers import visitor_of_websocket
from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.session_grants import USE_AGENT
from genba_gateway.errors import AgentNotConnected, BadRequest, FieldProblem, WorkspaceNotRunning
from genba_gateway.relay.ends import carrier_of
from genba_gateway.relay.quart_end import accepted_end
from genba_gateway.services.agent_sessions import AgentSessions
from genba_gateway.services.terminals import Terminals
from genba_wire.tunnel.streams import MAX_CELLS, PtyOpen

DEFAULT_CELLS: Final = 80
"""Height and width of a terminal whose viewer names none (contract 3.1)."""

MAX_COMMAND_CHARS: Final = 8192
"""It has to fit into the head of a stream."""

RenderPage = Callable[[int, str, str], Response]
"""(status, title, message): a page for people, since a browser may have opened the address."""


def make_blueprint(sessions: AgentSessions, terminals: Terminals, render_page: RenderPage) -> Blueprint:
    """The route of web terminals."""
    blueprint = Blueprint("terminals", __name__)

    @blueprint.websocket("/api/v2/workspaceagents/<agent_id>/pty")
    @needs(USE_AGENT, hidden=True)
    async def open_terminal(agent_id: str) -> Response | None:
        try:
            grant = await sessions.grant(current_user(), agent_id)
        except WorkspaceNotRunning as error:
            return render_page(400, "The workspace is not running", f"{error.message} {error.detail}")
        except AgentNotConnected as error:
            return render_page(502, "The agent is not connected", error.message)
        options = _read_options()
        async with accepted_end(websocket) as end:
            await terminals.serve(grant, options, carrier_of(end), visitor_of_websocket())
        return None

    return blueprint


def _read_options() -> PtyOpen:
    problems: list[FieldProblem] = []
    reconnect = websocket.args.get("reconnect", "")
    try:
        reconnect = str(UUID(reconnect))
    except ValueError:
        problems.append(FieldProblem("reconnect", f"{reconnect!r} is not a UUID"))
    height, width = (_read_cells(name, problems) for name in ("height", "width"))
    command = websocket.args.get("command", "")
    if len(command) > MAX_COMMAND_CHARS:
        problems.append(FieldProblem("command", f"is longer than {MAX_COMMAND_CHARS} characters"))
    if problems:
        raise BadRequest("Query parameters have invalid values.", validations=problems)
    return PtyOpen(reconnect=reconnect, command=command, height=height, width=width)


def _read_cells(name: str, problems: list[FieldProblem]) -> int:
    text = websocket.args.get(name, "") or str(DEFAULT_CELLS)
    if text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= MAX_CELLS:
        return int(text)
    problems.append(FieldProblem(name, f"{text!r} is not a number from 1 to {MAX_CELLS}"))
    return DEFAULT_CELLS
