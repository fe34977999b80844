"""Presets of a template version, from the `data.coder_workspace_preset` blocks in its plan."""

from __future__ import annotations

from collections.abc import Iterable

from genba_gateway.domain.provisioning import TemplateParameter, TemplatePreset
from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner.coder_attributes import PresetAttributes, read_attributes
from genba_gateway.provisioner.terraform_json import TerraformResource


def convert_presets(
    resources: Iterable[TerraformResource], parameters: Iterable[TemplateParameter]
) -> tuple[TemplatePreset, ...]:
    """Return the presets, the default one first, then by name.

    Raises:
        ProvisionError: two have the same name, or two are the default, or one names a parameter that there is not.
    """
    known = {parameter.name for parameter in parameters}
    found: dict[str, TemplatePreset] = {}
    for resource in resources:
        if resource.is_managed or resource.type != "coder_workspace_preset":
            continue
        preset = _convert(read_attributes(resource.attributes, PresetAttributes, resource.address))
        if preset.name in found:
            raise ProvisionError(
                f"The template has two presets named {preset.name!r}; rename one (second: {resource.address})."
            )
        for name in preset.parameters:
            if name not in known:
                raise ProvisionError(
                    f"Preset {preset.name!r} sets {name!r}, which is no parameter of the template; "
                    f"mend the name in {resource.address}."
                )
        found[preset.name] = preset
    defaults = [preset.name for preset in found.values() if preset.is_default]
    if len(defaults) > 1:
        raise ProvisionError(f"Presets {defaults[0]!r} and {defaults[1]!r} are both the default; leave it with one.")
    return tuple(sorted(found.values(), key=lambda preset: (not preset.is_default, preset.name.lower())))


def _convert(attributes: PresetAttributes) -> TemplatePreset:
    return TemplatePreset(
        name=attributes.name or "",
        description=attributes.description or "",
        icon=attributes.icon or "",
        is_default=attributes.default or False,
        parameters={name: value or "" for name, value in sorted((attributes.parameters or {}).items())},
    )
