"""What may be in an HTTP header that we send."""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""A token of RFC 9110, section 5.6.2."""


def is_header_name(text: str) -> bool:
    """Whether it can be a header's name."""
    return _NAME.fullmatch(text) is not None


def is_header_value(text: str) -> bool:
    """Whether every server reads it as it was sent: ASCII without control characters, but for the tab.

    Libraries refuse the rest too, in words that name no flag and may repeat a secret.
    """
    return text.isascii() and text.replace("\t", " ").isprintable()
