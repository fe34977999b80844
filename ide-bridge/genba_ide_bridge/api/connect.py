"""Opens the transport to a gateway, importing no more than the command line needs."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from genba_ide_bridge.errors import BridgeError
from genba_wire.header_text import is_header_value
from genba_wire.version import VERSION

if TYPE_CHECKING:
    from genba_wire.aio.transport import Transport

_UNUSED_PARTS = ("httpx._main", "h2")
"""httpx's own command line (with rich and pygments), and HTTP/2.

Both are optional to httpx: it catches their ImportError. The transport speaks HTTP/1.1 only, and importing them
costs more than half of what a short command like `genba list` takes in all.
"""


def open_transport(
    url: str,
    token: str,
    headers: Mapping[str, str],
    ca_file: str | None = None,
    client_cert: str | None = None,
    client_key: str | None = None,
) -> Transport:
    """Make a transport; the caller closes it.

    Raises:
        GatewayUnreachable: a file of certificates, or `GENBA_WEBSOCKETS`, can't be used.
        BridgeError: the token or a header can't be sent.
    """
    _check_text("The session token", token)
    for name, value in headers.items():
        _check_text(f'The value of the header "{name}"', value)
    _import_http_client()
    from genba_wire.aio.carrier_ways import read_websocket_use
    from genba_wire.aio.transport import Transport, TransportOptions

    return Transport(
        TransportOptions(
            base_url=url,
            token=token,
            headers=headers,
            ca_file=ca_file or None,
            client_cert=client_cert or None,
            client_key=client_key or None,
            user_agent=f"genba/{VERSION}",
            websockets=read_websocket_use(os.environ),
        )
    )


def _check_text(what: str, text: str) -> None:
    if not is_header_value(text):
        raise BridgeError(
            f"{what} holds something that no header can carry.",
            "It may have ASCII letters, digits and signs only: was it copied whole, and nothing else with it?",
        )


def _import_http_client() -> None:
    hidden = [name for name in _UNUSED_PARTS if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # None is Python's own mark for "can't be imported"
    try:
        import httpcore
        import httpx
    finally:
        for name in hidden:
            del sys.modules[name]
    del httpcore, httpx
