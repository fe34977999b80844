"""Flags and environment of `genba agent` (contract 1.11, appendix F)."""

from __future__ import annotations

import argparse
import math
import os
import re
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from genba_agent.errors import OptionsError
from genba_wire.aio.busy_polling import BUSY_POLL_US, MAX_BUSY_POLL_US
from genba_wire.header_text import is_header_name, is_header_value
from genba_wire.version import VERSION_LINE

SUBSYSTEMS: Final = ("envbox", "envbuilder", "exectrace")
"""What the gateway accepts; another one would make it refuse the whole startup report."""

HEADER_COMMAND_TIMEOUT_S: Final = 30.0

SESSION_KEEP_H: Final = 24.0
"""A laptop that is closed in the evening finds its sessions in the morning. What that costs is bounded: without a
connection a session's programs wait, and what they have said is at most what a link keeps."""

SESSION_KEEP_S: Final = round(SESSION_KEEP_H * 3600)

MAX_SESSION_KEEP_H: Final = 8760.0
"""A year; what is longer is a mistake."""

IGNORED_OPTIONS: Final = (
    "--debug-address",
    "--log-stackdriver",
    "--pprof-address",
    "--prometheus-address",
    "--ssh-max-timeout",
    "--tailnet-listen-port",
)
"""Taken with a value, without effect: templates written for Coder may pass them."""

IGNORED_SWITCHES: Final = ("--devcontainers-enable", "--verbose", "-v")

_YES: Final = frozenset({"1", "t", "true", "y", "yes", "on"})

_HOST = re.compile(r"[0-9A-Za-z_~-][0-9A-Za-z._~-]*")
_DIGITS_AND_DOTS = re.compile(r"[0-9.]+")


@dataclass(frozen=True, slots=True)
class Address:
    """Where the gateway is, and what proves who we are."""

    url: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AgentOptions:
    """All that the agent is told from outside. A log path of "" means none."""

    address: Address
    log_dir: Path
    script_data_dir: Path
    log_human: str
    log_json: str
    reaps: bool
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    subsystems: tuple[str, ...] = ()
    ca_file: str = ""
    session_keep_s: int = SESSION_KEEP_S
    """How long sessions outlive their connection."""
    blocks_file_transfer: bool = False
    client_cert: str = ""
    client_key: str = ""
    busy_poll_us: int = BUSY_POLL_US


def parse_options(argv: list[str], environ: Mapping[str, str]) -> AgentOptions:
    """Read flags, and the environment where a flag is absent.

    Raises:
        OptionsError: something is missing or wrong.
        SystemExit: by argparse, for `--help`, `--version` and unknown flags.
    """
    flags = _make_parser().parse_args(argv)
    auth = flags.auth or environ.get("CODER_AGENT_AUTH") or "token"
    if auth != "token":
        raise OptionsError(f"Authentication by {auth!r} is not supported: set --auth (CODER_AGENT_AUTH) to token.")
    temporary = environ.get("TMPDIR") or "/tmp"  # noqa: S108
    log_human = environ.get("CODER_AGENT_LOGGING_HUMAN", "/dev/stderr") if flags.log_human is None else flags.log_human
    return AgentOptions(
        address=find_address(flags.agent_url, flags.agent_token, flags.agent_token_file, environ),
        log_dir=Path(flags.log_dir or environ.get("CODER_AGENT_LOG_DIR") or temporary).expanduser(),
        script_data_dir=Path(
            flags.script_data_dir or environ.get("CODER_AGENT_SCRIPT_DATA_DIR") or temporary
        ).expanduser(),
        log_human=log_human,
        log_json=flags.log_json or environ.get("CODER_AGENT_LOGGING_JSON") or "",
        reaps=not flags.no_reap,
        headers=find_headers(flags.agent_header, flags.agent_header_command, environ),
        subsystems=_parse_subsystems(environ.get("CODER_AGENT_SUBSYSTEM")),
        ca_file=_absolute(flags.ca_file or environ.get("GENBA_CA_FILE") or ""),
        session_keep_s=_parse_keep(flags.session_keep or environ.get("GENBA_AGENT_KEEP") or f"{SESSION_KEEP_H:g}"),
        blocks_file_transfer=_is_set(flags.block_file_transfer, environ.get("CODER_AGENT_BLOCK_FILE_TRANSFER")),
        client_cert=_absolute(flags.client_cert or environ.get("GENBA_CLIENT_CERT") or ""),
        client_key=_absolute(flags.client_key or environ.get("GENBA_CLIENT_KEY") or ""),
        busy_poll_us=_parse_busy_poll(
            flags.busy_poll_us or environ.get("GENBA_AGENT_BUSY_POLL_US") or str(BUSY_POLL_US)
        ),
    )


def find_address(url: str | None, token: str | None, token_file: str | None, environ: Mapping[str, str]) -> Address:
    """Find the gateway's address and our token in flags, else in the environment.

    Raises:
        OptionsError: one of them is missing or can't be right.
    """
    url = (url or environ.get("CODER_AGENT_URL") or "").strip()
    if not url:
        raise OptionsError(
            "The gateway's address is missing: set CODER_AGENT_URL, for example to https://genba.example.com."
        )
    _check_url(url)
    token = token or environ.get("CODER_AGENT_TOKEN") or ""
    token_file = token_file or environ.get("CODER_AGENT_TOKEN_FILE") or ""
    if not token and token_file:
        try:
            token = Path(token_file).read_text(encoding="ascii")
        except (OSError, ValueError) as error:
            raise OptionsError(f"The token file can't be read ({error}): check CODER_AGENT_TOKEN_FILE.") from error
    token = token.strip()
    if not token:
        raise OptionsError(
            "The agent's token is missing: set CODER_AGENT_TOKEN (or CODER_AGENT_TOKEN_FILE) to coder_agent's token."
        )
    try:
        # Else UUID() takes digits of other scripts, too, which no header can carry.
        uuid.UUID(token.encode("ascii").decode())
    except ValueError as error:
        raise OptionsError(
            "CODER_AGENT_TOKEN is not an agent's token, which is a UUID: pass coder_agent's attribute `token`."
        ) from error
    return Address(url=url.rstrip("/"), token=token)


def find_headers(texts: list[str] | None, command: str | None, environ: Mapping[str, str]) -> dict[str, str]:
    """Find the headers that go with every request: in flags, else in the environment; the command's come on top.

    Raises:
        OptionsError: one is none, or the command failed.
    """
    command = command or environ.get("CODER_AGENT_HEADER_COMMAND") or ""
    return _parse_headers([*(texts or _split(environ.get("CODER_AGENT_HEADER"))), *_run_header_command(command)])


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        is_good = parts.scheme in ("http", "https") and parts.port != 0 and url.isprintable() and _is_host(host, url)
    except ValueError as error:
        # Brackets without an address between them; a port that is no number or above 65535.
        raise OptionsError(f"CODER_AGENT_URL is not a web address: {url!r} ({error}).") from error
    if not is_good:
        raise OptionsError(
            f"CODER_AGENT_URL is not a web address: {url!r}; it has to begin with http:// or https:// and a host."
        )


def _is_host(host: str, url: str) -> bool:
    if ":" in host or "://[" in url or _DIGITS_AND_DOTS.fullmatch(host):
        ip_address(host)
        return True
    if host.isascii() and "xn--" not in host:
        return _HOST.fullmatch(host) is not None and ".." not in host
    # Names of other scripts have many rules; httpx, which has to look this one up, knows them.
    import httpx

    try:
        return bool(httpx.URL(url).host)
    except (httpx.InvalidURL, UnicodeError):
        return False


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="genba agent",
        description="The agent of a workspace: connects it to the gateway and runs its scripts.",
        epilog="CODER_AGENT_TOKEN and CODER_AGENT_URL are needed. Each flag is also read from the environment variable "
        "in brackets.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=VERSION_LINE)
    parser.add_argument("--auth", help="only token is supported [CODER_AGENT_AUTH]")
    parser.add_argument("--agent-url", help="the gateway's address [CODER_AGENT_URL]")
    # A token on the command line shows in process lists; the contract has the flag, the help does not praise it.
    parser.add_argument("--agent-token", help=argparse.SUPPRESS)
    parser.add_argument("--agent-token-file", help="a file with the token [CODER_AGENT_TOKEN_FILE]")
    parser.add_argument(
        "--agent-header", action="append", metavar="NAME=VALUE", help="sent with every request [CODER_AGENT_HEADER]"
    )
    parser.add_argument(
        "--agent-header-command", help="prints more NAME=VALUE lines [CODER_AGENT_HEADER_COMMAND]", metavar="COMMAND"
    )
    parser.add_argument("--ca-file", help="the gateway's certificate authority, PEM [GENBA_CA_FILE]", metavar="FILE")
    parser.add_argument(
        "--session-keep",
        metavar="HOURS",
        help=f"how long sessions outlive their connection [GENBA_AGENT_KEEP] ({SESSION_KEEP_H:g})",
    )
    parser.add_argument(
        "--client-cert", help="shown to a gateway that asks for one, PEM [GENBA_CLIENT_CERT]", metavar="FILE"
    )
    parser.add_argument("--client-key", help="its private key, PEM [GENBA_CLIENT_KEY]", metavar="FILE")
    parser.add_argument(
        "--busy-poll-us",
        metavar="MICROSECONDS",
        help=f"look for answers that long before sleeping, while they come that soon [GENBA_AGENT_BUSY_POLL_US] "
        f"({BUSY_POLL_US})",
    )
    parser.add_argument("--log-dir", help="for logs of scripts and of the agent [CODER_AGENT_LOG_DIR] (/tmp)")
    parser.add_argument("--script-data-dir", help="for scripts' own files [CODER_AGENT_SCRIPT_DATA_DIR] (/tmp)")
    parser.add_argument("--log-human", help="the agent's log for people [CODER_AGENT_LOGGING_HUMAN] (/dev/stderr)")
    parser.add_argument("--log-json", help="the agent's log as JSON lines [CODER_AGENT_LOGGING_JSON]")
    parser.add_argument("--no-reap", action="store_true", help="as process 1, don't collect orphaned processes")
    parser.add_argument(
        "--block-file-transfer",
        nargs="?",
        const="true",
        metavar="BOOL",
        help="refuse nc, rsync, scp and sftp over SSH [CODER_AGENT_BLOCK_FILE_TRANSFER]",
    )
    for name in IGNORED_OPTIONS:
        parser.add_argument(name, help=argparse.SUPPRESS)
    for name in IGNORED_SWITCHES:
        # `--switch=false` is how Go programs take booleans, so an optional value is accepted.
        parser.add_argument(name, nargs="?", const="true", help=argparse.SUPPRESS)
    return parser


def _parse_keep(text: str) -> int:
    """Hours as seconds; 0 ends sessions with their connection."""
    try:
        hours = float(text)
    except ValueError:
        hours = -1.0
    if not 0 <= hours <= MAX_SESSION_KEEP_H:
        raise OptionsError(
            f"{text!r} is no number of hours from 0 to {MAX_SESSION_KEEP_H:g}: check --session-keep (GENBA_AGENT_KEEP)."
        )
    return math.ceil(hours * 3600)


def _parse_busy_poll(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= MAX_BUSY_POLL_US):
        raise OptionsError(
            f"{text!r} is no whole number from 0 to {MAX_BUSY_POLL_US}: "
            "check --busy-poll-us (GENBA_AGENT_BUSY_POLL_US)."
        )
    return int(text)


def _is_set(flag: str | None, variable: str | None) -> bool:
    return (variable or "" if flag is None else flag).strip().lower() in _YES


def _absolute(path: str) -> str:
    """It is handed on to programs that run in other folders."""
    return os.path.abspath(path) if path else ""


def _split(text: str | None) -> list[str]:
    return [item.strip() for item in (text or "").split(",") if item.strip()]


def _parse_headers(texts: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        name, value = name.strip(), value.strip()
        if not separator or not is_header_name(name):
            # Without the text itself, which may hold a secret.
            raise OptionsError("A header is not of the form NAME=VALUE: check --agent-header (CODER_AGENT_HEADER).")
        if not is_header_value(value):
            raise OptionsError(f"The header {name} has a character that is not plain ASCII: encode its value.")
        headers[name] = value
    return headers


def _run_header_command(command: str) -> list[str]:
    if not command:
        return []
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", command], capture_output=True, text=True, check=True, timeout=HEADER_COMMAND_TIMEOUT_S
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise OptionsError(
            f"The header command failed ({type(error).__name__}): check --agent-header-command."
        ) from error
    return [line for line in done.stdout.splitlines() if line.strip()]


def _parse_subsystems(text: str | None) -> tuple[str, ...]:
    subsystems = tuple(dict.fromkeys(_split(text)))
    for subsystem in subsystems:
        if subsystem not in SUBSYSTEMS:
            raise OptionsError(f"CODER_AGENT_SUBSYSTEM has the unknown {subsystem!r}; known: {', '.join(SUBSYSTEMS)}.")
    return subsystems
