from __future__ import annotations

import hashlib
import json

import pytest

from genba_gateway.domain.provisioning import Transition
from genba_gateway.services.build_environment import OwnerSecrets, environment_of_build, environment_of_import
from tests.support.workshop import Workshop

SECRETS = OwnerSecrets("ssh-ed25519 AAAA", "PRIVATE", "key-secret")


def test_secrets_are_not_in_what_is_logged() -> None:
    assert "PRIVATE" not in repr(SECRETS)
    assert "key-secret" not in repr(SECRETS)


async def test_an_import_sees_its_author_and_an_imagined_workspace(workshop: Workshop) -> None:
    environment = environment_of_import(workshop.owner.user)
    assert environment["CODER_WORKSPACE_NAME"] == "default"
    assert environment["CODER_WORKSPACE_OWNER"] == "olga"
    assert environment["CODER_WORKSPACE_OWNER_NAME"] == "Olga"
    assert json.loads(environment["CODER_WORKSPACE_OWNER_RBAC_ROLES"]) == [{"name": "owner", "org_id": ""}]
    assert environment["CODER_WORKSPACE_OWNER_SESSION_TOKEN"] == ""


@pytest.mark.parametrize(
    ("transition", "word"), [(Transition.START, "start"), (Transition.STOP, "stop"), (Transition.DELETE, "destroy")]
)
async def test_a_build_sees_its_workspace_its_owner_and_its_values(
    workshop: Workshop, transition: Transition, word: str
) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template(), run=False)
    await workshop.services.builds.cancel(workshop.member.actor, workspace["latest_build"]["id"])
    made = await workshop.add_build(workspace, transition.value, run=False)
    build = await workshop.services.builds.get(workshop.member.actor, made["id"])
    environment = environment_of_build(
        build, workshop.member.user, SECRETS, {"größe": "1"}, {"größe": "0"}, {"linux_amd64": "curl"}
    )
    name = hashlib.sha256("größe".encode()).hexdigest()
    expected = {
        "CODER_WORKSPACE_TRANSITION": word,
        "CODER_WORKSPACE_ID": workspace["id"],
        "CODER_WORKSPACE_TEMPLATE_ID": workspace["template_id"],
        "CODER_WORKSPACE_OWNER_ID": workshop.member.user.id,
        "CODER_WORKSPACE_OWNER_SSH_PRIVATE_KEY": "PRIVATE",
        "CODER_WORKSPACE_OWNER_SESSION_TOKEN": "key-secret",
        f"CODER_PARAMETER_{name}": "1",
        f"CODER_PARAMETER_PREVIOUS_{name}": "0",
        "CODER_AGENT_SCRIPT_linux_amd64": "curl",
    }
    assert expected.items() <= environment.items()
