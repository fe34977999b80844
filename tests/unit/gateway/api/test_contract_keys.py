"""The keys of our answers are those of the contract, in both of its eras.

`tests/contract/` holds what `scripts/extract_contract_keys.py` takes from the contract's swagger files. Here every
route that we serve and that they name is called on a deployment that has one of everything, and each answer is compared
with its type: a key that the type lacks fails the test, and so does one of the type that no answer had, unless it is
listed below with the reason.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import pytest

from genba_gateway.config import Config
from genba_gateway.domain.provisioning import (
    AgentSpec,
    AppHealthcheck,
    AppSpec,
    BuildResult,
    ImportResult,
    ParameterOption,
    ResourceMetadataItem,
    ResourceSpec,
    ScriptSpec,
    TemplateParameter,
    TemplatePreset,
    TemplateVariable,
)
from genba_gateway.domain.timings import ProvisionerTiming, TimingStage
from genba_gateway.routes import make_quart_app
from genba_gateway.store import agents as agent_store
from genba_gateway.store import workspaces as workspace_store
from scripts.extract_contract_keys import extract
from tests.support.route_table import list_routes
from tests.support.workshop import ARCHIVE, Workshop

ERAS: Final = ("2024-03", "2025-02")
ROOT: Final = Path(__file__).resolve().parents[4]
SWAGGER_FOLDER: Final = "PYTEST_CONTRACT"
"""Variable that names a folder with the contract's swagger files, `coder-api-<era>.swagger.json`."""

OTHERWISE: Final = {
    "GET /users/{}/roles": "the swagger names the user; the handler answers with the roles (contract appendix A)",
    "GET /workspacebuilds/{}/state": "bytes",
    "DELETE /users/{}": "the swagger of 2024 names the user; who is gone is only said to be",
    "GET /workspaces/{}/watch": "events",
    "GET /workspaceagents/{}/watch-metadata": "events",
    "GET /debug/health": "has a test of its own, which looks at the real machine",
    "GET /deployment/config": "the options' names are ours",
    "GET /workspaceagents/{}/listening-ports": "needs an agent that answers",
    "GET /workspaceagents/{}/startup-logs": "the same handler as /logs",
    "PATCH /workspaceagents/me/logs": "answers null",
    "POST /users/first": "there is one already",
    "GET /users/first": "says something",
    "POST /organizations/{}/members/{}/workspaces": "the same handler as for the user",
    "POST /users/login": "the people here have no passwords",
}
"""Routes that the swagger names and that are not compared, with the reason."""

ONE: Final = {"GET /workspaceproxies", "GET /templates/{}/versions/{}"}
"""Routes of which the swagger says that they answer with a list, while their handlers answer with one."""

OWN: Final = {
    "codersdk.APIKey": {"username"},  # in lists (contract 5.2)
    "codersdk.SSHConfigResponse": {"host_certificate_authority", "hostname_suffix"},
    "codersdk.WorkspaceAgent": {"status_reason", "disconnect_reason"},
    "codersdk.WorkspaceAgentConnectionInfo": {"hostname_suffix"},
    "codersdk.Preset": {"ID", "Name", "Parameters", "Default", "Description", "Icon"},  # the last three of 2026
    "codersdk.PresetParameter": {"Name", "Value"},  # the swagger writes them small, the server doesn't
    "codersdk.WorkspaceBuild": {"status_reason", "template_version_preset_id"},  # the latter of 2026
    "codersdk.WorkspaceConnectionLatencyMS": {"P50", "P95"},  # the swagger writes them small, the server doesn't
    "tailcfg.DERPMap": {"Regions"},  # likewise (contract 3.3)
    "workspacesdk.AgentConnectionInfo": {"hostname_suffix"},
}
"""Keys that Genba adds, that newer clients read, or that the swagger writes otherwise than the contract."""

ABSENT: Final = {
    "codersdk.AppearanceConfig": {"support_links"},  # there are none
    "codersdk.AssignableRoles": {"organization_id"},  # roles of the site have none
    "codersdk.AuthMethods": {"terms_of_service_url"},  # there are none
    "codersdk.Preset": {"id", "name", "parameters"},
    "codersdk.PresetParameter": {"name", "value"},
    "codersdk.ProvisionerJob": {"error_code", "available_workers"},  # only with missing variables; none are external
    "codersdk.ProvisionerJobInput": {"error"},
    "codersdk.SlimRole": {"organization_id"},  # roles of the site have none
    "codersdk.Template": {"use_max_ttl", "max_ttl_ms"},  # of 2024 only
    "codersdk.TemplateVersion": {"warnings"},  # there are none
    "codersdk.WorkspaceAgent": {"latency"},  # of direct connections
    "codersdk.WorkspaceApp": {"subdomain_name"},  # only with a wildcard address
    "codersdk.WorkspaceConnectionLatencyMS": {"p50", "p95"},
    "codersdk.WorkspaceProxyStatus": {"report"},  # nothing is wrong
    "tailcfg.DERPMap": {"omitDefaultRegions", "homeParams", "regions"},
}
"""Keys of a type that no answer here has, with the reason."""


@cache
def read_contract(era: str) -> dict[str, dict[str, Any]]:
    return cast("dict[str, dict[str, Any]]", json.loads((ROOT / "tests" / "contract" / f"{era}.json").read_text()))


def blank(path: str) -> str:
    parts = path.removeprefix("/api/v2").rstrip("/").split("/")
    return "/".join("{}" if part.startswith("{") else part for part in parts)


@cache
def list_named_routes(era: str) -> list[str]:
    """Routes that we serve and that the contract gives an answer with keys."""
    contract = read_contract(era)
    ours = [f"{method} {blank(path)}" for method, path, _ in list_routes() if path.startswith("/api/v2")]
    return [
        route
        for route in ours
        if route not in OTHERWISE
        and contract["routes"].get(route, "").strip("[]") in contract["types"]
        and contract["routes"][route] != "codersdk.Response"
    ]


@dataclass(slots=True)
class Probe:
    """Calls routes as the owner, and remembers the answers by route."""

    workshop: Workshop
    answers: dict[str, list[Any]] = field(default_factory=lambda: defaultdict[str, list[Any]](list))

    async def call(self, method: str, pattern: str, *values: str, json: object = None, **more: Any) -> Any:
        """Call a route whose `{}` are filled with values."""
        reply = await self.workshop.call(self.workshop.owner, method, pattern.format(*values), json, **more)
        assert reply.status < 300, (method, pattern, reply)
        self.answers[f"{method} {pattern.partition('?')[0]}"].append(reply.body)
        return reply.body


NO_STATS: Final[dict[str, object]] = {"connections_by_proto": {}}
AGENT_TOKEN: Final = "7b0f3c52-25b1-4bd0-8ad7-ce1f5d1f7e01"
AGENT: Final = AgentSpec(
    "main",
    "linux",
    "amd64",
    token=AGENT_TOKEN,
    instance_id="i-1",
    directory="/srv",
    environment={"A": "1"},
    scripts=(ScriptSpec(display_name="Startup Script", script="true", run_on_start=True),),
    apps=(
        AppSpec(
            "ide",
            "IDE",
            url="http://localhost:1",
            command="ide",
            icon="/i.svg",
            subdomain=True,
            healthcheck=AppHealthcheck("http://localhost:1", 5, 6),
        ),
    ),
)
RESOURCE: Final = ResourceSpec(
    "docker_container", "a", metadata=(ResourceMetadataItem("cpu", "4"),), agents=(AGENT,), icon="/d.svg"
)
PARAMETERS: Final = (
    TemplateParameter(
        "size",
        type="number",
        display_name="Size",
        default_value="2",
        validation_min=1,
        validation_max=9,
        validation_error="too much",
        validation_monotonic="increasing",
        mutable=True,
    ),
    TemplateParameter("region", default_value="eu", options=(ParameterOption("Europe", "eu"),)),
    TemplateParameter("name", default_value="x", validation_regex=".", validation_error="no"),
)


async def probe_templates(probe: Probe) -> tuple[str, str]:
    """Everything about a template; returns its id and its version's."""
    workshop = probe.workshop
    workshop.provisioner.imported = ImportResult(
        PARAMETERS,
        (TemplateVariable("who", value="me"),),
        (RESOURCE,),
        (RESOURCE,),
        readme="# Read me",
        presets=(TemplatePreset("Small", {"size": "2"}),),
    )
    uploaded = await probe.call("POST", "/files", data=ARCHIVE, headers={"Content-Type": "application/x-tar"})
    version = {"storage_method": "file", "provisioner": "terraform", "file_id": uploaded["hash"], "message": "first"}
    made = await probe.call("POST", "/organizations/{}/templateversions", "default", json=version)
    version_id = made["id"]
    await workshop.run_next()
    template = await probe.call(
        "POST",
        "/organizations/{}/templates",
        "default",
        json={"name": "docker", "template_version_id": version_id, "description": "D", "icon": "/i"},
    )
    template_id = template["id"]
    for pattern in ("", "/versions"):
        await probe.call("GET", "/templates/{}" + pattern, template_id)
    await probe.call("GET", "/templates/{}/versions/{}", template_id, made["name"])
    await probe.call("PATCH", "/templates/{}", template_id, json={"display_name": "Docker", "default_ttl_ms": 3600000})
    await probe.call("GET", "/templates")
    await probe.call("GET", "/templates/{}/daus", template_id)
    await probe.call("GET", "/notifications/templates/system")
    await probe.call("GET", "/users/{}/notifications/preferences", "me")
    await probe.call("GET", "/insights/daus?tz_offset=0")
    await probe.call("GET", "/templates/examples")
    await probe.call("GET", "/organizations/{}/templates/examples", "default")
    await probe.call("GET", "/organizations/{}/templates", "default")
    await probe.call("GET", "/organizations/{}/templates/{}", "default", "docker")
    await probe.call("GET", "/organizations/{}/templates/{}/versions/{}", "default", "docker", made["name"])
    for pattern in ("", "/logs", "/resources", "/rich-parameters", "/variables", "/presets"):
        await probe.call("GET", "/templateversions/{}" + pattern, version_id)
    await probe.call("PATCH", "/templateversions/{}", version_id, json={"name": "v1"})
    workshop.clock.move(1)
    later = await probe.call(
        "POST", "/organizations/{}/templateversions", "default", json={**version, "template_id": template_id}
    )
    await workshop.run_next()
    previous = "/organizations/{}/templates/{}/versions/{}/previous"
    await probe.call("GET", previous, "default", "docker", later["name"])
    dry = await probe.call("POST", "/templateversions/{}/dry-run", version_id, json={"workspace_name": "w"})
    await workshop.run_next()
    for pattern in ("", "/logs", "/resources", "/matched-provisioners"):
        await probe.call("GET", "/templateversions/{}/dry-run/{}" + pattern, version_id, dry["id"])
    return template_id, version_id


async def probe_workspaces(probe: Probe, template_id: str) -> None:
    """Everything about a workspace, its builds and its agent."""
    workshop = probe.workshop
    now = workshop.clock()
    timing = ProvisionerTiming(now, now, TimingStage.APPLY, "docker", "create", "docker_image.a")
    workshop.provisioner.answers.append(BuildResult(state=b"s", resources=(RESOURCE,), timings=(timing,)))
    request = {"name": "dev", "template_id": template_id, "autostart_schedule": "0 9 * * *"}
    workspace = await probe.call("POST", "/users/{}/workspaces", "me", json=request)
    await workshop.run_next()
    workspace_id, build_id = workspace["id"], workspace["latest_build"]["id"]
    async with workshop.database.write() as connection:
        values = {"dormant_at": now, "deleting_at": now}
        await workspace_store.update_workspace(connection, workspace_id, values)
    await probe_agent(probe, workspace_id)
    await probe.call("PUT", "/workspaces/{}/dormant", workspace_id, json={"dormant": False})
    async with workshop.database.write() as connection:
        await workspace_store.update_workspace(connection, workspace_id, values)
    share = {"agent_name": "main", "port": 8080, "share_level": "authenticated", "protocol": "http"}
    await probe.call("POST", "/workspaces/{}/port-share", workspace_id, json=share)
    for pattern in ("", "/builds", "/timings", "/resolve-autostart", "/port-share"):
        await probe.call("GET", "/workspaces/{}" + pattern, workspace_id)
    await probe.call("GET", "/workspaces")
    await probe.call("GET", "/users/{}/workspace/{}", "me", "dev")
    await probe.call("GET", "/users/{}/workspace/{}/builds/{}", "me", "dev", "1")
    for pattern in ("", "/logs", "/parameters", "/resources", "/timings"):
        await probe.call("GET", "/workspacebuilds/{}" + pattern, build_id)
    await probe.call("POST", "/workspaces/{}/builds", workspace_id, json={"transition": "stop"})
    workshop.provisioner.answers.append(BuildResult(state=b"s", error="The cloud is away."))
    await workshop.run_next()
    canceled = await probe.call("POST", "/workspaces/{}/builds", workspace_id, json={"transition": "start"})
    await probe.call("PATCH", "/workspacebuilds/{}/cancel", canceled["id"])
    await probe.call("GET", "/workspaces/{}/builds", workspace_id)


async def probe_agent(probe: Probe, workspace_id: str) -> None:
    """What an agent reports and what is told of it."""
    workshop = probe.workshop
    workspace = (await workshop.get(workshop.owner, f"/workspaces/{workspace_id}")).body
    agent = workspace["latest_build"]["resources"][0]["agents"][0]
    at, me = workshop.clock(), {"Coder-Session-Token": AGENT_TOKEN}
    run = {"started_at": at.isoformat(), "ended_at": at.isoformat(), "exit_code": 0, "stage": "start", "status": "ok"}
    report = {**run, "script_id": agent["scripts"][0]["id"]}
    script = await workshop.call(None, "POST", "/workspaceagents/me/script-timings", report, headers=me)
    assert script.status == 204
    source = {"id": "7e1d6e0a-40b3-4f3f-8a52-0d7f6f3e0001", "display_name": "S", "icon": ""}
    lines = {"log_source_id": source["id"], "logs": [{"created_at": at.isoformat(), "output": "o", "level": "info"}]}
    for method, path, body in (
        ("POST", "log-source", source),
        ("PATCH", "logs", lines),
        ("GET", "gitsshkey", None),
        ("GET", "manifest", None),
        ("POST", "report-stats", NO_STATS),
    ):
        reply = await workshop.call(None, method, f"/workspaceagents/me/{path}", body, headers=me)
        assert reply.status < 300, reply
        probe.answers[f"{method} /workspaceagents/me/{path}"].append(reply.body)
    times = dict.fromkeys(("first_connected_at", "last_connected_at", "disconnected_at", "started_at", "ready_at"), at)
    async with workshop.database.write() as connection:
        values = {**times, "version": "v2.20.0", "expanded_directory": "/srv", "api_version": "1.0"}
        await agent_store.update_agent(connection, agent["id"], values)
    for pattern in ("", "/logs", "/connection"):
        await probe.call("GET", "/workspaceagents/{}" + pattern, agent["id"])
    await probe.call("GET", "/workspaceagents/connection")


async def probe_users(probe: Probe) -> None:
    """Everything about users, their keys and organizations."""
    request = {"email": "nele@example.com", "username": "nele", "password": "correct horse battery staple"}
    await probe.call("POST", "/users", json={**request, "name": "Nele"})
    await probe.call("GET", "/users")
    await probe.call("GET", "/users/roles")
    await probe.call("POST", "/users/validate-password", json={"password": "weak"})
    await probe.call("PUT", "/users/{}/profile", "nele", json={"username": "nele", "name": "N"})
    await probe.call("PUT", "/users/{}/appearance", "nele", json={"theme_preference": "dark"})
    await probe.call("PUT", "/users/{}/status/suspend", "nele")
    await probe.call("PUT", "/users/{}/status/activate", "nele")
    await probe.call("PUT", "/users/{}/roles", "nele", json={"roles": ["owner"]})
    await probe.call("GET", "/users/authmethods")
    for pattern in ("", "/gitsshkey", "/login-type", "/organizations"):
        await probe.call("GET", "/users/{}" + pattern, "me")
    await probe.call("PUT", "/users/{}/gitsshkey", "me")
    await probe.call("GET", "/users/{}/organizations/{}", "me", "default")
    await probe.call("POST", "/users/{}/keys", "me")
    token = await probe.call("POST", "/users/{}/keys/tokens", "me", json={"token_name": "t"})
    for pattern in ("tokens", "tokens/tokenconfig", "tokens/t"):
        route = "/users/{}/keys/tokens/{}" if pattern == "tokens/t" else "/users/{}/keys/" + pattern
        await probe.call("GET", route, "me", *(["t"] if pattern == "tokens/t" else []))
    await probe.call("GET", "/users/{}/keys/{}", "me", token["key"].partition("-")[0])
    await probe.call("GET", "/organizations")
    await probe.call("GET", "/organizations/{}", "default")
    await probe.call("GET", "/organizations/{}/members", "default")


async def probe_deployment(probe: Probe) -> None:
    """What is told of the deployment."""
    await probe.call("GET", "/audit")
    await probe.call("PUT", "/debug/health/settings", json={"dismissed_healthchecks": ["DERP"]})
    await probe.call("GET", "/debug/health/settings")
    await probe.call("GET", "/workspaceproxies/{}", "primary")
    banner = {"enabled": True, "message": "m", "background_color": "#fff000"}
    appearance = {"application_name": "a", "logo_url": "", "service_banner": banner, "announcement_banners": [banner]}
    await probe.call("PUT", "/appearance", json=appearance)
    for path in (
        "appearance",
        "applications/host",
        "buildinfo",
        "deployment/ssh",
        "deployment/stats",
        "regions",
        "workspaceproxies",
    ):
        await probe.call("GET", f"/{path}")


def compare(era: str, probe: Probe) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """The keys of the answers that their types lack, and those that no answer had, by type."""
    contract = read_contract(era)
    seen: dict[str, set[str]] = defaultdict(set)
    left = [
        (contract["routes"][route].strip("[]" if route in ONE else ""), answer)
        for route in list_named_routes(era)
        for answer in probe.answers[route]
    ]
    while left:
        named, answer = left.pop()
        if named.startswith("["):
            left.extend((named[1:-1], each) for each in answer or ())
        elif named.startswith("{"):
            left.extend((named[1:-1], each) for each in answer.values())
        elif named in contract["types"] and answer is not None:
            assert isinstance(answer, dict), (named, answer)
            keyed = cast("dict[str, Any]", answer)
            seen[named].update(keyed)
            left.extend((kind, keyed[key]) for key, kind in contract["types"][named].items() if kind and key in keyed)
    later = read_contract(ERAS[-1])["types"]
    extra = {
        name: keys - contract["types"][name].keys() - later.get(name, {}).keys() - OWN.get(name, set())
        for name, keys in seen.items()
    }
    absent = {name: contract["types"][name].keys() - keys - ABSENT.get(name, set()) for name, keys in seen.items()}
    return {name: keys for name, keys in extra.items() if keys}, {name: keys for name, keys in absent.items() if keys}


@pytest.fixture
async def probe(workshop: Workshop) -> Probe:
    """A deployment with one of everything, all of whose routes were called."""
    workshop.app = await asyncio.to_thread(make_quart_app, Config(), workshop.services, asyncio.Event())
    made = Probe(workshop)
    template_id, _ = await probe_templates(made)
    await probe_workspaces(made, template_id)
    await probe_users(made)
    await probe_deployment(made)
    return made


async def test_answers_have_the_keys_of_their_types_and_no_others(probe: Probe) -> None:
    for era in ERAS:
        called = {route for route, answers in probe.answers.items() if answers}
        assert [route for route in list_named_routes(era) if route not in called] == [], f"not called, {era}"
        assert compare(era, probe) == ({}, {}), era


def test_what_is_otherwise_is_served() -> None:
    ours = {f"{method} {blank(path)}" for method, path, _ in list_routes()}
    assert [route for route in OTHERWISE if route not in ours] == []


@pytest.mark.skipif(SWAGGER_FOLDER not in os.environ, reason=f"{SWAGGER_FOLDER} names no folder with the contract")
@pytest.mark.parametrize("era", ERAS)
def test_the_tables_are_what_the_contract_says(era: str) -> None:
    swagger = Path(os.environ[SWAGGER_FOLDER]) / f"coder-api-{era}.swagger.json"
    assert extract(json.loads(swagger.read_text("utf-8"))) == read_contract(era)
