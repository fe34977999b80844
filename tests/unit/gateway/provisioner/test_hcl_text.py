from __future__ import annotations

import pytest

from genba_gateway.provisioner.hcl_text import (
    MAX_FILE_CHARACTERS,
    Expression,
    HclError,
    Value,
    parse_hcl,
    parse_json,
    parse_literal,
    value_text,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"plain"', "plain"),
        (r'"a\"b\\c\n\u00e9"', 'a"b\\c\né'),
        ('"$${kept} 100%%{x}"', "${kept} 100%{x}"),
        ('"${var.a}"', Expression('"${var.a}"')),
        ("3", 3),
        ("-2.5", -2.5),
        ("1e3", 1000.0),
        ("true", True),
        ("null", None),
        ('["a", 2, { b = "c" }]', ["a", 2, {"b": "c"}]),
        ('{ "x y" = 1 }', {"x y": 1}),
        ("list(string)", Expression("list(string)")),
        ("string", Expression("string")),
        ("<<-EOT\n  one\n  two\n  EOT", "one\ntwo"),
    ],
)
def test_values_lose_their_syntax(text: str, value: Value) -> None:
    assert parse_hcl(f"x = {text}\n")["x"] == value


@pytest.mark.parametrize("text", ['x = "open', "{", "x = = 3", "a" * (MAX_FILE_CHARACTERS + 1)])
def test_bad_text_is_an_error_of_its_own(text: str) -> None:
    with pytest.raises(HclError):
        parse_hcl(text)


@pytest.mark.parametrize("text", ["[1, 2", "var.x", '["${path.cwd}"]', "1\nother = 2", 'file("/etc/passwd")'])
def test_literal_is_exactly_one_value(text: str) -> None:
    with pytest.raises(HclError):
        parse_literal(text)


@pytest.mark.parametrize("text", ["[]", "nonsense", "[" * 100_000])
def test_json_form_must_be_an_object(text: str) -> None:
    with pytest.raises(HclError):
        parse_json(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("bare", "bare"),
        (True, "true"),
        (3, "3"),
        (1000.0, "1000"),
        (["a", None], '["a", null]'),
        ({"a": Expression("var.x")}, '{"a": "var.x"}'),
    ],
)
def test_value_text_is_what_users_write(value: Value, text: str) -> None:
    assert value_text(value) == text
