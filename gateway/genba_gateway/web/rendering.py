"""Templates, read once when this module is imported, and the answers made of them: pages, their pieces and streams.

Every page forbids inline script and style, framing, and being kept by caches.
"""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup
from quart import Response, has_request_context

from genba_gateway.api.streams import stream_pieces
from genba_gateway.web.assets import MIN_GZIP_BYTES, asset_url, takes_gzip
from genba_gateway.web.languages import current_language, speaking, translate, translate_number
from genba_gateway.web.shell import find_shell
from genba_gateway.web.times import say_times, show_time

_TEMPLATES: Final = Path(__file__).parent / "templates"
_POLICY: Final = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
_HEADERS: Final = {
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept-Language, Cookie, Accept-Encoding",
}


@cache
def _icon(name: str) -> Markup:
    """One symbol of assets/icons.svg; what it means must be said in words beside it."""
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>').format(asset_url("icons.svg"), name)


def _make_environment() -> Environment:
    files = {file.relative_to(_TEMPLATES).as_posix(): file.read_text("utf-8") for file in _TEMPLATES.rglob("*.html")}
    environment = Environment(
        loader=DictLoader(files),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(translate, translate_number, newstyle=True)  # type: ignore[attr-defined]  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]  # the extension adds it
    shared: dict[str, Any] = environment.globals
    shared.update(asset=asset_url, icon=_icon, time=show_time)
    return environment


_ENVIRONMENT: Final = _make_environment()


def render_text(template: str, /, **values: object) -> str:
    """A template as text: a fragment for htmx, an event of a stream."""
    return _ENVIRONMENT.get_template(template).render(**values)


def render_page(
    template: str, /, *, status: int = 200, policy: dict[str, str] | None = None, **values: object
) -> Response:
    """A page with its headers.

    Args:
        template: its name below templates/.
        status: of the answer.
        policy: directives of the Content-Security-Policy that this page has otherwise.
        values: what the template shows, escaped.
    """
    shell = find_shell()
    shown = {"csrf_token": "", "shell": shell, **values}
    with speaking(shell.language):
        return answer_html(render_text(template, **shown), status=status, policy=policy)


async def stream_html(pieces: AsyncIterator[str]) -> Response:
    """Answer with a stream of pieces of a page, which are in the visitor's language."""
    language = current_language()

    def finish(html: str) -> str:
        with speaking(language):
            return say_times(html, datetime.now(UTC))

    return await stream_pieces(pieces, finish)


def answer_html(text: str, *, status: int = 200, policy: dict[str, str] | None = None) -> Response:
    """HTML with the headers of a page, compressed for who takes it."""
    # The token against forgery in it is masked anew each time (forms.mask_token), so its compressed size says nothing.
    content, headers = say_times(text, datetime.now(UTC)).encode(), dict(_HEADERS)
    headers["Content-Security-Policy"] = "; ".join(
        f"{key} {value}" for key, value in {**_POLICY, **(policy or {})}.items()
    )
    if len(content) >= MIN_GZIP_BYTES and has_request_context() and takes_gzip():
        content = gzip.compress(content, 5, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(content, status=status, content_type="text/html; charset=utf-8", headers=headers)
