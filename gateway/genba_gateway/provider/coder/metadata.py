"""`coder_metadata`: what users see about a resource of a workspace."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from genba_gateway.provider.checks import find_repeated, is_url
from genba_gateway.provider.context import Session
from genba_gateway.provider.problems import Problem
from genba_gateway.provider.schema import (
    Attribute,
    Block,
    DeclaredResource,
    Mode,
    NestedBlock,
    Schema,
    computed_id,
)
from genba_gateway.provider.values import Fields, Object, Primitive, Value

BOOL = Primitive.BOOL

ITEM = Block(
    (
        Attribute("key", mode=Mode.REQUIRED, description="Name that users see."),
        Attribute("value", description="Its value; an item without one isn't shown."),
        Attribute("sensitive", BOOL, default=False, description="Hidden until a user asks for it."),
        Attribute("is_null", BOOL, Mode.COMPUTED, description="Whether it has no value."),
    ),
    description="One line.",
)

SCHEMA = Schema(
    Block(
        (
            computed_id(),
            Attribute("resource_id", mode=Mode.REQUIRED, description="The `id` of the resource it is about."),
            Attribute("hide", BOOL, description="Don't show the resource."),
            Attribute("icon", checks=(is_url,), description="Where the resource's picture is."),
            Attribute("daily_cost", Primitive.NUMBER, description="What the resource costs a day."),
        ),
        (NestedBlock("item", ITEM),),
        description="What users see about a resource.",
    ),
    version=1,
)


class Metadata(DeclaredResource):
    """The metadata."""

    name = "coder_metadata"
    schema = SCHEMA

    def find_problems(self, config: Fields) -> Sequence[Problem]:
        """Refuse repeated keys."""
        return list(find_repeated(config, "item", "key"))

    async def create(self, session: Session, planned: Fields) -> Object:
        """Make its id, and say which items have no value: in the state null and "" look the same."""
        del session
        items: list[Value] = [{**row.as_object(), "is_null": row["value"] is None} for row in planned.rows("item")]
        return {"id": str(uuid.uuid4()), "item": items}
