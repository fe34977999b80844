"""Watches the user's workspaces and tells the editor what changes (docs/bridge.md, `genba/watchWorkspaces`).

The gateway has a watch for each workspace and a list, but no watch of the list. So each workspace is watched, which
brings changes at once, and the list is asked for from time to time, which brings new and deleted workspaces, those
beyond `MAX_WATCHES`, and anything that a watch may have missed.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from genba_ide_bridge.api.calls import in_path
from genba_ide_bridge.api.streams import Backoff
from genba_ide_bridge.errors import BridgeError, NotSignedIn
from genba_ide_bridge.lsp import messages
from genba_ide_bridge.lsp.workspace_book import WorkspaceBook, workspace_message
from genba_wire.api.workspaces import WatchEvent, Workspace
from genba_wire.errors import GatewayRefused, TransportError

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_ide_bridge.lsp.sign_in import GatewaySession

LIST_INTERVAL_S: Final = 1.25
"""New and deleted workspaces show within 2 s."""

RETRY_S: Final = 0.5
"""While the gateway is away it is asked about this often: an editor that waits for it is looked at."""

MAX_WATCHES: Final = 64
"""Open websockets; the workspaces after them are as old as the last list."""

MINE: Final = "owner:me"

_CONNECTED: Final = messages.ConnectionState(state="connected", reason="")

Notify = Callable[[str, msgspec.Struct], None]
"""Sends a notification to the editor."""

log = logging.getLogger(__name__)


class WorkspaceWatch:
    """Watches from `start` on until `stop`, or until the session is over. Its task belongs to the given group."""

    def __init__(self, session: GatewaySession, group: asyncio.TaskGroup, notify: Notify) -> None:
        self._session = session
        self._group = group
        self._notify = notify
        self._book = WorkspaceBook()
        self._task: asyncio.Task[None] | None = None
        self._connection = _CONNECTED
        self._live: set[str] = set()
        self._look = asyncio.Event()

    async def start(self) -> list[messages.Workspace]:
        """Watch, and return all workspaces as they are.

        Raises:
            NotSignedIn, GatewayRefused: nothing is watched.
            GatewayUnreachable: it is watched all the same, and the editor is told when the gateway is back.
        """
        client = await self._session.get_client()
        try:
            listed = await client.workspaces.list_workspaces(MINE)
        except (TransportError, BridgeError) as error:
            if _is_passing(error):
                self._run(messages.ConnectionState(state="reconnecting", reason=str(error)))
            raise
        changes = self._book.apply_list(_messages_of(listed, client), frozenset(self._live))
        if self._task is not None and not self._task.done():
            self._tell(changes)
            self._set_connection(_CONNECTED)
        self._run(_CONNECTED)
        return self._book.list_workspaces()

    def stop(self) -> None:
        """Watch no more, and forget what was told."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._book.clear()
        self._live.clear()

    def look_again(self) -> None:
        """Something was done that changes the list."""
        self._look.set()

    def _run(self, connection: messages.ConnectionState) -> None:
        if self._task is None or self._task.done():
            self._connection = connection
            self._task = self._group.create_task(self._watch(), name="watch of workspaces")

    async def _watch(self) -> None:
        while True:
            try:
                client = await self._session.get_client()
                await self._watch_with(client)
            except NotSignedIn as error:
                self._end(f"You are signed out: {error.message} Sign in again.")
                return
            except Exception:  # the task's edge: a fault here must not end the bridge
                log.exception("Watching workspaces failed; trying again.")
                await asyncio.sleep(RETRY_S)

    def _end(self, reason: str) -> None:
        self._task = None
        self._book.clear()
        self._notify("genba/signedOut", messages.SignedOut(reason=reason))

    async def _watch_with(self, client: GatewayClient) -> None:
        """Watch until the session is another one.

        Raises:
            NotSignedIn: the gateway does not take it any more.
        """
        refusal: GatewayRefused | None = None
        async with asyncio.TaskGroup() as watches:
            tasks: dict[str, asyncio.Task[None]] = {}
            while refusal is None and await self._is_current(client):
                self._look.clear()
                try:
                    listed = await client.workspaces.list_workspaces(MINE)
                except (TransportError, BridgeError) as error:
                    if isinstance(error, GatewayRefused) and error.status == 401:
                        refusal = error
                        break
                    self._set_connection(messages.ConnectionState(state="reconnecting", reason=str(error)))
                    await asyncio.sleep(RETRY_S * random.uniform(0.8, 1.2))  # noqa: S311  jitter needs no secrecy
                    continue
                self._set_connection(_CONNECTED)
                self._tell(self._book.apply_list(_messages_of(listed, client), frozenset(self._live)))
                self._adjust_watches(client, [workspace.id for workspace in listed][:MAX_WATCHES], tasks, watches)
                await self._wait_for_next_look()
            for task in tasks.values():
                task.cancel()
        if refusal is not None:
            raise NotSignedIn(refusal.message)

    async def _is_current(self, client: GatewayClient) -> bool:
        try:
            return await self._session.get_client() is client
        except NotSignedIn:
            return False

    async def _wait_for_next_look(self) -> None:
        try:
            async with asyncio.timeout(LIST_INTERVAL_S):
                await self._look.wait()
        except TimeoutError:
            return

    def _adjust_watches(
        self,
        client: GatewayClient,
        wanted: list[str],
        tasks: dict[str, asyncio.Task[None]],
        watches: asyncio.TaskGroup,
    ) -> None:
        for name in [name for name in tasks if name not in wanted]:
            tasks.pop(name).cancel()
        for name in wanted:
            if name not in tasks:
                tasks[name] = watches.create_task(self._watch_one(client, name), name=f"watch of {name}")

    async def _watch_one(self, client: GatewayClient, workspace_id: str) -> None:
        """Take over changes of one workspace, until the gateway has no watch of it, or no websocket passes."""
        from websockets.exceptions import ConnectionClosed

        path = f"/api/v2/workspaces/{in_path(workspace_id)}/watch-ws"
        backoff = Backoff()
        while not client.calls.transport.carrier_ways.is_without_websockets:
            try:
                async with client.calls.transport.websocket(path) as connection:
                    async for message in connection:
                        backoff.reset()
                        event = msgspec.json.decode(message, type=WatchEvent)
                        if event.data is not None:
                            self._live.add(workspace_id)
                            self._tell(self._book.apply_one(workspace_message(event.data, client.base_url)))
            except (TransportError, ConnectionClosed, msgspec.MsgspecError) as error:
                if not _is_passing(error):
                    return
            finally:
                self._live.discard(workspace_id)
                # A watch that ends says that the gateway is away, or the workspace: the list tells which.
                self._look.set()
            await backoff.wait()

    def _set_connection(self, state: messages.ConnectionState) -> None:
        if state.state != self._connection.state:
            self._connection = state
            self._notify("genba/connection", state)

    def _tell(self, changes: messages.WorkspacesChanged | None) -> None:
        if changes is not None:
            self._notify("genba/workspacesChanged", changes)


def _messages_of(listed: list[Workspace], client: GatewayClient) -> list[messages.Workspace]:
    return [workspace_message(workspace, client.base_url) for workspace in listed]


def _is_passing(error: Exception) -> bool:
    """Whether asking again may help: all but the gateway's own clear no."""
    return not isinstance(error, GatewayRefused) or error.status in (408, 425, 429) or error.status >= 500
