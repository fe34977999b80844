"""Templates and assets, read once when this module is imported, so that no request reads a file.

Every page forbids inline script and style, framing, and being kept by caches.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from jinja2 import DictLoader, Environment, StrictUndefined
from quart import Response

_FOLDER: Final = Path(__file__).parent
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
ASSETS: Final = {file.name: file.read_bytes() for file in (_FOLDER / "assets").iterdir() if file.suffix in _TYPES}
ASSETS_VERSION: Final = hashlib.sha256(b"".join(ASSETS[name] for name in sorted(ASSETS))).hexdigest()[:12]
"""In the assets' links, so that browsers may keep them for good."""

_ENVIRONMENT: Final = Environment(
    loader=DictLoader({file.name: file.read_text() for file in (_FOLDER / "templates").glob("*.html")}),
    autoescape=True,
    auto_reload=False,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render_page(template: str, *, status: int = 200, **values: object) -> Response:
    """A page with its headers; `values` are what the template shows, escaped."""
    text = _ENVIRONMENT.get_template(template).render(assets_version=ASSETS_VERSION, **values)
    return Response(text, status=status, content_type="text/html; charset=utf-8", headers=_HEADERS)


def serve_asset(name: str) -> Response | None:
    """One style sheet or script, or None."""
    content = ASSETS.get(name)
    if content is None:
        return None
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(content, content_type=_TYPES[Path(name).suffix], headers=headers)
