"""Downloads under /bin."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from quart import typing as quart_typing

from genba_gateway.api import executables
from genba_gateway.services.executables import Executables
from tests.support.database import make_database
from tests.support.gateway_app import make_app

CONTENT = bytes(range(256)) * 4096
SHA1 = hashlib.sha1(CONTENT, usedforsecurity=False).hexdigest()


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "genba-linux-amd64").write_bytes(CONTENT)
    (folder / "genba-darwin-arm64").write_bytes(b"#!/bin/sh\n")
    return folder


@pytest.fixture
async def client(tmp_path: Path, folder: Path) -> AsyncGenerator[quart_typing.TestClientProtocol]:
    database = await make_database(tmp_path)
    app = await asyncio.to_thread(lambda: make_app(database, executables.make_blueprint(Executables(folder))))
    yield app.test_client()
    await database.close()


@pytest.mark.parametrize("name", ["genba-linux-amd64", "coder-linux-amd64", "coder_linux_amd64"])
async def test_serves_one_file_under_both_names_without_a_session(
    client: quart_typing.TestClientProtocol, name: str
) -> None:
    response = await client.get(f"/bin/{name}")
    assert response.status_code == 200
    assert await response.get_data() == CONTENT
    assert response.headers["ETag"] == f'"{SHA1}"'
    assert response.headers["Content-Length"] == response.headers["X-Original-Content-Length"] == str(len(CONTENT))
    assert "Content-Encoding" not in response.headers


async def test_a_client_that_has_it_gets_304(client: quart_typing.TestClientProtocol) -> None:
    response = await client.get("/bin/coder-linux-amd64", headers={"If-None-Match": f'"{SHA1}"'})
    assert (response.status_code, await response.get_data()) == (304, b"")
    response = await client.get("/bin/coder-linux-amd64", headers={"If-None-Match": '""'})
    assert response.status_code == 200


async def test_head_tells_the_size_and_a_range_is_a_part(client: quart_typing.TestClientProtocol) -> None:
    head = await client.head("/bin/genba-linux-amd64")
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(CONTENT)))
    part = await client.get("/bin/genba-linux-amd64", headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, await part.get_data()) == (206, CONTENT[1000:2000])
    assert part.headers["Content-Range"] == f"bytes 1000-1999/{len(CONTENT)}"


async def test_a_rebuilt_file_gets_another_tag(client: quart_typing.TestClientProtocol, folder: Path) -> None:
    await client.get("/bin/genba-linux-amd64")
    (folder / "new").write_bytes(b"other")
    (folder / "new").replace(folder / "genba-linux-amd64")
    response = await client.get("/bin/genba-linux-amd64", headers={"If-None-Match": f'"{SHA1}"'})
    assert (response.status_code, await response.get_data()) == (200, b"other")


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("coder-windows-amd64.exe", "uv tool install genba"),
        ("coder-darwin-amd64", "uv tool install genba"),
        ("coder-linux-armv7", "no program for linux-armv7"),
        ("passwd", "no program named"),
        ("..%2Fsecret", "no"),
        ("nested/coder-linux-amd64", "no folder under /bin"),
        ("coder-linux-amd64.asc", "no program named"),
    ],
)
async def test_what_is_not_there_is_404_in_words(
    client: quart_typing.TestClientProtocol, path: str, sentence: str
) -> None:
    response = await client.get(f"/bin/{path}")
    assert response.status_code == 404
    assert response.content_type == "text/plain; charset=utf-8"
    assert sentence.encode() in (await response.data)


async def test_lists_what_there_is(client: quart_typing.TestClientProtocol) -> None:
    listed = await (await client.get("/bin/")).get_data()
    assert listed == b"coder-darwin-arm64\ncoder-linux-amd64\ngenba-darwin-arm64\ngenba-linux-amd64\n"


async def test_the_script_for_macos_is_served_like_the_others(client: quart_typing.TestClientProtocol) -> None:
    response = await client.get("/bin/coder-darwin-arm64")
    assert (response.status_code, await response.get_data()) == (200, b"#!/bin/sh\n")
    tag = response.headers["ETag"]
    assert (await client.get("/bin/genba-darwin-arm64", headers={"If-None-Match": tag})).status_code == 304
