"""`data.coder_workspace`: the workspace that is being built."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from genba_gateway.provider.context import Session
from genba_gateway.provider.problems import Problem, Refused
from genba_gateway.provider.schema import Attribute, Block, Mode, ReadOnly, Schema
from genba_gateway.provider.values import Fields, Object, Primitive

NUMBER = Primitive.NUMBER
BOOL = Primitive.BOOL
COMPUTED = Mode.COMPUTED

SCHEMA = Schema(
    Block(
        (
            Attribute("id", mode=COMPUTED, description="Its id."),
            Attribute("access_url", mode=COMPUTED, description="The gateway's URL for agents."),
            Attribute("access_port", NUMBER, COMPUTED, description="The port of that URL."),
            Attribute("prebuild_count", NUMBER, COMPUTED, description="1 when this builds a spare workspace."),
            Attribute("start_count", NUMBER, COMPUTED, description="1 when it starts, else 0."),
            Attribute("transition", mode=COMPUTED, description="start, stop or destroy."),
            Attribute("is_prebuild", BOOL, COMPUTED, description="Whether this builds a spare workspace."),
            Attribute("is_prebuild_claim", BOOL, COMPUTED, description="Whether a user takes over a spare one."),
            Attribute("name", mode=COMPUTED, description="Its name."),
            Attribute("template_id", mode=COMPUTED, description="Its template's id."),
            Attribute("template_name", mode=COMPUTED, description="Its template's name."),
            Attribute("template_version", mode=COMPUTED, description="The version of its template."),
        ),
        description="The workspace that is being built.",
    ),
    version=1,
)


class Workspace(ReadOnly):
    """The data source."""

    name = "coder_workspace"
    schema = SCHEMA

    async def read(self, session: Session, config: Fields) -> Object:
        """Take it from the build."""
        del config
        transition = session.variable("CODER_WORKSPACE_TRANSITION") or "start"
        is_claim = session.variable("CODER_WORKSPACE_IS_PREBUILD_CLAIM") == "true"
        is_prebuild = session.variable("CODER_WORKSPACE_IS_PREBUILD") == "true" and not is_claim
        return {
            "id": session.variable("CODER_WORKSPACE_ID") or str(uuid.uuid4()),
            "access_url": session.url,
            "access_port": find_port(session.url),
            "prebuild_count": int(is_prebuild and transition == "start"),
            "start_count": int(transition == "start"),
            "transition": transition,
            "is_prebuild": is_prebuild,
            "is_prebuild_claim": is_claim,
            "name": session.variable("CODER_WORKSPACE_NAME") or "default",
            "template_id": _read_template(session, "CODER_WORKSPACE_TEMPLATE_ID"),
            "template_name": _read_template(session, "CODER_WORKSPACE_TEMPLATE_NAME"),
            "template_version": _read_template(session, "CODER_WORKSPACE_TEMPLATE_VERSION"),
        }


def find_port(url: str) -> int:
    """Give the port that a URL leads to, from its scheme when it names none."""
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def _read_template(session: Session, name: str) -> str:
    value = session.variable(name)
    if not value and session.variable("CODER_WORKSPACE_BUILD_ID"):
        detail = f"A build must pass {name}. Whoever runs Terraform with this provider has to set it."
        raise Refused(Problem("The build doesn't say what its template is", detail))
    return value
