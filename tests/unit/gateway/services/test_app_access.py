"""Who may use which app: each decision as the browser of somebody gets it. Their way in: test_app_sessions.py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from genba_gateway.domain.actors import UserActor
from genba_gateway.domain.app_access import (
    AppDecision,
    AppGranted,
    AppOrigin,
    AppRedirect,
    AppRefusal,
    AppRequest,
    AppTarget,
)
from genba_gateway.domain.app_hosts import AppHosts
from genba_gateway.domain.channels import of_workspace
from genba_gateway.services import app_openings
from genba_gateway.services.app_access import LOOK_AGAIN_S, AppGate
from genba_gateway.services.app_openings import AGAIN_AFTER
from genba_gateway.services.app_tokens import TOKEN_LIFE
from genba_gateway.store import tables
from tests.support.app_world import APPS, LOCAL, SECURE, AppWorld, Browser, open_app_world

CEILING_S = 30.0


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[AppWorld]:
    async with open_app_world(tmp_path) as opened:
        yield opened


@pytest.fixture(autouse=True)
def ask_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known at once must be what asking says, in each of these tests."""
    decide = AppGate.decide

    async def ask(self: AppGate, request: AppRequest) -> AppDecision:
        known = self.decide_now(request)
        decision = await decide(self, request)
        assert known is None or known == decision
        known = self.decide_now(request)
        assert known is None or known == decision
        return decision

    monkeypatch.setattr(AppGate, "decide", ask)


def outcome(decision: AppDecision | str) -> object:
    match decision:
        case AppGranted():
            return "granted"
        case AppRefusal():
            return decision.status
        case AppRedirect():
            return f"{decision.status} {decision.location}"
        case str():
            return "sign in"


async def get_target(browser: Browser, url: str) -> AppTarget:
    decision = await browser.open(url)
    assert isinstance(decision, AppGranted), decision
    return decision.target


async def get_refusal(browser: Browser, url: str) -> AppRefusal:
    decision = await browser.open(url)
    assert isinstance(decision, AppRefusal), decision
    return decision


@pytest.mark.parametrize(
    ("who", "by_path", "by_name"),
    [
        ("ana", ["granted", "granted", "granted"], ["granted", "granted", "granted"]),
        ("root", [404, 404, 404], ["granted", "granted", "granted"]),
        ("bob", [404, 404, 404], [404, "granted", "granted"]),
        ("", ["sign in", "sign in", "sign in"], ["sign in", "sign in", "granted"]),
    ],
)
async def test_an_app_serves_whom_it_is_shared_with_and_by_path_its_owner_alone(
    world: AppWorld, who: str, by_path: list[object], by_name: list[object]
) -> None:
    people: dict[str, UserActor] = {"ana": world.rows.user, "bob": world.rows.stranger, "root": world.rows.admin}
    browser = world.browser(people.get(who))
    assert [outcome(await browser.open(world.path_url(app))) for app in APPS] == by_path
    assert [outcome(await browser.open(world.subdomain_url(app))) for app in APPS] == by_name


async def test_what_is_not_there_looks_like_what_is_hidden(world: AppWorld) -> None:
    bob, nobody = world.browser(world.rows.stranger), world.browser()
    hidden = await bob.open(world.subdomain_url("code"))
    assert [await bob.open(world.subdomain_url(app)) for app in ("none", "9000")] == [hidden, hidden]
    for url in (world.subdomain_url("none"), world.subdomain_url("code")):
        assert outcome(await nobody.open(url)) == "sign in"
    assert outcome(await world.browser(world.rows.user).open(world.subdomain_url("none"))) == 404


async def test_a_grant_names_the_app_and_its_user(world: AppWorld) -> None:
    target = await get_target(world.browser(world.rows.user), world.subdomain_url("code"))
    assert (target.workspace_id, target.agent_id, target.build_id) == (
        world.agent.workspace_id,
        world.agent.agent_id,
        world.agent.build_id,
    )
    assert (target.user_id, target.sharing_level) == (world.rows.user.user_id, "owner")
    assert (target.app_url, target.address.base_path) == ("http://localhost:13337/", "/")
    by_path = await get_target(world.browser(world.rows.user), world.path_url("team"))
    assert (by_path.sharing_level, by_path.address.base_path) == ("owner", "/@ana/dev.main/apps/team/")
    nobody = await get_target(world.browser(), world.subdomain_url("site"))
    assert (nobody.user_id, nobody.key_id, nobody.sharing_level) == ("", "", "public")


async def test_ports_are_their_owners(world: AppWorld) -> None:
    ana = world.browser(world.rows.user)
    plain = await get_target(ana, world.subdomain_url("8080"))
    tls = await get_target(ana, world.subdomain_url("8443s"))
    assert (plain.app_url, tls.app_url) == ("http://localhost:8080", "https://localhost:8443")
    assert outcome(await world.browser(world.rows.stranger).open(world.subdomain_url("8080"))) == 404
    assert outcome(await ana.open(world.subdomain_url("8"))) == 400


async def test_the_agent_may_be_left_out_while_there_is_one(world: AppWorld) -> None:
    ana = world.browser(world.rows.user)
    short = world.subdomain_url("code").replace("--main", "")
    assert outcome(await ana.open(short)) == "granted"
    assert outcome(await ana.open(world.subdomain_url("code").replace("--main", "--other"))) == 404


async def test_a_request_with_its_token_needs_no_database(world: AppWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = world.browser(world.rows.user)
    first = await get_target(ana, world.subdomain_url("code"))
    for way in ("read", "glance", "write"):
        monkeypatch.setattr(world.rows.database, way, None)
    again = await ana.ask(world.subdomain_url("code", "x?y=1"))
    assert again == AppGranted(first)


async def test_a_token_lasts_a_minute_and_no_longer(world: AppWorld) -> None:
    ana = world.browser(world.rows.user)
    await ana.open(world.subdomain_url("code"))
    await world.execute(sa.delete(tables.api_keys))
    world.rows.clock.move(TOKEN_LIFE.total_seconds() - 1)
    assert outcome(await ana.ask(world.subdomain_url("code"))) == "granted"
    world.rows.clock.move(1)
    assert "auth-redirect" in str(outcome(await ana.ask(world.subdomain_url("code"))))


async def test_a_token_opens_its_own_app_alone(world: AppWorld) -> None:
    ana = world.browser(world.rows.user)
    await ana.open(world.path_url("code"))
    names = dict(ana.cookies_for("apps.localhost:3000", "/@ana/dev.main/apps/code/"))
    for url in (world.path_url("team"), world.subdomain_url("code"), world.path_url("code").replace("@", "%40")):
        thief = world.browser()
        sent = "; ".join(f"{name}={value}" for name, value in names.items())
        sent += f"; coder_subdomain_app_session_token={names['coder_path_app_session_token']}"
        decision = await thief.ask(url, cookie=sent)
        assert "auth-redirect" in str(outcome(decision)), url


async def test_what_cannot_be_a_token_is_passed_over(world: AppWorld) -> None:
    ana = world.browser(world.rows.user)
    await ana.open(world.subdomain_url("code"))
    host = world.subdomain_url("code").split("/")[2]
    ((_, good),) = [pair for pair in ana.cookies_for(host, "/") if pair[0] == "coder_signed_app_token"]
    head, body, signature = good.split(".")
    for bad in ("", "x", "a.b.c", f"{head}.{body}.", f"{head}.{body}.{signature[::-1]}", "x" * 5000):
        sent = f"coder_signed_app_token={bad}"
        assert "auth-redirect" in str(outcome(await world.browser().ask(world.subdomain_url("code"), cookie=sent)))
        both = f"{sent}; coder_signed_app_token={good}"
        assert outcome(await world.browser().ask(world.subdomain_url("code"), cookie=both)) == "granted"


async def test_programs_show_a_key_in_a_header(world: AppWorld) -> None:
    token = await world.rows.add_session(world.rows.user)
    program = world.browser()
    assert outcome(await program.ask(world.path_url("code"), coder_session_token=token)) == "granted"
    wrong = await world.browser().ask(world.path_url("code"), coder_session_token=f"{token}x")
    assert "auth-redirect" in str(outcome(wrong))


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"sec_fetch_site": "same-origin", "sec_fetch_mode": "cors", "sec_fetch_dest": "empty"}, "granted"),
        ({"sec_fetch_site": "none"}, "granted"),
        ({"sec_fetch_site": "cross-site"}, "granted"),
        ({"sec_fetch_site": "same-site"}, "granted"),
        ({"sec_fetch_site": "same-site", "sec_fetch_dest": "iframe"}, 403),
        ({"sec_fetch_site": "cross-site", "sec_fetch_dest": "embed"}, 403),
        ({"sec_fetch_site": "same-site", "sec_fetch_mode": "no-cors", "sec_fetch_dest": "script"}, 403),
        ({"sec_fetch_site": "same-site", "sec_fetch_mode": "cors", "sec_fetch_dest": "empty"}, 403),
        ({"sec_fetch_site": "cross-site", "method": "POST", "origin": "https://evil.example"}, 403),
        ({"sec_fetch_site": "same-origin", "method": "POST", "origin": "null"}, "granted"),
        ({"sec_fetch_site": "", "method": "POST", "origin": "http://evil.example"}, 403),
        ({"sec_fetch_site": "", "method": "POST", "origin": "null"}, 403),
        ({"sec_fetch_site": "", "method": "POST"}, "granted"),
        ({"is_websocket": True, "origin": "http://evil.example"}, 403),
        ({"is_websocket": True, "origin": "http://code--main--dev--bob.localhost:3000"}, 403),
        ({"is_websocket": True, "origin": "null"}, 403),
        ({"is_websocket": True, "origin": "http://code--main--dev--ana.localhost:3000"}, "granted"),
        ({"is_websocket": True}, "granted"),
    ],
)
async def test_no_page_of_another_origin_uses_an_app_in_its_viewers_name(
    world: AppWorld, headers: dict[str, Any], said: object
) -> None:
    ana = world.browser(world.rows.user)
    await ana.open(world.subdomain_url("code"))
    assert outcome(await ana.ask(world.subdomain_url("code"), **headers)) == said
    ana.forget("coder_signed_app_token")
    assert outcome(await ana.ask(world.subdomain_url("code"), **headers)) == said


async def test_a_public_app_serves_pages_of_any_origin(world: AppWorld) -> None:
    headers: dict[str, Any] = {
        "sec_fetch_site": "cross-site",
        "sec_fetch_mode": "cors",
        "origin": "https://elsewhere.example",
    }
    nobody = world.browser()
    for _ in range(2):  # without its token, and with it
        assert outcome(await nobody.ask(world.subdomain_url("site"), **headers)) == "granted"


async def test_who_is_not_signed_in_is_led_to_it_where_a_page_is_shown_and_told_so_elsewhere(world: AppWorld) -> None:
    nobody = world.browser()
    url = world.subdomain_url("code")
    assert "auth-redirect" in str(outcome(await nobody.ask(url)))
    assert outcome(await nobody.ask(url, is_websocket=True)) == 401
    assert outcome(await nobody.ask(url, method="POST")) == 401
    assert outcome(await nobody.ask(url, sec_fetch_mode="cors", sec_fetch_site="same-origin")) == 401


@pytest.mark.parametrize(
    ("jobs", "builds", "status", "said", "retries"),
    [
        ({}, {"transition": "stop"}, 400, "dev is stopped", False),
        ({"completed_at": None}, {"transition": "stop"}, 400, "dev is stopping", False),
        ({"completed_at": None}, {"transition": "delete"}, 400, "dev is being deleted", False),
        ({"error": "boom"}, {"transition": "start"}, 502, "is away", True),
        ({"completed_at": None}, {"transition": "start"}, 502, "dev is starting", True),
    ],
)
async def test_a_workspace_that_does_not_run_says_so(
    world: AppWorld, jobs: dict[str, Any], builds: dict[str, Any], status: int, said: str, retries: bool
) -> None:
    away = {"disconnected_at": world.rows.clock()} if jobs.get("error") else {"last_connected_at": None}
    await world.set_agent(**away)
    await world.execute(tables.provisioner_jobs.update().values(updated_at=world.rows.clock(), **jobs))
    await world.execute(tables.workspace_builds.update().values(**builds))
    page = await get_refusal(world.browser(world.rows.user), world.subdomain_url("code"))
    assert (page.status, page.retry_s > 0) == (status, retries)
    assert said in page.title
    assert page.progress_url == "http://127.0.0.1:3000/@ana/dev"
    seen_by_bob = await get_refusal(world.browser(world.rows.stranger), world.subdomain_url("team"))
    assert (seen_by_bob.status, seen_by_bob.progress_url) == (status, "")
    assert outcome(await world.browser(world.rows.stranger).open(world.subdomain_url("code"))) == 404


async def test_a_workspace_that_starts_again_shows_its_progress_to_its_owner(world: AppWorld) -> None:
    await world.rows.add_build(world.agent.workspace_id, 2, "stop")
    await world.rows.add_build(world.agent.workspace_id, 3)
    jobs, builds = tables.provisioner_jobs, tables.workspace_builds
    newest = sa.select(builds.c.job_id).where(builds.c.build_number == 3).scalar_subquery()
    await world.execute(jobs.update().where(jobs.c.id == newest).values(completed_at=None))
    ana = world.browser(world.rows.user)
    page = await get_refusal(ana, world.subdomain_url("code"))
    assert (page.status, page.title, page.retry_s > 0) == (503, "dev is starting", True)
    await world.execute(jobs.update().where(jobs.c.id == newest).values(completed_at=world.rows.clock(), error="no"))
    page = await get_refusal(ana, world.subdomain_url("code"))
    assert (page.status, page.title) == (400, "dev does not run")
    assert "no" in page.message


async def test_an_app_by_whose_port_nobody_answers_says_what_is_missing(world: AppWorld) -> None:
    target = await get_target(world.browser(world.rows.user), world.subdomain_url("code"))
    port = await get_target(world.browser(world.rows.user), world.subdomain_url("8443s"))
    starting = await world.gate.explain_silence(target)
    assert (starting.status, starting.title) == (502, "dev is starting")
    await world.set_agent(lifecycle_state="ready")
    silent = await world.gate.explain_silence(target)
    assert (silent.status, silent.progress_url) == (502, "http://127.0.0.1:3000/@ana/dev")
    assert "the app 'code'" in silent.message
    assert silent.retry_s > 0
    await world.execute(tables.workspace_apps.update().values(health="initializing", display_name="The IDE"))
    awaited = await world.gate.explain_silence(target)
    assert (awaited.status, awaited.title) == (502, "The IDE is not ready yet")
    assert awaited.retry_s > 0
    assert "port 8443" in (await world.gate.explain_silence(port)).message
    public = await get_target(world.browser(), world.subdomain_url("site"))
    assert (await world.gate.explain_silence(public)).progress_url == ""


async def test_an_app_s_own_query_is_added_to_its_bare_address(world: AppWorld) -> None:
    await world.execute(tables.workspace_apps.update().values(url="http://localhost:1/base?folder=/home/ana"))
    ana = world.browser(world.rows.user)
    assert outcome(await ana.open(world.path_url("code"))) == "granted"
    assert ana.hops[-1] == world.path_url("code", "?folder=/home/ana")
    again = await ana.ask(world.path_url("code"))
    assert outcome(again) == f"307 {world.path_url('code', '?folder=/home/ana')}"
    assert outcome(await ana.ask(world.path_url("code", "sub"))) == "granted"
    assert outcome(await ana.ask(world.path_url("code", "?x=1"))) == "granted"


async def test_a_missing_slash_is_added(world: AppWorld) -> None:
    bare = world.path_url("code").removesuffix("/")
    decision = await world.browser().ask(f"{bare}?x=%20y")
    assert outcome(decision) == f"307 {bare}/?x=%20y"


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("http://apps.localhost:3000/", 404),
        ("http://apps.localhost:3000/workspaces", 404),
        ("http://apps.localhost:3000/api/v2/users/me", 404),
        ("http://apps.localhost:3000/@me/dev/apps/code/", 404),
        ("http://apps.localhost:3000/@ana/dev/apps/8080/", 404),
        ("http://apps.localhost:3000/@ana/dev/apps/code/../../../bob/", 400),
        ("http://apps.localhost:3000/@ana/dev/apps/code/%2e%2e/x", 400),
        ("http://apps.localhost:3001/@ana/dev/apps/code/", 421),
        ("http://apps.localhost.:3000/@ana/dev/apps/code/", 421),
        ("http://nothing.localhost:3000/", 404),
        ("http://a.b.localhost:3000/", 421),
        ("http://8--main--dev--ana.localhost:3000/", 400),
        ("http://65536--main--dev--ana.localhost:3000/", 400),
    ],
)
async def test_what_no_app_can_be_at_is_refused_whoever_asks(world: AppWorld, url: str, status: int) -> None:
    assert outcome(await world.browser(world.rows.user).open(url)) == status


async def test_apps_that_are_no_pages_are_not_served(world: AppWorld) -> None:
    ana = world.browser(world.rows.user)
    for values in ({"command": "htop"}, {"external": True}, {"url": ""}):
        await world.execute(tables.workspace_apps.update().values(command="", external=False, url="http://x"))
        await world.execute(tables.workspace_apps.update().values(**values))
        assert outcome(await ana.open(world.path_url("code"))) == 404, values


@pytest.mark.parametrize("hosts", [LOCAL, SECURE])
async def test_cookies_are_of_their_host_and_out_of_reach(tmp_path: Path, hosts: AppHosts) -> None:
    async with open_app_world(tmp_path, hosts) as world:
        ana = world.browser(world.rows.user)
        assert outcome(await ana.open(world.path_url("code"))) == "granted"
        assert outcome(await ana.open(world.subdomain_url("code"))) == "granted"
    assert ana.set_cookies
    for cookie in ana.set_cookies:
        assert "; HttpOnly; SameSite=Lax" in cookie
        assert "Domain" not in cookie
        assert ("; Secure" in cookie) is hosts.is_secure
        assert cookie.startswith("__Host-") is hosts.is_secure
    paths = {cookie.partition("=")[0]: cookie.partition("Path=")[2].partition(";")[0] for cookie in ana.set_cookies}
    if hosts.is_secure:
        assert set(paths.values()) == {"/"}
    else:
        assert paths["coder_path_app_session_token"] == "/@ana/dev.main/apps/code/"


async def test_apps_by_path_do_not_take_each_other_s_cookies_by_https(tmp_path: Path) -> None:
    async with open_app_world(tmp_path, SECURE) as world:
        ana = world.browser(world.rows.user)
        assert outcome(await ana.open(world.path_url("code"))) == "granted"
        host = world.path_url("code").split("/")[2]
        sent = ana.cookies_for(host, "/")
        assert "auth-redirect" in str(outcome(await ana.ask(world.path_url("team"))))
        assert outcome(await ana.open(world.path_url("team"))) == "granted"
        (other,) = {name for name, _ in ana.cookies_for(host, "/") if "path_app_session" in name} - dict(sent).keys()
        stem = other.rpartition("_")[0]
        renamed = "; ".join(f"{other if name.startswith(stem) else name}={value}" for name, value in sent)
        assert "auth-redirect" in str(outcome(await world.browser().ask(world.path_url("team"), cookie=renamed)))


async def test_opening_an_app_is_audited_once_in_a_while(world: AppWorld) -> None:
    ana, nobody = world.browser(world.rows.user), world.browser()
    for _ in range(2):
        await ana.open(world.subdomain_url("code"))
        await nobody.open(world.subdomain_url("site"))
        world.rows.clock.move(AGAIN_AFTER.total_seconds() - 1)
        await world.set_agent(last_connected_at=world.rows.clock())
    opened = [(world.rows.user.user_id, "code"), (None, "site")]
    assert await world.list_audited() == opened
    world.rows.clock.move(2)
    await ana.open(world.subdomain_url("code"))
    await nobody.open(world.subdomain_url("site"))
    assert await world.list_audited() == opened * 2


async def test_so_many_openings_are_remembered_and_further_ones_audited_again(
    world: AppWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_openings, "MAX_REMEMBERED", 1)
    ana, nobody = world.browser(world.rows.user), world.browser()
    for _ in range(2):
        await ana.open(world.subdomain_url("code"))
        ana.forget("coder_signed_app_token")
    assert len(await world.list_audited()) == 1
    await nobody.open(world.subdomain_url("site"))
    await ana.open(world.subdomain_url("code"))
    assert len(await world.list_audited()) == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (sa.delete(tables.api_keys), "You signed out."),
        (sa.update(tables.users).values(status="suspended"), "Your user is suspended."),
        (sa.update(tables.users).values(deleted=True), "Your user is gone."),
        (
            sa.update(tables.workspaces).values(owner_id="20000000-0000-4000-8000-000000000002"),
            "You may not use this app any more.",
        ),
        (sa.update(tables.workspaces).values(deleted=True), "A new build of the workspace took the agent's place."),
    ],
)
async def test_what_is_open_ends_when_its_right_does(world: AppWorld, change: sa.Executable, said: str) -> None:
    target = await get_target(world.browser(world.rows.user), world.subdomain_url("code"))
    assert LOOK_AGAIN_S < 5
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(world.gate.wait_for_end(target))
        await asyncio.sleep(0)
        assert not waiting.done()
        await world.execute(change)
        world.rows.pubsub.publish(of_workspace(target.workspace_id))
        assert await waiting == said


async def test_what_is_open_at_a_public_app_ends_with_its_build(world: AppWorld) -> None:
    target = await get_target(world.browser(), world.subdomain_url("site"))
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(world.gate.wait_for_end(target))
        await world.rows.add_build(target.workspace_id, 2, "stop")
        world.rows.pubsub.publish(of_workspace(target.workspace_id))
        assert await waiting == "The workspace was stopped."


async def test_a_target_says_whether_its_user_is_the_owner(world: AppWorld) -> None:
    ana, nobody = world.browser(world.rows.user), world.browser()
    for _ in range(2):  # looked up, and out of the signed token
        mine = await ana.open(world.subdomain_url("code"))
        theirs = await nobody.open(world.subdomain_url("site"))
        assert isinstance(mine, AppGranted)
        assert isinstance(theirs, AppGranted)
        assert (mine.target.is_owner, theirs.target.is_owner) == (True, False)


async def test_of_two_good_tokens_the_browsers_first_counts_whether_it_was_read_before_or_not(world: AppWorld) -> None:
    url = world.subdomain_url("team")
    host = url.partition("://")[2].partition("/")[0]
    tokens: list[str] = []
    for user in (world.rows.user, world.rows.stranger):
        browser = world.browser(user)
        await get_target(browser, url)
        tokens += [f"{name}={value}" for name, value in browser.cookies_for(host, "/") if "signed" in name]
    first, second = tokens
    request = AppRequest(AppOrigin.SUBDOMAIN, "GET", "http", host, "/", "", [], "192.0.2.7", is_websocket=False)
    world.gate._tokens._read.clear()  # pyright: ignore[reportPrivateUsage]
    await world.gate.decide(replace(request, headers=[(b"cookie", second.encode())]))
    decision = await world.gate.decide(replace(request, headers=[(b"cookie", f"{first}; {second}".encode())]))
    assert isinstance(decision, AppGranted)
    assert decision.target.user_id == world.rows.user.user_id
