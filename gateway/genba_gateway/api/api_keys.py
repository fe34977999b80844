"""Routes of API keys (contract 5.1, 5.2)."""

from __future__ import annotations

from datetime import timedelta

from quart import Blueprint, Response, request

from genba_gateway.api.answers import answer, no_content, read_body
from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.domain.users import MAX_TOKEN_LIFETIME, ApiKey
from genba_gateway.services.api_keys import ApiKeys
from genba_gateway.services.users import Users
from genba_wire.api import users as messages

_MAX_LIFETIME_NS = MAX_TOKEN_LIFETIME // timedelta(microseconds=1) * 1000


def key_message(key: ApiKey, username: str = "") -> messages.APIKey:
    """A key as JSON, without its secret."""
    return messages.APIKey(
        id=key.id,
        user_id=key.user_id,
        last_used=key.last_used,
        expires_at=key.expires_at,
        created_at=key.created_at,
        updated_at=key.updated_at,
        login_type=key.login_type,
        scope=key.scope,
        token_name=key.token_name,
        lifetime_seconds=key.lifetime_seconds,
        username=username,
    )


def make_blueprint(keys: ApiKeys, users: Users) -> Blueprint:
    """Routes on the keys of a user."""
    blueprint = Blueprint("api_keys", __name__)
    create = Permission(Resource.API_KEY, Action.CREATE)
    read = Permission(Resource.API_KEY, Action.READ)
    base = "/api/v2/users/<user>/keys"

    @blueprint.post(base)
    @needs(create)
    async def create_key(user: str) -> Response:
        owner = await users.resolve_user(current_user(), user)
        return _fresh(await keys.create_key(current_user(), owner))

    @blueprint.post(f"{base}/tokens")
    @needs(create)
    async def create_token(user: str) -> Response:
        owner = await users.resolve_user(current_user(), user)
        body = await read_body(messages.CreateTokenRequest)
        token = await keys.create_token(
            current_user(), owner, lifetime_ns=body.lifetime, scope=body.scope, name=body.token_name
        )
        return _fresh(token)

    @blueprint.get(f"{base}/tokens")
    @needs(read)
    async def list_tokens(user: str) -> Response:
        owner = await users.resolve_user(current_user(), user)
        include_all = request.args.get("include_all", "").lower() in {"true", "1", "t"}
        found = await keys.list_tokens(current_user(), owner, include_all=include_all)
        return answer([key_message(key, username) for key, username in found])

    @blueprint.get(f"{base}/tokens/tokenconfig")
    @needs(read)
    async def get_config(user: str) -> Response:
        await users.resolve_user(current_user(), user)
        return answer(messages.TokenConfig(max_token_lifetime=_MAX_LIFETIME_NS))

    @blueprint.get(f"{base}/tokens/<name>")
    @needs(read)
    async def get_token(user: str, name: str) -> Response:
        owner = await users.resolve_user(current_user(), user)
        return answer(key_message(await keys.get_token(current_user(), owner, name)))

    @blueprint.get(f"{base}/<key>")
    @needs(read)
    async def get_key(user: str, key: str) -> Response:
        owner = await users.resolve_user(current_user(), user)
        return answer(key_message(await keys.get_key(current_user(), owner, key)))

    @blueprint.delete(f"{base}/<key>")
    @needs(Permission(Resource.API_KEY, Action.DELETE))
    async def delete_key(user: str, key: str) -> Response:
        owner = await users.resolve_user(current_user(), user)
        await keys.delete_key(current_user(), owner, key)
        return no_content()

    return blueprint


def _fresh(token: str) -> Response:
    response = answer(messages.GenerateKeyResponse(key=token), 201)
    response.headers["Cache-Control"] = "no-store"
    return response
