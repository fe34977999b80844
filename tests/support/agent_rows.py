"""A database with a user, a template and workspaces, for tests about agents."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from genba_gateway.domain.actors import OWNER, AgentActor, UserActor
from genba_gateway.domain.agents import Agent
from genba_gateway.domain.hashing import hash_secret
from genba_gateway.domain.provisioning import AgentSpec
from genba_gateway.store import agents as agent_store
from genba_gateway.store import tables
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_gateway.store.sealing import KEY_BYTES, Sealer
from tests.support.database import FilledDatabase

BEGINNING: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
REPLICA: Final = "11111111-1111-4111-8111-111111111111"
USER: Final = UserActor("20000000-0000-4000-8000-000000000001", "ana", ("member",), "anakey0000")
STRANGER: Final = UserActor("20000000-0000-4000-8000-000000000002", "bob", ("member",), "bobkey0000")
ADMIN: Final = UserActor("20000000-0000-4000-8000-000000000003", "root", (OWNER,), "rootkey000")
SECRET: Final = "abcdefghijklmnopqrstuv"


class SetClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.time = BEGINNING

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.time

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.time += timedelta(seconds=seconds)


def make_agent_spec(name: str = "main", *, token: str | None = None) -> AgentSpec:
    """An agent with a token of its own; `dataclasses.replace` adds the rest."""
    return AgentSpec(
        name=name, operating_system="linux", architecture="amd64", token=str(uuid.uuid4()) if token is None else token
    )


@dataclass(slots=True)
class AgentRows:
    """The database, and what its services need."""

    database: Database
    sealer: Sealer = field(default_factory=lambda: Sealer({"k": b"k" * KEY_BYTES}))
    pubsub: PubSub = field(default_factory=PubSub)
    clock: SetClock = field(default_factory=SetClock)
    user: UserActor = USER
    stranger: UserActor = STRANGER
    admin: UserActor = ADMIN
    organization_id: str = "10000000-0000-4000-8000-000000000001"
    file_id: str = "10000000-0000-4000-8000-000000000002"
    template_id: str = "10000000-0000-4000-8000-000000000003"
    version_id: str = "10000000-0000-4000-8000-000000000004"

    async def insert(self, table: sa.Table, **values: object) -> None:
        """Insert one row."""
        async with self.database.write() as connection:
            await connection.execute(table.insert().values(**values))

    async def add_job(self) -> str:
        """Add a provisioner's job, which is running."""
        job_id = str(uuid.uuid4())
        now = self.clock()
        await self.insert(
            tables.provisioner_jobs,
            id=job_id,
            organization_id=self.organization_id,
            initiator_id=self.user.user_id,
            type="workspace_build",
            file_id=self.file_id,
            tags={},
            input={},
            created_at=now,
            updated_at=now,
            started_at=now,
        )
        return job_id

    async def add_workspace(self, name: str = "dev") -> str:
        """Add a workspace without builds."""
        workspace_id = str(uuid.uuid4())
        now = self.clock()
        await self.insert(
            tables.workspaces,
            id=workspace_id,
            owner_id=self.user.user_id,
            organization_id=self.organization_id,
            template_id=self.template_id,
            name=name,
            last_used_at=now,
            user_acl={},
            group_acl={},
            created_at=now,
            updated_at=now,
        )
        return workspace_id

    async def add_build(self, workspace_id: str, number: int = 1, transition: str = "start") -> str:
        """Add a build, and return its job; a later one than the first has succeeded."""
        job_id = await self.add_job()
        now = self.clock()
        if number > 1:
            async with self.database.write() as connection:
                jobs = tables.provisioner_jobs
                await connection.execute(jobs.update().where(jobs.c.id == job_id).values(completed_at=now))
        await self.insert(
            tables.workspace_builds,
            id=str(uuid.uuid4()),
            workspace_id=workspace_id,
            template_version_id=self.version_id,
            build_number=number,
            transition=transition,
            initiator_id=self.user.user_id,
            job_id=job_id,
            created_at=now,
            updated_at=now,
        )
        return job_id

    async def add_resource(self, job_id: str) -> str:
        """Add a resource of a job."""
        resource_id = str(uuid.uuid4())
        await self.insert(
            tables.workspace_resources,
            id=resource_id,
            job_id=job_id,
            position=0,
            transition="start",
            type="terraform_data",
            name="dev",
            metadata=[],
            created_at=self.clock(),
        )
        return resource_id

    async def add_agents(self, resource_id: str, agents: Sequence[AgentSpec]) -> list[str]:
        """Store agents of a resource."""
        async with self.database.write() as connection:
            return await agent_store.insert_agents(
                connection, self.sealer, resource_id=resource_id, agents=agents, now=self.clock()
            )

    async def add_running_agent(self, spec: AgentSpec | None = None) -> AgentActor:
        """Add a workspace whose latest build has one agent."""
        spec = spec or make_agent_spec()
        workspace_id = await self.add_workspace(f"w{uuid.uuid4().hex[:12]}")
        await self.add_agents(await self.add_resource(await self.add_build(workspace_id)), [spec])
        actor = await self.find_actor(spec)
        assert actor is not None
        return actor

    async def find_actor(self, spec: AgentSpec) -> AgentActor | None:
        """Whom the agent's token stands for."""
        async with self.database.read() as connection:
            return await agent_store.find_agent_actor(connection, hash_secret(spec.token))

    async def get_agent(self, agent_id: str) -> Agent:
        """An agent that is there."""
        async with self.database.read() as connection:
            agent = await agent_store.find_agent(connection, self.sealer, agent_id)
        assert agent is not None
        return agent

    async def add_session(self, actor: UserActor) -> str:
        """Give a user a session that lasts, and return its token."""
        now = datetime.now(UTC)
        await self.insert(
            tables.api_keys,
            id=actor.key_id,
            user_id=actor.user_id,
            hashed_secret=hash_secret(SECRET),
            lifetime_seconds=86400,
            created_at=now,
            updated_at=now,
            last_used=now,
            expires_at=now + timedelta(days=1),
        )
        return f"{actor.key_id}-{SECRET}"


@asynccontextmanager
async def open_agent_rows(tmp_path: Path) -> AsyncGenerator[AgentRows]:
    """A database with users and a template."""
    database, _ = await _FILLED.open(tmp_path)
    try:
        yield AgentRows(database)
    finally:
        await database.close()


async def fill_agent_rows(database: Database) -> None:
    """Add the users and the template."""
    rows = AgentRows(database)
    now = rows.clock()
    times = {"created_at": now, "updated_at": now}
    for actor in (rows.user, rows.stranger, rows.admin):
        await rows.insert(
            tables.users,
            id=actor.user_id,
            username=actor.username,
            email=f"{actor.username}@example.com",
            roles=[role for role in actor.roles if role == OWNER],
            last_seen_at=now,
            **times,
        )
    creator = rows.user.user_id
    await rows.insert(tables.organizations, id=rows.organization_id, name="default", is_default=True, **times)
    await rows.insert(
        tables.files, id=rows.file_id, hash="00", created_by=creator, created_at=now, mimetype="", data=b""
    )
    organization = {"organization_id": rows.organization_id, "created_by": creator}
    await rows.insert(
        tables.templates,
        id=rows.template_id,
        name="docker",
        active_version_id=rows.version_id,
        user_acl={},
        group_acl={},
        **organization,
        **times,
    )
    await rows.insert(
        tables.template_versions,
        id=rows.version_id,
        template_id=rows.template_id,
        name="v1",
        job_id=await rows.add_job(),
        **organization,
        **times,
    )


_FILLED: Final = FilledDatabase(fill_agent_rows)
