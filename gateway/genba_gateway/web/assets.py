"""Styles, scripts and icons of the pages, read once at import, so that no request reads a file.

Their address holds a hash over all of them, so browsers keep them for good; it stands before the name, so that a
module's `import "./other.js"` carries it along.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from quart import Response, request

_FOLDER: Final = Path(__file__).parent / "assets"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".LICENSE": "text/plain; charset=utf-8",
}
MIN_GZIP_BYTES: Final = 1024
"""Less is sent as it is: it fits into one packet either way."""

ASSETS: Final = {
    file.relative_to(_FOLDER).as_posix(): file.read_bytes()
    for file in sorted(_FOLDER.rglob("*"))
    if file.suffix in _TYPES
}
_LIVE: Final = ("vendor/htmx.js", "vendor/htmx-sse.js", "live.js")
if all(name in ASSETS for name in _LIVE):
    # In one answer: a browser has six connections for a page's files, and a seventh file waits for one of them.
    ASSETS["vendor/htmx.live.js"] = b";\n".join(ASSETS[name] for name in _LIVE)
ASSETS_VERSION: Final = hashlib.sha256(b"".join(name.encode() + ASSETS[name] for name in ASSETS)).hexdigest()[:12]


def asset_url(name: str) -> str:
    """The address of an asset.

    Raises:
        LookupError: there is none; for those below vendor/, `make setup` was not run.
    """
    if name not in ASSETS:
        raise LookupError(f"There is no asset {name}: run `make setup`, which fetches those below vendor/.")
    return f"/static/{ASSETS_VERSION}/{name}"


def serve_asset(version: str, name: str) -> Response | None:
    """One asset, or None. Under another version's address it is shown, but not kept."""
    content = ASSETS.get(name)
    if content is None:
        return None
    is_current = version == ASSETS_VERSION
    headers = {"Cache-Control": "public, max-age=31536000, immutable" if is_current else "no-store"}
    headers["Vary"] = "Accept-Encoding"
    if len(content) >= MIN_GZIP_BYTES and takes_gzip():
        content = _compressed(name)
        headers["Content-Encoding"] = "gzip"
    return Response(content, content_type=_TYPES[Path(name).suffix], headers=headers)


def takes_gzip() -> bool:
    """Whether whoever asks takes an answer compressed."""
    return request.accept_encodings.quality("gzip") > 0


@cache
def _compressed(name: str) -> bytes:
    return gzip.compress(ASSETS[name], 9, mtime=0)
