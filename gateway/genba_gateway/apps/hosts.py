"""Requests for no host, for more than one, or for what can't be one: nobody answers them (RFC 9110, 7.2; 9112, 3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genba_gateway.domain.app_hosts import parse_host


def is_host(host: str) -> bool:
    """Whether this can be a host, and perhaps a port, which may be left empty (RFC 3986, 3.2.3)."""
    return parse_host(host.removesuffix(":")) is not None


def find_host_fault(scope: Mapping[str, Any]) -> str:
    """What is wrong with the host that a request or websocket names; empty when nothing is.

    A proxy further out may have read such a host otherwise, or a browser have connected to another one.
    """
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    if not hosts:
        return "" if scope["http_version"] == "1.0" else "The request names no host."
    if len(hosts) > 1:
        return "The request names more than one host."
    if not is_host(hosts[0]):
        return "The request's Host is neither a host's name nor an address, with a port perhaps."
    return ""
