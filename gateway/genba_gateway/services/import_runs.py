"""Runs import jobs: has the provisioner read a template version, and stores what it found."""

from __future__ import annotations

import asyncio
import json
from typing import Protocol

from genba_gateway.domain import channels
from genba_gateway.domain.jobs import Job
from genba_gateway.domain.provisioning import ImportRequest, ImportResult, OnLog
from genba_gateway.errors import ProvisionError
from genba_gateway.services.build_environment import environment_of_import
from genba_gateway.services.job_archives import read_archive
from genba_gateway.services.job_log_writer import JobLogWriter
from genba_gateway.services.visibility import Clock
from genba_gateway.store import jobs as job_store
from genba_gateway.store import presets as preset_store
from genba_gateway.store import resources as resource_store
from genba_gateway.store import template_versions as version_store
from genba_gateway.store import users as user_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_gateway.store.sealing import Sealer


class Importer(Protocol):
    """What reads template versions (part of provisioner.terraform.TerraformProvisioner)."""

    async def import_version(self, request: ImportRequest, on_log: OnLog, cancel: asyncio.Event) -> ImportResult:
        """Read a template version."""
        ...

    async def discard(self, job_id: str) -> None:
        """Remove a job's directory."""
        ...


class ImportRuns:
    """Runs imports; calls may overlap."""

    def __init__(self, *, database: Database, sealer: Sealer, pubsub: PubSub, importer: Importer, now: Clock) -> None:
        self._database = database
        self._sealer = sealer
        self._pubsub = pubsub
        self._importer = importer
        self._now = now

    async def run(self, job: Job, writer: JobLogWriter, cancel: asyncio.Event) -> None:
        """Read a template version and store what it contains.

        Raises:
            ProvisionError: the template, or Terraform with it, fails.
        """
        async with self._database.read() as connection:
            version = await version_store.find_version_of_job(connection, job.id)
            owner = await user_store.find_user(connection, job.initiator_id)
            archive = await read_archive(connection, job)
            sealed = await job_store.get_variables(connection, job.id)
        if version is None or owner is None:
            raise ProvisionError("The template version of this job is gone.")
        request = ImportRequest(
            job_id=job.id,
            template_version_id=version.id,
            archive=archive,
            environment=environment_of_import(owner),
            variables=await self._open_variables(sealed) if sealed else {},
        )
        try:
            found = await self._importer.import_version(request, writer.add, cancel)
            await writer.flush()
            now = self._now()
            async with self._database.write() as connection:
                await version_store.update_version(connection, version.id, {"readme": found.readme, "updated_at": now})
                await version_store.insert_parameters(connection, version.id, found.parameters)
                await preset_store.insert_presets(connection, version.id, found.presets)
                await version_store.insert_variables(connection, self._sealer, version.id, found.variables)
                for transition, resources in (("start", found.start_resources), ("stop", found.stop_resources)):
                    await resource_store.insert_resources(
                        connection,
                        self._sealer,
                        job_id=job.id,
                        transition=transition,
                        resources=resources,
                        now=now,
                    )
                await job_store.complete_job(connection, job.id, now=now)
            self._pubsub.publish(channels.of_job(job.id), channels.JOBS)
        finally:
            await self._importer.discard(job.id)

    async def _open_variables(self, sealed: bytes) -> dict[str, str]:
        variables: dict[str, str] = json.loads(await asyncio.to_thread(self._sealer.open, sealed))
        return variables
