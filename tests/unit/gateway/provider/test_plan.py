"""The rules of plan and apply, each on a small schema."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_gateway.provider.plan import (
    default_data_source,
    plan_creation,
    plan_update,
    settle_data_source,
    settle_resource,
)
from genba_gateway.provider.schema import Attribute, Block, Mode, NestedBlock, Nesting
from genba_gateway.provider.values import UNKNOWN, MapOf, Object, Primitive, Value

ROW = Block(
    (
        Attribute("key", mode=Mode.REQUIRED),
        Attribute("size", Primitive.NUMBER),
        Attribute("on", Primitive.BOOL, default=True),
        Attribute("made", Primitive.BOOL, Mode.COMPUTED),
    )
)
BLOCK = Block(
    (
        Attribute("id", mode=Mode.OPTIONAL_COMPUTED),
        Attribute("name"),
        Attribute("kind", default="plain"),
        Attribute("env", MapOf(Primitive.STRING)),
        Attribute("note", updates_in_place=True),
    ),
    (
        NestedBlock("row", ROW),
        NestedBlock("pair", ROW, Nesting.SET),
        NestedBlock("filled", ROW, Nesting.SET, is_computed=True),
    ),
)


def row(key: str, size: Value = None, on: Value = None, made: Value = None) -> Object:
    return {"key": key, "size": size, "on": on, "made": made}


def config(**given: Value) -> Object:
    empty: Object = {each.name: None for each in BLOCK.attributes}
    blocks: Object = {each.name: [] for each in BLOCK.blocks}
    return {**empty, **blocks, **given}


def create(given: Object, **made: Value) -> Object:
    filled: Value = [row("default", made=True)]
    return settle_resource(BLOCK, plan_creation(BLOCK, given), {"id": "1", "filled": filled, **made})


def test_creation_takes_values_defaults_and_leaves_the_rest_open() -> None:
    planned = plan_creation(BLOCK, config(name="n"))
    assert planned == {
        "id": UNKNOWN,
        "name": "n",
        "kind": "plain",
        "env": None,
        "note": None,
        "row": [],
        "pair": [],
        "filled": UNKNOWN,
    }


def test_creation_keeps_null_in_blocks_and_leaves_computed_open() -> None:
    planned = plan_creation(BLOCK, config(row=[row("a")], filled=[row("b", 3, False)]))
    assert planned["row"] == [row("a", None, True, UNKNOWN)]
    assert planned["filled"] == [row("b", 3, False, UNKNOWN)]


def test_block_list_that_is_not_known_stays_unknown() -> None:
    assert plan_creation(BLOCK, config(row=UNKNOWN))["row"] is UNKNOWN


@pytest.mark.parametrize(
    ("configured", "planned"),
    [
        ({}, None),
        ({"a": None}, None),
        ({"a": "x", "b": None}, {"a": "x"}),
        ({"a": "x", "b": UNKNOWN}, UNKNOWN),
        (UNKNOWN, UNKNOWN),
    ],
)
def test_map_is_planned_as_a_whole(configured: Value, planned: Value) -> None:
    assert plan_creation(BLOCK, config(env=configured))["env"] == planned


def test_state_has_null_at_the_top_and_zero_values_in_blocks() -> None:
    state = create(config(row=[row("a")]))
    assert state["name"] is None
    assert state["row"] == [row("a", 0, True, False)]
    assert state["filled"] == [row("default", 0, False, True)]


def test_nothing_unknown_is_left_in_a_state() -> None:
    assert settle_resource(BLOCK, plan_creation(BLOCK, config()), {})["id"] is None


def test_update_without_changes_keeps_everything() -> None:
    given = config(name="n", row=[row("a"), row("b", 2)], pair=[row("x"), row("y")])
    state = create(given)
    shuffled: Object = {**given, "pair": [row("y"), row("x")]}

    for again in (given, shuffled):
        change = plan_update(BLOCK, state, again)
        assert change.planned == state
        assert change.replaces == ()


@pytest.mark.parametrize(
    ("changed", "replaced"),
    [
        ({"name": "m"}, "name"),
        ({"name": None}, "name"),
        ({"kind": "other"}, "kind"),
        ({"env": {"a": UNKNOWN}}, "env"),
        ({"row": [row("b")]}, "row"),
        ({"row": [row("a", 1)]}, "row"),
        ({"row": []}, "row"),
        ({"row": [row("a"), row("a")]}, "row"),
        ({"row": [row("a", UNKNOWN)]}, "row"),
        ({"row": UNKNOWN}, "row"),
        ({"pair": [row("x")]}, "pair"),
        ({"pair": [row("x"), row("x")]}, "pair"),
        ({"filled": [row("mine")]}, "filled"),
    ],
)
def test_change_forces_replacement(changed: Object, replaced: str) -> None:
    given = config(name="n", row=[row("a")], pair=[row("x"), row("y")])
    assert plan_update(BLOCK, create(given), {**given, **changed}).replaces == ((replaced,),)


def test_change_in_place_forces_nothing() -> None:
    given = config(note="a")
    change = plan_update(BLOCK, create(given), {**given, "note": "b"})
    assert change.planned["note"] == "b"
    assert change.replaces == ()


def test_block_that_the_provider_filled_is_kept() -> None:
    state = create(config())
    assert plan_update(BLOCK, state, config()).planned["filled"] == state["filled"]


def test_zero_value_in_an_older_state_counts_as_not_set() -> None:
    state = {**create(config()), "name": ""}
    assert plan_update(BLOCK, state, config()).replaces == ()


ROWS = st.lists(
    st.builds(
        row,
        st.sampled_from("ab"),
        st.sampled_from([None, 0, 1]),
        st.sampled_from([None, True, False]),
    ),
    max_size=3,
)
CONFIGS = st.builds(
    config,
    name=st.sampled_from([None, "", "n"]),
    kind=st.sampled_from([None, "plain", "k"]),
    env=st.sampled_from([None, {}, {"a": "b"}, {"a": None}]),
    row=ROWS,
    pair=ROWS,
    filled=ROWS,
)


@given(CONFIGS)
def test_second_plan_is_always_empty(given: Object) -> None:
    planned = plan_creation(BLOCK, given)
    made: Object = {"id": "1"}
    if planned["filled"] is UNKNOWN:
        made["filled"] = [row("default", made=True)]
    state = settle_resource(BLOCK, planned, made)
    change = plan_update(BLOCK, state, given)
    assert change.planned == state
    assert change.replaces == ()


SOURCE = Block(
    (
        Attribute("name", mode=Mode.REQUIRED),
        Attribute("note"),
        Attribute("kind", default="plain"),
        Attribute("value", mode=Mode.COMPUTED),
    ),
    (NestedBlock("option", ROW), NestedBlock("rule", ROW)),
)


def test_data_source_reads_defaults_and_absent_blocks_are_null() -> None:
    given: Object = {"name": "n", "note": "", "kind": None, "value": None, "option": [], "rule": []}
    defaulted = default_data_source(SOURCE, given)
    assert defaulted["kind"] == "plain"

    state = settle_data_source(SOURCE, defaulted, {"value": "", "rule": []})

    # What is read may be empty; a configured "" is as good as nothing.
    assert state == {"name": "n", "note": None, "kind": "plain", "value": "", "option": None, "rule": []}


def test_data_source_blocks_get_zero_values() -> None:
    given: Object = {"name": "n", "note": None, "kind": None, "value": None, "option": [row("a")], "rule": []}
    state = settle_data_source(SOURCE, default_data_source(SOURCE, given), {"value": "x"})
    assert state["option"] == [row("a", 0, True, False)]
