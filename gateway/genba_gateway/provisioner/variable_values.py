"""Values of a template's Terraform variables: which are missing, and the file that hands them to Terraform.

They go into a private file rather than onto the command line, which every user of the machine can read, or into
the environment, which every `local-exec` inherits.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from genba_gateway.domain.provisioning import TemplateVariable
from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner.hcl_text import HclError, Value, parse_literal
from genba_gateway.provisioner.template_source import TemplateSource

REQUIRED_VARIABLES_CODE = "REQUIRED_TEMPLATE_VARIABLES"
# Terraform takes text for these as it is, and for a variable without a type; for others it parses the text.
_LITERAL_TYPES = frozenset({"", "string", "number", "bool"})


def resolve_variables(
    declared: Sequence[TemplateVariable], values: Mapping[str, str], preset: Collection[str]
) -> tuple[TemplateVariable, ...]:
    """Return the variables with the user's values put in; `preset` are those that the template's files set.

    Raises:
        ProvisionError: required variables have no value (code `REQUIRED_TEMPLATE_VARIABLES`).
    """
    missing = [
        variable.name
        for variable in declared
        if variable.required and variable.name not in values and variable.name not in preset
    ]
    if missing:
        names = ", ".join(missing)
        raise ProvisionError(
            f"The template needs values for these variables: {names}; give them with the template version.",
            code=REQUIRED_VARIABLES_CODE,
        )
    return tuple(
        replace(variable, type=variable.type or "string", value=values.get(variable.name, variable.default_value))
        for variable in declared
    )


def render_variable_file(source: TemplateSource, values: Mapping[str, str]) -> bytes:
    """Return the JSON for `-var-file`: the values of variables that the template declares.

    When not every file could be read here, the rest is passed as text: Terraform knows what it declares.

    Raises:
        ProvisionError: text for a list, map or object is not a literal.
    """
    types = {variable.name: variable.type for variable in source.variables}
    rendered = {
        name: _render(name, types.get(name, ""), text)
        for name, text in values.items()
        if name in types or not source.is_complete
    }
    return json.dumps(rendered, ensure_ascii=False).encode()


def _render(name: str, type_text: str, text: str) -> Value:
    if type_text in _LITERAL_TYPES:
        return text
    try:
        return parse_literal(text)
    except HclError as error:
        raise ProvisionError(
            f"The value of variable {name!r} is not a literal of type {type_text}; "
            'write it as in ["a", "b"] or { size = 3 }.',
        ) from error
