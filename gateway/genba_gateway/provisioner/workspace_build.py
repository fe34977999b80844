"""Builds a workspace: applies its template for a start, a stop or a removal."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from genba_gateway.domain.provisioning import BuildRequest, OnResources, ResourceSpec, Transition
from genba_gateway.provisioner.agent_watch import watching_agents
from genba_gateway.provisioner.job_log import APPLYING, PLANNING
from genba_gateway.provisioner.job_workspace import JobWorkspace, OpenTemplate, Terraform
from genba_gateway.provisioner.plan_graph import PlanGraph
from genba_gateway.provisioner.resources import convert_resources
from genba_gateway.provisioner.template_import import TRANSITION_VARIABLE
from genba_gateway.provisioner.terraform_json import read_state
from genba_gateway.provisioner.variable_values import render_variable_file

# Names of transitions in the provider's environment (contract 4.5).
_TRANSITION_NAMES = {Transition.START: "start", Transition.STOP: "stop", Transition.DELETE: "destroy"}


@dataclass(frozen=True, slots=True)
class Applied:
    """What is needed to read the state after an apply."""

    graph: str

    def resources(self, state: bytes | None) -> tuple[ResourceSpec, ...]:
        """Return the model of a state; takes its time with large ones, so call it in a thread."""
        return convert_resources(read_state(state), PlanGraph.parse(self.graph)) if state else ()


class WorkspaceBuild:
    """One build in its job's workspace; the state is read by the caller, whatever happens here."""

    def __init__(self, workspace: JobWorkspace, request: BuildRequest, on_resources: OnResources | None = None) -> None:
        self._workspace = workspace
        self._request = request
        self._on_resources = on_resources
        self._tokens: dict[str, str] = {}

    async def run(self) -> Applied:
        """Apply the template.

        Raises:
            ProvisionError: the template, or Terraform with it, fails (`JobCanceled` after a cancel).
        """
        workspace, request = self._workspace, self._request
        environment = {**request.environment, TRANSITION_VARIABLE: _TRANSITION_NAMES[request.transition]}
        async with workspace.serving(
            environment, debug=request.debug, on_agent_token=self._tokens.__setitem__
        ) as terraform:
            template = await workspace.open_template(request.template_version_id, request.archive, terraform.hosted)
            graph = await self._prepare(terraform, template)
            await asyncio.to_thread(self._write_inputs, template)
            await workspace.log.begin_stage(PLANNING)
            async with watching_agents(workspace.directory, graph, self._tokens, self._told_while_applying()):
                await terraform.commands.apply(
                    workspace.directory.variables_path,
                    is_destroy=request.transition is Transition.DELETE,
                    on_planned=lambda: workspace.log.begin_stage(APPLYING[request.transition]),
                )
        return Applied(graph)

    def _told_while_applying(self) -> OnResources | None:
        return self._on_resources if self._request.transition is Transition.START else None

    async def _prepare(self, terraform: Terraform, template: OpenTemplate) -> str:
        """Return the template's graph; before there is a state, so that it is the same for all workspaces."""
        if template.graph is not None:
            return template.graph
        await self._workspace.initialise(terraform, template)
        staging = await self._workspace.stage(template)
        try:
            graph = await terraform.commands.graph()
        except BaseException:
            await self._workspace.unstage(staging)
            raise
        await self._workspace.publish(template, staging, graph)
        return graph

    def _write_inputs(self, template: OpenTemplate) -> None:
        directory = self._workspace.directory
        directory.write_private(
            directory.variables_path, render_variable_file(template.source, self._request.variables)
        )
        if self._request.state:
            directory.write_private(directory.state_path, self._request.state)
