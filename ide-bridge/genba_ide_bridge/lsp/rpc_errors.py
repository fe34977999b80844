"""From our errors to those of JSON-RPC (docs/bridge.md, "Errors")."""

from __future__ import annotations

from typing import Final

import msgspec
from pygls.exceptions import JsonRpcException

from genba_ide_bridge.errors import BridgeError, NotSignedIn
from genba_wire.errors import GatewayRefused, GatewayUnreachable

NOT_SIGNED_IN: Final = -32001
GATEWAY_UNREACHABLE: Final = -32002
REFUSED: Final = -32003
INVALID_PARAMETERS: Final = -32602
INTERNAL: Final = -32603

_OF_PROXIES: Final = frozenset({502, 503, 504})
"""What a proxy says while the gateway behind it is away."""


class InvalidParameters(BridgeError):
    """The editor's request can't be carried out as it is."""


def to_rpc_error(error: Exception) -> JsonRpcException:
    """The error to answer a request with."""
    match error:
        case JsonRpcException():
            return error
        case NotSignedIn():
            return _rpc_error(NOT_SIGNED_IN, "notSignedIn", error.message, error.hint)
        case GatewayRefused(status=401):
            return _rpc_error(NOT_SIGNED_IN, "notSignedIn", error.message, error.detail)
        case GatewayRefused() if error.status in _OF_PROXIES:
            return _rpc_error(GATEWAY_UNREACHABLE, "gatewayUnreachable", error.message, error.detail)
        case GatewayRefused():
            problems = "; ".join(f"{field}: {detail}" for field, detail in error.problems)
            hint = " ".join(part for part in (error.detail, problems) if part)
            return _rpc_error(REFUSED, "refused", error.message, hint, status=error.status)
        case GatewayUnreachable():
            return _rpc_error(GATEWAY_UNREACHABLE, "gatewayUnreachable", str(error), "")
        case InvalidParameters():
            return _rpc_error(INVALID_PARAMETERS, "invalidParams", error.message, error.hint)
        case msgspec.ValidationError():
            return _rpc_error(INVALID_PARAMETERS, "invalidParams", f"The parameters are not valid: {error}.", "")
        case BridgeError():
            return _rpc_error(INTERNAL, "internal", error.message, error.hint)
        case _:
            return _rpc_error(INTERNAL, "internal", f"{type(error).__name__} in the bridge; its log says more.", "")


def is_foreseen(error: Exception) -> bool:
    """Whether the error says all there is to know, so that its traceback is of no use."""
    return isinstance(
        error, BridgeError | GatewayRefused | GatewayUnreachable | msgspec.ValidationError | JsonRpcException
    )


def _rpc_error(code: int, kind: str, detail: str, hint: str, status: int | None = None) -> JsonRpcException:
    data: dict[str, str | int] = {"kind": kind, "detail": detail}
    if hint:
        data["hint"] = hint
    if status is not None:
        data["status"] = status
    return JsonRpcException(message=detail, code=code, data=data)
