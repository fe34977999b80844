from __future__ import annotations

import inspect
import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from genba_gateway.services import health_checks
from genba_gateway.web.health_views import view_health
from genba_gateway.web.languages import speaking
from genba_wire.api.health import HealthcheckReport, HealthMessage

FINE: dict[str, Any] = {"severity": "ok", "warnings": [], "dismissed": False, "healthy": True}
REPORT = msgspec.convert(
    {
        "time": datetime(2026, 11, 28, tzinfo=UTC),
        "healthy": True,
        "severity": "ok",
        "coder_version": "v1",
        "derp": {**FINE, "regions": {}, "netcheck_logs": []},
        "access_url": {
            **FINE,
            "access_url": "https://genba.test",
            "reachable": True,
            "status_code": 200,
            "healthz_response": "OK",
        },
        "websocket": {**FINE, "body": "", "code": 101},
        "database": {**FINE, "reachable": True, "latency": "1ms", "latency_ms": 1, "threshold_ms": 15},
        "workspace_proxy": {**FINE, "workspace_proxies": {"regions": []}},
        "provisioner_daemons": {**FINE, "items": []},
    },
    HealthcheckReport,
)
CODES = sorted(set(re.findall(r"E[A-Z]+\d\d", inspect.getsource(health_checks))))


def _with_error(error: str) -> HealthcheckReport:
    broken = msgspec.structs.replace(REPORT.websocket, severity="error", error=error)
    return msgspec.structs.replace(REPORT, severity="error", healthy=False, websocket=broken)


def test_where_all_is_well_each_section_says_so() -> None:
    view = view_health(REPORT)
    assert (view.tone, view.title) == ("good", "Everything is in order")
    assert {each.label for each in view.sections} == {"In order"}
    assert all(each.text and not each.problems for each in view.sections)
    assert [each.text for each in view.sections if each.key == "database"] == ["It answered in 1 ms."]


@pytest.mark.parametrize("code", CODES)
def test_every_code_of_the_checks_has_its_words_and_its_remedy(code: str) -> None:
    first = view_health(_with_error(f"{code}: what was seen")).sections[0]
    (problem,) = first.problems
    assert (first.key, first.tone, first.text) == ("websocket", "bad", "")
    assert problem.seen == f"{code}: what was seen"
    assert problem.text != "Something is wrong."
    with speaking("ja"):
        (translated,) = view_health(_with_error(f"{code}: x")).sections[0].problems
    assert translated.text != problem.text
    assert translated.remedy != problem.remedy


def test_what_nobody_knows_is_shown_as_it_was_seen() -> None:
    (problem,) = view_health(_with_error("a plain word")).sections[0].problems
    assert problem.text == "Something is wrong."
    assert "a plain word" in problem.seen


def test_a_warning_is_a_problem_too_and_comes_before_what_is_in_order() -> None:
    slow = msgspec.structs.replace(
        REPORT.database, severity="warning", warnings=[HealthMessage(code="EDB02", message="20 ms")]
    )
    view = view_health(msgspec.structs.replace(REPORT, severity="warning", database=slow))
    assert (view.tone, view.sections[0].key, view.sections[0].label) == ("busy", "database", "Warning")
    assert view.sections[0].problems[0].seen == "EDB02: 20 ms"


def test_a_severity_that_nobody_knows_counts_as_the_worst() -> None:
    odd = msgspec.structs.replace(REPORT, severity="odd", derp=msgspec.structs.replace(REPORT.derp, severity="odd"))
    view = view_health(odd)
    assert (view.tone, view.sections[0].key, view.sections[0].tone) == ("bad", "relay", "bad")
