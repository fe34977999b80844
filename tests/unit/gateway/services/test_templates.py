from __future__ import annotations

import pytest

from genba_gateway.errors import BadRequest, Forbidden
from genba_wire.api.templates import UpdateTemplateRequest
from tests.support.workshop import Workshop


async def test_a_setting_that_is_out_of_range_or_has_no_effect_changes_nothing(workshop: Workshop) -> None:
    template = await workshop.add_template()
    request = UpdateTemplateRequest(name="podman", default_ttl_ms=-5, failure_ttl_ms=60_000)
    with pytest.raises(BadRequest) as refused:
        await workshop.services.templates.update(workshop.owner.actor, template["id"], request)
    assert [problem.field for problem in refused.value.validations] == ["default_ttl_ms", "failure_ttl_ms"]
    assert (await workshop.services.templates.get(workshop.member.actor, template["id"])).name == "docker"


async def test_only_owners_change_a_template_and_defaults_of_clients_change_nothing(workshop: Workshop) -> None:
    template = await workshop.add_template()
    update = workshop.services.templates.update
    with pytest.raises(Forbidden):
        await update(workshop.member.actor, template["id"], UpdateTemplateRequest(name="x"))
    assert await update(workshop.owner.actor, template["id"], UpdateTemplateRequest(name=None)) is None


async def test_the_active_version_can_be_required_and_left_free(workshop: Workshop) -> None:
    template = await workshop.add_template()
    update = workshop.services.templates.update
    for required in (True, False):
        changed = await update(
            workshop.owner.actor, template["id"], UpdateTemplateRequest(require_active_version=required)
        )
        assert changed is not None
        assert changed.require_active_version is required
