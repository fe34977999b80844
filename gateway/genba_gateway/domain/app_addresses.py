"""Addresses of workspace apps, in paths and in host names: read without mercy, and made (contract 3.5).

What is read here decides whose app a request gets, and on which paths its cookies lie. So names may be nothing but
names: no percent sign stands for a part of one, and `..` is nowhere, however it is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from genba_gateway.domain.app_access import AppAddress, AppOrigin

MAX_LABEL_CHARS: Final = 63
"""Of a part of a host name (RFC 1035, 2.3.4)."""

MIN_PORT: Final = 9
MAX_PORT: Final = 65535
"""Contract 3.5."""

_NAME: Final = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_PATH: Final = re.compile(
    rf"(/(?:@|%40)({_NAME})/({_NAME})(?:\.({_NAME}))?/apps/({_NAME}))(/.*)?", re.ASCII | re.IGNORECASE | re.DOTALL
)
_LABEL: Final = re.compile(rf"({_NAME})(?:--({_NAME}))?--({_NAME})--({_NAME})", re.ASCII | re.IGNORECASE)
_PORT: Final = re.compile(r"([1-9][0-9]{0,4})(s?)", re.ASCII)
_SEPARATORS: Final = re.compile(r"[/\\]")
_ME: Final = "me"
"""Whom it means depends on who asks, and a cookie's path may not."""


@dataclass(frozen=True, slots=True)
class PathAddress:
    """An address in a path, and what the app itself sees of it."""

    address: AppAddress
    rest: str
    """Percent-encoded as it came, from its slash on; empty when the slash behind the app's name is missing."""


@dataclass(frozen=True, slots=True)
class AppPort:
    """A port that stands where an app's name could."""

    number: int
    speaks_tls: bool

    @property
    def is_allowed(self) -> bool:
        """Whether ports of this number are served."""
        return MIN_PORT <= self.number <= MAX_PORT


def parse_path_address(raw_path: str) -> PathAddress | None:
    """The app that a path means: `/@owner/workspace[.agent]/apps/slug/...`.

    Args:
        raw_path: percent-encoded as it came, without the query.

    Returns:
        None for every other path, for `@me`, and for a port: those have host names only.
    """
    found = _PATH.fullmatch(raw_path)
    if found is None:
        return None
    base, owner, workspace, agent, slug, rest = found.groups()
    if owner.lower() == _ME or parse_port(slug) is not None:
        return None
    return PathAddress(AppAddress(AppOrigin.PATH, owner, workspace, agent or "", slug, f"{base}/"), rest or "")


def parse_label(label: str) -> AppAddress | None:
    """The app or port that the first part of a host name means: `[prefix---]slug--[agent--]workspace--owner`.

    No name has two hyphens in a row, nor one at an end, so that there is one way only to read it.
    """
    prefix, dashes, names = label.rpartition("---")
    found = _LABEL.fullmatch(names) if len(label) <= MAX_LABEL_CHARS else None
    if found is None or (dashes and not prefix):
        return None
    app, agent, workspace, owner = found.groups()
    return AppAddress(AppOrigin.SUBDOMAIN, owner, workspace, agent or "", app, "/", prefix)


def parse_port(app: str) -> AppPort | None:
    """The port that stands in place of an app's name: "8080", and "8443s" for one that speaks TLS.

    In host names a port goes before an app of the same name.
    """
    found = _PORT.fullmatch(app)
    return AppPort(int(found[1]), bool(found[2])) if found else None


def make_path(owner: str, workspace: str, agent: str, slug: str) -> str:
    """Where a path app begins."""
    return f"/@{owner}/{workspace}{f'.{agent}' if agent else ''}/apps/{slug}/"


def make_label(owner: str, workspace: str, agent: str, app: str) -> str:
    """The first part of an app's or port's host name; empty when it would be too long for one."""
    label = f"{app}--{agent}--{workspace}--{owner}".lower()
    return label if len(label) <= MAX_LABEL_CHARS else ""


def climbs(raw_path: str) -> bool:
    """Whether a path has `..` as one of its parts, also behind percent signs.

    Browsers never send one. Proxies, and servers in workspaces, may each make something else of it: another app's
    path, or what lies above the folder that an app's address names.
    """
    return ".." in _SEPARATORS.split(unquote(raw_path))
