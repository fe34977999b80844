"""Where the apps and ports of a workspace are opened from the dashboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from genba_gateway.domain.agents import Agent, App

MakeSubdomainUrl = Callable[[str, str, str, str], str]
"""(owner, workspace, agent, app or port): the URL of its own host name, or nothing where it has none."""

_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE | re.ASCII)
_SCRIPT_SCHEMES: Final = frozenset(
    {"javascript", "data", "vbscript", "blob", "file", "about", "view-source", "filesystem"}
)
"""What these name is run or shown by the browser itself, on behalf of the page that links to it."""


@dataclass(frozen=True, slots=True)
class AppLink:
    """An app as a link; `url` is empty when it has an address that no page should lead to."""

    slug: str
    name: str
    url: str
    health: str
    is_external: bool


class AppLinks:
    """Makes the links of one workspace.

    Args:
        owner: its owner's name.
        workspace: its name.
        make_subdomain_url: gives apps host names.
    """

    def __init__(self, owner: str, workspace: str, make_subdomain_url: MakeSubdomainUrl) -> None:
        self._owner = owner
        self._workspace = workspace
        self._make_subdomain_url = make_subdomain_url

    def apps_of(self, agent: Agent) -> tuple[AppLink, ...]:
        """The apps that an agent's template shows, in its order."""
        return tuple(
            AppLink(app.slug, app.display_name or app.slug, self._url_of(agent, app), app.health, app.external)
            for app in agent.apps
            if not app.hidden
        )

    def terminal_of(self, agent: Agent, **query: str) -> str:
        """The address of an agent's terminal."""
        path = f"{self._path_of(agent)}/terminal"
        return f"{path}?{urlencode(query)}" if query else path

    def port_of(self, agent: Agent, port: int, *, speaks_tls: bool = False) -> str:
        """The address of a port, or nothing where ports have none."""
        name = f"{port}s" if speaks_tls else str(port)
        return self._make_subdomain_url(self._owner, self._workspace, agent.name, name)

    def _url_of(self, agent: Agent, app: App) -> str:
        if app.external:
            return app.url if is_safe_link(app.url) else ""
        if app.command:
            return self.terminal_of(agent, app=app.slug)
        own_host = self._make_subdomain_url(self._owner, self._workspace, agent.name, app.slug) if app.subdomain else ""
        return own_host or f"{self._path_of(agent)}/apps/{quote(app.slug)}/"

    def _path_of(self, agent: Agent) -> str:
        return f"/@{quote(self._owner)}/{quote(self._workspace)}.{quote(agent.name)}"


def is_safe_link(url: str) -> bool:
    """Whether a URL of a template may be a link: absolute, and not one that is a program in itself."""
    # Browsers skip line ends and tabs inside of a scheme, and blanks and control characters before it.
    if not url.isprintable() or url != url.strip():
        return False
    scheme = _SCHEME.match(url)
    return scheme is not None and scheme[1].lower() not in _SCRIPT_SCHEMES
