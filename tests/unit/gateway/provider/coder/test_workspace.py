"""The workspace that is built."""

from __future__ import annotations

import pytest

from genba_gateway.provider.coder.workspace import Workspace, find_port
from genba_gateway.provider.context import ProviderContext, Session
from genba_gateway.provider.problems import Refused
from genba_gateway.provider.values import Fields, Object


async def read(**environment: str) -> Object:
    session = Session(ProviderContext("job", "http://gateway", environment))
    return await Workspace().read(session, Fields({}))


async def test_workspace_of_an_import_has_defaults() -> None:
    made = await read()
    assert (made["name"], made["transition"], made["start_count"]) == ("default", "start", 1)
    assert (made["template_id"], made["access_url"], made["access_port"]) == ("", "http://gateway", 80)


@pytest.mark.parametrize(("transition", "count"), [("start", 1), ("stop", 0), ("destroy", 0)])
async def test_only_a_start_counts(transition: str, count: int) -> None:
    assert (await read(CODER_WORKSPACE_TRANSITION=transition))["start_count"] == count


async def test_claim_of_a_spare_workspace_is_no_spare_workspace() -> None:
    spare = await read(CODER_WORKSPACE_IS_PREBUILD="true")
    assert (spare["is_prebuild"], spare["prebuild_count"]) == (True, 1)
    claim = await read(CODER_WORKSPACE_IS_PREBUILD="true", CODER_WORKSPACE_IS_PREBUILD_CLAIM="true")
    assert (claim["is_prebuild"], claim["prebuild_count"], claim["is_prebuild_claim"]) == (False, 0, True)


async def test_build_has_to_say_what_its_template_is() -> None:
    with pytest.raises(Refused) as caught:
        await read(CODER_WORKSPACE_BUILD_ID="b")
    assert "CODER_WORKSPACE_TEMPLATE_ID" in caught.value.problems[0].detail


@pytest.mark.parametrize(
    ("url", "port"), [("http://x", 80), ("https://x", 443), ("https://x:8443/y", 8443), ("http://[::1]:1", 1)]
)
def test_port_follows_the_scheme(url: str, port: int) -> None:
    assert find_port(url) == port
