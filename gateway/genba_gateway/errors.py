"""Errors of the gateway, all with the answer they become.

GenbaError                    500
├── BadRequest                400
├── Unauthenticated           401
├── Forbidden                 403
├── NotFound                  404
├── MethodNotAllowed          405
├── Conflict                  409
│   ├── WorkspaceNotRunning   409 (the agent is not of the workspace's current build)
│   └── AgentNotConnected     409
├── Gone                      410
├── TooLarge                  413
├── PreconditionFailed        417 (users with workspaces; contract 2.6)
├── UpgradeRequired           426 (a websocket's address was asked without a websocket)
├── PreconditionRequired      428
├── TooManyRequests           429
├── AgentUnreachable          502 (the agent is connected, but opened no carrier)
│   └── StreamNotAccepted     502 (the agent answered: what is to be reached is not there)
├── ServiceUnavailable        503
├── ConfigError               the server can't start as configured
└── ProvisionError            a job failed; the message goes to its log and to the user
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One entry of `validations` in an error body: the JSON name of the field, and what is wrong."""

    field: str
    detail: str


class GenbaError(Exception):
    """Base of all; `message` is for people and names the thing and the remedy."""

    status = 500

    def __init__(self, message: str, *, detail: str = "", validations: Sequence[FieldProblem] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.validations = tuple(validations)


class BadRequest(GenbaError):
    """The request is wrong."""

    status = 400


class Unauthenticated(GenbaError):
    """No session, or one that ended."""

    status = 401


class Forbidden(GenbaError):
    """The caller sees the thing but may not do this to it."""

    status = 403


class NotFound(GenbaError):
    """There is no such thing, or the caller may not see it."""

    status = 404


class MethodNotAllowed(GenbaError):
    """The thing is in a state that allows no change (contract 2.6, PATCH of a deleted workspace)."""

    status = 405


class Conflict(GenbaError):
    """Another build is in progress, a name is taken."""

    status = 409


class WorkspaceNotRunning(Conflict):
    """The agent is not of the workspace's current build: that was a stop, or a newer start."""


class AgentNotConnected(Conflict):
    """The gateway does not reach the agent; the message says since when and why."""


class Gone(GenbaError):
    """The workspace was deleted."""

    status = 410


class TooLarge(GenbaError):
    """A limit of size was passed."""

    status = 413


class PreconditionFailed(GenbaError):
    """Something else has to be removed first."""

    status = 417


class UpgradeRequired(GenbaError):
    """The address is a websocket's, and the request asks for none."""

    status = 426


class PreconditionRequired(GenbaError):
    """The rate limit's bypass was asked for by somebody who is no owner (contract 0.2)."""

    status = 428


class TooManyRequests(GenbaError):
    """A rate limit was passed; `retry_after_s` says when to come back."""

    status = 429

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class AgentUnreachable(GenbaError):
    """The agent is connected, but did not open a carrier."""

    status = 502


class StreamNotAccepted(AgentUnreachable):
    """The agent answered, but opened no stream: what was to be reached is not there."""


class ServiceUnavailable(GenbaError):
    """Something that the gateway needs does not answer."""

    status = 503


class ConfigError(GenbaError):
    """The server can't start as configured."""


class ProvisionError(GenbaError):
    """A job failed for a reason that the template's author or the user can act on.

    `code` is a machine part of the contract (`REQUIRED_TEMPLATE_VARIABLES`) or empty.
    """

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code
