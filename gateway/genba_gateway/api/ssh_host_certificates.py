"""Routes of SSH's host certificates: agents get theirs, users learn whose signature to believe."""

from __future__ import annotations

from collections.abc import Mapping

from quart import Blueprint, Response

from genba_gateway.api.agent_me import ME
from genba_gateway.api.answers import answer, read_body
from genba_gateway.api.gate import current_agent, needs
from genba_gateway.domain.actors import RouteAccess
from genba_gateway.services.ssh_host_certificates import SshHostCertificates
from genba_wire.api.agent_protocol import SSHHostCertificateRequest, SSHHostCertificateResponse
from genba_wire.api.deployment import SSHConfigResponse


def make_blueprint(certificates: SshHostCertificates, ssh_config_options: Mapping[str, str]) -> Blueprint:
    """The routes.

    Args:
        ssh_config_options: what the operator wants in everybody's ssh config.
    """
    blueprint = Blueprint("ssh_host_certificates", __name__)

    @blueprint.get("/api/v2/deployment/ssh")
    @needs(RouteAccess.SIGNED_IN)
    async def get_ssh_settings() -> Response:
        return answer(
            SSHConfigResponse(
                hostname_prefix=certificates.names.prefix,
                hostname_suffix=certificates.names.suffix,
                ssh_config_options=dict(ssh_config_options),
                host_certificate_authority=await certificates.get_authority(),
            )
        )

    @blueprint.post(f"{ME}/ssh-host-certificate")
    @needs(RouteAccess.AGENT)
    async def certify() -> Response:
        body = await read_body(SSHHostCertificateRequest)
        certificate, valid_before = await certificates.issue(current_agent(), body.public_key)
        return answer(SSHHostCertificateResponse(certificate=certificate, valid_before=valid_before))

    return blueprint
