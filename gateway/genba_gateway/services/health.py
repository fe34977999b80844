"""The gateway's health as its owners see it; it tells addresses and errors, so nobody else does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from genba_gateway.config import Config
from genba_gateway.domain.actors import Action, Resource, UserActor
from genba_gateway.domain.derp import make_derp_map
from genba_gateway.services.deployment import Deployment
from genba_gateway.services.health_checks import ERROR, OK, WARNING, check_access_url, check_database, check_websocket
from genba_gateway.services.visibility import Clock, require
from genba_gateway.store import organizations as organization_store
from genba_gateway.store.engine import Database
from genba_wire.api.health import (
    DerpReport,
    HealthcheckReport,
    ProvisionerDaemon,
    ProvisionerDaemonItem,
    ProvisionerDaemonsReport,
    Section,
    WorkspaceProxyReport,
)
from genba_wire.version import VERSION

if TYPE_CHECKING:
    from genba_wire.aio.transport import Transport

REFRESH: Final = timedelta(minutes=1)
"""A report is shown again for as long, unless another is asked for by `force`."""

Connect = Callable[[], AbstractAsyncContextManager["Transport"]]


class Health:
    """Looks, and keeps what it saw for a while."""

    def __init__(
        self, database: Database, deployment: Deployment, *, access_url: str, now: Clock, connect: Connect
    ) -> None:
        """Use `connect` to reach the gateway from outside."""
        self._database = database
        self._deployment = deployment
        self._access_url = access_url
        self._now = now
        self._connect = connect
        self._last: HealthcheckReport | None = None
        self._looking = asyncio.Lock()

    async def get(self, actor: UserActor, *, force: bool = False) -> HealthcheckReport:
        """The report, at most `REFRESH` old.

        Raises:
            NotFound: the actor may not see it.
        """
        require(actor, Resource.DEBUG_INFO, Action.READ)
        asked = self._now()
        async with self._looking:
            # Whoever waited for another's look takes that one.
            is_fresh = self._last is not None and (
                self._last.time >= asked or (not force and self._last.time + REFRESH > asked)
            )
            if self._last is None or not is_fresh:
                self._last = await self._look()
            return self._last

    async def _look(self) -> HealthcheckReport:
        async with asyncio.TaskGroup() as group:
            database = group.create_task(check_database(self._database), name="health of the database")
            access = group.create_task(check_access_url(self._access_url, self._connect), name="health of the address")
            websocket = group.create_task(check_websocket(self._connect), name="health of websockets")
            proxies = group.create_task(self._proxies(), name="regions")
            provisioners = group.create_task(self._provisioners(), name="provisioners")
        derp = DerpReport(
            healthy=True, severity=OK, warnings=[], dismissed=False, regions=self._regions(), netcheck_logs=[]
        )
        sections: list[Section] = [
            database.result(),
            access.result(),
            websocket.result(),
            proxies.result(),
            provisioners.result(),
            derp,
        ]
        severities = {section.severity for section in sections}
        return HealthcheckReport(
            time=self._now(),
            healthy=ERROR not in severities,
            severity=next((each for each in (ERROR, WARNING) if each in severities), OK),
            derp=derp,
            access_url=access.result(),
            websocket=websocket.result(),
            database=database.result(),
            workspace_proxy=proxies.result(),
            provisioner_daemons=provisioners.result(),
            coder_version=VERSION,
        )

    async def _proxies(self) -> WorkspaceProxyReport:
        regions = await self._deployment.list_proxies(self._access_url, self._now())
        return WorkspaceProxyReport(healthy=True, severity=OK, warnings=[], dismissed=False, workspace_proxies=regions)

    async def _provisioners(self) -> ProvisionerDaemonsReport:
        async with self._database.read() as connection:
            organization = await organization_store.find_default_organization(connection)
        now = self._now()
        daemon = ProvisionerDaemon(
            id=await self._deployment.get_id(),
            organization_id=organization.id if organization else "",
            created_at=now,
            last_seen_at=now,
            name="genba",
            version=VERSION,
            api_version="1.0",
            provisioners=["terraform"],
            tags={"scope": "organization", "owner": ""},
        )
        return ProvisionerDaemonsReport(
            severity=OK,
            warnings=[],
            dismissed=False,
            items=[ProvisionerDaemonItem(provisioner_daemon=daemon, warnings=[])],
        )

    def _regions(self) -> dict[str, object]:
        regions = cast(dict[str, object], make_derp_map(self._access_url)["Regions"])
        return {
            number: {
                "healthy": True,
                "severity": OK,
                "warnings": [],
                "error": None,
                "region": region,
                "node_reports": [],
            }
            for number, region in regions.items()
        }


def connect_as_client(config: Config) -> Connect:
    """How any client reaches the gateway, with the certificates that the settings name for that."""

    @asynccontextmanager
    async def connect() -> AsyncGenerator[Transport]:
        # In a thread: it reads the files.
        async with await asyncio.to_thread(_make_transport, config) as transport:
            yield transport

    return connect


def _make_transport(config: Config) -> Transport:
    from genba_wire.aio.transport import Transport, TransportOptions

    ca_file, client_cert, client_key = (
        str(Path(path).expanduser()) if path else None
        for path in (config.ca_file, config.client_cert, config.client_key)
    )
    return Transport(TransportOptions(config.url, ca_file=ca_file, client_cert=client_cert, client_key=client_key))
