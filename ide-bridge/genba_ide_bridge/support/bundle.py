"""Gathers what the gateway and this machine know of a workspace, in a zip."""

from __future__ import annotations

import json
import os
import platform
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from genba_ide_bridge.api.calls import in_path
from genba_ide_bridge.cli.build_facts import agents_of
from genba_ide_bridge.errors import BridgeError
from genba_ide_bridge.support.redaction import Redactor
from genba_wire.errors import WireError
from genba_wire.version import VERSION

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.workspaces import Workspace

README: Final = """\
Made by `genba support bundle`. Known secrets and what looks like one were taken out; what a program printed without a
mark can't be recognised, so look through the logs before you give this away.

client/      this machine: versions, environment (names of all variables, values of harmless ones)
deployment/  the gateway: version, settings for ssh, who you are
workspace/   the workspace, its builds, and the log of the latest
agents/      each agent of the latest build, and its log
errors.txt   what could not be had, and why
"""

MAX_LOG_CHARACTERS: Final = 8 * 1024 * 1024
"""Of each log, its end: a zip has to fit into a mail."""


@dataclass(slots=True)
class Bundle:
    """The files of a bundle, free of secrets."""

    redactor: Redactor
    files: dict[str, str] = field(default_factory=dict[str, str])
    errors: list[str] = field(default_factory=list[str])

    def add_text(self, name: str, text: str) -> None:
        """Add a text."""
        self.files[name] = self.redactor.text(text)

    def add_json(self, name: str, value: object) -> None:
        """Add JSON."""
        self.files[name] = json.dumps(self.redactor.json(value), indent=2, ensure_ascii=False) + "\n"

    async def add_answer(
        self, name: str, client: GatewayClient, path: str, params: Mapping[str, str] | None = None
    ) -> None:
        """Add an answer of the gateway, or why there is none; a log if `name` says so."""
        try:
            value = await client.calls.fetch_json("GET", path, params=params)
        except (WireError, BridgeError) as error:
            self.errors.append(f"{name}: {' '.join(str(error).split())}")
            return
        if name.endswith(".json"):
            self.add_json(name, value)
        else:
            self.add_text(name, format_log(value))
            # Cut behind the redaction: half a private key would not be recognised.
            self.files[name] = self.files[name][-MAX_LOG_CHARACTERS:]

    def write(self, path: Path) -> None:
        """Write the zip; it is there whole, or not at all.

        Raises:
            BridgeError: it can't be written.
        """
        files = {
            "README.txt": README,
            **self.files,
            "errors.txt": self.redactor.text("".join(f"{one}\n" for one in self.errors)),
        }
        try:
            descriptor, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            try:
                with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                    for name, text in sorted(files.items()):
                        archive.writestr(name, text.encode("utf-8", errors="replace"))
                os.replace(fresh, path)
            except BaseException:
                os.unlink(fresh)
                raise
        except OSError as error:
            raise BridgeError(f"Can't write {path}: {error.strerror or error}.") from error


def add_client(bundle: Bundle, environment: Mapping[str, str], url: str) -> None:
    """Add what this machine knows."""
    facts = {
        "genba": VERSION,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "url": url,
    }
    bundle.add_json("client/versions.json", facts)
    shown = bundle.redactor.environment(environment)
    # Not as JSON of the API: its own rules for names know better what a variable may show.
    bundle.files["client/environment.txt"] = "".join(f"{name}={value}\n" for name, value in shown.items())


async def add_gateway(bundle: Bundle, client: GatewayClient) -> None:
    """Add what the gateway says of itself and of the user."""
    for name, path in (
        ("deployment/buildinfo.json", "/buildinfo"),
        ("deployment/ssh.json", "/deployment/ssh"),
        ("deployment/user.json", "/users/me"),
    ):
        await bundle.add_answer(name, client, path)


async def add_workspace(bundle: Bundle, client: GatewayClient, workspace: Workspace, agent_name: str) -> None:
    """Add a workspace with its latest build and agents; `agent_name` narrows it to one."""
    build = workspace.latest_build
    one, latest = f"/workspaces/{in_path(workspace.id)}", f"/workspacebuilds/{in_path(build.id)}"
    for name, path in (
        ("workspace/workspace.json", one),
        ("workspace/build_log.txt", f"{latest}/logs"),
    ):
        await bundle.add_answer(name, client, path)
    await bundle.add_answer("workspace/builds.json", client, f"{one}/builds", {"limit": "10"})
    parameters = await _list_parameter_names(bundle, client, build.id)
    bundle.add_json("workspace/parameters.json", parameters)
    for agent in agents_of(build):
        if agent_name in ("", agent.name):
            path = f"/workspaceagents/{in_path(agent.id)}"
            folder = f"agents/{agent.name.replace('/', '_')}"
            await bundle.add_answer(f"{folder}/agent.json", client, path)
            await bundle.add_answer(f"{folder}/log.txt", client, f"{path}/logs")


async def _list_parameter_names(bundle: Bundle, client: GatewayClient, build_id: str) -> list[str]:
    # Not their values: people put passwords into them, and no name says which.
    try:
        return [one.name for one in await client.workspaces.list_build_parameters(build_id)]
    except (WireError, BridgeError) as error:
        bundle.errors.append(f"workspace/parameters.json: {error}")
        return []


def format_log(lines: object) -> str:
    """A log of the API as a text of lines."""
    if not isinstance(lines, list):
        return ""
    rows = [cast(dict[str, object], one) for one in cast(list[object], lines) if isinstance(one, dict)]
    return "".join(
        f"{row.get('created_at', '')} {row.get('log_level') or row.get('level') or ''} {row.get('stage', '')}"
        f" {str(row.get('output', '')).rstrip()}\n"
        for row in rows
    )
