"""What a client may ask of a build, before the workspace is looked at."""

from __future__ import annotations

import base64
from typing import Final

from genba_gateway.domain.actors import UserActor
from genba_gateway.domain.provisioning import Transition
from genba_gateway.errors import BadRequest, FieldProblem, Forbidden
from genba_wire.api.workspaces import CreateBuildRequest

REASONS: Final = frozenset(
    {"initiator", "dashboard", "cli", "ssh_connection", "vscode_connection", "jetbrains_connection"}
)
"""What a client may give as a build's reason; the rest are the gateway's own."""


def parse_transition(text: str) -> Transition:
    """Read the transition.

    Raises:
        BadRequest: there is no such one.
    """
    try:
        return Transition(text)
    except ValueError:
        raise BadRequest(
            f"Transition {text!r} is none of start, stop, delete.",
            validations=[FieldProblem("transition", "must be start, stop or delete")],
        ) from None


def parse_state(encoded: str | None) -> bytes | None:
    """Read a Terraform state that a client gives.

    Raises:
        BadRequest: it is not base64.
    """
    if encoded is None:
        return None
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError:
        raise BadRequest("The state is not base64.", validations=[FieldProblem("state", "must be base64")]) from None


def check_build_request(actor: UserActor, request: CreateBuildRequest) -> None:
    """Refuse what is not known, not supported, or for owners only.

    Raises:
        BadRequest: names the field.
        Forbidden: a state, debug logs or orphaning was asked for by somebody else.
    """
    if request.dry_run:
        raise BadRequest(
            "Dry runs of builds are not supported: leave dry_run out.",
            validations=[FieldProblem("dry_run", "is not supported")],
        )
    if request.log_level not in {"", "debug"}:
        raise BadRequest(
            f"Log level {request.log_level!r} is not known: say debug, or leave it out.",
            validations=[FieldProblem("log_level", "must be debug")],
        )
    if (request.state is not None or request.log_level or request.orphan) and not actor.is_owner:
        raise Forbidden("Only an owner may give a state, ask for debug logs or orphan resources.")
    if request.orphan and request.transition != Transition.DELETE:
        raise BadRequest("orphan goes with the transition delete only.")
    if request.reason and request.reason not in REASONS:
        raise BadRequest(
            f"Reason {request.reason!r} is none of {', '.join(sorted(REASONS))}.",
            validations=[FieldProblem("reason", "is not known")],
        )
