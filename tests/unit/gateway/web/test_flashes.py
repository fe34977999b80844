from __future__ import annotations

import base64
import hashlib
import hmac

from quart import Response, g

from genba_gateway.api.gate import HOST_PREFIX, SESSION_COOKIE
from genba_gateway.web.flashes import FLASH_COOKIE, MAX_TEXT_CHARS, Flash, leave_flash, take_flash
from genba_gateway.web.shell import find_shell
from tests.support.dashboard_app import Dashboard
from tests.support.page_request import in_request


async def _left(text: str, session: str) -> str:
    async with in_request(cookie=f"{SESSION_COOKIE}={session}"):
        response = leave_flash(Response(b""), "good", text, secure=True)
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "Secure" in cookie
    return cookie.partition("=")[2].partition(";")[0].strip('"')


async def _taken(value: str, session: str) -> Flash | None:
    cookies = f"{SESSION_COOKIE}={session}; {FLASH_COOKIE}={value}"
    async with in_request(cookie=cookies):
        return take_flash()


async def test_a_message_reaches_the_next_page_of_the_same_session() -> None:
    value = await _left("Workspace 青 starts.", "token")
    assert await _taken(value, "token") == Flash("good", "Workspace 青 starts.")


async def test_a_message_that_another_site_put_into_a_cookie_is_not_shown() -> None:
    value = await _left("Send your password to …", "theirs")
    assert await _taken(value, "ours") is None
    assert await _taken(value.partition(".")[0], "theirs") is None
    assert await _taken(".", "theirs") is None


async def test_a_long_message_still_fits_into_a_cookie() -> None:
    for length in (MAX_TEXT_CHARS, MAX_TEXT_CHARS + 1):
        taken = await _taken(await _left("x" * length, "token"), "token")
        assert taken is not None
        assert len(taken.text) == MAX_TEXT_CHARS


async def test_another_host_of_the_domain_which_sets_the_plain_cookie_makes_no_message() -> None:
    value = await _left("Send your password to …", "theirs")
    cookies = f"{HOST_PREFIX}{SESSION_COOKIE}=ours; {SESSION_COOKIE}=theirs; {FLASH_COOKIE}={value}"
    async with in_request(cookie=cookies):
        assert take_flash() is None
        response = leave_flash(Response(b""), "good", "Saved.", secure=True)
    own = response.headers["Set-Cookie"].partition("=")[2].partition(";")[0].strip('"')
    async with in_request(cookie=f"{HOST_PREFIX}{SESSION_COOKIE}=ours; {FLASH_COOKIE}={own}"):
        assert take_flash() == Flash("good", "Saved.")


async def test_a_message_that_can_not_be_read_is_none() -> None:
    for body in ("é", "!", "x", base64.urlsafe_b64encode(b'"\xff"').decode()):
        seal = hmac.new(b"genba-flash:token", body.encode(), hashlib.sha256).hexdigest()
        assert await _taken(f"{body}.{seal}", "token") is None


async def test_who_is_not_signed_in_is_shown_no_message(dashboard: Dashboard) -> None:
    value = await _left("Send your password to …", "theirs")
    # A session that is none, and its seal: as another host of the domain sets them.
    cookies = f"{SESSION_COOKIE}=theirs; {FLASH_COOKIE}={value}"
    async with dashboard.app.test_request_context("/login", headers={"Cookie": cookies}):  # pyright: ignore[reportUnknownMemberType]  # Quart leaves its dicts bare
        g.actor = None
        assert find_shell().flash is None
        g.actor = dashboard.workshop.owner.actor
        assert find_shell().flash == Flash("good", "Send your password to …")
