"""`genba_host`: an agent as a supervised process on the gateway's machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from genba_gateway.provider.checks import is_filled, within
from genba_gateway.provider.context import Session
from genba_gateway.provider.genba.environment import make_environment
from genba_gateway.provider.genba.folders import (
    OUTPUT_FILE,
    SAFE_NAME,
    TOKEN_FILE,
    WorkspaceFolder,
    remove_tree,
)
from genba_gateway.provider.genba.permission import find_folder
from genba_gateway.provider.genba.processes import Launch, StartError, start_agent, stop_agent
from genba_gateway.provider.host_workspaces import HostWorkspaces
from genba_gateway.provider.problems import Problem, Refused
from genba_gateway.provider.schema import Attribute, Block, DeclaredResource, Mode, Schema, computed_id
from genba_gateway.provider.values import Fields, Object, Primitive, Value

NUMBER = Primitive.NUMBER
COMPUTED = Mode.COMPUTED
REQUIRED = Mode.REQUIRED
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def _is_name(value: Value) -> str | None:
    if isinstance(value, str) and SAFE_NAME.fullmatch(value):
        return None
    return f"{value!r} can't name a folder. Use up to 64 letters, digits, _ and -."


def _is_absolute(value: Value) -> str | None:
    return None if str(value).startswith("/") else f"{value!r} is not absolute. Write it from the root on."


SCHEMA = Schema(
    Block(
        (
            computed_id(),
            Attribute(
                "token",
                mode=REQUIRED,
                is_sensitive=True,
                checks=(is_filled,),
                description="The agent's token, coder_agent.NAME.token.",
            ),
            Attribute("workspace_id", mode=REQUIRED, description="data.coder_workspace.me.id"),
            Attribute("agent_name", default="main", checks=(_is_name,), description="Unique in the workspace."),
            Attribute(
                "directory",
                mode=Mode.OPTIONAL_COMPUTED,
                checks=(_is_absolute,),
                description="The home folder; made if missing, never removed by this resource.",
            ),
            Attribute(
                "stop_grace_seconds",
                NUMBER,
                default=10,
                checks=(within(0, 600),),
                description="How long the agent may take to end, shutdown scripts included.",
            ),
            Attribute("pid", NUMBER, COMPUTED, description="The supervisor's process id."),
            Attribute("machine_boot_id", mode=COMPUTED, description="Which boot of the machine it runs in."),
            Attribute("log_path", mode=COMPUTED, description="What the agent prints."),
            Attribute("run_directory", mode=COMPUTED, description="Holds its lock and token while it runs."),
        ),
        description="An agent that runs as a process on the gateway's machine.",
    ),
)


class Host(DeclaredResource):
    """The agent's process. It is not waited for: the agent reports to the gateway by itself.

    It goes on when the gateway ends. After the machine's reboot it is dead, which reading doesn't mind: every start
    replaces the resource, since the agent's token is another one.
    """

    name = "genba_host"
    schema = SCHEMA

    def __init__(self, hosts: HostWorkspaces | None) -> None:
        self._hosts = hosts

    async def create(self, session: Session, planned: Fields) -> Object:
        """Start the agent; one of that name that runs is replaced."""
        workspace_id = planned.text("workspace_id")
        hosts, folder = await asyncio.to_thread(find_folder, self._hosts, session, workspace_id)
        if session.cancel.is_given:
            raise Refused(Problem("The agent was not started", "The build was cancelled before it came to that."))
        launch = _plan_launch(hosts, folder, session, planned)
        _require_gone(await stop_agent(launch.run_directory, launch.grace_s, session.cancel))
        loop = asyncio.get_running_loop()
        started = loop.run_in_executor(None, _launch, folder, launch, planned.text("token"))
        try:
            pid = await asyncio.shield(started)
        except asyncio.CancelledError:
            # Terraform is gone and its state will not have this resource: don't leave it running.
            await asyncio.wait([started])
            if started.exception() is None:
                await stop_agent(launch.run_directory, 0)
            raise
        except (StartError, OSError) as error:
            detail = f"{error}. The gateway starts it with: {hosts.agent_command[0]}"
            raise Refused(Problem("The agent can't be started on the gateway's machine", detail)) from error
        return {
            "id": f"{workspace_id}/{planned.text('agent_name')}",
            "directory": str(launch.cwd),
            "pid": pid,
            "machine_boot_id": await asyncio.to_thread(_read_boot_id),
            "log_path": str(launch.output),
            "run_directory": str(launch.run_directory),
        }

    async def delete(self, session: Session, state: Fields) -> None:
        """End the agent and everything it started; the home folder and the logs stay."""
        run_directory = Path(state.text("run_directory"))
        _require_gone(await stop_agent(run_directory, state.number("stop_grace_seconds"), session.cancel))
        await asyncio.to_thread(remove_tree, run_directory)


def _require_gone(survivors: Sequence[int]) -> None:
    if survivors:
        pids = ", ".join(map(str, survivors))
        detail = f"These can't be ended: {pids}. End them by hand, then try again."
        raise Refused(Problem("Processes of the workspace are still there", detail))


def _plan_launch(hosts: HostWorkspaces, folder: WorkspaceFolder, session: Session, planned: Fields) -> Launch:
    agent = planned.text("agent_name")
    home = Path(planned.text("directory") or folder.home)
    run_directory = folder.run(agent)
    logs = folder.logs(agent)
    environment = make_environment(
        os.environ,
        home=home,
        url=session.url,
        token_file=run_directory / TOKEN_FILE,
        logs=logs,
        data=folder.data(agent),
        cache=hosts.cache,
    )
    grace_s = float(planned.number("stop_grace_seconds"))
    return Launch(run_directory, hosts.agent_command, home, logs / OUTPUT_FILE, grace_s, environment)


def _launch(folder: WorkspaceFolder, launch: Launch, token: str) -> int:
    """Make the folders, hand over the token in a file, start; blocks."""
    folder.make()
    for each in (launch.run_directory, launch.output.parent, launch.cwd):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    token_file = launch.run_directory / TOKEN_FILE
    token_file.unlink(missing_ok=True)
    with open(os.open(token_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(token)
    return start_agent(launch)


def _read_boot_id() -> str:
    return BOOT_ID.read_text().strip()
