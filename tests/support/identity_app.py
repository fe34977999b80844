"""The identity routes, wired as the composition root wires them, for tests of the API and of the pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from quart import Quart

from genba_gateway.api import api_keys, deployment, git_ssh_keys, organizations, sign_in_links, user_changes
from genba_gateway.api import users as user_routes
from genba_gateway.services.api_keys import ApiKeys
from genba_gateway.services.deployment import Deployment
from genba_gateway.services.git_ssh_keys import GitSSHKeys
from genba_gateway.services.organizations import Organizations
from genba_gateway.services.sign_in import SignIn
from genba_gateway.services.sign_in_links import SignInLinks
from genba_gateway.services.user_changes import UserChanges
from genba_gateway.services.users import Users
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_gateway.store.sealing import Sealer
from genba_gateway.web import account, pages, preferences, tokens
from genba_gateway.web import sign_in as sign_in_pages
from genba_gateway.web.pages import Pages
from tests.support.database import make_database
from tests.support.gateway_app import cheap_passwords, make_app

PASSWORD = "correct horse battery staple"
FIRST_USER = {"email": "olga@example.com", "username": "olga", "password": PASSWORD}


class Clock:
    """The services' time; the gate's is real, so start from now."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC)

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.time


@dataclass(frozen=True, slots=True)
class Identity:
    """An app and what stands behind it; the test closes the database."""

    app: Quart
    database: Database
    clock: Clock
    git_ssh_keys: GitSSHKeys


async def make_identity(
    tmp_path: Path,
    *,
    access_url: str = "http://genba.test",
    make_counter: Callable[[Quart], Callable[[], None]] = lambda _: lambda: None,
) -> Identity:
    """Wire everything on an empty database."""
    # Quart looks for its folders when an app is made: once, at start-up, so not in the loop that is watched here.
    return await asyncio.to_thread(_wire, await make_database(tmp_path), access_url, make_counter)


def _wire(database: Database, access_url: str, make_counter: Callable[[Quart], Callable[[], None]]) -> Identity:
    clock, passwords, shown = Clock(), cheap_passwords(), Pages(access_url=access_url)
    users, sign_in = Users(database, passwords, clock), SignIn(database, passwords, PubSub(), clock)
    keys, links = ApiKeys(database, PubSub(), clock), SignInLinks(database, access_url, clock)
    changes = UserChanges(database, passwords, PubSub(), clock)
    orgs, git_keys = Organizations(database), GitSSHKeys(database, Sealer({"k": b"k" * 32}), clock)

    app = make_app(
        database,
        user_routes.make_blueprint(users, sign_in, secure_cookies=access_url.startswith("https:")),
        user_changes.make_blueprint(changes, users),
        api_keys.make_blueprint(keys, users),
        organizations.make_blueprint(orgs, users),
        git_ssh_keys.make_blueprint(git_keys, users),
        sign_in_links.make_blueprint(links),
        deployment.make_blueprint(Deployment(database, wildcard_hostname="*.apps.test"), access_url=access_url),
        preferences.make_blueprint(shown),
        sign_in_pages.make_blueprint(shown, users, sign_in, links),
        tokens.make_blueprint(shown, users, keys),
        account.make_blueprint(shown, users, changes),
        prepare=pages.install_not_found_page,
        make_counter=make_counter,
    )
    return Identity(app, database, clock, git_keys)
