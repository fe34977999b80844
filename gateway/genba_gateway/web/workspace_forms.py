"""The form from which a workspace is made, and the one with which its parameters are changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from quart import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.domain.build_parameters import choose_values
from genba_gateway.domain.names import explain_bad_name
from genba_gateway.domain.provisioning import TemplateParameter, TemplatePreset
from genba_gateway.domain.templates import Template, TemplateVersion
from genba_gateway.domain.workspaces import Workspace
from genba_gateway.errors import BadRequest, Conflict, NotFound
from genba_gateway.services.builds import Builds
from genba_gateway.services.presets import Presets
from genba_gateway.services.template_versions import TemplateVersions
from genba_gateway.services.users import Users
from genba_gateway.services.workspaces import Workspaces
from genba_gateway.web.error_texts import say_detail, say_error
from genba_gateway.web.forms import read_form
from genba_gateway.web.languages import translate
from genba_gateway.web.pages import Pages
from genba_gateway.web.parameter_fields import PREFIX, drop_kept, make_fields, read_values
from genba_gateway.web.template_pages import TemplateFinder, view_template
from genba_gateway.web.workspace_views import workspace_address
from genba_wire.api.workspaces import BuildParameter, CreateBuildRequest, CreateWorkspaceRequest

NAME: Final = "name"
MAX_SUGGESTION: Final = 99
_MAX_NAME_CHARS: Final = 32


@dataclass(frozen=True, slots=True)
class PresetChoice:
    """The presets that can fill a form in, and which did."""

    presets: Sequence[tuple[str, TemplatePreset]]
    chosen: str
    """Its id; something else when none did."""


class WorkspaceForms:
    """Makes workspaces and changes their parameters, from forms."""

    def __init__(
        self,
        finder: TemplateFinder,
        versions: TemplateVersions,
        presets: Presets,
        workspaces: Workspaces,
        builds: Builds,
        users: Users,
    ) -> None:
        self.finder = finder
        self.versions = versions
        self.presets = presets
        self.workspaces = workspaces
        self.builds = builds
        self.users = users

    async def find_parameters(self, version: TemplateVersion) -> list[TemplateParameter]:
        """What a version asks for."""
        return await self.versions.list_parameters(current_user(), version.id)

    async def suggest_name(self, template: Template) -> str:
        """A name that the user has not given yet: the template's, with a number if it must be."""
        page = await self.workspaces.list_matching(current_user(), "owner:me", limit=None, offset=0)
        taken = {workspace.name.lower() for workspace in page.workspaces}
        base = template.name[: _MAX_NAME_CHARS - 3].rstrip("-")
        names = [base, *(f"{base}-{number}" for number in range(2, MAX_SUGGESTION))]
        return next((name for name in names if name.lower() not in taken), "")

    async def explain_name(self, name: str) -> str:
        """Why a new workspace can't have this name; empty when it can."""
        if (wrong := explain_bad_name(name)) is not None:
            return translate("The name %(wrong)s.") % {"wrong": say_error(wrong)}
        actor = current_user()
        try:
            await self.workspaces.get_by_name(actor, await self.users.resolve_user(actor, "me"), name)
        except NotFound:
            return ""
        return translate("You have a workspace of this name already: choose another one.")

    async def create(self, template: Template, version: TemplateVersion, name: str, values: Mapping[str, str]) -> str:
        """Make a workspace; returns its page."""
        actor = current_user()
        # The active version goes by the template, which may require it.
        is_active = version.id == template.active_version_id
        wanted = CreateWorkspaceRequest(
            name=name,
            template_id=template.id if is_active else "",
            template_version_id="" if is_active else version.id,
            rich_parameter_values=_list_values(values),
        )
        made = await self.workspaces.create(actor, await self.users.resolve_user(actor, "me"), wanted)
        return workspace_address(made.owner_name, made.name)

    async def find_workspace(self, owner: str, name: str) -> Workspace:
        """The workspace that an address names."""
        actor = current_user()
        return await self.workspaces.get_by_name(actor, await self.users.resolve_user(actor, owner), name)

    async def change(self, workspace: Workspace, version: TemplateVersion, values: Mapping[str, str]) -> None:
        """Start a workspace with other values, of a version."""
        wanted = CreateBuildRequest(
            transition="start",
            template_version_id=version.id,
            rich_parameter_values=_list_values(values),
            reason="dashboard",
        )
        await self.builds.create(current_user(), workspace.id, wanted)


def make_blueprint(pages: Pages, forms: WorkspaceForms) -> Blueprint:
    """/templates/{template}/workspace and /@{owner}/{workspace}/settings/parameters."""
    blueprint = pages.blueprint("workspace forms")
    _add_creating(blueprint, pages, forms)
    _add_changing(blueprint, pages, forms)
    return blueprint


def _add_creating(blueprint: Blueprint, pages: Pages, forms: WorkspaceForms) -> None:
    may_create = Permission(Resource.WORKSPACE, Action.CREATE)

    async def find(name: str) -> tuple[Template, TemplateVersion, list[TemplateParameter]]:
        template = await forms.finder.find(name)
        version = await forms.finder.find_version(template, request.args.get("version", ""))
        return template, version, await forms.find_parameters(version)

    def show(
        template: Template,
        version: TemplateVersion,
        parameters: Sequence[TemplateParameter],
        *,
        name: str,
        values: Mapping[str, str],
        problems: Mapping[str, str],
        general: str = "",
        presets: PresetChoice | None = None,
        status: int = 200,
    ) -> Response:
        return pages.show(
            "workspace_forms/create.html",
            status=status,
            presets=presets,
            template=view_template(template),
            version=version,
            name=name,
            name_problem=problems.get(NAME, ""),
            fields=make_fields(parameters, values, problems, is_first_build=True),
            general=general,
            address=request.full_path.removesuffix("?"),
        )

    @blueprint.get("/templates/<template>/workspace")
    @needs(may_create)
    async def offer(template: str) -> Response:
        found, version, parameters = await find(template)
        # A link may fill the form in: `param.<name>` as the contract's links have it, and `name`.
        given = {
            each.name: request.args[f"param.{each.name}"] for each in parameters if f"param.{each.name}" in request.args
        }
        presets = await forms.presets.list_of_version(current_user(), version.id)
        wanted = request.args.get("preset") or next((each for each, preset in presets if preset.is_default), "")
        filled: Mapping[str, str] = dict(presets)[wanted].parameters if wanted in dict(presets) else {}
        name = request.args.get(NAME) or await forms.suggest_name(found)
        values = {**filled, **given}
        choice = PresetChoice(presets, wanted)
        return show(found, version, parameters, name=name, values=values, problems={}, presets=choice)

    @blueprint.post("/templates/<template>/workspace")
    @needs(may_create)
    async def create(template: str) -> Response:
        form = await read_form()
        found, version, parameters = await find(template)
        name, values = form.get(NAME, "").strip(), read_values(form, parameters)
        try:
            return pages.go(await forms.create(found, version, name, values))
        except (BadRequest, Conflict) as error:
            problems = {each.field: say_detail(each.detail) for each in error.validations}
            if NAME in problems:
                problems[NAME] = await forms.explain_name(name) or say_error(error.message)
            known = {NAME, *(parameter.name for parameter in parameters)}
            general = "" if problems and problems.keys() <= known else say_error(error.message)
            return show(
                found,
                version,
                parameters,
                name=name,
                values=values,
                problems=problems,
                general=general,
                status=error.status,
            )

    @blueprint.post("/templates/<template>/workspace/check")
    @needs(may_create)
    async def check(template: str) -> Response:
        form = await read_form()
        _, _, parameters = await find(template)
        if form.get("field") == NAME:
            return _show_problem(pages, await forms.explain_name(form.get(NAME, "").strip()))
        return _show_problem(pages, _explain_field(form, parameters, {}, is_first_build=True))


def _add_changing(blueprint: Blueprint, pages: Pages, forms: WorkspaceForms) -> None:
    update = Permission(Resource.WORKSPACE, Action.UPDATE)
    path = "/@<owner>/<workspace>/settings/parameters"

    async def find(owner: str, name: str) -> tuple[Workspace, TemplateVersion, list[TemplateParameter], dict[str, str]]:
        workspace = await forms.find_workspace(owner, name)
        wanted = workspace.latest_build.template_version_id
        if request.args.get("update") == "true":
            wanted = workspace.template_active_version_id
        version = await forms.versions.get(current_user(), wanted)
        held = await forms.builds.list_parameters(current_user(), workspace.latest_build.id)
        return workspace, version, await forms.find_parameters(version), held

    @blueprint.get(path)
    @needs(update)
    async def offer_change(owner: str, workspace: str) -> Response:
        found, version, parameters, held = await find(owner, workspace)
        fields = make_fields(parameters, held, {}, is_first_build=False)
        return _show_change(pages, found, version, fields=fields, general="")

    @blueprint.post(path)
    @needs(update)
    async def change(owner: str, workspace: str) -> Response:
        form = await read_form()
        found, version, parameters, held = await find(owner, workspace)
        values = drop_kept(read_values(form, parameters), parameters, held)
        try:
            await forms.change(found, version, values)
        except (BadRequest, Conflict) as error:
            problems = {each.field: say_detail(each.detail) for each in error.validations}
            fields = make_fields(parameters, {**held, **values}, problems, is_first_build=False)
            general = (
                "" if problems and problems.keys() <= {each.name for each in parameters} else say_error(error.message)
            )
            return _show_change(pages, found, version, fields=fields, general=general, status=error.status)
        return pages.go(workspace_address(found.owner_name, found.name))

    @blueprint.post(f"{path}/check")
    @needs(update)
    async def check_change(owner: str, workspace: str) -> Response:
        form = await read_form()
        _, _, parameters, held = await find(owner, workspace)
        return _show_problem(pages, _explain_field(form, parameters, held, is_first_build=False))


def _show_change(
    pages: Pages,
    workspace: Workspace,
    version: TemplateVersion,
    *,
    fields: Sequence[object],
    general: str,
    status: int = 200,
) -> Response:
    address = workspace_address(workspace.owner_name, workspace.name)
    suffix = "?update=true" if request.args.get("update") == "true" else ""
    return pages.show(
        "workspace_forms/change.html",
        status=status,
        workspace=workspace,
        version=version,
        fields=fields,
        general=general,
        home=address,
        address=f"{address}/settings/parameters{suffix}",
        check=f"{address}/settings/parameters/check{suffix}",
    )


def _explain_field(
    form: MultiDict[str, str], parameters: Sequence[TemplateParameter], held: Mapping[str, str], *, is_first_build: bool
) -> str:
    """What is wrong with the field that was typed in, by the rules that the build will hold it to."""
    name = form.get("field", "").removeprefix(PREFIX)
    typed = drop_kept(read_values(form, parameters), parameters, held)
    _, problems = choose_values(parameters, typed, held, is_first_build=is_first_build)
    return next((say_detail(each.detail) for each in problems if each.name == name), "")


def _show_problem(pages: Pages, problem: str) -> Response:
    return pages.fragment("workspace_forms/problem.html", problem=problem)


def _list_values(values: Mapping[str, str]) -> list[BuildParameter]:
    return [BuildParameter(name=name, value=value) for name, value in values.items()]
