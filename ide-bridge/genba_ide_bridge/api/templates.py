"""Files, templates and their versions (contract 4.1, 4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genba_ide_bridge.api.calls import in_path
from genba_wire.api.dry_runs import CreateDryRunRequest
from genba_wire.api.jobs import ProvisionerJob
from genba_wire.api.templates import (
    CreateTemplateRequest,
    CreateTemplateVersionRequest,
    Template,
    TemplateVersion,
    TemplateVersionParameter,
    TemplateVersionVariable,
    UpdateActiveVersionRequest,
    UploadResponse,
)
from genba_wire.api.workspaces import WorkspaceResource
from genba_wire.errors import GatewayRefused

if TYPE_CHECKING:
    from genba_ide_bridge.api.calls import Calls

UPLOAD_TIMEOUT_S = 600.0
"""100 MiB over a slow line."""


class TemplatesApi:
    """Routes below /files, /templates, /templateversions and /organizations/{o}/templates."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def upload_tar(self, tar: bytes) -> str:
        """Store a tar; returns the file's id."""
        response = await self._calls.send(
            "POST",
            "/files",
            content=tar,
            headers={"Content-Type": "application/x-tar"},
            timeout_s=UPLOAD_TIMEOUT_S,
        )
        import msgspec

        return msgspec.json.decode(response.content, type=UploadResponse).hash

    async def download(self, file_id: str, *, as_zip: bool = False) -> bytes:
        """The bytes of a stored tar, or of a zip made of it."""
        params = {"format": "zip"} if as_zip else None
        path = f"/files/{in_path(file_id)}"
        return (await self._calls.send("GET", path, params=params, timeout_s=UPLOAD_TIMEOUT_S)).content

    async def list_templates(self) -> list[Template]:
        """All templates that the caller may see."""
        return await self._calls.fetch("GET", "/templates", list[Template])

    async def list_templates_json(self) -> object:
        """The same, as they came."""
        return await self._calls.fetch_json("GET", "/templates")

    async def find_template(self, organization: str, name: str) -> Template | None:
        """The template of that name, or None."""
        path = f"/organizations/{in_path(organization)}/templates/{in_path(name)}"
        try:
            return await self._calls.fetch("GET", path, Template)
        except GatewayRefused as refusal:
            if refusal.status == 404:
                return None
            raise

    async def create_template(self, organization: str, request: CreateTemplateRequest) -> Template:
        """A template with its first version."""
        path = f"/organizations/{in_path(organization)}/templates"
        return await self._calls.fetch("POST", path, Template, body=request)

    async def delete_template(self, template_id: str) -> None:
        """Remove a template without workspaces."""
        await self._calls.send("DELETE", f"/templates/{in_path(template_id)}")

    async def create_version(self, organization: str, request: CreateTemplateVersionRequest) -> TemplateVersion:
        """Start an import job."""
        path = f"/organizations/{in_path(organization)}/templateversions"
        return await self._calls.fetch("POST", path, TemplateVersion, body=request)

    async def get_version(self, version_id: str) -> TemplateVersion:
        """One version with its job."""
        return await self._calls.fetch("GET", f"/templateversions/{in_path(version_id)}", TemplateVersion)

    async def get_version_by_name(self, template_id: str, name: str) -> TemplateVersion:
        """One version of a template."""
        path = f"/templates/{in_path(template_id)}/versions/{in_path(name)}"
        return await self._calls.fetch("GET", path, TemplateVersion)

    async def list_versions(self, template_id: str, *, with_archived: bool = False) -> list[TemplateVersion]:
        """Versions of a template."""
        return await self._calls.fetch(
            "GET", f"/templates/{in_path(template_id)}/versions", list[TemplateVersion], params=_archived(with_archived)
        )

    async def list_versions_json(self, template_id: str, *, with_archived: bool = False) -> object:
        """The same, as they came."""
        path = f"/templates/{in_path(template_id)}/versions"
        return await self._calls.fetch_json("GET", path, params=_archived(with_archived))

    async def activate_version(self, template_id: str, version_id: str) -> None:
        """Make a version the one that workspaces start with."""
        body = UpdateActiveVersionRequest(id=version_id)
        await self._calls.send("PATCH", f"/templates/{in_path(template_id)}/versions", body=body)

    async def set_archived(self, version_id: str, *, archived: bool) -> None:
        """Hide a version from lists and choices, or show it again."""
        await self._calls.send(
            "POST", f"/templateversions/{in_path(version_id)}/{'archive' if archived else 'unarchive'}"
        )

    async def list_parameters(self, version_id: str) -> list[TemplateVersionParameter]:
        """What a workspace of that version can be asked for."""
        path = f"/templateversions/{in_path(version_id)}/rich-parameters"
        return await self._calls.fetch("GET", path, list[TemplateVersionParameter])

    async def list_variables(self, version_id: str) -> list[TemplateVersionVariable]:
        """Terraform variables of a version."""
        path = f"/templateversions/{in_path(version_id)}/variables"
        return await self._calls.fetch("GET", path, list[TemplateVersionVariable])

    async def create_dry_run(self, version_id: str, request: CreateDryRunRequest) -> ProvisionerJob:
        """Start a plan of a first build; nothing is applied."""
        return await self._calls.fetch("POST", _dry_run(version_id), ProvisionerJob, body=request)

    async def get_dry_run(self, version_id: str, job_id: str) -> ProvisionerJob:
        """How far it is."""
        return await self._calls.fetch("GET", f"{_dry_run(version_id)}/{in_path(job_id)}", ProvisionerJob)

    async def list_dry_run_resources(self, version_id: str, job_id: str) -> list[WorkspaceResource]:
        """What the build would make."""
        path = f"{_dry_run(version_id)}/{in_path(job_id)}/resources"
        return await self._calls.fetch("GET", path, list[WorkspaceResource])


def _dry_run(version_id: str) -> str:
    return f"/templateversions/{in_path(version_id)}/dry-run"


def _archived(with_archived: bool) -> dict[str, str] | None:
    return {"include_archived": "true"} if with_archived else None
