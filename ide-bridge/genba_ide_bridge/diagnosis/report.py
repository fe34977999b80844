"""Findings as the contract's JSON of `netcheck`: its relay, region 999, is the gateway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from genba_ide_bridge.diagnosis.findings import Findings
from genba_ide_bridge.diagnosis.interfaces import SMALL_MTU, Interface
from genba_ide_bridge.diagnosis.judging import Problem

REGION_ID: Final = 999
"""The gateway's own relay in the relay map (contract 3.3)."""

Json = dict[str, object]


def make_report(found: Findings, problems: Sequence[Problem], interfaces: Sequence[Interface]) -> Json:
    """Return the whole report."""
    return {"derp": _report_relay(found, problems), "interfaces": _report_interfaces(interfaces)}


def _report_relay(found: Findings, problems: Sequence[Problem]) -> Json:
    errors = [str(problem) for problem in problems if problem.is_error]
    is_healthy = not errors
    common: Json = {
        "healthy": is_healthy,
        "severity": "error" if errors else "warning" if problems else "ok",
        "warnings": [{"code": "EUNKNOWN", "message": str(problem)} for problem in problems if not problem.is_error],
        "error": errors[0] if errors else None,
    }
    parts = urlsplit(found.url)
    node: Json = {
        "Name": f"{REGION_ID}b",
        "RegionID": REGION_ID,
        "HostName": parts.hostname or "",
        "STUNPort": -1,
        "DERPPort": parts.port or (443 if parts.scheme == "https" else 80),
    }
    trip_ms = found.round_trip_ms or 0.0
    node_report: Json = {
        **common,
        "node": node,
        "node_info": {"TokenBucketBytesPerSecond": 0, "TokenBucketBytesBurst": 0},
        "can_exchange_messages": is_healthy,
        "round_trip_ping": f"{trip_ms:.3f}ms",
        "round_trip_ping_ms": round(trip_ms),
        "uses_websocket": True,
        "client_logs": [],
        "client_errs": [errors] if errors else [],
        "stun": {"Enabled": False, "CanSTUN": False, "Error": None},
    }
    region: Json = {
        "EmbeddedRelay": True,
        "RegionID": REGION_ID,
        "RegionCode": "genba",
        "RegionName": "Genba's relay",
        "Nodes": [node],
    }
    return {
        **common,
        "dismissed": False,
        "regions": {str(REGION_ID): {**common, "region": region, "node_reports": [node_report]}},
        "netcheck": _report_network(found),
        "netcheck_err": None,
        "netcheck_logs": [],
    }


def _report_network(found: Findings) -> Json:
    is_reached = found.http is None
    latency = {str(REGION_ID): round((found.round_trip_ms or 0.0) * 1e6)} if is_reached else {}
    return {
        # Everything goes through the gateway, over TCP: nothing else is tried.
        "UDP": False,
        "IPv4": is_reached,
        "IPv6": False,
        "PreferredDERP": REGION_ID if is_reached else 0,
        "RegionLatency": latency,
    }


def _report_interfaces(interfaces: Sequence[Interface]) -> Json:
    small = [each for each in interfaces if each.mtu < SMALL_MTU]
    return {
        "severity": "warning" if small else "ok",
        "warnings": [
            {
                "code": "EIF01",
                "message": f"The interface {each.name} takes packets of {each.mtu} bytes only: what goes through it may"
                " be slow.",
            }
            for each in small
        ],
        "error": None,
        "dismissed": False,
        "interfaces": [{"name": each.name, "mtu": each.mtu, "addresses": list(each.addresses)} for each in interfaces],
    }
