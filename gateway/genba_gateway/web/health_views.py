"""The health report in words: each section with what it says, and what to do where something is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from genba_gateway.services.health_checks import ERROR, OK, WARNING
from genba_gateway.web.languages import mark, translate, translate_number
from genba_wire.api.health import HealthcheckReport, Section

TONES: Final = {OK: "good", WARNING: "busy", ERROR: "bad"}
_WORST_FIRST: Final = tuple(TONES[severity] for severity in (ERROR, WARNING, OK))
_LABELS: Final = {OK: mark("In order"), WARNING: mark("Warning"), ERROR: mark("Broken")}
_OVERALL: Final = {
    OK: mark("Everything is in order"),
    WARNING: mark("It works, but something needs a look"),
    ERROR: mark("Something is broken"),
}

_PROBLEMS: Final = {
    "EDB01": (
        mark("The database does not answer."),
        mark("See whether the disk with the data folder is full or read-only, and what the gateway's log says."),
    ),
    "EDB02": (
        mark("The database answers slowly, and with it every page and command."),
        mark("See what else is busy on the machine. The data folder belongs on a local disk, not on a network share."),
    ),
    "EACS03": (
        mark("Nobody answers at the address that browsers, editors and agents are told."),
        mark("See that the name leads to this gateway, that the proxy before it runs, and that --access-url is right."),
    ),
    "EACS04": (
        mark("Something else than this gateway answers at the address that others are told."),
        mark("Correct --access-url, or have the proxy pass everything below that address to this gateway."),
    ),
    "EWS01": (
        mark("Websockets don't pass."),
        mark(
            "Have the proxy before the gateway pass the headers Upgrade and Connection. Until then sessions go over"
            " plain requests, which are slower."
        ),
    ),
    "EWS03": (
        mark("Websockets end at once."),
        mark("See whether a proxy before the gateway ends long answers or holds them back."),
    ),
}
"""By the code of an error or warning: what it means, and the remedy."""

_UNKNOWN: Final = (mark("Something is wrong."), mark("See what the gateway's log says."))


@dataclass(frozen=True, slots=True)
class ProblemView:
    """What is wrong, what to do, and what was seen in the words of whoever saw it."""

    text: str
    remedy: str
    seen: str


@dataclass(frozen=True, slots=True)
class SectionView:
    """One section."""

    key: str
    name: str
    tone: str
    label: str
    text: str
    """What there is to say when all is well."""
    problems: tuple[ProblemView, ...]


@dataclass(frozen=True, slots=True)
class HealthView:
    """The whole report."""

    tone: str
    title: str
    time: datetime
    version: str
    sections: tuple[SectionView, ...]


def view_health(report: HealthcheckReport) -> HealthView:
    """Show a report, what is worst first."""
    sections = [
        _section("access-url", translate("Address"), report.access_url, report.access_url.access_url),
        _section(
            "websocket", translate("Websockets"), report.websocket, translate("They reach the gateway by its address.")
        ),
        _section(
            "database",
            translate("Database"),
            report.database,
            translate("It answered in %(ms)s ms.") % {"ms": report.database.latency_ms},
        ),
        _section("builds", translate("Builds"), report.provisioner_daemons, _say_builders(report)),
        _section("regions", translate("Regions"), report.workspace_proxy, _say_regions(report)),
        _section("relay", translate("Relay"), report.derp, translate("Sessions go through the gateway itself.")),
    ]
    sections.sort(key=lambda each: _WORST_FIRST.index(each.tone))
    severity = report.severity if report.severity in TONES else ERROR
    return HealthView(
        tone=TONES[severity],
        title=translate(_OVERALL[severity]),
        time=report.time,
        version=report.coder_version,
        sections=tuple(sections),
    )


def _section(key: str, name: str, section: Section, text: str) -> SectionView:
    severity = section.severity if section.severity in TONES else ERROR
    return SectionView(
        key=key,
        name=name,
        tone=TONES[severity],
        label=translate(_LABELS[severity]),
        text=text if severity == OK else "",
        problems=_problems(section),
    )


def _problems(section: Section) -> tuple[ProblemView, ...]:
    seen = [(each.code, each.message) for each in section.warnings]
    if section.error is not None:
        code, _, message = section.error.partition(": ")
        seen.insert(0, (code, message or section.error))
    return tuple(_problem(code, message) for code, message in seen)


def _problem(code: str, message: str) -> ProblemView:
    text, remedy = _PROBLEMS.get(code, _UNKNOWN)
    return ProblemView(translate(text), translate(remedy), f"{code}: {message}")


def _say_builders(report: HealthcheckReport) -> str:
    count = len(report.provisioner_daemons.items)
    said = translate_number("%(count)s gateway runs Terraform.", "%(count)s gateways run Terraform.", count)
    return said % {"count": count}


def _say_regions(report: HealthcheckReport) -> str:
    count = len(report.workspace_proxy.workspace_proxies.regions)
    said = translate_number("%(count)s region serves apps.", "%(count)s regions serve apps.", count)
    return said % {"count": count}
