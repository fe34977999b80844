"""What runs once the manifest is known: scripts, logs, metadata, statistics, health of apps, terminals."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from genba_agent.api import AgentApi
from genba_agent.app_health import AppHealth
from genba_agent.clock import Clock
from genba_agent.data_dir import open_data_dir
from genba_agent.lifecycle import Outcome, ScriptsStarting, StartFinished, StopFinished, StopRequested
from genba_agent.lifecycle_reporter import LifecycleReporter
from genba_agent.log_sender import LogSender
from genba_agent.log_spool import LogSpool, create_spool, recover_spools, remove_foreign_spools
from genba_agent.metadata import Metadata
from genba_agent.options import AgentOptions
from genba_agent.retry import Retrier
from genba_agent.script_runner import ScriptRunner
from genba_agent.script_settings import ScriptSettings, make_settings
from genba_agent.script_timings import ScriptTimings
from genba_agent.scripts import Scripts
from genba_agent.ssh.banners import Banners
from genba_agent.ssh.host_certificate import HostCertificate
from genba_agent.ssh.host_key import HostIdentity, load_host_key
from genba_agent.ssh.server import SshServer, SshSettings
from genba_agent.stats import Stats
from genba_agent.terminals.commands import make_terminal_environment
from genba_agent.terminals.sessions import PtySessions
from genba_wire.api.agent_protocol import Manifest, StartupRequest
from genba_wire.errors import TransportError
from genba_wire.version import VERSION

logger = logging.getLogger(__name__)

FLUSH_S: Final = 5.0
"""How long the agent's end waits for logs and lifecycle to be delivered (contract 1.9)."""

RESTART_S: Final = 10.0
"""How long a loop that failed stays off."""


@dataclass(frozen=True, slots=True)
class PreparedWorkspace:
    """What the disk gave: settings, this process's spool, those that dead processes left, and SSH's host key."""

    manifest: Manifest
    settings: ScriptSettings
    spool: LogSpool
    host_key: HostIdentity
    blocks_file_transfer: bool
    earlier_spools: list[LogSpool]


def prepare_workspace(manifest: Manifest, options: AgentOptions, command: list[str]) -> PreparedWorkspace:
    """Make folders and open spools. Touches the disk: call it in a thread.

    Args:
        command: starts this program again (environment.own_command).
    """
    data_dir = open_data_dir(options.script_data_dir, manifest)
    remove_foreign_spools(data_dir.spool_dir)
    return PreparedWorkspace(
        manifest=manifest,
        settings=make_settings(manifest, options, command, data_dir, os.environ),
        earlier_spools=recover_spools(data_dir.spool_dir),
        spool=create_spool(data_dir.spool_dir),
        host_key=load_host_key(data_dir.root),
        blocks_file_transfer=options.blocks_file_transfer,
    )


class WorkspaceRun:
    """One life of a workspace, from manifest to stop.

    It lets terminals and SSH begin, and ends them; they are not its own.
    """

    def __init__(
        self,
        prepared: PreparedWorkspace,
        subsystems: Sequence[str],
        *,
        api: AgentApi,
        retrier: Retrier,
        clock: Clock,
        lifecycle: LifecycleReporter,
        terminals: PtySessions,
        ssh: SshServer,
    ) -> None:
        self._manifest = prepared.manifest
        self._settings = prepared.settings
        self._subsystems = subsystems
        self._api = api
        self._retrier = retrier
        self._clock = clock
        self._lifecycle = lifecycle
        self._terminals = terminals
        self._ssh = ssh
        self._certificate = HostCertificate(api, clock, prepared.host_key)
        self._banners = Banners(api, clock)
        self._blocks_file_transfer = prepared.blocks_file_transfer
        self._timings = ScriptTimings(api, retrier, clock)
        self._sender = LogSender(api, retrier, prepared.spool, prepared.earlier_spools)

    async def run(self, stop: asyncio.Event) -> None:
        """Run scripts and loops until `stop` is set, then stop scripts; returns when all is delivered, or late."""
        try:
            async with asyncio.TaskGroup() as group:
                runner = ScriptRunner(self._settings, self._sender.append, self._clock, group)
                environment = make_terminal_environment(self._settings, self._manifest.motd_file)
                self._terminals.open(environment)
                self._ssh.open(SshSettings(environment, self._certificate, self._banners, self._blocks_file_transfer))
                scripts = Scripts(runner, self._manifest.scripts, self._clock, self._timings.add)
                # Until the very end, as the last lines and states go through it.
                sender = group.create_task(self._sender.run(), name="log sender")
                timings = group.create_task(self._timings.run(), name="script timings")
                metadata = Metadata(self._api, self._clock, self._settings, self._manifest.metadata)
                stats = Stats(
                    self._api, self._retrier, self._clock, lambda: self._terminals.watched_count, self._ssh.counts
                )
                app_health = AppHealth(self._api, self._clock, self._manifest.apps)
                loops = [
                    group.create_task(self._report_startup(), name="startup report"),
                    group.create_task(self._start(scripts), name="start scripts"),
                    group.create_task(self._keep("Metadata", metadata.run), name="metadata"),
                    group.create_task(self._keep("Statistics", stats.run), name="statistics"),
                    group.create_task(self._keep("Health of apps", app_health.run), name="app health"),
                    group.create_task(self._keep("SSH certificate", self._certificate.run), name="ssh certificate"),
                    group.create_task(self._keep("Announcements", self._banners.run), name="announcements"),
                ]
                await stop.wait()
                self._lifecycle.handle(StopRequested())
                async with asyncio.TaskGroup() as ending:
                    ending.create_task(self._terminals.stop(), name="end of the terminals")
                    ending.create_task(self._ssh.stop(), name="end of SSH")
                    outcome = await scripts.run_at_stop()
                self._lifecycle.handle(StopFinished(outcome))
                for loop in loops:
                    loop.cancel()
                await self._flush()
                sender.cancel()
                timings.cancel()
                raise _Done
        except* _Done:
            pass
        finally:
            await asyncio.to_thread(self._sender.close)

    async def _start(self, scripts: Scripts) -> None:
        self._lifecycle.handle(ScriptsStarting())
        try:
            outcome = await scripts.run_at_start()
        except Exception:
            logger.exception("Start scripts failed within the agent.")
            outcome = Outcome.FAILED
        self._lifecycle.handle(StartFinished(outcome))
        await self._keep("Scheduled scripts", scripts.run_on_schedule)

    async def _keep(self, what: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run a loop, and again after it failed: what one of them meets must not take the workspace down."""
        while True:
            try:
                return await run()
            except Exception:
                logger.exception("%s failed within the agent; beginning again.", what)
                await self._clock.sleep(RESTART_S)

    async def _report_startup(self) -> None:
        request = StartupRequest(
            version=VERSION, expanded_directory=self._settings.directory, subsystems=list(self._subsystems)
        )
        try:
            await self._retrier.insist("Startup report", lambda: self._api.post_startup(request))
        except TransportError as error:
            logger.warning("The gateway refused the startup report: %s", error)

    async def _flush(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_S):
                await self._sender.wait_until_delivered()
                await self._lifecycle.wait_until_sent()
                await self._timings.wait_until_sent()
                return
        logger.warning("Not everything could be delivered within %g s; log lines stay on disk.", FLUSH_S)


class _Done(Exception):
    """Ends the task group together with what still watches pipes."""
