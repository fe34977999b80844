"""Messages about the deployment (contract appendix B)."""

from __future__ import annotations

from genba_wire.api.message import Message


class SSHConfigResponse(Message, frozen=True, kw_only=True):
    """GET /deployment/ssh: what goes into users' ssh config.

    `hostname_suffix` has no dot before it. `host_certificate_authority` is Genba's own: the public key that certifies
    the host keys of agents, in OpenSSH's format, for one `@cert-authority` line.
    """

    hostname_prefix: str
    hostname_suffix: str
    ssh_config_options: dict[str, str]
    host_certificate_authority: str = ""
