"""The log of a workspace: builds one after the other, each followed by the logs of its agents."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from genba_ide_bridge.api.calls import in_path
from genba_ide_bridge.api.streams import LogCursor, Streams
from genba_ide_bridge.api.watch import wait_for_next_build
from genba_ide_bridge.cli.build_facts import agents_of, is_over
from genba_ide_bridge.cli.output import note
from genba_ide_bridge.cli.progress import OutageNotes, PlainProgress
from genba_ide_bridge.errors import BridgeError
from genba_wire.api.agents import AgentLog, WorkspaceAgent
from genba_wire.api.jobs import JobLog

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.workspaces import Workspace, WorkspaceBuild


class _AgentPrinter:
    """Prints one agent's lines, after its name where there are several."""

    def __init__(self, agent: WorkspaceAgent, *, is_one_of_several: bool) -> None:
        self.agent = agent
        self.path = f"/workspaceagents/{in_path(agent.id)}/logs"
        self.cursor = LogCursor()
        self._prefix = f"[{agent.name}] " if is_one_of_several else ""

    def print_line(self, line: AgentLog) -> None:
        """Print a line."""
        print(self._prefix + line.output.rstrip("\r\n"), flush=True)


class WorkspaceLog:
    """Prints the log of one workspace; `agent_name` narrows it to one agent of each build."""

    def __init__(self, client: GatewayClient, workspace: Workspace, agent_name: str) -> None:
        self._client = client
        self._workspace = workspace
        self._agent_name = agent_name
        self._streams = Streams(client.calls, OutageNotes(client.base_url))

    async def show(self, number: int) -> None:
        """Print what there is of one build."""
        build = await self._get_build(number)
        printers = self._printers_of(build, must_exist=True)
        if not self._agent_name:
            path = f"/workspacebuilds/{in_path(build.id)}/logs"
            await self._streams.read_log(path, JobLog, LogCursor(), PlainProgress().show_line)
        for printer in printers:
            await self._drain(printer)

    async def follow(self, number: int) -> None:
        """Print a build and all that come after it, until the workspace is deleted."""
        first = await self._get_build(number)
        self._printers_of(first, must_exist=True)
        build: WorkspaceBuild | None = first
        previous: list[_AgentPrinter] = []
        while build is not None:
            build = await self._follow_build(build)
            # What an agent said while it was being stopped belongs before anything of the next one.
            for printer in previous:
                await self._drain(printer)
            previous = self._printers_of(build, must_exist=False)
            build = await self._follow_agents(build, previous)
        note(f"The workspace {self._workspace.name} was deleted: there will be no more.")

    async def _get_build(self, number: int) -> WorkspaceBuild:
        build = await self._client.workspaces.find_build_by_number(self._workspace, number)
        if build is None:
            latest = self._workspace.latest_build.build_number
            raise BridgeError(f"{self._workspace.name} has no build {number}.", f"Its latest build is {latest}.")
        return build

    def _printers_of(self, build: WorkspaceBuild, *, must_exist: bool) -> list[_AgentPrinter]:
        agents = agents_of(build)
        if self._agent_name:
            names = ", ".join(agent.name for agent in agents) or "none"
            agents = [agent for agent in agents if agent.name == self._agent_name]
            if must_exist and not agents and is_over(build.job):
                raise BridgeError(
                    f'Build {build.build_number} of {self._workspace.name} has no agent "{self._agent_name}".',
                    f"Its agents: {names}.",
                )
        return [_AgentPrinter(agent, is_one_of_several=len(agents) > 1) for agent in agents]

    async def _follow_build(self, build: WorkspaceBuild) -> WorkspaceBuild:
        """Print a build's log to its end; returns the build as it is then, with its agents."""

        async def is_complete() -> bool:
            return is_over((await self._client.workspaces.get_build(build.id)).job)

        progress = PlainProgress()
        await self._streams.follow_log(
            f"/workspacebuilds/{in_path(build.id)}/logs",
            JobLog,
            LogCursor(),
            _ignore if self._agent_name else progress.show_line,
            is_complete,
        )
        return await self._streams.persist(lambda: self._client.workspaces.get_build(build.id))

    async def _follow_agents(self, build: WorkspaceBuild, printers: list[_AgentPrinter]) -> WorkspaceBuild | None:
        """Print agents' logs until there is another build; returns that, or None when the workspace is gone."""
        if not printers:
            note(f"Waiting for the next build of {self._workspace.name} (Ctrl-C ends).")
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._follow_agent(one), name=f"log of {one.agent.name}") for one in printers]
            workspaces = self._client.workspaces
            found = await wait_for_next_build(self._streams, workspaces, self._workspace.id, build.build_number)
            for task in tasks:
                task.cancel()
        for printer in printers:
            await self._drain(printer)
        if found is None:
            return None
        number = build.build_number + 1
        if found.latest_build.build_number == number:
            return found.latest_build
        return await self._streams.persist(lambda: workspaces.find_build_by_number(found, number))

    async def _follow_agent(self, printer: _AgentPrinter) -> None:
        async def is_complete() -> bool:
            # A stream also ends when the build is not the latest one any more; then this task is canceled.
            return (await self._client.agents.get_agent(printer.agent.id)).logs_overflowed

        await self._streams.follow_log(printer.path, AgentLog, printer.cursor, printer.print_line, is_complete)
        note(f"The log of {printer.agent.name} is full: the gateway keeps no more lines of it.")

    async def _drain(self, printer: _AgentPrinter) -> None:
        await self._streams.read_log(printer.path, AgentLog, printer.cursor, printer.print_line)


def _ignore(_line: JobLog) -> None:
    """Leave a build's line out."""
