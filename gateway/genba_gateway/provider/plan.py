"""From a configuration to a plan to a state, with the rules of Terraform's older SDK.

Templates and Coder's reading of plans rely on those rules, so they are kept to the letter:

* Planning a new resource: a null attribute gets its default; failing that, a computed one is unknown. A block that
  the provider fills is unknown as a whole when the configuration has none.
* In a state, attributes that nobody set are null at the top but zero values ("", 0, false) inside blocks.
* So blocks are compared with zero values filled in, else every second plan would show a change.
* An absent block is an empty list in a resource and null in a data source.
* An empty map counts as none, and so does a null in a map; a map with an unknown value is unknown as a whole.
* An empty string in a data source's configuration is null in its state, top level only.

Terraform accepts this of a provider that answers with `legacy_type_system`. When something that can't be changed in
place differs, Terraform asks again for a plan as if there were no prior state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from genba_gateway.provider.problems import AttributePath
from genba_gateway.provider.schema import Attribute, Block, Mode, NestedBlock, Nesting
from genba_gateway.provider.values import (
    UNKNOWN,
    ListOf,
    MapOf,
    Object,
    ObjectOf,
    Primitive,
    SetOf,
    Type,
    Value,
)


@dataclass(frozen=True, slots=True)
class Change:
    """What a plan says: the planned values, and what in them forces a replacement."""

    planned: Object
    replaces: tuple[AttributePath, ...] = ()


def plan_creation(block: Block, config: Mapping[str, Value]) -> Object:
    """Plan a resource that isn't there yet."""
    planned: Object = {each.name: _plan_attribute(each, config[each.name]) for each in block.attributes}
    for nested in block.blocks:
        value = config[nested.name]
        is_absent = value is None or value == []
        planned[nested.name] = UNKNOWN if is_absent and nested.is_computed else _plan_rows(nested, value)
    return planned


def plan_update(block: Block, prior: Mapping[str, Value], config: Mapping[str, Value]) -> Change:
    """Plan a resource that is there: keep what stays, say what changes and what that costs."""
    planned: Object = {}
    replaces: list[AttributePath] = []
    for each in block.attributes:
        before = prior[each.name]
        wanted = _wanted_attribute(each, config[each.name], before)
        planned[each.name] = before if wanted == before and wanted is not UNKNOWN else wanted
        if planned[each.name] is not before and not each.updates_in_place:
            replaces.append((each.name,))
    for nested in block.blocks:
        before = prior[nested.name]
        wanted = config[nested.name]
        if _is_kept(nested, before, wanted):
            planned[nested.name] = before
        else:
            planned[nested.name] = _plan_rows(nested, wanted)
            replaces.append((nested.name,))
    return Change(planned, tuple(replaces))


def settle_resource(block: Block, planned: Mapping[str, Value], made: Mapping[str, Value]) -> Object:
    """Give the state after an apply: the plan with zero values in blocks, and over it what was `made`."""
    merged = {**planned, **made}
    state: Object = {each.name: _known(merged[each.name]) for each in block.attributes}
    for nested in block.blocks:
        state[nested.name] = _fill_rows(nested, merged[nested.name])
    return state


def default_data_source(block: Block, config: Mapping[str, Value]) -> Object:
    """Give what a data source's `read` is called with: the configuration and the defaults."""
    filled: Object = {
        each.name: each.default if config[each.name] is None else config[each.name] for each in block.attributes
    }
    for nested in block.blocks:
        filled[nested.name] = _default_rows(nested, config[nested.name])
    return filled


def settle_data_source(block: Block, config: Mapping[str, Value], read: Mapping[str, Value]) -> Object:
    """Give a data source's state: its configuration with what was `read`; blocks that neither has are null."""
    given: Object = {name: None if value == "" else value for name, value in config.items()}
    merged = {**given, **read}
    state: Object = {each.name: _known(merged[each.name]) for each in block.attributes}
    for nested in block.blocks:
        rows = merged[nested.name]
        is_absent = rows is None or (rows == [] and nested.name not in read)
        state[nested.name] = None if is_absent else _fill_rows(nested, rows)
    return state


def _plan_attribute(attribute: Attribute, value: Value) -> Value:
    if isinstance(attribute.type, MapOf) and isinstance(value, dict):
        if UNKNOWN in value.values():
            return UNKNOWN
        value = {key: each for key, each in value.items() if each is not None} or None
    if value is None:
        if attribute.default is not None:
            return attribute.default
        return UNKNOWN if attribute.is_computed else None
    return value


def _wanted_attribute(attribute: Attribute, configured: Value, before: Value) -> Value:
    """Give the value that an update aims at: the configured one, the default, or what the provider made."""
    wanted = _plan_attribute(attribute, configured)
    if wanted is UNKNOWN and configured is None:
        return before
    if wanted is None and before == _zero(attribute.type):
        return before
    return wanted


def _plan_rows(nested: NestedBlock, value: Value) -> Value:
    if not isinstance(value, list):
        return [] if value is None else value
    return [plan_creation(nested.block, row) if isinstance(row, dict) else row for row in value]


def _default_rows(nested: NestedBlock, value: Value) -> Value:
    if not isinstance(value, list):
        return value
    return [default_data_source(nested.block, row) if isinstance(row, dict) else row for row in value]


def _fill_rows(nested: NestedBlock, value: Value) -> Value:
    """Put zero values where a block's attributes are null or were never made known."""
    if not isinstance(value, list):
        return []
    return [_fill_row(nested.block, row) if isinstance(row, dict) else row for row in value]


def _fill_row(block: Block, row: Mapping[str, Value]) -> Object:
    filled: Object = {}
    for each in block.attributes:
        value = row[each.name]
        filled[each.name] = _zero(each.type) if value is None or value is UNKNOWN else value
    for nested in block.blocks:
        filled[nested.name] = _fill_rows(nested, row[nested.name])
    return filled


def _is_kept(nested: NestedBlock, before: Value, wanted: Value) -> bool:
    if wanted is UNKNOWN:
        return False
    if (wanted is None or wanted == []) and nested.is_computed:
        return True
    return _same_rows(nested, before, wanted)


def _same_rows(nested: NestedBlock, before: Value, wanted: Value) -> bool:
    old = _rows(before)
    new = _rows(wanted)
    if old is None or new is None or len(old) != len(new):
        return False
    if nested.nesting is Nesting.LIST:
        return all(_same_row(nested.block, *pair) for pair in zip(old, new, strict=True))
    rest = list(old)
    for row in new:
        match = next((each for each in rest if _same_row(nested.block, each, row)), None)
        if match is None:
            return False
        rest.remove(match)
    return True


def _rows(value: Value) -> list[Object] | None:
    """Give the blocks when all of them are known to be there, else None."""
    if value is None:
        return []
    if not isinstance(value, list):
        return None
    rows = [row for row in value if isinstance(row, dict)]
    return rows if len(rows) == len(value) else None


def _same_row(block: Block, before: Mapping[str, Value], wanted: Mapping[str, Value]) -> bool:
    for each in block.attributes:
        if each.mode is Mode.COMPUTED:
            continue
        value = each.default if wanted[each.name] is None else wanted[each.name]
        if value is UNKNOWN or (_zero(each.type) if value is None else value) != before[each.name]:
            return False
    return all(_same_rows(nested, before[nested.name], wanted[nested.name]) for nested in block.blocks)


def _known(value: Value) -> Value:
    return None if value is UNKNOWN else value


def _zero(of: Type) -> Value:
    match of:
        case Primitive.STRING:
            return ""
        case Primitive.NUMBER:
            return 0
        case Primitive.BOOL:
            return False
        case ListOf() | SetOf():
            return []
        case MapOf() | ObjectOf():
            return {}


def is_wholly_known(value: Value) -> bool:
    """Say whether no part of a value is unknown."""
    match value:
        case list():
            return all(is_wholly_known(each) for each in value)
        case dict():
            return all(is_wholly_known(each) for each in value.values())
        case None | bool() | int() | float() | Decimal() | str():
            return True
        case _:
            return False
