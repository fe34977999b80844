"""Parameters of a template version, from the `data.coder_parameter` blocks in its plan."""

from __future__ import annotations

from collections.abc import Iterable

from genba_gateway.domain.provisioning import ParameterOption, TemplateParameter
from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner.coder_attributes import ParameterAttributes, ValidationBlock, read_attributes
from genba_gateway.provisioner.terraform_json import TerraformResource


def convert_parameters(resources: Iterable[TerraformResource]) -> tuple[TemplateParameter, ...]:
    """Return the parameters by order, then name.

    Raises:
        ProvisionError: two parameters have the same name.
    """
    found: dict[str, TemplateParameter] = {}
    for resource in resources:
        if resource.is_managed or resource.type != "coder_parameter":
            continue
        parameter = _convert(read_attributes(resource.attributes, ParameterAttributes, resource.address))
        if parameter.name in found:
            raise ProvisionError(
                f"The template has two parameters named {parameter.name!r}; rename one (second: {resource.address})."
            )
        found[parameter.name] = parameter
    return tuple(sorted(found.values(), key=lambda parameter: (parameter.order, parameter.name.lower())))


def _convert(attributes: ParameterAttributes) -> TemplateParameter:
    validation = attributes.validation[0] if attributes.validation else ValidationBlock()
    is_optional = attributes.default is not None if attributes.optional is None else attributes.optional
    return TemplateParameter(
        name=attributes.name or "",
        type=attributes.type or "string",
        display_name=attributes.display_name or "",
        description=attributes.description or "",
        mutable=attributes.mutable or False,
        default_value=attributes.default or "",
        icon=attributes.icon or "",
        options=tuple(
            ParameterOption(
                name=option.name or "",
                value=option.value or "",
                description=option.description or "",
                icon=option.icon or "",
            )
            for option in attributes.option or ()
        ),
        validation_error=validation.error or "",
        validation_regex=validation.regex or "",
        validation_min=None if validation.min_disabled else validation.min,
        validation_max=None if validation.max_disabled else validation.max,
        validation_monotonic=validation.monotonic or "",
        required=not is_optional,
        ephemeral=attributes.ephemeral or False,
        order=attributes.order or 0,
        form_type=attributes.form_type or "",
        styling=attributes.styling or "{}",
    )
