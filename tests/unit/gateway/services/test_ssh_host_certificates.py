from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    SSHCertificate,
    load_ssh_public_identity,
)

from genba_gateway.domain.actors import AgentActor
from genba_gateway.domain.ssh_host_names import SshHostNames
from genba_gateway.errors import BadRequest
from genba_gateway.services.ssh_host_authority import SshHostAuthority
from genba_gateway.services.ssh_host_certificates import (
    BACKDATING,
    MAX_KEY_CHARS,
    MIN_RSA_BITS,
    VALIDITY,
    SshHostCertificates,
    read_host_key,
)
from genba_gateway.store import tables
from tests.support.agent_rows import AgentRows, open_agent_rows

ACTOR = AgentActor("a1", "main", "w1", "dev", "u1", "alice", "b1")

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@pytest.fixture
async def rows(tmp_path: Path) -> AsyncGenerator[AgentRows]:
    async with open_agent_rows(tmp_path) as opened:
        yield opened


def make_service(rows: AgentRows) -> SshHostCertificates:
    authority = SshHostAuthority(rows.database, rows.sealer, rows.clock)
    return SshHostCertificates(rows.database, authority, SshHostNames(), rows.clock)


def line_of(key: PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


ED25519 = line_of(ed25519.Ed25519PrivateKey.generate())
RSA = line_of(rsa.generate_private_key(65537, MIN_RSA_BITS))


async def test_a_certificate_is_what_openssh_reads(rows: AgentRows, tmp_path: Path) -> None:
    service = make_service(rows)
    certificate, valid_before = await service.issue(ACTOR, f"{ED25519} root@somewhere\n")
    file = tmp_path / "host-cert.pub"
    file.write_text(certificate)

    shown = await asyncio.to_thread(
        subprocess.run,
        ["ssh-keygen", "-L", "-f", str(file)],
        check=True,
        capture_output=True,
        text=True,
        env={"TZ": "UTC", "PATH": "/usr/bin:/bin"},
    )

    lines = [line.strip() for line in shown.stdout.splitlines()]
    assert "Type: ssh-ed25519-cert-v01@openssh.com host certificate" in lines
    assert any(line.startswith("Signing CA: ED25519") for line in lines)
    assert any(line.startswith('Key ID: "alice/dev.main by ') for line in lines)
    assert "Valid: from 2026-01-02T02:04:05 to 2026-02-01T03:04:05" in lines
    principals = lines[lines.index("Principals:") + 1 : lines.index("Critical Options: (none)")]
    assert principals == SshHostNames().list_names(owner="alice", workspace="dev", agent="main")
    assert valid_before == rows.clock() + VALIDITY
    assert timedelta(days=30) == VALIDITY
    assert timedelta(hours=1) == BACKDATING


@pytest.mark.parametrize(
    "line",
    [
        ED25519,
        RSA,
        *(line_of(ec.generate_private_key(curve)) for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())),
    ],
    ids=lambda line: line.partition(" ")[0],
)
async def test_keys_of_every_kind_are_certified_by_the_published_authority(rows: AgentRows, line: str) -> None:
    service = make_service(rows)
    text, _ = await service.issue(ACTOR, line)

    certificate = load_ssh_public_identity(text.encode())

    assert isinstance(certificate, SSHCertificate)
    certificate.verify_cert_signature()
    signer = certificate.signature_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    assert signer == await service.get_authority()
    assert certificate.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() == line


async def test_each_certificate_is_in_the_audit_log(rows: AgentRows) -> None:
    text, _ = await make_service(rows).issue(ACTOR, ED25519)
    certificate = load_ssh_public_identity(text.encode())
    assert isinstance(certificate, SSHCertificate)

    async with rows.database.read() as connection:
        [row] = (await connection.execute(sa.select(tables.audit_logs))).mappings().all()

    assert (row["action"], row["resource_type"], row["resource_id"]) == ("create", "ssh_host_certificate", "a1")
    assert row["additional_fields"] == {"workspace_id": "w1", "build_id": "b1", "serial": str(certificate.serial)}
    assert row["resource_target"] == certificate.key_id.decode()


SHORT_RSA = line_of(rsa.generate_private_key(65537, 1024))  # noqa: S505  # refused, which is tested


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "has to begin with one of"),
        ("ssh-dss AAAAB3NzaC1kc3M=", "has to begin with one of"),
        ("sk-ssh-ed25519@openssh.com AAAA", "has to begin with one of"),
        ("ssh-ed25519-cert-v01@openssh.com AAAA", "has to begin with one of"),
        ("ssh-ed25519", "has to be one line"),
        (f"{ED25519}\n{ED25519}", "has to be one line"),
        ("ssh-ed25519 AAAA", "can't be read"),
        ("ssh-ed25519 not-base64!", "can't be read"),
        (ED25519.replace("ssh-ed25519", "ssh-rsa"), "can't be read"),
        (f"{ED25519} ümlaut", "has to be one line"),
        (SHORT_RSA, "2048 to 16384 bits, not 1024"),
        (f"{ED25519} {'x' * MAX_KEY_CHARS}", "more than 4096 characters"),
    ],
    # Keys are made anew by each process that collects these.
    ids=range(12),
)
def test_what_is_no_host_key_is_refused_with_its_reason(line: str, why: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_host_key(line)

    [problem] = refused.value.validations
    assert problem.field == "public_key"
    assert why in problem.detail


def test_a_line_at_the_limit_is_read() -> None:
    assert read_host_key(f"{ED25519} {'x' * (MAX_KEY_CHARS - len(ED25519) - 1)}")
