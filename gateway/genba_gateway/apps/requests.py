"""An ASGI scope as an `AppRequest`, and what is refused without asking anybody."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from genba_gateway.apps.headers import is_well_formed
from genba_gateway.domain.app_access import AppOrigin, AppRequest

Networks: TypeAlias = Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]

PASSED_HEADER: Final = b"x-genba-passed"
"""Has the mark of each gateway that a request to an app has passed: an app's port may lead back to one."""

_PATH: Final = re.compile(rb"/[!-~]*")
"""Not `*`, nor an absolute address, whose host may differ from the header's."""

_METHOD: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Z]+")
"""A token (RFC 9110, 9.1), of capitals as all are: over HTTP/2 anything may come in its place."""

_DOT_SEGMENT: Final = re.compile(rb"/(?:\.|%2e){1,2}(?=/|\\|%5c|%2f|$)", re.IGNORECASE)
"""Browsers resolve them; whoever sends one wants it resolved behind the check."""


def find_host(scope: Mapping[str, Any]) -> str:
    """The host that a request is for, as sent; empty when there is none, or more than one."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return hosts[0].decode("latin-1") if len(hosts) == 1 else ""


def find_fault(scope: Mapping[str, Any]) -> str:
    """Why a request can't be understood in one way only; empty when it can.

    The server in front of us has read it, and we write it anew, so nothing that it got wrong reaches an app. What
    a proxy further out may have read otherwise is refused nevertheless.
    """
    path, headers = bytes(scope["raw_path"]), scope["headers"]
    if scope["type"] == "http" and not _METHOD.fullmatch(scope["method"]):
        return "The request's method is none."
    if not _PATH.fullmatch(path) or not _is_printable(bytes(scope["query_string"])):
        return "The request's address is not a path."
    if _DOT_SEGMENT.search(path):
        return "The request's path has segments of dots."
    if not is_well_formed(headers):
        return "A header of the request has a name or a value that can't be."
    framing = [name for name, _ in headers if name in (b"content-length", b"transfer-encoding")]
    if len(framing) > 1:
        return "The request names the length of its body twice (Content-Length, Transfer-Encoding)."
    if framing == [b"transfer-encoding"] and scope["http_version"] not in ("1.1", "2"):
        return "The request's body comes in chunks, which its version of HTTP does not know."
    return ""


def came_round(scope: Mapping[str, Any], mark: bytes) -> bool:
    """Whether a request has passed the gateway of this mark before."""
    return any(name == PASSED_HEADER and value == mark for name, value in scope["headers"])


def make_request(
    scope: Mapping[str, Any], origin: AppOrigin, host: str, scheme: str, networks: Networks, mark: bytes = b""
) -> AppRequest:
    """The head of a request; nobody is asked about one that `find_fault` finds something in.

    Args:
        scheme: by which browsers reach that origin, as it is configured.
        networks: of trusted proxies, whose word on the client is taken.
        mark: of the gateway, by which it knows the request should it come again.
    """
    headers = scope["headers"]
    is_websocket = scope["type"] == "websocket"
    return AppRequest(
        origin=origin,
        method="GET" if is_websocket else scope["method"],
        scheme=scheme,
        host=host,
        raw_path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=[*headers, (PASSED_HEADER, mark)] if mark else headers,
        client_address=find_client(scope, networks),
        is_websocket=is_websocket,
    )


def find_client(scope: Mapping[str, Any], networks: Networks) -> str:
    """The address that a request came from: through trusted proxies only."""
    peer = scope.get("client")
    address: str = peer[0] if peer else ""
    if not networks or not _is_within(address, networks):
        return address
    chain: list[str] = []
    for name, value in scope["headers"]:
        if name == b"x-forwarded-for":
            chain += [each.strip() for each in value.decode("latin-1").split(",") if each.strip()]
    while chain and _is_within(address, networks):
        address = chain.pop()
    return address if _parse(address) is not None else ""


def _is_printable(query: bytes) -> bool:
    return query.isascii() and not any(byte <= 0x20 or byte == 0x7F for byte in query)


def _is_within(address: str, networks: Networks) -> bool:
    parsed = _parse(address)
    return parsed is not None and any(parsed in network for network in networks)


def _parse(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None
