from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import pytest

from genba_gateway.domain.actors import OWNER
from genba_gateway.domain.users import Visitor
from genba_gateway.errors import Unauthenticated
from genba_gateway.services.sessions import Sessions
from genba_gateway.services.sign_in_links import LINK_LIFETIME, SignInLinks
from genba_gateway.services.user_changes import UserChanges
from genba_gateway.store import tables
from genba_gateway.store import users as user_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from tests.support.agent_rows import SetClock
from tests.support.database import make_database
from tests.support.gateway_app import SignedIn, cheap_passwords, make_user

VISITOR = Visitor("10.0.0.1", "browser")


@dataclass
class Setting:
    database: Database
    clock: SetClock
    links: SignInLinks
    alice: SignedIn

    async def make_code(self) -> str:
        url, expires_at = await self.links.create(self.alice.actor)
        assert url.startswith("http://genba.test/sign-in?code=")
        assert expires_at == self.clock() + LINK_LIFETIME
        return url.partition("?code=")[2]


@pytest.fixture
async def setting(tmp_path: Path) -> AsyncGenerator[Setting]:
    database, clock = await make_database(tmp_path), SetClock()
    yield Setting(database, clock, SignInLinks(database, "http://genba.test", clock), await make_user(database))
    await database.close()


async def test_a_link_signs_its_user_in_once(setting: Setting) -> None:
    code = await setting.make_code()
    token = await setting.links.redeem(VISITOR, code)
    actor = await Sessions(setting.database, now=setting.clock).authenticate_user(token, "", "")
    assert actor.user_id == setting.alice.user.id
    with pytest.raises(Unauthenticated):
        await setting.links.redeem(VISITOR, code)


async def test_a_link_is_over_after_its_time(setting: Setting) -> None:
    first, second = await setting.make_code(), await setting.make_code()
    setting.clock.move(LINK_LIFETIME.total_seconds() - 1)
    await setting.links.redeem(VISITOR, first)
    setting.clock.move(1)
    with pytest.raises(Unauthenticated):
        await setting.links.redeem(VISITOR, second)


async def test_a_link_of_a_suspended_user_and_a_made_up_one_sign_nobody_in(setting: Setting) -> None:
    code = await setting.make_code()
    async with setting.database.write() as connection:
        await user_store.update_user(connection, setting.alice.user.id, {"status": "suspended"})
    for wrong in (code, "made-up", ""):
        with pytest.raises(Unauthenticated):
            await setting.links.redeem(VISITOR, wrong)


async def _count_links(setting: Setting) -> int:
    async with setting.database.read() as connection:
        return len((await connection.execute(tables.sign_in_links.select())).all())


async def test_links_end_with_the_password_the_suspension_and_the_user(setting: Setting) -> None:
    owner = await make_user(setting.database, "olga", roles=[OWNER])
    changes = UserChanges(setting.database, cheap_passwords(), PubSub(), setting.clock)
    alice = setting.alice.user
    code = await setting.make_code()
    await setting.links.create(owner.actor)
    await changes.set_password(owner.actor, alice, old="", new="correct horse battery staple")
    with pytest.raises(Unauthenticated):
        await setting.links.redeem(VISITOR, code)
    code = await setting.make_code()
    await changes.suspend(owner.actor, alice)
    await changes.activate(owner.actor, alice)
    with pytest.raises(Unauthenticated):
        await setting.links.redeem(VISITOR, code)
    await setting.make_code()
    await changes.delete(owner.actor, alice)
    assert await _count_links(setting) == 1, "the other user's"
