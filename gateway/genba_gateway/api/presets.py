"""Routes of presets of template versions (contract 4.2)."""

from __future__ import annotations

from quart import Blueprint, Response

from genba_gateway.api.answers import answer
from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.services.presets import Presets
from genba_gateway.services.visibility import parse_id
from genba_wire.api.templates import Preset, PresetParameter


def make_blueprint(presets: Presets) -> Blueprint:
    """Routes on presets."""
    blueprint = Blueprint("presets", __name__)

    @blueprint.get("/api/v2/templateversions/<version>/presets")
    @needs(Permission(Resource.TEMPLATE, Action.READ))
    async def list_presets(version: str) -> Response:
        found = await presets.list_of_version(current_user(), parse_id(version, "templateversion"))
        return answer(
            [
                Preset(
                    ID=preset_id,
                    Name=preset.name,
                    Parameters=[PresetParameter(Name=name, Value=value) for name, value in preset.parameters.items()],
                    Default=preset.is_default,
                    Description=preset.description,
                    Icon=preset.icon,
                )
                for preset_id, preset in found
            ]
        )

    return blueprint
