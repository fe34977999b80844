from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import CodeType
from typing import cast
from unittest.mock import MagicMock

import pytest
from quart.routing import QuartMap
from werkzeug.exceptions import NotFound
from werkzeug.routing import Rule

from genba_gateway.api.route_rules import RouteRule
from genba_gateway.config import Config
from genba_gateway.routes import make_quart_app
from genba_gateway.services.container import Services


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The functions that werkzeug made since."""
    names: list[str] = []
    make = Rule._get_func_code  # pyright: ignore[reportPrivateUsage]

    def spy(code: CodeType, name: str) -> Callable[..., tuple[str, str]]:
        names.append(name)
        return make(code, name)

    monkeypatch.setattr(Rule, "_get_func_code", staticmethod(spy))
    return names


def test_paths_are_matched_and_nothing_is_compiled_for_it(compiled: list[str]) -> None:
    adapter = QuartMap([RouteRule("/users/<name>/<int:page>", endpoint="page", methods=["GET"])]).bind("host")

    assert adapter.match("/users/ann/3", method="GET") == ("page", {"name": "ann", "page": 3})
    with pytest.raises(NotFound):
        adapter.match("/users/ann", method="GET")
    assert compiled == []


def test_a_path_is_built_all_the_same_by_what_is_compiled_once(compiled: list[str]) -> None:
    adapter = QuartMap([RouteRule("/users/<name>/<int:page>", endpoint="page", methods=["GET"])]).bind("host")

    for page in (3, 4):
        assert adapter.build("page", {"name": "a b", "page": page, "q": "x"}) == f"/users/a%20b/{page}?q=x"
    assert len(compiled) == 1


def test_a_default_leads_to_the_shorter_path() -> None:
    rules = [
        RouteRule("/all/", defaults={"page": 1}, endpoint="all", methods=["GET"]),
        RouteRule("/all/<int:page>", endpoint="all", methods=["GET"]),
    ]

    assert QuartMap(rules).bind("host").build("all", {"page": 1}) == "/all/"


def test_all_routes_of_the_gateway_are_made_so() -> None:
    app = make_quart_app(Config(), cast("Services", MagicMock()), asyncio.Event())

    assert {type(rule) for rule in app.url_map.iter_rules()} == {RouteRule}
