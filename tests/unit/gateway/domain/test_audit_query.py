from __future__ import annotations

from datetime import UTC, datetime

import pytest

from genba_gateway.domain.audit_query import AuditQuery, parse_audit_query
from genba_gateway.domain.search_query import QueryProblem

ID = "6f4d1b8e-3f0e-4b47-8f5e-9c3a5a1f0001"


def test_every_key_is_understood() -> None:
    text = (
        f"resource_type:workspace resource_id:{ID.upper()} action:create username:MIA email:m@x.test "
        "date_from:2026-01-31 date_to:2026-02-01 build_reason:autostart organization:coder Dev"
    )
    assert parse_audit_query(text) == AuditQuery(
        resource_type="workspace",
        resource_id=ID,
        resource_target="dev",
        action="create",
        username="mia",
        email="m@x.test",
        since=datetime(2026, 1, 31, tzinfo=UTC),
        before=datetime(2026, 2, 2, tzinfo=UTC),
        build_reason="autostart",
        organization="coder",
    )
    assert parse_audit_query("") == AuditQuery()


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("colour:red", "colour"),
        ("request_id:" + ID, "request_id"),
        ("date_from:yesterday", "date_from"),
        ("date_to:2026-02-30", "date_to"),
        ("date_to:20260201", "date_to"),
        ("date_to:9999-12-31", "date_to"),
        ("resource_id:nonsense", "resource_id"),
        (f"resource_id:{ID},{ID}", "resource_id"),
        ("action:create action:delete", "action"),
    ],
)
def test_what_is_not_understood_is_named(text: str, field: str) -> None:
    with pytest.raises(QueryProblem) as refused:
        parse_audit_query(text)
    assert refused.value.field == field
