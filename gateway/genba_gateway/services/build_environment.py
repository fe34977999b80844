"""What a build tells the provider: the values behind the data sources (contract 4.5).

They go to the provider that the gateway hosts, never into Terraform's own environment, so scripts that Terraform
runs don't inherit them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.templates import TemplateVersion
from genba_gateway.domain.users import User
from genba_gateway.domain.workspaces import Build

_TRANSITION: Final = {Transition.START: "start", Transition.STOP: "stop", Transition.DELETE: "destroy"}


@dataclass(frozen=True, slots=True)
class OwnerSecrets:
    """What only the provider is told of an owner."""

    ssh_public_key: str = ""
    ssh_private_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)


class OwnerSecretsSource(Protocol):
    """Where a build's owner's keys come from."""

    async def make_owner_secrets(self, owner: User, build: Build) -> OwnerSecrets:
        """Keys for a build; a start build gets a fresh session token, a stop or delete ends it."""
        ...

    async def end_session_token(self, owner: User, build: Build) -> None:
        """End the workspace's session token without any other key: for a build that runs no Terraform."""
        ...


def environment_of_import(owner: User) -> dict[str, str]:
    """For an import: an imagined workspace of the author's, so that plans work."""
    return {
        "CODER_WORKSPACE_NAME": "default",
        **_of_owner(owner, OwnerSecrets()),
    }


def environment_of_dry_run(
    version: TemplateVersion, owner: User, workspace_name: str, parameters: Mapping[str, str]
) -> dict[str, str]:
    """For a plan that nobody will apply: what a first build would be told, but for ids and keys of the owner's."""
    return {
        "CODER_WORKSPACE_NAME": workspace_name,
        "CODER_WORKSPACE_TEMPLATE_ID": version.template_id or "",
        "CODER_WORKSPACE_TEMPLATE_NAME": version.template_name,
        "CODER_WORKSPACE_TEMPLATE_VERSION": version.name,
        **_of_owner(owner, OwnerSecrets()),
        **_of_parameters(parameters),
    }


def environment_of_build(
    build: Build,
    owner: User,
    secrets: OwnerSecrets,
    parameters: Mapping[str, str],
    previous_parameters: Mapping[str, str],
    init_scripts: Mapping[str, str],
) -> dict[str, str]:
    """For a build; `init_scripts` by `<os>_<arch>`."""
    return {
        "CODER_WORKSPACE_TRANSITION": _TRANSITION[build.transition],
        "CODER_WORKSPACE_NAME": build.workspace_name,
        "CODER_WORKSPACE_ID": build.workspace_id,
        "CODER_WORKSPACE_BUILD_ID": build.id,
        "CODER_WORKSPACE_TEMPLATE_ID": build.template_id,
        "CODER_WORKSPACE_TEMPLATE_NAME": build.template_name,
        "CODER_WORKSPACE_TEMPLATE_VERSION": build.template_version_name,
        **_of_owner(owner, secrets),
        **_of_parameters(parameters),
        **{f"CODER_PARAMETER_PREVIOUS_{_hash(name)}": value for name, value in previous_parameters.items()},
        **{f"CODER_AGENT_SCRIPT_{platform}": script for platform, script in init_scripts.items()},
    }


def _of_owner(owner: User, secrets: OwnerSecrets) -> dict[str, str]:
    return {
        "CODER_WORKSPACE_OWNER": owner.username,
        "CODER_WORKSPACE_OWNER_ID": owner.id,
        "CODER_WORKSPACE_OWNER_NAME": owner.name or owner.username,
        "CODER_WORKSPACE_OWNER_EMAIL": owner.email,
        "CODER_WORKSPACE_OWNER_GROUPS": "[]",
        "CODER_WORKSPACE_OWNER_LOGIN_TYPE": owner.login_type,
        "CODER_WORKSPACE_OWNER_RBAC_ROLES": json.dumps(_roles(owner.roles)),
        "CODER_WORKSPACE_OWNER_SSH_PUBLIC_KEY": secrets.ssh_public_key,
        "CODER_WORKSPACE_OWNER_SSH_PRIVATE_KEY": secrets.ssh_private_key,
        "CODER_WORKSPACE_OWNER_SESSION_TOKEN": secrets.session_token,
    }


def _of_parameters(parameters: Mapping[str, str]) -> dict[str, str]:
    return {f"CODER_PARAMETER_{_hash(name)}": value for name, value in parameters.items()}


def _roles(roles: Sequence[str]) -> list[dict[str, str]]:
    return [{"name": role, "org_id": ""} for role in roles]


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
