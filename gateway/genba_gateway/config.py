"""Settings of `genba server`: flags, then GENBA_… in the environment, then a TOML file, then defaults."""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

from genba_gateway.domain.app_hosts import AppHosts, make_app_hosts
from genba_gateway.domain.ssh_host_names import DEFAULT_PREFIX, DEFAULT_SUFFIX
from genba_gateway.errors import ConfigError
from genba_wire.aio.busy_polling import BUSY_POLL_US, MAX_BUSY_POLL_US

DEFAULT_LISTEN: Final = "127.0.0.1:3000"
SESSION_LIFETIME_S: Final = 24 * 3600
"""A browser's or `login`'s session (contract 5.1); sliding."""

_SSH_PREFIX: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9.-]*[.-]", re.ASCII)
_SSH_SUFFIX: Final = re.compile(r"[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*", re.ASCII)
_SSH_OPTION: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9]*", re.ASCII)
_SSH_OPTION_PARTS: Final = re.compile(r"\s*=\s*|\s+")


@dataclass(frozen=True, slots=True)
class Config:
    """How this gateway runs. Names are those of the flags, docs/configuration.md explains each."""

    listen: str = DEFAULT_LISTEN
    agent_listen: str = ""
    access_url: str = ""
    apps_url: str = ""
    wildcard_access_url: str = ""
    disable_path_apps: bool = False
    bin_dir: str = ""
    data_dir: Path = field(default_factory=lambda: Path("~/.local/share/genba").expanduser())
    database_url: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    trusted_proxies: tuple[str, ...] = ()
    ssh_hostname_prefix: str = DEFAULT_PREFIX
    ssh_hostname_suffix: str = DEFAULT_SUFFIX
    ssh_config_options: Mapping[str, str] = field(default_factory=dict[str, str])
    allow_host_workspaces: bool = False
    terraform_path: str = ""
    concurrent_builds: int = 2 * (os.cpu_count() or 1)
    cancel_grace_s: float = 180.0
    init_limit_s: float = 600.0
    busy_poll_us: int = BUSY_POLL_US

    @property
    def host(self) -> str:
        """The address to listen on."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port to listen on."""
        return int(self.listen.rpartition(":")[2])

    @property
    def executables(self) -> Path:
        """The folder of the programs that are served under /bin."""
        return Path(self.bin_dir).expanduser().resolve() if self.bin_dir else self.data_dir / "bin"

    @property
    def agent_address(self) -> tuple[str, int] | None:
        """The further address for agents alone: host and port."""
        host, _, port = self.agent_listen.rpartition(":")
        return (str(ipaddress.ip_address(host.strip("[]"))), int(port)) if self.agent_listen else None

    @property
    def url(self) -> str:
        """What clients and agents are told to call."""
        if self.access_url:
            return self.access_url.rstrip("/")
        scheme = "https" if self.tls_cert else "http"
        host = self.host if self.host not in {"0.0.0.0", "::", ""} else "127.0.0.1"  # compared, not bound
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def app_hosts(self) -> AppHosts:
        """The origins of workspace apps.

        Raises:
            ConfigError: a setting would not keep them apart from the dashboard.
        """
        try:
            return make_app_hosts(
                self.url,
                apps_url=self.apps_url,
                wildcard_access_url=self.wildcard_access_url,
                disable_path_apps=self.disable_path_apps,
            )
        except ValueError as error:
            raise ConfigError(str(error)) from error


def load_config(flags: Mapping[str, Any], environment: Mapping[str, str], config_file: str | None) -> Config:
    """Merge flags, environment and file.

    Args:
        flags: given flags only, by their names with underscores; values as text or already typed.
        environment: `GENBA_<NAME>` is read.
        config_file: path of a TOML file with the same names, or None.

    Raises:
        ConfigError: an unknown name or a value that can't be used; the message names it.
    """
    known = {each.name for each in fields(Config)}
    merged: dict[str, Any] = {}
    if config_file:
        merged.update(_read_file(config_file, known))
    for name in known:
        value = environment.get(f"GENBA_{name.upper()}")
        if value:
            merged[name] = value
    merged.update({name: value for name, value in flags.items() if value is not None})
    config = Config(**{name: _convert(name, value) for name, value in merged.items()})
    _check(config)
    return config


def _read_file(config_file: str, known: set[str]) -> dict[str, Any]:
    try:
        content = tomllib.loads(Path(config_file).read_text())
    except (OSError, ValueError) as error:  # ValueError: neither TOML nor UTF-8
        raise ConfigError(f"Can't read the configuration file {config_file}: {error}.") from error
    content = {name.replace("-", "_"): value for name, value in content.items()}
    unknown = sorted(content.keys() - known)
    if unknown:
        raise ConfigError(f"{config_file} sets {unknown[0]!r}, which is no setting; see docs/configuration.md.")
    return content


def _convert(name: str, value: Any) -> Any:
    try:
        match name:
            case "data_dir":
                return Path(value).expanduser().resolve()
            case "trusted_proxies":
                return tuple(value.replace(",", " ").split()) if isinstance(value, str) else tuple(value)
            case "allow_host_workspaces" | "disable_path_apps":
                return value if isinstance(value, bool) else _parse_bool(str(value))
            case "ssh_config_options":
                return _read_ssh_options(value)
            case "concurrent_builds" | "busy_poll_us":
                return int(value)
            case "cancel_grace_s" | "init_limit_s":
                return float(value)
            case _:
                return str(value)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{name.replace('_', '-')}={value!r} can't be used: {error}.") from error


def _parse_bool(value: str) -> bool:
    lowered = value.lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"0", "false", "no", "off"}:
        return False
    raise ValueError("say true or false")


def _read_ssh_options(value: Any) -> dict[str, str]:
    """Options as a table of TOML, or as text: `Name=value` or `Name value`, separated by commas."""
    if isinstance(value, Mapping):
        pairs = [(str(name), str(each)) for name, each in cast("Mapping[object, object]", value).items()]
    else:
        each_option: Sequence[object] = value.split(",") if isinstance(value, str) else list(value)
        pairs = [_split_ssh_option(str(each)) for each in each_option if str(each).strip()]
    for name, text in pairs:
        if not _SSH_OPTION.fullmatch(name):
            raise ValueError(f"{name!r} is no name of an ssh option, such as ServerAliveInterval")
        if not text or not text.isprintable():
            raise ValueError(f"{name} needs a value on one line")
    return dict(pairs)


def _split_ssh_option(option: str) -> tuple[str, str]:
    name, *values = _SSH_OPTION_PARTS.split(option.strip(), maxsplit=1)
    return name, "".join(values)


def _check_ssh_names(config: Config) -> None:
    """Both become a part of host names, and of the principals of host certificates."""
    if not _SSH_PREFIX.fullmatch(config.ssh_hostname_prefix):
        raise ConfigError(
            f"--ssh-hostname-prefix {config.ssh_hostname_prefix!r} must be letters, digits, dots and hyphens, and end "
            f"in a dot or a hyphen, as {DEFAULT_PREFIX!r} does."
        )
    if not _SSH_SUFFIX.fullmatch(config.ssh_hostname_suffix):
        raise ConfigError(
            f"--ssh-hostname-suffix {config.ssh_hostname_suffix!r} must be letters, digits and hyphens, with single "
            f"dots between them, such as {DEFAULT_SUFFIX!r}."
        )


def _check(config: Config) -> None:
    _check_ssh_names(config)
    _check_address("--listen", config.listen, DEFAULT_LISTEN)
    if config.agent_listen:
        _check_agent_listen(config)
    if config.access_url and urlsplit(config.access_url).scheme not in {"http", "https"}:
        raise ConfigError(f"--access-url {config.access_url!r} must begin with http:// or https://.")
    _ = config.app_hosts
    if bool(config.tls_cert) != bool(config.tls_key):
        raise ConfigError("--tls-cert and --tls-key belong together: give both or neither.")
    if config.tls_client_ca and not config.tls_cert:
        raise ConfigError("--tls-client-ca needs --tls-cert and --tls-key: without TLS no client shows a certificate.")
    for network in config.trusted_proxies:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError as error:
            raise ConfigError(f"--trusted-proxies {network!r} is neither an address nor a network.") from error
    if config.concurrent_builds < 1:
        raise ConfigError("--concurrent-builds must be at least 1.")
    if config.init_limit_s <= 0:
        raise ConfigError("--init-limit-s must be more than 0.")
    if not 0 <= config.busy_poll_us <= MAX_BUSY_POLL_US:
        raise ConfigError(f"--busy-poll-us must be between 0, which turns it off, and {MAX_BUSY_POLL_US}.")


def _check_address(flag: str, address: str, example: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(f"{flag} {address!r} is not HOST:PORT, for example {example}.")


def _check_agent_listen(config: Config) -> None:
    """Connections to it are told from others by the address they came to, so there must be no doubt about that."""
    _check_address("--agent-listen", config.agent_listen, "172.17.0.1:3000")
    host, _, port = config.agent_listen.rpartition(":")
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        raise ConfigError(f"--agent-listen needs an IP address, not the name {host!r}.") from None
    if int(port) == config.port and (address.is_unspecified or config.host in {"0.0.0.0", "::", host}):  # compared
        raise ConfigError(f"--agent-listen {config.agent_listen} and --listen {config.listen} overlap: change a port.")
