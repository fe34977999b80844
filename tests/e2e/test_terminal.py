"""`genba terminal` on a real pty, to a real agent's terminal, over a real gateway that comes and goes.

The screen also shows what is typed, so commands print what their words don't hold: `sum-$((40+2))` prints sum-42.
"""

from __future__ import annotations

import asyncio
import re
import signal
import sqlite3
import tempfile
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from tests.support.cli_process import GENBA, TerminalGenba, genba_on_terminal
from tests.support.real_cli import RealCli
from tests.support.real_gateway import CEILING_S, RealGateway, read_starter

pytestmark = pytest.mark.asyncio(loop_scope="module")

BETWEEN_MODES = 'stty -g; "$@"; echo "code=$?"; stty -g; echo end-of-program'
"""A shell around the program, which shows the terminal's modes before and after."""


@dataclass
class Desk:
    """A running workspace `demo`, and somebody in front of a terminal."""

    gateway: RealGateway
    workspace: dict[str, Any]
    cli: RealCli
    folder: Path

    def terminal(self, *arguments: str, program: tuple[str, ...] = GENBA) -> AbstractAsyncContextManager[TerminalGenba]:
        folder = self.folder / "home"
        folder.mkdir(exist_ok=True)
        session = {"GENBA_URL": self.gateway.url, "GENBA_SESSION_TOKEN": self.gateway.token}
        return genba_on_terminal("terminal", *arguments, folder=folder, env=session, program=program)


@asynccontextmanager
async def desk(folder: Path) -> AsyncGenerator[Desk]:
    async with RealGateway(folder / "gateway") as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("host", read_starter("host"))
        workspace = await gateway.create_workspace("demo", template["id"])
        await gateway.wait_for_build(workspace["latest_build"]["id"])
        await gateway.wait_for_agent(workspace["id"])
        yield Desk(gateway, workspace, RealCli(folder / "cli", gateway), folder)
        deleted = await gateway.build(workspace["id"], "delete")
        assert deleted["job"]["status"] == "succeeded"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncGenerator[Desk]:
    with tempfile.TemporaryDirectory(prefix="g-", dir="/tmp") as folder:
        async with desk(Path(folder)) as made:
            yield made


@pytest_asyncio.fixture(loop_scope="module")
async def here(shared: Desk) -> AsyncGenerator[Desk]:
    """One desk for all; each leaves it as it was, and a gateway that a failed test left dead is started."""
    yield shared
    assert shared.gateway.process is not None
    if shared.gateway.process.returncode is not None:
        await shared.gateway.start()


async def test_a_shell_has_a_tty_follows_the_size_and_passes_its_exit_code_on(here: Desk) -> None:
    async with here.terminal("demo", program=("/bin/sh", "-c", BETWEEN_MODES, "sh", *GENBA)) as screen:
        screen.type("test -t 0 && echo tty-$((1+1))\r")
        await screen.see("tty-2")
        screen.type("stty size; echo done-$((1+2))\r")
        await screen.see("done-3")
        assert "30 100" in screen.screen
        screen.resize(41, 123)
        # The size goes its own way: ask until it is there.
        screen.type("until [ \"$(stty size)\" = '41 123' ]; do sleep 0.05; done; echo resized-$((2+2))\r")
        await screen.see("resized-4")
        # Ctrl-C belongs to the program over there.
        screen.type("sh -c 'echo begun-$((1+1)); exec sleep 1000'\r")
        await screen.see("begun-2")
        screen.type("\x03")
        await screen.see("^C")
        screen.type("echo interrupted-$?\r")
        await screen.see("interrupted-130")
        screen.type("exit 7\r")
        await screen.see("end-of-program")
        assert "code=7" in screen.screen
        modes = re.findall(r"^[0-9a-f]+(?::[0-9a-f]+){10,}", screen.screen, re.MULTILINE)
        assert len(modes) == 2
        assert modes[0] == modes[1]


async def test_a_shell_stays_while_the_gateway_is_killed_and_restarted(here: Desk) -> None:
    async with here.terminal("demo") as screen:
        screen.type("kept=still-$((5+5))\r")
        screen.type("echo ready-$((1+1))\r")
        await screen.see("ready-2")
        for turn in range(2):
            await here.gateway.kill()
            await screen.see("[genba: connection lost, reconnecting…]", times=turn + 1)
            screen.type(f"echo $kept-{turn}-$((3+3))\r")
            await here.gateway.start()
            await screen.see(f"still-10-{turn}-6")
        screen.type("exit\r")
        assert await screen.end() == 0


async def test_output_goes_on_after_an_outage_in_the_middle_of_it(here: Desk) -> None:
    async with here.terminal("demo") as screen:
        screen.type("for i in $(seq 1 400); do echo line-$i-; sleep 0.02; done; echo all-$((4+4))\r")
        await screen.see("line-50-")
        await here.gateway.kill()
        await screen.see("connection lost")
        await here.gateway.start()
        await screen.see("all-8")
        # Lost bytes cost the link: then the scrollback is shown once more, from its beginning, without a gap.
        seen = [int(number) for number in re.findall(r"line-(\d+)-\r", screen.screen)]
        assert set(seen) == set(range(1, 401))
        assert seen[-1] == 400


async def test_leaving_keeps_the_terminal_and_reconnecting_finds_it(here: Desk) -> None:
    async with here.terminal("demo") as screen:
        screen.type("kept=found-$((6+6)); echo left-$((1+1))\r")
        await screen.see("left-2")
        screen.type("\r~.")
        await screen.see("detached; the session stays for 5 minutes: genba terminal --reconnect ")
        assert await screen.end() == 0
    found = re.search(r"genba (terminal --reconnect [0-9a-f-]{36} demo\.main)", screen.screen)
    assert found
    again = found[1].split()[1:]
    async with here.terminal(*again) as screen:
        # What was shown before is shown again.
        await screen.see("left-2")
        screen.type("echo $kept\r")
        await screen.see("found-12")
        screen.type("exit 3\r")
        assert await screen.end() == 3
    gone = await here.cli.run("terminal", *again, expect=255)
    assert "not there any more" in gone.err


async def test_a_command_without_a_terminal_here_takes_pipes(here: Desk) -> None:
    done = await here.cli.run("terminal", "demo", "--", "echo out; exit 5", expect=5)
    assert done.out == "out\r\n"
    assert done.err == ""
    numbers = await here.cli.run("terminal", "demo", "--", "seq 1 100000")
    assert numbers.out.splitlines() == [str(number) for number in range(1, 100_001)]
    killed = await here.cli.run("terminal", "demo", "--", "kill -9 $$", expect=137)
    assert killed.out == ""
    process = await asyncio.create_subprocess_exec(
        *(*GENBA, "terminal", "demo"),
        env=here.cli.environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    # The end of what is piped ends the shell.
    async with asyncio.timeout(CEILING_S):
        out, err = await process.communicate(b"echo piped-$((20+3))\n")
    assert b"piped-23" in out
    assert (process.returncode, err) == (0, b"")


async def test_a_reader_that_has_enough_ends_the_command_without_a_word_about_bugs(here: Desk) -> None:
    pipeline = '{ "$@"; echo "code=$?" >&2; } | head -n 1'
    process = await asyncio.create_subprocess_exec(
        *("/bin/sh", "-c", pipeline, "sh", *GENBA, "terminal", "demo", "--", "seq 1 1000000"),
        env=here.cli.environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(CEILING_S):
        out, err = await process.communicate()
    assert out == b"1\r\n"
    assert b"code=141" in err
    assert b"bug" not in err


async def test_a_stopped_workspace_ends_the_terminal_and_is_not_started(short_dir: Path) -> None:
    async with desk(short_dir) as here:
        async with here.terminal("demo") as screen:
            screen.type("echo here-$((1+1))\r")
            await screen.see("here-2")
            await here.gateway.build(here.workspace["id"], "stop")
            code = await screen.end()
            assert code != 0
            await screen.see("stopped")
        refused = await here.cli.run("terminal", "demo", expect=1)
        assert "The workspace demo is stopped." in refused.err
        assert "genba start demo" in refused.err
        workspace = await here.gateway.fetch("GET", f"/api/v2/workspaces/{here.workspace['id']}")
        assert workspace["latest_build"]["transition"] == "stop"


async def test_a_session_that_is_signed_out_ends_with_a_reason(here: Desk) -> None:
    owner = here.gateway.token
    key = await here.gateway.fetch("POST", "/api/v2/users/me/keys")
    here.gateway.token = key["key"]
    async with here.terminal("demo") as screen:
        here.gateway.token = owner
        screen.type("echo here-$((1+1))\r")
        await screen.see("here-2")
        await here.gateway.request("DELETE", f"/api/v2/users/me/keys/{key['key'].split('-')[0]}")
        assert await screen.end() == 255
        await screen.see("not signed in")


@pytest.mark.parametrize(
    ("guest", "change", "said"),
    [
        ("suspended", "status = 'suspended'", "This user is suspended."),
        ("demoted", "roles = '[]'", "not yours to use any more"),
    ],
)
async def test_who_loses_the_right_to_a_session_reads_why(here: Desk, guest: str, change: str, said: str) -> None:
    database = here.gateway.folder / "data" / "genba.db"
    user = {"username": guest, "email": f"{guest}@example.com", "login_type": "none", "password": ""}
    await here.gateway.fetch("POST", "/api/v2/users", user)
    await asyncio.to_thread(change_user, database, guest, "roles = '[\"owner\"]'")
    key = (await here.gateway.fetch("POST", f"/api/v2/users/{guest}/keys"))["key"]
    home = here.folder / guest
    home.mkdir()
    session = {"GENBA_URL": here.gateway.url, "GENBA_SESSION_TOKEN": key}
    async with genba_on_terminal("terminal", "admin/demo", folder=home, env=session) as screen:
        screen.type("echo here-$((1+1))\r")
        await screen.see("here-2")
        await asyncio.to_thread(change_user, database, guest, change)
        assert await screen.end() == 255
        await screen.see(said)


def change_user(database: Path, guest: str, change: str) -> None:
    """Change a guest as another process would: no route does it yet."""
    with closing(sqlite3.connect(database, timeout=CEILING_S)) as connection, connection:
        connection.execute(f"UPDATE users SET {change} WHERE username = ?", (guest,))  # of this module's own


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_leaves_and_restores_the_terminal(here: Desk, number: signal.Signals) -> None:
    async with here.terminal("demo", program=("/bin/sh", "-c", BETWEEN_MODES, "sh", *GENBA)) as screen:
        screen.type("echo here-$((1+1))\r")
        await screen.see("here-2")
        (genba,) = psutil.Process(screen.process.pid).children()
        genba.send_signal(number)
        await screen.see("end-of-program")
        assert f"code={128 + number}" in screen.screen
        assert "--reconnect" in screen.screen
        modes = re.findall(r"^[0-9a-f]+(?::[0-9a-f]+){10,}", screen.screen, re.MULTILINE)
        assert len(modes) == 2
        assert modes[0] == modes[1]
