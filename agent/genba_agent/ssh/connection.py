"""One SSH connection: asyncssh's, with our limits, and with back-pressure from the stream that it runs on."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Final, cast

import asyncssh
from asyncssh.channel import SSHChannel
from asyncssh.constants import DISC_SERVICE_NOT_AVAILABLE, MSG_IGNORE, MSG_KEXINIT

from genba_agent.ssh.ciphers import CIPHERS, EAGER_CLIENT, choose_ciphers
from genba_agent.ssh.session import SessionHost, WorkspaceSession
from genba_agent.ssh.unix_listener import listen_on_path
from genba_wire.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from asyncssh.packet import SSHPacket, SSHPacketLogger

    from genba_agent.ssh.host_key import HostIdentity

WINDOW_BYTES: Final = 2 * 1024 * 1024
"""What a channel may have under way towards us; OpenSSH's own window."""

PACKET_BYTES: Final = 32 * 1024
"""OpenSSH sends no longer ones."""

# It logs commands and variables, which may hold secrets.
logging.getLogger("asyncssh").setLevel(logging.WARNING)


def make_connection(host: SessionHost, identity: HostIdentity) -> WorkspaceConnection:
    """Make the server's end of a connection; who calls gives it a transport. Reads no disk."""
    options = asyncssh.SSHServerConnectionOptions(
        config=None,
        server_factory=lambda: _Server(host),
        server_version=f"Genba_{VERSION.partition('+')[0]}",
        server_host_keys=[asyncssh.import_private_key(identity.private_key)],
        server_host_certs=[asyncssh.import_certificate(identity.certificate)] if identity.certificate else [],
        encryption_algs=[cipher.decode() for cipher in CIPHERS],
        compression_algs=["none"],
        line_editor=False,
        encoding=None,
        allow_pty=True,
        agent_forwarding=True,
        x11_forwarding=True,
        x11_auth_path=_find_x_authority(host),
        # The link knows what is dead. Whoever comes back after hours goes on.
        login_timeout=0,
        keepalive_interval=0,
        window=WINDOW_BYTES,
        max_pktsize=PACKET_BYTES,
    )
    return WorkspaceConnection(asyncio.get_running_loop(), options)


class WorkspaceConnection(asyncssh.SSHServerConnection):
    """A connection whose channels keep their data to themselves while the stream is full.

    asyncssh by itself writes whatever the client's windows allow, 2 MiB a channel, whether the bytes get away or not.
    """

    is_output_held = False
    _waits_for_offer = False

    def pause_writing(self) -> None:
        self.is_output_held = True

    def resume_writing(self) -> None:
        self.is_output_held = False
        for channel in list(cast(dict[int, object], self._channels).values()):  # pyright: ignore[reportUnknownMemberType]
            if isinstance(channel, _HeldChannel):
                channel.flush()

    def process_packet(self, pkttype: int, pktid: int, packet: SSHPacket) -> bool | Awaitable[None]:
        if pkttype == MSG_KEXINIT and self._waits_for_offer:
            self._waits_for_offer = False
            self._enc_algs = list(choose_ciphers(packet.get_remaining_payload()))
            super()._send_kexinit()
        return super().process_packet(pkttype, pktid, packet)

    def _send_kexinit(self) -> None:
        # The first one, that is: keys are exchanged anew with the ciphers that were chosen then.
        if not self._session_id and self._client_version.startswith(EAGER_CLIENT) and not self._client_kexinit:
            self._waits_for_offer = True
        else:
            super()._send_kexinit()

    def end(self, reason: str) -> None:
        """Tell the client that it is over, and why."""
        # OpenSSH shows the reason of this code as an error, that of DISC_BY_APPLICATION not even as a warning.
        self.disconnect(DISC_SERVICE_NOT_AVAILABLE, reason)

    def send_packet(self, pkttype: int, *args: bytes, handler: SSHPacketLogger | None = None) -> None:
        # asyncssh sends an empty packet before each one, against an attack on ciphers that we do not offer. It costs
        # as much as a keystroke.
        if pkttype != MSG_IGNORE:
            super().send_packet(pkttype, *args, handler=handler)

    def create_server_channel(
        self, encoding: str | None = "", errors: str = "", window: int = 0, max_pktsize: int = 0
    ) -> asyncssh.SSHServerChannel[bytes]:
        return _ServerChannel(self, self._loop, True, False, False, 0, 0, None, "strict", WINDOW_BYTES, PACKET_BYTES)

    def create_tcp_channel(
        self,
        encoding: str | None = None,
        errors: str = "strict",
        window: int = WINDOW_BYTES,
        max_pktsize: int = PACKET_BYTES,
    ) -> asyncssh.SSHTCPChannel[bytes]:
        return _TcpChannel(self, self._loop, encoding, errors, window, max_pktsize)

    def create_unix_channel(
        self,
        encoding: str | None = None,
        errors: str = "strict",
        window: int = WINDOW_BYTES,
        max_pktsize: int = PACKET_BYTES,
    ) -> asyncssh.SSHUNIXChannel[bytes]:
        return _UnixChannel(self, self._loop, encoding, errors, window, max_pktsize)


class _HeldChannel(SSHChannel[bytes]):
    """A channel that keeps its data while the connection's is held; asyncssh sends none but by `_flush_send_buf`."""

    def _flush_send_buf(self) -> None:
        if _is_held(self._conn):
            self._pause_resume_writing()
        else:
            super()._flush_send_buf()

    def flush(self) -> None:
        """Send what was held."""
        self._flush_send_buf()


class _ServerChannel(_HeldChannel, asyncssh.SSHServerChannel[bytes]):
    """A session's channel."""


class _ForwardChannel(_HeldChannel):
    """A forwarded connection's channel, which is over when both ends have said all.

    asyncssh waits for the connection to end then, and does not hear of that when the connection's end came first: it
    has read that end, and looks no more. The client would wait for ever.
    """

    def _flush_send_buf(self) -> None:
        super()._flush_send_buf()
        self._close_if_over()

    def _flush_recv_buf(self, exc: Exception | None = None) -> None:
        super()._flush_recv_buf(exc)
        self._close_if_over()

    def _close_if_over(self) -> None:
        if self._send_state == "eof" and self._recv_state == "eof":
            self.close()


class _TcpChannel(_ForwardChannel, asyncssh.SSHTCPChannel[bytes]):
    """A forwarded connection's channel."""


class _UnixChannel(_ForwardChannel, asyncssh.SSHUNIXChannel[bytes]):
    """A forwarded unix socket's channel."""


class _Server(asyncssh.SSHServer):
    """What a client may do: everything that its user may do in the workspace."""

    def __init__(self, host: SessionHost) -> None:
        self._host = host
        self._connection: asyncssh.SSHServerConnection

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def begin_auth(self, username: str) -> bool:
        return False  # the ticket of the stream did

    def session_requested(self) -> WorkspaceSession:
        return WorkspaceSession(self._host)

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        return True

    def server_requested(self, listen_host: str, listen_port: int) -> bool:
        return True

    def unix_connection_requested(self, dest_path: str) -> bool:
        return True

    async def unix_server_requested(self, listen_path: str) -> asyncssh.SSHListener:
        return await listen_on_path(self._connection, listen_path)


def _is_held(connection: object) -> bool:
    return isinstance(connection, WorkspaceConnection) and connection.is_output_held


def _find_x_authority(host: SessionHost) -> str:
    environment = host.environment
    return environment.environ.get("XAUTHORITY") or os.path.join(environment.home, ".Xauthority")
