"""Runs dry runs: has the provisioner plan a first build, and stores what it would make. Nothing is applied."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from genba_gateway.domain import channels
from genba_gateway.domain.jobs import Job
from genba_gateway.domain.provisioning import ImportRequest
from genba_gateway.errors import ProvisionError
from genba_gateway.services.build_environment import environment_of_dry_run
from genba_gateway.services.import_runs import Importer
from genba_gateway.services.job_archives import read_archive
from genba_gateway.services.job_log_writer import JobLogWriter
from genba_gateway.services.visibility import Clock
from genba_gateway.store import jobs as job_store
from genba_gateway.store import resources as resource_store
from genba_gateway.store import template_versions as version_store
from genba_gateway.store import users as user_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_gateway.store.sealing import Sealer


@dataclass(frozen=True, slots=True)
class DryRunValues:
    """What the user chose; sealed, since values of either kind may be secrets."""

    parameters: dict[str, str]
    variables: dict[str, str]

    def encode(self) -> bytes:
        """For the job's row."""
        return json.dumps([self.parameters, self.variables]).encode()

    @classmethod
    def decode(cls, data: bytes) -> DryRunValues:
        """From the job's row."""
        parameters, variables = json.loads(data)
        return cls(parameters, variables)


class DryRunJobs:
    """Runs dry runs; calls may overlap."""

    def __init__(self, *, database: Database, sealer: Sealer, pubsub: PubSub, importer: Importer, now: Clock) -> None:
        self._database = database
        self._sealer = sealer
        self._pubsub = pubsub
        self._importer = importer
        self._now = now

    async def run(self, job: Job, writer: JobLogWriter, cancel: asyncio.Event) -> None:
        """Plan a start with the values that were given, and store its resources.

        Raises:
            ProvisionError: the template, or Terraform with it, fails.
        """
        try:
            found = await self._importer.import_version(await self._make_request(job), writer.add, cancel)
            await writer.flush()
            now = self._now()
            async with self._database.write() as connection:
                await resource_store.insert_resources(
                    connection,
                    self._sealer,
                    job_id=job.id,
                    transition="start",
                    resources=found.start_resources,
                    now=now,
                )
                await job_store.complete_job(connection, job.id, now=now)
            self._pubsub.publish(channels.of_job(job.id), channels.JOBS)
        finally:
            await self._importer.discard(job.id)

    async def _make_request(self, job: Job) -> ImportRequest:
        async with self._database.read() as connection:
            version = await version_store.find_version(connection, job.input["template_version_id"])
            owner = await user_store.find_user(connection, job.initiator_id)
            archive = await read_archive(connection, job)
            sealed = await job_store.get_variables(connection, job.id)
            if version is None or owner is None or sealed is None:
                raise ProvisionError("The template version of this dry run is gone.")
            stored = await version_store.list_variables(connection, self._sealer, version.id)
        values = DryRunValues.decode(await asyncio.to_thread(self._sealer.open, sealed))
        return ImportRequest(
            job_id=job.id,
            template_version_id=version.id,
            archive=archive,
            environment=environment_of_dry_run(version, owner, job.input["workspace_name"], values.parameters),
            variables={**{variable.name: variable.value for variable in stored}, **values.variables},
            is_dry_run=True,
        )
