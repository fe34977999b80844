"""One request and its answer, typed or as raw JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import msgspec

from genba_ide_bridge.errors import BridgeError
from genba_wire.api.message import decode_message

if TYPE_CHECKING:
    import httpx

    from genba_wire.aio.transport import Transport

MessageT = TypeVar("MessageT")

BUILD_VERSION_HEADER = "X-Coder-Build-Version"
"""On every answer of a gateway (contract 0.2)."""


def in_path(text: str) -> str:
    """Quote a name that a user gave, for one segment of a path."""
    return quote(text, safe="")


class Calls:
    """Requests under /api/v2 over one transport.

    Raises (every method):
        GatewayUnreachable: no answer.
        GatewayRefused: a status of 400 or more.
        BridgeError: an answer that is not the API's.
    """

    def __init__(self, transport: Transport, on_version: Callable[[str], None] | None = None) -> None:
        self.transport = transport
        self._on_version = on_version

    async def send(
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
        """Send one request; `path` is below /api/v2."""
        response = await self.transport.request(
            method,
            "/api/v2" + path,
            body=body,
            content=content,
            params=params,
            headers=headers,
            timeout_s=timeout_s,
        )
        version = response.headers.get(BUILD_VERSION_HEADER, "")
        if version and self._on_version is not None:
            self._on_version(version)
        return response

    async def fetch(
        self,
        method: str,
        path: str,
        message_type: type[MessageT],
        *,
        body: object = None,
        params: Mapping[str, str] | None = None,
    ) -> MessageT:
        """Send one request and decode its answer."""
        response = await self.send(method, path, body=body, params=params)
        try:
            return decode_message(response.content, message_type)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self._not_the_api(method, path, error) from error

    async def fetch_json(self, method: str, path: str, *, params: Mapping[str, str] | None = None) -> object:
        """Send one request and keep its JSON as it came, with keys that we don't know."""
        response = await self.send(method, path, params=params)
        try:
            value: object = json.loads(response.content)
        except ValueError as error:
            raise self._not_the_api(method, path, error) from error
        return value

    def _not_the_api(self, method: str, path: str, error: Exception) -> BridgeError:
        return BridgeError(
            f"{self.transport.options.base_url} answered {method} /api/v2{path} with something that is not Genba's API"
            f" ({error}).",
            "Check the URL: another server may be listening there, or the gateway is much newer than this program.",
        )
