"""Pages of templates: the list, and of each its read-me, versions and files."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from quart import Blueprint, Response, request

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.domain.provisioning import TemplateParameter
from genba_gateway.domain.templates import Template, TemplateVersion
from genba_gateway.errors import NotFound
from genba_gateway.services.organizations import Organizations
from genba_gateway.services.template_files import TemplateFiles
from genba_gateway.services.template_versions import TemplateVersions
from genba_gateway.services.templates import Templates
from genba_gateway.web.languages import mark, translate
from genba_gateway.web.markup import colour_file
from genba_gateway.web.pages import Pages
from genba_gateway.web.read_mes import ReadMes
from genba_gateway.web.states import version_state

VERSIONS_SHOWN: Final = 100
TABS: Final = (("", mark("Read-me")), ("/versions", mark("Versions")), ("/files", mark("Files")))
SETTINGS_TAB: Final = "/settings"


@dataclass(frozen=True, slots=True)
class TemplateView:
    """A template as its pages show it."""

    name: str
    title: str
    description: str
    address: str
    deprecated: str
    active_version_id: str


def view_template(template: Template) -> TemplateView:
    """What pages need of a template."""
    return TemplateView(
        name=template.name,
        title=template.display_name or template.name,
        description=template.description,
        address=template_address(template.name),
        deprecated=template.deprecation_message,
        active_version_id=template.active_version_id,
    )


def template_address(name: str) -> str:
    """The page of a template."""
    return f"/templates/{quote(name, safe='')}"


@dataclass(frozen=True, slots=True)
class Frame:
    """What the pages of one template have in common."""

    template: TemplateView
    tab: str
    """The path of the tab below the template's address."""
    tabs: tuple[tuple[str, str], ...] = field(default_factory=lambda: list_tabs())


def list_tabs() -> tuple[tuple[str, str], ...]:
    """The tabs of a template's pages for who looks at them."""
    may_change = current_user().may(Permission(Resource.TEMPLATE, Action.UPDATE))
    return (*TABS, (SETTINGS_TAB, mark("Settings"))) if may_change else TABS


class TemplateFinder:
    """Finds what addresses name: templates of the default organization, and their versions."""

    def __init__(self, organizations: Organizations, templates: Templates, versions: TemplateVersions) -> None:
        self._organizations = organizations
        self._templates = templates
        self._versions = versions

    async def find(self, name: str) -> Template:
        """The template of that name."""
        organization = await self._organizations.resolve_organization("default")
        return await self._templates.get_by_name(current_user(), organization.id, name)

    async def find_version(self, template: Template, name: str = "") -> TemplateVersion:
        """The template's version of that name, or its active one."""
        if name:
            return await self._versions.get_by_name(current_user(), template.id, name)
        return await self._versions.get(current_user(), template.active_version_id)

    async def list_parameters(self, version: TemplateVersion) -> list[TemplateParameter]:
        """What a version asks for."""
        return await self._versions.list_parameters(current_user(), version.id)


def make_blueprint(
    pages: Pages, finder: TemplateFinder, templates: Templates, versions: TemplateVersions, files: TemplateFiles
) -> Blueprint:
    """/templates and what is below it, but for the form of a workspace."""
    blueprint = pages.blueprint("templates")
    read_mes = ReadMes()
    read = Permission(Resource.TEMPLATE, Action.READ)

    @blueprint.get("/templates")
    @needs(read)
    async def list_templates() -> Response:
        found = await templates.list_matching(current_user(), "")
        may_push = current_user().may(Permission(Resource.TEMPLATE, Action.CREATE))
        return pages.show("templates/list.html", templates=[view_template(each) for each in found], may_push=may_push)

    @blueprint.get("/templates/<template>")
    @needs(read)
    async def show_readme(template: str) -> Response:
        found = await finder.find(template)
        version = await finder.find_version(found)
        return pages.show(
            "templates/readme.html",
            frame=Frame(view_template(found), ""),
            readme=await read_mes.read(version),
            version=version,
        )

    @blueprint.get("/templates/<template>/versions")
    @needs(read)
    async def list_versions(template: str) -> Response:
        found = await finder.find(template)
        listed = await versions.list_of_template(
            current_user(), found.id, include_archived=False, after_id=None, limit=VERSIONS_SHOWN, offset=0
        )
        # The newest is what one looks for.
        newest = sorted(listed, key=lambda version: version.created_at, reverse=True)
        shown = [(version, version_state(version)) for version in newest]
        return pages.show("templates/versions.html", frame=Frame(view_template(found), "/versions"), versions=shown)

    @blueprint.get("/templates/<template>/files")
    @needs(read)
    async def show_files(template: str) -> Response:
        found = await finder.find(template)
        version = await finder.find_version(found, request.args.get("version", ""))
        listed = await files.list_files(current_user(), version)
        wanted = request.args.get("path", "main.tf" if any(each.path == "main.tf" for each in listed) else "")
        chosen = next((each for each in listed if each.path == wanted), listed[0] if listed and not wanted else None)
        if chosen is None and wanted:
            raise NotFound(translate("This version has no file %(path)s.") % {"path": wanted})
        may_push = current_user().may(Permission(Resource.TEMPLATE, Action.UPDATE))
        coloured = None
        if chosen is not None and chosen.text is not None:
            # Pygments looks for plug-ins on the disk, and takes its time.
            coloured = await asyncio.to_thread(colour_file, chosen.path, chosen.text)
        return pages.show(
            "templates/files.html",
            frame=Frame(view_template(found), "/files"),
            version=version,
            files=listed,
            chosen=chosen,
            coloured=coloured,
            may_push=may_push,
        )

    return blueprint
