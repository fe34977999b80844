"""Users, their API keys and organizations."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

API_KEY_ID_CHARS: Final = 10
API_KEY_SECRET_CHARS: Final = 22
"""Contract 5.1."""

SESSION_LIFETIME: Final = timedelta(hours=24)
KEY_LIFETIME: Final = timedelta(days=7)
MAX_TOKEN_LIFETIME: Final = timedelta(days=365 * 100)
"""Contract 5.1: without a configured cap; CLIs show it as it is."""

DEFAULT_ORGANIZATION_NAME: Final = "coder"
"""The organization made with the first user; clients expect this name (contract 5.3)."""


class UserStatus(StrEnum):
    """Whether a user may sign in (contract appendix C)."""

    ACTIVE = "active"
    DORMANT = "dormant"
    """Not seen for long; any use makes the user active."""

    SUSPENDED = "suspended"


class LoginType(StrEnum):
    """How a user signs in, or how a key was made (contract appendix C)."""

    PASSWORD = "password"
    GITHUB = "github"
    OIDC = "oidc"
    TOKEN = "token"
    NONE = "none"


class KeyScope(StrEnum):
    """What a key may be used for (contract 5.1)."""

    ALL = "all"
    APPLICATION_CONNECT = "application_connect"


@dataclass(frozen=True, slots=True)
class User:
    """One user."""

    id: str
    username: str
    email: str
    name: str
    password_hash: str = field(repr=False)
    status: str
    login_type: str
    avatar_url: str
    theme_preference: str
    roles: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    last_seen_at: datetime
    deleted: bool = False
    organization_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One API key; only the hash of its secret is known."""

    id: str
    user_id: str
    hashed_secret: bytes = field(repr=False)
    login_type: str
    scope: str
    token_name: str
    lifetime_seconds: int
    ip_address: str
    created_at: datetime
    updated_at: datetime
    last_used: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Organization:
    """One organization."""

    id: str
    name: str
    display_name: str
    icon: str
    description: str
    is_default: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """A user as member of an organization."""

    user: User
    organization_id: str
    roles: tuple[str, ...]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody without a session, as far as the request tells."""

    ip_address: str = ""
    user_agent: str = ""
