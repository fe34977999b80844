"""What is shown instead of an app: a page for people, which goes on by itself, and a line for everybody else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Final, TypeAlias

import msgspec

from genba_gateway.domain.app_access import AppRedirect, AppRefusal, AppRequest

RefusalPage: TypeAlias = Callable[[AppRefusal, AppRequest], "Page"]

_STYLE: Final = (
    ":root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}"
    "body{margin:15vh auto;max-width:36rem;padding:0 1.5rem}h1{font-size:1.4rem}"
)


@dataclass(frozen=True, slots=True)
class Page:
    """HTML, and the policy that it works under."""

    html: str
    policy: str


_POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'"
)


@dataclass(frozen=True, slots=True)
class PageWords:
    """What a page says beside its refusal, and the language that all of it is in."""

    language: str = "en"
    waits: str = "This page goes on by itself when that changes."
    progress: str = "See how far it is"


def plain_page(refusal: AppRefusal, _request: AppRequest) -> Page:
    """A page in English."""
    return write_page(refusal, PageWords())


def write_page(refusal: AppRefusal, words: PageWords) -> Page:
    """A page without scripts: it loads itself again when that may help."""
    again = f'<meta http-equiv="refresh" content="{refusal.retry_s}">' if refusal.retry_s > 0 else ""
    waits = f"<p>{escape(words.waits)}</p>" if refusal.retry_s > 0 else ""
    link = (
        f'<p><a href="{escape(refusal.progress_url)}">{escape(words.progress)}</a></p>' if refusal.progress_url else ""
    )
    html = (
        f'<!doctype html><html lang="{escape(words.language)}"><head><meta charset="utf-8">{again}'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        f"<title>{escape(refusal.title)}</title><style>{_STYLE}</style></head>"
        f'<body><main><h1>{escape(refusal.title)}</h1><p role="status">{escape(refusal.message)}</p>{waits}{link}'
        "</main></body></html>\n"
    )
    return Page(html, _POLICY)


def render_refusal(
    refusal: AppRefusal, request: AppRequest, page: RefusalPage
) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """The headers and the body of the answer."""
    headers = [
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if refusal.retry_s > 0:
        headers.append((b"retry-after", b"%d" % refusal.retry_s))
    accept = b",".join(value for name, value in request.headers if name == b"accept")
    if request.is_websocket:
        body, kind = f"{refusal.message}\n".encode(), b"text/plain; charset=utf-8"
    elif b"application/json" in accept and b"text/html" not in accept:
        body, kind = msgspec.json.encode({"message": refusal.message, "detail": ""}), b"application/json"
    else:
        made = page(refusal, request)
        body, kind = made.html.encode(), b"text/html; charset=utf-8"
        headers.append((b"content-security-policy", made.policy.encode()))
    return [*headers, (b"content-type", kind), (b"content-length", b"%d" % len(body))], body


def render_decision(
    decision: AppRedirect | AppRefusal, request: AppRequest, page: RefusalPage
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """The status, the headers and the body of the answer to a request that does not reach its app."""
    if isinstance(decision, AppRefusal):
        headers, body = render_refusal(decision, request, page)
        return decision.status, headers, body
    headers = [
        (b"location", decision.location.encode("latin-1")),
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"),
        (b"content-length", b"0"),
    ]
    return decision.status, headers + [(b"set-cookie", each.encode()) for each in decision.set_cookies], b""
