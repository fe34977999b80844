"""All pages of one workspace."""

from __future__ import annotations

from collections.abc import Sequence

from quart import Blueprint

from genba_gateway.services.container import Services
from genba_gateway.services.visibility import Clock
from genba_gateway.web.pages import Pages
from genba_gateway.web.workspace import actions, agents, builds, page, ports, settings, terminal
from genba_gateway.web.workspace.app_links import MakeSubdomainUrl
from genba_gateway.web.workspace.shown import ShownWorkspaces


def no_subdomains(_owner: str, _workspace: str, _agent: str, _app: str) -> str:
    """Where apps have no host names of their own."""
    return ""


def make_blueprints(
    pages: Pages, services: Services, now: Clock, *, make_subdomain_url: MakeSubdomainUrl = no_subdomains
) -> Sequence[Blueprint]:
    """One blueprint per noun.

    Args:
        pages: shows them.
        services: all use cases.
        now: the clock.
        make_subdomain_url: gives apps and ports host names of their own.
    """
    shown = ShownWorkspaces(services, now, make_subdomain_url)
    return (
        page.make_blueprint(pages, shown),
        actions.make_blueprint(pages, shown),
        builds.make_blueprint(pages, shown),
        agents.make_blueprint(pages, shown),
        ports.make_blueprint(pages, shown),
        settings.make_blueprint(pages, shown),
        terminal.make_blueprint(pages, shown),
    )
