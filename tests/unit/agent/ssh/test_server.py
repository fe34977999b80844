from __future__ import annotations

import asyncio
from pathlib import Path

import asyncssh
import psutil
import pytest

from genba_agent.clock import SystemClock
from genba_agent.ssh import server as ssh_server
from genba_agent.ssh.server import SshServer
from genba_wire.aio.stream import WRITABLE_BELOW_BYTES
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.frames import CloseCode
from genba_wire.tunnel.streams import SSH
from tests.support.carriers import CEILING_S
from tests.support.links import link_world
from tests.support.ssh_server import served_ssh
from tests.support.waiting import eventually


async def test_commands_run_and_are_counted(tmp_path: Path) -> None:
    async with served_ssh(tmp_path) as world, world.client() as client:
        async with client.create_process("echo hello; read line; exit 3") as process:
            assert await process.stdout.readline() == "hello\n"
            assert (world.server.counts.connections, world.server.counts["ssh"]) == (1, 1)
            process.stdin.write("go on\n")
            done = await process.wait()
        assert done.exit_status == 3
        await eventually(lambda: world.server.counts["ssh"] == 0)


async def test_nothing_is_served_before_the_manifest_nor_what_cannot_be_read(tmp_path: Path) -> None:
    async with asyncio.TaskGroup() as group:
        server = SshServer(SystemClock(), group)
        async with link_world(server.handle_stream) as (links, _, _):
            with pytest.raises(StreamRefused, match="not its manifest yet"):
                await links.session.open_stream(SSH, b"{}")
    async with served_ssh(tmp_path) as world:
        with pytest.raises(StreamRefused, match="can't be read"):
            await world.links.session.open_stream(SSH, b"[]")


async def test_connections_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_server, "MAX_CONNECTIONS", 1)
    async with served_ssh(tmp_path) as world:
        async with world.client():
            with pytest.raises(StreamRefused, match="1 SSH connections are open"):
                await world.links.session.open_stream(SSH, b"{}")
        await eventually(lambda: world.server.counts.connections == 0)
        async with world.client() as client:
            assert (await client.run("echo again")).stdout == "again\n"


async def test_stop_ends_programs_and_connections(tmp_path: Path) -> None:
    async with served_ssh(tmp_path) as world, world.client() as client:
        process = await client.create_process("echo $$; exec sleep 1000")
        pid = int(await process.stdout.readline())
        await world.server.stop()
        assert not psutil.pid_exists(pid)
        await client.wait_closed()
        with pytest.raises(StreamRefused, match="stopping"):
            await world.links.session.open_stream(SSH, b"{}")


async def test_programs_wait_while_there_is_no_carrier_and_end_with_the_link(tmp_path: Path) -> None:
    async with served_ssh(tmp_path) as world, world.client() as client:
        process = await client.create_process("echo $$; exec cat /dev/zero", encoding=None)
        pid = int(await process.stdout.readline())
        stream = world.streams[0]
        world.carrier.abort()
        await eventually(lambda: not stream.is_attached and psutil.Process(pid).status() == psutil.STATUS_SLEEPING)
        held = stream.waiting_bytes
        # What a read brought after the stream was full comes on top.
        assert held < 2 * WRITABLE_BELOW_BYTES
        assert psutil.pid_exists(pid)
        world.links.table.close("for good")
        await eventually(lambda: not psutil.pid_exists(pid))
        world.links.session.close(CloseCode.NORMAL)


async def test_program_is_paused_while_the_client_does_not_read(tmp_path: Path) -> None:
    async with served_ssh(tmp_path) as world, world.client() as client:
        process = await client.create_process("echo $$; head -c 20000000 /dev/zero", encoding=None)
        pid = int(await process.stdout.readline())
        await eventually(lambda: psutil.Process(pid).status() == psutil.STATUS_SLEEPING)
        rest = await process.stdout.read()
        assert len(rest) == 20_000_000
        assert (await process.wait()).exit_status == 0


async def test_close_kills_what_is_left(tmp_path: Path) -> None:
    async with served_ssh(tmp_path) as world:
        async with world.client() as client:
            process = await client.create_process("trap '' HUP; echo $$; while :; do sleep 1; done")
            pid = int(await process.stdout.readline())
            await world.server.close()
        await eventually(lambda: not psutil.pid_exists(pid))


async def test_terminal_is_resized_and_interrupted(tmp_path: Path) -> None:
    async with served_ssh(tmp_path) as world, world.client() as client:
        async with client.create_process(
            "stty size; read line; stty size; exec cat", term_type="vt100", term_size=(100, 30)
        ) as process:
            assert (await process.stdout.readline()).strip() == "30 100"
            process.change_terminal_size(160, 50)
            process.stdin.write("\n")
            while (line := (await process.stdout.readline()).strip()) == "":
                pass
            assert line == "50 160"
            process.send_signal("TERM")
            done = await process.wait()
        assert done.exit_signal is not None
        assert done.exit_signal[0] == "TERM"


async def test_signal_without_a_name_is_the_code_that_a_shell_gives_it(tmp_path: Path) -> None:
    async with served_ssh(tmp_path) as world, world.client() as client:
        done = await asyncio.wait_for(client.run("exec sh -c 'kill -40 $$'"), CEILING_S)
        assert (done.exit_status, done.exit_signal) == (128 + 40, None)


async def test_unknown_subsystem_is_refused(tmp_path: Path) -> None:
    async with served_ssh(tmp_path) as world, world.client() as client:
        with pytest.raises(asyncssh.ChannelOpenError):
            await client.create_process(subsystem="netconf")


async def test_files_are_served_from_the_home_folder(tmp_path: Path) -> None:
    async with served_ssh(tmp_path) as world, world.client() as client:
        async with client.start_sftp_client() as files:
            assert await files.realpath(".") == str(tmp_path)
            async with files.open("made", "w") as made:
                await made.write("text")
        assert await asyncio.to_thread((tmp_path / "made").read_text) == "text"
