"""One message for the next page, in a cookie: what a form's redirect has to say.

The message is sealed with the session's token as the key, so that nobody else's cookie is shown as ours: a page on a
subdomain can set cookies for this host.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final, Literal

import msgspec
from quart import Response, request

from genba_gateway.api.gate import HOST_PREFIX, SESSION_COOKIE

FLASH_COOKIE: Final = "genba_flash"
LIFETIME_S: Final = 60
MAX_TEXT_CHARS: Final = 1000
"""Cookies have room for 4 KiB."""

Kind = Literal["good", "bad"]


@dataclass(frozen=True, slots=True)
class Flash:
    """A message, and whether it is good news."""

    kind: Kind
    text: str


def leave_flash(response: Response, kind: Kind, text: str, *, secure: bool) -> Response:
    """Have the next page show a message."""
    body = base64.urlsafe_b64encode(msgspec.json.encode(Flash(kind, text[:MAX_TEXT_CHARS]))).decode()
    value = f"{body}.{_seal(body)}"
    response.set_cookie(FLASH_COOKIE, value, max_age=LIFETIME_S, path="/", httponly=True, samesite="Lax", secure=secure)
    return response


def take_flash() -> Flash | None:
    """The message left for this page; `Pages.show` removes the cookie."""
    body, _, seal = request.cookies.get(FLASH_COOKIE, "").partition(".")
    if not body or not hmac.compare_digest(seal.encode(), _seal(body).encode()):
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(body), type=Flash)
    except (ValueError, msgspec.DecodeError):
        return None


def _seal(body: str) -> str:
    # Of the two, other hosts of the domain can set the plain one only.
    key = request.cookies.get(HOST_PREFIX + SESSION_COOKIE, "") or request.cookies.get(SESSION_COOKIE, "")
    return hmac.new(f"genba-flash:{key}".encode(), body.encode(), hashlib.sha256).hexdigest()
