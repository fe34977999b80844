"""One job at work: its directory, its log, and Terraform with a provider context of its own."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from genba_gateway.provider.context import ProviderContext
from genba_gateway.provisioner.environment import terraform_environment
from genba_gateway.provisioner.execution import TerraformExecution
from genba_gateway.provisioner.extraction import extract_template
from genba_gateway.provisioner.init_lock import InitLock
from genba_gateway.provisioner.job_directory import JobDirectory
from genba_gateway.provisioner.job_log import JobLog
from genba_gateway.provisioner.provider_serving import ProviderServing
from genba_gateway.provisioner.template_cache import CachedTemplate, Fingerprint, TemplateCache, fingerprint_of
from genba_gateway.provisioner.template_source import TemplateSource, read_template
from genba_gateway.provisioner.terraform_binary import TerraformBinary
from genba_gateway.provisioner.terraform_commands import TerraformCommands
from genba_gateway.provisioner.timing_log import TimingLog

REATTACH_VARIABLE = "TF_REATTACH_PROVIDERS"
BACKEND_OVERRIDE_NAME = "genba_backend_override.tf.json"
_BACKEND_OVERRIDE = json.dumps({"terraform": {"backend": {"local": {}}}})


@dataclass(frozen=True, slots=True)
class ProvisionerSettings:
    """What all jobs share. `init_limit_s` is for each command that installs modules or providers."""

    binary: TerraformBinary
    jobs_dir: Path
    cli_config: Path
    cache: TemplateCache
    provider: ProviderServing
    access_url: str
    cancel_grace_s: float
    init_limit_s: float
    init_lock: InitLock

    @property
    def program(self) -> str:
        """Kind and version in one word, for the cache."""
        return f"{self.binary.kind}-{self.binary.version}"


@dataclass(frozen=True, slots=True)
class OpenTemplate:
    """A template unpacked into the job's directory; `graph` is None until it is known."""

    version_id: str
    fingerprint: Fingerprint
    source: TemplateSource
    graph: str | None


@dataclass(frozen=True, slots=True)
class Terraform:
    """Terraform with the provider served to it; `hosted` are the addresses that we serve."""

    commands: TerraformCommands
    hosted: tuple[str, ...]


class JobWorkspace:
    """Steps that imports and builds have in common."""

    def __init__(self, settings: ProvisionerSettings, job_id: str, log: JobLog, cancel: asyncio.Event) -> None:
        self._settings = settings
        self._cancel = cancel
        self.log = log
        self.timings = TimingLog()
        self.directory = JobDirectory(settings.jobs_dir / job_id, job_id)

    @asynccontextmanager
    async def serving(
        self,
        environment: Mapping[str, str],
        *,
        debug: bool = False,
        on_agent_token: Callable[[str, str], None] | None = None,
    ) -> AsyncGenerator[Terraform, None]:
        """Serve the provider with these values, and give Terraform that knows where it is."""
        settings = self._settings
        context = ProviderContext(self.directory.job_id, settings.access_url, environment, on_agent_token)
        async with settings.provider.serve(context) as reattach:
            execution = TerraformExecution(
                program=settings.binary.path,
                directory=self.directory,
                environment=terraform_environment(
                    os.environ,
                    job_id=self.directory.job_id,
                    cli_config=settings.cli_config,
                    reattach=reattach,
                    debug=debug,
                ),
                cancel=self._cancel,
                cancel_grace_s=settings.cancel_grace_s,
            )
            hosted = tuple(sorted(json.loads(reattach.get(REATTACH_VARIABLE, "{}"))))
            yield Terraform(TerraformCommands(execution, self.log, self.timings), hosted)

    async def open_template(self, version_id: str, archive: bytes, hosted: tuple[str, ...]) -> OpenTemplate:
        """Put the template into the job's source directory, from the cache when it is there.

        Raises:
            ProvisionError: the archive is not a template.
        """
        return await asyncio.to_thread(self._open_template, version_id, archive, hosted)

    def _open_template(self, version_id: str, archive: bytes, hosted: tuple[str, ...]) -> OpenTemplate:
        fingerprint = fingerprint_of(archive, self._settings.program, hosted)
        cached = self._settings.cache.checkout(version_id, fingerprint, self.directory.source)
        if cached is not None:
            return OpenTemplate(version_id, fingerprint, cached.source, cached.graph)
        extract_template(archive, self.directory.source)
        source = read_template(self.directory.source)
        if source.has_backend:
            # The state belongs into our database; a backend of the author's would hide it from us.
            (self.directory.source / BACKEND_OVERRIDE_NAME).write_text(_BACKEND_OVERRIDE, "utf-8")
        return OpenTemplate(version_id, fingerprint, source, None)

    async def initialise(self, terraform: Terraform, template: OpenTemplate) -> None:
        """Run `init` where the template needs it and the cache did not have it."""
        if template.graph is not None or not template.source.needs_init(terraform.hosted):
            return
        if template.source.has_backend:
            await self.log.note("The template's backend is not used: the gateway keeps the state itself.")
        has_modules = template.source.has_modules or not template.source.is_complete
        if has_modules:
            # Before the lock: an address of one template that does not answer must not hold up the others.
            await terraform.commands.get(self._settings.init_limit_s)
        if self._settings.init_lock.is_held:
            await self.log.note("Waiting: another job is installing providers.")
        async with self._settings.init_lock.hold(self._cancel):
            await terraform.commands.init(self._settings.init_limit_s, has_modules=has_modules)

    async def stage(self, template: OpenTemplate) -> Path | None:
        """Copy an initialised template aside for the cache; None when the cache has it."""
        if template.graph is not None:
            return None
        return await asyncio.to_thread(self._settings.cache.stage, self.directory.job_id, self.directory.source)

    async def publish(self, template: OpenTemplate, staging: Path | None, graph: str) -> None:
        """Put a staged copy with its graph into the cache."""
        if staging is not None:
            cached = CachedTemplate(template.fingerprint, template.source, graph)
            await asyncio.to_thread(self._settings.cache.publish, template.version_id, staging, cached)

    async def unstage(self, staging: Path | None) -> None:
        """Remove a staged copy of a template that failed."""
        if staging is not None:
            await asyncio.to_thread(self._settings.cache.discard, staging)
