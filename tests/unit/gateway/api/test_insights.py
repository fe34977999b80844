from __future__ import annotations

from tests.support.workshop import UNKNOWN_ID, Workshop


async def test_users_are_counted_for_who_may_see_it(workshop: Workshop) -> None:
    template = await workshop.add_template()
    paths = ("/insights/daus", f"/templates/{template['id']}/daus")
    for path in paths:
        reply = await workshop.get(workshop.owner, f"{path}?tz_offset=-9")
        assert (reply.status, reply.body["tz_hour_offset"], len(reply.body["entries"])) == (200, -9, 60)
        assert reply.body["entries"][0]["amount"] == 0
        assert (await workshop.get(workshop.owner, path)).body["tz_hour_offset"] == 0
        wrong = await workshop.get(workshop.owner, f"{path}?tz_offset=90")
        assert (wrong.status, wrong.fields) == (400, ["tz_offset"])
        assert (await workshop.get(workshop.member, path)).status in (403, 404)
    assert (await workshop.get(workshop.owner, f"/templates/{UNKNOWN_ID}/daus")).status == 404
    assert (await workshop.get(workshop.owner, "/templates/1/daus")).status == 400
