"""Regular expressions of searches: what Python's `re` and ripgrep's Rust both read, and read alike.

Both engines search lines; neither gets an expression that this module refuses, so that a workspace with ripgrep finds
what one without it finds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any, Final

# The standard library's own reading of an expression; its modules have no type stubs.
sre: Final[Any] = import_module("re._constants")
parser: Final[Any] = import_module("re._parser")

MAX_PATTERN_CHARS: Final = 1000
"""Longer ones are programs' lists of words; ripgrep's automaton has its own limit."""

MAX_REPEATS: Final = 1000
"""Of `{n,m}`: ripgrep makes a copy for each."""

_SHARED: Final = frozenset(
    {
        sre.LITERAL,
        sre.NOT_LITERAL,
        sre.ANY,
        sre.IN,
        sre.BRANCH,
        sre.SUBPATTERN,
        sre.MAX_REPEAT,
        sre.MIN_REPEAT,
        sre.AT,
        sre.CATEGORY,
        sre.RANGE,
        sre.NEGATE,
    }
)
"""No look-around, no references, nothing possessive: Rust has none of them."""

_SHARED_PLACES: Final = frozenset({sre.AT_BEGINNING, sre.AT_END, sre.AT_BOUNDARY})

_SHARED_ESCAPES: Final = re.compile(r"\\(?:[rtfvdDwWsSb]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[^0-9A-Za-z<>\s])")
"""Without `\\B`, which finds an empty line in one of them only, and `\\n`: lines are searched."""

_ESCAPE: Final = re.compile(r"\\.", re.DOTALL)
_SET: Final = re.compile(r"\[\^?\]?([^\]]*)\]")
_LONE_BRACE: Final = re.compile(r"\{(?!\d+(?:,\d*)?\})")
_SET_OPERATORS: Final = ("[", "&&", "--", "~~", "||")
"""Inside brackets they mean something to one of the two only."""


def compile_pattern(query: str, *, is_regex: bool, ignores_case: bool) -> re.Pattern[str]:
    """Make what a line is searched with.

    Raises:
        ValueError: it is no expression, or not one that both engines read alike; says why.
    """
    flags = re.IGNORECASE if ignores_case else 0
    if not is_regex:
        return re.compile(re.escape(query), flags)
    check_pattern(query)
    return re.compile(query, flags)


def check_pattern(query: str) -> None:
    """Refuse an expression that the engines don't share.

    Raises:
        ValueError: says why.
    """
    if len(query) > MAX_PATTERN_CHARS:
        raise ValueError(f"The expression has more than {MAX_PATTERN_CHARS} characters.")
    for found in _ESCAPE.finditer(query):
        if not _SHARED_ESCAPES.match(query, found.start()):
            raise ValueError(f"{found[0]} is not supported in an expression.")
    if re.search(r"\(\?(?![:P])|\(\?P(?!<)", query):
        raise ValueError("Groups are (…), (?:…) or (?P<name>…): look-around, flags and references are not supported.")
    _check_sets(query)
    try:
        tree: Iterable[Any] = parser.parse(query)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"The expression can't be read: {error}.") from error
    _check_tree(tree)


def _check_sets(query: str) -> None:
    text = _ESCAPE.sub("..", query)
    for found in _SET.finditer(text):
        if any(operator in found[1] for operator in _SET_OPERATORS):
            raise ValueError("In brackets, [ has to be escaped; &&, --, ~~ and || are not supported.")
    if _LONE_BRACE.search(_SET.sub("..", text)):
        raise ValueError("A brace that is no {n} or {n,m} has to be escaped, as \\{.")


def _check_tree(tree: Iterable[Any]) -> None:
    waiting = list(tree)
    while waiting:
        operation, argument = waiting.pop()
        if operation not in _SHARED:
            raise ValueError(f"{str(operation).lower().replace('_', ' ')} is not supported in an expression.")
        if operation is sre.AT and argument not in _SHARED_PLACES:
            raise ValueError("Places are ^, $ and \\b.")
        if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            least, most, inner = argument
            if least > MAX_REPEATS or (most is not sre.MAXREPEAT and most > MAX_REPEATS):
                raise ValueError(f"Something may be repeated {MAX_REPEATS} times in an expression.")
            waiting += inner
        elif operation is sre.SUBPATTERN:
            waiting += argument[3]
        elif operation is sre.BRANCH:
            waiting += [each for branch in argument[1] for each in branch]
