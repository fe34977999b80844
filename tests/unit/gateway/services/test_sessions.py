"""Whose a token is, and when what was opened with it has to end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.users import KeyScope, UserStatus
from genba_gateway.errors import Forbidden, Unauthenticated
from genba_gateway.services.api_keys import ApiKeys
from genba_gateway.services.sessions import REFRESH_AFTER, Sessions
from genba_gateway.services.sign_in import SignIn
from genba_gateway.services.visibility import utc_now
from genba_gateway.store import api_keys as key_store
from genba_gateway.store import users as user_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from tests.support.database import make_database
from tests.support.gateway_app import cheap_passwords, make_user

CEILING_S = 30.0
NEVER_S = 1e6


class SetClock:
    def __init__(self) -> None:
        self.time = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    made = await make_database(tmp_path)
    yield made
    await made.close()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def sessions(database: Database, clock: SetClock) -> Sessions:
    return Sessions(database, now=clock, look_again_s=0.001)


async def test_a_token_is_its_users(database: Database, sessions: Sessions) -> None:
    alice = await make_user(database, roles=("owner",))
    actor = await sessions.authenticate_user(alice.token, "10.0.0.1", "curl")
    assert (actor.user_id, actor.username, actor.is_owner) == (alice.user.id, "alice", True)
    assert (actor.key_id, actor.ip_address, actor.user_agent) == (alice.actor.key_id, "10.0.0.1", "curl")


async def test_a_token_that_is_not_whole_is_nobodys(database: Database, sessions: Sessions) -> None:
    token = (await make_user(database)).token
    for spoiled in ("", "nonsense", token[:-1] + "!", token.partition("-")[0] + "-", "x" + token):
        with pytest.raises(Unauthenticated):
            await sessions.authenticate_user(spoiled, "", "")


async def test_a_key_ends_at_its_expiry_which_slides_with_use_once_an_hour(
    database: Database, sessions: Sessions, clock: SetClock
) -> None:
    alice = await make_user(database, key_lifetime=timedelta(hours=2))

    async def is_known() -> bool:
        try:
            await sessions.authenticate_user(alice.token, "", "")
        except Unauthenticated:
            return False
        return True

    clock.time += REFRESH_AFTER + timedelta(minutes=1)
    assert await is_known()
    clock.time += timedelta(hours=1, minutes=50)
    assert await is_known()
    clock.time += timedelta(hours=2)
    assert not await is_known()


async def test_a_suspended_user_and_a_key_for_apps_are_refused(database: Database, sessions: Sessions) -> None:
    suspended = await make_user(database, "sue", status=UserStatus.SUSPENDED)
    with pytest.raises(Unauthenticated, match="suspended"):
        await sessions.authenticate_user(suspended.token, "", "")
    for_apps = await make_user(database, "app", scope=KeyScope.APPLICATION_CONNECT)
    with pytest.raises(Forbidden, match="apps only"):
        await sessions.authenticate_user(for_apps.token, "", "")


@pytest.mark.parametrize("end", ["sign out", "expiry", "suspension", "roles"])
async def test_what_is_open_ends_with_its_session(
    database: Database, sessions: Sessions, clock: SetClock, end: str
) -> None:
    alice = await make_user(database)
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(sessions.wait_for_end(alice.actor))
        for _ in range(10):
            await sessions.authenticate_user(alice.token, "", "")
        assert not waiting.done()
        async with database.write() as connection:
            match end:
                case "sign out":
                    await key_store.delete_api_key(connection, alice.actor.key_id)
                case "expiry":
                    clock.time += timedelta(days=30)
                case "suspension":
                    await user_store.update_user(connection, alice.user.id, {"status": "suspended"})
                case _:
                    await user_store.update_user(connection, alice.user.id, {"roles": ["owner"]})
        why = await waiting
    assert {"sign out": "signed out", "expiry": "expired", "suspension": "suspended", "roles": "roles"}[end] in why


@pytest.mark.parametrize("how", ["sign out", "delete"])
async def test_a_key_that_is_taken_back_ends_what_is_open_without_waiting_for_the_next_look(
    database: Database, how: str
) -> None:
    alice = await make_user(database)
    pubsub = PubSub()
    sessions = Sessions(database, pubsub=pubsub, look_again_s=NEVER_S)
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(sessions.wait_for_end(alice.actor))
        await asyncio.sleep(0)
        if how == "sign out":
            await SignIn(database, cheap_passwords(), pubsub, utc_now).sign_out(alice.actor)
        else:
            await ApiKeys(database, pubsub, utc_now).delete_key(alice.actor, alice.user, alice.actor.key_id)
        assert "signed out" in await waiting


class FailingOnce(Database):
    """The database of another, whose first look fails."""

    def __init__(self, database: Database) -> None:
        self._real = database
        self.has_failed = False

    @asynccontextmanager
    async def glance(self) -> AsyncGenerator[AsyncConnection]:
        if not self.has_failed:
            self.has_failed = True
            raise OperationalError("SELECT", {}, Exception("disk I/O error"))
        async with self._real.glance() as connection:
            yield connection


async def test_a_failed_look_ends_nothing_and_is_logged(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    alice = await make_user(database)
    failing = FailingOnce(database)
    async with database.write() as connection:
        await key_store.delete_api_key(connection, alice.actor.key_id)
    async with asyncio.timeout(CEILING_S):
        why = await Sessions(failing, look_again_s=0.001).wait_for_end(alice.actor)
    assert failing.has_failed
    assert "signed out" in why
    assert "disk I/O error" in caplog.text


async def test_an_agents_token_has_to_be_known(sessions: Sessions) -> None:
    for token, message in (("", "needed"), ("x", "is a UUID"), ("99999999-9999-4999-8999-999999999999", "No agent")):
        with pytest.raises(Unauthenticated, match=message):
            await sessions.authenticate_agent(token)
