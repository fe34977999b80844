"""The pages as a browser sees them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from quart import typing as quart_typing

from tests.support.gateway_app import TOKEN_HEADER, cheap_passwords, make_user
from tests.support.identity_app import FIRST_USER, PASSWORD, Identity, make_identity

PAGES = ["/login", "/setup", "/sign-in?code=x", "/cli-auth"]


async def _submit(client: quart_typing.TestClientProtocol, path: str, **fields: str) -> Any:
    """Load the page, then send its first form with its hidden fields."""
    page = await (await client.get(path)).get_data(as_text=True)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    (action,) = set(re.findall(r'method="post" action="(/(?!logout|preferences)[^"]*)"', page))
    return await client.post(action, form={**hidden, **fields})


async def _browser_of_alice(identity: Identity) -> quart_typing.TestClientProtocol:
    await make_user(identity.database, password_hash=await cheap_passwords().hash(PASSWORD))
    client = identity.app.test_client()
    assert (await _submit(client, "/login", email="alice@example.com", password=PASSWORD)).status_code == 303
    return client


async def test_the_first_visitor_makes_the_first_user(identity: Identity) -> None:
    client = identity.app.test_client()
    assert (await client.get("/")).headers["Location"] == "/workspaces"
    assert (await client.get("/cli-auth")).headers["Location"] == "/login?redirect=/cli-auth"
    assert 'href="/setup"' in await (await client.get("/login")).get_data(as_text=True)
    made = await _submit(client, "/setup", **FIRST_USER)
    assert (made.status_code, made.headers["Location"]) == (303, "/workspaces")
    assert "act as olga" in await (await client.get("/cli-auth")).get_data(as_text=True)
    assert (await client.get("/setup")).headers["Location"] == "/login"
    assert 'href="/setup"' not in await (await client.get("/login")).get_data(as_text=True)


async def test_a_second_first_user_is_not_made_by_a_form_kept_open(identity: Identity) -> None:
    client, late = identity.app.test_client(), identity.app.test_client()
    page = await (await late.get("/setup")).get_data(as_text=True)
    await _submit(client, "/setup", **FIRST_USER)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    answer = await late.post("/setup", form={**hidden, **FIRST_USER, "username": "eve", "email": "eve@example.com"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert (await late.get("/api/v2/users/me")).status_code == 401


async def test_setup_tells_what_is_wrong_and_keeps_what_was_typed(identity: Identity) -> None:
    answer = await _submit(
        identity.app.test_client(), "/setup", email="o@example.com", username="not ok", password="hunter22"
    )
    text = await answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "Username must be letters" in text
    assert 'value="o@example.com"' in text
    assert "hunter22" not in text


async def test_a_wrong_password_is_told_on_the_page(identity: Identity) -> None:
    await make_user(identity.database, password_hash=await cheap_passwords().hash(PASSWORD))
    answer = await _submit(identity.app.test_client(), "/login", email="alice@example.com", password="wrong-one")
    text = await answer.get_data(as_text=True)
    assert answer.status_code == 401
    assert 'role="alert"' in text
    assert "Incorrect email or password." in text
    assert "wrong-one" not in text


async def test_what_was_typed_is_escaped(identity: Identity) -> None:
    await make_user(identity.database)
    answer = await _submit(identity.app.test_client(), "/login", email='"><script>x</script>', password="x")
    assert "<script>" not in await answer.get_data(as_text=True)
    page = await identity.app.test_client().get("/sign-in", query_string={"code": '"><script>x</script>'})
    assert "<script>" not in await page.get_data(as_text=True)


@pytest.mark.parametrize(
    ("wanted", "target"),
    [
        ("/cli-auth", "/cli-auth"),
        ("/workspaces?x=1#y", "/workspaces?x=1#y"),
        ("", "/workspaces"),
        ("cli-auth", "/workspaces"),
        ("https://evil.example/", "/workspaces"),
        ("//evil.example/", "/workspaces"),
        ("///evil.example/", "/workspaces"),
        ("/\\evil.example/", "/workspaces"),
        ("\\\\evil.example", "/workspaces"),
        ("/\t/evil.example/", "/workspaces"),
        ("/\n/evil.example/", "/workspaces"),
        ("javascript:alert(1)", "/workspaces"),
        ("http://[", "/workspaces"),
    ],
)
async def test_a_sign_in_leads_to_local_paths_only(identity: Identity, wanted: str, target: str) -> None:
    await make_user(identity.database, password_hash=await cheap_passwords().hash(PASSWORD))
    by_link, by_form = identity.app.test_client(), identity.app.test_client()
    page = await (await by_link.get("/login", query_string={"redirect": wanted})).get_data(as_text=True)
    assert f'name="redirect" value="{target}"' in page
    answer = await _submit(by_form, "/login", email="alice@example.com", password=PASSWORD, redirect=wanted)
    assert answer.headers["Location"] == target


async def test_the_token_for_an_editor_is_made_by_the_button_only(identity: Identity) -> None:
    anybody = identity.app.test_client()
    assert (await anybody.get("/cli-auth")).headers["Location"] == "/login?redirect=/cli-auth"
    assert (await anybody.post("/cli-auth")).headers["Location"] == "/login?redirect=/cli-auth"
    client = await _browser_of_alice(identity)
    before = await (await client.get("/cli-auth")).get_data(as_text=True)
    assert not re.search(r"[A-Za-z0-9]{10}-[A-Za-z0-9]{22}", before)
    refused = await client.post("/cli-auth", form={"csrf_token": "guessed"})
    assert refused.status_code == 400
    answer = await _submit(client, "/cli-auth")
    (token,) = re.findall(r'value="([A-Za-z0-9]{10}-[A-Za-z0-9]{22})"', await answer.get_data(as_text=True))
    assert answer.headers["Cache-Control"] == "no-store"
    editor = identity.app.test_client()
    me = await editor.get("/api/v2/users/me", headers={TOKEN_HEADER: token})
    assert (await me.get_json())["username"] == "alice"


async def test_signing_out_needs_the_form(identity: Identity) -> None:
    client = await _browser_of_alice(identity)
    assert (await client.post("/logout", form={})).status_code == 400
    assert (await client.get("/cli-auth")).status_code == 200
    page = await (await client.get("/cli-auth")).get_data(as_text=True)
    csrf = re.findall(r'name="csrf_token" value="([^"]*)"', page)[0]
    answer = await client.post("/logout", form={"csrf_token": csrf})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert (await client.get("/cli-auth")).headers["Location"] == "/login?redirect=/cli-auth"


async def test_every_page_has_strict_headers_and_no_inline_code(identity: Identity) -> None:
    client = await _browser_of_alice(identity)
    anybody = identity.app.test_client()
    for browser, path in [*((client, path) for path in [*PAGES, "/nowhere"]), *((anybody, path) for path in PAGES[:3])]:
        response = await browser.get(path)
        if response.status_code == 303:
            continue
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        text = await response.get_data(as_text=True)
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=|<style", text), path


async def test_a_path_that_leads_nowhere_is_a_page_for_people_and_json_for_programs(identity: Identity) -> None:
    client = identity.app.test_client()
    page = await client.get("/templates/none")
    assert page.status_code == 404
    assert page.content_type == "text/html; charset=utf-8"
    for path in ("/api/v2/none", "/bin/none"):
        answer = await client.get(path)
        assert answer.status_code == 404
        assert await answer.get_json() == {"message": "Route not found."}


async def test_assets_are_served_and_nothing_else(identity: Identity) -> None:
    client = identity.app.test_client()
    text = await (await client.get("/login")).get_data(as_text=True)
    assets = re.findall(r'(?:href|src)="(/static/[^"#]+)', text)
    assert len(assets) >= 2
    for asset in assets:
        answer = await client.get(asset)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
    for path in ("/static/x/pages.py", "/static/x/../pages.py", "/static/x/%2e%2e/pages.py", "/static/x/login.html"):
        assert (await client.get(path)).status_code == 404


async def test_over_https_the_cookies_of_forms_are_secure(tmp_path: Path) -> None:
    identity = await make_identity(tmp_path, access_url="https://genba.test")
    cookie = (await identity.app.test_client().get("/login")).headers["Set-Cookie"]
    assert cookie.startswith("__Host-csrf_token=")
    assert "Secure" in cookie
    await identity.database.close()
