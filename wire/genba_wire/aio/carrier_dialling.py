"""One carrier to be opened, either way: the transport's `Ways`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpx

from genba_wire.aio.transport import refusal_of
from genba_wire.errors import GatewayRefused, GatewayUnreachable, TransportError

if TYPE_CHECKING:
    from genba_wire.aio.carrier import DialledCarrier
    from genba_wire.aio.transport import Transport

PROBE_PATH: Final = "/api/v2/buildinfo"

PROBE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class CarrierDial:
    """Path, query and headers of one carrier, and what opens it.

    What only the second way needs is imported there: most calls of the command line never do.
    """

    transport: Transport
    path: str
    params: Mapping[str, str] | None
    headers: Mapping[str, str]

    async def open_websocket(self) -> DialledCarrier:
        """Open it by websocket."""
        from genba_wire.aio.handshake import TakenConnection

        # The link above pings, so the library starts no task of its own.
        connection = await self.transport.open_websocket(
            self.path, self.params, self.headers, ping_interval=None, create_connection=TakenConnection
        )
        assert isinstance(connection, TakenConnection)  # noqa: S101  # for the type checkers
        try:
            return connection.take()
        except OSError as error:
            raise GatewayUnreachable(self.transport.explain(error)) from error

    async def open_http(self) -> DialledCarrier:
        """Open it over HTTP requests."""
        from genba_wire.aio.http_dialling import make_limits, open_http_carrier

        client = self.transport.use_carrier_client(make_limits())
        try:
            return await open_http_carrier(client, self.path, params=self.params, headers=self.headers, refuse=_refuse)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise GatewayUnreachable(self.transport.explain(error)) from error

    async def is_answering(self) -> bool:
        """Whether the gateway answers a plain request."""
        try:
            response = await self.transport.request("GET", PROBE_PATH, timeout_s=PROBE_S)
        except TransportError:
            return False
        return response.status_code == 200

    def read_refusal(self, error: TransportError) -> tuple[str, bool] | None:
        """What a failed handshake says of websockets."""
        from genba_wire.aio.websocket_refusals import read_refusal

        refusal = read_refusal(error, self.transport.options.base_url)
        return None if refusal is None else (refusal.reason, refusal.is_doubtful)


def _refuse(response: httpx.Response) -> GatewayRefused:
    return refusal_of(response.status_code, response.content)


async def lacks_websockets(transport: Transport, error: TransportError) -> bool:
    """Tell whether `Transport.websocket` failed since no websocket passes: see `CarrierWays.lacks_websockets`."""
    return await transport.carrier_ways.lacks_websockets(CarrierDial(transport, "", None, {}), error)
