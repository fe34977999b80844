"""Reading a parameter."""

from __future__ import annotations

from hashlib import sha256

import pytest

from genba_gateway.provider.coder.parameter import SCHEMA, Parameter
from genba_gateway.provider.context import ProviderContext, Session
from genba_gateway.provider.plan import default_data_source
from genba_gateway.provider.problems import Problem, Refused
from genba_gateway.provider.values import Fields, Object, Value


def option(name: str, value: str) -> Object:
    return {"name": name, "value": value, "description": None, "icon": None}


def validation(**given: Value) -> list[Value]:
    names = ("min", "min_disabled", "max", "max_disabled", "monotonic", "regex", "error")
    return [{name: given.get(name) for name in names}]


def make_config(given: Object) -> Fields:
    empty: Object = {each.name: None for each in SCHEMA.block.attributes}
    return Fields(default_data_source(SCHEMA.block, {**empty, "option": [], "validation": [], "name": "n", **given}))


async def read(
    value: str | None, given: Object, build: str = "b", *, transition: str = "start", previous: str | None = None
) -> Object:
    environment = {"CODER_WORKSPACE_BUILD_ID": build, "CODER_WORKSPACE_TRANSITION": transition}
    if previous is not None:
        environment[f"CODER_PARAMETER_PREVIOUS_{sha256(b'n').hexdigest()}"] = previous
    if value is not None:
        environment[f"CODER_PARAMETER_{sha256(b'n').hexdigest()}"] = value
    session = Session(ProviderContext("job", "http://x", environment))
    return await Parameter().read(session, make_config(given))


async def refuse(value: str | None, given: Object) -> Problem:
    with pytest.raises(Refused) as caught:
        await read(value, given)
    return caught.value.problems[0]


async def test_users_value_wins_over_the_default() -> None:
    assert (await read("mine", {"default": "d"}))["value"] == "mine"
    assert (await read("", {"default": "d"}))["value"] == ""
    assert (await read(None, {"default": "d"}))["value"] == "d"
    assert (await read(None, {}))["value"] == ""


async def test_parameter_with_a_default_is_optional() -> None:
    assert (await read(None, {"default": ""}))["optional"] is True
    assert (await read(None, {}))["optional"] is False


@pytest.mark.parametrize(
    ("of", "options", "form"),
    [
        ("string", [], "input"),
        ("string", [option("A", "a")], "radio"),
        ("number", [], "input"),
        ("bool", [], "checkbox"),
        ("list(string)", [], "tag-select"),
    ],
)
async def test_form_type_follows_the_type(of: str, options: list[Value], form: str) -> None:
    assert (await read(None, {"type": of, "option": options}))["form_type"] == form


async def test_form_type_that_does_not_fit_is_refused_with_the_choices() -> None:
    problem = await refuse(None, {"type": "number", "form_type": "checkbox"})
    assert problem.path == ("form_type",)
    assert "input, slider" in problem.detail


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"ephemeral": True, "default": "x"}, ("ephemeral",)),
        ({"ephemeral": True, "mutable": True}, ("ephemeral",)),
        ({"option": [option("a", "x"), option("b", "x")]}, ("option", 1, "value")),
        ({"option": [option("a", "x"), option("a", "y")]}, ("option", 1, "name")),
        ({"type": "number", "option": [option("a", "x")]}, ("option", 0, "value")),
        ({"default": "z", "option": [option("a", "x")]}, ("default",)),
        ({"type": "bool", "default": "yes"}, ("default",)),
        ({"validation": validation(min=1)}, ("validation", 0, "min")),
        ({"type": "number", "default": "0", "validation": validation(min=1)}, ("default",)),
    ],
)
async def test_wrong_declaration_is_refused_whatever_the_value(given: Object, path: tuple[str | int, ...]) -> None:
    assert (await refuse(None, given)).path == path


async def test_value_must_be_one_of_the_options() -> None:
    options: list[Value] = [option("A", "a"), option("B", "b")]
    assert (await read("b", {"option": options}))["value"] == "b"
    assert "Choose from 'a', 'b'" in (await refuse("c", {"option": options})).detail


async def test_several_options_may_be_chosen_in_a_multi_select() -> None:
    given: Object = {
        "type": "list(string)",
        "form_type": "multi-select",
        "option": [option("A", "a"), option("B", "b")],
    }
    assert (await read('["a", "b"]', given))["value"] == '["a", "b"]'
    assert (await read("[]", given))["value"] == "[]"
    assert "'c'" in (await refuse('["a", "c"]', given)).detail


async def test_required_parameter_is_judged_in_builds_only() -> None:
    rules = validation(regex="^a", error="must begin with a")
    assert (await read(None, {"validation": rules}, build=""))["value"] == ""
    assert "must begin with a" in (await refuse(None, {"validation": rules})).detail


async def test_limits_that_are_not_set_are_disabled() -> None:
    (block,) = Fields(await read("-1", {"type": "number", "validation": validation(max=0)})).rows("validation")
    assert (block["max_disabled"], block["min_disabled"]) == (False, True)


@pytest.mark.parametrize("transition", ["stop", "destroy"])
async def test_an_ending_is_not_held_up_by_a_value(transition: str) -> None:
    rules = validation(max=5, monotonic="increasing")
    number: Object = {"type": "number", "default": "2", "validation": rules}
    assert (await read("7", number, transition=transition, previous="9"))["value"] == "7"
    choice: Object = {"default": "a", "option": [option("A", "a")]}
    assert (await read("gone", choice, transition=transition))["value"] == "gone"
    await refuse("7", number)


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ({"type": "number"}, "0"),
        ({"type": "bool"}, "false"),
        ({"type": "list(string)"}, "[]"),
        ({}, ""),
        ({"option": [option("A", "a")]}, "a"),
        ({"type": "list(string)", "form_type": "multi-select", "option": [option("A", "a")]}, "[]"),
        ({"validation": validation(regex="^x$", error="e")}, ""),
    ],
)
async def test_an_ending_without_a_value_gets_one_of_the_type(given: Object, value: str) -> None:
    assert (await read(None, given, transition="stop"))["value"] == value
    assert (await read(None, given, "", transition="stop"))["value"] == ""


async def test_an_ephemeral_number_starts_anew() -> None:
    rules = validation(monotonic="increasing")
    given: Object = {"type": "number", "default": "2", "mutable": True, "ephemeral": True, "validation": rules}
    assert (await read("2", given, previous="7"))["value"] == "2"
