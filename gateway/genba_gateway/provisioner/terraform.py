"""The provisioner: imports template versions and builds workspaces with real Terraform."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from genba_gateway.domain.provisioning import (
    BuildRequest,
    BuildResult,
    ImportRequest,
    ImportResult,
    LogLevel,
    OnLog,
    OnResources,
    ResourceSpec,
    Transition,
)
from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner.environment import CLI_CONFIG
from genba_gateway.provisioner.init_lock import InitLock
from genba_gateway.provisioner.job_directory import JobDirectory, check_id
from genba_gateway.provisioner.job_log import CLEANING_UP, SETTING_UP, JobLog
from genba_gateway.provisioner.job_workspace import JobWorkspace, ProvisionerSettings
from genba_gateway.provisioner.provider_serving import ProviderServing
from genba_gateway.provisioner.recovery import end_processes
from genba_gateway.provisioner.template_cache import TemplateCache
from genba_gateway.provisioner.template_import import TemplateImport
from genba_gateway.provisioner.terraform_binary import TerraformBinary
from genba_gateway.provisioner.terraform_commands import JobCanceled, TerraformFailed
from genba_gateway.provisioner.terraform_json import is_empty_state
from genba_gateway.provisioner.workspace_build import WorkspaceBuild

CLI_CONFIG_NAME = "terraform.rc"

OnState = Callable[[bytes], Awaitable[None]]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Ending:
    """How a build's Terraform ended, before the state is looked at."""

    error: str = ""
    canceled: bool = False


class TerraformProvisioner:
    """Runs jobs below `work_dir`, which belongs to this provisioner alone.

    A build's directory stays until `discard`, so that its state outlives a crash between apply and storing;
    `list_leftover_jobs` and `recover` are for the start of the gateway.
    """

    def __init__(
        self,
        *,
        binary: TerraformBinary,
        work_dir: Path,
        provider: ProviderServing,
        access_url: str,
        cancel_grace_s: float = 180.0,
        init_limit_s: float = 600.0,
    ) -> None:
        work_dir = work_dir.absolute()
        self._work_dir = work_dir
        self._is_prepared = False
        self._settings = ProvisionerSettings(
            binary=binary,
            jobs_dir=work_dir / "jobs",
            cli_config=work_dir / CLI_CONFIG_NAME,
            cache=TemplateCache(work_dir / "versions"),
            provider=provider,
            access_url=access_url,
            cancel_grace_s=cancel_grace_s,
            init_limit_s=init_limit_s,
            init_lock=InitLock(),
        )

    async def import_version(self, request: ImportRequest, on_log: OnLog, cancel: asyncio.Event) -> ImportResult:
        """Plan a template version for start and stop; nothing is left on disk but the cache.

        Raises:
            ProvisionError: the job failed or was canceled (`JobCanceled`).
        """
        log = JobLog(on_log)
        workspace = JobWorkspace(self._settings, check_id(request.job_id), log, cancel)
        await log.begin_stage(SETTING_UP)
        await asyncio.to_thread(self._create, workspace.directory)
        try:
            return await TemplateImport(workspace, request).run()
        except (ProvisionError, OSError) as error:
            raise await self._explain(error, log) from error
        finally:
            await log.begin_stage(CLEANING_UP)
            await asyncio.to_thread(workspace.directory.remove)

    async def build(
        self,
        request: BuildRequest,
        on_log: OnLog,
        cancel: asyncio.Event,
        on_state: OnState | None = None,
        *,
        on_resources: OnResources | None = None,
    ) -> BuildResult:
        """Apply a template to a workspace; failures are in the result, with the state that they left.

        `on_state` gets the state as soon as Terraform has ended, also when the calling task is cancelled; what it
        raises is raised here, and the directory stays. Call `discard` when the state is stored.
        `on_resources` is told the agents of a start that takes long as soon as they have their tokens.
        """
        log = JobLog(on_log)
        await log.begin_stage(SETTING_UP)
        if request.transition is Transition.DELETE and is_empty_state(request.state):
            await log.note("The workspace has no resources, so there is nothing to destroy.")
            await log.begin_stage(CLEANING_UP)
            return BuildResult(state=request.state)
        try:
            workspace = JobWorkspace(self._settings, check_id(request.job_id), log, cancel)
            await asyncio.to_thread(self._create, workspace.directory)
        except (ProvisionError, OSError) as error:
            return BuildResult(state=request.state, error=(await self._explain(error, log)).message)
        return await self._build_in(workspace, request, on_state, on_resources)

    async def _build_in(
        self,
        workspace: JobWorkspace,
        request: BuildRequest,
        on_state: OnState | None,
        on_resources: OnResources | None,
    ) -> BuildResult:
        log = workspace.log
        try:
            applied, ending = await WorkspaceBuild(workspace, request, on_resources).run(), _Ending()
        except JobCanceled as error:
            applied, ending = None, _Ending(error.message, canceled=True)
        except (ProvisionError, OSError) as error:
            applied, ending = None, _Ending((await self._explain(error, log)).message)
        except asyncio.CancelledError:
            await self._hand_over_state(workspace.directory, request, on_state)
            raise
        state = await self._hand_over_state(workspace.directory, request, on_state)
        resources: tuple[ResourceSpec, ...] = ()
        if applied is not None and request.transition is not Transition.DELETE:
            try:
                resources = await asyncio.to_thread(applied.resources, state)
            except ProvisionError as error:
                ending = _Ending((await self._explain(error, log)).message)
        await log.begin_stage(CLEANING_UP)
        return BuildResult(
            state=state,
            resources=resources,
            error=ending.error,
            canceled=ending.canceled,
            timings=workspace.timings.read(),
        )

    async def _hand_over_state(
        self, directory: JobDirectory, request: BuildRequest, on_state: OnState | None
    ) -> bytes | None:
        state = await asyncio.to_thread(directory.read_state) or request.state
        if state is not None and on_state is not None:
            await on_state(state)
        return state

    def _create(self, directory: JobDirectory) -> None:
        if not self._is_prepared:
            plugins = self._work_dir / "plugins"
            plugins.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._work_dir.chmod(0o700)
            config = CLI_CONFIG.format(plugin_cache_dir=json.dumps(str(plugins)))
            self._settings.cli_config.write_text(config, "utf-8")
            self._is_prepared = True
        directory.create()

    async def _explain(self, error: ProvisionError | OSError, log: JobLog) -> ProvisionError:
        """Return the error for the user, and write it into the job's log unless Terraform has done so."""
        if isinstance(error, OSError):
            _logger.error("a job failed by an error of the operating system", exc_info=error)
            error = ProvisionError(
                f"The gateway could not run the job: {error.strerror or error}; its log has the details."
            )
        if not isinstance(error, TerraformFailed | JobCanceled):
            await log.note(error.message, LogLevel.ERROR)
        return error

    def list_leftover_jobs(self) -> list[str]:
        """Return the ids of jobs that have a directory: at the start of a gateway, those of one that died.

        Reads the disk; call it in a thread when a loop runs.
        """
        try:
            return sorted(path.name for path in self._settings.jobs_dir.iterdir() if path.is_dir())
        except FileNotFoundError:
            return []

    async def recover(self, job_id: str, *, keep: bool = False) -> bytes | None:
        """End what is left of a job after a crash and return its state.

        None says that the job never came as far as having one, so that the state before it still holds.
        The directory is removed, or with `keep` left until `discard`, so that a second crash loses nothing.
        """
        directory = self._directory(job_id)
        await asyncio.to_thread(end_processes, directory)
        state = await asyncio.to_thread(directory.read_state)
        if not keep:
            await asyncio.to_thread(directory.remove)
        return state

    async def discard(self, job_id: str) -> None:
        """Remove a job's directory; call it when its state is stored."""
        await asyncio.to_thread(self._directory(job_id).remove)

    def _directory(self, job_id: str) -> JobDirectory:
        return JobDirectory(self._settings.jobs_dir / check_id(job_id), job_id)
