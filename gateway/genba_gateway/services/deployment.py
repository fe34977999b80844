"""What the deployment tells about itself."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Final

import msgspec

from genba_gateway.services.visibility import not_found
from genba_gateway.store import settings as setting_store
from genba_gateway.store.engine import Database
from genba_wire.api.deployment import ProxyStatus, Region, WorkspaceProxiesResponse, WorkspaceProxy
from genba_wire.version import VERSION

DEPLOYMENT_ID: Final = "deployment_id"

NO_TIME: Final = datetime(1, 1, 1, tzinfo=UTC)
"""What the contract's servers answer where there is no time, as for the region that was never registered."""


class Deployment:
    """The deployment's identity."""

    def __init__(self, database: Database, *, wildcard_hostname: str = "") -> None:
        self._database = database
        self._wildcard_hostname = wildcard_hostname
        self._id = ""

    async def get_id(self) -> str:
        """The deployment's id, made once and kept."""
        if not self._id:
            async with self._database.write() as connection:
                found = await setting_store.find_setting(connection, DEPLOYMENT_ID)
                if found is None:
                    found = str(uuid.uuid4())
                    await setting_store.insert_setting(connection, DEPLOYMENT_ID, found)
            self._id = found
        return self._id

    async def get_region(self, access_url: str) -> Region:
        """The only region: the gateway itself."""
        return Region(
            id=await self.get_id(),
            name="primary",
            display_name="Default",
            icon_url="",
            healthy=True,
            path_app_url=access_url,
            wildcard_hostname=self._wildcard_hostname,
        )

    async def list_proxies(self, access_url: str, now: datetime) -> WorkspaceProxiesResponse:
        """Regions as administrators see them: the gateway itself."""
        proxy = WorkspaceProxy(
            **msgspec.structs.asdict(await self.get_region(access_url)),
            derp_enabled=True,
            derp_only=False,
            status=ProxyStatus(status="ok", checked_at=now),
            created_at=NO_TIME,
            updated_at=NO_TIME,
            deleted=False,
            version=VERSION,
        )
        return WorkspaceProxiesResponse(regions=[proxy])

    async def get_proxy(self, access_url: str, now: datetime, name_or_id: str) -> WorkspaceProxy:
        """One of them, by its name or id.

        Raises:
            NotFound: there is none.
        """
        for proxy in (await self.list_proxies(access_url, now)).regions:
            if name_or_id in {proxy.name, proxy.id}:
                return proxy
        raise not_found()
