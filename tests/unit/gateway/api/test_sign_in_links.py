"""One-time links: made by the API, used up by the page's form."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from quart import typing as quart_typing

from genba_gateway.domain.users import UserStatus
from genba_gateway.store import tables
from genba_gateway.store import users as user_store
from tests.support.gateway_app import SignedIn, make_user
from tests.support.identity_app import Identity


async def _make_link(identity: Identity, who: SignedIn) -> str:
    response = await identity.app.test_client().post("/api/v2/genba/sign-in-links", headers=who.headers)
    assert response.status_code == 201
    body = await response.get_json()
    assert datetime.fromisoformat(body["expires_at"]) == identity.clock.time + timedelta(minutes=10)
    assert body["url"].startswith("http://genba.test/sign-in?code=")
    return str(body["url"]).removeprefix("http://genba.test")


async def _press_button(client: quart_typing.TestClientProtocol, link: str) -> Any:
    page = await (await client.get(link)).get_data(as_text=True)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
    return await client.post("/sign-in", form=fields)


async def test_a_link_signs_a_browser_in_once(identity: Identity) -> None:
    alice = await make_user(identity.database)
    link = await _make_link(identity, alice)
    browser = identity.app.test_client()
    signed_in = await _press_button(browser, link)
    assert (signed_in.status_code, signed_in.headers["Location"]) == (303, "/workspaces")
    me = await browser.get("/api/v2/users/me")
    assert (await me.get_json())["username"] == "alice"
    other = identity.app.test_client()
    assert (await _press_button(other, link)).status_code == 401
    assert (await other.get("/api/v2/users/me")).status_code == 401


async def test_a_preview_does_not_use_the_link_up(identity: Identity) -> None:
    link = await _make_link(identity, await make_user(identity.database))
    for _ in range(3):
        assert (await identity.app.test_client().get(link)).status_code == 200
        assert (await identity.app.test_client().head(link)).status_code == 200
    assert (await _press_button(identity.app.test_client(), link)).status_code == 303


async def test_a_link_ends_after_ten_minutes(identity: Identity) -> None:
    alice = await make_user(identity.database)
    link = await _make_link(identity, alice)
    last = await _make_link(identity, alice)
    identity.clock.time += timedelta(minutes=10) - timedelta(microseconds=1)
    assert (await _press_button(identity.app.test_client(), link)).status_code == 303
    identity.clock.time += timedelta(microseconds=1)
    assert (await _press_button(identity.app.test_client(), last)).status_code == 401


async def test_only_a_hash_of_the_link_is_kept(identity: Identity) -> None:
    link = await _make_link(identity, await make_user(identity.database))
    async with identity.database.read() as connection:
        rows = (await connection.execute(sa.select(tables.sign_in_links))).all()
        audit = (await connection.execute(sa.select(tables.audit_logs))).all()
    assert link.partition("=")[2] not in repr(rows) + repr(audit)


async def test_a_link_of_a_suspended_user_is_worth_nothing(identity: Identity) -> None:
    alice = await make_user(identity.database)
    link = await _make_link(identity, alice)
    async with identity.database.write() as connection:
        await user_store.update_user(connection, alice.user.id, {"status": UserStatus.SUSPENDED.value})
    assert (await _press_button(identity.app.test_client(), link)).status_code == 401


async def test_a_form_of_another_page_does_not_sign_in(identity: Identity) -> None:
    link = await _make_link(identity, await make_user(identity.database))
    code = link.partition("=")[2]
    refused = await identity.app.test_client().post("/sign-in", form={"code": code, "csrf_token": ""})
    assert refused.status_code == 400
    assert (await _press_button(identity.app.test_client(), link)).status_code == 303
