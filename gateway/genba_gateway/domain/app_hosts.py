"""The origins that workspace apps are served from, and which of them a request came to (contract 3.5).

User content never shares the dashboard's origin or its cookies. Cookies know hosts, not ports, so it is the host's name
that keeps them apart: whatever port is named, no dashboard is served under a name of apps, nor an app under any other.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from genba_gateway.domain.app_access import AppOrigin
from genba_gateway.domain.app_addresses import make_label

LOOPBACK_APPS_HOST: Final = "apps.localhost"
"""Browsers take every name below `localhost` to loopback (RFC 6761, 6.3), and none of them may set another's cookies:
`localhost` is a top-level name to them."""

MAX_HOST_CHARS: Final = 253
_LOOPBACK_SUFFIX: Final = ".localhost"
REMEMBERED_HOSTS: Final = 1024

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_PART: Final = r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"
_HOST: Final = re.compile(rf"({_PART}(?:\.{_PART})*|\[[0-9a-f:.]+\])(\.?)(?::([0-9]{{1,5}}))?", re.ASCII)
_WILDCARD: Final = re.compile(rf"(?:(https?)://)?\*((?:\.|-){_PART}(?:\.{_PART})*)(?::([0-9]{{1,5}}))?/?", re.ASCII)


@dataclass(frozen=True, slots=True)
class HostAndPort:
    """What a Host header names: in lower case, without the dot that may end a name."""

    name: str
    port: int | None
    has_dot: bool = False


@functools.lru_cache(maxsize=REMEMBERED_HOSTS)
def parse_host(host: str) -> HostAndPort | None:
    """Read a Host header; None when it is none, such as one with a user's name before an at sign."""
    found = _HOST.fullmatch(host.lower()) if len(host) <= MAX_HOST_CHARS + len(".:65535") else None
    if found is None or (found[2] and found[1].startswith("[")):
        return None
    port = int(found[3]) if found[3] else None
    if port is not None and not 0 < port < 65536:
        return None
    return HostAndPort(_same_address(found[1]), port, bool(found[2]))


@dataclass(frozen=True, slots=True)
class AppHosts:
    """The origins of apps beside the dashboard's. Made by `make_app_hosts`, which checks them."""

    access_url: str
    apps_url: str = ""
    """Of path apps, without a slash at its end; empty when they have no origin."""
    wildcard_scheme: str = ""
    wildcard_suffix: str = ""
    """What follows a label, from its dot or hyphen on; empty when apps have no host names of their own."""
    wildcard_port: int = 0
    path_apps_disabled: bool = False

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach the gateway by https."""
        return self.access_url.startswith("https:")

    @property
    def wildcard_host(self) -> str:
        """The pattern of apps' hosts that clients are told, such as `*.apps.example.com:3000`; or empty."""
        return f"*{self._wildcard_end}" if self.wildcard_suffix else ""

    @property
    def _wildcard_end(self) -> str:
        is_default = self.wildcard_port == _DEFAULT_PORTS[self.wildcard_scheme]
        return self.wildcard_suffix + ("" if is_default else f":{self.wildcard_port}")

    def classify(self, host: str) -> AppOrigin | None:
        """Which origin of apps a Host header names, whatever its port; None for the dashboard's and all else."""
        return _classify(self, host)

    def find_origin(self, host: str) -> str:
        """The origin that a Host header names if it is exactly one of apps: name, port, no dot at its end; or empty."""
        return _find_origin(self, host)

    def scheme_of(self, origin: AppOrigin) -> str:
        """By which of "http" and "https" browsers reach apps there, whoever ends their TLS."""
        if origin is AppOrigin.SUBDOMAIN:
            return self.wildcard_scheme
        return self.apps_url.partition(":")[0]

    def label_of(self, host: str) -> str:
        """The part of a host name that means an app; empty when it is no single part."""
        named = parse_host(host)
        label = named.name.removesuffix(self.wildcard_suffix) if named else ""
        return "" if "." in label else label

    def find_owner(self, url: str) -> str:
        """The origin of apps that an absolute URL leads to, in anybody's reading of it; empty for any other URL."""
        if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
            return ""
        try:
            parts = urlsplit(url)
        except ValueError:
            return ""
        origin = self.find_origin(parts.netloc)
        # Compared as text: what differs in case, port or form is another spelling, and none of ours.
        return origin if origin and (url + "/").startswith(f"{origin}/") and "#" not in url else ""

    def make_subdomain_url(self, owner: str, workspace: str, agent: str, app: str) -> str:
        """The URL of an app's or port's own host; empty when it can have none."""
        label = make_label(owner, workspace, agent, app)
        is_short = len(label + self.wildcard_suffix) <= MAX_HOST_CHARS
        return f"{self.make_origin(label)}/" if label and is_short and self.wildcard_suffix else ""

    def make_port_template(self, owner: str, workspace: str, agent: str) -> str:
        """What programs in a workspace make a port's URL of, with `{{port}}` in its place; empty when there is none."""
        return self.make_subdomain_url(owner, workspace, agent, "{{port}}").removesuffix("/")

    def make_origin(self, label: str) -> str:
        """The origin of an app's own host."""
        return f"{self.wildcard_scheme}://{label}{self._wildcard_end}"


# Asked of every request; the few hosts that a browser names at a time are remembered.
@functools.lru_cache(maxsize=REMEMBERED_HOSTS)
def _classify(hosts: AppHosts, host: str) -> AppOrigin | None:
    named = parse_host(host)
    name = named.name if named is not None else _guess_name(host)
    if name == _name_of(hosts.access_url):
        return None
    if hosts.apps_url and name == _name_of(hosts.apps_url):
        return AppOrigin.PATH
    if hosts.wildcard_suffix and name.endswith(hosts.wildcard_suffix):
        return AppOrigin.SUBDOMAIN
    return None


def _guess_name(host: str) -> str:
    """What a browser may have connected to for a Host header that is none: it may not get the dashboard there.

    `find_origin` finds no origin for it, so that nothing is served under it either.
    """
    return host.lower().rpartition("@")[2].partition(":")[0].strip().rstrip(".")


@functools.lru_cache(maxsize=REMEMBERED_HOSTS)
def _find_origin(hosts: AppHosts, host: str) -> str:
    named, kind = parse_host(host), hosts.classify(host)
    if named is None or named.has_dot or kind is None:
        return ""
    if kind is AppOrigin.PATH:
        url = urlsplit(hosts.apps_url)
        is_same = (named.port or _DEFAULT_PORTS[url.scheme]) == _port_of(url)
        return hosts.apps_url if is_same else ""
    label = hosts.label_of(host)
    is_same = (named.port or _DEFAULT_PORTS[hosts.wildcard_scheme]) == hosts.wildcard_port
    return hosts.make_origin(label) if label and is_same else ""


def make_app_hosts(
    access_url: str, *, apps_url: str = "", wildcard_access_url: str = "", disable_path_apps: bool = False
) -> AppHosts:
    """Check the settings of apps' origins, and fill in what is left out.

    For an access URL of loopback that is `apps.localhost` and `*.localhost` on its port; for others nothing.

    Raises:
        ValueError: a setting can't be used; the sentence names it and says why.
    """
    access = urlsplit(access_url)
    host = _name_of(access_url)
    if not host:
        raise ValueError(f"--access-url {access_url!r} has no host that browsers could send, as genba.example.com is.")
    is_local = is_loopback(host)
    if is_local and not apps_url and host != LOOPBACK_APPS_HOST:
        apps_url = f"{access.scheme}://{LOOPBACK_APPS_HOST}{_port_text(access)}"
    if is_local and not wildcard_access_url and not host.endswith(".localhost"):
        wildcard_access_url = f"*.localhost{_port_text(access)}"
    if disable_path_apps:
        apps_url = ""
    scheme, suffix, port = _read_wildcard(wildcard_access_url, access) if wildcard_access_url else ("", "", 0)
    apps_url = _read_apps_url(apps_url, access) if apps_url else ""
    _check_apart(apps_url, suffix)
    return AppHosts(
        access_url=access_url,
        apps_url=apps_url,
        wildcard_scheme=scheme,
        wildcard_suffix=suffix,
        wildcard_port=port,
        path_apps_disabled=disable_path_apps,
    )


def is_loopback(host: str) -> bool:
    """Whether a host's name or address means the machine itself, in every browser."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _read_apps_url(apps_url: str, access: SplitResult) -> str:
    url = urlsplit(apps_url)
    if url.scheme not in _DEFAULT_PORTS or parse_host(url.netloc) is None or url.path.strip("/") or url.query:
        raise ValueError(
            f"--apps-url {apps_url!r} must be http:// or https:// with a host and perhaps a port, and nothing behind."
        )
    _check_scheme("--apps-url", apps_url, url.scheme, access)
    if _name_of(apps_url) == _name_of(access.geturl()):
        raise ValueError(
            f"--apps-url {apps_url!r} has the host of the access URL: apps would get the dashboard's cookies, which "
            "know hosts and no ports. Give apps a host name of their own."
        )
    name = _name_of(apps_url)
    return f"{url.scheme}://{name}{_port_text(url)}"


def _read_wildcard(wildcard: str, access: SplitResult) -> tuple[str, str, int]:
    found = _WILDCARD.fullmatch(wildcard.lower())
    if found is None:
        raise ValueError(
            f"--wildcard-access-url {wildcard!r} must be one * with a domain behind it, such as *.apps.example.com or "
            "*-apps.example.com."
        )
    scheme, suffix = found[1] or access.scheme, found[2]
    _check_scheme("--wildcard-access-url", wildcard, scheme, access)
    if _name_of(access.geturl()).endswith(suffix):
        raise ValueError(
            f"--wildcard-access-url {wildcard!r} contains the access URL's host: apps would be served in the "
            "dashboard's place. Give apps a domain of their own."
        )
    # As clients of the contract expect: on the access URL's port unless it says otherwise.
    port = int(found[3]) if found[3] else (_port_of(access) if scheme == access.scheme else _DEFAULT_PORTS[scheme])
    if not 0 < port < 65536:
        raise ValueError(f"--wildcard-access-url {wildcard!r} has no port that can be.")
    return scheme, suffix, port


def _check_apart(apps_url: str, suffix: str) -> None:
    """No cookie may be of `localhost` as a domain, so the names below it need no parent of their own."""
    if not apps_url or not suffix or suffix == _LOOPBACK_SUFFIX:
        return
    name = _name_of(apps_url)
    if f".{name}" == suffix or name.endswith(suffix):
        raise ValueError(
            f"--apps-url {apps_url!r} has the domain of --wildcard-access-url '*{suffix}', or a name in it: an app "
            "with a name of its own could set cookies for the apps by path. Give apps by path a name outside of it."
        )


def _check_scheme(flag: str, value: str, scheme: str, access: SplitResult) -> None:
    if access.scheme == "https" and scheme != "https":
        raise ValueError(f"{flag} {value!r} must be https as the access URL is: its cookies would go in the clear.")


def _name_of(url: str) -> str:
    named = parse_host(urlsplit(url).netloc)
    return named.name if named else ""


def _port_of(url: SplitResult) -> int:
    return url.port or _DEFAULT_PORTS[url.scheme]


def _port_text(url: SplitResult) -> str:
    port = _port_of(url)
    return "" if port == _DEFAULT_PORTS[url.scheme] else f":{port}"


def _same_address(name: str) -> str:
    """One spelling for each address: browsers write them so, and people do not."""
    try:
        address = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return name
    return f"[{address}]" if address.version == 6 else str(address)
