r"""Expressions of templates, with RE2, which is what Coder and Terraform use.

Python's own differs (`\z`, flags in the middle, ASCII classes) and can take for ever on a bad expression, with the
whole gateway waiting.
"""

# google-re2 ships no types; this module is the one that has to know.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import re2  # type: ignore[import-untyped]  # it ships no types


class BadRegexError(ValueError):
    """RE2 doesn't understand the expression; the message says why."""


def matches(pattern: str, text: str) -> bool:
    """Say whether `pattern` is found anywhere in `text`.

    Raises:
        BadRegexError: the pattern can't be used.
    """
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options).search(text) is not None
    except re2.error as error:
        reason: object = error.args[0] if error.args else ""
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise BadRegexError(text) from error
