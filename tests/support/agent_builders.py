"""Builders for what agents are told."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from genba_wire.api.agent_protocol import Manifest, ManifestScript
from genba_wire.api.agents import Healthcheck, MetadataDescription, WorkspaceApp


def make_script(
    script: str,
    *,
    source_id: str | None = None,
    script_id: str = "",
    log_path: str = "",
    cron: str = "",
    run_on_start: bool = True,
    run_on_stop: bool = False,
    timeout_s: float = 0,
) -> ManifestScript:
    return ManifestScript(
        id=script_id,
        log_source_id=source_id or str(uuid.uuid4()),
        log_path=log_path,
        script=script,
        cron=cron,
        run_on_start=run_on_start,
        run_on_stop=run_on_stop,
        start_blocks_login=False,
        timeout=int(timeout_s * 1e9),
    )


def make_app(url: str, *, interval: int = 1, threshold: int = 1) -> WorkspaceApp:
    return WorkspaceApp(
        id=str(uuid.uuid4()),
        url=url,
        external=False,
        slug="app",
        display_name="App",
        subdomain=False,
        sharing_level="owner",
        healthcheck=Healthcheck(url=url, interval=interval, threshold=threshold),
        health="initializing",
        hidden=False,
        open_in="slim-window",
    )


def make_metadata(key: str, script: str, *, interval: int = 0, timeout: int = 0) -> MetadataDescription:
    return MetadataDescription(display_name=key, key=key, script=script, interval=interval, timeout=timeout)


def make_manifest(
    *,
    agent_id: str | None = None,
    directory: str = "",
    scripts: Sequence[ManifestScript] = (),
    metadata: Sequence[MetadataDescription] = (),
    apps: Sequence[WorkspaceApp] = (),
    environment_variables: Mapping[str, str] | None = None,
    vscode_port_proxy_uri: str = "",
    git_auth_configs: int = 0,
) -> Manifest:
    return Manifest(
        agent_id=agent_id or str(uuid.uuid4()),
        agent_name="main",
        owner_name="kim",
        workspace_id="0d0f8b5e-6a43-4a66-8f58-1f5a8a9d3c77",
        workspace_name="blue",
        git_auth_configs=git_auth_configs,
        vscode_port_proxy_uri=vscode_port_proxy_uri,
        apps=list(apps),
        derpmap=None,
        derp_force_websockets=False,
        environment_variables=dict(environment_variables or {}),
        directory=directory,
        motd_file="",
        disable_direct_connections=False,
        metadata=list(metadata),
        scripts=list(scripts),
    )
