"""Values survive the trip to Terraform and back; what doesn't fit its type is refused."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_gateway.provider.packing import pack
from genba_gateway.provider.values import (
    UNKNOWN,
    Fields,
    ListOf,
    MalformedValue,
    MapOf,
    ObjectOf,
    Primitive,
    SetOf,
    Type,
    Value,
    decode_json,
    decode_msgpack,
    describe_type,
    encode_msgpack,
)

STRING, NUMBER, BOOL = Primitive.STRING, Primitive.NUMBER, Primitive.BOOL
TEXT = st.text(max_size=5)

TYPES: st.SearchStrategy[Type] = st.recursive(
    st.sampled_from(list(Primitive)),
    lambda inner: st.one_of(
        inner.map(ListOf),
        inner.map(SetOf),
        inner.map(MapOf),
        st.dictionaries(TEXT, inner, max_size=3).map(ObjectOf),
    ),
    max_leaves=5,
)
INTS = st.integers(min_value=-(2**70), max_value=2**70)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def values_of(of: Type) -> st.SearchStrategy[Value]:
    strategy: st.SearchStrategy[Value]
    match of:
        case Primitive.STRING:
            strategy = st.text(max_size=8)
        case Primitive.BOOL:
            strategy = st.booleans()
        case Primitive.NUMBER:
            strategy = INTS | FLOATS
        case ListOf() | SetOf():
            strategy = st.lists(values_of(of.element), max_size=3)
        case MapOf():
            strategy = st.dictionaries(TEXT, values_of(of.element), max_size=3)
        case ObjectOf():
            strategy = st.fixed_dictionaries({name: values_of(each) for name, each in of.attributes.items()})
    return st.one_of(st.none(), st.just(UNKNOWN), strategy)


@given(TYPES.flatmap(lambda of: st.tuples(st.just(of), values_of(of))))
def test_value_survives_the_trip(case: tuple[Type, Value]) -> None:
    of, value = case
    assert decode_msgpack(encode_msgpack(value, of), of) == value


@given(st.binary(max_size=40), TYPES)
def test_any_bytes_are_decoded_or_refused(data: bytes, of: Type) -> None:
    try:
        value = decode_msgpack(data, of)
    except MalformedValue:
        return
    assert decode_msgpack(encode_msgpack(value, of), of) == value


def test_unknown_is_what_terraform_expects() -> None:
    assert encode_msgpack(UNKNOWN, STRING) == b"\xd4\x00\x00"


@pytest.mark.parametrize("data", [b"\xd4\x00\x00", b"\xc7\x05\x0c\x82\x01\xc2\x02\xa1"])
def test_refined_unknown_is_unknown_too(data: bytes) -> None:
    assert decode_msgpack(data, STRING) is UNKNOWN


def test_other_extension_is_refused() -> None:
    with pytest.raises(MalformedValue, match="extension 5"):
        decode_msgpack(b"\xd4\x05\x00", STRING)


@pytest.mark.parametrize(("text", "number"), [("18446744073709551616", 2**64), ("0.1", Decimal("0.1")), ("1e3", 1000)])
def test_number_that_travels_as_text_stays_exact(text: str, number: Value) -> None:
    packed = pack(text)
    assert decode_msgpack(packed, NUMBER) == number


@pytest.mark.parametrize(
    ("value", "of"),
    [("x", NUMBER), (1, STRING), (True, NUMBER), (1, BOOL), ([], MapOf(STRING)), ({}, ListOf(STRING))],
)
def test_value_of_another_type_is_refused_both_ways(value: Value, of: Type) -> None:
    packed = pack(value)
    with pytest.raises(MalformedValue):
        decode_msgpack(packed, of)
    with pytest.raises(MalformedValue):
        encode_msgpack(value, of)


def test_object_needs_all_its_attributes_and_no_others() -> None:
    packed = pack({"a": "x", "c": "y"})
    with pytest.raises(MalformedValue, match="b, c"):
        decode_msgpack(packed, ObjectOf({"a": STRING, "b": STRING}))


def test_stored_state_may_lack_attributes_and_have_others() -> None:
    data = json.dumps({"a": "x", "gone": 1, "n": 3.0}).encode()
    of = ObjectOf({"a": STRING, "added": STRING, "n": NUMBER})
    assert decode_json(data, of) == {"a": "x", "added": None, "n": 3}


def test_message_about_a_value_does_not_hold_it() -> None:
    packed = pack("secret")
    with pytest.raises(MalformedValue) as caught:
        decode_msgpack(packed, NUMBER)
    assert "secret" not in str(caught.value)


def test_types_are_described_as_in_schemas() -> None:
    of = ListOf(ObjectOf({"name": STRING, "tags": SetOf(BOOL), "sizes": MapOf(NUMBER)}))
    assert json.dumps(describe_type(of)) == (
        '["list", ["object", {"name": "string", "tags": ["set", "bool"], "sizes": ["map", "number"]}]]'
    )


def test_fields_read_null_and_unknown_as_zero_values() -> None:
    fields = Fields({"null": None, "later": UNKNOWN, "text": "x", "flag": True, "number": 3, "rows": [{"a": "b"}]})
    assert [fields.text(each) for each in ("null", "later", "text")] == ["", "", "x"]
    assert [fields.flag(each) for each in ("null", "later", "flag")] == [False, False, True]
    assert [fields.number(each) for each in ("null", "later", "number", "flag")] == [0, 0, 3, 0]
    assert [fields.has(each) for each in ("null", "later", "text")] == [False, False, True]
    assert [fields.is_unknown(each) for each in ("null", "later")] == [False, True]
    assert [row.text("a") for row in fields.rows("rows")] == ["b"]
    assert list(fields.rows("null")) == []


def test_a_list_as_a_key_is_malformed() -> None:
    with pytest.raises(MalformedValue):
        decode_msgpack(b"\x81\x90\x00", Primitive.STRING)
