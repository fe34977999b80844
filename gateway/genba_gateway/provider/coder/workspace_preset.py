"""`data.coder_workspace_preset`: values of several parameters under one name, for users to choose at once."""

from __future__ import annotations

import uuid

from genba_gateway.provider.checks import is_filled, is_url, within
from genba_gateway.provider.context import Session
from genba_gateway.provider.schema import Attribute, Block, Mode, NestedBlock, Nesting, ReadOnly, Schema, computed_id
from genba_gateway.provider.values import Fields, MapOf, Object, Primitive

REQUIRED = Mode.REQUIRED
NUMBER = Primitive.NUMBER

EXPIRATION = Block((Attribute("ttl", NUMBER, REQUIRED, checks=(within(0),), description="Seconds."),))

SCHEDULE = Block(
    (
        Attribute("cron", mode=REQUIRED, description="When it counts."),
        Attribute("instances", NUMBER, REQUIRED, checks=(within(0),), description="How many then."),
    )
)

SCHEDULING = Block(
    (Attribute("timezone", mode=REQUIRED, description="The schedules' zone."),),
    (NestedBlock("schedule", SCHEDULE),),
)

PREBUILDS = Block(
    (Attribute("instances", NUMBER, REQUIRED, checks=(within(0),), description="How many to keep."),),
    (
        NestedBlock("expiration_policy", EXPIRATION, Nesting.SET, max_items=1),
        NestedBlock("scheduling", SCHEDULING, max_items=1),
    ),
    description="Workspaces to be made before anybody asks; this gateway makes none.",
)

SCHEMA = Schema(
    Block(
        (
            computed_id(),
            Attribute("name", mode=REQUIRED, checks=(is_filled,), description="What users choose."),
            Attribute("description", description="What it is for."),
            Attribute("icon", checks=(is_url,), description="Where its picture is."),
            Attribute("default", Primitive.BOOL, default=False, description="Whether forms choose it at first."),
            Attribute("parameters", MapOf(Primitive.STRING), description="Values by the parameters' names."),
        ),
        (NestedBlock("prebuilds", PREBUILDS, Nesting.SET, max_items=1),),
        description="Values of several parameters under one name.",
    ),
    version=1,
)


class WorkspacePreset(ReadOnly):
    """The data source; the gateway reads what it says when it imports a version."""

    name = "coder_workspace_preset"
    schema = SCHEMA

    async def read(self, session: Session, config: Fields) -> Object:
        """Give it an id."""
        del session, config
        return {"id": str(uuid.uuid4())}
