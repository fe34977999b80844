from __future__ import annotations

from typing import Any

import msgspec
import pytest

from genba_gateway.errors import BadRequest
from genba_gateway.services.template_settings import ALL_DAYS, check_template_settings
from genba_wire.api.message import decode_message
from genba_wire.api.templates import CreateTemplateRequest, UpdateTemplateRequest

MADE_OF = {"name": "docker", "template_version_id": "v"}


def check(fields: dict[str, Any]) -> None:
    check_template_settings(decode_message(msgspec.json.encode({**MADE_OF, **fields}), CreateTemplateRequest))
    check_template_settings(decode_message(msgspec.json.encode(fields), UpdateTemplateRequest))


@pytest.mark.parametrize("field", ["default_ttl_ms", "activity_bump_ms"])
@pytest.mark.parametrize("value", [-5, 59_999, 30 * 86_400_000 + 1, 10**17, 10**19])
def test_a_span_has_limits(field: str, value: int) -> None:
    with pytest.raises(BadRequest) as refused:
        check({field: value})
    assert [problem.field for problem in refused.value.validations] == [field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("failure_ttl_ms", 60_000),
        ("max_ttl_ms", 60_000),
        ("disable_everyone_group_access", True),
        ("autostop_requirement", {"days_of_week": ["sunday"], "weeks": 1}),
        ("autostart_requirement", {"days_of_week": ["monday"]}),
        ("max_port_share_level", "organization"),
    ],
)
def test_what_would_have_no_effect_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(BadRequest, match=r"not supported|must be one of") as refused:
        check({field: value})
    assert [problem.field for problem in refused.value.validations] == [field]


@pytest.mark.parametrize("field", ["dormant_ttl_ms", "delete_ttl_ms"])
def test_dormancy_is_refused_where_a_template_is_made(field: str) -> None:
    with pytest.raises(BadRequest, match=field):
        check_template_settings(CreateTemplateRequest(**MADE_OF, **{field: 60_000}))  # type: ignore[arg-type]  # the fields are of several types


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"failure_ttl_ms": 0, "dormant_ttl_ms": 0, "delete_ttl_ms": 0, "time_til_dormant_ms": 0, "max_ttl_ms": 0},
        {"default_ttl_ms": 0, "activity_bump_ms": 0},
        {"default_ttl_ms": 86_400_000, "activity_bump_ms": 3_600_000, "autostart_requirement": None},
        {"disable_everyone_group_access": False, "update_workspace_last_used_at": False},
        {"autostop_requirement": {"days_of_week": [], "weeks": 1}, "max_port_share_level": ""},
        *({"max_port_share_level": level} for level in ("owner", "authenticated", "public")),
        {"autostop_requirement": {"days_of_week": None, "weeks": 0}},
        {"autostart_requirement": {"days_of_week": ["all"]}},
        {"autostart_requirement": {"days_of_week": list(ALL_DAYS)}},
    ],
)
def test_what_clients_send_by_default_passes(fields: dict[str, Any]) -> None:
    check(fields)
