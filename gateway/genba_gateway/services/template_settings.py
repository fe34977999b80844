"""Settings of templates that are wrong, or that this version would not act on (contract 4.2)."""

from __future__ import annotations

from typing import Final

from genba_gateway.domain.deadlines import explain_bad_ttl
from genba_gateway.domain.port_shares import MAXIMA
from genba_gateway.errors import BadRequest, FieldProblem
from genba_wire.api.templates import CreateTemplateRequest, UpdateTemplateRequest

ALL_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_SPANS: Final = ("default_ttl_ms", "activity_bump_ms")
_NOT_ACTED_ON: Final = (
    "failure_ttl_ms",
    "dormant_ttl_ms",
    "delete_ttl_ms",
    "time_til_dormant_ms",
    "time_til_dormant_autodelete_ms",
    "max_ttl_ms",
    "update_workspace_last_used_at",
    "update_workspace_dormant_at",
    "disable_everyone_group_access",
)
"""What would be ignored is refused, unless it is absent, zero or false, as clients send it by default."""


def check_template_settings(request: CreateTemplateRequest | UpdateTemplateRequest) -> None:
    """Refuse what is out of range or has no effect.

    Raises:
        BadRequest: `validations` names each field.
    """
    problems = [FieldProblem(name, wrong) for name in _SPANS if (wrong := explain_bad_ttl(getattr(request, name) or 0))]
    problems += [
        FieldProblem(name, "is not supported by this version: leave it out")
        for name in _NOT_ACTED_ON
        if getattr(request, name, None)
    ]
    problems += _find_unsupported_days(request)
    if request.max_port_share_level not in {None, "", *MAXIMA}:
        problems.append(FieldProblem("max_port_share_level", f"must be one of {', '.join(MAXIMA)}"))
    if problems:
        raise BadRequest(f"{problems[0].field} {problems[0].detail}.", validations=problems)


def _find_unsupported_days(request: CreateTemplateRequest | UpdateTemplateRequest) -> list[FieldProblem]:
    problems: list[FieldProblem] = []
    if request.autostop_requirement is not None and set(request.autostop_requirement.days_of_week or ()) - {"none"}:
        problems.append(FieldProblem("autostop_requirement", "is not supported by this version: name no days"))
    if request.autostart_requirement is not None:
        days = set(request.autostart_requirement.days_of_week or ())
        if days not in (set[str](), {"all"}, set(ALL_DAYS)):
            problems.append(FieldProblem("autostart_requirement", "is not supported by this version: name all days"))
    return problems
