"""The session with the gateway: kept where the command line keeps it, so that signing in there or here is the same."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from genba_ide_bridge.api.calls import Calls
from genba_ide_bridge.api.client import GatewayClient
from genba_ide_bridge.api.connect import open_transport
from genba_ide_bridge.cli.options import Settings, variable_names
from genba_ide_bridge.cli.session import normalize_url
from genba_ide_bridge.errors import BridgeError, NotSignedIn
from genba_ide_bridge.lsp.messages import SessionResult, SignedInUser, SignInResult
from genba_ide_bridge.lsp.rpc_errors import InvalidParameters
from genba_wire.errors import GatewayRefused, GatewayUnreachable
from genba_wire.version import VERSION

if TYPE_CHECKING:
    from genba_wire.aio.transport import Transport

_EXPLICIT: Final = frozenset([*variable_names("URL"), *variable_names("SESSION_TOKEN")])

log = logging.getLogger(__name__)


class GatewaySession:
    """Who is signed in where. Owns the transports that it opened; `close` closes them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: GatewayClient | None = None
        self._of: tuple[str, str] = ("", "")
        self._transports: list[Transport] = []
        self._opening = asyncio.Lock()

    async def close(self) -> None:
        """Close all connections."""
        for transport in self._transports:
            await transport.close()

    async def get_client(self) -> GatewayClient:
        """A client that is signed in; the same one for as long as the session is.

        The session folder is read each time: `genba login` and `genba logout` in a terminal count here too.

        Raises:
            NotSignedIn: there is no session.
        """
        url, token = await asyncio.to_thread(_read, self._settings)
        async with self._opening:
            if self._client is None or self._of != (url, token):
                # An earlier transport stays open: streams that began with it go on while the gateway lets them.
                self._client = GatewayClient(Calls(await self._open(url, token)))
                self._of = (url, token)
            return self._client

    async def sign_in(self, url: str, token: str) -> SignInResult:
        """Check a token, make a key of this machine's own with it, and keep that.

        Raises:
            InvalidParameters: the address is none.
            NotSignedIn: the gateway does not take the token.
            GatewayUnreachable, GatewayRefused, BridgeError: see `Calls`.
        """
        try:
            address = normalize_url(url)
        except BridgeError as error:
            raise InvalidParameters(error.message, error.hint) from error
        transport = await self._open(address, token.strip())
        try:
            users = GatewayClient(Calls(transport)).users
            user = await users.get_user()
            key = await users.create_key()
        except GatewayRefused as refusal:
            if refusal.status != 401:
                raise
            hint = f"{address}/cli-auth shows a token that works."
            raise NotSignedIn(f"{address} does not take this token: {refusal.message}", hint) from refusal
        finally:
            self._transports.remove(transport)
            await transport.close()
        await asyncio.to_thread(self._settings.folder.write, address, key)
        self._forget_explicit()
        return SignInResult(url=address, user=SignedInUser(id=user.id, username=user.username))

    async def sign_out(self) -> None:
        """End the session at the gateway, and forget it here whether or not that could be done."""
        try:
            client = await self.get_client()
            await client.users.logout()
        except (NotSignedIn, GatewayUnreachable):
            pass
        except GatewayRefused as refusal:
            if refusal.status < 500 and refusal.status != 401:
                raise
        await asyncio.to_thread(self._settings.folder.delete)
        self._forget_explicit()

    async def describe(self) -> SessionResult:
        """Whether the gateway takes the session.

        Raises:
            GatewayUnreachable, GatewayRefused, BridgeError: see `Calls`.
        """
        try:
            client = await self.get_client()
        except NotSignedIn:
            return SessionResult(signed_in=False, version=VERSION)
        try:
            user = await client.users.get_user()
        except GatewayRefused as refusal:
            if refusal.status != 401:
                raise
            return SessionResult(signed_in=False, version=VERSION, url=client.base_url)
        return SessionResult(signed_in=True, version=VERSION, url=client.base_url, username=user.username)

    async def _open(self, url: str, token: str) -> Transport:
        # The command that prints headers is the user's own and may take its time.
        headers = await asyncio.to_thread(self._settings.headers)
        settings = self._settings
        transport = open_transport(url, token, headers, settings.ca_file, settings.client_cert, settings.client_key)
        transport.carrier_ways.on_fallback = _log_fallback
        self._transports.append(transport)
        return transport

    def _forget_explicit(self) -> None:
        """What was signed in to or out of here wins over what the process was started with."""
        flags = replace(self._settings.flags, url=None, token=None)
        kept = {name: value for name, value in self._settings.environment.items() if name not in _EXPLICIT}
        self._settings = Settings(flags, kept)


def _log_fallback(reason: str) -> None:
    from genba_wire.aio.carrier_ways import describe_fallback

    log.warning("%s", describe_fallback(reason))


def _read(settings: Settings) -> tuple[str, str]:
    """The address and token of the session.

    Raises:
        NotSignedIn: there is none.
    """
    url, token = settings.url(), settings.token()
    # A proxy may sign people in by certificate: then the session was kept with an empty token.
    if not token and settings.explicit_token is None and settings.folder.read_url() != url:
        raise NotSignedIn(f"You are not signed in to {url}.", "Sign in with a token.")
    return url, token
