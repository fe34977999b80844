from __future__ import annotations

from dataclasses import replace

import pytest

from genba_gateway.domain.provisioning import AgentMetadataSpec, AgentSpec, AppHealthcheck, AppSpec, ScriptSpec
from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner.agents import convert_agent
from genba_gateway.provisioner.coder_attributes import AgentAttributes, read_attributes
from genba_gateway.provisioner.terraform_json import TerraformResource


def part(kind: str, name: str, /, **attributes: object) -> TerraformResource:
    address = f"{kind}.{name}"
    return TerraformResource(
        address=address, label=address, is_managed=True, type=kind, name=name, attributes=attributes
    )


def agent(
    attributes: dict[str, object] | None = None,
    *,
    apps: tuple[TerraformResource, ...] = (),
    scripts: tuple[TerraformResource, ...] = (),
    environment: tuple[TerraformResource, ...] = (),
) -> AgentSpec:
    return convert_agent(
        "main",
        read_attributes({"os": "linux", "arch": "amd64", **(attributes or {})}, AgentAttributes, "coder_agent.main"),
        apps=apps,
        scripts=scripts,
        environment=environment,
        instance_id="",
        host_boot_id="",
    )


def test_agent_with_nothing_set_has_the_contracts_defaults() -> None:
    assert agent({"dir": None, "env": None, "metadata": [], "connection_timeout": None}) == AgentSpec(
        "main", "linux", "amd64"
    )


def test_zero_connection_timeout_is_kept() -> None:
    assert agent({"connection_timeout": 0}).connection_timeout_s == 0


def test_startup_and_shutdown_scripts_come_first_with_their_logs() -> None:
    spec = agent(
        {"startup_script": "echo up", "shutdown_script": "echo down", "startup_script_behavior": "blocking"},
        scripts=(part("coder_script", "s", display_name="Cron", script="x", cron="0 0 * * * *", timeout=5, icon=None),),
    )

    assert spec.scripts == (
        ScriptSpec(
            "Startup Script",
            "echo up",
            log_path="coder-startup-script.log",
            run_on_start=True,
            start_blocks_login=True,
        ),
        ScriptSpec("Shutdown Script", "echo down", log_path="coder-shutdown-script.log", run_on_stop=True),
        ScriptSpec("Cron", "x", cron="0 0 * * * *", timeout_s=5),
    )


def test_app_takes_defaults_where_nothing_is_said() -> None:
    spec = agent(apps=(part("coder_app", "a", slug="code", display_name=None, url="http://localhost:1"),))

    assert spec.apps == (AppSpec("code", "code", url="http://localhost:1"),)


def test_apps_are_ordered_and_carry_their_health_check() -> None:
    check = {"url": "http://localhost/healthz", "interval": 5, "threshold": 6}
    spec = agent(
        apps=(
            part("coder_app", "a", slug="second", order=2, command="top"),
            part(
                "coder_app",
                "b",
                slug="first",
                display_name="First",
                order=1,
                healthcheck=[check],
                share="public",
                subdomain=True,
                hidden=True,
                open_in="tab",
                external=False,
            ),
        )
    )

    assert spec.apps == (
        AppSpec(
            "first",
            "First",
            subdomain=True,
            sharing_level="public",
            healthcheck=AppHealthcheck("http://localhost/healthz", 5, 6),
            hidden=True,
            open_in="tab",
            order=1,
        ),
        AppSpec("second", "second", command="top", order=2),
    )


def test_display_apps_block_replaces_the_default() -> None:
    block = {"vscode": False, "vscode_insiders": True, "web_terminal": True, "port_forwarding_helper": False}

    assert agent({"display_apps": [block]}).display_apps == ("vscode_insiders", "web_terminal", "ssh_helper")
    assert agent({"display_apps": []}).display_apps == AgentSpec("", "", "").display_apps


def test_metadata_is_ordered_and_keeps_zero_for_unset() -> None:
    blocks = [
        {"key": "b", "display_name": "B", "script": "b", "interval": 10, "timeout": 2, "order": 2},
        {"key": "a", "script": "a", "interval": 5, "order": 1},
    ]

    assert agent({"metadata": blocks}).metadata == (
        AgentMetadataSpec("a", "", "a", 5, 0, 1),
        AgentMetadataSpec("b", "B", "b", 10, 2, 2),
    )


def env(name: str, value: str, strategy: str | None = None, address: str = "e") -> TerraformResource:
    return part("coder_env", address, name=name, value=value, merge_strategy=strategy)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [("replace", "own"), (None, "own"), ("append", "own:extra"), ("prepend", "extra:own")],
)
def test_environment_merges_with_the_agents_own(strategy: str | None, expected: str) -> None:
    spec = agent({"env": {"A": "own"}}, environment=(env("A", "extra", strategy), env("B", "new", strategy, "f")))

    assert dict(spec.environment) == {"A": expected, "B": "new"}


def test_later_of_two_replacing_values_wins() -> None:
    spec = agent(environment=(env("A", "second", address="b"), env("A", "first", address="a")))

    assert dict(spec.environment) == {"A": "second"}


def test_error_strategy_refuses_a_second_value() -> None:
    with pytest.raises(ProvisionError, match=r"coder_env\.e sets 'A', which is set already"):
        agent({"env": {"A": "own"}}, environment=(env("A", "x", "error"),))


def test_token_is_not_shown() -> None:
    spec = agent({"token": "top-secret", "env": {"KEY": "hidden"}})

    assert spec.token == "top-secret"
    assert "secret" not in repr(spec)
    assert "hidden" not in repr(spec)
    assert replace(spec, token="") != spec


def test_attribute_of_a_wrong_type_names_the_resource() -> None:
    with pytest.raises(ProvisionError, match=r"coder_agent\.main has attributes of an unknown form"):
        agent({"metadata": "no list"})
