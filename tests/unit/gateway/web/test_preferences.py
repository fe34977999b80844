from __future__ import annotations

import re

from quart import typing as quart_typing

from tests.support.identity_app import Identity


async def _choose(client: quart_typing.TestClientProtocol, **fields: str) -> str:
    page = await (await client.get("/login")).get_data(as_text=True)
    token = re.findall(r'name="csrf_token" value="([^"]*)"', page)[0]
    answer = await client.post("/preferences", form={"csrf_token": token, **fields})
    assert answer.status_code == 303
    return answer.headers["Location"]


async def test_a_visitor_chooses_how_pages_look_and_what_they_speak(identity: Identity) -> None:
    client = identity.app.test_client()
    assert await _choose(client, theme="dark", language="ja", back="/login?redirect=/x") == "/login?redirect=/x"
    text = await (await client.get("/login")).get_data(as_text=True)
    assert '<html lang="ja" data-theme="dark">' in text
    assert "Genba にサインイン" in text


async def test_what_is_not_to_choose_changes_nothing(identity: Identity) -> None:
    client = identity.app.test_client()
    assert await _choose(client, theme='"><x', language="tlh", back="https://evil.example/") == "/workspaces"
    assert '<html lang="en" data-theme="system">' in await (await client.get("/login")).get_data(as_text=True)


async def test_choosing_needs_the_form(identity: Identity) -> None:
    answer = await identity.app.test_client().post("/preferences", form={"theme": "dark"})
    assert answer.status_code == 400
