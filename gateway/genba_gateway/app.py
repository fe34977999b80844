"""The composition root: makes everything once, wires it by constructor, and runs it under one TaskGroup."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from genba_gateway.apps.front import AppFront
from genba_gateway.config import Config
from genba_gateway.errors import ConfigError
from genba_gateway.folders import Folders, prepare_folders
from genba_gateway.loops.app_usage import AppUsageWriting
from genba_gateway.loops.autostart import Autostart
from genba_gateway.loops.autostop import Autostop
from genba_gateway.loops.certificate_renewal import CertificateRenewal
from genba_gateway.loops.job_queue import JobQueue
from genba_gateway.loops.restart import Restart
from genba_gateway.loops.retention import Pruning
from genba_gateway.provider.host import ProviderHost
from genba_gateway.provider.host_workspaces import HostWorkspaces
from genba_gateway.provisioner.terraform import TerraformProvisioner
from genba_gateway.provisioner.terraform_binary import find_terraform
from genba_gateway.routes import make_quart_app
from genba_gateway.services.container import make_services
from genba_gateway.services.executables import find_native_executable
from genba_gateway.services.server_certificate import ServerCertificate
from genba_gateway.services.visibility import utc_now
from genba_gateway.serving import find_certificate, hear_hangups, serve_app
from genba_gateway.store.engine import Database, path_of_url
from genba_gateway.store.pubsub import PubSub
from genba_gateway.store.schema import upgrade_database
from genba_gateway.store.sealing import load_sealer
from genba_gateway.web.app_refusals import show_refusal

log = logging.getLogger(__name__)

BACKLOG: Final = 512


async def run_gateway(config: Config, shutdown: asyncio.Event) -> None:
    """Run until `shutdown` is set; then stop accepting, drain, end loops, close the database.

    Raises:
        ConfigError: it can't start as configured.
    """
    asyncio.get_running_loop().set_exception_handler(_report_exception)
    certificate = await asyncio.to_thread(find_certificate, config)
    with ExitStack() as stack:
        listeners = [stack.enter_context(bind_listener("--listen", config.host, config.port))]
        if config.agent_address is not None:
            listeners.append(stack.enter_context(bind_listener("--agent-listen", *config.agent_address)))
        await _run(config, shutdown, listeners, certificate)


async def _run(
    config: Config,
    shutdown: asyncio.Event,
    listeners: list[socket.socket],
    certificate: ServerCertificate | None,
) -> None:
    folders = prepare_folders(config.data_dir)
    database_file = path_of_url(config.database_url) if config.database_url else folders.database
    sealer = load_sealer(folders.key_file, os.environ, has_data=await asyncio.to_thread(database_file.exists))
    await upgrade_database(database_file)
    binary = await find_terraform(config.terraform_path or None, _cache_dir(), _say)
    pubsub = PubSub()
    database = Database(database_file)
    provider = ProviderHost(folders.runtime, _host_workspaces(config, folders))
    try:
        services = make_services(
            config,
            database=database,
            sealer=sealer,
            pubsub=pubsub,
            provisioner=TerraformProvisioner(
                binary=binary,
                work_dir=folders.provisioner,
                provider=provider,
                access_url=config.url,
                cancel_grace_s=config.cancel_grace_s,
                init_limit_s=config.init_limit_s,
            ),
            clear_host_workspace=provider.clear_workspace,
            replica_id=_read_replica_id(folders.data / "replica-id"),
            now=utc_now,
        )
        await services.agent_connections.forget_earlier()
        await services.job_runner.recovery.recover()
        app_usage = AppUsageWriting(services.app_usage)
        front = AppFront(
            make_quart_app(config, services, shutdown),
            classify=config.app_hosts.classify,
            access=services.app_gate,
            scheme_of=config.app_hosts.scheme_of,
            links=services.agent_links,
            page=show_refusal,
            trusted_proxies=config.trusted_proxies,
            agent_address=config.agent_address,
        )
        queue = JobQueue(services.job_runner, pubsub, config.concurrent_builds)
        async with asyncio.TaskGroup() as tasks:
            loops = [
                tasks.create_task(queue.run(), name="job queue"),
                tasks.create_task(Autostart(services.autostarts).run(), name="autostart"),
                tasks.create_task(Autostop(services.deadlines).run(), name="autostop"),
                tasks.create_task(Restart(services.restarts, pubsub).run(), name="restarts"),
                tasks.create_task(services.agent_links.run(), name="links to agents"),
                tasks.create_task(app_usage.run(), name="usage of apps"),
                tasks.create_task(Pruning(services.retention).run(), name="retention"),
                tasks.create_task(front.run(), name="requests to apps"),
            ]
            if certificate is not None:
                renewal = CertificateRenewal(certificate, hear_hangups())
                loops.append(tasks.create_task(renewal.run(), name="certificate renewal"))
            log.info("serving %s", config.url)
            await serve_app(front, listeners, shutdown, certificate)
            for loop in loops:
                loop.cancel()
        await app_usage.step()
    finally:
        await database.close()


def bind_listener(flag: str, host: str, port: int) -> socket.socket:
    """Take an address to serve on, before anything else is done.

    Args:
        flag: what the operator set it by, for the error.
        host, port: the address.

    Raises:
        ConfigError: it is taken, or not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"Can't listen on {host}:{port} ({error.strerror}): stop what uses it, or choose another with {flag}."
        ) from error
    listener.listen(BACKLOG)
    listener.setblocking(False)
    listener.set_inheritable(False)
    return listener


def _report_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report what no task caught; not that Hypercorn's connections were cancelled at the end.

    asyncio before 3.12 asks a cancelled connection's task for its exception, which raises.
    """
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)


def _host_workspaces(config: Config, folders: Folders) -> HostWorkspaces | None:
    if not config.allow_host_workspaces:
        return None
    executable = find_native_executable(config.executables)
    if executable is None:
        log.info("no executable in %s: agents on this machine run from this installation", config.executables)
        return HostWorkspaces(root=folders.host_workspaces, agent_command=(sys.executable, "-P", "-m", "genba_agent"))
    return HostWorkspaces(root=folders.host_workspaces, agent_command=(str(executable), "agent"), cache=_cache_dir())


def _read_replica_id(file: Path) -> str:
    """The id of this process among those on the database: it stays over restarts."""
    if not file.exists():
        file.write_text(str(uuid.uuid4()))
    return file.read_text().strip()


def _cache_dir() -> Path:
    named = os.environ.get("GENBA_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path("~/.cache").expanduser()) / "genba"


def _say(line: str) -> None:
    log.info("%s", line)
