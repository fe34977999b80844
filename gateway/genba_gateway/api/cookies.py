"""A browser's cookies: the session's token, and the token that its unsafe requests repeat (contract 0.2, 5.1)."""

from __future__ import annotations

import secrets

from quart import Response

from genba_gateway.api.gate import CSRF_COOKIE, HOST_PREFIX, SESSION_COOKIE, csrf_cookie
from genba_gateway.config import SESSION_LIFETIME_S

__all__ = ["clear_session_cookies", "csrf_cookie", "set_csrf_cookie", "set_session_cookies"]


def set_session_cookies(response: Response, token: str, *, secure: bool) -> None:
    """Sign the browser in. The session slides, its cookie does not: the server's expiry is what counts."""
    # Browsers on https have to show the first; programs find the second by the contract's name.
    for name in (HOST_PREFIX + SESSION_COOKIE, SESSION_COOKIE) if secure else (SESSION_COOKIE,):
        response.set_cookie(
            name, token, max_age=SESSION_LIFETIME_S, path="/", httponly=True, samesite="Lax", secure=secure
        )
    set_csrf_cookie(response, secrets.token_urlsafe(24), secure=secure)


def set_csrf_cookie(response: Response, value: str, *, secure: bool) -> None:
    """Give the browser the value that its forms and scripts have to repeat. Pages carry it, so no script reads it."""
    name = HOST_PREFIX + CSRF_COOKIE if secure else CSRF_COOKIE
    response.set_cookie(name, value, path="/", httponly=True, samesite="Lax", secure=secure)


def clear_session_cookies(response: Response, *, secure: bool) -> None:
    """Sign the browser out."""
    plain = (SESSION_COOKIE, CSRF_COOKIE)
    for name in (*plain, *(HOST_PREFIX + each for each in plain)) if secure else plain:
        response.delete_cookie(name, path="/", httponly=True, samesite="Lax", secure=secure)
