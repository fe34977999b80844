"""The subsystem sftp: asyncssh's file server, as the workspace's user."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

import asyncssh
from asyncssh.stream import SSHServerStreamSession

if TYPE_CHECKING:
    from genba_agent.terminals.commands import TerminalEnvironment


def make_file_session(environment: TerminalEnvironment) -> SSHServerStreamSession[bytes]:
    """Make what serves files on one channel; it is driven like any session."""
    return SSHServerStreamSession(
        None,
        sftp_factory=lambda channel: FileServer(cast("asyncssh.SSHServerChannel[bytes]", channel), environment.home),
        sftp_version=3,
        allow_scp=False,
    )


class FileServer(asyncssh.SFTPServer):
    """Files of the workspace. Relative paths begin in the home folder: scp sends `host:~/file` as `file`."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], home: str) -> None:
        super().__init__(channel)  # pyright: ignore[reportUnknownMemberType]  # its channels are generic
        self._channel = channel
        self._home = os.fsencode(home)

    def map_path(self, path: bytes) -> bytes:
        return os.path.join(self._home, path)

    def exit(self) -> None:
        # scp looks at the status, which asyncssh by itself does not tell.
        self._channel.exit(0)
