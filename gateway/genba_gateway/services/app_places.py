"""What an app's address leads to, and what may be reached there now."""

from __future__ import annotations

from genba_gateway.domain.agents import Agent
from genba_gateway.domain.app_access import AppAddress, AppOrigin, AppTarget
from genba_gateway.domain.app_addresses import parse_port
from genba_gateway.domain.app_rules import AppPlace, SharingLevel, find_app, find_named_agent, read_level
from genba_gateway.domain.workspaces import Workspace
from genba_gateway.store import apps as app_store
from genba_gateway.store import port_shares as share_store
from genba_gateway.store import users as user_store
from genba_gateway.store import workspaces as workspace_store
from genba_gateway.store.engine import Database
from genba_gateway.store.sealing import Sealer


class AppPlaces:
    """Finds what addresses mean, whoever asks."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def find(self, address: AppAddress) -> AppPlace | None:
        """The workspace of an address, with its agent and the app if there are such."""
        async with self._database.read() as connection:
            owner = await user_store.find_user_by_name(connection, address.owner)
            if owner is None:
                return None
            workspace = await workspace_store.find_workspace_by_name(connection, owner.id, address.workspace)
            if workspace is None:
                return None
            agents = await app_store.list_newest_agents(connection, self._sealer, workspace.id)
            agent = find_named_agent(agents, address.agent)
            port = parse_port(address.app)
            if port is None or agent is None:
                return _place_of_app(address, workspace, agent)
            level = await share_store.find_share_level(connection, workspace.id, agent.id, port.number)
        # By name, so that programs that listen on one of 127.0.0.1 and ::1 alone are found.
        url = f"http{'s' if port.speaks_tls else ''}://localhost:{port.number}"
        return AppPlace(workspace, agent, url, level)

    async def find_level(self, target: AppTarget) -> SharingLevel:
        """With whom what somebody uses is shared at this time."""
        port = parse_port(target.address.app)
        if port is None:  # an app's level is its build's
            return read_level(target.sharing_level)
        async with self._database.glance() as connection:
            return await share_store.find_share_level(connection, target.workspace_id, target.agent_id, port.number)


def _place_of_app(address: AppAddress, workspace: Workspace, agent: Agent | None) -> AppPlace:
    app = find_app(agent, address.app)
    level = read_level(app.sharing_level) if app and address.origin is AppOrigin.SUBDOMAIN else SharingLevel.OWNER
    return AppPlace(workspace, agent, app.url if app else "", level, bool(app and app.subdomain))
