"""Each of our errors as an editor gets it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from pygls.exceptions import JsonRpcException

from genba_ide_bridge.errors import BridgeError, NotSignedIn
from genba_ide_bridge.lsp.rpc_errors import InvalidParameters, is_foreseen, to_rpc_error
from genba_wire.errors import GatewayRefused, GatewayUnreachable


@pytest.mark.parametrize(
    ("error", "code", "data"),
    [
        (NotSignedIn("out", "sign in"), -32001, {"kind": "notSignedIn", "detail": "out", "hint": "sign in"}),
        (GatewayRefused(401, "expired"), -32001, {"kind": "notSignedIn", "detail": "expired"}),
        (GatewayUnreachable("away"), -32002, {"kind": "gatewayUnreachable", "detail": "away"}),
        (GatewayRefused(502, "bad gateway"), -32002, {"kind": "gatewayUnreachable", "detail": "bad gateway"}),
        (
            GatewayRefused(409, "busy", "a build runs", (("transition", "not now"),)),
            -32003,
            {"kind": "refused", "detail": "busy", "hint": "a build runs transition: not now", "status": 409},
        ),
        (GatewayRefused(500, "broken"), -32003, {"kind": "refused", "detail": "broken", "status": 500}),
        (InvalidParameters("bad"), -32602, {"kind": "invalidParams", "detail": "bad"}),
        (
            msgspec.ValidationError("no url"),
            -32602,
            {"kind": "invalidParams", "detail": "The parameters are not valid: no url."},
        ),
        (BridgeError("disk full"), -32603, {"kind": "internal", "detail": "disk full"}),
        (
            RuntimeError("secret"),
            -32603,
            {"kind": "internal", "detail": "RuntimeError in the bridge; its log says more."},
        ),
    ],
)
def test_errors_carry_a_kind_and_words(error: Exception, code: int, data: dict[str, Any]) -> None:
    made = to_rpc_error(error)
    assert (made.code, made.data, made.message) == (code, data, data["detail"])
    assert is_foreseen(error) is not isinstance(error, RuntimeError)


def test_an_error_of_json_rpc_stays_as_it_is() -> None:
    error = JsonRpcException("x", -32800)
    assert to_rpc_error(error) is error
