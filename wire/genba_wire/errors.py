"""Errors of the wire.

WireError
├── TransportError        the gateway could not be asked
│   ├── GatewayUnreachable    no answer at all: DNS, TCP, TLS, a proxy, a time-out
│   │   └── HttpWayClosed         carriers over HTTP requests don't pass: somebody else answers, or holds answers back
│   └── GatewayRefused        an answer with a status of 400 or more
├── ProtocolError         the rules of a protocol were broken
│   ├── LocalProtocolError    by our caller
│   └── RemoteProtocolError   by the peer
├── CarrierLost           the connection that carries a link broke, or said nothing in time
├── LinkEnded             the link to the other end is over
└── StreamRefused         the other end did not accept a stream, or reset it
"""

from __future__ import annotations


class WireError(Exception):
    """Base of all."""


class TransportError(WireError):
    """The gateway could not be asked."""


class GatewayUnreachable(TransportError):
    """No answer; the message names the address and what failed."""


class HttpWayClosed(GatewayUnreachable):
    """What answers is no gateway, or its answers are held back on the way: no carrier goes over HTTP requests here."""


class GatewayRefused(TransportError):
    """The gateway said no. `message` and `detail` are its words, `status` its HTTP status."""

    def __init__(self, status: int, message: str, detail: str = "", problems: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.detail = detail
        self.problems = problems
        """Refused fields: (JSON name, what is wrong)."""


class ProtocolError(WireError):
    """The rules of a protocol were broken; the subclass says by whom."""


class LocalProtocolError(ProtocolError):
    """Our caller erred: a call that the state does not allow, or a value past a limit. Nothing was sent."""


class RemoteProtocolError(ProtocolError):
    """The peer erred; what it sent is of no further use, so the carrier has to be closed.

    `close_code` is the status of RFC 6455 (section 7.4.1) that tells the peer: 1002 in general, 1003 for data of a
    kind that is not accepted, 1007 for text that is not UTF-8, 1009 for a message that is too big.
    """

    def __init__(self, message: str, close_code: int = 1002) -> None:
        super().__init__(message)
        self.close_code = close_code


class CarrierLost(WireError):
    """The connection broke, or the other end said nothing in time: dial again. The link may still be there."""


class LinkEnded(WireError):
    """The link is over. `code` is one of `genba_wire.tunnel.frames.CloseCode`, or a later version's."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason or f"the link ended with code {code}")
        self.code = code
        self.reason = reason


class StreamRefused(WireError):
    """The other end refused a stream. `code` is one of `genba_wire.tunnel.mux_frames.ResetCode`, or a later one."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason or f"the stream was refused with code {code}")
        self.code = code
        self.reason = reason
