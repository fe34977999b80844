"""The dashboard's pages on a workshop's services, as browsers of its people meet them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from quart import Quart, Response

from genba_gateway.api.gate import SESSION_COOKIE
from genba_gateway.web import dashboard, pages
from genba_gateway.web.workspace.app_links import MakeSubdomainUrl
from genba_gateway.web.workspace.dashboard import no_subdomains
from tests.support.gateway_app import SignedIn, make_app
from tests.support.workshop import Workshop, open_workshop

ACCESS_URL = "http://genba.test"


class Browser:
    """Somebody's browser: keeps cookies, sends forms with their hidden fields."""

    def __init__(self, app: Quart, who: SignedIn | None) -> None:
        self.client: Any = app.test_client()
        if who is not None:
            self.client.set_cookie("localhost", SESSION_COOKIE, who.token)
        self._token = ""

    async def get(self, path: str, **headers: str) -> Response:
        """The answer to a GET; underscores in headers' names become hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response: Response = await self.client.get(path, headers=named)
        return response

    async def read(self, path: str, **headers: str) -> str:
        """A page as text."""
        text = await (await self.get(path, **headers)).get_data(as_text=True)
        if found := re.search(r'name="csrf_token" value="([^"]*)"', text):
            self._token = found[1]
        return text

    async def send(self, path: str, form: dict[str, Any], *, htmx: bool = False) -> Response:
        """Send a form with the token of the page that was read last."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", **({"HX-Request": "true"} if htmx else {})}
        body = urlencode({"csrf_token": self._token, **form}, doseq=True)
        response: Response = await self.client.post(path, data=body, headers=headers)
        return response


class Dashboard:
    """The pages' app, and the workshop behind it."""

    def __init__(self, workshop: Workshop, make_subdomain_url: MakeSubdomainUrl = no_subdomains) -> None:
        self.workshop = workshop
        self.app = make_app(
            workshop.database,
            *dashboard.make_blueprints(
                workshop.services, workshop.clock, access_url=ACCESS_URL, make_subdomain_url=make_subdomain_url
            ),
            prepare=pages.install_not_found_page,
        )

    def browser(self, who: SignedIn | None = None) -> Browser:
        """A browser of the workshop's owner unless said otherwise."""
        return Browser(self.app, who or self.workshop.owner)

    def anybody(self) -> Browser:
        """A browser of somebody who is not signed in."""
        return Browser(self.app, None)


@asynccontextmanager
async def open_dashboard(
    tmp_path: Path, make_subdomain_url: MakeSubdomainUrl = no_subdomains
) -> AsyncGenerator[Dashboard]:
    """A dashboard on an empty workshop."""
    async with open_workshop(tmp_path) as workshop:
        yield await asyncio.to_thread(Dashboard, workshop, make_subdomain_url)
