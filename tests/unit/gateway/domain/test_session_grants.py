from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from genba_gateway.domain.session_grants import GrantStanding, SessionGrant, explain_end, explain_lost_build

NOW = datetime(2026, 1, 2, tzinfo=UTC)
GRANT = SessionGrant("user", "key", "workspace", "agent", "build")
STANDING = GrantStanding(
    key_user_id="user",
    key_scope="all",
    key_expires_at=NOW + timedelta(hours=1),
    user_status="active",
    username="ana",
    roles=(),
    workspace_id="workspace",
    owner_id="user",
    build_id="build",
    boot_id="boot",
    is_current=True,
    newest_transition="start",
)


@pytest.mark.parametrize("is_new", [True, False])
def test_a_grant_stands_while_nothing_has_changed(is_new: bool) -> None:
    assert explain_end(GRANT, STANDING, NOW, is_new=is_new, boot_id="boot") == ""


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"workspace_id": "another"}, "The agent is gone."),
        ({"key_user_id": None}, "You signed out."),
        ({"key_user_id": "another"}, "You signed out."),
        ({"key_scope": "application_connect"}, "You signed out."),
        ({"key_expires_at": None}, "You signed out."),
        ({"user_status": None}, "Your user is gone."),
        ({"username": None}, "Your user is gone."),
        ({"user_status": "suspended"}, "Your user is suspended."),
        ({"owner_id": "another"}, "You may not use this workspace any more."),
        ({"is_current": False}, "A new build of the workspace took the agent's place."),
        ({"is_current": False, "newest_transition": "stop"}, "The workspace was stopped."),
        ({"is_current": False, "newest_transition": "delete"}, "The workspace was deleted."),
        ({"build_id": "another"}, "A new build of the workspace took the agent's place."),
        ({"boot_id": "another"}, "The agent was started anew."),
    ],
)
@pytest.mark.parametrize("is_new", [True, False])
def test_what_ends_a_session_keeps_it_from_being_opened_too(change: dict[str, Any], why: str, is_new: bool) -> None:
    assert explain_end(GRANT, replace(STANDING, **change), NOW, is_new=is_new, boot_id="boot") == why


def test_an_agent_that_is_gone_ends_it() -> None:
    assert explain_end(GRANT, None, NOW, is_new=False) == "The agent is gone."


def test_an_expired_key_opens_no_session_but_ends_none() -> None:
    expired = replace(STANDING, key_expires_at=NOW)
    assert explain_end(GRANT, expired, NOW, is_new=False) == ""
    assert "expired" in explain_end(GRANT, expired, NOW, is_new=True)
    assert explain_end(GRANT, expired, NOW - timedelta(microseconds=1), is_new=True) == ""


def test_an_owner_of_the_deployment_may_use_others_workspaces() -> None:
    assert explain_end(GRANT, replace(STANDING, owner_id="another", roles=("owner",)), NOW, is_new=False) == ""


def test_before_it_is_served_no_process_is_asked_for() -> None:
    assert explain_end(GRANT, replace(STANDING, boot_id="another"), NOW, is_new=True) == ""


def test_the_newest_build_says_why_an_agent_is_of_no_current_one() -> None:
    assert explain_lost_build("") == explain_lost_build("start")
