"""Errors of the wire.

WireError
└── TransportError        the gateway could not be asked
    ├── GatewayUnreachable    no answer at all: DNS, TCP, TLS, a proxy, a time-out
    └── GatewayRefused        an answer with a status of 400 or more
"""

from __future__ import annotations


class WireError(Exception):
    """Base of all."""


class TransportError(WireError):
    """The gateway could not be asked."""


class GatewayUnreachable(TransportError):
    """No answer; the message names the address and what failed."""


class GatewayRefused(TransportError):
    """The gateway said no. `message` and `detail` are its words, `status` its HTTP status."""

    def __init__(self, status: int, message: str, detail: str = "", problems: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.detail = detail
        self.problems = problems
        """Refused fields: (JSON name, what is wrong)."""
