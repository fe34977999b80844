"""The session: kept in the folder of the command line, read anew each time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from genba_ide_bridge.cli.session import SessionFolder
from genba_ide_bridge.errors import NotSignedIn
from genba_ide_bridge.lsp.rpc_errors import InvalidParameters
from genba_wire.errors import GatewayRefused, GatewayUnreachable
from tests.support.bridge_session import session_in
from tests.support.cli_gateway import FRESH_KEY, TOKEN, running_cli_gateway


def read_kept(folder: Path) -> tuple[str, str]:
    return SessionFolder(folder).read_url(), SessionFolder(folder).read_token()


async def test_signing_in_keeps_a_fresh_key(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway, session_in(tmp_path) as session:
        with pytest.raises(NotSignedIn):
            await session.get_client()
        result = await session.sign_in(f"{gateway.url}/", TOKEN)
        assert (result.url, result.user.username) == (gateway.url, "alice")
        assert await asyncio.to_thread(read_kept, tmp_path) == (gateway.url, FRESH_KEY)
        client = await session.get_client()
        assert client is await session.get_client()
        assert (await session.describe()).username == "alice"


async def test_a_refused_token_leaves_the_session_as_it_was(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway, session_in(tmp_path, gateway.url, TOKEN) as session:
        with pytest.raises(NotSignedIn, match="does not take this token"):
            await session.sign_in(gateway.url, "wrong")
        with pytest.raises(InvalidParameters):
            await session.sign_in("ftp://x", TOKEN)
        with pytest.raises(GatewayUnreachable):
            await session.sign_in("http://127.0.0.1:1", TOKEN)
        assert await asyncio.to_thread(read_kept, tmp_path) == (gateway.url, TOKEN)
        assert (await session.describe()).signed_in


async def test_signing_in_here_wins_over_the_environment(tmp_path: Path) -> None:
    variables = {"GENBA_URL": "http://127.0.0.1:1", "GENBA_SESSION_TOKEN": "other"}
    async with running_cli_gateway() as gateway, session_in(tmp_path, **variables) as session:
        with pytest.raises(GatewayUnreachable):
            await session.describe()
        await session.sign_in(gateway.url, TOKEN)
        assert (await session.describe()).url == gateway.url
        await session.sign_out()
        assert not (await session.describe()).signed_in


async def test_signing_out_ends_the_key_and_forgets_it(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway, session_in(tmp_path, gateway.url, TOKEN) as session:
        await session.sign_out()
        (request,) = gateway.requests_of("POST", "/users/logout")
        assert request.headers["Coder-Session-Token"] == TOKEN
        assert await asyncio.to_thread(read_kept, tmp_path) == ("", "")
        await session.sign_out()
        assert len(gateway.requests_of("POST", "/users/logout")) == 1


async def test_signing_out_forgets_without_the_gateway_too(tmp_path: Path) -> None:
    async with session_in(tmp_path, "http://127.0.0.1:1", TOKEN) as session:
        await session.sign_out()
        assert await asyncio.to_thread(read_kept, tmp_path) == ("", "")


async def test_what_the_command_line_does_counts_here(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway, session_in(tmp_path) as session:
        await asyncio.to_thread(SessionFolder(tmp_path).write, gateway.url, TOKEN)
        first = await session.get_client()
        await asyncio.to_thread(SessionFolder(tmp_path).write, gateway.url, FRESH_KEY)
        assert await session.get_client() is not first
        await asyncio.to_thread(SessionFolder(tmp_path).delete)
        with pytest.raises(NotSignedIn):
            await session.get_client()


async def test_a_session_that_is_not_taken_is_described_with_its_gateway(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway, session_in(tmp_path, gateway.url, "stale") as session:
        described = await session.describe()
        assert (described.signed_in, described.url) == (False, gateway.url)
        gateway.refuse_next.append((500, "broken"))
        with pytest.raises(GatewayRefused):
            await session.describe()
