"""`coder_env`: an environment variable of an agent's sessions and scripts."""

from __future__ import annotations

import re
import uuid

from genba_gateway.provider.checks import one_of
from genba_gateway.provider.context import Session
from genba_gateway.provider.schema import Attribute, Block, DeclaredResource, Mode, Schema, computed_id
from genba_gateway.provider.values import Fields, Object, Value

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _is_variable(value: Value) -> str | None:
    if isinstance(value, str) and VARIABLE.fullmatch(value):
        return None
    return f"{value!r} can't name a variable. Use letters, digits and _, and no digit first."


SCHEMA = Schema(
    Block(
        (
            computed_id(),
            Attribute("agent_id", mode=Mode.REQUIRED, description="The agent that sets it."),
            Attribute("name", mode=Mode.REQUIRED, checks=(_is_variable,), description="The variable."),
            Attribute("value", description="Its value."),
            Attribute(
                "merge_strategy",
                default="replace",
                checks=(one_of("replace", "append", "prepend", "error"),),
                description="What becomes of a value that another coder_env gives the same variable.",
            ),
        ),
        description="An environment variable of an agent's sessions and scripts.",
    ),
    version=1,
)


class Env(DeclaredResource):
    """The variable."""

    name = "coder_env"
    schema = SCHEMA

    async def create(self, session: Session, planned: Fields) -> Object:
        """Make its id."""
        del session, planned
        return {"id": str(uuid.uuid4())}
