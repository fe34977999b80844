"""English sentences that were made elsewhere, in the reader's language: looked up by the texts they were made from.

What says something below the pages knows no catalog. It is looked up as it is, or by the text with holes that fits it,
with what stands in its holes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from genba_gateway.web.languages import ENGLISH, current_language, translate

MAX_MESSAGE_CHARS: Final = 2_000
"""A longer message isn't compared with texts: a provider's whole document may stand in it."""

MAX_DEPTH: Final = 3
"""Of texts within texts: what an app or a machine said may stand in the last, and may look like many more."""

_HOLE: Final = re.compile(r"%\((\w+)\)s")


class Phrases:
    """Some texts.

    Args:
        texts: in the catalogs, with holes such as %(name)s. The first one that fits is taken.
        nested: names of holes that another text stands in; those of others hold names, which are nobody's to translate.
        in_holes: what stands in some holes, as patterns, so that nothing else is taken for such a text.
    """

    def __init__(self, texts: Iterable[str], *, nested: frozenset[str], in_holes: Mapping[str, str]) -> None:
        self._nested = nested
        self._in_holes = in_holes
        texts = tuple(texts)
        self._whole = frozenset(text for text in texts if not _HOLE.search(text))
        self._patterns = tuple((self._compile(text), text) for text in texts if text not in self._whole)

    def say(self, message: str) -> str:
        """A message in the language spoken here; as it is where nobody translated it."""
        return message if current_language() == ENGLISH else self._say(message, 0)

    def _say(self, message: str, depth: int) -> str:
        if not message or depth > MAX_DEPTH:
            return message
        if (said := translate(message)) != message or len(message) > MAX_MESSAGE_CHARS:
            return said
        for pattern, text in self._patterns:
            if (found := pattern.fullmatch(message)) is not None:
                return translate(text) % {
                    name: self._say(part, depth + 1) if name in self._nested else part
                    for name, part in found.groupdict().items()
                }
        return message

    def has(self, message: str) -> bool:
        """Whether a message was made from one of the texts."""
        return message in self._whole or (
            len(message) <= MAX_MESSAGE_CHARS and any(pattern.fullmatch(message) for pattern, _ in self._patterns)
        )

    def _compile(self, text: str) -> re.Pattern[str]:
        parts = _HOLE.split(text)
        named = (
            f"(?P<{part}>{self._in_holes.get(part, '.+?')})" if number % 2 else re.escape(part)
            for number, part in enumerate(parts)
        )
        return re.compile("".join(named), re.DOTALL)
