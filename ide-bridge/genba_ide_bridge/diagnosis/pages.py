"""Pages that proxies answer with where a gateway has one sentence."""

from __future__ import annotations

import re
from typing import Final

_TITLE: Final = re.compile(r"<(title|h1)>([^<]+)</\1>", re.IGNORECASE)


def is_page(text: str) -> bool:
    """Whether an answer's text is a page."""
    return text.lstrip().startswith("<")


def find_title(page: str) -> str:
    """What a page calls itself, such as `413 Request Entity Too Large`; the beginning of one without a title."""
    title = _TITLE.search(page)
    return title[2].strip() if title else page[:100]
