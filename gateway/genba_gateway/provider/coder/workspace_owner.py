"""`data.coder_workspace_owner`: whose workspace is being built."""

from __future__ import annotations

import uuid

from genba_gateway.provider.context import Session
from genba_gateway.provider.problems import Problem, Refused
from genba_gateway.provider.schema import Attribute, Block, Mode, ReadOnly, Schema
from genba_gateway.provider.values import (
    Fields,
    ListOf,
    MalformedValue,
    Object,
    ObjectOf,
    Primitive,
    Type,
    Value,
    decode_json,
)

COMPUTED = Mode.COMPUTED
PREFIX = "CODER_WORKSPACE_OWNER"
GROUPS = ListOf(Primitive.STRING)
ROLES = ListOf(ObjectOf({"name": Primitive.STRING, "org_id": Primitive.STRING}))

SCHEMA = Schema(
    Block(
        (
            Attribute("id", mode=COMPUTED, description="The user's id."),
            Attribute("name", mode=COMPUTED, description="The user's name."),
            Attribute("full_name", mode=COMPUTED, description="The user's name in full."),
            Attribute("email", mode=COMPUTED, description="The user's mail address."),
            Attribute("ssh_public_key", mode=COMPUTED, description="The key that the gateway keeps for Git."),
            Attribute("ssh_private_key", mode=COMPUTED, is_sensitive=True, description="Its private half."),
            Attribute("groups", GROUPS, COMPUTED, description="The groups that the user is in."),
            Attribute("session_token", mode=COMPUTED, is_sensitive=True, description="Signs in as the user."),
            Attribute(
                "oidc_access_token",
                mode=COMPUTED,
                is_sensitive=True,
                description="The token of the identity provider, if the user signed in with one.",
            ),
            Attribute("login_type", mode=COMPUTED, description="How the user signs in."),
            Attribute("rbac_roles", ROLES, COMPUTED, description="The roles that the user has."),
        ),
        description="Whose workspace is being built.",
    ),
)


class WorkspaceOwner(ReadOnly):
    """The data source."""

    name = "coder_workspace_owner"
    schema = SCHEMA

    async def read(self, session: Session, config: Fields) -> Object:
        """Take it from the build."""
        del config
        return {
            "id": session.variable(f"{PREFIX}_ID") or str(uuid.uuid4()),
            "name": session.variable(PREFIX) or "default",
            "full_name": session.variable(f"{PREFIX}_NAME") or "default",
            "email": session.variable(f"{PREFIX}_EMAIL") or "default@example.com",
            "ssh_public_key": session.variable(f"{PREFIX}_SSH_PUBLIC_KEY"),
            "ssh_private_key": session.variable(f"{PREFIX}_SSH_PRIVATE_KEY"),
            "groups": _read_list(session, f"{PREFIX}_GROUPS", GROUPS),
            "session_token": session.variable(f"{PREFIX}_SESSION_TOKEN"),
            "oidc_access_token": session.variable(f"{PREFIX}_OIDC_ACCESS_TOKEN"),
            "login_type": session.variable(f"{PREFIX}_LOGIN_TYPE") or None,
            "rbac_roles": _read_list(session, f"{PREFIX}_RBAC_ROLES", ROLES),
        }


def _read_list(session: Session, name: str, of: Type) -> Value:
    text = session.variable(name)
    if not text:
        return []
    try:
        return decode_json(text.encode(), of) or []
    except MalformedValue as error:
        detail = f"{name} is not a JSON list as it should be: {error}. Whoever runs Terraform has to set it."
        raise Refused(Problem("The build describes its owner wrongly", detail)) from error
