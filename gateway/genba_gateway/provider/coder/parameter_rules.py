"""The rules of a parameter's `validation` block, and whether a value keeps them."""

from __future__ import annotations

from dataclasses import dataclass

from genba_gateway.domain.parameter_values import read_whole_number
from genba_gateway.domain.regex import BadRegexError, matches
from genba_gateway.provider.problems import Problem
from genba_gateway.provider.values import Fields

MONOTONIC = ("increasing", "decreasing")


@dataclass(frozen=True, slots=True)
class Rules:
    """One `validation` block; a limit of None is no limit."""

    minimum: int | None
    maximum: int | None
    monotonic: str
    regex: str
    error: str

    @classmethod
    def from_block(cls, block: Fields) -> Rules:
        """Read the block."""
        return cls(
            block.number("min") if block.has("min") else None,
            block.number("max") if block.has("max") else None,
            block.text("monotonic"),
            block.text("regex"),
            block.text("error"),
        )

    def find_misuse(self, of: str) -> Problem | None:
        """Say what makes the rules themselves unusable for a parameter of the type `of`."""
        path = ("validation", 0)
        if of != "number":
            for name, is_set in (("min", self.minimum is not None), ("max", self.maximum is not None)):
                if is_set:
                    detail = f'The parameter is of type {of}. Remove {name}, or set type = "number".'
                    return Problem(f"{name} is for numbers only", detail, (*path, name))
            if self.monotonic:
                detail = f'The parameter is of type {of}. Remove monotonic, or set type = "number".'
                return Problem("monotonic is for numbers only", detail, (*path, "monotonic"))
        if self.monotonic and self.monotonic not in MONOTONIC:
            detail = f"It is {self.monotonic!r}; choose one of 'increasing', 'decreasing'."
            return Problem("monotonic can't have this value", detail, (*path, "monotonic"))
        return self._find_regex_misuse(of) if self.regex else None

    def _find_regex_misuse(self, of: str) -> Problem | None:
        path = ("validation", 0, "regex")
        if of != "string":
            detail = f'The parameter is of type {of}. Remove regex, or set type = "string".'
            return Problem("regex is for strings only", detail, path)
        if not self.error:
            detail = "Users can't be expected to read the expression. Set error to say what the value must be."
            return Problem("regex needs error", detail, path)
        try:
            matches(self.regex, "")
        except BadRegexError as error:
            detail = (
                f"{self.regex!r}: {error}. Write it in RE2 syntax, which has no look-around and no back-references."
            )
            return Problem("The expression can't be used", detail, path)
        return None

    def find_breach(self, of: str, value: str, previous: str | None) -> str | None:
        """Say which rule `value` breaks; `previous` is the value of the build before, for `monotonic`."""
        if of == "number":
            return self._find_number_breach(value, previous)
        if self.regex and not matches(self.regex, value):
            return f"{self.error} ({value!r} does not match {self.regex!r})"
        return None

    def _find_number_breach(self, value: str, previous: str | None) -> str | None:
        number = read_whole_number(value)
        if number is None:
            return f"{value!r} is not a whole number, which a number with a validation block has to be."
        if self.minimum is not None and number < self.minimum:
            return self._explain(value) or f"{value} is less than the smallest allowed, {self.minimum}."
        if self.maximum is not None and number > self.maximum:
            return self._explain(value) or f"{value} is more than the largest allowed, {self.maximum}."
        before = None if previous is None else read_whole_number(previous)
        if before is None:
            return None
        if self.monotonic == "increasing" and number < before:
            return f"{value} is less than before ({before}), and this parameter can only grow."
        if self.monotonic == "decreasing" and number > before:
            return f"{value} is more than before ({before}), and this parameter can only shrink."
        return None

    def _explain(self, value: str) -> str:
        """Give the author's words, with what they stand for put in."""
        limits = {"{min}": self.minimum, "{max}": self.maximum}
        text = self.error
        for word, limit in limits.items():
            text = text.replace(word, "" if limit is None else str(limit))
        return text.replace("{value}", value)
