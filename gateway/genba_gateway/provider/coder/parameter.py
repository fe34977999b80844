"""`data.coder_parameter`: a value that users choose when they create or update a workspace."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator

from genba_gateway.domain.parameter_values import find_type_problem, read_list
from genba_gateway.provider.checks import is_url, one_of
from genba_gateway.provider.coder.parameter_rules import Rules
from genba_gateway.provider.coder.parameter_types import ALLOWED_FORM_TYPES, FORM_TYPES, TYPES
from genba_gateway.provider.context import Session
from genba_gateway.provider.problems import AttributePath, Problem, Refused
from genba_gateway.provider.schema import Attribute, Block, Mode, NestedBlock, ReadOnly, Schema, computed_id
from genba_gateway.provider.values import Fields, Object, Primitive, Value

NUMBER = Primitive.NUMBER
BOOL = Primitive.BOOL
REQUIRED = Mode.REQUIRED
COMPUTED = Mode.COMPUTED

OPTION = Block(
    (
        Attribute("name", mode=REQUIRED, description="What users choose."),
        Attribute("description", description="What it means."),
        Attribute("value", mode=REQUIRED, description="What the template gets."),
        Attribute("icon", checks=(is_url,), description="Where its picture is."),
    ),
    description="One choice.",
)

VALIDATION = Block(
    (
        Attribute("min", NUMBER, description="The smallest number."),
        Attribute("min_disabled", BOOL, COMPUTED, description="Whether there is no smallest number."),
        Attribute("max", NUMBER, description="The largest number."),
        Attribute("max_disabled", BOOL, COMPUTED, description="Whether there is no largest number."),
        Attribute("monotonic", description="increasing or decreasing: from build to build it only does that."),
        Attribute("regex", conflicts_with=("min", "max", "monotonic"), description="RE2 expression that it matches."),
        Attribute("error", description="What users read when a value is refused."),
    ),
    description="What a value must be like.",
)

SCHEMA = Schema(
    Block(
        (
            computed_id(),
            Attribute("value", mode=COMPUTED, description="What the user chose, or the default."),
            Attribute("name", mode=REQUIRED, description="Its name; values of earlier builds are kept by it."),
            Attribute("display_name", description="Name that users see."),
            Attribute("description", description="Markdown that users see."),
            Attribute("type", default="string", checks=(one_of(*TYPES),), description="What values are."),
            Attribute("form_type", checks=(one_of(*FORM_TYPES),), description="How forms show it."),
            Attribute("styling", default="{}", description="JSON with hints for forms."),
            Attribute("mutable", BOOL, default=False, description="Whether later builds may change it."),
            Attribute("default", description="The value when the user chooses none."),
            Attribute("icon", checks=(is_url,), description="Where its picture is."),
            Attribute("optional", BOOL, COMPUTED, description="Whether there is a default."),
            Attribute("order", NUMBER, description="Position in forms; smaller comes first."),
            Attribute("ephemeral", BOOL, default=False, description="For one build only."),
        ),
        (NestedBlock("option", OPTION), NestedBlock("validation", VALIDATION, max_items=1)),
        description="A value that users choose when they create or update a workspace.",
    ),
    version=1,
)

_ENDINGS = frozenset({"stop", "destroy"})
_EMPTY = {"number": "0", "bool": "false", "list(string)": "[]"}


class Parameter(ReadOnly):
    """The data source: reads the build's value and holds it against what the template says of it."""

    name = "coder_parameter"
    schema = SCHEMA

    async def read(self, session: Session, config: Fields) -> Object:
        """Take the user's value or the default.

        A template import has no values yet, so that a required parameter is not judged there. A stop or delete is
        not judged either: a value that this version refuses must not keep a workspace alive.
        """
        digest = hashlib.sha256(config.text("name").encode()).hexdigest()
        given = session.context.environment.get(f"CODER_PARAMETER_{digest}")
        previous = session.context.environment.get(f"CODER_PARAMETER_PREVIOUS_{digest}")
        form_type = _choose_form_type(config)
        for problem in _find_declaration_problems(config, form_type):
            raise Refused(problem)
        is_build = bool(session.variable("CODER_WORKSPACE_BUILD_ID"))
        value = given if given is not None else config.text("default")
        if session.variable("CODER_WORKSPACE_TRANSITION") in _ENDINGS:
            if is_build and given is None and not config.has("default"):
                value = _make_value(config, form_type)
        elif given is not None:
            before = None if config.flag("ephemeral") else previous
            _require(_find_value_problem(config, form_type, given, before, ("value",)))
        elif is_build and not config.has("default"):
            _require(_find_breach(config, "", previous, ()))
        return {
            "id": str(uuid.uuid4()),
            "value": value,
            "form_type": form_type,
            "optional": config.has("default"),
            "validation": [_describe_validation(each) for each in config.rows("validation")],
        }


def _require(problem: Problem | None) -> None:
    if problem is not None:
        raise Refused(problem)


def _make_value(config: Fields, form_type: str) -> str:
    """Make a value of the type, so that a template's conversions work where nobody chose one."""
    options = config.rows("option")
    return options[0].text("value") if options and form_type != "multi-select" else _EMPTY.get(config.text("type"), "")


def _choose_form_type(config: Fields) -> str:
    of = config.text("type")
    has_options = bool(config.rows("option"))
    allowed = ALLOWED_FORM_TYPES[of, has_options]
    chosen = config.text("form_type")
    if not chosen or chosen in allowed:
        return chosen or allowed[0]
    options = "with options" if has_options else "without options"
    detail = f"{chosen!r} can't show a {of} {options}. Choose one of {', '.join(allowed)}."
    raise Refused(Problem("form_type does not fit the type", detail, ("form_type",)))


def _find_declaration_problems(config: Fields, form_type: str) -> Iterator[Problem]:
    """Find what is wrong with a parameter whatever value it gets."""
    if config.flag("ephemeral") and not config.flag("mutable"):
        detail = "An ephemeral parameter is chosen anew for each build. Set mutable = true as well."
        yield Problem("An immutable parameter can't be ephemeral", detail, ("ephemeral",))
    if config.flag("ephemeral") and not config.has("default"):
        detail = "Builds that don't choose a value need one. Set default."
        yield Problem("An ephemeral parameter needs a default", detail, ("ephemeral",))
    yield from _find_option_problems(config, form_type)
    for block in config.rows("validation"):
        misuse = Rules.from_block(block).find_misuse(config.text("type"))
        if misuse is not None:
            yield misuse
    if config.has("default"):
        problem = _find_value_problem(config, form_type, config.text("default"), None, ("default",))
        if problem is not None:
            yield problem


def _find_option_problems(config: Fields, form_type: str) -> Iterator[Problem]:
    seen: dict[str, set[str]] = {"name": set(), "value": set()}
    # Of several choices the value is a list, and each option is one item of it.
    of = "string" if form_type == "multi-select" else config.text("type")
    for number, option in enumerate(config.rows("option")):
        for key, earlier in seen.items():
            text = option.text(key)
            if text in earlier:
                detail = f"Two options have the {key} {text!r}. Give each its own."
                yield Problem(f"An option's {key} is repeated", detail, ("option", number, key))
            earlier.add(text)
        complaint = find_type_problem(of, option.text("value"))
        if complaint is not None:
            summary = f"The option {option.text('name')!r} is not of type {of}"
            yield Problem(summary, complaint, ("option", number, "value"))


def _find_value_problem(
    config: Fields, form_type: str, value: str, previous: str | None, path: AttributePath
) -> Problem | None:
    of = config.text("type")
    name = config.text("name")
    what = "default" if path == ("default",) else "value"
    complaint = find_type_problem(of, value)
    if complaint is not None:
        return Problem(f"The {what} of the parameter {name!r} is not of type {of}", complaint, path)
    options = [each.text("value") for each in config.rows("option")]
    chosen = (read_list(value) or []) if form_type == "multi-select" else [value]
    strangers = [each for each in chosen if each not in options]
    if options and strangers:
        detail = f"There is no option with the value {strangers[0]!r}. Choose from {', '.join(map(repr, options))}."
        return Problem(f"The {what} of the parameter {name!r} is not one of its options", detail, path)
    return _find_breach(config, value, previous, path)


def _find_breach(config: Fields, value: str, previous: str | None, path: AttributePath) -> Problem | None:
    for block in config.rows("validation"):
        breach = Rules.from_block(block).find_breach(config.text("type"), value, previous)
        if breach is not None:
            what = "default" if path == ("default",) else "value"
            return Problem(f"The {what} of the parameter {config.text('name')!r} is refused", breach, path)
    return None


def _describe_validation(block: Fields) -> dict[str, Value]:
    return {
        **block.as_object(),
        "min_disabled": not block.has("min"),
        "max_disabled": not block.has("max"),
    }
