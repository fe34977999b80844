"""The one transport to a gateway, for command line, bridge and agent.

It alone knows proxies (from the environment), private CAs, client certificates, extra headers and time-outs.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar
from urllib.parse import urlsplit, urlunsplit

import httpx
import msgspec

from genba_wire.aio.carrier_ways import CarrierWays, WebsocketUse
from genba_wire.aio.failure_words import explain_failure
from genba_wire.aio.tls import make_client_context
from genba_wire.api.message import Response, decode_message, encode_message
from genba_wire.errors import GatewayRefused, GatewayUnreachable

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

    from genba_wire.aio.carrier import DialledCarrier

MessageT = TypeVar("MessageT")

SESSION_TOKEN_HEADER: Final = "Coder-Session-Token"
"""Carries users' and agents' tokens (contract 0.2, 1.1)."""

HTTP_TIMEOUT_S: Final = 30.0
"""Default time-out of one request (contract 1.6)."""

WEBSOCKET_OPEN_TIMEOUT_S: Final = 15.0
"""How long a websocket's handshake may take."""

MAX_WEBSOCKET_MESSAGE_BYTES: Final = 16 * 1024 * 1024
"""A workspace or a backlog of log lines in one message stays well below."""


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """How to reach a gateway.

    `ca_file`, `client_cert` and `client_key` are paths of PEM files (`genba_wire.aio.tls`); `headers` go with every
    request.
    """

    base_url: str
    token: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=lambda: dict[str, str](), repr=False)
    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    timeout_s: float = HTTP_TIMEOUT_S
    user_agent: str = "genba"
    websockets: WebsocketUse = WebsocketUse.AUTO


class Transport:
    """Requests and websockets to one gateway. Use as an async context manager; closing it closes its connections.

    Raises:
        GatewayUnreachable: a certificate file of the options can't be used.
    """

    def __init__(self, options: TransportOptions) -> None:
        self.options = options
        self._ssl = _make_ssl_context(options)
        self.carrier_ways = CarrierWays(options.websockets)
        self._client = self._make_client()
        self._carrier_client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close idle connections."""
        await self._client.aclose()
        if self._carrier_client is not None:
            await self._carrier_client.aclose()

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> httpx.Response:
        """Send one request; `body` is a message to be encoded as JSON, `content` raw bytes.

        Raises:
            GatewayUnreachable: no answer.
            GatewayRefused: a status of 400 or more.
        """
        all_headers = dict(headers or {})
        if body is not None:
            content = encode_message(body)
            all_headers.setdefault("Content-Type", "application/json")
        try:
            response = await self._client.request(
                method,
                path,
                content=content,
                params=params,
                headers=all_headers,
                timeout=self.options.timeout_s if timeout_s is None else timeout_s,
            )
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise GatewayUnreachable(self.explain(error)) from error
        if response.status_code >= 400:
            raise refusal_of(response.status_code, response.content)
        return response

    @asynccontextmanager
    async def stream(self, path: str) -> AsyncGenerator[httpx.Response]:
        """GET an answer whose body is read as it comes; it is closed at the end of the block.

        Raises:
            GatewayUnreachable, GatewayRefused: see `request`; a body that breaks off is a GatewayUnreachable, too.
        """
        try:
            async with self._client.stream("GET", path) as response:
                if response.status_code >= 400:
                    raise refusal_of(response.status_code, await response.aread())
                yield response
        except (httpx.HTTPError, OSError) as error:
            raise GatewayUnreachable(self.explain(error)) from error

    async def fetch(
        self,
        method: str,
        path: str,
        message_type: type[MessageT],
        *,
        body: object = None,
        params: Mapping[str, str] | None = None,
    ) -> MessageT:
        """Send one request and decode its JSON answer.

        Raises:
            GatewayUnreachable, GatewayRefused: see `request`.
            GatewayUnreachable: the answer is not what the contract says (another server is listening there).
        """
        response = await self.request(method, path, body=body, params=params)
        try:
            return decode_message(response.content, message_type)
        except msgspec.MsgspecError as error:
            raise GatewayUnreachable(
                f"{self.options.base_url} answered {method} {path} with something that is not Genba's API ({error}). "
                "Check the URL."
            ) from error

    @asynccontextmanager
    async def websocket(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        ping_interval_s: float | None = 15.0,
        ping_timeout_s: float | None = 30.0,
    ) -> AsyncGenerator[ClientConnection]:
        """Open a websocket (no compression; HTTP/1.1 only) and close it at the end of the block.

        Raises:
            GatewayUnreachable: no answer.
            GatewayRefused: the handshake was refused with a status.
        """
        connection = await self.open_websocket(
            path, params, {}, ping_interval=ping_interval_s, ping_timeout=ping_timeout_s
        )
        self.carrier_ways.note_websocket()
        try:
            yield connection
        finally:
            await connection.close()

    async def carrier(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        within_s: float | None = None,
    ) -> DialledCarrier:
        """Open a carrier; the caller closes it. `headers` go with what opens it, besides the usual ones.

        It is a websocket wherever those pass (`carrier_ways`). Who waits no longer than `within_s` says so.

        Raises:
            GatewayUnreachable, GatewayRefused: see `websocket`.
        """
        from genba_wire.aio.carrier_dialling import CarrierDial

        return await self.carrier_ways.open(CarrierDial(self, path, params, headers or {}), within_s=within_s)

    def use_carrier_client(self, limits: httpx.Limits) -> httpx.AsyncClient:
        """The HTTP client of carriers that are no websockets; made when the first one is."""
        if self._carrier_client is None:
            self._carrier_client = self._make_client(limits=limits)
        return self._carrier_client

    def explain(self, error: Exception) -> str:
        """Say why the gateway could not be asked."""
        return explain_failure(self.options.base_url, error, shows_certificate=bool(self.options.client_cert))

    async def open_websocket(
        self, path: str, params: Mapping[str, str] | None, headers: Mapping[str, str], **how: Any
    ) -> ClientConnection:
        """Open a websocket as `how` says; the caller closes it. See `websocket`."""
        from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI

        from genba_wire.aio.handshake import DirectConnect

        secure: dict[str, Any] = {"ssl": self._ssl} if self._ssl is not None else {}
        try:
            return await DirectConnect(
                self._websocket_url(path, params),
                additional_headers={**self._headers(), **headers},
                user_agent_header=None,
                compression=None,
                open_timeout=WEBSOCKET_OPEN_TIMEOUT_S,
                close_timeout=2,
                max_size=MAX_WEBSOCKET_MESSAGE_BYTES,
                **secure,
                **how,
            )
        except InvalidStatus as error:
            raise refusal_of(error.response.status_code, bytes(error.response.body or b"")) from error
        except (InvalidHandshake, InvalidURI, OSError, TimeoutError) as error:
            raise GatewayUnreachable(self.explain(error)) from error

    def _make_client(self, **how: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.options.base_url.rstrip("/"),
            headers=self._headers(),
            timeout=self.options.timeout_s,
            verify=self._ssl if self._ssl is not None else False,
            **how,
        )

    def _headers(self) -> dict[str, str]:
        headers = {"User-Agent": self.options.user_agent, **self.options.headers}
        if self.options.token:
            headers[SESSION_TOKEN_HEADER] = self.options.token
        return headers

    def _websocket_url(self, path: str, params: Mapping[str, str] | None) -> str:
        parts = urlsplit(self.options.base_url)
        scheme = "wss" if parts.scheme == "https" else "ws"
        query = str(httpx.QueryParams(params)) if params else ""
        return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + path, query, ""))


def refusal_of(status: int, body: bytes) -> GatewayRefused:
    """Turn an answer of 400 or more into an error with the gateway's words."""
    try:
        said = decode_message(body, Response)
    except msgspec.MsgspecError:
        text = body.decode(errors="replace").strip()
        return GatewayRefused(status, text[:500] or f"The gateway answered with status {status}.")
    problems = tuple((problem.field, problem.detail) for problem in said.validations)
    return GatewayRefused(status, said.message, said.detail, problems)


def _make_ssl_context(options: TransportOptions) -> ssl.SSLContext | None:
    if not options.base_url.startswith("https:"):
        return None
    return make_client_context(options.ca_file, options.client_cert, options.client_key)
