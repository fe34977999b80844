"""A unix socket in the workspace that leads to the client (`ssh -R`), and is nobody else's business."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from asyncssh.forward import SSHLocalPathForwarder
from asyncssh.listener import SSHForwardListener

if TYPE_CHECKING:
    import asyncssh
    from asyncssh.session import SSHUNIXSessionFactory


async def listen_on_path(connection: asyncssh.SSHServerConnection, path: str) -> SSHForwardListener:
    """Listen; each connection is passed on to the client by the same name. As sshd has it, the mode is 0600.

    Raises:
        OSError: nobody can listen there.
    """

    async def open_channel(
        session_factory: SSHUNIXSessionFactory[bytes],
    ) -> tuple[asyncssh.SSHUNIXChannel[bytes], asyncssh.SSHUNIXSession[bytes]]:
        return await connection.create_unix_connection(session_factory, path)

    bound = await asyncio.to_thread(bind_private, path)
    server = await asyncio.get_running_loop().create_unix_server(
        lambda: SSHLocalPathForwarder(connection, open_channel), sock=bound
    )
    return SSHForwardListener(connection, [server], path)


def bind_private(path: str) -> socket.socket:
    """Bind a socket that is 0600 from its first moment on; one that was left behind gives way."""
    with suppress(FileNotFoundError):
        if stat.S_ISSOCK(os.stat(path).st_mode):
            os.unlink(path)
    bound = socket.socket(socket.AF_UNIX)
    try:
        # Linux takes the file's mode from the socket. A umask would be that of the whole process, threads included.
        os.fchmod(bound.fileno(), 0o600)
        bound.bind(path)
        bound.setblocking(False)
    except BaseException:
        bound.close()
        raise
    return bound
