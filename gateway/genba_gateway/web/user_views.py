"""A user as pages show one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from genba_gateway.domain.actors import MEMBER, OWNER
from genba_gateway.domain.users import LoginType, User, UserStatus
from genba_gateway.web.languages import mark, translate

_STATUSES: Final = {
    UserStatus.ACTIVE: ("good", mark("Active")),
    UserStatus.DORMANT: ("", mark("Dormant")),
    UserStatus.SUSPENDED: ("bad", mark("Suspended")),
}
_LOGIN_TYPES: Final = {
    LoginType.PASSWORD: mark("With a password"),
    LoginType.NONE: mark("With tokens only"),
}
_ROLES: Final = {OWNER: mark("Owner"), MEMBER: mark("Member")}


@dataclass(frozen=True, slots=True)
class UserView:
    """One user in words."""

    username: str
    name: str
    email: str
    tone: str
    """A class of genba.css."""
    status: str
    roles: str
    signs_in: str
    created_at: datetime
    last_seen_at: datetime | None
    """None for somebody who was never here."""


def view_user(user: User) -> UserView:
    """Show a user."""
    tone, status = _STATUSES.get(UserStatus(user.status), ("", user.status))
    login_type = LoginType(user.login_type)
    return UserView(
        username=user.username,
        name=user.name,
        email=user.email,
        tone=tone,
        status=translate(status),
        roles=name_roles(user.roles),
        signs_in=translate(_LOGIN_TYPES[login_type]) if login_type in _LOGIN_TYPES else str(login_type),
        created_at=user.created_at,
        # The contract's zero time is the year 1.
        last_seen_at=user.last_seen_at if user.last_seen_at.year > 1 else None,
    )


def name_roles(roles: Sequence[str]) -> str:
    """The roles of the site; who has none is a member."""
    named = (translate(_ROLES[role]) if role in _ROLES else role.replace("-", " ").capitalize() for role in roles)
    return ", ".join(named) or translate(_ROLES[MEMBER])
