"""Pieces of a page that come by themselves, each only when it looks otherwise.

A piece begins with a comment that names its place and its digest. The page knows the digests of what it shows
(`data-digest`), and live.js drops what is the same: so a stream that begins anew sends everything, and nothing flickers
or loses its focus.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Piece:
    """A named piece of a page."""

    name: str
    html: Markup
    digest: str


def make_piece(name: str, html: str, *, key: str = "", token: str = "") -> Piece:
    """A piece of HTML that a template made.

    Args:
        name: the event that brings it.
        html: what it shows.
        key: what it depends on, where that is less than what it shows.
        token: the form token in it, which differs each time and means no change.
    """
    compared = key or (html.replace(token, "") if token else html)
    digest = hashlib.sha256(compared.encode()).hexdigest()[:16]
    return Piece(name, Markup(html), digest)  # noqa: S704 - a template of ours rendered it


class ChangedPieces:
    """Tells which pieces differ from what was sent before."""

    def __init__(self) -> None:
        self._sent: dict[str, str] = {}

    def take(self, piece: Piece) -> str:
        """What puts a piece into its place, `#live-<name>`; empty when it was sent as it is."""
        if self._sent.get(piece.name) == piece.digest:
            return ""
        self._sent[piece.name] = piece.digest
        place = f"live-{piece.name}"
        return f'<!--{place} {piece.digest}--><div hx-swap-oob="innerHTML:#{place}">{piece.html}</div>'
