"""What a connection of the agent's SSH server offers, and what it keeps to itself."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import asyncssh
import pytest

from genba_agent.ssh.connection import WINDOW_BYTES
from tests.support.carriers import CEILING_S
from tests.support.ssh_server import served_ssh
from tests.support.waiting import eventually


async def test_nobody_is_asked_who_they_are_and_nothing_is_compressed(tmp_path: Path) -> None:
    async with served_ssh(tmp_path) as world, world.client() as client:
        assert (client.get_extra_info("send_compression"), client.get_extra_info("recv_compression")) == (
            "none",
            "none",
        )
        assert client.get_extra_info("server_version").startswith("SSH-2.0-Genba_v")
        assert client.get_extra_info("send_cipher") in ("aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com")


async def test_a_socket_of_the_workspace_that_leads_to_the_client_is_for_its_user_alone(short_dir: Path) -> None:
    async def upper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.read()).upper())
        writer.close()

    there = short_dir / "there"
    async with (
        await asyncio.start_unix_server(upper, short_dir / "here"),
        served_ssh(short_dir) as world,
        world.client() as client,
    ):
        await client.forward_remote_path(str(there), str(short_dir / "here"))
        mode = (await asyncio.to_thread(os.stat, there)).st_mode
        assert stat.S_IMODE(mode) & 0o177 == 0
        reader, writer = await asyncio.open_unix_connection(there)
        writer.write(b"through")
        writer.write_eof()
        async with asyncio.timeout(CEILING_S):
            assert await reader.read() == b"THROUGH"
        writer.close()


async def test_what_a_client_does_not_take_waits_in_the_program(tmp_path: Path) -> None:
    async with served_ssh(tmp_path) as world, world.client() as client:
        process = await client.create_process(f"head -c {WINDOW_BYTES * 4} /dev/zero; echo done >&2", encoding=None)
        # Nobody reads: the program can't end, since all that may be under way is a window's worth.
        await eventually(lambda: world.server.counts["ssh"] == 1)
        assert not process.is_closing()
        assert process.exit_status is None
        async with asyncio.timeout(CEILING_S):
            assert len(await process.stdout.read()) == WINDOW_BYTES * 4
            assert await process.stderr.read() == b"done\n"


@pytest.mark.parametrize("port", [0, 9])
async def test_forwards_to_and_from_the_workspace_are_allowed(tmp_path: Path, port: int) -> None:
    async with served_ssh(tmp_path) as world, world.client() as client:
        if port:
            with pytest.raises(asyncssh.ChannelOpenError):
                await client.open_connection("127.0.0.1", port)  # pyright: ignore[reportUnknownMemberType]  # its streams are untyped
        else:
            listener = await client.forward_remote_port("127.0.0.1", 0, "127.0.0.1", 9)
            assert listener.get_port() > 0
            listener.close()
            await listener.wait_closed()
