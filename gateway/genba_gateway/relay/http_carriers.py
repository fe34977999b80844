"""The carriers over HTTP requests of this process, by the secret that their peers were given."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from genba_gateway.errors import Conflict, NotFound, TooManyRequests
from genba_gateway.relay.http_end import HttpEnd
from genba_wire.api.http_carriers import TAKE_UP_S

MAX_CARRIERS: Final = 128
"""Of one user, or one agent, at once: each may hold a megabyte, and a client has a handful."""

SECRET_BYTES: Final = 32

Serve = Callable[[HttpEnd], Awaitable[None]]
"""Serves an end until its session is over."""


@dataclass(slots=True)
class HttpCarrier:
    """One carrier, from its opening on. `owner` is whose it is, `holder` a digest of who may use it."""

    owner: str
    holder: bytes
    serve: Serve
    expires_at: float
    end: HttpEnd = field(default_factory=HttpEnd)
    is_taken_up: bool = False


class HttpCarriers:
    """Opens carriers, and finds them again. Nothing of them is written down; their secrets only as digests."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._carriers: dict[bytes, HttpCarrier] = {}

    def __len__(self) -> int:
        return len(self._carriers)

    def open(self, owner: str, credentials: str, serve: Serve) -> str:
        """Open a carrier, to be taken up within `TAKE_UP_S`; returns its secret.

        Args:
            owner: the user or agent whose carriers are counted.
            credentials: what every request of this carrier has in common; others can't use it, whatever they know.
            serve: called when it is taken up.

        Raises:
            TooManyRequests: the owner has `MAX_CARRIERS`.
        """
        self._forget_expired()
        if sum(carrier.owner == owner for carrier in self._carriers.values()) >= MAX_CARRIERS:
            raise TooManyRequests(
                f"You have {MAX_CARRIERS} connections over HTTP requests: close some first.", retry_after_s=10
            )
        secret = secrets.token_urlsafe(SECRET_BYTES)
        self._carriers[_digest(secret)] = HttpCarrier(owner, _digest(credentials), serve, self._clock() + TAKE_UP_S)
        return secret

    def take_up(self, secret: str, credentials: str) -> HttpCarrier:
        """Begin a carrier, once; the caller gives it back to `forget` at its end.

        Raises:
            NotFound: there is none, not any more, or it is somebody else's.
            Conflict: it was taken up before.
        """
        carrier = self._get(secret, credentials)
        if carrier.is_taken_up:
            raise Conflict("This carrier has its answer already; open another one.")
        carrier.is_taken_up = True
        return carrier

    def get_end(self, secret: str, credentials: str) -> HttpEnd:
        """The end of a carrier that was taken up.

        Raises:
            NotFound: there is none, not any more, or it is somebody else's.
            Conflict: it was not taken up yet.
        """
        carrier = self._get(secret, credentials)
        if not carrier.is_taken_up:
            raise Conflict("This carrier has no answer yet: GET it first.")
        return carrier.end

    def forget(self, carrier: HttpCarrier) -> None:
        """The carrier is over."""
        for key in [key for key, each in self._carriers.items() if each is carrier]:
            del self._carriers[key]

    def _get(self, secret: str, credentials: str) -> HttpCarrier:
        self._forget_expired()
        carrier = self._carriers.get(_digest(secret))
        if carrier is None or not compare_digest(carrier.holder, _digest(credentials)):
            raise NotFound("There is no such carrier (any more): open another one.")
        return carrier

    def _forget_expired(self) -> None:
        now = self._clock()
        late = [key for key, each in self._carriers.items() if not each.is_taken_up and now >= each.expires_at]
        for key in late:
            del self._carriers[key]


def _digest(text: str) -> bytes:
    return sha256(text.encode(errors="surrogateescape")).digest()
