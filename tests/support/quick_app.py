"""A Quart application that is quickly made: tests make hundreds."""

from __future__ import annotations

from collections.abc import Callable

from quart import Quart
from quart.routing import QuartRule


class _UnbuiltRule(QuartRule):
    """A rule that no URL is made from: to compile what would make one takes most of an application's set-up."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        return lambda *_, **__: ("", "")


class QuickApp(Quart):
    """One whose routes can be called, but not be named by `url_for`."""

    url_rule_class = _UnbuiltRule
