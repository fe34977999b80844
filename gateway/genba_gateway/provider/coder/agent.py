"""`coder_agent`: what runs in a workspace's compute and dials the gateway."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from pathlib import PurePosixPath, PureWindowsPath

from genba_gateway.provider.checks import find_repeated, one_of, within
from genba_gateway.provider.context import Session
from genba_gateway.provider.problems import Problem
from genba_gateway.provider.schema import (
    Attribute,
    Block,
    DeclaredResource,
    Mode,
    NestedBlock,
    Nesting,
    Schema,
    computed_id,
)
from genba_gateway.provider.values import UNKNOWN, Fields, MapOf, Object, Primitive, Value

NUMBER = Primitive.NUMBER
BOOL = Primitive.BOOL
REQUIRED = Mode.REQUIRED

# A token that is handed in is for the agent whose id hashes to the name's tail; Coder hashes the empty id.
RUNNING_TOKEN = f"CODER_RUNNING_WORKSPACE_AGENT_TOKEN_{hashlib.sha256(b'').hexdigest()}"

METADATA = Block(
    (
        Attribute("key", mode=REQUIRED, description="Name that is unique among the agent's metadata."),
        Attribute("display_name", description="Name that users see; the key when empty."),
        Attribute("script", mode=REQUIRED, description="Shell script whose output is the value."),
        Attribute("timeout", NUMBER, description="Seconds after which the script is ended."),
        Attribute("interval", NUMBER, REQUIRED, description="Seconds between two runs."),
        Attribute("order", NUMBER, description="Position among the agent's metadata; smaller comes first."),
    ),
    description="A value that the agent reads again and again and that users see.",
)

DISPLAY_APPS = Block(
    (
        Attribute("vscode", BOOL, default=True, description="Offer VS Code."),
        Attribute("vscode_insiders", BOOL, default=False, description="Offer VS Code Insiders."),
        Attribute("web_terminal", BOOL, default=True, description="Offer the terminal in the browser."),
        Attribute("port_forwarding_helper", BOOL, default=True, description="Offer open ports."),
        Attribute("ssh_helper", BOOL, default=True, description="Explain how to connect by SSH."),
    ),
    description="Which of the built-in ways to connect users are offered.",
)

MEMORY = Block(
    (
        Attribute("enabled", BOOL, REQUIRED, description="Whether memory is watched."),
        Attribute("threshold", NUMBER, REQUIRED, checks=(within(0, 100),), description="Per cent in use."),
    ),
)

VOLUME = Block(
    (
        Attribute("path", mode=REQUIRED, description="Absolute path of a folder on the volume."),
        Attribute("enabled", BOOL, REQUIRED, description="Whether the volume is watched."),
        Attribute("threshold", NUMBER, REQUIRED, checks=(within(0, 100),), description="Per cent in use."),
    ),
)

RESOURCES_MONITORING = Block(
    blocks=(
        NestedBlock("memory", MEMORY, Nesting.SET, max_items=1),
        NestedBlock("volume", VOLUME, Nesting.SET),
    ),
    description="What users are warned about when it runs short.",
)

SCHEMA = Schema(
    Block(
        (
            computed_id(),
            Attribute(
                "api_key_scope",
                default="all",
                checks=(one_of("all", "no_user_data"),),
                description="What the agent's token may read.",
            ),
            Attribute("init_script", mode=Mode.COMPUTED, description="Script that installs and runs the agent."),
            Attribute("arch", mode=REQUIRED, checks=(one_of("amd64", "armv7", "arm64"),), description="CPU."),
            Attribute(
                "auth",
                default="token",
                checks=(
                    one_of(
                        "token",
                        "google-instance-identity",
                        "aws-instance-identity",
                        "azure-instance-identity",
                    ),
                ),
                description="How the agent proves who it is.",
            ),
            Attribute("dir", description="Folder that sessions begin in."),
            Attribute("env", MapOf(Primitive.STRING), description="Environment of sessions and scripts."),
            Attribute("os", mode=REQUIRED, checks=(one_of("linux", "darwin", "windows"),), description="System."),
            Attribute("startup_script", description="Script that runs when the agent starts."),
            Attribute("shutdown_script", description="Script that runs before the agent ends."),
            Attribute("token", mode=Mode.COMPUTED, is_sensitive=True, description="What the agent signs in with."),
            Attribute(
                "connection_timeout",
                NUMBER,
                default=120,
                checks=(within(0),),
                description="Seconds after which an agent that never connected counts as timed out; 0 for never.",
            ),
            Attribute("troubleshooting_url", description="Where users find help when the agent fails."),
            Attribute("motd_file", description="File that is shown when a session begins."),
            Attribute(
                "startup_script_behavior",
                default="non-blocking",
                checks=(one_of("blocking", "non-blocking"),),
                description="Whether sessions wait for the startup script.",
            ),
            Attribute("order", NUMBER, description="Position among the workspace's agents; smaller comes first."),
        ),
        (
            NestedBlock("metadata", METADATA),
            NestedBlock("display_apps", DISPLAY_APPS, Nesting.SET, max_items=1, is_computed=True),
            NestedBlock("resources_monitoring", RESOURCES_MONITORING, Nesting.SET, max_items=1),
        ),
        description="An agent: it runs in a workspace's compute, dials the gateway and serves sessions.",
    ),
    version=1,
)


class Agent(DeclaredResource):
    """The agent; it gets a token of its own on every refresh, which replaces the compute that carries it."""

    name = "coder_agent"
    schema = SCHEMA

    def find_problems(self, config: Fields) -> Sequence[Problem]:
        """Refuse a given id, repeated metadata keys and volumes, and volumes that aren't absolute paths."""
        problems = list(find_repeated(config, "metadata", "key"))
        if config.has("id"):
            problems.append(Problem("id can't be set", "The provider makes it. Remove it.", ("id",)))
        for number, monitoring in enumerate(config.rows("resources_monitoring")):
            problems += find_repeated(monitoring, "volume", "path", ("resources_monitoring", number))
            problems += [each for row in monitoring.rows("volume") for each in _find_path_problems(row)]
        return problems

    async def create(self, session: Session, planned: Fields) -> Object:
        """Make id, token and init script."""
        agent_id = str(uuid.uuid4())
        made: Object = {"id": agent_id, **_renew(session, planned, agent_id)}
        if planned["display_apps"] in (UNKNOWN, []):
            made["display_apps"] = [{each.name: each.default for each in DISPLAY_APPS.attributes}]
        return made

    async def read(self, session: Session, state: Fields) -> Object:
        """Renew the token and the init script."""
        return _renew(session, state, state.text("id"))


def _renew(session: Session, agent: Fields, agent_id: str) -> dict[str, Value]:
    script = session.variable(f"CODER_AGENT_SCRIPT_{agent.text('os')}_{agent.text('arch')}")
    script = script.replace("${ACCESS_URL}", session.url.rstrip("/") + "/")
    script = script.replace("${AUTH_TYPE}", agent.text("auth"))
    token = session.variable(RUNNING_TOKEN) or str(uuid.uuid4())
    if session.context.on_agent_token is not None:
        session.context.on_agent_token(agent_id, token)
    return {"token": token, "init_script": script}


def _find_path_problems(volume: Fields) -> Sequence[Problem]:
    path = volume["path"]
    if not isinstance(path, str) or PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute():
        return ()
    detail = f"The path {path!r} of a volume is not absolute. Write it from the root on, like /home."
    return (Problem("A monitored volume has no absolute path", detail, ("resources_monitoring",)),)
