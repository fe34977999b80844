"""What a request for a workspace app asks for, and what becomes of it (contract 3.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias


class AppOrigin(StrEnum):
    """Whose host name a request came to."""

    PATH = "path"
    """The second origin, on which all path apps are."""
    SUBDOMAIN = "subdomain"
    """A name of its own for each app and port."""


@dataclass(frozen=True, slots=True)
class AppAddress:
    """Which app an address means, by names as they were written."""

    origin: AppOrigin
    owner: str
    workspace: str
    agent: str
    """Empty when the address names none: the workspace's only one is meant."""
    app: str
    """A slug, or a port ("8080", and "8443s" for one that speaks TLS)."""
    base_path: str
    """Where the app's own paths begin, with a slash at its end: "/" on a subdomain."""
    prefix: str = ""
    """What stands before `---` in a subdomain's label; it goes back into addresses and means nothing else."""


@dataclass(frozen=True, slots=True)
class AppRequest:
    """The head of a request that came to an origin of apps, before anything of it is believed."""

    origin: AppOrigin
    method: str
    scheme: str
    host: str
    """As sent, with the port if there is one."""
    raw_path: str
    """Percent-encoded as it came, without the query."""
    query: str
    headers: Sequence[tuple[bytes, bytes]]
    """Names in lower case, as ASGI gives them."""
    client_address: str
    is_websocket: bool


@dataclass(frozen=True, slots=True)
class AppTarget:
    """An app that somebody may use: where its agent finds it, and who uses it."""

    address: AppAddress
    workspace_id: str
    agent_id: str
    build_id: str
    app_url: str
    """As the agent sees it, such as http://localhost:13337/base; what it has of a path is put before the request's."""
    sharing_level: str
    user_id: str
    """Empty for somebody who is not signed in, at a public app."""
    key_id: str
    """Of the key that the session rests on; empty likewise."""
    is_owner: bool = False
    """Whether the user is the workspace's owner, who may be told where in it the app is."""


@dataclass(frozen=True, slots=True)
class AppGranted:
    """Hand the request on. The cookies (whole Set-Cookie values) are added to the answer."""

    target: AppTarget
    set_cookies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AppRedirect:
    """Send the browser elsewhere: to sign in, to use up a token, to an address with its slash."""

    status: int
    location: str
    set_cookies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AppRefusal:
    """A page that says why not, and goes on by itself when it may work soon."""

    status: int
    title: str
    message: str
    retry_s: int = 0
    """Seconds after which the page loads again; 0 when nothing will change by waiting."""
    progress_url: str = ""
    """On the dashboard's origin: where the build or the agent's start can be watched."""


AppDecision: TypeAlias = AppGranted | AppRedirect | AppRefusal


class AppAccess(Protocol):
    """Decides on requests for apps, and on what is open."""

    def decide_now(self, request: AppRequest) -> AppDecision | None:
        """Say what becomes of a request, if nobody has to be asked; None leaves it to `decide`."""
        ...

    async def decide(self, request: AppRequest) -> AppDecision:
        """Say what becomes of a request; cheap for one whose signed app token is good."""
        ...

    async def wait_for_end(self, target: AppTarget) -> str:
        """Return why a websocket or a long answer must end, within 5 s of when it must."""
        ...

    async def explain_silence(self, target: AppTarget) -> AppRefusal:
        """The page for an app that nothing in its workspace answers for: its connection was refused."""
        ...

    def count_request(self, target: AppTarget) -> None:
        """Take note of a proxied request, for the accounts of usage."""
        ...
