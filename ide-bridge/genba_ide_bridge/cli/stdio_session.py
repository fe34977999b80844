"""Carries OpenSSH's bytes between this program's standard streams and an agent: `ssh --stdio` and `vscodessh`."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn
from urllib.parse import urlsplit

from genba_ide_bridge.cli.output import note

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_ide_bridge.cli.agent_readiness import Wish
    from genba_ide_bridge.cli.autostop_notice import AutostopNotice
    from genba_ide_bridge.cli.session_pauses import SessionPauses
    from genba_ide_bridge.cli.targets import WorkspaceTarget
    from genba_ide_bridge.sessions.byte_session import ByteSession, SessionEnd
    from genba_ide_bridge.sessions.refusals import AgentAddress
    from genba_wire.api.workspaces import Workspace

logger = logging.getLogger(__name__)

EXIT_NO_WAY: Final = 255
"""OpenSSH's own code for a connection that failed."""

EXIT_BY_SIGNAL: Final = 128
"""A shell's way to say which signal ended a program: this and the signal's number."""


@dataclass(frozen=True, slots=True)
class StdioOptions:
    """What the flags say about a session. Empty paths and names mean none."""

    network_info_dir: Path | None = None
    network_info_interval_s: float = 5.0
    usage_app: str = ""
    log_dir: Path | None = None
    log_name: str = ""
    is_verbose: bool = False
    poll_interval_s: float = 60.0


def begin_logging(options: StdioOptions) -> None:
    """Begin the session's log file, if one is wanted; the log goes nowhere else."""
    from genba_ide_bridge.cli.session_log import begin_log, keep_from_stderr, log_name

    keep_from_stderr()
    if options.log_dir is None:
        return

    # In the time of whoever looks for it.
    name = options.log_name or log_name(os.getppid(), datetime.now().astimezone())
    begin_log(options.log_dir, name, is_verbose=options.is_verbose)


def import_session() -> None:
    """Import what carries a session; done while the gateway is asked something, it costs no time."""
    # With those that a link's secret needs, or the agent would seem to take long to answer.
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import x25519
    from cryptography.hazmat.primitives.kdf import hkdf

    from genba_ide_bridge.sessions import byte_session
    from genba_wire.aio import handshake, link_session

    del byte_session, handshake, hashes, hkdf, link_session, x25519


def name_way(client: GatewayClient) -> str:
    """The way's name, which editors show: the gateway's host, and how it is reached if not by websocket."""
    host = urlsplit(client.base_url).hostname or "gateway"
    return f"{host} over HTTP requests" if client.calls.transport.carrier_ways.http_reason else host


async def carry(
    client: GatewayClient,
    target: WorkspaceTarget,
    workspace: Workspace,
    wish: Wish,
    options: StdioOptions,
    take_streams: Callable[[], tuple[int, int]] | None = None,
) -> int:
    """Wait for the agent and join it and the standard streams until the session is over; returns the exit code.

    `take_streams` gives others than those of this process.
    """
    from genba_ide_bridge.cli.agent_readiness import wait_for_agent
    from genba_ide_bridge.cli.autostop_notice import AutostopNotice
    from genba_ide_bridge.cli.session_pauses import SessionPauses
    from genba_ide_bridge.sessions.byte_session import ByteRequest, ByteSession
    from genba_ide_bridge.sessions.refusals import AgentAddress
    from genba_wire.tunnel.streams import SSH, SshOpen, encode

    logger.info("Looking for an agent of %s.", target.name)
    workspace, agent = await wait_for_agent(client, target, wish, workspace)
    address = AgentAddress(workspace.id, workspace.latest_build.id, agent.id, again="ssh")
    logger.info("Connecting to the agent %s of %s (%s).", agent.name, target.name, agent.id)
    opened = asyncio.Event()
    pauses = SessionPauses(is_verbose=options.is_verbose)
    notice = AutostopNotice(client, workspace, options.poll_interval_s, target.name)
    source, target_end = (take_streams or take_standard_streams)()
    session = ByteSession(
        client,
        ByteRequest(address, SSH, "ssh", encode(SshOpen()), source, target_end),
        on_outage=pauses.begin,
        on_resumed=pauses.end,
        on_open=opened.set,
        on_end=lambda end: _tell(end, session, pauses),
    )
    async with _signals() as caught, asyncio.TaskGroup() as group:
        beside = group.create_task(_run_beside(session, address, notice, options, opened), name="beside the session")
        running = group.create_task(session.run(), name="session")
        caught.running = running
        await asyncio.wait([running])
        beside.cancel()
    pauses.close()
    end = session.end if running.cancelled() else running.result()
    if end is None:
        logger.info("Ended by signal %d.", caught.number)
        return EXIT_BY_SIGNAL + caught.number
    return EXIT_NO_WAY if end.reason else 0


def leave(code: int) -> NoReturn:
    """End the process at once: OpenSSH waits for its ProxyCommand, and tidying an interpreter up takes a while."""
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)


def take_standard_streams() -> tuple[int, int]:
    """Take stdin and stdout away from everybody else here: nothing may slip in between OpenSSH's bytes."""
    sys.stdout.flush()
    source, target = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return source, target


def _tell(end: SessionEnd, session: ByteSession, pauses: SessionPauses) -> None:
    pauses.close()
    traffic = session.traffic
    logger.info("Over after %d bytes sent and %d received. %s", traffic.sent, traffic.received, end.reason)
    if end.reason:
        note(f"error: {end.reason}")
        if end.hint:
            note(end.hint)


async def _run_beside(
    session: ByteSession,
    address: AgentAddress,
    notice: AutostopNotice,
    options: StdioOptions,
    opened: asyncio.Event,
) -> None:
    """Tell editors, the gateway and the user about the session, from its opening on."""
    from genba_ide_bridge.cli.usage import UsageReport, app_of

    await opened.wait()
    logger.info("Connected; the agent answered in %.1f ms.", session.link.round_trip_s * 1000)
    client = notice.client
    async with asyncio.TaskGroup() as group:
        group.create_task(notice.run(), name="autostop notice")
        if options.network_info_dir is not None:
            from genba_ide_bridge.cli.network_info import NetworkInfo

            info = NetworkInfo(
                options.network_info_dir,
                os.getppid(),
                name_way(client),
                session.traffic,
                lambda: session.link.round_trip_s,
                options.network_info_interval_s,
            )
            group.create_task(info.run(), name="network info")
        if app := app_of(options.usage_app):
            group.create_task(UsageReport(client, address, app, session.traffic).run(), name="usage")


@dataclass(slots=True)
class _Caught:
    """What a signal does: the session ends, so that the agent hears of it at once."""

    number: int = 0
    running: asyncio.Task[SessionEnd] | None = None

    def handle(self, number: int) -> None:
        self.number = number
        if self.running is not None:
            self.running.cancel()


@asynccontextmanager
async def _signals() -> AsyncGenerator[_Caught]:
    """End by SIGHUP, with which OpenSSH ends its ProxyCommand, and SIGTERM.

    Ctrl-C is OpenSSH's own business: its last client ends it, but a shared connection (ControlPersist) outlives it.
    """
    caught = _Caught()
    loop = asyncio.get_running_loop()
    numbers = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    with suppress(NotImplementedError):  # Windows: the process just ends
        for number in numbers:
            loop.add_signal_handler(number, caught.handle, int(number))
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield caught
    finally:
        signal.signal(signal.SIGINT, before)
        with suppress(NotImplementedError):
            for number in numbers:
                loop.remove_signal_handler(number)
