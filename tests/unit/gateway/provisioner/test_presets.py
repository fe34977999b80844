from __future__ import annotations

import pytest

from genba_gateway.domain.provisioning import TemplateParameter, TemplatePreset
from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner.presets import convert_presets
from genba_gateway.provisioner.terraform_json import TerraformResource

PARAMETERS = (TemplateParameter("cpu"), TemplateParameter("region"))


def preset(label: str, **attributes: object) -> TerraformResource:
    address = f"data.coder_workspace_preset.{label}"
    return TerraformResource(
        address=address,
        label=address,
        is_managed=False,
        type="coder_workspace_preset",
        name=label,
        attributes=attributes,
    )


def test_every_attribute_is_carried_over_and_the_default_comes_first() -> None:
    small = preset("small", name="Alpha", parameters=None, description=None, icon=None, default=None)
    large = preset(
        "large",
        name="Large",
        default=True,
        description="Much",
        icon="/l.svg",
        parameters={"region": "eu", "cpu": "8"},
        prebuilds=[{"instances": 2}],
    )
    other = TerraformResource("coder_agent.a", "coder_agent.a", True, "coder_agent", "a", {})
    assert convert_presets([other, small, large], PARAMETERS) == (
        TemplatePreset("Large", {"cpu": "8", "region": "eu"}, "Much", "/l.svg", is_default=True),
        TemplatePreset("Alpha", {}),
    )


@pytest.mark.parametrize(
    ("second", "wrong"),
    [
        ({"name": "One"}, "two presets named 'One'"),
        ({"name": "Two", "default": True}, "both the default"),
        ({"name": "Two", "parameters": {"gpu": "1"}}, "'gpu', which is no parameter"),
    ],
)
def test_what_contradicts_itself_is_refused(second: dict[str, object], wrong: str) -> None:
    with pytest.raises(ProvisionError, match=wrong):
        convert_presets([preset("one", name="One", default=True), preset("two", **second)], PARAMETERS)
