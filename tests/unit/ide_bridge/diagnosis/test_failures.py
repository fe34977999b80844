from __future__ import annotations

import errno
import socket
import ssl

import httpx
import pytest

from genba_ide_bridge.diagnosis.failures import classify
from genba_ide_bridge.diagnosis.findings import Failure, FailureKind
from genba_wire.errors import GatewayRefused


def hide(error: BaseException) -> Exception:
    """An error as libraries hand it on: behind their own, and within a group."""
    outer = RuntimeError("All connection attempts failed")
    outer.__cause__ = BaseExceptionGroup("attempts", [error])
    return outer


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (socket.gaierror(-2, "Name or service not known"), FailureKind.NAME_UNKNOWN),
        (ConnectionRefusedError(111, "Connection refused"), FailureKind.REFUSED),
        (ConnectionResetError(104, "Connection reset by peer"), FailureKind.CLOSED),
        (TimeoutError(), FailureKind.TIMED_OUT),
        (OSError(errno.EHOSTUNREACH, "No route to host"), FailureKind.UNREACHABLE),
        (ValueError("odd"), FailureKind.OTHER),
    ],
)
def test_cause_is_found_behind_other_errors(error: BaseException, kind: FailureKind) -> None:
    assert classify(hide(error)).kind == kind


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("WRONG_VERSION_NUMBER", FailureKind.NO_TLS),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", FailureKind.WANTS_CERTIFICATE),
        ("UNEXPECTED_EOF_WHILE_READING", FailureKind.CLOSED),
        ("NO_CIPHERS_AVAILABLE", FailureKind.BAD_CERTIFICATE),
    ],
)
def test_reasons_of_tls_are_told_apart(reason: str, kind: FailureKind) -> None:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    assert classify(hide(error)).kind == kind


def test_handshake_that_waits_is_no_failure_of_tls() -> None:
    error = TimeoutError()
    error.__context__ = ssl.SSLWantReadError(2, "The operation did not complete (read)")
    assert classify(hide(error)).kind == FailureKind.TIMED_OUT


def test_refusal_keeps_its_status() -> None:
    assert classify(GatewayRefused(502, "Bad Gateway")) == Failure(FailureKind.STATUS, "Bad Gateway", 502)


@pytest.mark.parametrize(
    ("said", "status"), [("407 Proxy Authentication Required", 407), ("rejected: HTTP 403", 403), ("odd answer", 0)]
)
def test_status_of_a_proxy_is_read_from_what_the_library_says(said: str, status: int) -> None:
    assert classify(httpx.ProxyError(said)) == Failure(FailureKind.PROXY, said, status)
