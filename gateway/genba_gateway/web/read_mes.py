"""Read-mes of template versions as HTML, rendered beside the loop and kept: a long one takes seconds."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from genba_gateway.domain.templates import TemplateVersion
from genba_gateway.web.markup import render_markdown

MAX_README_CHARS: Final = 256 * 1024
"""Of a longer one the beginning is shown."""

MAX_KEPT: Final = 16


@dataclass(frozen=True, slots=True)
class ReadMe:
    """A read-me as its page shows it."""

    html: Markup
    is_cut: bool


class ReadMes:
    """Renders the read-mes of versions, which never change; those shown last are kept."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, ReadMe] = OrderedDict()

    async def read(self, version: TemplateVersion) -> ReadMe:
        """The read-me of a version."""
        found = self._kept.get(version.id)
        if found is None:
            html = await asyncio.to_thread(render_markdown, version.readme[:MAX_README_CHARS])
            found = ReadMe(html, len(version.readme) > MAX_README_CHARS)
        self._kept[version.id] = found
        self._kept.move_to_end(version.id)
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return found
