"""Whether a value keeps what a template says of a parameter (contract 4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from genba_gateway.domain.parameter_values import find_type_problem, read_list, read_number, read_whole_number
from genba_gateway.domain.provisioning import TemplateParameter
from genba_gateway.domain.regex import BadRegexError, matches

MAX_VALUE_CHARS: Final = 64 * 1024
"""A value is stored with each build and shown on pages; a file or a key is far below."""


def explain_bad_type(parameter: TemplateParameter, value: str) -> str | None:
    """Why a value is not of the parameter's type, or too long for any; None when it is fine."""
    if len(value) > MAX_VALUE_CHARS:
        return f"has {len(value)} characters; {MAX_VALUE_CHARS} are allowed"
    if parameter.type == "number" and read_number(value) is None:
        return f"{value!r} is not a number: write it like 4 or 2.5"
    if parameter.type == "list(string)" and read_list(value) is None:
        return 'is a list of texts: write it as JSON, for example ["a", "b"]'
    if find_type_problem(parameter.type, value) is not None:
        return f"{value!r} is neither true nor false"
    return None


def explain_no_option(parameter: TemplateParameter, value: str) -> str | None:
    """Why a value of the right type is none of the parameter's options; None when it is, or when there are none."""
    if not parameter.options:
        return None
    allowed = [option.value for option in parameter.options]
    # Only of several choices is each option one item of the list; otherwise an option is a whole value.
    is_choice_of_several = parameter.type == "list(string)" and parameter.form_type in {"", "multi-select"}
    chosen = (read_list(value) or []) if is_choice_of_several else [value]
    strange = [each for each in chosen if each not in allowed]
    return f"{strange[0]!r} is none of its options: {quote_all(allowed)}" if strange else None


def explain_broken_rule(parameter: TemplateParameter, value: str, old: str | None) -> str | None:
    """Which rule a value of the right type breaks; `old` is that of the build before, None without one."""
    if parameter.type == "number":
        return _explain_bad_number(parameter, value, old)
    return _explain_bad_text(parameter, value) if parameter.type == "string" else None


def quote_all(names: Sequence[str]) -> str:
    """Name all."""
    return ", ".join(repr(name) for name in names) if names else "none"


def _explain_bad_number(parameter: TemplateParameter, value: str, old: str | None) -> str | None:
    low, high, order = parameter.validation_min, parameter.validation_max, parameter.validation_monotonic
    if low is None and high is None and not order and not parameter.validation_error:
        return None
    number = read_whole_number(value)
    if number is None:
        return f"{value!r} is not a whole number, which one with limits has to be"
    if (low is not None and number < low) or (high is not None and number > high):
        return _custom_error(parameter, value) or _explain_limits(low, high)
    before = None if old is None else read_whole_number(old)
    if before is not None and order == "increasing" and number < before:
        return f"may only grow; it was {old}"
    if before is not None and order == "decreasing" and number > before:
        return f"may only shrink; it was {old}"
    return None


def _explain_limits(low: int | None, high: int | None) -> str:
    if low is not None and high is not None:
        return f"must be between {low} and {high}"
    return f"must be at least {low}" if low is not None else f"must be at most {high}"


def _explain_bad_text(parameter: TemplateParameter, value: str) -> str | None:
    pattern = parameter.validation_regex
    if not pattern:
        return None
    try:
        if matches(pattern, value):
            return None
    except BadRegexError as error:
        return f"the template's expression {pattern!r} can't be used ({error}): ask the template's author"
    return _custom_error(parameter, value) or f"must match {pattern}"


def _custom_error(parameter: TemplateParameter, value: str) -> str:
    """The author's words, with what they stand for put in; the value last, since it may hold such words itself."""
    text = parameter.validation_error
    for placeholder, limit in (("{min}", parameter.validation_min), ("{max}", parameter.validation_max)):
        text = text.replace(placeholder, "" if limit is None else str(limit))
    return text.replace("{value}", value)
