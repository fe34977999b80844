"""Queries on workspace builds, their parameters and their Terraform states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.workspaces import Build
from genba_gateway.store import tables
from genba_gateway.store.jobs import job_columns, list_queue_places, read_job
from genba_gateway.store.rows import columns_of, read_record
from genba_gateway.store.sealing import Sealer

builds = tables.workspace_builds
_jobs = tables.provisioner_jobs
_workspaces = tables.workspaces
_templates = tables.templates
_versions = tables.template_versions
_owners = tables.users.alias("owners")
_initiators = tables.users.alias("initiators")
_parameters = tables.workspace_build_parameters
_NOT_READ = frozenset({"state_sealed"})


def build_columns() -> list[sa.Label[Any]]:
    """The columns that `read_build` needs, after `join_build`."""
    return [
        *columns_of(builds, "b_", without=_NOT_READ),
        *job_columns(),
        _workspaces.c.name.label("b_workspace_name"),
        _workspaces.c.owner_id.label("b_owner_id"),
        _owners.c.username.label("b_owner_name"),
        _owners.c.avatar_url.label("b_owner_avatar_url"),
        _templates.c.id.label("b_template_id"),
        _templates.c.name.label("b_template_name"),
        _templates.c.display_name.label("b_template_display_name"),
        _templates.c.icon.label("b_template_icon"),
        _versions.c.name.label("b_template_version_name"),
        _initiators.c.username.label("b_initiator_name"),
    ]


def join_build(query: sa.Select[Any]) -> sa.Select[Any]:
    """Join all that `build_columns` names to a query on builds."""
    return (
        query.select_from(builds)
        .join(_jobs, _jobs.c.id == builds.c.job_id)
        .join(_workspaces, _workspaces.c.id == builds.c.workspace_id)
        .join(_owners, _owners.c.id == _workspaces.c.owner_id)
        .join(_templates, _templates.c.id == _workspaces.c.template_id)
        .join(_versions, _versions.c.id == builds.c.template_version_id)
        .join(_initiators, _initiators.c.id == builds.c.initiator_id)
    )


def read_build(row: Mapping[str, Any], places: Mapping[str, int], size: int) -> Build:
    """A build from a row with `build_columns`."""
    job = read_job(row, position=places.get(row["j_id"], 0), size=size)
    return read_record(Build, row, "b_", transition=Transition(row["b_transition"]), job=job, resources=())


async def read_queue_if_waiting(
    connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, int], int]:
    """Places in the queue, read only when one of the rows' jobs waits."""
    if any(row["j_started_at"] is None and row["j_completed_at"] is None for row in rows):
        return await list_queue_places(connection)
    return {}, 0


async def _read(connection: AsyncConnection, query: sa.Select[Any]) -> list[Build]:
    rows: list[Mapping[str, Any]] = [dict(row) for row in (await connection.execute(query)).mappings().all()]
    places, size = await read_queue_if_waiting(connection, rows)
    return [read_build(row, places, size) for row in rows]


async def insert_build(connection: AsyncConnection, build: Build, *, state_sealed: bytes | None) -> None:
    """Store a new build; its job must be there.

    Raises:
        sqlalchemy.exc.IntegrityError: the build number is taken.
    """
    own = {column.name for column in builds.c} - {"job_id", "state_sealed", "transition"}
    values = {name: getattr(build, name) for name in build.__slots__ if name in own}
    await connection.execute(
        builds.insert().values(
            **values, transition=build.transition.value, job_id=build.job.id, state_sealed=state_sealed
        )
    )


async def find_build(connection: AsyncConnection, build_id: str) -> Build | None:
    """One build, without resources."""
    query = join_build(sa.select(*build_columns())).where(builds.c.id == build_id)
    return next(iter(await _read(connection, query)), None)


async def find_build_of_job(connection: AsyncConnection, job_id: str) -> Build | None:
    """The build that a job makes, without resources."""
    query = join_build(sa.select(*build_columns())).where(builds.c.job_id == job_id)
    return next(iter(await _read(connection, query)), None)


async def find_build_by_number(connection: AsyncConnection, workspace_id: str, number: int) -> Build | None:
    """One build of a workspace, without resources."""
    query = join_build(sa.select(*build_columns())).where(
        builds.c.workspace_id == workspace_id, builds.c.build_number == number
    )
    return next(iter(await _read(connection, query)), None)


async def list_builds(
    connection: AsyncConnection,
    workspace_id: str,
    *,
    after_id: str | None,
    since: datetime | None,
    limit: int | None,
    offset: int,
) -> list[Build]:
    """Builds of a workspace, newest first, without resources."""
    query = join_build(sa.select(*build_columns())).where(builds.c.workspace_id == workspace_id)
    query = query.order_by(builds.c.build_number.desc()).offset(offset).limit(limit)
    if after_id is not None:
        after = sa.select(builds.c.build_number).where(builds.c.id == after_id).scalar_subquery()
        query = query.where(builds.c.build_number < after)
    if since is not None:
        query = query.where(builds.c.created_at > since)
    return await _read(connection, query)


async def list_waiting_workspaces(connection: AsyncConnection) -> list[str]:
    """Ids of workspaces whose build waits in the queue."""
    query = (
        sa.select(builds.c.workspace_id)
        .join(_jobs, _jobs.c.id == builds.c.job_id)
        .where(_jobs.c.started_at.is_(None), _jobs.c.completed_at.is_(None))
    )
    return list((await connection.execute(query)).scalars().all())


async def update_build(connection: AsyncConnection, build_id: str, values: Mapping[str, object]) -> None:
    """Change columns of a build."""
    await connection.execute(builds.update().where(builds.c.id == build_id).values(**values))


async def find_state(connection: AsyncConnection, build_id: str) -> bytes | None:
    """The sealed state of a build."""
    query = sa.select(builds.c.state_sealed).where(builds.c.id == build_id)
    return (await connection.execute(query)).scalar_one_or_none()


async def find_latest_state(connection: AsyncConnection, workspace_id: str, *, before_number: int) -> bytes | None:
    """The sealed state that the builds before `before_number` left."""
    query = (
        sa.select(builds.c.state_sealed)
        .where(
            builds.c.workspace_id == workspace_id,
            builds.c.build_number < before_number,
            builds.c.state_sealed.is_not(None),
        )
        .order_by(builds.c.build_number.desc())
        .limit(1)
    )
    return (await connection.execute(query)).scalar_one_or_none()


async def insert_build_parameters(
    connection: AsyncConnection, sealer: Sealer, build_id: str, values: Mapping[str, str]
) -> None:
    """Store the parameters of a build, sealed."""
    if values:
        await connection.execute(
            _parameters.insert(),
            [
                {"workspace_build_id": build_id, "name": name, "value_sealed": sealer.seal_text(value)}
                for name, value in values.items()
            ],
        )


async def list_build_parameters(connection: AsyncConnection, sealer: Sealer, build_id: str) -> dict[str, str]:
    """The parameters of a build by name."""
    query = sa.select(_parameters.c.name, _parameters.c.value_sealed)
    query = query.where(_parameters.c.workspace_build_id == build_id).order_by(_parameters.c.name)
    rows = (await connection.execute(query)).all()
    return {name: sealer.open_text(sealed) for name, sealed in rows}
