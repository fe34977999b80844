"""Who passes the gate: tokens, roles, cookies of browsers and pages of other origins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from quart import Blueprint, Quart, Response, websocket
from quart.testing.connections import WebsocketResponseError
from quart.typing import TestClientProtocol as Client
from werkzeug.datastructures import Headers

from genba_gateway.api.answers import say
from genba_gateway.api.gate import client_address, current_user, needs
from genba_gateway.domain.actors import OWNER, Action, Permission, Resource, RouteAccess
from genba_gateway.errors import ConfigError, Unauthenticated
from genba_gateway.store.engine import Database
from tests.support.database import make_database
from tests.support.gateway_app import SignedIn, make_app, make_user

COOKIE = "coder_session_token"
HOST = "localhost"


def make_blueprint() -> Blueprint:
    blueprint = Blueprint("things", __name__)

    @blueprint.route("/api/v2/me", methods=["GET", "POST"])
    @needs(RouteAccess.SIGNED_IN)
    async def me() -> Response:
        return say(current_user().username)

    @blueprint.post("/page")
    @needs(RouteAccess.SIGNED_IN)
    async def page() -> Response:
        return say(current_user().username)

    @blueprint.get("/api/v2/owners")
    @needs(Permission(Resource.TEMPLATE, Action.CREATE))
    async def owners() -> Response:
        return say("for owners")

    @blueprint.get("/api/v2/public")
    @needs(RouteAccess.PUBLIC)
    async def public() -> Response:
        return say(client_address())

    @blueprint.get("/api/v2/agent")
    @needs(RouteAccess.AGENT)
    async def agent() -> Response:
        return say("for agents")

    @blueprint.websocket("/api/v2/stream")
    @needs(RouteAccess.SIGNED_IN)
    async def stream() -> None:
        await websocket.send(current_user().username)

    return blueprint


class Gated:
    """An app with one route of each kind."""

    def __init__(self, app: Quart, database: Database, member: SignedIn, owner: SignedIn) -> None:
        self.app = app
        self.database = database
        self.member = member
        self.owner = owner

    def client(self, cookie: str = "", csrf: str = "") -> Client:
        client = self.app.test_client()
        if cookie:
            client.set_cookie(HOST, COOKIE, cookie)
        if csrf:
            client.set_cookie(HOST, "csrf_token", csrf)
        return client


@pytest.fixture
async def gated(tmp_path: Path) -> AsyncGenerator[Gated]:
    database = await make_database(tmp_path)
    member, owner = await make_user(database, "mia"), await make_user(database, "olga", roles=(OWNER,))
    yield Gated(await asyncio.to_thread(lambda: make_app(database, make_blueprint())), database, member, owner)
    await database.close()


async def test_a_route_without_a_declaration_stops_the_start(tmp_path: Path) -> None:
    database = await make_database(tmp_path)
    blueprint = Blueprint("bare", __name__)

    @blueprint.get("/api/v2/bare")
    async def bare() -> Response:
        return say("anybody")

    @blueprint.websocket("/api/v2/bare-ws")
    async def bare_websocket() -> None:
        await websocket.send("anybody")

    with pytest.raises(ConfigError, match=r"/api/v2/bare, /api/v2/bare-ws"):
        await asyncio.to_thread(lambda: make_app(database, blueprint))
    await database.close()


async def test_a_route_that_was_added_later_without_a_declaration_refuses_everybody(gated: Gated) -> None:
    @gated.app.get("/api/v2/late")
    async def late() -> Response:
        return say("anybody")

    response = await gated.client().get("/api/v2/late", headers=gated.owner.headers)
    assert response.status_code == 403


@pytest.mark.parametrize("token", ["", "nonsense", "abcdefghij-0123456789012345678901", "\N{SNOWMAN}"])
async def test_without_a_session_nothing_but_the_public_is_served(gated: Gated, token: str) -> None:
    client = gated.client()
    for path in ("/api/v2/me", "/api/v2/owners", "/api/v2/agent"):
        response = await client.get(path, query_string={COOKIE: token})
        assert response.status_code == 401
        assert (await response.get_json())["message"]
    assert (await client.get("/api/v2/public")).status_code == 200


async def test_the_token_comes_by_cookie_query_header_or_bearer(gated: Gated) -> None:
    token = gated.member.token
    plain = gated.client()
    answers = [
        await gated.client(cookie=token).get("/api/v2/me"),
        await plain.get("/api/v2/me", query_string={COOKIE: token}),
        await plain.get("/api/v2/me", headers={"Coder-Session-Token": token}),
        await plain.get("/api/v2/me", headers={"Authorization": f"Bearer {token}"}),
    ]
    assert [(await answer.get_json())["message"] for answer in answers] == ["mia"] * 4


async def test_the_cookie_goes_before_query_and_header(gated: Gated) -> None:
    response = await gated.client(cookie=gated.member.token).get(
        "/api/v2/me", query_string={COOKIE: gated.owner.token}, headers=gated.owner.headers
    )
    assert (await response.get_json())["message"] == "mia"


async def test_a_secret_of_one_key_does_not_open_another(gated: Gated) -> None:
    mixed = f"{gated.owner.token.partition('-')[0]}-{gated.member.token.partition('-')[2]}"
    response = await gated.client().get("/api/v2/me", headers={"Coder-Session-Token": mixed})
    assert response.status_code == 401


async def test_a_role_that_never_may_is_refused_at_the_gate(gated: Gated) -> None:
    client = gated.client()
    assert (await client.get("/api/v2/owners", headers=gated.member.headers)).status_code == 403
    assert (await client.get("/api/v2/owners", headers=gated.owner.headers)).status_code == 200


async def test_a_user_is_no_agent(gated: Gated) -> None:
    assert (await gated.client().get("/api/v2/agent", headers=gated.owner.headers)).status_code == 401


async def test_every_answer_carries_the_version_and_the_headers_of_safety(gated: Gated) -> None:
    client = gated.client()
    for response in (await client.get("/api/v2/public"), await client.get("/api/v2/me"), await client.get("/nowhere")):
        assert response.headers["X-Coder-Build-Version"].startswith("v2.")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("csrf", "sent", "status"),
    [
        ("", None, 400),
        ("good", None, 400),
        ("good", "bad", 400),
        ("", "", 400),
        ("good", "\xfc", 400),
        ("good", "good", 200),
    ],
)
async def test_a_changing_request_by_cookie_needs_the_csrf_token(
    gated: Gated, csrf: str, sent: str | None, status: int
) -> None:
    headers = {} if sent is None else {"X-CSRF-TOKEN": sent}
    response = await gated.client(cookie=gated.member.token, csrf=csrf).post("/api/v2/me", headers=headers)
    assert response.status_code == status
    if status == 400:
        assert response.headers["Content-Type"].startswith("text/plain")


async def test_csrf_is_not_asked_of_reads_and_of_those_who_show_the_token_otherwise(gated: Gated) -> None:
    token = gated.member.token
    client = gated.client(cookie=token)
    assert (await client.get("/api/v2/me")).status_code == 200
    assert (await client.post("/api/v2/me", headers=gated.member.headers)).status_code == 200
    assert (await client.post("/api/v2/me", query_string={COOKIE: token})).status_code == 200
    assert (await gated.client().post("/api/v2/me", headers=gated.member.headers)).status_code == 200


async def test_another_session_in_the_header_is_no_proof(gated: Gated) -> None:
    response = await gated.client(cookie=gated.member.token).post("/api/v2/me", headers=gated.owner.headers)
    assert response.status_code == 400


async def test_pages_outside_the_api_check_forms_themselves(gated: Gated) -> None:
    assert (await gated.client(cookie=gated.member.token).post("/page")).status_code == 200


@pytest.mark.parametrize(("site", "status"), [("", 200), ("none", 200), ("same-origin", 200), ("same-site", 403)])
async def test_a_page_of_another_origin_makes_a_browser_change_nothing(gated: Gated, site: str, status: int) -> None:
    client = gated.client(cookie=gated.member.token)
    headers = {"Sec-Fetch-Site": site} if site else {}
    assert (await client.post("/page", headers=headers)).status_code == status
    assert (await client.get("/api/v2/me", headers=headers)).status_code == 200
    shown = await client.post("/page", headers={**headers, **gated.member.headers})
    assert shown.status_code == 200, "no page can make it show a token in a header"


async def test_a_cookie_that_an_app_could_have_set_signs_no_browser_in(gated: Gated) -> None:
    app = await asyncio.to_thread(
        lambda: make_app(gated.database, make_blueprint(), access_url="https://genba.example.com")
    )
    client = app.test_client()
    browser = {"Sec-Fetch-Site": "none"}
    client.set_cookie(HOST, COOKIE, gated.owner.token)
    assert (await client.get("/api/v2/me", headers=browser)).status_code == 401
    assert (await client.get("/api/v2/me")).status_code == 200, "a program's cookies are its own"
    client.set_cookie(HOST, f"__Host-{COOKIE}", gated.member.token)
    for headers in (browser, {}):
        assert (await (await client.get("/api/v2/me", headers=headers)).get_json())["message"] == "mia"


async def open_stream(client: Client, **headers: str) -> str:
    async with asyncio.timeout(30), client.websocket("/api/v2/stream", headers=headers) as socket:  # pyright: ignore[reportUnknownMemberType]
        return str(await socket.receive())


async def test_a_page_of_another_origin_can_open_no_websocket(gated: Gated) -> None:
    client = gated.client(cookie=gated.member.token)
    with pytest.raises(WebsocketResponseError) as refused:
        await open_stream(client, Origin="https://evil.test", Host=HOST)
    assert refused.value.response.status_code == 403


async def test_pages_of_the_access_url_open_websockets_behind_a_proxy_that_rewrites_the_host(gated: Gated) -> None:
    access_url = "https://genba.example.com:8443/"
    app = await asyncio.to_thread(lambda: make_app(gated.database, make_blueprint(), access_url=access_url))
    browser = Gated(app, gated.database, gated.member, gated.owner).client(cookie=gated.member.token)
    assert await open_stream(browser, Origin="https://genba.example.com:8443", Host=HOST) == "mia"
    for origin in ("https://genba.example.com", "https://evil.test", "null"):
        with pytest.raises(WebsocketResponseError) as refused:
            await open_stream(browser, Origin=origin, Host=HOST)
        assert refused.value.response.status_code == 403


async def test_own_pages_and_programs_open_websockets(gated: Gated) -> None:
    browser = gated.client(cookie=gated.member.token)
    assert await open_stream(browser, Origin=f"http://{HOST}", Host=HOST) == "mia"
    assert await open_stream(browser) == "mia"
    program = gated.client()
    assert await open_stream(program, Origin="https://elsewhere.test", **gated.member.headers) == "mia"


async def test_a_websocket_without_a_session_is_refused_before_the_handshake(gated: Gated) -> None:
    with pytest.raises(WebsocketResponseError) as refused:
        await open_stream(gated.client())
    assert refused.value.response.status_code == Unauthenticated.status


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        ((), "9.9.9.9", "127.0.0.1"),
        (("127.0.0.0/8",), "9.9.9.9", "9.9.9.9"),
        (("127.0.0.0/8",), "6.6.6.6, 9.9.9.9", "9.9.9.9"),
        (("127.0.0.0/8",), "6.6.6.6\n9.9.9.9", "9.9.9.9"),
        (("127.0.0.0/8", "10.0.0.0/8"), "9.9.9.9, 10.1.2.3", "9.9.9.9"),
        (("10.0.0.0/8",), "9.9.9.9", "127.0.0.1"),
        (("127.0.0.1",), "", "127.0.0.1"),
    ],
)
async def test_only_trusted_proxies_are_believed_about_addresses(
    gated: Gated, trusted: tuple[str, ...], forwarded: str, address: str
) -> None:
    app = await asyncio.to_thread(lambda: make_app(gated.database, make_blueprint(), trusted_proxies=trusted))
    lines = Headers([("X-Forwarded-For", line) for line in forwarded.split("\n")])
    response = await app.test_client().get("/api/v2/public", headers=lines, scope_base={"client": ("127.0.0.1", 5)})
    assert (await response.get_json())["message"] == address
