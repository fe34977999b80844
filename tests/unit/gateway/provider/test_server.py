"""What single calls answer, without a socket."""

from __future__ import annotations

import json

from genba_gateway.provider import tfplugin6_pb2 as pb
from genba_gateway.provider.context import ProviderContext, Session
from genba_gateway.provider.packing import UNKNOWN, pack
from genba_gateway.provider.problems import Problem, Refused
from genba_gateway.provider.schema import (
    Attribute,
    Block,
    DeclaredResource,
    Mode,
    NestedBlock,
    Provider,
    Schema,
    computed_id,
)
from genba_gateway.provider.server import Servicer, encode_schemas, write_diagnostics
from genba_gateway.provider.values import Fields, Object, Value, decode_msgpack

INNER = Block((Attribute("key", mode=Mode.REQUIRED),))
SCHEMA = Schema(
    Block((computed_id(), Attribute("name"), Attribute("note", updates_in_place=True)), (NestedBlock("row", INNER),))
)


class Thing(DeclaredResource):
    """Refuses what is named "bad" and remembers what was deleted."""

    name = "test_thing"
    schema = SCHEMA

    def __init__(self) -> None:
        self.deleted: list[str] = []

    async def create(self, session: Session, planned: Fields) -> Object:
        del session
        if planned.text("name") == "bad":
            raise Refused(Problem("It is bad", "Rename it.", ("name",)))
        return {"id": "1"}

    async def delete(self, session: Session, state: Fields) -> None:
        del session
        if state.text("name") == "stuck":
            raise Refused(Problem("It is stuck", "Pull."))
        self.deleted.append(state.text("id"))


def make_servicer(thing: Thing | None = None) -> Servicer:
    provider = Provider("test", Schema(Block()), (thing or Thing(),))
    return Servicer(provider, encode_schemas(provider), Session(ProviderContext("job", "http://x", {})))


def thing(**given: Value) -> Object:
    return {"id": None, "name": None, "note": None, "row": [], **given}


def packed(value: Object | None) -> pb.DynamicValue:
    return pb.DynamicValue(msgpack=pack(value))


def read(value: pb.DynamicValue) -> Value:
    return decode_msgpack(value.msgpack, SCHEMA.block.type)


async def plan(prior: Object | None, config: Object | None) -> pb.PlanResourceChange.Response:
    request = pb.PlanResourceChange.Request(
        type_name="test_thing",
        prior_state=packed(prior),
        proposed_new_state=packed(config),
        config=packed(config),
        prior_private=b"kept",
    )
    return await make_servicer().plan(request)


async def apply(
    prior: Object | None, planned: Object | None, servicer: Servicer | None = None
) -> pb.ApplyResourceChange.Response:
    request = pb.ApplyResourceChange.Request(
        type_name="test_thing",
        prior_state=packed(prior),
        planned_state=packed(planned),
        planned_private=b"kept",
    )
    return await (servicer or make_servicer()).apply(request)


async def test_plans_are_in_the_older_type_system_and_keep_private_data() -> None:
    response = await plan(None, thing(name="n"))
    assert response.legacy_type_system
    assert response.planned_private == b"kept"
    assert read(response.planned_state) == thing(id=UNKNOWN, name="n")


async def test_plan_names_what_forces_replacement() -> None:
    response = await plan(thing(id="1", name="a", note="x"), thing(name="b", note="y"))
    assert [each.steps[0].attribute_name for each in response.requires_replace] == ["name"]


async def test_removal_is_planned_as_nothing() -> None:
    response = await plan(thing(id="1"), None)
    assert read(response.planned_state) is None


async def test_creation_gives_the_state() -> None:
    response = await apply(None, thing(id=UNKNOWN, name="n"))
    assert response.legacy_type_system
    assert response.private == b"kept"
    assert read(response.new_state) == thing(id="1", name="n")


async def test_refused_creation_leaves_no_state_and_says_where() -> None:
    response = await apply(None, thing(id=UNKNOWN, name="bad"))
    assert read(response.new_state) is None
    (diagnostic,) = response.diagnostics
    assert (diagnostic.summary, diagnostic.detail) == ("It is bad", "Rename it.")
    assert diagnostic.attribute.steps[0].attribute_name == "name"


async def test_deletion_calls_the_resource() -> None:
    removed = Thing()
    response = await apply(thing(id="7"), None, make_servicer(removed))
    assert removed.deleted == ["7"]
    assert read(response.new_state) is None


async def test_refused_deletion_keeps_the_state() -> None:
    response = await apply(thing(id="7", name="stuck"), None)
    assert read(response.new_state) == thing(id="7", name="stuck")
    assert [each.summary for each in response.diagnostics] == ["It is stuck"]


async def test_update_in_place_keeps_what_was_made() -> None:
    response = await apply(thing(id="1", note="a"), thing(id="1", note="b"))
    assert read(response.new_state) == thing(id="1", note="b")


async def test_stored_state_is_brought_to_the_schema() -> None:
    stored = json.dumps({"id": "1", "gone": True, "row": None}).encode()
    request = pb.UpgradeResourceState.Request(type_name="test_thing", raw_state=pb.RawState(json=stored))
    response = await make_servicer().upgrade(request)
    assert read(response.upgraded_state) == thing(id="1")


async def test_import_is_refused() -> None:
    response = await make_servicer().import_resource(pb.ImportResourceState.Request(type_name="test_thing"))
    assert [each.summary for each in response.diagnostics] == ["test_thing can't be imported"]


def test_diagnostics_carry_severity_and_path() -> None:
    warning, error = write_diagnostics([Problem("w", "d", ("row", 2, "key"), is_warning=True), Problem("e", "d")])
    assert warning.severity == pb.Diagnostic.WARNING
    steps = warning.attribute.steps
    assert (steps[0].attribute_name, steps[1].element_key_int, steps[2].attribute_name) == ("row", 2, "key")
    assert error.severity == pb.Diagnostic.ERROR
    assert not error.HasField("attribute")
