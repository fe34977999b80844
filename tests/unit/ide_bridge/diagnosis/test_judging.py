from __future__ import annotations

import pytest

from genba_ide_bridge.diagnosis.findings import Failure, FailureKind, Findings
from genba_ide_bridge.diagnosis.judging import CLOCK_TOLERANCE_S, SLOW_MS, judge

URL = "https://gateway.example.com"


@pytest.mark.parametrize("kind", list(FailureKind))
def test_every_kind_of_failure_has_its_words(kind: FailureKind) -> None:
    for findings in (
        Findings(URL, http=Failure(kind, "what the system said", 599)),
        Findings(URL, websocket=Failure(kind, "what the system said", 599)),
    ):
        (problem,) = judge(findings)
        assert problem.is_error
        assert problem.what


def test_name_that_is_not_known_leads_to_dns() -> None:
    (problem,) = judge(Findings(URL, http=Failure(FailureKind.NAME_UNKNOWN, "Name or service not known")))
    assert "The name gateway.example.com is not known here" in problem.what
    assert "DNS" in problem.remedy


def test_what_breaks_before_a_proxy_is_the_proxys() -> None:
    (problem,) = judge(Findings(URL, proxy="http://proxy:3128", http=Failure(FailureKind.REFUSED)))
    assert problem.what == "The proxy http://proxy:3128 could not be used."
    (problem,) = judge(Findings(URL, proxy="http://proxy:3128", http=Failure(FailureKind.STATUS, "", 502)))
    assert "502" in problem.what


@pytest.mark.parametrize(
    ("ahead_s", "said"), [(90, "2 min ahead of"), (-7200, "2 h behind"), (200_000, "2 d ahead of")]
)
def test_clock_is_told_by_how_much(ahead_s: float, said: str) -> None:
    (problem,) = judge(Findings(URL, clock_ahead_s=ahead_s))
    assert said in problem.what
    assert not problem.is_error


def test_what_is_within_its_limits_is_no_problem() -> None:
    assert judge(Findings(URL, clock_ahead_s=CLOCK_TOLERANCE_S - 1, round_trip_ms=SLOW_MS - 1, access_url=URL)) == []
    (slow,) = judge(Findings(URL, round_trip_ms=SLOW_MS))
    assert "250 ms" in slow.what
