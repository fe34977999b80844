"""Health of the workspace's apps (contract 1.6).

A check that fails is a miss, and `threshold` misses in a row are an app that is not well. One number can't tell an app
that is being installed, for minutes, from one that has died. An app on a unix socket can: while there is a file of the
socket's name with `.starting` behind it, a failed check is no miss. Who starts the app makes that file and removes it.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Final

import httpx

from genba_agent.api import AgentApi
from genba_agent.carriers.unix import locate_socket
from genba_agent.clock import Clock
from genba_agent.retry import is_final
from genba_wire.api.agents import Healthcheck, WorkspaceApp
from genba_wire.app_urls import read_socket_url
from genba_wire.errors import TransportError

logger = logging.getLogger(__name__)

REPORT_INTERVAL_S: Final = 1.0
"""Changes are reported together, at most this often."""

UNHEALTHY_FROM_STATUS: Final = 500
"""An app that answers 404 or 401 is up."""


STARTING_SUFFIX: Final = ".starting"
"""Of the file beside a socket that says that its app is on its way."""

LONGEST_START_S: Final = 3600.0
"""A file that has been there for longer was left by somebody who is gone."""


class Health(StrEnum):
    """Names on the wire."""

    INITIALIZING = "initializing"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class HealthCounter:
    """Judges one app by its answers: healthy with one good one, unhealthy after `threshold` bad ones in a row. Pure."""

    def __init__(self, threshold: int) -> None:
        self._threshold = max(1, threshold)
        self._misses = 0
        self.health = Health.INITIALIZING

    def observe(self, is_well: bool) -> bool:
        """Count one answer; returns whether the health changed."""
        before = self.health
        if is_well:
            self._misses = 0
            self.health = Health.HEALTHY
        else:
            self._misses += 1
            if self._misses >= self._threshold:
                self.health = Health.UNHEALTHY
        return self.health is not before


class AppHealth:
    """Asks every app that has a health check, at its interval."""

    def __init__(self, api: AgentApi, clock: Clock, apps: Sequence[WorkspaceApp]) -> None:
        self._api = api
        self._clock = clock
        self._apps = [app for app in apps if app.healthcheck.url and app.healthcheck.interval > 0]
        self._changed: dict[str, str] = {}
        self._has_changed = asyncio.Event()

    async def run(self) -> None:
        """Ask and report until cancelled."""
        if not self._apps:
            return
        # Apps listen inside the workspace, where no proxy is needed and a local certificate is signed by nobody.
        async with (
            httpx.AsyncClient(trust_env=False, verify=False, follow_redirects=True) as client,  # noqa: S501
            asyncio.TaskGroup() as group,
        ):
            for app in self._apps:
                group.create_task(self._watch(client, app), name=f"health of {app.slug}")
            while True:
                await self._has_changed.wait()
                await self.report()
                await self._clock.sleep(REPORT_INTERVAL_S)

    async def report(self) -> None:
        """Send the changes; those that could not be sent stay for the next time, unless they changed again."""
        self._has_changed.clear()
        changed, self._changed = self._changed, {}
        try:
            await self._api.post_app_health(changed)
        except TransportError as error:
            if is_final(error):
                logger.warning("The gateway refused the health of apps: %s", error)
                return
            logger.debug("Health of apps: %s", error)
            self._changed = changed | self._changed
            self._has_changed.set()

    async def _watch(self, client: httpx.AsyncClient, app: WorkspaceApp) -> None:
        counter = HealthCounter(app.healthcheck.threshold)
        while True:
            is_well = await _is_well(client, app.healthcheck)
            if (is_well or not await self._is_on_its_way(app.healthcheck)) and counter.observe(is_well):
                logger.info("App %s is %s.", app.slug, counter.health.value)
                self._changed[app.id] = counter.health
                self._has_changed.set()
            await self._clock.sleep(app.healthcheck.interval)

    async def _is_on_its_way(self, healthcheck: Healthcheck) -> bool:
        return await asyncio.to_thread(is_on_its_way, healthcheck.url, self._clock.now().timestamp())


def is_on_its_way(url: str, now: float) -> bool:
    """Whether an app on a unix socket says that it is on its way; `now` is the time of day in seconds."""
    try:
        on_socket = read_socket_url(url)
        if on_socket is None:
            return False
        since = os.stat(locate_socket(on_socket.socket) + STARTING_SUFFIX).st_mtime
    except (OSError, ValueError):
        return False
    return now - since <= LONGEST_START_S


async def _is_well(client: httpx.AsyncClient, healthcheck: Healthcheck) -> bool:
    try:
        async with _ask(client, healthcheck) as response:
            return response.status_code < UNHEALTHY_FROM_STATUS
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ExceptionGroup):
        # The last two are for hosts and ports that can't be looked up, like http://xn--/ and http://localhost:99999/;
        # a group holds what anyio met on its way to several addresses. A cancellation may be lost in it.
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError from None
        return False


@asynccontextmanager
async def _ask(client: httpx.AsyncClient, healthcheck: Healthcheck) -> AsyncGenerator[httpx.Response]:
    """Send the question, to a port or to a unix socket; `client` is for ports.

    Raises:
        ValueError: the address names no unix socket, though it says so.
    """
    on_socket = read_socket_url(healthcheck.url)
    if on_socket is None:
        async with client.stream("GET", healthcheck.url, timeout=healthcheck.interval) as response:
            yield response
        return
    path = locate_socket(on_socket.socket)
    # Redirects are not followed: they may lead anywhere else, and are a sign of life.
    async with (
        httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=path), trust_env=False) as socket_client,
        socket_client.stream("GET", f"http://localhost{on_socket.target}", timeout=healthcheck.interval) as response,
    ):
        yield response
