"""The bridge: one editor, one session with a gateway, and all that runs between them. Wiring only."""

from __future__ import annotations

import asyncio
import signal
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from genba_ide_bridge.lsp import builds, logs, messages
from genba_ide_bridge.lsp.agents import get_workspace_of
from genba_ide_bridge.lsp.bulk import BulkServer
from genba_ide_bridge.lsp.editor_protocol import EditorServer
from genba_ide_bridge.lsp.rpc_errors import InvalidParameters
from genba_ide_bridge.lsp.sign_in import GatewaySession
from genba_ide_bridge.lsp.terminals import stream_terminal
from genba_ide_bridge.lsp.workspaces import WorkspaceWatch
from genba_ide_bridge.sessions.terminal import TerminalRequest, TerminalSession

if TYPE_CHECKING:
    from genba_ide_bridge.cli.options import Settings


class Editor(Protocol):
    """The way to an editor."""

    async def run(self, server: EditorServer) -> None:
        """Carry messages until the editor is done."""
        ...

    def close(self) -> None:
        """Send what waits."""
        ...


async def run_bridge(settings: Settings, editor: Editor, on_end: Callable[[int], None]) -> int:
    """Serve one editor; returns the exit code of the process.

    Args:
        settings: of the command line.
        editor: the way to the editor.
        on_end: told the exit code before everything is closed, which a gateway that does not answer can hold up.
    """
    server = EditorServer()
    _end_at_signals(server)
    async with asyncio.TaskGroup() as top:
        work = top.create_task(_work(settings, editor, server), name="bridge")
        work.add_done_callback(lambda _done: server.end(1))
        exit_code = await server.wait_for_end()
        on_end(exit_code)
        work.cancel()
    editor.close()
    return exit_code


async def _work(settings: Settings, editor: Editor, server: EditorServer) -> None:
    session = GatewaySession(settings)
    try:
        async with BulkServer() as bulk, asyncio.TaskGroup() as group:
            requests = Requests(session, bulk, WorkspaceWatch(session, group, server.notify))
            requests.add_to(server)
            await editor.run(server)
    finally:
        await session.close()


class Requests:
    """The bridge's requests, one method each (docs/bridge.md)."""

    def __init__(self, session: GatewaySession, bulk: BulkServer, watch: WorkspaceWatch) -> None:
        self._session = session
        self._bulk = bulk
        self._watch = watch

    def add_to(self, server: EditorServer) -> None:
        """Let the server answer them."""
        server.add_request("genba/signIn", messages.SignInParameters, self.sign_in)
        server.add_request("genba/signOut", messages.NoParameters, self.sign_out)
        server.add_request("genba/session", messages.NoParameters, self.describe_session)
        server.add_request("genba/watchWorkspaces", messages.NoParameters, self.watch_workspaces)
        server.add_request("genba/startWorkspace", messages.WorkspaceParameters, self.start_workspace)
        server.add_request("genba/stopWorkspace", messages.WorkspaceParameters, self.stop_workspace)
        server.add_request("genba/openBuildLog", messages.BuildLogParameters, self.open_build_log)
        server.add_request("genba/openAgentLog", messages.AgentLogParameters, self.open_agent_log)
        server.add_request("genba/openTerminal", messages.TerminalParameters, self.open_terminal)
        server.add_request("genba/closeStream", messages.StreamParameters, self.close_stream)

    async def sign_in(self, parameters: messages.SignInParameters) -> messages.SignInResult:
        """`genba/signIn`."""
        result = await self._session.sign_in(parameters.url, parameters.token)
        self._watch.look_again()
        return result

    async def sign_out(self, _parameters: messages.NoParameters) -> messages.Nothing:
        """`genba/signOut`."""
        self._watch.stop()
        self._bulk.close_all()
        await self._session.sign_out()
        return messages.Nothing()

    async def describe_session(self, _parameters: messages.NoParameters) -> messages.SessionResult:
        """`genba/session`."""
        return await self._session.describe()

    async def watch_workspaces(self, _parameters: messages.NoParameters) -> messages.WatchResult:
        """`genba/watchWorkspaces`."""
        return messages.WatchResult(workspaces=await self._watch.start())

    async def start_workspace(self, parameters: messages.WorkspaceParameters) -> messages.BuildResult:
        """`genba/startWorkspace`."""
        result = await builds.start_workspace(await self._session.get_client(), parameters.id)
        self._watch.look_again()
        return result

    async def stop_workspace(self, parameters: messages.WorkspaceParameters) -> messages.BuildResult:
        """`genba/stopWorkspace`."""
        result = await builds.stop_workspace(await self._session.get_client(), parameters.id)
        self._watch.look_again()
        return result

    async def open_build_log(self, parameters: messages.BuildLogParameters) -> messages.StreamResult:
        """`genba/openBuildLog`."""
        client = await self._session.get_client()
        build = await client.workspaces.get_build(parameters.build_id)
        return self._bulk.open(logs.stream_log(logs.follow_build(client, build.id)))

    async def open_agent_log(self, parameters: messages.AgentLogParameters) -> messages.StreamResult:
        """`genba/openAgentLog`."""
        client = await self._session.get_client()
        agent = await client.agents.get_agent(parameters.agent_id)
        return self._bulk.open(logs.stream_log(logs.follow_agent(client, agent.id)))

    async def open_terminal(self, parameters: messages.TerminalParameters) -> messages.StreamResult:
        """`genba/openTerminal`."""
        request_id = _terminal_id(parameters.reconnect)
        if parameters.height <= 0 or parameters.width <= 0:
            raise InvalidParameters("height and width are numbers of rows and columns above 0.")
        client = await self._session.get_client()
        workspace = await get_workspace_of(client, parameters.agent_id)
        request = TerminalRequest(
            workspace_id=workspace.id,
            build_id=workspace.latest_build.id,
            agent_id=parameters.agent_id,
            reconnect=request_id,
            command=parameters.command,
            height=parameters.height,
            width=parameters.width,
            is_reattach=bool(parameters.reconnect),
        )
        handler = stream_terminal(lambda events: TerminalSession(client, request, events))
        return self._bulk.open(handler, request_id)

    async def close_stream(self, parameters: messages.StreamParameters) -> messages.Nothing:
        """`genba/closeStream`."""
        self._bulk.close(parameters.id)
        return messages.Nothing()


def _terminal_id(given: str) -> str:
    try:
        return str(uuid.UUID(given)) if given else str(uuid.uuid4())
    except ValueError as error:
        raise InvalidParameters("reconnect is the id of a terminal, as genba/openTerminal answered it.") from error


def _end_at_signals(server: EditorServer) -> None:
    loop = asyncio.get_running_loop()

    def end(*_: object) -> None:
        loop.call_soon_threadsafe(server.end, 0)

    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, end)
        except NotImplementedError:  # Windows
            signal.signal(number, end)
