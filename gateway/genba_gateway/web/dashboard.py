"""All pages."""

from __future__ import annotations

from collections.abc import Sequence

from quart import Blueprint

from genba_gateway.services.api_keys import ApiKeys
from genba_gateway.services.sign_in import SignIn
from genba_gateway.services.sign_in_links import SignInLinks
from genba_gateway.services.users import Users
from genba_gateway.web import preferences, sign_in, tokens, workspaces
from genba_gateway.web.pages import Pages
from genba_gateway.web.rows import WorkspaceRows


def make_blueprints(
    users: Users, signing_in: SignIn, links: SignInLinks, keys: ApiKeys, rows: WorkspaceRows, *, access_url: str
) -> Sequence[Blueprint]:
    """One blueprint per noun."""
    pages = Pages(access_url=access_url)
    return (
        preferences.make_blueprint(pages),
        sign_in.make_blueprint(pages, users, signing_in, links),
        tokens.make_blueprint(pages, users, keys),
        workspaces.make_blueprint(pages, rows),
    )
