from __future__ import annotations

import pytest

from genba_gateway.domain.provisioning import ParameterOption, TemplateParameter
from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner.parameters import convert_parameters
from genba_gateway.provisioner.terraform_json import TerraformResource


def parameter(label: str, **attributes: object) -> TerraformResource:
    address = f"data.coder_parameter.{label}"
    return TerraformResource(
        address=address, label=address, is_managed=False, type="coder_parameter", name=label, attributes=attributes
    )


def test_every_attribute_is_carried_over() -> None:
    (converted,) = convert_parameters(
        [
            parameter(
                "cpu",
                name="cpu",
                type="number",
                display_name="CPU",
                description="Cores",
                mutable=True,
                default="2",
                icon="/cpu.svg",
                option=[{"name": "Two", "value": "2", "description": None, "icon": "/2.svg"}],
                validation=[
                    {
                        "min": 1,
                        "min_disabled": False,
                        "max": 0,
                        "max_disabled": True,
                        "monotonic": "increasing",
                        "regex": None,
                        "error": "no",
                    }
                ],
                optional=True,
                order=3,
                ephemeral=False,
                form_type="radio",
                styling='{"x":1}',
            )
        ]
    )

    assert converted == TemplateParameter(
        name="cpu",
        type="number",
        display_name="CPU",
        description="Cores",
        mutable=True,
        default_value="2",
        icon="/cpu.svg",
        options=(ParameterOption("Two", "2", "", "/2.svg"),),
        validation_error="no",
        validation_min=1,
        validation_max=None,
        validation_monotonic="increasing",
        required=False,
        order=3,
        form_type="radio",
        styling='{"x":1}',
    )


def test_parameter_without_default_is_required() -> None:
    (converted,) = convert_parameters([parameter("a", name="a", option=None, validation=[], default=None)])

    assert converted == TemplateParameter(name="a", required=True)


def test_parameters_are_ordered_and_other_resources_passed_over() -> None:
    found = convert_parameters(
        [
            parameter("c", name="b", order=1, default=""),
            parameter("b", name="z", order=0, default=""),
            parameter("a", name="A", order=1, default=""),
            TerraformResource("coder_parameter.x", "coder_parameter.x", True, "coder_parameter", "x", {"name": "q"}),
        ]
    )

    assert [parameter.name for parameter in found] == ["z", "A", "b"]


def test_two_parameters_of_one_name_are_refused() -> None:
    with pytest.raises(ProvisionError, match="two parameters named 'same'"):
        convert_parameters([parameter("a", name="same"), parameter("b", name="same")])
