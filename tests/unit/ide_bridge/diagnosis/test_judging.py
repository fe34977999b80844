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
        # Without websockets sessions go over requests; with some that say nothing they don't.
        assert problem.is_error == (findings.http is not None or kind is FailureKind.SILENT)
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
    ("status", "said"),
    [
        (407, "wants a name and a password (407)."),
        (403, "The proxy http://proxy:3128 refuses the way to gateway.example.com:443 (403)."),
        (0, "The proxy did not let the request through (odd)."),
    ],
)
def test_proxy_that_refuses_to_connect_is_told_by_its_status(status: int, said: str) -> None:
    failure = Failure(FailureKind.PROXY, "odd", status)
    (problem,) = judge(Findings(URL, proxy="http://proxy:3128", http=failure))
    assert said in problem.what


def test_host_that_a_proxy_rewrote_matters_where_the_address_is_another() -> None:
    there = "http://10.0.0.7:3000"
    (problem,) = judge(Findings(URL, access_url=there, host="backend"))
    assert "you asked for backend: terminals in its pages are refused" in problem.what
    assert f"--access-url {URL}" in problem.remedy
    (problem,) = judge(Findings(URL, access_url=there, host="gateway.example.com"))
    assert "Workspaces and links use that one" in problem.remedy
    assert judge(Findings(URL, access_url=URL, host="backend")) == []


def test_certificate_that_nginx_misses_is_asked_for() -> None:
    page = "<html><head><title>400 No required SSL certificate was sent</title></head></html>"
    (problem,) = judge(Findings(URL, http=Failure(FailureKind.STATUS, page, 400)))
    assert problem.what == f"{URL} wants a client certificate (400 No required SSL certificate was sent)."


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
