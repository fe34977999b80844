"""The routes of the command line's small gateway: what the contract says, over what `CliGateway` holds."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import msgspec
from quart import Quart, Response, request

from genba_wire.api.message import decode_message
from genba_wire.api.templates import CreateTemplateRequest, CreateTemplateVersionRequest
from genba_wire.api.terminals import TicketResponse
from genba_wire.api.workspaces import CreateBuildRequest, CreateWorkspaceRequest, Workspace, WorkspaceBuild
from tests.support.cli_builders import (
    FRESH_KEY,
    NOW,
    make_build,
    make_job,
    make_template,
    make_user,
    make_version,
    make_workspace,
)
from tests.support.cli_gateway_answers import json_answer as _json
from tests.support.cli_gateway_answers import refuse as _refuse
from tests.support.cli_gateway_answers import with_unknown_key as _odd
from tests.support.cli_gateway_deployment import add_deployment_routes
from tests.support.cli_gateway_dry_runs import add_dry_run_routes
from tests.support.cli_gateway_settings import add_setting_routes
from tests.support.cli_gateway_streams import add_streams
from tests.support.quick_app import QuickApp

if TYPE_CHECKING:
    from tests.support.cli_gateway import CliGateway

Json = Any


def make_app(gateway: CliGateway, started: asyncio.Event) -> Quart:
    app = QuickApp("cli_gateway", root_path="/", instance_path="/nowhere")
    public = {"/api/v2/users/first", "/api/v2/users/login"}

    @app.before_serving
    async def tell_started() -> None:
        started.set()

    @app.before_request
    async def check() -> Response | None:
        body = b"".join([chunk async for chunk in request.body])
        query = request.query_string.decode()
        gateway.record(request.method, request.path, query, dict(request.headers), body)
        if gateway.page:
            return Response(gateway.page, content_type="text/html")
        if gateway.refuse_next:
            return _refuse(*gateway.refuse_next.pop(0))
        if request.path not in public and request.headers.get("Coder-Session-Token", "") not in (
            gateway.token,
            FRESH_KEY,
        ):
            return _refuse(401, "The session is not valid.")
        return None

    @app.after_request
    async def mark(response: Response) -> Response:
        response.headers["X-Coder-Build-Version"] = gateway.version
        return response

    _add_user_routes(app, gateway)
    add_deployment_routes(app, gateway)
    _add_template_routes(app, gateway)
    add_dry_run_routes(app, gateway)
    _add_workspace_routes(app, gateway)
    add_setting_routes(app, gateway)
    add_streams(app, gateway)
    return app


def _add_user_routes(app: Quart, gateway: CliGateway) -> None:
    @app.get("/api/v2/users/first")
    async def has_first() -> Response:
        return _json({"message": "yes"}) if gateway.user else _refuse(404, "There is no first user.")

    @app.post("/api/v2/users/first")
    async def create_first() -> Response:
        body = gateway.requests[-1].json()
        gateway.user = make_user(username=body["username"], email=body["email"])
        return _json({"user_id": gateway.user.id, "organization_id": gateway.organizations[0].id}, 201)

    @app.post("/api/v2/users/login")
    async def sign_in() -> Response:
        return _json({"session_token": gateway.token}, 201)

    @app.post("/api/v2/users/logout")
    async def sign_out() -> Response:
        return _json({"message": "bye"})

    @app.get("/api/v2/users")
    async def list_users() -> Response:
        users = [gateway.user, *gateway.other_users]
        offset, limit = int(request.args.get("offset", 0)), int(request.args.get("limit", 0)) or len(users)
        return _json({"users": _odd(users[offset : offset + limit]), "count": len(users)})

    @app.post("/api/v2/users")
    async def create_user() -> Response:
        body = gateway.requests[-1].json()
        return _json(make_user(id=str(uuid.uuid4()), username=body["username"], email=body["email"]), 201)

    @app.get("/api/v2/users/<user>")
    async def get_user(user: str) -> Response:
        assert gateway.user is not None
        if user not in ("me", gateway.user.username, gateway.user.id):
            return _refuse(404, "Not found.")
        return _json(_odd(gateway.user))

    @app.post("/api/v2/users/me/keys")
    async def create_key() -> Response:
        return _json({"key": FRESH_KEY}, 201)

    @app.get("/api/v2/users/me/organizations")
    async def organizations() -> Response:
        return _json(gateway.organizations)

    @app.get("/api/v2/users/me/keys/tokens")
    async def tokens() -> Response:
        return _json(_odd(gateway.keys))

    @app.post("/api/v2/users/<user>/keys/tokens")
    async def create_token(user: str) -> Response:
        return _json({"key": FRESH_KEY}, 201)

    @app.get("/api/v2/users/me/keys/tokens/<name>")
    async def get_token(name: str) -> Response:
        found = [key for key in gateway.keys if key.token_name == name]
        return _json(found[0]) if found else _refuse(404, "Not found.")

    @app.delete("/api/v2/users/me/keys/<key_id>")
    async def delete_key(key_id: str) -> Response:
        if key_id not in [key.id for key in gateway.keys]:
            return _refuse(404, "Not found.")
        gateway.keys = [key for key in gateway.keys if key.id != key_id]
        return Response(b"", status=204)


def _add_template_routes(app: Quart, gateway: CliGateway) -> None:
    @app.get("/api/v2/templates")
    async def list_templates() -> Response:
        return _json(_odd(gateway.templates))

    @app.get("/api/v2/organizations/<organization>/templates/<name>")
    async def get_template(organization: str, name: str) -> Response:
        found = [template for template in gateway.templates if template.name == name]
        return _json(found[0]) if found else _refuse(404, "Not found.")

    @app.post("/api/v2/organizations/<organization>/templates")
    async def create_template(organization: str) -> Response:
        body = decode_message(gateway.requests[-1].body, CreateTemplateRequest)
        template = make_template(id=str(uuid.uuid4()), name=body.name, active_version_id=body.template_version_id)
        gateway.templates.append(template)
        return _json(template, 201)

    @app.delete("/api/v2/templates/<template_id>")
    async def delete_template(template_id: str) -> Response:
        gateway.templates = [template for template in gateway.templates if template.id != template_id]
        return _json({"message": "gone"})

    @app.get("/api/v2/templates/<template_id>/versions")
    async def list_versions(template_id: str) -> Response:
        return _json(_odd(list(gateway.versions.values())))

    @app.patch("/api/v2/templates/<template_id>/versions")
    async def activate(template_id: str) -> Response:
        return _json({"message": "active"})

    @app.get("/api/v2/templates/<template_id>/versions/<name>")
    async def version_by_name(template_id: str, name: str) -> Response:
        found = [version for version in gateway.versions.values() if version.name == name]
        return _json(found[0]) if found else _refuse(404, "Not found.")

    @app.post("/api/v2/templateversions/<version_id>/<verb>")
    async def archive(version_id: str, verb: str) -> Response:
        changed = msgspec.structs.replace(gateway.versions[version_id], archived=verb == "archive")
        gateway.versions[version_id] = changed
        return _json({"message": "done"})

    @app.post("/api/v2/files")
    async def upload() -> Response:
        identifier = str(uuid.uuid4())
        gateway.files[identifier] = gateway.requests[-1].body
        return _json({"hash": identifier}, 201)

    @app.get("/api/v2/files/<file_id>")
    async def download(file_id: str) -> Response:
        return Response(gateway.files[file_id], content_type="application/x-tar")

    @app.post("/api/v2/organizations/<organization>/templateversions")
    async def create_version(organization: str) -> Response:
        body = decode_message(gateway.requests[-1].body, CreateTemplateVersionRequest)
        given = {value.name for value in body.user_variable_values}
        job = make_job(status="running", file_id=body.file_id)
        if gateway.missing_variables - given:
            error = "variables have no value"
            job = make_job(status="failed", error=error, error_code="REQUIRED_TEMPLATE_VARIABLES")
        elif gateway.finishes_builds:
            job = make_job(file_id=body.file_id)
        version = make_version(id=str(uuid.uuid4()), name=body.name or "made-up", job=job)
        gateway.versions[version.id] = version
        gateway.say(version.id, "Initializing Terraform", stage="Setting up")
        return _json(version, 201)

    @app.get("/api/v2/templateversions/<version_id>")
    async def get_version(version_id: str) -> Response:
        return _json(gateway.versions[version_id])

    @app.get("/api/v2/templateversions/<version_id>/rich-parameters")
    async def parameters(version_id: str) -> Response:
        return _json(gateway.parameters)

    @app.get("/api/v2/templateversions/<version_id>/variables")
    async def variables(version_id: str) -> Response:
        return _json(gateway.variables)


def _add_workspace_routes(app: Quart, gateway: CliGateway) -> None:
    def find(name: str) -> Workspace | None:
        return next((one for one in gateway.workspaces.values() if one.name == name), None)

    @app.get("/api/v2/workspaces")
    async def list_workspaces() -> Response:
        found = list(gateway.workspaces.values())
        return _json({"workspaces": _odd(found), "count": len(found)})

    @app.get("/api/v2/users/<owner>/workspace/<name>")
    async def get_by_name(owner: str, name: str) -> Response:
        workspace = find(name)
        return _json(_odd(workspace)) if workspace else _refuse(404, "Not found.")

    @app.get("/api/v2/users/<owner>/workspace/<name>/builds/<int:number>")
    async def get_by_number(owner: str, name: str, number: int) -> Response:
        workspace = find(name)
        for build in gateway.builds.values():
            if workspace and (build.workspace_id, build.build_number) == (workspace.id, number):
                return _json(build)
        return _refuse(404, "Not found.")

    @app.get("/api/v2/workspaces/<workspace_id>")
    async def get_workspace(workspace_id: str) -> Response:
        return _json(gateway.workspaces[workspace_id])

    @app.post("/api/v2/users/<owner>/workspaces")
    async def create_workspace(owner: str) -> Response:
        body = decode_message(gateway.requests[-1].body, CreateWorkspaceRequest)
        workspace = make_workspace(name=body.name)
        build = make_build(workspace_id=workspace.id, job=make_job(status="running"), status="starting")
        workspace = gateway.add_workspace(msgspec.structs.replace(workspace, latest_build=build))
        _begin(build)
        return _json(workspace, 201)

    @app.put("/api/v2/workspaces/<workspace_id>/dormant")
    async def wake(workspace_id: str) -> Response:
        return _json(gateway.workspaces[workspace_id])

    @app.get("/api/v2/workspaces/<workspace_id>/builds")
    async def list_builds(workspace_id: str) -> Response:
        return _json([build for build in gateway.builds.values() if build.workspace_id == workspace_id])

    @app.post("/api/v2/workspaces/<workspace_id>/usage")
    async def report_usage(workspace_id: str) -> Response:
        status = gateway.usage_status
        return _refuse(status, "Not like this.") if status >= 400 else Response(status=status)

    @app.post("/api/v2/workspaces/<workspace_id>/builds")
    async def create_build(workspace_id: str) -> Response:
        if gateway.refuse_builds:
            return _refuse(*gateway.refuse_builds.pop(0))
        body = decode_message(gateway.requests[-1].body, CreateBuildRequest)
        build = gateway.add_build(
            workspace_id, transition=body.transition, job=make_job(status="running"), status="pending"
        )
        _begin(build)
        return _json(gateway.builds[build.id], 201)

    def _begin(build: WorkspaceBuild) -> None:
        gateway.say(build.id, "", stage="Planning infrastructure")
        gateway.say(build.id, "Plan: 1 to add", stage="Planning infrastructure")
        if gateway.finishes_builds:
            gateway.set_job(build.id, "succeeded")

    @app.get("/api/v2/workspacebuilds/<build_id>")
    async def get_build(build_id: str) -> Response:
        return _json(gateway.builds[build_id])

    @app.get("/api/v2/workspacebuilds/<build_id>/parameters")
    async def build_parameters(build_id: str) -> Response:
        return _json(gateway.build_parameters.get(build_id, []))

    @app.get("/api/v2/workspacebuilds/<build_id>/state")
    async def state(build_id: str) -> Response:
        return Response(gateway.state, content_type="application/octet-stream")

    @app.get("/api/v2/workspaceagents/<agent_id>")
    async def get_agent(agent_id: str) -> Response:
        return _json(gateway.agents[agent_id])

    @app.post("/api/v2/workspaceagents/<agent_id>/tickets")
    async def create_ticket(agent_id: str) -> Response:
        gateway.tickets.append(f"ticket {len(gateway.tickets) + 1} for {agent_id}")
        return _json(TicketResponse(ticket=gateway.tickets[-1], expires_at=NOW), 201)
