"""Users, sign-in, tokens, organizations (contract 5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from genba_ide_bridge.api.calls import in_path
from genba_wire.api.users import (
    APIKey,
    CreateFirstUserRequest,
    CreateFirstUserResponse,
    CreateTokenRequest,
    CreateUserRequest,
    GenerateKeyResponse,
    LoginRequest,
    LoginResponse,
    Organization,
    User,
    UsersResponse,
)
from genba_wire.errors import GatewayRefused

if TYPE_CHECKING:
    from genba_ide_bridge.api.calls import Calls

PAGE_SIZE: Final = 500
"""Users in one answer: some 200 KiB."""


class _RawUsers(msgspec.Struct):
    users: list[object]
    count: int = 0


def _page_from(offset: int) -> dict[str, str]:
    return {"limit": str(PAGE_SIZE), "offset": str(offset)}


class UsersApi:
    """Routes below /users."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def has_first_user(self) -> bool:
        """Whether the deployment was set up."""
        try:
            await self._calls.send("GET", "/users/first")
        except GatewayRefused as refusal:
            if refusal.status == 404:
                return False
            raise
        return True

    async def create_first_user(self, request: CreateFirstUserRequest) -> CreateFirstUserResponse:
        """Set the deployment up."""
        return await self._calls.fetch("POST", "/users/first", CreateFirstUserResponse, body=request)

    async def login(self, email: str, password: str) -> str:
        """Sign in by password; returns a session token."""
        body = LoginRequest(email=email, password=password)
        return (await self._calls.fetch("POST", "/users/login", LoginResponse, body=body)).session_token

    async def logout(self) -> None:
        """End the session of the transport's token."""
        await self._calls.send("POST", "/users/logout")

    async def get_user(self, user: str = "me") -> User:
        """A user by id, name or `me`."""
        return await self._calls.fetch("GET", f"/users/{in_path(user)}", User)

    async def get_user_json(self, user: str = "me") -> object:
        """The same, as it came."""
        return await self._calls.fetch_json("GET", f"/users/{in_path(user)}")

    async def list_users(self) -> list[User]:
        """All users, asked for in pages."""
        users: list[User] = []
        while True:
            page = await self._calls.fetch("GET", "/users", UsersResponse, params=_page_from(len(users)))
            users += page.users
            if not page.users or len(users) >= page.count:
                return users

    async def list_users_json(self) -> list[object]:
        """All users, as they came."""
        users: list[object] = []
        while True:
            raw = await self._calls.fetch_json("GET", "/users", params=_page_from(len(users)))
            page = msgspec.convert(raw, _RawUsers)
            users += page.users
            if not page.users or len(users) >= page.count:
                return users

    async def create_user(self, request: CreateUserRequest) -> User:
        """Add a user."""
        return await self._calls.fetch("POST", "/users", User, body=request)

    async def suspend_user(self, user: str) -> User:
        """Let a user do nothing any more."""
        return await self._calls.fetch("PUT", f"/users/{in_path(user)}/status/suspend", User)

    async def activate_user(self, user: str) -> User:
        """Let a user in again."""
        return await self._calls.fetch("PUT", f"/users/{in_path(user)}/status/activate", User)

    async def delete_user(self, user: str) -> None:
        """Remove a user who has no workspaces."""
        await self._calls.send("DELETE", f"/users/{in_path(user)}")

    async def list_organizations(self) -> list[Organization]:
        """The caller's organizations."""
        return await self._calls.fetch("GET", "/users/me/organizations", list[Organization])

    async def create_key(self) -> str:
        """A session key of its own for this machine."""
        return (await self._calls.fetch("POST", "/users/me/keys", GenerateKeyResponse)).key

    async def create_token(self, user: str, request: CreateTokenRequest) -> str:
        """A named token; the only time that it is shown."""
        path = f"/users/{in_path(user)}/keys/tokens"
        return (await self._calls.fetch("POST", path, GenerateKeyResponse, body=request)).key

    async def list_tokens(self, *, of_all_users: bool) -> list[APIKey]:
        """Named tokens, the caller's or everybody's."""
        params = {"include_all": "true"} if of_all_users else None
        return await self._calls.fetch("GET", "/users/me/keys/tokens", list[APIKey], params=params)

    async def list_tokens_json(self, *, of_all_users: bool) -> object:
        """The same, as they came."""
        params = {"include_all": "true"} if of_all_users else None
        return await self._calls.fetch_json("GET", "/users/me/keys/tokens", params=params)

    async def find_token_id(self, name: str) -> str | None:
        """The id of the caller's token of that name, or None."""
        try:
            key = await self._calls.fetch("GET", f"/users/me/keys/tokens/{in_path(name)}", APIKey)
        except GatewayRefused as refusal:
            if refusal.status in (400, 404):
                return None
            raise
        return key.id

    async def delete_key(self, key_id: str) -> None:
        """End a key or token."""
        await self._calls.send("DELETE", f"/users/me/keys/{in_path(key_id)}")
