"""The gateway's settings as its owners may see them (contract, appendix G): secrets are named, never shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Final

from genba_gateway.config import Config
from genba_gateway.domain.actors import Action, Resource, UserActor
from genba_gateway.services.visibility import require
from genba_wire.api.deployment import DeploymentConfig, DeploymentOption

SECRETS: Final = frozenset({"database_url"})
"""Settings that may hold a password. `GENBA_ENCRYPTION_KEYS` is no setting of `Config`, and stays out of it."""


class DeploymentSettings:
    """The settings, for who may see them."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def get(self, actor: UserActor) -> DeploymentConfig:
        """The settings as they are.

        Raises:
            NotFound: the actor may not see them.
        """
        require(actor, Resource.DEPLOYMENT_CONFIG, Action.READ)
        return describe_config(self._config)


def describe_config(config: Config) -> DeploymentConfig:
    """The settings, and what the contract's clients know of them by its own names."""
    return DeploymentConfig(config=_contract_keys(config), options=_list_options(config))


def _contract_keys(config: Config) -> dict[str, object]:
    return {
        "access_url": config.url,
        "http_address": config.listen,
        "config_ssh": {
            "deploymentName": config.ssh_hostname_prefix,
            "sshconfigOptions": [f"{name}={value}" for name, value in config.ssh_config_options.items()],
        },
        "provisioner": {"daemons": config.concurrent_builds, "daemon_types": ["terraform"]},
        "proxy_trusted_origins": list(config.trusted_proxies),
        "secure_auth_cookie": config.url.startswith("https:"),
        "telemetry": {"enable": False},
        "tls": {
            "enable": bool(config.tls_cert),
            "address": config.listen if config.tls_cert else "",
            "cert_file": [config.tls_cert] if config.tls_cert else [],
            "key_file": [config.tls_key] if config.tls_key else [],
            "client_ca_file": config.tls_client_ca,
        },
        "wildcard_access_url": "",
    }


def _list_options(config: Config) -> list[DeploymentOption]:
    defaults = Config()
    return [
        DeploymentOption(
            name=name.replace("_", " ").capitalize(),
            flag=name.replace("_", "-"),
            env=f"GENBA_{name.upper()}",
            yaml=name,
            value="" if name in SECRETS else _as_text(getattr(config, name)),
            default=_as_text(getattr(defaults, name)),
            annotations={"secret": "true"} if name in SECRETS else {},
        )
        for name in sorted(field.name for field in fields(Config))
    ]


def _as_text(value: object) -> str:
    """As it would be written for a flag."""
    match value:
        case bool():
            return str(value).lower()
        case Mapping():
            return ",".join(f"{name}={each}" for name, each in value.items())  # pyright: ignore[reportUnknownVariableType]  # a Mapping of text
        case tuple():
            return ",".join(str(each) for each in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # addresses
        case _:
            return str(value)
