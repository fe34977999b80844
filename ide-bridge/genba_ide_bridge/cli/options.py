"""Global flags: from the command line, then GENBA_*, then CODER_* of the environment, then the session folder."""

from __future__ import annotations

import csv
import io
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from genba_ide_bridge.cli.session import SessionFolder, default_config_dir, normalize_url
from genba_ide_bridge.errors import BridgeError, NotSignedIn
from genba_wire.header_text import is_header_name

HEADER_COMMAND_TIMEOUT_S = 60.0


@dataclass(slots=True)
class GlobalFlags:
    """What the command line said, in the order of its words; None or empty where it said nothing."""

    url: str | None = None
    token: str | None = None
    global_config: str | None = None
    header: list[str] = field(default_factory=list[str])
    header_command: str | None = None
    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    no_version_warning: bool = False
    verbose: bool = False
    no_open: bool = False
    force_tty: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """The flags of one call, with the environment and the session folder behind them."""

    flags: GlobalFlags
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @property
    def folder(self) -> SessionFolder:
        """Where the session is kept."""
        named = self.flags.global_config or self.variable("CONFIG_DIR")
        return SessionFolder(Path(named).expanduser() if named else default_config_dir())

    @property
    def explicit_url(self) -> str:
        """The gateway that this call names by flag or environment, or an empty string."""
        named = self.flags.url or self.variable("URL")
        return normalize_url(named) if named else ""

    @property
    def explicit_token(self) -> str | None:
        """The token that this call names by flag or environment; it may be empty. None when none is named."""
        if self.flags.token is not None:
            return self.flags.token.strip()
        for name in variable_names("SESSION_TOKEN"):
            if name in self.environment:
                return self.environment[name].strip()
        return None

    def url(self) -> str:
        """The gateway to talk to.

        Raises:
            NotSignedIn: none is named and none is kept.
        """
        url = self.explicit_url or self.folder.read_url()
        if not url:
            raise NotSignedIn("You are not signed in to a gateway.", "Run `genba login URL`.")
        return normalize_url(url)

    def token(self) -> str:
        """The token to talk with, or an empty string (where a proxy signs in by certificate)."""
        explicit = self.explicit_token
        if explicit:
            return explicit
        stored_for = self.folder.read_url()
        # A token belongs to the gateway that gave it; --url must not send it to another one.
        if self.explicit_url and stored_for and normalize_url(stored_for) != self.explicit_url:
            return ""
        return self.folder.read_token()

    def headers(self) -> dict[str, str]:
        """Further headers of every request.

        Raises:
            BridgeError: one is not `name=value`, or the command that prints them failed.
        """
        lines = list(self.flags.header) or split_list(self.variable("HEADER"))
        command = self.flags.header_command or self.variable("HEADER_COMMAND")
        if command:
            lines += _run_header_command(command, self.explicit_url or self.folder.read_url())
        headers: dict[str, str] = {}
        for number, line in enumerate(lines, start=1):
            name, separator, value = line.partition("=")
            if not separator or not is_header_name(name.strip()):
                # What was given is not repeated: `Authorization: Bearer …` holds a secret wherever it is cut.
                raise BridgeError(
                    f"A header is NAME=VALUE, and number {number} of {len(lines)} is not.",
                    "Look at --header and --header-command, and their variables.",
                )
            headers[name.strip()] = value.strip()
        return headers

    @property
    def ca_file(self) -> str:
        """The file of the only certificate authorities to believe, or an empty string."""
        return _path(self.flags.ca_file or self.variable("CA_FILE"))

    @property
    def client_cert(self) -> str:
        """The file of the certificate to show to a gateway that asks for one, or an empty string."""
        return _path(self.flags.client_cert or self.variable("CLIENT_CERT"))

    @property
    def client_key(self) -> str:
        """The file of that one's key; an empty string where the certificate's file holds it."""
        return _path(self.flags.client_key or self.variable("CLIENT_KEY"))

    @property
    def is_verbose(self) -> bool:
        """Whether tracebacks are shown."""
        return self.flags.verbose or _is_true(self.variable("VERBOSE"))

    @property
    def tells_version(self) -> bool:
        """Whether another version of the gateway is worth a line."""
        return not (self.flags.no_version_warning or _is_true(self.variable("NO_VERSION_WARNING")))

    @property
    def opens_browser(self) -> bool:
        """Whether pages may be opened."""
        return not (self.flags.no_open or _is_true(self.variable("NO_OPEN")))

    @property
    def forces_terminal(self) -> bool:
        """Whether questions are asked although there is no terminal."""
        return self.flags.force_tty or _is_true(self.variable("FORCE_TTY"))

    def as_environment(self) -> dict[str, str]:
        """The command line's flags as variables, so that another call reaches the gateway as this one does.

        In a command line others could read a token, and the headers that may hold one.
        """
        flags = self.flags
        named = {
            "URL": flags.url,
            "SESSION_TOKEN": flags.token,
            "CONFIG_DIR": str(Path(flags.global_config).expanduser().absolute()) if flags.global_config else None,
            "HEADER": join_list(flags.header),
            "HEADER_COMMAND": flags.header_command,
            "CA_FILE": str(Path(flags.ca_file).expanduser().absolute()) if flags.ca_file else None,
            "NO_VERSION_WARNING": "true" if flags.no_version_warning else None,
        }
        return {f"GENBA_{name}": value for name, value in named.items() if value}

    def variable(self, name: str) -> str:
        """A setting of the environment: GENBA_… wins over CODER_…; empty ones count as absent."""
        return next((self.environment[key] for key in variable_names(name) if self.environment.get(key)), "")


def _path(named: str) -> str:
    return str(Path(named).expanduser()) if named else ""


def variable_names(name: str) -> list[str]:
    """Names of a setting in the environment, the first wins."""
    return [f"GENBA_{name}", f"CODER_{name}"]


def split_list(text: str) -> list[str]:
    """Split a list as the contract's clients write it into one variable: commas, with quotes around what holds one."""
    return [item for row in csv.reader(text.splitlines()) for item in row if item]


def join_list(items: Sequence[str]) -> str:
    """Write a list as `split_list` reads it."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(items)
    return text.getvalue() if items else ""


def _is_true(text: str) -> bool:
    return text.lower() in ("1", "t", "true", "yes")


def _run_header_command(command: str, url: str) -> Sequence[str]:
    # The user's own command, with a shell as in the contract's clients; it is told the gateway's address.
    environment = {**os.environ, "GENBA_URL": url, "CODER_URL": url}
    try:
        done = subprocess.run(  # noqa: S602  a shell command is what the flag takes
            command,
            shell=True,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=HEADER_COMMAND_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BridgeError(f"--header-command took more than {HEADER_COMMAND_TIMEOUT_S:.0f} s.") from error
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise BridgeError(f"--header-command failed with exit code {done.returncode}.", said[-1] if said else "")
    return [line for line in done.stdout.splitlines() if line.strip()]
