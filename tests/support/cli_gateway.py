"""A small gateway for the command line: Quart on hypercorn, on loopback, with jobs that the test drives.

It can be stopped and started again on its port, in the middle of streams, and keeps what it knows.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from hypercorn.asyncio import serve  # pyright: ignore[reportUnknownVariableType]  # its WSGI part is untyped
from hypercorn.config import Config

from genba_wire.api.agents import AgentLog, WorkspaceAgent
from genba_wire.api.deployment import SSHConfigResponse
from genba_wire.api.jobs import JobLog, ProvisionerJob
from genba_wire.api.templates import (
    TemplateVersion,
    TemplateVersionParameter,
    TemplateVersionVariable,
)
from genba_wire.api.users import APIKey, Organization, User
from genba_wire.api.workspaces import (
    BuildParameter,
    Workspace,
    WorkspaceBuild,
    WorkspaceResource,
)
from genba_wire.version import VERSION
from tests.support.cli_builders import (
    FRESH_KEY as FRESH_KEY,
)
from tests.support.cli_builders import (
    NOW,
    USER_ID,
    make_api_key,
    make_build,
    make_organization,
    make_ssh_config,
    make_template,
    make_user,
    make_version,
)
from tests.support.cli_builders import (
    TOKEN as TOKEN,
)
from tests.support.cli_gateway_routes import make_app

CEILING_S: Final = 30.0

Json = Any


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """What came in."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Json:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A dry run that is over, and what it found; a gateway without one knows no dry runs."""

    job: ProvisionerJob
    resources: list[WorkspaceResource]


@dataclass(slots=True)
class CliGateway:
    """What the deployment holds; tests change it directly and call `changed`."""

    port: int = 0
    version: str = VERSION
    token: str = TOKEN
    user: User | None = field(default_factory=make_user)
    other_users: list[User] = field(default_factory=list[User])
    organizations: list[Organization] = field(default_factory=lambda: [make_organization()])
    templates: list[Any] = field(default_factory=lambda: [make_template()])
    versions: dict[str, TemplateVersion] = field(default_factory=lambda: {make_version().id: make_version()})
    parameters: list[TemplateVersionParameter] = field(default_factory=list[TemplateVersionParameter])
    variables: list[TemplateVersionVariable] = field(default_factory=list[TemplateVersionVariable])
    dry_run: PlannedRun | None = None
    missing_variables: set[str] = field(default_factory=set[str])
    workspaces: dict[str, Workspace] = field(default_factory=dict[str, Workspace])
    builds: dict[str, WorkspaceBuild] = field(default_factory=dict[str, WorkspaceBuild])
    build_parameters: dict[str, list[BuildParameter]] = field(default_factory=dict[str, list[BuildParameter]])
    agents: dict[str, WorkspaceAgent] = field(default_factory=dict[str, WorkspaceAgent])
    job_logs: dict[str, list[JobLog]] = field(default_factory=dict[str, list[JobLog]])
    agent_logs: dict[str, list[AgentLog]] = field(default_factory=dict[str, list[AgentLog]])
    keys: list[APIKey] = field(default_factory=lambda: [make_api_key()])
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    ssh_config: SSHConfigResponse | None = field(default_factory=make_ssh_config)
    state: bytes = b'{"serial": 1}'
    tickets: list[str] = field(default_factory=list[str])
    refuse_next: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    refuse_builds: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    page: bytes = b""
    """What answers everything in the gateway's place: a hotspot, or a proxy while the gateway is mended."""
    usage_status: int = 204
    finishes_builds: bool = True
    """Whether builds and imports succeed at once, or wait for the test."""
    has_watch: bool = True
    requests: list[RecordedRequest] = field(default_factory=list[RecordedRequest])
    open_streams: int = 0

    change: asyncio.Event = field(default_factory=asyncio.Event)
    _shutdown: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Task[None] | None = None
    _group: asyncio.TaskGroup | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def changed(self) -> None:
        """Wake all that waits for a change."""
        self.change.set()
        self.change = asyncio.Event()

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(CEILING_S):
            while not condition():
                await self.change.wait()

    def record(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> None:
        self.requests.append(RecordedRequest(method, path, query, headers, body))
        self.changed()

    def requests_of(self, method: str, path: str) -> list[RecordedRequest]:
        return [one for one in self.requests if (one.method, one.path) == (method, "/api/v2" + path)]

    def add_workspace(self, workspace: Workspace) -> Workspace:
        build = msgspec.structs.replace(workspace.latest_build, workspace_id=workspace.id)
        workspace = msgspec.structs.replace(workspace, latest_build=build)
        self.workspaces[workspace.id] = workspace
        self._keep_build(build)
        return workspace

    def add_build(self, workspace_id: str, **changes: Any) -> WorkspaceBuild:
        workspace = self.workspaces[workspace_id]
        number = workspace.latest_build.build_number + 1
        build = make_build(workspace_id=workspace_id, build_number=number, **changes)
        self.workspaces[workspace_id] = msgspec.structs.replace(workspace, latest_build=build)
        self._keep_build(build)
        self.changed()
        return build

    def say(self, job_of: str, output: str, stage: str = "Starting workspace") -> None:
        """Add a line to the log of a build or template version."""
        lines = self.job_logs.setdefault(job_of, [])
        identifier = (lines[-1].id if lines else 100) + 3
        lines.append(
            JobLog(
                id=identifier, created_at=NOW, log_source="provisioner", log_level="info", stage=stage, output=output
            )
        )
        self.changed()

    def say_as_agent(self, agent_id: str, output: str) -> None:
        lines = self.agent_logs.setdefault(agent_id, [])
        lines.append(AgentLog(id=len(lines) + 1, created_at=NOW, output=output, level="info", source_id=USER_ID))
        self.changed()

    def set_job(self, build_id: str, status: str, **changes: Any) -> None:
        build = self.builds[build_id]
        job = msgspec.structs.replace(build.job, status=status, **changes)
        done = {"start": "running", "stop": "stopped", "delete": "deleted"}
        name = done[build.transition] if status == "succeeded" else status
        build = msgspec.structs.replace(build, job=job, status=name)
        self._keep_build(build)
        workspace = self.workspaces[build.workspace_id]
        if workspace.latest_build.id == build_id:
            self.workspaces[workspace.id] = msgspec.structs.replace(workspace, latest_build=build)
        self.changed()

    def _keep_build(self, build: WorkspaceBuild) -> None:
        self.builds[build.id] = build
        for resource in build.resources:
            for agent in resource.agents:
                self.agents[agent.id] = agent

    async def start(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        config = Config()
        config.bind = [f"fd://{listener.detach()}"]
        config.graceful_timeout = 0.1
        config.errorlog = None
        self._shutdown = asyncio.Event()
        started = asyncio.Event()
        app = make_app(self, started)
        assert self._group is not None
        self._server = self._group.create_task(serve(app, config, shutdown_trigger=self._shutdown.wait), name="server")
        async with asyncio.timeout(CEILING_S):
            await started.wait()

    @property
    def is_running(self) -> bool:
        return self._server is not None

    async def stop(self) -> None:
        """End all streams and refuse connections."""
        assert self._server is not None
        self._shutdown.set()
        await self._server
        self._server = None


@asynccontextmanager
async def running_cli_gateway(**state: Any) -> AsyncGenerator[CliGateway]:
    async with asyncio.TaskGroup() as group:
        gateway = CliGateway(**state, _group=group)
        await gateway.start()
        try:
            yield gateway
        finally:
            if gateway.is_running:
                await gateway.stop()
