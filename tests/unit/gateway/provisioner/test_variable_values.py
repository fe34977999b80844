from __future__ import annotations

import json

import pytest

from genba_gateway.domain.provisioning import TemplateVariable
from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner.template_source import TemplateSource
from genba_gateway.provisioner.variable_values import render_variable_file, resolve_variables

REQUIRED = TemplateVariable("key", type="", required=True)
SIZED = TemplateVariable("size", type="number", value="1", default_value="1")
LISTED = TemplateVariable("names", type="list(string)", value="[]", default_value="[]")


def test_missing_required_variables_are_named() -> None:
    with pytest.raises(ProvisionError, match="these variables: key;") as caught:
        resolve_variables([REQUIRED, SIZED], {"size": "2"}, ())

    assert caught.value.code == "REQUIRED_TEMPLATE_VARIABLES"


def test_value_of_the_template_itself_satisfies_a_required_variable() -> None:
    assert [variable.value for variable in resolve_variables([REQUIRED], {}, ["key"])] == [""]


def test_given_values_win_over_defaults() -> None:
    key, size = resolve_variables([REQUIRED, SIZED], {"key": "k"}, ())

    assert (key.value, key.type, size.value) == ("k", "string", "1")


def test_file_keeps_text_as_text_and_parses_lists() -> None:
    source = TemplateSource(variables=(REQUIRED, SIZED, LISTED))

    data = render_variable_file(source, {"key": '${x} "q"', "size": "3", "names": '["a", "b"]', "unknown": "x"})

    assert json.loads(data) == {"key": '${x} "q"', "size": "3", "names": ["a", "b"]}


def test_file_passes_everything_when_the_template_was_not_readable() -> None:
    assert json.loads(render_variable_file(TemplateSource(is_complete=False), {"a": "b"})) == {"a": "b"}


def test_list_that_is_no_list_is_refused() -> None:
    with pytest.raises(ProvisionError, match=r"variable 'names' is not a literal of type list\(string\)"):
        render_variable_file(TemplateSource(variables=(LISTED,)), {"names": "var.other"})
