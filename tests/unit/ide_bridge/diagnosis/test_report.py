"""The report is what editors take for one: each key that the contract names, with its type."""

from __future__ import annotations

import json
from typing import Any

import pytest

from genba_ide_bridge.diagnosis.findings import Failure, FailureKind, Findings
from genba_ide_bridge.diagnosis.interfaces import Interface, list_interfaces
from genba_ide_bridge.diagnosis.judging import judge
from genba_ide_bridge.diagnosis.report import make_report

WELL = Findings("https://gateway.example.com", round_trip_ms=1.4, access_url="https://gateway.example.com")


def report(found: Findings, *interfaces: Interface) -> Any:
    return json.loads(json.dumps(make_report(found, judge(found), interfaces)))


@pytest.mark.parametrize("found", [WELL, Findings(WELL.url, http=Failure(FailureKind.REFUSED))])
def test_report_has_the_contracts_shape(found: Findings) -> None:
    made = report(found, Interface("eth0", 1500, ("10.0.0.7/24",)))
    derp = made["derp"]
    assert {"severity", "warnings", "error", "regions", "netcheck", "netcheck_err"} <= set(derp)
    region = derp["regions"]["999"]
    assert {"severity", "error", "region", "node_reports"} <= set(region)
    assert {"RegionID", "RegionName", "EmbeddedRelay"} <= set(region["region"])
    node = region["node_reports"][0]
    assert {"can_exchange_messages", "round_trip_ping_ms", "stun"} <= set(node)
    assert set(node["stun"]) >= {"Enabled", "CanSTUN"}
    assert set(derp["netcheck"]) == {"UDP", "IPv4", "IPv6", "PreferredDERP", "RegionLatency"}
    assert made["interfaces"]["interfaces"] == [{"name": "eth0", "mtu": 1500, "addresses": ["10.0.0.7/24"]}]


def test_severity_follows_the_problems() -> None:
    assert report(WELL)["derp"]["severity"] == "ok"
    slow = report(Findings(WELL.url, round_trip_ms=400))
    assert (slow["derp"]["severity"], slow["derp"]["error"]) == ("warning", None)
    assert "400 ms" in slow["derp"]["warnings"][0]["message"]
    broken = report(Findings(WELL.url, http=Failure(FailureKind.REFUSED)))
    assert broken["derp"]["severity"] == "error"
    assert "Nothing listens" in broken["derp"]["error"]
    assert not broken["derp"]["regions"]["999"]["node_reports"][0]["can_exchange_messages"]


def test_small_packets_are_a_warning() -> None:
    made = report(WELL, Interface("wg0", 1280, ()))["interfaces"]
    assert made["severity"] == "warning"
    assert "wg0" in made["warnings"][0]["message"]


def test_interfaces_of_this_machine_are_listed() -> None:
    for each in list_interfaces():
        assert each.name not in ("lo", "lo0")
        assert each.mtu > 0
