from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from genba_gateway.services.deployment import Deployment
from genba_gateway.services.health import Health
from genba_gateway.web import health as health_pages
from genba_gateway.web import pages
from genba_gateway.web.pages import Pages
from genba_wire.aio.transport import Transport, TransportOptions
from tests.support.dashboard_app import ACCESS_URL, Browser, Dashboard
from tests.support.gateway_app import SignedIn, make_app
from tests.support.real_gateway import free_port


class Looks:
    """The page on a report of its own, whose looks from outside find nobody; counts them."""

    def __init__(self, dashboard: Dashboard) -> None:
        self.count = 0
        self.workshop = dashboard.workshop
        database, clock = dashboard.workshop.database, dashboard.workshop.clock
        health = Health(database, Deployment(database), access_url=ACCESS_URL, now=clock, connect=self._connect)
        self.app = make_app(
            database,
            health_pages.make_blueprint(Pages(access_url=ACCESS_URL), health),
            prepare=pages.install_not_found_page,
        )

    @asynccontextmanager
    async def _connect(self) -> AsyncGenerator[Transport]:
        self.count += 1
        async with Transport(TransportOptions(f"http://127.0.0.1:{free_port()}")) as transport:
            yield transport

    def browser(self, who: SignedIn) -> Browser:
        return Browser(self.app, who)


async def test_what_is_broken_is_said_with_the_remedy(dashboard: Dashboard) -> None:
    looks = Looks(dashboard)
    text = await looks.browser(dashboard.workshop.owner).read("/health")
    assert "Something is broken" in text
    assert "Nobody answers at the address" in text
    assert "EACS03" in text
    assert 'href="/deployment"' in text
    assert text.index('id="access-url"') < text.index('id="database"')


async def test_a_fresh_look_is_a_form_that_looks(dashboard: Dashboard) -> None:
    looks = Looks(dashboard)
    browser = looks.browser(dashboard.workshop.owner)
    await browser.read("/health")
    await browser.read("/health")
    assert looks.count == 2
    dashboard.workshop.clock.move(1)
    answer = await browser.send("/health", {})
    assert answer.headers["Location"] == "/health"
    assert looks.count == 4
    assert (await looks.browser(dashboard.workshop.owner).send("/health", {})).status_code == 400
    assert looks.count == 4


async def test_others_find_no_such_page_and_nobody_looks_for_them(dashboard: Dashboard) -> None:
    looks = Looks(dashboard)
    browser = looks.browser(dashboard.workshop.member)
    answer = await browser.get("/health")
    assert answer.status_code == 404
    assert "Nothing here" in await answer.get_data(as_text=True)
    assert looks.count == 0
