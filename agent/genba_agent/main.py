"""The program `genba agent`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from types import FrameType, ModuleType
from typing import Final, cast

from genba_agent.errors import OptionsError
from genba_agent.options import AgentOptions, parse_options
from genba_wire.aio.busy_polling import make_event_loop
from genba_wire.aio.carrier_ways import WebsocketUse, read_websocket_use
from genba_wire.errors import GatewayUnreachable

EXIT_OPTIONS: Final = 2
EXIT_KILLED: Final = 1

UNUSED_PARTS: Final = ("httpx._main", "h2")
"""What httpx imports wherever it is installed: its command line (with click, rich, pygments: a third of our start-up
time and 8 MB) and HTTP/2, which our transport does not speak."""


def main(argv: list[str]) -> int:
    """Run the agent until it is told to stop.

    Returns:
        0 after an orderly stop, 1 when it was cut short by a second signal, 2 when flags or environment are unusable.
    """
    if argv == ["search-files"]:
        from genba_agent.files.search_process import main as search_main

        return search_main()
    try:
        options = parse_options(argv, os.environ)
        websockets = read_websocket_use(os.environ)
    except (OptionsError, GatewayUnreachable) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_OPTIONS
    if os.getpid() == 1 and options.reaps:
        from genba_agent.reaper import fork_below_reaper

        status = fork_below_reaper()
        if status is not None:
            return status
    for name in UNUSED_PARTS:
        # A None here makes the import fail, which httpx and httpcore are prepared for.
        sys.modules.setdefault(name, cast(ModuleType, None))
    from genba_agent.own_log import set_up_own_log

    set_up_own_log(options)
    if sys.version_info < (3, 12):
        _use_pidfds()
    for name, file in (
        ("GENBA_CA_FILE", options.ca_file),
        ("GENBA_CLIENT_CERT", options.client_cert),
        ("GENBA_CLIENT_KEY", options.client_key),
    ):
        if file:
            os.environ[name] = file  # for the gitssh of the workspace's programs
    try:
        with asyncio.Runner(loop_factory=lambda: make_event_loop(options.busy_poll_us)) as runner:
            runner.run(_run(options, websockets))
    except OptionsError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_OPTIONS
    except asyncio.CancelledError:
        return EXIT_KILLED
    return 0


async def _run(options: AgentOptions, websockets: WebsocketUse) -> None:
    from genba_agent.agent import Agent, stop_twice
    from genba_agent.clock import SystemClock
    from genba_agent.environment import own_command
    from genba_wire.aio.transport import Transport, TransportOptions
    from genba_wire.version import VERSION

    transport_options = TransportOptions(
        base_url=options.address.url,
        token=options.address.token,
        headers=options.headers,
        ca_file=options.ca_file or None,
        client_cert=options.client_cert or None,
        client_key=options.client_key or None,
        user_agent=f"genba-agent/{VERSION}",
        websockets=websockets,
    )
    loop = asyncio.get_running_loop()
    this_task = asyncio.current_task()
    try:
        opened = Transport(transport_options)
    except GatewayUnreachable as error:
        raise OptionsError(str(error)) from error
    async with opened as transport:
        _give_children_default_signals()
        agent = Agent(options, own_command(os.environ, sys.argv[0]), transport, SystemClock())
        handle = stop_twice(agent, this_task.cancel if this_task is not None else agent.stop)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, handle)
        await agent.run()


def _give_children_default_signals() -> None:
    """Keep what `nohup` or a shell's `&` made us ignore from scripts and terminals, which would inherit it.

    A handler, even one that does nothing, becomes the default again in what we start.
    """
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, _hear_nothing)


def _hear_nothing(_number: int, _frame: FrameType | None) -> None:
    pass


def _use_pidfds() -> None:
    """Watch children through pidfds; Python 3.11 by itself starts a thread for each child. Later ones use pidfds."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        # A kernel before 5.3, or a sandbox: threads do.
        return
    asyncio.set_child_watcher(asyncio.PidfdChildWatcher())  # pyright: ignore[reportDeprecated] (guarded by version)
