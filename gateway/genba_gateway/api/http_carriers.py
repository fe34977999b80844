"""Carriers over plain HTTP requests, for peers that no websocket reaches (docs/protocol.md).

The three websockets that are carriers have these routes beside them, behind their own path and with their own
credentials: one that opens, one answer that carries what comes down, and requests that carry what goes up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NoReturn, cast

from quart import Blueprint, Response, request

from genba_gateway.api.answers import answer, no_content
from genba_gateway.api.gate import client_address, current_agent, needs
from genba_gateway.api.http_answers import CarrierBody
from genba_gateway.api.stream_ends import end_of_stream
from genba_gateway.domain.actors import RouteAccess
from genba_gateway.domain.users import Visitor
from genba_gateway.errors import BadRequest, GenbaError, UpgradeRequired
from genba_gateway.relay.http_answers import abort_connection
from genba_gateway.relay.http_carriers import HttpCarriers, Serve
from genba_gateway.relay.http_end import HttpEnd
from genba_gateway.services.agent_controls import AgentControls, CarrierSocket
from genba_gateway.services.agent_dials import AgentDials
from genba_gateway.services.agent_sessions import AgentSessions
from genba_gateway.services.client_carriers import ClientCarriers
from genba_gateway.services.visibility import parse_id
from genba_wire.aio.carrier import CLOSE_INTERNAL_ERROR
from genba_wire.aio.transport import SESSION_TOKEN_HEADER
from genba_wire.api.agent_protocol import CONTROL_PATH
from genba_wire.api.http_carriers import (
    CARRIER_HEADER,
    CONTENT_TYPE,
    DOWN_SUFFIX,
    NOT_YET,
    NUMBER_HEADER,
    OPEN_SUFFIX,
    UP_SUFFIX,
    HttpCarrierOpened,
)
from genba_wire.api.terminals import AGENT_CARRIER_PATH, CLIENT_CARRIER_PATH, TICKET_HEADER

MAX_NUMBER_DIGITS: Final = 18

Opener = Callable[..., Awaitable[tuple[str, Serve]]]
"""Checks a request by its websocket's rules; returns whose the carrier will be, and what serves it."""


def make_blueprint(
    sessions: AgentSessions,
    carriers: ClientCarriers,
    dials: AgentDials,
    controls: AgentControls,
    table: HttpCarriers | None = None,
) -> Blueprint:
    """Routes beside those of the three kinds of carriers."""
    blueprint = Blueprint("http_carriers", __name__)
    table = HttpCarriers() if table is None else table

    async def open_client_carrier(agent_id: str) -> tuple[str, Serve]:
        ticket = request.headers.get(TICKET_HEADER, "")
        grant, purpose = await sessions.redeem_ticket(ticket, parse_id(agent_id, "workspaceagent"))
        visitor = Visitor(client_address(), request.headers.get("User-Agent", "")[:256])

        async def serve(end: HttpEnd) -> None:
            await carriers.relay(grant, purpose, end, visitor)

        return f"user {grant.user_id}", serve

    async def open_agent_carrier() -> tuple[str, Serve]:
        actor = current_agent()
        nonce = await dials.redeem_ticket(request.headers.get(TICKET_HEADER, ""), actor)

        async def serve(end: HttpEnd) -> None:
            try:
                await dials.deliver(actor, nonce, end)
            except GenbaError as error:  # whoever waited has left since the ticket was read
                end.close(CLOSE_INTERNAL_ERROR, error.message)

        return f"agent {actor.agent_id}", serve

    async def open_control() -> tuple[str, Serve]:
        actor = current_agent()

        async def serve(end: HttpEnd) -> None:
            end.close(*await controls.serve(actor, CarrierSocket(end)))

        return f"agent {actor.agent_id}", serve

    _add_routes(
        blueprint, table, CLIENT_CARRIER_PATH.format(agent_id="<agent_id>"), RouteAccess.TICKET, open_client_carrier
    )
    _add_routes(blueprint, table, AGENT_CARRIER_PATH, RouteAccess.AGENT, open_agent_carrier)
    _add_routes(blueprint, table, CONTROL_PATH, RouteAccess.AGENT, open_control)
    return blueprint


def _add_routes(blueprint: Blueprint, table: HttpCarriers, path: str, need: RouteAccess, opener: Opener) -> None:
    name = opener.__name__

    # Nothing is told here but what the address is for; agents' own addresses answer agents only.
    @needs(RouteAccess.AGENT if need is RouteAccess.AGENT else RouteAccess.PUBLIC)
    async def explain(**_: str) -> NoReturn:
        raise UpgradeRequired(
            "This address takes websockets, and this request asks for none.",
            detail="Its Upgrade header was lost, if it had one: a proxy has to pass Upgrade and Connection on.",
        )

    @needs(need)
    async def open_carrier(**names: str) -> Response:
        owner, serve = await opener(**names)
        response = answer(HttpCarrierOpened(carrier=table.open(owner, _credentials(path), serve)), 201)
        response.headers["Cache-Control"] = "no-store"
        return response

    @needs(need)
    async def send_down(**_: str) -> Response:
        carrier = table.take_up(request.headers.get(CARRIER_HEADER, ""), _credentials(path))
        scope = cast("Mapping[str, object]", request.scope)
        body = CarrierBody(
            carrier.end,
            carrier.serve,
            end_of_stream(is_counted=False),
            lambda: table.forget(carrier),
            lambda: abort_connection(scope),
        )
        response = Response(body, content_type=CONTENT_TYPE)
        response.timeout = None
        response.headers["Cache-Control"] = "no-store, no-transform"
        response.headers["X-Accel-Buffering"] = "no"
        return response

    @needs(need)
    async def take_up(**_: str) -> Response:
        end = table.get_end(request.headers.get(CARRIER_HEADER, ""), _credentials(path))
        data = cast("bytes", await request.get_data(cache=False))
        is_taken = await end.take(_read_number(), data)
        return no_content() if is_taken else Response(b"", status=NOT_YET)

    blueprint.add_url_rule(path, f"{name}_explain", explain, methods=["GET"])
    blueprint.add_url_rule(path + OPEN_SUFFIX, f"{name}_open", open_carrier, methods=["POST"])
    blueprint.add_url_rule(path + DOWN_SUFFIX, f"{name}_down", send_down, methods=["GET"])
    blueprint.add_url_rule(path + UP_SUFFIX, f"{name}_up", take_up, methods=["POST"])


def _credentials(path: str) -> str:
    """What every request of one carrier has in common besides its secret: kind, agent, and the token it was sent with.

    The gate has checked an agent's token; a client's may have expired, and is compared only.
    """
    token = request.headers.get(SESSION_TOKEN_HEADER, "")
    return f"{path} {(request.view_args or {}).get('agent_id', '')} {token}"


def _read_number() -> int:
    text = request.headers.get(NUMBER_HEADER, "")
    if not text.isascii() or not text.isdigit() or len(text) > MAX_NUMBER_DIGITS:
        raise BadRequest(f"The header {NUMBER_HEADER} has to number this piece, from 0 in decimal.")
    return int(text)
