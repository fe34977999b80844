"""Which kind of failure an exception of the transport is: libraries hide the cause behind their own errors."""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Iterator
from typing import Final, cast

from genba_ide_bridge.diagnosis.findings import Failure, FailureKind
from genba_wire.errors import GatewayRefused

_UNREACHABLE: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.ENETDOWN})

_CERTIFICATE_CODES: Final = {
    10: FailureKind.EXPIRED,
    9: FailureKind.EXPIRED,
    18: FailureKind.UNKNOWN_AUTHORITY,
    19: FailureKind.UNKNOWN_AUTHORITY,
    20: FailureKind.UNKNOWN_AUTHORITY,
    21: FailureKind.UNKNOWN_AUTHORITY,
    62: FailureKind.WRONG_NAME,
    64: FailureKind.WRONG_NAME,
}
"""OpenSSL's X509_V_ERR_*: not yet valid, expired, self-signed, issuer unknown, other host, other address."""


def classify(error: BaseException) -> Failure:
    """Tell what went wrong at the bottom of an error of `genba_wire.aio.transport`."""
    chain = list(_causes(error))
    for cause in chain:
        failure = _classify_one(cause)
        if failure is not None:
            return failure
    return Failure(FailureKind.OTHER, _text(chain[-1]))


def _classify_one(cause: BaseException) -> Failure | None:
    kind: FailureKind | None = None
    if isinstance(cause, GatewayRefused):
        return Failure(FailureKind.STATUS, cause.message, cause.status)
    if isinstance(cause, ssl.SSLCertVerificationError):
        kind = _CERTIFICATE_CODES.get(cause.verify_code, FailureKind.BAD_CERTIFICATE)
    elif isinstance(cause, ssl.SSLWantReadError | ssl.SSLWantWriteError):
        # How a handshake says that it waits.
        return None
    elif isinstance(cause, ssl.SSLError):
        kind = _kind_of_tls(cause.reason or "")
    elif isinstance(cause, socket.gaierror):
        kind = FailureKind.NAME_UNKNOWN
    elif isinstance(cause, ConnectionRefusedError):
        kind = FailureKind.REFUSED
    elif isinstance(cause, ConnectionResetError | BrokenPipeError | EOFError):
        kind = FailureKind.CLOSED
    elif isinstance(cause, TimeoutError):
        kind = FailureKind.TIMED_OUT
    elif isinstance(cause, OSError) and cause.errno in _UNREACHABLE:
        kind = FailureKind.UNREACHABLE
    else:
        # By their names: httpx and websockets are imported by whoever made the request.
        kind = _KINDS_BY_NAME.get(type(cause).__name__)
        if kind is FailureKind.NOT_HTTP and "disconnected" in str(cause):
            kind = FailureKind.CLOSED
    if kind is FailureKind.PROXY:
        status = _STATUS_OF_PROXY.search(str(cause))
        return Failure(kind, _text(cause), int(status[0]) if status else 0)
    return None if kind is None else Failure(kind, _text(cause))


_STATUS_OF_PROXY: Final = re.compile(r"\b[45][0-9]{2}\b")
"""What CONNECT was answered with, as the libraries say it in their texts."""


_KINDS_BY_NAME: Final = {
    "ConnectTimeout": FailureKind.TIMED_OUT,
    "ReadTimeout": FailureKind.TIMED_OUT,
    "ProxyError": FailureKind.PROXY,
    "InvalidProxyStatus": FailureKind.PROXY,
    "InvalidProxyMessage": FailureKind.PROXY,
    "RemoteProtocolError": FailureKind.NOT_HTTP,
    "InvalidMessage": FailureKind.NOT_HTTP,
    "ReadError": FailureKind.CLOSED,
    "InvalidUpgrade": FailureKind.NOT_HTTP,
    "InvalidHeader": FailureKind.NOT_HTTP,
}


def _kind_of_tls(reason: str) -> FailureKind:
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG"):
        return FailureKind.NO_TLS
    if "CERTIFICATE_REQUIRED" in reason or "ALERT_BAD_CERTIFICATE" in reason or "HANDSHAKE_FAILURE" in reason:
        return FailureKind.WANTS_CERTIFICATE
    return FailureKind.CLOSED if "EOF" in reason else FailureKind.BAD_CERTIFICATE


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what is behind it, the innermost first, each member of a group too."""
    behind = error.__cause__ or error.__context__
    if behind is not None:
        yield from _causes(behind)
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        for member in group.exceptions:
            yield from _causes(member)
    yield error


def _text(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
