"""Turns the resources of a plan or state into the model: what users see, with agents where they run.

An agent belongs to the nearest managed resource that depends on it and is not of the `coder` provider itself
(contract 4.7); "nearest" counts steps in the dependency graph. An agent without one is dropped: nothing would
ever run it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import msgspec

from genba_gateway.domain.provisioning import AgentSpec, ResourceMetadataItem, ResourceSpec
from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner.agents import check_agent_name, check_app_slug, convert_agent
from genba_gateway.provisioner.coder_attributes import (
    AgentAttributes,
    AppAttributes,
    InstanceAttributes,
    MetadataAttributes,
    read_attributes,
)
from genba_gateway.provisioner.plan_graph import Direction, PlanGraph, is_managed_label
from genba_gateway.provisioner.terraform_json import TerraformResource

HIDDEN_TYPES = frozenset({"coder_script", "coder_agent", "coder_agent_instance", "coder_app", "coder_metadata"})
# Where cloud providers keep the id under which a machine proves who it is.
INSTANCE_ID_ATTRIBUTES = {
    "google_compute_instance": "instance_id",
    "aws_instance": "id",
    "aws_spot_instance_request": "spot_instance_id",
    "azurerm_linux_virtual_machine": "virtual_machine_id",
    "azurerm_windows_virtual_machine": "virtual_machine_id",
}
HOST_TYPE = "genba_host"
# Resources without an agent come after those with one, whatever the agents' order.
_AFTER_ALL_AGENTS = 2**31


class _Owned(msgspec.Struct):
    """The one attribute that all parts of an agent share."""

    agent_id: str | None = None


def convert_resources(resources: Sequence[TerraformResource], graph: PlanGraph) -> tuple[ResourceSpec, ...]:
    """Return the visible resources by smallest agent order, then name.

    Raises:
        ProvisionError: a name or slug is not valid or taken, or a resource has two `coder_metadata`.
    """
    return _Conversion(resources, graph).run()


def convert_growing_resources(
    resources: Sequence[TerraformResource], graph: PlanGraph, tokens: Mapping[str, str]
) -> tuple[ResourceSpec, ...]:
    """Return what is known of a workspace while its apply still runs.

    Agents hang on their resource although it may not exist yet; `tokens` (by the agents' ids in Terraform) are newer
    than those of the state.

    Raises:
        ProvisionError: as `convert_resources`.
    """
    told = [
        replace(each, attributes={**each.attributes, "token": tokens[str(each.attributes.get("id"))]})
        if each.type == "coder_agent" and str(each.attributes.get("id")) in tokens
        else each
        for each in resources
    ]
    return _Conversion(told, graph, is_growing=True).run()


class _Conversion:
    def __init__(self, resources: Sequence[TerraformResource], graph: PlanGraph, *, is_growing: bool = False) -> None:
        self._graph = graph
        self._is_growing = is_growing
        self._by_type: dict[str, list[TerraformResource]] = defaultdict(list)
        self._by_label: dict[str, list[TerraformResource]] = defaultdict(list)
        for resource in sorted(resources, key=lambda resource: resource.address):
            if resource.is_managed:
                self._by_type[resource.type].append(resource)
                self._by_label[resource.label].append(resource)
        self._agents = {
            agent.address: read_attributes(agent.attributes, AgentAttributes, agent.address)
            for agent in self._by_type["coder_agent"]
        }

    def run(self) -> tuple[ResourceSpec, ...]:
        self._check_names()
        agents = self._place_agents()
        metadata = self._place_metadata()
        specs = [
            _convert(resource, agents.get(resource.address, []), metadata.get(resource.label))
            for resource_type, group in self._by_type.items()
            if resource_type not in HIDDEN_TYPES
            for resource in group
        ]
        return tuple(sorted(specs, key=_rank))

    def _check_names(self) -> None:
        names: set[str] = set()
        for agent in self._by_type["coder_agent"]:
            check_agent_name(agent, names)
        slugs: set[str] = set()
        for app in self._by_type["coder_app"]:
            attributes = read_attributes(app.attributes, AppAttributes, app.address)
            # A slug that is made from another resource is not known in a plan.
            if attributes.slug is not None:
                check_app_slug(app, attributes.slug, slugs)

    def _place_agents(self) -> dict[str, list[AgentSpec]]:
        parts = {
            part: self._group_by_agent(part)
            for part in ("coder_app", "coder_script", "coder_env", "coder_agent_instance")
        }
        placed: dict[str, list[AgentSpec]] = defaultdict(list)
        for agent in self._by_type["coder_agent"]:
            label = self._graph.find_nearest(agent.label, Direction.DEPENDENTS, self._is_compute)
            if label is None:
                continue
            # Instances of one resource share its label; an agent runs on one machine, so it takes the first.
            resource = self._by_label[label][0] if self._by_label[label] else self._expect(label)
            attributes = self._agents[agent.address]
            spec = convert_agent(
                agent.name,
                attributes,
                apps=parts["coder_app"][agent.address],
                scripts=parts["coder_script"][agent.address],
                environment=parts["coder_env"][agent.address],
                instance_id=_instance_id(attributes, parts["coder_agent_instance"][agent.address], resource),
                host_boot_id=_text(resource, "machine_boot_id") if resource.type == HOST_TYPE else "",
            )
            placed[resource.address].append(spec)
        return placed

    def _expect(self, label: str) -> TerraformResource:
        """A resource that the apply has not made yet."""
        resource_type, _, name = label.rpartition(".")
        expected = TerraformResource(label, label, True, resource_type.rpartition(".")[2], name, {})
        self._by_type[expected.type].append(expected)
        self._by_label[label].append(expected)
        return expected

    def _is_compute(self, label: str) -> bool:
        exists = bool(self._by_label.get(label)) or (self._is_growing and is_managed_label(label))
        return exists and not label.rpartition(".")[0].rpartition(".")[2].startswith("coder_")

    def _group_by_agent(self, resource_type: str) -> dict[str, list[TerraformResource]]:
        by_id = {attributes.id: address for address, attributes in self._agents.items() if attributes.id}
        groups: dict[str, list[TerraformResource]] = defaultdict(list)
        for resource in self._by_type[resource_type]:
            agent_id = read_attributes(resource.attributes, _Owned, resource.address).agent_id
            address = by_id.get(agent_id) if agent_id else self._find_planned_agent(resource)
            if address is not None:
                groups[address].append(resource)
        return groups

    def _find_planned_agent(self, resource: TerraformResource) -> str | None:
        """Find the agent by the graph: ids are not known before an agent exists."""
        label = self._graph.find_nearest(
            resource.label,
            Direction.DEPENDENCIES,
            lambda label: any(agent.label == label for agent in self._by_type["coder_agent"]),
        )
        return self._by_label[label][0].address if label is not None else None

    def _place_metadata(self) -> dict[str, MetadataAttributes]:
        placed: dict[str, MetadataAttributes] = {}
        for resource in self._by_type["coder_metadata"]:
            label = self._graph.find_nearest(resource.label, Direction.DEPENDENCIES, self._is_compute)
            if label is None:
                continue
            if label in placed:
                raise ProvisionError(
                    f"{label} has two coder_metadata resources; put their items into one (second: {resource.address})."
                )
            placed[label] = read_attributes(resource.attributes, MetadataAttributes, resource.address)
        return placed


def _instance_id(
    attributes: AgentAttributes, bindings: Iterable[TerraformResource], resource: TerraformResource
) -> str:
    if (attributes.auth or "token") == "token":
        return ""
    for binding in bindings:
        bound = read_attributes(binding.attributes, InstanceAttributes, binding.address).instance_id
        if bound:
            return bound
    attribute = INSTANCE_ID_ATTRIBUTES.get(resource.type)
    return _text(resource, attribute) if attribute is not None else ""


def _text(resource: TerraformResource, attribute: str) -> str:
    value = resource.attributes.get(attribute)
    return value if isinstance(value, str) else ""


def _convert(
    resource: TerraformResource, agents: Sequence[AgentSpec], metadata: MetadataAttributes | None
) -> ResourceSpec:
    found = metadata or MetadataAttributes()
    return ResourceSpec(
        type=resource.type,
        name=resource.name,
        hide=found.hide or False,
        icon=found.icon or "",
        daily_cost=found.daily_cost or 0,
        metadata=tuple(
            ResourceMetadataItem(key=item.key or "", value=item.value or "", sensitive=item.sensitive or False)
            for item in found.item or ()
            if not item.is_null
        ),
        agents=tuple(sorted(agents, key=lambda agent: (agent.order, agent.name))),
    )


def _rank(resource: ResourceSpec) -> tuple[int, str, str]:
    order = min((agent.order for agent in resource.agents), default=_AFTER_ALL_AGENTS)
    return (order, resource.name, resource.type)
