"""The template and the workspace of `make run`: pushed, created, started as needed, and followed until it is ready."""

from __future__ import annotations

import hashlib
import subprocess
import time
from pathlib import Path
from typing import Final

from genba_wire.api.message import Message, decode_message
from genba_wire.api.workspaces import Workspace
from scripts.api_session import ApiSession, agents_of
from scripts.clone import RunFolders
from scripts.gateway_process import GatewayProcess
from scripts.genba_command import GenbaCommand
from scripts.progress import Ticker, say

TEMPLATE: Final = "host"
WORKSPACE: Final = "demo"
DESCRIPTION: Final = "Workspaces as processes on the gateway's own machine"
"""Of the template, on its card among the pages."""

READY_WITHIN_S: Final = 90.0
"""The starter's agent is ready in a few seconds; a start script that does more goes on by itself."""

BACK_WITHIN_S: Final = 15.0
"""An agent that outlived its gateway reconnects within a second or two. One that does not is gone, or dials an
address that the gateway had before."""

POLL_S: Final = 0.3

SETTLED: Final = frozenset({"ready", "start_timeout", "start_error"})
"""Lifecycle states that an agent reaches once its start scripts are over."""


class _NamedTemplate(Message, frozen=True, kw_only=True):
    name: str


class _TemplateRow(Message, frozen=True, kw_only=True):
    """One row of `genba templates list -o json`; the capital is the contract's."""

    Template: _NamedTemplate


def push_starter(folders: RunFolders, starter: Path, genba: GenbaCommand, *options: str) -> bool:
    """Push the starter if the gateway does not have it, or has another version of it.

    Args:
        options: more of `genba templates push`.

    Returns:
        Whether the gateway had no template of that name.
    """
    found, is_new = hash_folder(starter), not has_template(genba)
    if not is_new and folders.pushed.exists() and folders.pushed.read_text(encoding="utf-8") == found:
        return False
    genba.run(f"template {TEMPLATE} is imported", "templates", "push", TEMPLATE, "-d", str(starter), "-y", *options)
    folders.pushed.write_text(found, encoding="utf-8")
    return is_new


def has_template(genba: GenbaCommand) -> bool:
    """Tell whether the gateway has the starter's template."""
    listing = subprocess.run(
        genba.argv("templates", "list", "-o", "json"),
        env=genba.child_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if listing.returncode != 0 or not listing.stdout.strip():
        return False
    return any(row.Template.name == TEMPLATE for row in decode_message(listing.stdout, list[_TemplateRow]))


def hash_folder(folder: Path) -> str:
    """Return a hash of the names and contents of all files in a folder."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def start_demo(session: ApiSession, genba: GenbaCommand, gateway: GatewayProcess) -> Workspace | None:
    """Create the workspace, start it, or find it running, and follow it until its agent is ready.

    Returns:
        The workspace, or None when it did not get ready in time (it may still).
    """
    workspace = session.find_workspace(WORKSPACE)
    if workspace is None:
        _build(genba, "is created", "create", WORKSPACE, "--template", TEMPLATE)
    elif workspace.latest_build.status != "running":
        _build(genba, "is started", "start", WORKSPACE)
    elif not _come_back(session, gateway):
        _build(genba, "is started anew, since its agent did not come back", "restart", WORKSPACE)
    else:
        # What it printed when it started was printed by the run that started it.
        return follow_until_ready(session, gateway, seen=_last_lines(session, workspace))
    return follow_until_ready(session, gateway)


def _last_lines(session: ApiSession, workspace: Workspace) -> dict[str, int]:
    logs = {agent.id: session.list_agent_logs(agent.id, 0) for agent in agents_of(workspace)}
    return {agent_id: lines[-1].id for agent_id, lines in logs.items() if lines}


def _build(genba: GenbaCommand, what: str, *arguments: str) -> None:
    say(f"workspace {WORKSPACE} {what}")
    genba.run(f"workspace {WORKSPACE} {what}", *arguments, "-y")


def _come_back(session: ApiSession, gateway: GatewayProcess) -> bool:
    ticker = Ticker(f"the agent of {WORKSPACE} reconnects")
    deadline = time.monotonic() + BACK_WITHIN_S
    while time.monotonic() < deadline:
        gateway.check_alive()
        workspace = session.find_workspace(WORKSPACE)
        if workspace is not None and all(agent.status == "connected" for agent in agents_of(workspace)):
            return True
        ticker.tick()
        time.sleep(POLL_S)
    return False


def follow_until_ready(
    session: ApiSession, gateway: GatewayProcess, *, seen: dict[str, int] | None = None
) -> Workspace | None:
    """Print the agents' log lines until all of them are ready; None when that took too long.

    Args:
        seen: the last line of each agent's log that need not be printed.
    """
    ticker = Ticker(f"the agent of {WORKSPACE} gets ready")
    seen = dict(seen or {})
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        gateway.check_alive()
        workspace = session.find_workspace(WORKSPACE)
        agents = agents_of(workspace) if workspace else []
        for agent in agents:
            for line in session.list_agent_logs(agent.id, seen.get(agent.id, 0)):
                say(f"  {agent.name}: {line.output}")
                ticker.spoke()
                seen[agent.id] = line.id
        if agents and all(a.status == "connected" and a.lifecycle_state in SETTLED for a in agents):
            return workspace
        ticker.tick("; ".join(f"{a.name} is {a.status}, {a.lifecycle_state}" for a in agents))
        time.sleep(POLL_S)
    return None
