"""All pages."""

from __future__ import annotations

from collections.abc import Sequence

from quart import Blueprint

from genba_gateway.services.container import Services
from genba_gateway.services.visibility import Clock
from genba_gateway.web import preferences, sign_in, tokens, workspaces
from genba_gateway.web.pages import Pages


def make_blueprints(s: Services, now: Clock, *, access_url: str) -> Sequence[Blueprint]:
    """One blueprint per noun."""
    pages = Pages(access_url=access_url)
    return (
        preferences.make_blueprint(pages),
        sign_in.make_blueprint(pages, s.users, s.sign_in, s.sign_in_links),
        tokens.make_blueprint(pages, s.users, s.api_keys),
        workspaces.make_blueprint(pages, s.workspaces, s.workspace_lists, s.builds, now),
    )
