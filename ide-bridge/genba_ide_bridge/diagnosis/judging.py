"""Findings in, sentences out: what is wrong, and what to change. Nothing here looks at the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from genba_ide_bridge.diagnosis.findings import Failure, FailureKind, Findings
from genba_ide_bridge.diagnosis.pages import find_title

CLOCK_TOLERANCE_S: Final = 60.0
"""The gateway writes whole seconds, and an answer takes its time; tickets and certificates live longer."""

SLOW_MS: Final = 250.0
"""From here on editors mark a connection as slow."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, for people; one that is an error leaves no way to a workspace."""

    what: str
    remedy: str
    is_error: bool = True

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}".strip()


def judge(found: Findings) -> list[Problem]:
    """Say what is wrong, the worst first; empty when nothing is."""
    problems: list[Problem] = []
    if found.http is not None:
        problems.append(_judge_http(found, found.http))
    elif found.websocket is not None:
        problems.append(_judge_websocket(found, found.websocket))
    problems += [problem for problem in (_judge_clock(found), _judge_address(found), _judge_speed(found)) if problem]
    return problems


def _judge_http(found: Findings, failure: Failure) -> Problem:
    parts = urlsplit(found.url)
    host, where = parts.hostname or "", found.url
    named = f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
    secure = found.url.replace("http:", "https:", 1)
    plain = found.url.replace("https:", "http:", 1)
    said = f" ({failure.detail})" if failure.detail else ""
    if found.proxy and failure.kind in _OF_THE_WAY:
        return Problem(
            f"The proxy {found.proxy} could not be used{said}.",
            "Look at HTTPS_PROXY and HTTP_PROXY; NO_PROXY names what is reached without one.",
        )
    match failure.kind:
        case FailureKind.NAME_UNKNOWN:
            return Problem(
                f"The name {host} is not known here{said}.",
                "Check the URL, and this machine's DNS: a VPN may have to be up.",
            )
        case FailureKind.REFUSED:
            return Problem(
                f"Nothing listens on {named}.", "Check the port of the URL, and that the gateway is running there."
            )
        case FailureKind.TIMED_OUT:
            return Problem(
                f"{where} did not answer in time.",
                "A firewall may drop the packets, or a VPN may have to be up: ask who runs the network.",
            )
        case FailureKind.UNREACHABLE:
            return Problem(f"There is no way to {host} from here{said}.", "Check this machine's network.")
        case FailureKind.UNKNOWN_AUTHORITY:
            return Problem(
                f"The certificate of {host} comes from an authority that this machine does not know{said}.",
                "Name the authority's file with --ca-file or GENBA_CA_FILE; a firewall that reads TLS has its own.",
            )
        case FailureKind.WRONG_NAME:
            return Problem(
                f"The certificate that {host} shows is for another name{said}.",
                "Use the name that the certificate is for, or have the gateway's certificate made for this one too.",
            )
        case FailureKind.EXPIRED:
            return Problem(
                f"The certificate of {host} is not valid now{said}.",
                "Have it renewed; if it is fresh, this machine's clock is wrong.",
            )
        case FailureKind.BAD_CERTIFICATE:
            return Problem(f"TLS with {host} failed{said}.", "Have the gateway's certificate checked.")
        case FailureKind.WANTS_CERTIFICATE:
            return Problem(
                f"{host} refuses the TLS of this machine{said}.",
                "It may want a client certificate (--client-cert and --client-key), or be too old.",
            )
        case FailureKind.NO_TLS:
            return Problem(f"{named} speaks no TLS.", f"The gateway may be at {plain}.")
        case FailureKind.CLOSED:
            return Problem(
                f"{where} closed the connection without an answer{said}.",
                f"If it speaks TLS only, the gateway is at {secure}." if parts.scheme == "http" else "Is it a gateway?",
            )
        case FailureKind.NOT_HTTP:
            return Problem(f"What {named} answers is no HTTP{said}.", "Check the port of the URL.")
        case FailureKind.PROXY:
            return _judge_connect(found, failure, named)
        case FailureKind.MOVED:
            return Problem(f"{found.url} sends its visitors to {failure.detail}.", "Use that URL: `genba login URL`.")
        case FailureKind.SIGN_IN_PAGE:
            return Problem(
                f"Who asks for {found.url} is sent to {failure.detail} instead.",
                "That may be the sign-in page of this network, or of a proxy: open it in a browser first. A proxy has"
                " to let the gateway's API through, or --header has to carry its token.",
            )
        case FailureKind.OTHER_SERVER:
            return Problem(
                f"{found.url} is a web server, but no gateway{said}.",
                "Check the URL, its port and its path. In a network for guests everything may be answered so until one"
                " has signed in with a browser.",
            )
        case FailureKind.STATUS:
            return _judge_status(found, failure)
        case FailureKind.BAD_SETTINGS:
            return Problem(failure.detail, "")
        case (
            FailureKind.SILENT
            | FailureKind.OTHER
            | FailureKind.HELD_BACK
            | FailureKind.ALTERED
            | FailureKind.CUT_WHEN_SILENT
        ):
            return Problem(f"{where} could not be asked{said}.", "Check the URL and that the gateway runs.")


_PROXY_WANTS_PASSWORD: Final = Problem(
    "The proxy wants a name and a password (407).", "Put them into HTTPS_PROXY: http://name:password@proxy:port."
)


def _judge_connect(found: Findings, failure: Failure, named: str) -> Problem:
    """The proxy of the environment answered CONNECT with something else than a way."""
    if failure.status == 407:
        return _PROXY_WANTS_PASSWORD
    if failure.status:
        return Problem(
            f"The proxy {found.proxy} refuses the way to {named} ({failure.status}).",
            "Have it allow CONNECT to that name and port, or name the gateway in NO_PROXY.",
        )
    return Problem(
        f"The proxy did not let the request through ({failure.detail}).", "Look at HTTPS_PROXY and NO_PROXY."
    )


_OF_THE_WAY: Final = frozenset(
    {FailureKind.NAME_UNKNOWN, FailureKind.REFUSED, FailureKind.TIMED_OUT, FailureKind.UNREACHABLE, FailureKind.CLOSED}
)


def _judge_status(found: Findings, failure: Failure) -> Problem:
    status, where = failure.status, found.url
    if status == 407:
        return _PROXY_WANTS_PASSWORD
    if status in (502, 503):
        return Problem(
            f"A proxy at {where} answers, but does not reach the gateway behind it ({status}).",
            "Check that the gateway runs, and the address that the proxy has for it.",
        )
    if status == 504:
        return Problem(
            f"A proxy at {where} waited for the gateway in vain (504).",
            "Check that the gateway is well; its log says what it does.",
        )
    if status in (401, 403):
        return Problem(
            f"Something before the gateway wants to know who you are ({status}).",
            "A proxy that signs people in has to let the gateway's API through, or --header has to carry its token.",
        )
    if status == 400 and "SSL certificate" in failure.detail:
        return Problem(
            f"{where} wants a client certificate ({find_title(failure.detail)}).",
            "Name yours with --client-cert and --client-key, or GENBA_CLIENT_CERT and GENBA_CLIENT_KEY.",
        )
    if status == 400 and "https" in failure.detail.lower():
        secure = found.url.replace("http:", "https:", 1)
        return Problem(f"{where} speaks TLS only.", f"Use {secure}.")
    return Problem(
        f"{where} answers with status {status}, which no gateway does ({failure.detail[:100]}).",
        "Check the URL, its port and its path.",
    )


def _judge_websocket(found: Findings, failure: Failure) -> Problem:
    """Say what is wrong with websockets. Where they are refused sessions go over HTTP requests: that is no error."""
    where = found.url
    upgrade = _remedy_for_websockets(failure)
    instead = "sessions go over HTTP requests instead, which is slower."
    said = f" ({failure.detail})" if failure.detail else ""
    match failure.kind:
        case FailureKind.STATUS:
            return Problem(
                f"{where} answers requests, but refuses websockets with status {failure.status}: {instead}",
                upgrade,
                is_error=False,
            )
        case FailureKind.SILENT:
            return Problem(
                f"Websockets to {where} open, but nothing comes through them.",
                "Something on the way keeps back what it should pass on: switch its buffering off.",
            )
        case FailureKind.TIMED_OUT:
            return Problem(f"{where} answers requests, but never opens a websocket: {instead}", upgrade, is_error=False)
        case FailureKind.PROXY:
            return Problem(
                f"The proxy {found.proxy} passes requests, but no websockets{said}: {instead}",
                "Have it allow CONNECT to the gateway, or name the gateway in NO_PROXY.",
                is_error=False,
            )
        case _:
            return Problem(
                f"{where} answers requests, but breaks websockets off{said}: {instead}", upgrade, is_error=False
            )


def _remedy_for_websockets(failure: Failure) -> str:
    if failure.is_stripped:
        return (
            "They reach the gateway as plain requests: a reverse proxy drops the headers Upgrade and Connection. In"
            " nginx: `proxy_http_version 1.1`, `proxy_set_header Upgrade $http_upgrade` and `proxy_set_header"
            " Connection`; docs/networks.md has all of it."
        )
    if failure.status in (401, 403, 405):
        return (
            "A proxy has a rule against them, since plain requests pass: have it let those with the headers Upgrade and"
            " Connection through (in HAProxy look for `http-request deny`)."
        )
    return (
        "A reverse proxy has to pass them on: in nginx `proxy_http_version 1.1`, and the headers Upgrade and"
        " Connection."
    )


def _judge_clock(found: Findings) -> Problem | None:
    ahead_s = found.clock_ahead_s
    if ahead_s is None or abs(ahead_s) < CLOCK_TOLERANCE_S:
        return None
    word = "ahead of" if ahead_s > 0 else "behind"
    return Problem(
        f"This machine's clock is {_span(abs(ahead_s))} {word} the gateway's.",
        "Certificates and sign-ins may seem expired: have both set by NTP.",
        is_error=False,
    )


def _judge_address(found: Findings) -> Problem | None:
    if not found.access_url:
        return None
    here, there = urlsplit(found.url), urlsplit(found.access_url)
    if (here.scheme, here.netloc.lower()) == (there.scheme, there.netloc.lower()):
        return None
    if found.host and found.host.lower() != here.netloc.lower():
        return Problem(
            f"You use {found.url}, but the gateway takes {found.access_url} for its address, and a proxy tells it that"
            f" you asked for {found.host}: terminals in its pages are refused as those of another origin.",
            f"Start the gateway with --access-url {found.url}, and have the proxy pass Host on.",
            is_error=False,
        )
    return Problem(
        f"You use {found.url}, but the gateway takes {found.access_url} for its address.",
        "Workspaces and links use that one: if it is wrong, start the gateway with --access-url.",
        is_error=False,
    )


def _judge_speed(found: Findings) -> Problem | None:
    if found.round_trip_ms is None or found.round_trip_ms < SLOW_MS:
        return None
    return Problem(
        f"An answer of the gateway takes {found.round_trip_ms:.0f} ms: typing will feel slow.",
        "Look at the network between here and the gateway.",
        is_error=False,
    )


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
