"""Waiting for something to happen to a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from genba_ide_bridge.api.calls import in_path
from genba_wire.api.workspaces import WatchEvent, Workspace
from genba_wire.errors import GatewayRefused, GatewayUnreachable

if TYPE_CHECKING:
    from genba_ide_bridge.api.streams import Streams
    from genba_ide_bridge.api.workspaces import WorkspacesApi

POLL_INTERVAL_S: Final = 2.0
"""For gateways without the watch over a websocket (contract 0.2: it came in 2026), and where no websocket passes."""


async def wait_for_next_build(
    streams: Streams, workspaces: WorkspacesApi, workspace_id: str, number: int
) -> Workspace | None:
    """Wait until a workspace has a build after `number`; None when the workspace is gone."""
    from websockets.exceptions import ConnectionClosed

    path = f"/api/v2/workspaces/{in_path(workspace_id)}/watch-ws"
    has_watch = True
    while True:
        workspace = await _find_workspace(streams, workspaces, workspace_id)
        if workspace is None or workspace.latest_build.build_number > number:
            return workspace
        if workspace.latest_build.status == "deleted":
            return None
        if not has_watch or streams.calls.transport.carrier_ways.is_without_websockets:
            await streams.backoff.sleep(POLL_INTERVAL_S)
            continue
        try:
            async with streams.calls.transport.websocket(path) as connection:
                streams.report.gateway_is_back()
                async for message in connection:
                    event = msgspec.json.decode(message, type=WatchEvent)
                    if event.data is not None and event.data.latest_build.build_number > number:
                        return event.data
            await streams.backoff.wait()
        except (GatewayRefused, GatewayUnreachable, ConnectionClosed) as error:
            if isinstance(error, GatewayRefused) and error.status in (404, 405, 410):
                has_watch = False
            elif not await streams.lacks_websockets(error):
                await streams.wait_out(error)


async def _find_workspace(streams: Streams, workspaces: WorkspacesApi, workspace_id: str) -> Workspace | None:
    try:
        return await streams.persist(lambda: workspaces.get_workspace_by_id(workspace_id))
    except GatewayRefused as refusal:
        if refusal.status in (404, 410):
            return None
        raise
