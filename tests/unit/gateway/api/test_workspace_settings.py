"""The routes of a workspace's small settings (contract 2.2)."""

from __future__ import annotations

from tests.support.workshop import UNKNOWN_ID, Workshop


async def test_a_favorite_comes_first_in_its_owners_list_and_in_nobody_elses(workshop: Workshop) -> None:
    template = await workshop.add_template()
    for name in ("aaa", "mmm", "zzz"):
        last = await workshop.add_workspace(template, name)
    path = f"/workspaces/{last['id']}/favorite"

    async def names(who: object) -> list[tuple[str, bool]]:
        reply = await workshop.get(workshop.member if who == "mia" else workshop.owner, "/workspaces")
        return [(each["name"], each["favorite"]) for each in reply.body["workspaces"]]

    assert (await workshop.call(workshop.member, "PUT", path)).status == 204
    assert await names("mia") == [("zzz", True), ("aaa", False), ("mmm", False)]
    assert await names("olga") == [("aaa", False), ("mmm", False), ("zzz", False)]
    assert (await workshop.call(workshop.member, "DELETE", path)).status == 204
    assert await names("mia") == [("aaa", False), ("mmm", False), ("zzz", False)]


async def test_whose_favorites_can_not_be_changed(workshop: Workshop) -> None:
    path = f"/workspaces/{(await workshop.add_workspace(await workshop.add_template()))['id']}/favorite"
    for method in ("PUT", "DELETE"):
        assert (await workshop.call(workshop.owner, method, path)).status == 403
        assert (await workshop.call(workshop.stranger, method, path)).status == 404
        assert (await workshop.call(None, method, path)).status == 401
        assert (await workshop.call(workshop.member, method, f"/workspaces/{UNKNOWN_ID}/favorite")).status == 404


async def test_automatic_updates_are_always_or_never(workshop: Workshop) -> None:
    path = f"/workspaces/{(await workshop.add_workspace(await workshop.add_template()))['id']}"

    async def put(value: object) -> tuple[int, list[str]]:
        reply = await workshop.call(workshop.member, "PUT", f"{path}/autoupdates", {"automatic_updates": value})
        return reply.status, reply.fields if reply.status != 204 else []

    assert await put("always") == (204, [])
    assert (await workshop.get(workshop.member, path)).body["automatic_updates"] == "always"
    assert await put("never") == (204, [])
    for bad in ("", "sometimes", None):
        assert await put(bad) == (400, ["automatic_updates"])
    body = {"automatic_updates": "always"}
    assert (await workshop.call(workshop.stranger, "PUT", f"{path}/autoupdates", body)).status == 404


async def test_a_workspace_sleeps_until_it_is_woken(workshop: Workshop) -> None:
    path = f"/workspaces/{(await workshop.add_workspace(await workshop.add_template()))['id']}/dormant"
    slept = await workshop.call(workshop.member, "PUT", path, {"dormant": True})
    assert (slept.status, "dormant_at" in slept.body) == (200, True)
    assert (await workshop.call(workshop.member, "PUT", path, {"dormant": True})).status == 304
    workshop.clock.move(60)
    woken = await workshop.call(workshop.member, "PUT", path, {"dormant": False})
    assert (woken.status, "dormant_at" in woken.body) == (200, False)
    assert woken.body["last_used_at"] > slept.body["last_used_at"]
    assert (await workshop.call(workshop.member, "PUT", path, {"dormant": False})).status == 304
    assert (await workshop.call(workshop.member, "PUT", path, {})).fields == ["dormant"]
    assert (await workshop.call(workshop.stranger, "PUT", path, {"dormant": True})).status == 404
