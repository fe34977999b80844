"""Certificates for the SSH host keys of agents, so that a rebuilt workspace asks nobody whether its key is right."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    SSHCertificateBuilder,
    SSHCertificateType,
    load_ssh_public_key,
)

from genba_gateway.domain.actors import AgentActor
from genba_gateway.domain.ssh_host_names import SshHostNames
from genba_gateway.errors import BadRequest, FieldProblem
from genba_gateway.services.ssh_host_authority import SshHostAuthority
from genba_gateway.services.visibility import Clock
from genba_gateway.store.audit_logs import insert_audit_log
from genba_gateway.store.engine import Database

VALIDITY: Final = timedelta(days=30)
"""The agent asks again daily, so that a gateway may be away for a month."""

BACKDATING: Final = timedelta(hours=1)
"""Users' clocks may be that much behind ours."""

MAX_KEY_CHARS: Final = 4096
"""Longer than the line of an RSA key of 16,384 bits."""

MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 16_384
"""OpenSSH's own limit (its `OPENSSL_RSA_MAX_MODULUS_BITS`)."""

_ALGORITHMS: Final = frozenset(
    {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"}
)

HostKey = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey


class SshHostCertificates:
    """Certifies host keys, and says by whom.

    Args:
        names: how host names are made, which a certificate has to cover.
    """

    def __init__(self, database: Database, authority: SshHostAuthority, names: SshHostNames, now: Clock) -> None:
        self._database = database
        self._authority = authority
        self.names = names
        self._now = now

    async def get_authority(self) -> str:
        """The authority's public key in OpenSSH's format: what users' OpenSSH has to know."""
        return (await self._authority.get_key()).public_line

    async def issue(self, actor: AgentActor, public_key: str) -> tuple[str, datetime]:
        """A certificate for an agent's host key, for the names of its workspace alone, and until when it is valid.

        Args:
            public_key: the host key's public half in OpenSSH's format.

        Raises:
            BadRequest: not such a key.
        """
        host_key = read_host_key(public_key)
        authority = await self._authority.get_key()
        now = self._now()
        valid_before = (now + VALIDITY).replace(microsecond=0)
        key_id = f"{actor.owner_name}/{actor.workspace_name}.{actor.agent_name} by {authority.id}"
        principals = self.names.list_names(
            owner=actor.owner_name, workspace=actor.workspace_name, agent=actor.agent_name
        )
        serial = secrets.randbits(63)
        certificate = (
            SSHCertificateBuilder()
            .public_key(host_key)
            .serial(serial)
            .type(SSHCertificateType.HOST)
            .key_id(key_id.encode())
            .valid_principals([each.encode() for each in principals])
            .valid_after(int((now - BACKDATING).timestamp()))
            .valid_before(int(valid_before.timestamp()))
            .sign(authority.signer)
        )
        await self._record(actor, now, key_id, serial)
        return certificate.public_bytes().decode(), valid_before

    async def _record(self, actor: AgentActor, now: datetime, key_id: str, serial: int) -> None:
        async with self._database.write() as connection:
            await insert_audit_log(
                connection,
                now=now,
                user_id=None,
                organization_id=None,
                action="create",
                resource_type="ssh_host_certificate",
                resource_id=actor.agent_id,
                resource_target=key_id,
                additional_fields={
                    "workspace_id": actor.workspace_id,
                    "build_id": actor.build_id,
                    "serial": str(serial),
                },
            )


def read_host_key(line: str) -> HostKey:
    """Read a public key in OpenSSH's format; a comment behind it is ignored.

    Raises:
        BadRequest: not one line with such a key, or one that OpenSSH would not take.
    """
    if len(line) > MAX_KEY_CHARS:
        raise _refused(f"it has more than {MAX_KEY_CHARS} characters")
    algorithm, _, rest = line.strip().partition(" ")
    if algorithm not in _ALGORITHMS:
        raise _refused(f"it has to begin with one of {', '.join(sorted(_ALGORITHMS))}")
    if not line.isascii() or not line.strip().isprintable() or not rest:
        raise _refused("it has to be one line: the algorithm, a blank, the key in base64")
    try:
        key = load_ssh_public_key(f"{algorithm} {rest.split()[0]}".encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _refused(f"it can't be read: {error}") from error
    if not isinstance(key, HostKey):
        raise _refused("it is of another kind than it says")
    if isinstance(key, RSAPublicKey) and not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        raise _refused(f"an RSA key has to have {MIN_RSA_BITS} to {MAX_RSA_BITS} bits, not {key.key_size}")
    return key


def _refused(why: str) -> BadRequest:
    return BadRequest("The host key can't be certified.", validations=[FieldProblem("public_key", why)])
