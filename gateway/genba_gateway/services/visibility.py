"""What one may not see answers like what is not there."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from genba_gateway.domain.actors import Action, Permission, Resource, UserActor
from genba_gateway.errors import BadRequest, FieldProblem, Forbidden, NotFound

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The clock that services are given outside tests."""
    return datetime.now(UTC)


def not_found() -> NotFound:
    """The one answer for what is absent and for what is hidden (contract 0.2)."""
    return NotFound("Resource not found or you do not have access to it.")


def require(
    actor: UserActor, resource: Resource, action: Action, owner_id: str | None = None, *, seen: bool = False
) -> None:
    """Refuse unless the actor holds the permission on a resource of `owner_id`.

    Args:
        seen: the actor sees the thing already, so that "forbidden" tells nothing new.

    Raises:
        NotFound, Forbidden
    """
    if not actor.may(Permission(resource, action), owner_id):
        if seen:
            raise Forbidden(f"Your roles don't allow to {action} this {resource}.")
        raise not_found()


def parse_id(text: str, name: str) -> str:
    """A UUID of a path, in lower case.

    Raises:
        BadRequest: not a UUID; names the path's part.
    """
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise BadRequest(f"Invalid UUID {text!r}.", validations=[FieldProblem(name, "must be a UUID")]) from None
