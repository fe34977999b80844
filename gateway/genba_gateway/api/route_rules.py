"""Rules of routes that cost little to make."""

from __future__ import annotations

import functools
from collections.abc import Callable

from quart.routing import QuartRule

Builder = Callable[..., tuple[str, str]]


class RouteRule(QuartRule):
    """A rule that learns how to build its URL when it is first asked for one.

    werkzeug generates and compiles two functions per rule for it: with as many routes as the gateway has, most of what
    its start-up takes, and nothing in it builds URLs from rules.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Builder:
        make = super()._compile_builder

        @functools.cache
        def compiled() -> Builder:
            return make(append_unknown)

        def build(rule: RouteRule, /, **values: object) -> tuple[str, str]:
            return compiled()(rule, **values)

        return build
