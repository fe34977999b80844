"""What a schema tells Terraform."""

from __future__ import annotations

import json

from genba_gateway.provider import tfplugin6_pb2 as pb
from genba_gateway.provider.schema import Attribute, Block, Mode, NestedBlock, Nesting, Schema
from genba_gateway.provider.values import ListOf, ObjectOf, Primitive, SetOf

INNER = Block((Attribute("key", mode=Mode.REQUIRED), Attribute("count", Primitive.NUMBER)))
SCHEMA = Schema(
    Block(
        (
            Attribute("secret", mode=Mode.COMPUTED, is_sensitive=True),
            Attribute("both", mode=Mode.OPTIONAL_COMPUTED),
        ),
        (
            NestedBlock("rows", INNER, Nesting.SET, max_items=1, is_computed=True),
            NestedBlock("items", INNER),
        ),
        description="d",
    ),
    version=3,
)


def test_block_has_the_type_of_its_parts() -> None:
    inner = ObjectOf({"key": Primitive.STRING, "count": Primitive.NUMBER})
    assert SCHEMA.block.type == ObjectOf(
        {"secret": Primitive.STRING, "both": Primitive.STRING, "rows": SetOf(inner), "items": ListOf(inner)}
    )


def test_schema_is_told_in_the_protocols_form() -> None:
    message = pb.Schema.FromString(SCHEMA.to_proto().SerializeToString())

    assert message.version == 3
    both, secret = message.block.attributes
    assert (both.name, both.optional, both.computed, both.sensitive) == ("both", True, True, False)
    assert (secret.name, secret.optional, secret.computed, secret.sensitive) == ("secret", False, True, True)
    rows, items = message.block.block_types
    assert (rows.nesting, rows.max_items) == (pb.Schema.NestedBlock.SET, 1)
    assert (items.nesting, items.max_items) == (pb.Schema.NestedBlock.LIST, 0)
    types = {each.name: json.loads(each.type) for each in items.block.attributes}
    assert types == {"key": "string", "count": "number"}
    assert {each.name: each.required for each in items.block.attributes} == {"key": True, "count": False}
