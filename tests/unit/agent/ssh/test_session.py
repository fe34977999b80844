"""One session of a connection: what a client may ask for, and how its end is told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncssh
import pytest

from tests.support.carriers import CEILING_S
from tests.support.ssh_server import served_ssh
from tests.support.waiting import eventually


@pytest.mark.parametrize(
    ("command", "status", "signal"),
    [("exit 0", 0, None), ("exit 7", 7, None), ("kill -TERM $$", -1, "TERM"), ("kill -KILL $$", -1, "KILL")],
)
async def test_an_end_is_told_as_a_status_or_a_signal(
    tmp_path: Path, command: str, status: int, signal: str | None
) -> None:
    async with served_ssh(tmp_path) as world, world.client() as client:
        done = await client.run(command)
        assert done.exit_status == status
        assert (done.exit_signal[0] if done.exit_signal else None) == signal


async def test_variables_are_taken_over_and_those_of_the_workspace_are_not_changed(tmp_path: Path) -> None:
    async with served_ssh(tmp_path) as world, world.client() as client:
        sent = {"LANG": "de_AT.UTF-8", "MINE": "a b", "HOME": "/elsewhere", "USER": "root"}
        done = await client.run('echo "$LANG|$MINE|$HOME|$USER"', env=sent)
        assert done.stdout == f"de_AT.UTF-8|a b|{tmp_path}|dev\n"


async def test_the_kind_of_session_is_counted_and_hidden_from_programs(tmp_path: Path) -> None:
    async with served_ssh(tmp_path) as world, world.client() as client:
        kind = {"CODER_SSH_SESSION_TYPE": "vscode"}
        async with client.create_process('echo "kind=$CODER_SSH_SESSION_TYPE"; read -r _', env=kind) as process:
            assert await process.stdout.readline() == "kind=\n"
            assert (world.server.counts["vscode"], world.server.counts["ssh"]) == (1, 0)
            process.stdin.write("\n")
            await process.wait()
        await eventually(lambda: world.server.counts["vscode"] == 0)


async def test_a_signal_of_the_client_reaches_the_program(tmp_path: Path) -> None:
    async with served_ssh(tmp_path) as world, world.client() as client:
        process = await client.create_process(
            "trap 'echo caught; exit 4' USR1; echo ready; while :; do sleep 0.01; done"
        )
        assert await process.stdout.readline() == "ready\n"
        process.send_signal("USR1")
        async with asyncio.timeout(CEILING_S):
            done = await process.wait()
        assert (done.stdout, done.exit_status) == ("caught\n", 4)


async def test_errors_and_output_stay_apart_without_a_terminal_and_are_one_with_it(tmp_path: Path) -> None:
    async with served_ssh(tmp_path) as world, world.client() as client:
        apart = await client.run("echo out; echo err >&2")
        assert (apart.stdout, apart.stderr) == ("out\n", "err\n")
        one = await client.run("echo out; echo err >&2", term_type="dumb", term_size=(70, 20))
        assert (one.stdout, one.stderr) == ("out\r\nerr\r\n", "")


async def test_what_is_no_subsystem_is_refused_and_the_connection_goes_on(tmp_path: Path) -> None:
    async with served_ssh(tmp_path) as world, world.client() as client:
        with pytest.raises(asyncssh.ChannelOpenError):
            await client.create_process(subsystem="nothing")
        assert (await client.run("echo on")).stdout == "on\n"


async def test_what_can_not_be_started_has_a_code_of_its_own(tmp_path: Path) -> None:
    async with served_ssh(tmp_path) as world, world.client() as client:
        done = await client.run("a\0b")
        assert done.exit_status == 229


async def test_input_ends_where_the_client_ends_it(tmp_path: Path) -> None:
    async with served_ssh(tmp_path) as world, world.client() as client:
        done = await client.run("wc -c", input="x" * 300_000)
        assert str(done.stdout).strip() == "300000"
