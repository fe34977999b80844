"""The further address of `--agent-listen`: it serves what agents need, `/bin`, and nothing else.

It lets a gateway that otherwise listens on loopback be reached by containers of its own machine.
"""

from __future__ import annotations

from typing import Any, Final

from quart import Quart, request, websocket
from werkzeug.exceptions import NotFound

from genba_gateway.api.gate import need_of
from genba_gateway.domain.actors import RouteAccess
from genba_gateway.domain.listeners import came_to

_OPEN_PATHS: Final = frozenset({"/healthz", "/api/v2/buildinfo", "/api/v2/agent-reports"})


def install_agent_listener(app: Quart, address: tuple[str, int]) -> None:
    """Refuse everything else on connections that came to this address. Call it before `install_gate`.

    Args:
        address: IP address and port. No other listener has the port on that address.
    """

    def check(incoming: Any) -> None:
        if not came_to(incoming.scope.get("server"), address):
            return
        need = need_of(app, incoming.endpoint) if incoming.endpoint else None
        path: str = incoming.path
        if need is not RouteAccess.AGENT and path not in _OPEN_PATHS and not path.startswith("/bin/"):
            raise NotFound

    async def check_http() -> None:
        check(request)

    async def check_websocket() -> None:
        check(websocket)

    app.before_request(check_http)
    app.before_websocket(check_websocket)
