"""Which versions nobody needs."""

from __future__ import annotations

import pytest

from genba_gateway.errors import Forbidden, NotFound
from tests.support.workshop import UNKNOWN_ID, Workshop


async def test_failed_versions_go_and_good_ones_when_asked_for(workshop: Workshop) -> None:
    template = await workshop.add_template()
    await workshop.add_workspace(template)
    workshop.provisioner.imported = Exception("broken")
    failed = await workshop.add_version(template_id=template["id"])
    workshop.provisioner.imported = type(workshop.provisioner)().imported
    good = await workshop.add_version(template_id=template["id"])
    waiting = await workshop.add_version(template_id=template["id"], run=False)
    archive, olga = workshop.services.version_archive, workshop.owner.actor
    assert await archive.archive_unused(olga, template["id"], also_good=False) == [failed["id"]]
    assert await archive.archive_unused(olga, template["id"], also_good=False) == []
    # The first one is active and has a workspace: promoting another leaves it the workspace.
    await workshop.services.templates.promote(olga, template["id"], good["id"])
    assert await archive.archive_unused(olga, template["id"], also_good=True) == []
    third = await workshop.add_version(template_id=template["id"], run=False)
    for _ in range(2):
        await workshop.run_next()
    assert await archive.archive_unused(olga, template["id"], also_good=True) == [waiting["id"], third["id"]]
    with pytest.raises(Forbidden):
        await archive.archive_unused(workshop.member.actor, template["id"], also_good=True)
    with pytest.raises(NotFound):
        await archive.archive_unused(olga, UNKNOWN_ID, also_good=True)
