"""Rate limits, with the time passed in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest
from quart import Quart

from genba_gateway.api.rate_limits import FILE_LIMIT, GENERAL_LIMIT, SIGN_IN_LIMIT, install_rate_limits
from tests.support.gateway_app import SignedIn, make_user
from tests.support.identity_app import Identity, make_identity

LOGIN = "/api/v2/users/login"
ME = "/api/v2/users/me"


class Seconds:
    """Unix time, at the beginning of a minute."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
async def limited(tmp_path: Path, seconds: Seconds) -> AsyncGenerator[Identity]:
    def make_counter(app: Quart) -> Callable[[], None]:
        return install_rate_limits(app, seconds)

    made = await make_identity(tmp_path, make_counter=make_counter)
    yield made
    await made.database.close()


async def _log_in_often(identity: Identity, times: int) -> list[int]:
    client = identity.app.test_client()
    # An empty body is refused before any hashing, and counts all the same.
    return [(await client.post(LOGIN, data=b"{}")).status_code for _ in range(times)]


async def test_sign_ins_are_limited_by_address_for_a_minute(limited: Identity, seconds: Seconds) -> None:
    seconds.now += 20
    assert set(await _log_in_often(limited, SIGN_IN_LIMIT)) == {400}
    refused = await limited.app.test_client().post(LOGIN, data=b"{}")
    assert refused.status_code == 429
    assert (await refused.get_json())["message"]
    assert refused.headers["Retry-After"] == "40"
    assert refused.headers["X-RateLimit-Limit"] == str(SIGN_IN_LIMIT)
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert refused.headers["X-RateLimit-Reset"] == "1800000060"
    seconds.now += 40
    assert await _log_in_often(limited, 1) == [400]


async def test_the_forms_of_the_pages_are_limited_as_the_api(limited: Identity) -> None:
    client = limited.app.test_client()
    statuses = [(await client.post("/login", form={})).status_code for _ in range(SIGN_IN_LIMIT + 1)]
    assert statuses == [400] * SIGN_IN_LIMIT + [429]


async def test_users_and_endpoints_are_counted_apart(limited: Identity) -> None:
    alice, bob = await make_user(limited.database), await make_user(limited.database, "bob")
    client = limited.app.test_client()

    async def ask(who: SignedIn, path: str = ME) -> tuple[int, str]:
        response = await client.get(path, headers=who.headers)
        return response.status_code, response.headers["X-RateLimit-Remaining"]

    assert await ask(alice) == (200, str(GENERAL_LIMIT - 1))
    assert await ask(alice) == (200, str(GENERAL_LIMIT - 2))
    assert await ask(bob) == (200, str(GENERAL_LIMIT - 1))
    assert await ask(alice, "/api/v2/organizations") == (200, str(GENERAL_LIMIT - 1))


async def test_the_general_limit_holds_at_the_limit_and_one_past_it(limited: Identity) -> None:
    alice = await make_user(limited.database)
    client = limited.app.test_client()
    statuses = [(await client.get(ME, headers=alice.headers)).status_code for _ in range(GENERAL_LIMIT + 1)]
    assert statuses == [200] * GENERAL_LIMIT + [429]


async def test_paths_that_lead_nowhere_share_one_count(limited: Identity) -> None:
    client = limited.app.test_client()
    first = await client.get("/api/v2/nothing")
    second = await client.get("/api/v2/nothing-else")
    assert first.headers["X-RateLimit-Remaining"] == str(GENERAL_LIMIT - 1)
    assert second.headers["X-RateLimit-Remaining"] == str(GENERAL_LIMIT - 2)


async def test_files_are_limited_most(limited: Identity) -> None:
    response = await limited.app.test_client().post("/api/v2/files")
    assert response.headers["X-RateLimit-Limit"] == str(FILE_LIMIT)


async def test_an_id_that_is_written_otherwise_shares_its_count(limited: Identity) -> None:
    alice = await make_user(limited.database)
    client = limited.app.test_client()
    plain = alice.actor.user_id
    left = [
        (await client.get(f"/api/v2/users/{each}", headers=alice.headers)).headers["X-RateLimit-Remaining"]
        for each in (plain, plain.upper(), plain.replace("-", ""), f"{{{plain}}}", f"urn:uuid:{plain}")
    ]
    assert left == [str(GENERAL_LIMIT - number) for number in range(1, 6)]


async def test_pages_and_health_are_not_counted(limited: Identity) -> None:
    client = limited.app.test_client()
    for path in ("/healthz", "/static/x/genba.css"):
        assert "X-RateLimit-Limit" not in (await client.get(path)).headers


async def test_only_an_owner_may_bypass(limited: Identity) -> None:
    owner = await make_user(limited.database, "olga", roles=["owner"])
    alice = await make_user(limited.database)
    client = limited.app.test_client()
    bypass = {"X-Coder-Bypass-Ratelimit": "true"}
    allowed = await client.get(ME, headers={**owner.headers, **bypass})
    assert allowed.status_code == 200
    assert "X-RateLimit-Limit" not in allowed.headers
    assert (await client.get(ME, headers={**alice.headers, **bypass})).status_code == 428
    assert (await client.post(LOGIN, data=b"{}", headers=bypass)).status_code == 428


async def test_an_owners_bypass_does_not_close_public_routes(limited: Identity) -> None:
    owner = await make_user(limited.database, "olga", roles=["owner"])
    headers = {**owner.headers, "X-Coder-Bypass-Ratelimit": "true"}
    client = limited.app.test_client()
    answer = await client.get("/api/v2/users/authmethods", headers=headers)
    assert answer.status_code == 200
    assert "X-RateLimit-Limit" in answer.headers, "counted all the same"
    assert (await client.get("/api/v2/nowhere", headers=headers)).status_code == 404


async def test_guesses_at_sessions_are_limited_by_address(limited: Identity) -> None:
    client = limited.app.test_client()
    guesses = [
        (await client.get(ME, headers={"Coder-Session-Token": f"guess{place}-x"})).status_code
        for place in range(GENERAL_LIMIT + 1)
    ]
    assert guesses == [401] * GENERAL_LIMIT + [429]
    alice = await make_user(limited.database)
    assert (await client.get(ME, headers=alice.headers)).status_code == 200


async def test_what_ones_roles_refuse_is_counted_as_ones_own(limited: Identity) -> None:
    alice = await make_user(limited.database)
    refused = await limited.app.test_client().post("/api/v2/users", headers=alice.headers)
    assert (refused.status_code, refused.headers.get("X-RateLimit-Remaining")) == (403, str(GENERAL_LIMIT - 1))


async def test_passwords_are_changed_no_more_often_than_guessed(limited: Identity) -> None:
    mia = await make_user(limited.database, "mia")
    client = limited.app.test_client()
    path = "/api/v2/users/me/password"
    found = [(await client.put(path, data=b"{}", headers=mia.headers)).status_code for _ in range(SIGN_IN_LIMIT + 1)]
    assert found == [400] * SIGN_IN_LIMIT + [429]


async def test_all_changes_of_passwords_share_one_count(limited: Identity) -> None:
    mia = await make_user(limited.database, "mia")
    client = limited.app.test_client()
    names = ("me", "mia", "MIA", mia.user.id)
    for turn in range(SIGN_IN_LIMIT - 1):
        path = f"/api/v2/users/{names[turn % len(names)]}/password"
        assert (await client.put(path, data=b"{}", headers=mia.headers)).status_code == 400
    page = "/settings/security"
    assert (await client.post(page, form={}, headers=mia.headers)).status_code != 429
    assert (await client.post(page, form={}, headers=mia.headers)).status_code == 429
    refused = await client.put("/api/v2/users/Mia/password", data=b"{}", headers=mia.headers)
    assert refused.status_code == 429
    assert (await client.get(page, headers=mia.headers)).status_code == 200
