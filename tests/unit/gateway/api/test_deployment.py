"""What anybody may ask of the deployment."""

from __future__ import annotations

import uuid

from genba_gateway.domain.actors import OWNER
from genba_wire.version import VERSION
from tests.support.gateway_app import make_user
from tests.support.identity_app import Identity


async def test_build_info_tells_the_version_and_one_deployment_id(identity: Identity) -> None:
    client = identity.app.test_client()
    response = await client.get("/api/v2/buildinfo")
    info = await response.get_json()
    assert response.headers["X-Coder-Build-Version"] == info["version"] == VERSION
    assert info["dashboard_url"] == "http://genba.test"
    assert info["agent_api_version"] == "1.0"
    assert str(uuid.UUID(info["deployment_id"])) == info["deployment_id"]
    assert (await (await client.get("/api/v2/buildinfo")).get_json()) == info


async def test_health_and_greeting(identity: Identity) -> None:
    client = identity.app.test_client()
    health = await client.get("/healthz")
    assert (health.status_code, await health.get_data()) == (200, b"OK")
    assert set(await (await client.get("/api/v2/")).get_json()) == {"message"}


async def test_a_wrong_api_path_is_told_as_json(identity: Identity) -> None:
    response = await identity.app.test_client().get("/api/v2/nothing")
    assert response.status_code == 404
    assert await response.get_json() == {"message": "Route not found."}


async def test_the_gateway_is_the_one_region(identity: Identity) -> None:
    owner = await make_user(identity.database)
    client = identity.app.test_client()
    assert (await client.get("/api/v2/regions")).status_code == 401

    [region] = (await (await client.get("/api/v2/regions", headers=owner.headers)).get_json())["regions"]

    assert str(uuid.UUID(region.pop("id")))
    assert region == {
        "name": "primary",
        "display_name": "Default",
        "icon_url": "",
        "healthy": True,
        "path_app_url": "http://genba.test",
        "wildcard_hostname": "*.apps.test",
    }


async def test_the_gateway_is_the_one_region_of_administrators_too(identity: Identity) -> None:
    owner = await make_user(identity.database, "olga", roles=(OWNER,))
    member = await make_user(identity.database, "mia")
    client = identity.app.test_client()
    assert (await client.get("/api/v2/workspaceproxies", headers=member.headers)).status_code == 403

    answer = await (await client.get("/api/v2/workspaceproxies", headers=owner.headers)).get_json()

    [proxy] = answer["regions"]
    assert (proxy["name"], proxy["healthy"], proxy["path_app_url"]) == ("primary", True, "http://genba.test")
    assert (proxy["status"]["status"], proxy["deleted"], proxy["version"]) == ("ok", False, VERSION)
    assert proxy["created_at"] == "0001-01-01T00:00:00Z"
    for name in ("primary", proxy["id"]):
        response = await client.get(f"/api/v2/workspaceproxies/{name}", headers=owner.headers)
        assert {**await response.get_json(), "status": 0} == {**proxy, "status": 0}
    assert (await client.get("/api/v2/workspaceproxies/other", headers=owner.headers)).status_code == 404
    assert (await client.get("/api/v2/workspaceproxies/primary", headers=member.headers)).status_code == 403
