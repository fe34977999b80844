"""The routes of the gateway as docs/api.md lists them."""

from __future__ import annotations

import asyncio
from typing import cast
from unittest.mock import MagicMock

from genba_gateway.api.gate import Need, need_of
from genba_gateway.config import Config
from genba_gateway.domain.actors import Permission
from genba_gateway.routes import make_quart_app
from genba_gateway.services.container import Services


def list_routes() -> list[tuple[str, str, str]]:
    """Method (WS for a websocket), path and need of each route, in the order of the paths."""
    # Routes are declared without a call to any service.
    app = make_quart_app(Config(), cast("Services", MagicMock()), asyncio.Event())
    rows: list[tuple[str, str, str]] = []
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<path:", "<").replace("<", "{").replace(">", "}")
        methods = ["WS"] if rule.websocket else sorted((rule.methods or set[str]()) - {"HEAD", "OPTIONS"})
        rows.extend((method, path, _name_of(need_of(app, rule.endpoint))) for method in methods)
    return sorted(rows, key=lambda row: (row[1], row[0]))


def _name_of(need: Need | None) -> str:
    if isinstance(need, Permission):
        return f"{need.action} {need.resource}"
    return str(need)
