"""What surrounds a page: who looks at it, where it is among the others, and how it is to look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from quart import g, has_request_context, request

from genba_gateway.domain.actors import Action, Permission, Resource, UserActor
from genba_gateway.web.flashes import Flash, take_flash
from genba_gateway.web.languages import LANGUAGES, current_language, mark

THEME_COOKIE: Final = "genba_theme"
THEMES: Final = {"system": mark("Like the system"), "light": mark("Light"), "dark": mark("Dark")}


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the top navigation; only who may use it sees it."""

    path: str
    label: str
    icon: str
    need: Permission
    further: tuple[str, ...] = ()
    """Where pages lie that are reached from it, and have no entry of their own."""

    def leads_to(self, path: str) -> bool:
        """Whether a page is found by this entry."""
        return path.startswith((self.path, *self.further))


NAVIGATION: Final = (
    NavItem(
        "/workspaces",
        mark("Workspaces"),
        "workspace",
        Permission(Resource.WORKSPACE, Action.READ),
        further=("/@",),
    ),
    NavItem("/templates", mark("Templates"), "template", Permission(Resource.TEMPLATE, Action.READ)),
    NavItem("/users", mark("Users"), "users", Permission(Resource.USER, Action.CREATE)),
    NavItem("/health", mark("Health"), "health", Permission(Resource.DEBUG_INFO, Action.READ)),
    NavItem(
        "/deployment",
        mark("Deployment"),
        "server",
        Permission(Resource.DEPLOYMENT_CONFIG, Action.READ),
        further=("/audit",),
    ),
)
"""A page that is to be found from everywhere has its line here."""


@dataclass(frozen=True, slots=True)
class Shell:
    """What layout/base.html shows around a page."""

    language: str
    theme: str
    username: str
    """Empty for somebody who is not signed in."""
    path: str
    """Where the visitor is, with the query; the root on a page that answers a form."""
    place: str
    """The path of the page, also of one that answers a form: what says which entries lead to it."""
    items: tuple[NavItem, ...]
    flash: Flash | None
    languages: dict[str, str]
    themes: dict[str, str]


def find_shell() -> Shell:
    """The shell of the request's page, or a bare one outside of a request."""
    if not has_request_context():
        return Shell("en", "system", "", "/", "/", (), None, LANGUAGES, THEMES)
    actor = g.get("actor")
    user = actor if isinstance(actor, UserActor) else None
    theme = request.cookies.get(THEME_COOKIE, "")
    return Shell(
        language=current_language(),
        theme=theme if theme in THEMES else "system",
        username=user.username if user else "",
        path=_own_path(),
        place=request.path,
        items=tuple(item for item in NAVIGATION if user and user.may_ever(item.need)),
        # Without a session nothing seals a message, and whoever can set cookies for this host could make one.
        flash=take_flash() if user else None,
        languages=LANGUAGES,
        themes=THEMES,
    )


def _own_path() -> str:
    """Where a form of the shell leads back to; another method's page has no address to come back to."""
    if request.method != "GET":
        return "/"
    query = request.query_string.decode("latin-1")
    return f"{request.path}?{query}" if query else request.path
