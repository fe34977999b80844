"""Imports a template version: reads its variables, plans a start and a stop, applies nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from genba_gateway.domain.provisioning import (
    ImportRequest,
    ImportResult,
    ResourceSpec,
    TemplateParameter,
    TemplatePreset,
    TemplateVariable,
)
from genba_gateway.provisioner.job_log import DETECTING_EPHEMERAL, DETECTING_PERSISTENT, PARSING_PARAMETERS
from genba_gateway.provisioner.job_workspace import JobWorkspace, OpenTemplate, Terraform
from genba_gateway.provisioner.parameters import convert_parameters
from genba_gateway.provisioner.plan_graph import PlanGraph
from genba_gateway.provisioner.presets import convert_presets
from genba_gateway.provisioner.resources import convert_resources
from genba_gateway.provisioner.template_source import read_readme
from genba_gateway.provisioner.terraform_json import TerraformResource, read_plan
from genba_gateway.provisioner.variable_values import render_variable_file, resolve_variables

TRANSITION_VARIABLE = "CODER_WORKSPACE_TRANSITION"


@dataclass(frozen=True, slots=True)
class _StartPlan:
    resources: list[TerraformResource]
    graph: str
    variables: tuple[TemplateVariable, ...]
    readme: str


class TemplateImport:
    """One import in its job's workspace."""

    def __init__(self, workspace: JobWorkspace, request: ImportRequest) -> None:
        self._workspace = workspace
        self._directory = workspace.directory
        self._request = request

    async def run(self) -> ImportResult:
        """Return what the version contains.

        Raises:
            ProvisionError: the template, or Terraform with it, fails.
        """
        start = await self._plan_start()
        stop_resources = [] if self._request.is_dry_run else await self._plan_stop()
        parameters, presets, start_specs, stop_specs = await asyncio.to_thread(_convert, start, stop_resources)
        return ImportResult(
            parameters=parameters,
            variables=start.variables,
            start_resources=start_specs,
            stop_resources=stop_specs,
            readme=start.readme,
            presets=presets,
        )

    async def _plan_start(self) -> _StartPlan:
        workspace, request = self._workspace, self._request
        async with workspace.serving({**request.environment, TRANSITION_VARIABLE: "start"}) as terraform:
            template = await workspace.open_template(request.template_version_id, request.archive, terraform.hosted)
            readme = await asyncio.to_thread(read_readme, self._directory.source)
            await workspace.log.begin_stage(PARSING_PARAMETERS)
            variables = resolve_variables(template.source.variables, request.variables, template.source.preset)
            await self._write_variables(template)
            await workspace.log.begin_stage(DETECTING_PERSISTENT)
            await workspace.initialise(terraform, template)
            staging = await workspace.stage(template)
            try:
                await terraform.commands.plan(self._directory.root / "start.tfplan", self._directory.variables_path)
                shown, graph = await self._show_and_graph(terraform, template)
            except BaseException:
                await workspace.unstage(staging)
                raise
            await workspace.publish(template, staging, graph)
        resources = await asyncio.to_thread(read_plan, shown)
        return _StartPlan(resources, graph, variables, readme)

    async def _write_variables(self, template: OpenTemplate) -> None:
        def write() -> None:
            data = render_variable_file(template.source, self._request.variables)
            self._directory.write_private(self._directory.variables_path, data)

        await asyncio.to_thread(write)

    async def _show_and_graph(self, terraform: Terraform, template: OpenTemplate) -> tuple[bytes, str]:
        shown = await terraform.commands.show(self._directory.root / "start.tfplan")
        graph = template.graph if template.graph is not None else await terraform.commands.graph()
        return shown, graph

    async def _plan_stop(self) -> list[TerraformResource]:
        plan = self._directory.root / "stop.tfplan"
        await self._workspace.log.begin_stage(DETECTING_EPHEMERAL)
        async with self._workspace.serving({**self._request.environment, TRANSITION_VARIABLE: "stop"}) as terraform:
            await terraform.commands.plan(plan, self._directory.variables_path)
            shown = await terraform.commands.show(plan)
        return await asyncio.to_thread(read_plan, shown)


def _convert(
    start: _StartPlan, stop_resources: list[TerraformResource]
) -> tuple[
    tuple[TemplateParameter, ...], tuple[TemplatePreset, ...], tuple[ResourceSpec, ...], tuple[ResourceSpec, ...]
]:
    graph = PlanGraph.parse(start.graph)
    parameters = convert_parameters(start.resources)
    return (
        parameters,
        convert_presets(start.resources, parameters),
        convert_resources(start.resources, graph),
        convert_resources(stop_resources, graph),
    )
