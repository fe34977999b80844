"""Texts of authors as HTML: read-mes from Markdown, files with their syntax in colours.

Authors write no HTML of their own: it is shown as they wrote it. Links lead to http, https and mail addresses.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, cast

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatter import Formatter
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_for_filename  # pyright: ignore[reportUnknownVariableType]  # it takes anything
from pygments.util import ClassNotFound

_FRONT_MATTER: Final = re.compile(r"\A---\r?\n.*?\r?\n---\r?\n", re.DOTALL)
_DEEPEST_HEADING: Final = 6
MAX_COLOURED_CHARS: Final = 100_000
"""More is shown plain: colours cost milliseconds for each kilobyte."""


@cache
def _make_markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.validateLink = lambda url: url.lower().startswith(("http://", "https://", "mailto:", "#"))  # type: ignore[method-assign]
    renderer = markdown.renderer
    assert isinstance(renderer, RendererHTML)  # noqa: S101 - the preset's own
    return markdown


def render_markdown(text: str) -> Markup:
    """A read-me as HTML; its front matter is left out, and its headings come below the page's own."""
    markdown = _make_markdown()
    tokens = markdown.parse(_FRONT_MATTER.sub("", text))
    level = 1
    for token in _walk(tokens):
        if token.type == "heading_open":
            # Who hears the page follows its levels: none is left out, whatever the author began with.
            level = min(int(token.tag[1]) + 1, level + 1, _DEEPEST_HEADING)
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{level}"
        if token.type == "link_open":
            token.attrSet("rel", "noopener noreferrer nofollow")
        if token.type == "image":
            # The policy lets no other site's picture in: what it shows is said.
            token.type, token.content = "text", token.content or str(token.attrGet("src"))
    return Markup(markdown.renderer.render(tokens, markdown.options, {}))  # noqa: S704 - no HTML of the author's is in it


def _walk(tokens: list[Token]) -> list[Token]:
    return [each for token in tokens for each in (token, *_walk(token.children or []))]


def colour_file(path: str, text: str) -> Markup:
    """The text of a file as HTML, in spans with the classes of Pygments."""
    try:
        lexer: Lexer = get_lexer_for_filename(path, stripnl=False)
    except ClassNotFound:
        return escape(text)
    if len(text) > MAX_COLOURED_CHARS:
        return escape(text)
    formatter = cast("Formatter[str]", HtmlFormatter(nowrap=True))
    return Markup(highlight(text, lexer, formatter))  # noqa: S704 - Pygments escapes
