"""Which of the gateway's addresses a connection came to."""

from __future__ import annotations

import ipaddress


def came_to(server: tuple[str, int | None] | None, address: tuple[str, int] | None) -> bool:
    """Whether a connection came to a listener.

    Args:
        server: the connection's own end, as ASGI's scope names it.
        address: the listener's IP address and port, which no other listener has there; None for no such listener.
    """
    if server is None or address is None or server[1] != address[1]:
        return False
    return ipaddress.ip_address(address[0]).is_unspecified or server[0] == address[0]
