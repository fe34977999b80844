from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.agent_app import AgentApp, as_agent, open_agent_app
from tests.support.agent_rows import make_agent_spec

PATH = "/api/v2/workspaceagents/me/ssh-host-certificate"
SPEC = make_agent_spec("main", token=str(uuid.uuid4()))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[AgentApp]:
    async with open_agent_app(tmp_path) as opened:
        yield opened


async def test_an_agent_gets_a_certificate_for_its_host_key(world: AgentApp) -> None:
    await world.rows.add_running_agent(SPEC)
    public = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)

    response = await world.send("POST", PATH, {"public_key": public.decode()}, as_agent(SPEC.token))

    assert response.status_code == 200
    body = await response.get_json()
    assert body["certificate"].startswith("ssh-ed25519-cert-v01@openssh.com AAAA")
    assert body["valid_before"] == "2026-02-01T03:04:05Z"


async def test_what_is_no_key_is_answered_400(world: AgentApp) -> None:
    await world.rows.add_running_agent(SPEC)

    response = await world.send("POST", PATH, {"public_key": "ssh-dss AAAA"}, as_agent(SPEC.token))

    assert response.status_code == 400
    body = await response.get_json()
    assert body["message"] == "The host key can't be certified."
    assert body["validations"][0]["field"] == "public_key"


async def test_only_agents_get_certificates(world: AgentApp) -> None:
    response = await world.send("POST", PATH, {"public_key": "ssh-ed25519 AAAA"}, world.user)

    assert response.status_code == 401


async def test_every_user_learns_how_hosts_are_named_and_who_certifies_them(world: AgentApp) -> None:
    response = await world.client.get("/api/v2/deployment/ssh", headers=world.stranger)

    body = await response.get_json()
    authority = body.pop("host_certificate_authority")
    assert authority.startswith("ssh-ed25519 AAAA")
    assert body == {
        "hostname_prefix": "coder.",
        "hostname_suffix": "genba",
        "ssh_config_options": {"ForwardAgent": "yes"},
    }
    assert (await world.client.get("/api/v2/deployment/ssh")).status_code == 401
