from __future__ import annotations

import pytest

from genba_gateway.domain.provisioning import ResourceMetadataItem
from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner.plan_graph import PlanGraph, label_of
from genba_gateway.provisioner.resources import convert_resources
from genba_gateway.provisioner.terraform_json import TerraformResource


def resource(address: str, **attributes: object) -> TerraformResource:
    label = label_of(address)
    kind, name = label.split(".")[-2:]
    return TerraformResource(address=address, label=label, is_managed=True, type=kind, name=name, attributes=attributes)


def graph(*edges: str) -> PlanGraph:
    """Edges as `dependent > dependency`."""
    pairs = (edge.split(" > ") for edge in edges)
    return PlanGraph((f"{source} (expand)", f"{target} (expand)") for source, target in pairs)


AGENT = resource("coder_agent.main", id="agent-1", os="linux", arch="amd64", auth="token", token="secret")


def test_agent_hangs_on_the_nearest_resource_that_depends_on_it() -> None:
    specs = convert_resources(
        [AGENT, resource("docker_container.near"), resource("docker_volume.far")],
        graph("docker_container.near > coder_agent.main", "docker_volume.far > docker_container.near"),
    )

    assert [(spec.name, [agent.name for agent in spec.agents]) for spec in specs] == [("near", ["main"]), ("far", [])]
    assert specs[0].agents[0].token == "secret"


def test_agent_without_compute_is_dropped_and_coder_resources_are_no_compute() -> None:
    specs = convert_resources(
        [AGENT, resource("coder_env.e", agent_id="agent-1", name="A", value="b")],
        graph("coder_env.e > coder_agent.main"),
    )

    assert [(spec.type, spec.agents) for spec in specs] == [("coder_env", ())]


def test_agents_run_on_the_first_of_several_instances() -> None:
    specs = convert_resources([AGENT, resource("vm.box[0]"), resource("vm.box[1]")], graph("vm.box > coder_agent.main"))

    assert [len(spec.agents) for spec in specs] == [1, 0]


def test_parts_belong_by_id_once_agents_exist() -> None:
    other = resource("coder_agent.other", id="agent-2", os="linux", arch="arm64", order=1)
    specs = convert_resources(
        [
            AGENT,
            other,
            resource("vm.box"),
            resource("coder_app.code", agent_id="agent-2", slug="code"),
            resource("coder_script.run", agent_id="agent-1", display_name="Run", script="true", run_on_start=True),
            resource("coder_env.e", agent_id="agent-1", name="A", value="b"),
        ],
        graph("vm.box > coder_agent.main", "vm.box > coder_agent.other"),
    )

    first, second = specs[0].agents
    assert (first.name, [script.display_name for script in first.scripts]) == ("main", ["Run"])
    assert dict(first.environment) == {"A": "b"}
    assert (second.name, [app.slug for app in second.apps]) == ("other", ["code"])


def test_parts_belong_by_the_graph_before_agents_exist_also_through_modules() -> None:
    planned = resource("coder_agent.main", os="linux", arch="amd64")
    specs = convert_resources(
        [planned, resource("vm.box"), resource("module.ide[0].coder_app.code", slug="code")],
        graph(
            "vm.box > coder_agent.main",
            "module.ide.coder_app.code > module.ide.var.agent_id",
            "module.ide.var.agent_id > coder_agent.main",
        ),
    )

    assert [app.slug for app in specs[0].agents[0].apps] == ["code"]


def test_metadata_is_put_on_the_nearest_resource_without_null_items() -> None:
    items = [
        {"key": "cpu", "value": "2", "sensitive": False, "is_null": False},
        {"key": "gone", "value": "", "is_null": True},
        {"key": "pw", "value": "x", "sensitive": True, "is_null": False},
    ]
    (spec,) = convert_resources(
        [resource("vm.box"), resource("coder_metadata.m", hide=True, icon="/i.svg", daily_cost=3, item=items)],
        graph("coder_metadata.m > vm.box"),
    )

    assert (spec.hide, spec.icon, spec.daily_cost) == (True, "/i.svg", 3)
    assert spec.metadata == (ResourceMetadataItem("cpu", "2"), ResourceMetadataItem("pw", "x", sensitive=True))


def test_two_metadata_for_one_resource_are_refused() -> None:
    with pytest.raises(ProvisionError, match=r"vm\.box has two coder_metadata"):
        convert_resources(
            [resource("vm.box"), resource("coder_metadata.a"), resource("coder_metadata.b")],
            graph("coder_metadata.a > vm.box", "coder_metadata.b > vm.box"),
        )


@pytest.mark.parametrize(
    ("names", "fragment"),
    [
        (["under_score"], "contains an underscore; use 'under-score'"),
        (["double--hyphen"], "is not valid"),
        (["-start"], "is not valid"),
        (["main", "MAIN"], "two agents named 'MAIN'"),
    ],
)
def test_agent_names_are_checked(names: list[str], fragment: str) -> None:
    with pytest.raises(ProvisionError) as caught:
        convert_resources([resource(f"coder_agent.{name}") for name in sorted(names, reverse=True)], PlanGraph([]))

    assert fragment.lower() in caught.value.message.lower()


@pytest.mark.parametrize(
    ("slugs", "fragment"),
    [(["Upper"], "'Upper'"), (["a_b"], "'a_b'"), (["same", "same"], "two apps with the slug 'same'")],
)
def test_app_slugs_are_checked(slugs: list[str], fragment: str) -> None:
    apps = [resource(f"coder_app.app{number}", slug=slug) for number, slug in enumerate(slugs)]

    with pytest.raises(ProvisionError, match=fragment):
        convert_resources(apps, PlanGraph([]))


def test_order_is_by_smallest_agent_order_then_name() -> None:
    agents = [
        resource(f"coder_agent.{name}", os="linux", order=order) for name, order in [("a", 5), ("b", 1), ("c", 9)]
    ]
    specs = convert_resources(
        [*agents, resource("vm.x"), resource("vm.y"), resource("vm.b"), resource("vm.a")],
        graph("vm.x > coder_agent.a", "vm.x > coder_agent.c", "vm.y > coder_agent.b"),
    )

    assert [spec.name for spec in specs] == ["y", "x", "a", "b"]
    assert [agent.name for agent in specs[1].agents] == ["a", "c"]


def test_instance_id_comes_from_a_binding_or_from_the_machine() -> None:
    agent = resource("coder_agent.main", id="agent-1", os="linux", auth="aws-instance-identity", token="ignored")
    machine = resource("aws_instance.dev", id="i-123")
    edges = graph("aws_instance.dev > coder_agent.main")

    by_machine = convert_resources([agent, machine], edges)[0].agents[0]
    binding = resource("coder_agent_instance.b", agent_id="agent-1", instance_id="i-bound")
    by_binding = convert_resources([agent, machine, binding], edges)[0].agents[0]

    assert (by_machine.instance_id, by_machine.token) == ("i-123", "")
    assert by_binding.instance_id == "i-bound"


def test_token_agent_has_no_instance_id() -> None:
    (spec,) = convert_resources(
        [AGENT, resource("aws_instance.dev", id="i-1")], graph("aws_instance.dev > coder_agent.main")
    )

    assert spec.agents[0].instance_id == ""


def test_agent_on_a_host_knows_the_machines_boot_id() -> None:
    host = resource("genba_host.workspace", machine_boot_id="boot-7")
    (spec,) = convert_resources([AGENT, host], graph("genba_host.workspace > coder_agent.main"))

    assert spec.agents[0].host_boot_id == "boot-7"
