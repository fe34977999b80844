"""Whose workspace it is."""

from __future__ import annotations

import pytest

from genba_gateway.provider.coder.workspace_owner import WorkspaceOwner
from genba_gateway.provider.context import ProviderContext, Session
from genba_gateway.provider.problems import Refused
from genba_gateway.provider.values import Fields, Object


async def read(**environment: str) -> Object:
    session = Session(ProviderContext("job", "http://gateway", environment))
    return await WorkspaceOwner().read(session, Fields({}))


async def test_lists_are_read_from_json() -> None:
    made = await read(
        CODER_WORKSPACE_OWNER_GROUPS='["a", "b"]',
        CODER_WORKSPACE_OWNER_RBAC_ROLES='[{"name": "owner", "org_id": "o"}]',
    )
    assert made["groups"] == ["a", "b"]
    assert made["rbac_roles"] == [{"name": "owner", "org_id": "o"}]


async def test_owner_of_an_import_has_defaults() -> None:
    made = await read()
    assert (made["name"], made["full_name"], made["email"]) == ("default", "default", "default@example.com")
    assert (made["groups"], made["rbac_roles"], made["login_type"]) == ([], [], None)


@pytest.mark.parametrize("text", ["x", "{}", "[1]"])
async def test_list_that_is_none_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(Refused) as caught:
        await read(CODER_WORKSPACE_OWNER_GROUPS=text)
    assert "CODER_WORKSPACE_OWNER_GROUPS" in caught.value.problems[0].detail
