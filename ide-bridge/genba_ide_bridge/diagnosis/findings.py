"""What was seen on the way to a gateway."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FailureKind(StrEnum):
    """How the way to the gateway is broken."""

    NAME_UNKNOWN = "name unknown"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed out"
    CLOSED = "closed"
    UNKNOWN_AUTHORITY = "unknown authority"
    WRONG_NAME = "wrong name"
    EXPIRED = "expired"
    BAD_CERTIFICATE = "bad certificate"
    WANTS_CERTIFICATE = "wants certificate"
    NO_TLS = "no TLS"
    NOT_HTTP = "not HTTP"
    PROXY = "proxy"
    STATUS = "status"
    MOVED = "moved"
    OTHER_SERVER = "other server"
    SIGN_IN_PAGE = "sign-in page"
    SILENT = "silent"
    HELD_BACK = "held back"
    ALTERED = "altered"
    CUT_WHEN_SILENT = "cut when silent"
    BAD_SETTINGS = "bad settings"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure; `status` is that of an HTTP answer, or 0, `detail` what the system or the answer said.

    `is_stripped` is a websocket's: the gateway got it as a plain request.
    """

    kind: FailureKind
    detail: str = ""
    status: int = 0
    is_stripped: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """What a probe found; None where it did not get so far."""

    url: str
    proxy: str = ""
    """The HTTP proxy that the environment names for this address, without its password; empty where none is."""
    http: Failure | None = None
    """Why a plain request fails."""
    websocket: Failure | None = None
    """Why a websocket fails; only where plain requests work."""
    access_url: str = ""
    """The gateway's own idea of its address."""
    clock_ahead_s: float | None = None
    """How much this machine's clock is ahead of the gateway's."""
    round_trip_ms: float | None = None
    """The quickest of a few requests."""
    host: str = ""
    """The Host header that reached the gateway."""
    stream: Failure | None = None
    """What becomes of streamed answers; these three only where plain requests work."""
    upload: Failure | None = None
    """Why a body of the size of a template is refused."""
    silence: Failure | None = None
    """Why a websocket in which nothing is said does not last."""
