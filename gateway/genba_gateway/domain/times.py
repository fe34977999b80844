"""Times that others write: read, and in UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def parse_time(text: str) -> datetime:
    """Read an RFC 3339 time.

    Raises:
        ValueError: it is none, lacks an offset, or its UTC lies outside the years 1 to 9999; says what would do.
    """
    try:
        time = datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError(f"{text!r} is not an RFC 3339 time, such as 2026-01-31T12:00:00Z") from None
    if time.tzinfo is None:
        raise ValueError(f"{text!r} lacks an offset, such as Z")
    return in_utc(time)


def in_utc(time: datetime) -> datetime:
    """Convert a time; without a zone it is meant as UTC.

    Raises:
        ValueError: there is no such time in UTC; says so.
    """
    if time.tzinfo is None:
        return time.replace(tzinfo=UTC)
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{time.isoformat()!r} lies outside the years 1 to 9999 in UTC") from None
