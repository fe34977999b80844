"""Agents: tokens, init scripts, checks."""

from __future__ import annotations

from genba_gateway.provider.coder.agent import DISPLAY_APPS, RUNNING_TOKEN, SCHEMA, Agent
from genba_gateway.provider.context import ProviderContext, Session
from genba_gateway.provider.plan import plan_creation
from genba_gateway.provider.values import Fields, Object, Value


def make_session(url: str = "http://gateway:3000", **environment: str) -> Session:
    return Session(ProviderContext("job", url, environment))


def make_config(**given: Value) -> Object:
    empty: Object = {each.name: None for each in SCHEMA.block.attributes}
    blocks: Object = {each.name: [] for each in SCHEMA.block.blocks}
    return {**empty, **blocks, "os": "linux", "arch": "amd64", **given}


def make_plan(**given: Value) -> Fields:
    return Fields(plan_creation(SCHEMA.block, make_config(**given)))


async def test_creation_makes_id_and_token_and_fills_display_apps() -> None:
    first = await Agent().create(make_session(), make_plan())
    second = await Agent().create(make_session(), make_plan())

    assert first["id"] != second["id"]
    assert first["token"] != second["token"]
    assert first["display_apps"] == [
        {
            "vscode": True,
            "vscode_insiders": False,
            "web_terminal": True,
            "port_forwarding_helper": True,
            "ssh_helper": True,
        }
    ]


async def test_given_display_apps_are_kept() -> None:
    given: Object = {each.name: False for each in DISPLAY_APPS.attributes}
    assert "display_apps" not in await Agent().create(make_session(), make_plan(display_apps=[given]))


async def test_refresh_makes_another_token_unless_one_is_handed_in() -> None:
    state = Fields(make_config(token="old", auth="token"))
    assert (await Agent().read(make_session(), state))["token"] != "old"
    handed_in = make_session(**{RUNNING_TOKEN: "running"})
    assert (await Agent().read(handed_in, state))["token"] == "running"


async def test_init_script_is_the_systems_with_url_and_auth_put_in() -> None:
    scripts = {"CODER_AGENT_SCRIPT_linux_amd64": "${ACCESS_URL}bin ${AUTH_TYPE}", "CODER_AGENT_SCRIPT_linux_arm64": "x"}
    for url in ("http://gateway:3000", "http://gateway:3000/"):
        made = await Agent().create(make_session(url, **scripts), make_plan())
        assert made["init_script"] == "http://gateway:3000/bin token"


async def test_init_script_of_an_unknown_system_is_empty() -> None:
    assert (await Agent().create(make_session(), make_plan()))["init_script"] == ""


def test_repeated_keys_and_volumes_and_relative_paths_are_refused() -> None:
    metadata: Value = [{"key": "a"}, {"key": "a"}]
    volumes: Value = [{"path": "/x"}, {"path": "/x"}, {"path": "y"}, {"path": "C:\\data"}]
    config = make_config(metadata=metadata, resources_monitoring=[{"memory": [], "volume": volumes}])

    paths = [each.path for each in Agent().find_problems(Fields(config))]

    assert paths == [
        ("metadata", 1, "key"),
        ("resources_monitoring", 0, "volume", 1, "path"),
        ("resources_monitoring",),
    ]


def test_id_is_not_the_authors_to_set() -> None:
    assert [each.path for each in Agent().find_problems(Fields(make_config(id="x")))] == [("id",)]
