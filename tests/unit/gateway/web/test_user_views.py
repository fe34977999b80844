from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from genba_gateway.domain.users import LoginType, User, UserStatus
from genba_gateway.web.languages import speaking
from genba_gateway.web.user_views import name_roles, view_user

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
ALICE = User(
    id="00000000-0000-4000-8000-000000000001",
    username="alice",
    email="alice@example.com",
    name="Alice",
    password_hash="",
    status=UserStatus.ACTIVE.value,
    login_type=LoginType.PASSWORD.value,
    avatar_url="",
    theme_preference="",
    roles=(),
    created_at=NOW,
    updated_at=NOW,
    last_seen_at=NOW,
)


@pytest.mark.parametrize(
    ("status", "tone", "said"),
    [("active", "good", "Active"), ("dormant", "", "Dormant"), ("suspended", "bad", "Suspended")],
)
def test_a_status_has_its_word_and_its_tone(status: str, tone: str, said: str) -> None:
    shown = view_user(replace(ALICE, status=status))
    assert (shown.tone, shown.status) == (tone, said)


@pytest.mark.parametrize("login_type", list(LoginType))
def test_every_way_of_signing_in_is_said(login_type: LoginType) -> None:
    said = view_user(replace(ALICE, login_type=login_type.value)).signs_in
    assert said == {"password": "With a password", "none": "With tokens only"}.get(login_type, login_type)


def test_who_was_never_here_has_no_time() -> None:
    assert view_user(ALICE).last_seen_at == NOW
    assert view_user(replace(ALICE, last_seen_at=datetime(1, 1, 1, tzinfo=UTC))).last_seen_at is None


@pytest.mark.parametrize(
    ("roles", "said"), [((), "Member"), (("owner",), "Owner"), (("owner", "user-admin"), "Owner, User admin")]
)
def test_roles_are_named(roles: tuple[str, ...], said: str) -> None:
    assert name_roles(roles) == said


def test_a_user_is_shown_in_the_readers_language() -> None:
    with speaking("ja"):
        shown = view_user(replace(ALICE, roles=("owner",)))
    assert (shown.status, shown.roles, shown.signs_in) == ("有効", "所有者", "パスワード")
