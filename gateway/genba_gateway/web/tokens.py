"""The pages of tokens: where editors and command lines have a person fetch one (contract 5), and the named ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from quart import Blueprint, Response

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.domain.users import ApiKey, KeyScope, User
from genba_gateway.errors import BadRequest, Conflict
from genba_gateway.services.api_keys import ApiKeys
from genba_gateway.services.owner_secrets import find_workspace_of
from genba_gateway.services.users import Users
from genba_gateway.services.visibility import Clock, not_found, utc_now
from genba_gateway.web.field_problems import field_problems
from genba_gateway.web.forms import read_form
from genba_gateway.web.languages import mark, translate
from genba_gateway.web.pages import Pages

LIFETIMES: Final = {
    "7": mark("7 days"),
    "30": mark("30 days"),
    "90": mark("90 days"),
    "365": mark("1 year"),
}
"""Days to choose from; `genba tokens create` takes any."""

_DEFAULT_DAYS: Final = "30"
_DAY_NS: Final = timedelta(days=1) // timedelta(microseconds=1) * 1000
_CREATE: Final = Permission(Resource.API_KEY, Action.CREATE)
_READ: Final = Permission(Resource.API_KEY, Action.READ)
_DELETE: Final = Permission(Resource.API_KEY, Action.DELETE)


@dataclass(frozen=True, slots=True)
class TokenView:
    """A named token in the list."""

    id: str
    name: str
    created_at: datetime
    used_at: datetime | None
    """None before its first use."""
    expires_at: datetime
    is_expired: bool
    is_for_apps: bool
    """It opens workspace apps and nothing else."""
    workspace_id: str
    """The workspace whose start made it, for the programs in it; empty for one that the user made."""


def view_token(key: ApiKey, now: datetime) -> TokenView:
    """Show a token."""
    return TokenView(
        id=key.id,
        name=key.token_name,
        created_at=key.created_at,
        # A new key has its making as the time of its last use.
        used_at=key.last_used if key.last_used > key.created_at else None,
        expires_at=key.expires_at,
        is_expired=key.expires_at <= now,
        is_for_apps=key.scope == KeyScope.APPLICATION_CONNECT,
        workspace_id=find_workspace_of(key.token_name, key.user_id),
    )


def make_blueprint(pages: Pages, users: Users, keys: ApiKeys, now: Clock = utc_now) -> Blueprint:
    """/cli-auth and /settings/tokens."""
    blueprint = pages.blueprint("tokens")
    _add_cli_auth(blueprint, pages, users, keys)
    _add_list(blueprint, pages, users, keys, now)
    _add_create(blueprint, pages, users, keys)
    _add_delete(blueprint, pages, users, keys)
    return blueprint


def _add_cli_auth(blueprint: Blueprint, pages: Pages, users: Users, keys: ApiKeys) -> None:
    def show(token: str) -> Response:
        return pages.show("tokens/cli_auth.html", username=current_user().username, token=token)

    # Editors open this page and wait for a pasted token. A GET makes none: any page could cause it.
    @blueprint.get("/cli-auth")
    @needs(_CREATE)
    async def offer_token() -> Response:
        return show("")

    @blueprint.post("/cli-auth")
    @needs(_CREATE)
    async def show_token() -> Response:
        await read_form()
        return show(await keys.create_key(current_user(), await _me(users)))


def _add_list(blueprint: Blueprint, pages: Pages, users: Users, keys: ApiKeys, now: Clock) -> None:
    @blueprint.get("/settings/tokens")
    @needs(_READ)
    async def list_tokens() -> Response:
        found = await keys.list_tokens(current_user(), await _me(users), include_all=False)
        newest_first = [view_token(key, now()) for key, _ in reversed(found)]
        return pages.show("tokens/list.html", tokens=newest_first)


def _add_create(blueprint: Blueprint, pages: Pages, users: Users, keys: ApiKeys) -> None:
    def show(name: str, days: str, problems: dict[str, str], status: int = 200) -> Response:
        lifetimes = {each: translate(label) for each, label in LIFETIMES.items()}
        return pages.show(
            "tokens/create.html", status=status, name=name, days=days, problems=problems, lifetimes=lifetimes
        )

    @blueprint.get("/settings/tokens/create")
    @needs(_CREATE)
    async def offer_to_create() -> Response:
        return show("", _DEFAULT_DAYS, {})

    # The answer to the POST is the only page that ever shows the token.
    @blueprint.post("/settings/tokens/create")
    @needs(_CREATE)
    async def create() -> Response:
        form = await read_form()
        name, days = form.get("token_name", ""), form.get("days", "")
        if days not in LIFETIMES:
            return show(name, _DEFAULT_DAYS, {"days": translate("Choose one of these.")}, 400)
        try:
            token = await keys.create_token(
                current_user(), await _me(users), lifetime_ns=int(days) * _DAY_NS, scope="", name=name
            )
        except (BadRequest, Conflict) as error:
            return show(name, days, field_problems(error, ("token_name",)), error.status)
        return pages.show("tokens/made.html", token=token, lifetime=translate(LIFETIMES[days]))


def _add_delete(blueprint: Blueprint, pages: Pages, users: Users, keys: ApiKeys) -> None:
    @blueprint.get("/settings/tokens/<key_id>/delete")
    @needs(_DELETE)
    async def ask_to_delete(key_id: str) -> Response:
        return pages.show("tokens/delete.html", token=await _find(users, keys, key_id))

    @blueprint.post("/settings/tokens/<key_id>/delete")
    @needs(_DELETE)
    async def delete(key_id: str) -> Response:
        await read_form()
        token = await _find(users, keys, key_id)
        await keys.delete_key(current_user(), await _me(users), key_id)
        return pages.go(
            "/settings/tokens", good=translate("The token %(name)s is deleted.") % {"name": token.token_name}
        )


async def _me(users: Users) -> User:
    return await users.resolve_user(current_user(), "me")


async def _find(users: Users, keys: ApiKeys, key_id: str) -> ApiKey:
    """A named token: sessions end by signing out."""
    key = await keys.get_key(current_user(), await _me(users), key_id)
    if not key.token_name:
        raise not_found()
    return key
