"""A browser's cookies: the session's token, and the token that its unsafe requests repeat (contract 0.2, 5.1)."""

from __future__ import annotations

import secrets

from quart import Response, request

from genba_gateway.api.gate import CSRF_COOKIE, SESSION_COOKIE
from genba_gateway.config import SESSION_LIFETIME_S


def set_session_cookies(response: Response, token: str, *, secure: bool) -> None:
    """Sign the browser in. The session slides, its cookie does not: the server's expiry is what counts."""
    response.set_cookie(
        SESSION_COOKIE, token, max_age=SESSION_LIFETIME_S, path="/", httponly=True, samesite="Lax", secure=secure
    )
    set_csrf_cookie(response, secrets.token_urlsafe(24), secure=secure)


def set_csrf_cookie(response: Response, value: str, *, secure: bool) -> None:
    """Give the browser the value that its forms and scripts have to repeat. Pages carry it, so no script reads it."""
    response.set_cookie(CSRF_COOKIE, value, path="/", httponly=True, samesite="Lax", secure=secure)


def clear_session_cookies(response: Response, *, secure: bool) -> None:
    """Sign the browser out."""
    for name in (SESSION_COOKIE, CSRF_COOKIE):
        response.delete_cookie(name, path="/", httponly=True, samesite="Lax", secure=secure)


def csrf_cookie() -> str:
    """The value that this browser was given, or empty."""
    return request.cookies.get(CSRF_COOKIE, "")
