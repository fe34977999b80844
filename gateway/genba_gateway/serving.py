"""Hypercorn as this gateway runs it: its time-outs, and a certificate that is renewed while it serves."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hypercorn.asyncio import serve  # pyright: ignore[reportUnknownVariableType]  # its middleware is untyped
from hypercorn.config import Config as HypercornConfig
from hypercorn.typing import ASGIFramework

from genba_gateway.config import Config
from genba_gateway.relay.takeover import install_takeover
from genba_gateway.services.server_certificate import CertificateFiles, ServerCertificate
from genba_gateway.services.visibility import utc_now

KEEP_ALIVE_S: Final = 120
"""Longer than proxies' pools keep a connection, so that none is closed under a request (design.md)."""

WEBSOCKET_PING_S: Final = 15
"""Contract 0.2, websocket defaults."""

DRAIN_S: Final = 3
"""How long open requests may take after a shutdown was asked for."""


class ServerSettings(HypercornConfig):
    """Hypercorn's settings, with a certificate that can be renewed in place of its file names."""

    certificate: ServerCertificate | None = None

    @property
    def ssl_enabled(self) -> bool:
        """Whether the listeners speak TLS."""
        return self.certificate is not None

    def create_ssl_context(self) -> ssl.SSLContext | None:
        """The context of all listeners."""
        if self.certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.set_ciphers(self.ciphers)
        context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 7540, 9.2
        context.options |= ssl.OP_NO_COMPRESSION
        context.set_alpn_protocols(self.alpn_protocols)
        self.certificate.install(context)
        return context


def find_certificate(config: Config) -> ServerCertificate | None:
    """The certificate of the settings, checked; None without TLS.

    Raises:
        ConfigError: it can't be used.
    """
    if not config.tls_cert:
        return None
    client_ca = Path(config.tls_client_ca).expanduser() if config.tls_client_ca else None
    files = CertificateFiles(Path(config.tls_cert).expanduser(), Path(config.tls_key).expanduser(), client_ca)
    certificate = ServerCertificate(files, utc_now)
    certificate.check()
    return certificate


def hear_hangups() -> asyncio.Event:
    """An event that SIGHUP sets, by which programs that renew certificates tell servers."""
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, told.set)
    return told


def make_settings(listeners: Sequence[socket.socket], certificate: ServerCertificate | None) -> ServerSettings:
    """How Hypercorn serves on these listeners."""
    settings = ServerSettings()
    settings.certificate = certificate
    settings.bind = [f"fd://{os.dup(listener.fileno())}" for listener in listeners]
    settings.keep_alive_timeout = KEEP_ALIVE_S
    settings.websocket_ping_interval = WEBSOCKET_PING_S
    settings.graceful_timeout = DRAIN_S
    settings.shutdown_timeout = DRAIN_S
    settings.accesslog = None
    settings.errorlog = logging.getLogger("hypercorn.error")
    settings.include_server_header = False
    return settings


async def serve_app(
    app: ASGIFramework,
    listeners: Sequence[socket.socket],
    shutdown: asyncio.Event,
    certificate: ServerCertificate | None,
) -> None:
    """Serve until `shutdown` is set, then drain."""
    install_takeover()

    async def until_shutdown() -> None:
        await shutdown.wait()

    await serve(app, make_settings(listeners, certificate), shutdown_trigger=until_shutdown)
