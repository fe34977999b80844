"""The gateway's services on a real database with a fake provisioner: for tests of templates, workspaces and jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from quart import Quart
from quart.typing import TestWebsocketConnectionProtocol as WebsocketConnection

from genba_gateway.api import (
    activity,
    autostart,
    builds,
    deadlines,
    dry_runs,
    files,
    insights,
    presets,
    template_versions,
    templates,
    timings,
    workspace_settings,
    workspaces,
)
from genba_gateway.config import Config
from genba_gateway.domain.actors import OWNER
from genba_gateway.domain.jobs import Job
from genba_gateway.domain.provisioning import ImportResult, TemplateParameter
from genba_gateway.services.container import Services, make_services
from genba_gateway.store import jobs as job_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_gateway.store.sealing import KEY_BYTES, Sealer
from tests.support.agent_rows import SetClock
from tests.support.database import FilledDatabase
from tests.support.fake_provisioner import FakeProvisioner
from tests.support.gateway_app import SignedIn, make_app, make_user
from tests.support.template_archives import template_archive

API: Final = "/api/v2"
CEILING_S: Final = 30.0
ARCHIVE: Final = template_archive({"main.tf": "# nothing\n"})
UNKNOWN_ID: Final = "99999999-9999-4999-8999-999999999999"
REPLICA: Final = "11111111-1111-4111-8111-111111111111"


@dataclass(frozen=True, slots=True)
class Reply:
    """A status with its decoded body."""

    status: int
    body: Any

    @property
    def fields(self) -> list[str]:
        """The fields that an error body names."""
        return [problem["field"] for problem in self.body.get("validations", [])]


@dataclass(slots=True)
class Workshop:
    """Services, app and people: `owner` has the site role, `member` and `stranger` have none."""

    database: Database
    sealer: Sealer
    pubsub: PubSub
    clock: SetClock
    provisioner: FakeProvisioner
    services: Services
    app: Quart
    owner: SignedIn
    member: SignedIn
    stranger: SignedIn
    cleared: list[str] = field(default_factory=list[str])
    clear_error: Exception | None = None

    async def call(
        self,
        who: SignedIn | None,
        method: str,
        path: str,
        json: object = None,
        *,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request as somebody (None: without a session)."""
        sent = {**(who.headers if who else {}), **(headers or {})}
        body: dict[str, Any] = {"data": data} if data is not None else ({} if json is None else {"json": json})
        client: Any = self.app.test_client()
        response = await client.open(API + path, method=method, headers=sent, **body)
        raw = await response.get_data()
        kind = response.headers.get("Content-Type", "")
        return Reply(response.status_code, await response.get_json() if "json" in kind else raw)

    async def get(self, who: SignedIn | None, path: str) -> Reply:
        """GET as somebody."""
        return await self.call(who, "GET", path)

    def websocket(self, path: str, headers: Mapping[str, str]) -> AbstractAsyncContextManager[WebsocketConnection]:
        """Open a websocket."""
        client: Any = self.app.test_client()
        connection: AbstractAsyncContextManager[WebsocketConnection] = client.websocket(API + path, headers=headers)
        return connection

    async def run_next(self) -> Job:
        """Run the next job of the queue to its end, and return what became of it."""
        job = await self.services.job_runner.take()
        assert job is not None, "no job waits"
        await self.services.job_runner.run(job)
        return await self.find_job(job.id)

    async def find_job(self, job_id: str) -> Job:
        """A job that is there."""
        async with self.database.read() as connection:
            job = await job_store.find_job(connection, job_id)
        assert job is not None
        return job

    async def read_log(self, job_id: str) -> list[str]:
        """The lines of a job's log."""
        return [line.output for line in await self.services.jobs.list_logs(job_id, after=0, before=None)]

    async def upload(self) -> str:
        """Upload an archive, and return its id."""
        file_id, _ = await self.services.files.upload(self.owner.actor, "application/x-tar", ARCHIVE)
        return file_id

    async def add_version(self, *, run: bool = True, **fields: object) -> dict[str, Any]:
        """Push a version, import it unless `run` is False, and return its JSON."""
        self.clock.move(1)
        request = {
            "storage_method": "file",
            "provisioner": "terraform",
            "file_id": await self.upload(),
            **fields,
        }
        made = await self.call(self.owner, "POST", "/organizations/default/templateversions", request)
        assert made.status == 201, made
        if run:
            await self.run_next()
        version: dict[str, Any] = (await self.get(self.owner, f"/templateversions/{made.body['id']}")).body
        return version

    async def add_template(
        self, name: str = "docker", *parameters: TemplateParameter, **fields: object
    ) -> dict[str, Any]:
        """Make a template of an imported version with parameters, and return its JSON."""
        if parameters:
            self.provisioner.imported = ImportResult(parameters, (), (), ())
        version = await self.add_version()
        request = {"name": name, "template_version_id": version["id"], **fields}
        made = await self.call(self.owner, "POST", "/organizations/default/templates", request)
        assert made.status == 201, made
        template: dict[str, Any] = made.body
        return template

    async def add_workspace(
        self, template: Mapping[str, Any], name: str = "dev", *, who: SignedIn | None = None, run: bool = True
    ) -> dict[str, Any]:
        """Make a workspace (the member's unless said otherwise), run its first build, and return its JSON."""
        self.clock.move(1)
        who = who or self.member
        made = await self.call(who, "POST", "/users/me/workspaces", {"name": name, "template_id": template["id"]})
        assert made.status == 201, made
        if run:
            await self.run_next()
        workspace: dict[str, Any] = (await self.get(who, f"/workspaces/{made.body['id']}")).body
        return workspace

    async def add_build(
        self,
        workspace: Mapping[str, Any],
        transition: str,
        *,
        who: SignedIn | None = None,
        run: bool = True,
        **fields: object,
    ) -> dict[str, Any]:
        """Queue a build, run it unless `run` is False, and return its JSON."""
        self.clock.move(1)
        who = who or self.member
        request = {"transition": transition, **fields}
        made = await self.call(who, "POST", f"/workspaces/{workspace['id']}/builds", request)
        assert made.status == 201, made
        if run:
            await self.run_next()
        build: dict[str, Any] = (await self.get(who, f"/workspacebuilds/{made.body['id']}")).body
        return build


@asynccontextmanager
async def open_workshop(tmp_path: Path) -> AsyncGenerator[Workshop]:
    """Wire everything on an empty database with three people."""
    database, people = await _FILLED.open(tmp_path)
    try:
        # Quart looks for its folders when an app is made: once, at start-up, so not in the loop that is watched here.
        yield await asyncio.to_thread(_wire, database, *people)
    finally:
        await database.close()


async def _add_people(database: Database) -> tuple[SignedIn, SignedIn, SignedIn]:
    return (
        await make_user(database, "olga", roles=(OWNER,)),
        await make_user(database, "mia"),
        await make_user(database, "sven"),
    )


_FILLED: Final = FilledDatabase(_add_people)


def _wire(database: Database, owner: SignedIn, member: SignedIn, stranger: SignedIn) -> Workshop:
    clock, pubsub, provisioner = SetClock(), PubSub(), FakeProvisioner()
    sealer = Sealer({"k": b"k" * KEY_BYTES})

    async def clear_host_workspace(workspace_id: str) -> None:
        if workshop.clear_error is not None:
            raise workshop.clear_error
        workshop.cleared.append(workspace_id)

    s = make_services(
        Config(),
        database=database,
        sealer=sealer,
        pubsub=pubsub,
        provisioner=provisioner,
        clear_host_workspace=clear_host_workspace,
        replica_id=REPLICA,
        now=clock,
    )
    app = make_app(
        database,
        files.make_blueprint(s.files),
        templates.make_blueprint(s.templates, s.organizations, s.version_archive, s.examples),
        template_versions.make_blueprint(s.template_versions, s.templates, s.organizations, s.jobs, clock),
        presets.make_blueprint(s.presets),
        insights.make_blueprint(s.daily_users),
        dry_runs.make_blueprint(s.dry_runs, s.jobs, clock),
        workspaces.make_blueprint(s.workspaces, s.users, s.organizations, clock),
        deadlines.make_blueprint(s.deadlines),
        autostart.make_blueprint(s.autostarts),
        timings.make_blueprint(s.timings),
        workspace_settings.make_blueprint(s.workspace_settings, s.workspaces, clock),
        activity.make_blueprint(s.activity),
        builds.make_blueprint(s.builds, s.workspaces, s.users, s.jobs, clock),
    )
    workshop = Workshop(database, sealer, pubsub, clock, provisioner, s, app, owner, member, stranger)
    return workshop
