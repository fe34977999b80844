"""Forms: the token that each repeats, and where a sign-in may lead."""

from __future__ import annotations

import secrets
from hmac import compare_digest
from typing import Final, cast
from urllib.parse import quote

from quart import Response, g, request
from werkzeug.datastructures import MultiDict

from genba_gateway.api.cookies import csrf_cookie, set_csrf_cookie
from genba_gateway.api.gate import CSRF_HEADER
from genba_gateway.errors import BadRequest

TOKEN_FIELD: Final = "csrf_token"
HOME: Final = "/workspaces"


class FormPage:
    """Gives a page's forms their token. The same browser keeps one token, so that several tabs work.

    Args:
        secure: browsers reach the gateway by https.
    """

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure
        self._kept = csrf_cookie() or _fresh_token()
        self.token = mask_token(self._kept)

    def finish(self, response: Response) -> Response:
        """Set the cookie that the form's token is compared with."""
        if csrf_cookie() != self._kept:
            set_csrf_cookie(response, self._kept, secure=self._secure)
        return response


def _fresh_token() -> str:
    """A token for a browser that has none; the same for all forms of one page."""
    fresh: str = g.setdefault("fresh_csrf_token", secrets.token_urlsafe(24))
    return fresh


def mask_token(token: str) -> str:
    """The token as a page carries it, different each time: what is compressed beside typed text must not be steady."""
    plain = token.encode()
    mask = secrets.token_bytes(len(plain))
    return (mask + bytes(a ^ b for a, b in zip(mask, plain, strict=True))).hex()


def unmask_token(masked: str) -> bytes:
    """The token that a page carried, or nothing."""
    try:
        both = bytes.fromhex(masked)
    except ValueError:
        return b""
    half = len(both) // 2
    return bytes(a ^ b for a, b in zip(both[:half], both[half:], strict=False))


async def read_form() -> MultiDict[str, str]:
    """The fields of a form of ours, sent by the browser itself or by htmx, which repeats the token in a header.

    Raises:
        BadRequest: sent by a page of another origin, or by one whose cookie is gone.
    """
    form = cast("MultiDict[str, str]", await request.form)  # pyright: ignore[reportUnknownMemberType]  # Quart leaves it bare
    sent, expected = form.get(TOKEN_FIELD, "") or request.headers.get(CSRF_HEADER, ""), csrf_cookie()
    if not expected or not compare_digest(unmask_token(sent), expected.encode()):
        raise BadRequest("This form is out of date: go back, reload the page and try again.")
    return form


def local_target(wanted: str) -> str:
    """Where to go after a sign-in: the wanted path if it stays on this origin, else the home page."""
    # A browser takes a second slash, or a backslash, for the beginning of a host, and skips tabs and line ends.
    is_path = wanted.startswith("/") and not wanted.startswith("//")
    if not is_path or "\\" in wanted or not wanted.isprintable():
        return HOME
    return wanted


def go_to(path: str) -> Response:
    """A redirect that is fetched by GET, whatever came before."""
    return Response(b"", status=303, headers={"Location": path, "Cache-Control": "no-store"})


def login_path(target: str) -> str:
    """The sign-in page that leads to `target`."""
    return f"/login?redirect={quote(target, safe='/')}"
