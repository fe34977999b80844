"""Times of requests, or the 400 that they deserve."""

from __future__ import annotations

from datetime import datetime

from genba_gateway.domain.times import in_utc
from genba_gateway.errors import BadRequest, FieldProblem


def to_utc(time: datetime, field: str) -> datetime:
    """Convert a time of a request's body; without a zone it is meant as UTC.

    Raises:
        BadRequest: there is no such time in UTC; names the field.
    """
    try:
        return in_utc(time)
    except ValueError as error:
        raise BadRequest(f"{field}: {error}.", validations=[FieldProblem(field, str(error))]) from error
