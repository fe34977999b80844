"""`genba gitssh -- …`: ssh for git, with the workspace owner's key.

GIT_SSH_COMMAND names it, so git calls it as it would call ssh.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Final

from genba_agent.api import AgentApi
from genba_agent.environment import user_environment
from genba_agent.errors import OptionsError
from genba_agent.options import find_address, find_headers
from genba_wire.aio.transport import Transport, TransportOptions
from genba_wire.errors import TransportError

OWN_KEYS: Final = ("id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk")
"""Keys that ssh tries by itself, but not once it is given one with -i: the user's own keep working."""

FAILED: Final = 255
"""What ssh exits with when it could not connect."""


def main(argv: list[str]) -> int:
    """Run ssh with the arguments behind `--`; returns its exit status."""
    arguments = argv[1:] if argv[:1] == ["--"] else argv
    ssh = shutil.which("ssh")
    if ssh is None:
        return _fail("There is no ssh in this workspace. Install OpenSSH's client to use git over SSH.")
    try:
        private_key = asyncio.run(_fetch_key(_find_gateway(os.environ)))
    except OptionsError as error:
        return _fail(f"{error} Run git inside a workspace.")
    except TransportError as error:
        return _fail(f"Can't fetch your git SSH key: {error}")
    with tempfile.TemporaryDirectory(prefix="genba-gitssh-") as folder:
        key_file = Path(folder) / "key"
        # ssh insists on 0600, and on a newline at the key's end.
        descriptor = os.open(key_file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(private_key.rstrip("\n") + "\n")
        return _run_ssh([ssh, *_identity_arguments(key_file), *arguments])


def _find_gateway(environ: Mapping[str, str]) -> TransportOptions:
    address = find_address(None, None, None, environ)
    # A proxy in between wants the same headers of us as of the agent.
    headers = find_headers(None, None, environ)
    return TransportOptions(
        base_url=address.url,
        token=address.token,
        headers=headers,
        ca_file=environ.get("GENBA_CA_FILE") or None,
        client_cert=environ.get("GENBA_CLIENT_CERT") or None,
        client_key=environ.get("GENBA_CLIENT_KEY") or None,
    )


async def _fetch_key(gateway: TransportOptions) -> str:
    async with Transport(gateway) as transport:
        return (await AgentApi(transport).fetch_git_ssh_key()).private_key


def _identity_arguments(key_file: Path) -> list[str]:
    own_keys = [path for name in OWN_KEYS if (path := Path.home() / ".ssh" / name).is_file()]
    return [word for path in (*own_keys, key_file) for word in ("-i", str(path))]


def _run_ssh(command: list[str]) -> int:
    # ssh gets the terminal's signals itself, and we have a key to remove after it. A handler, since SIG_IGN would be
    # inherited by ssh.
    previous = {number: signal.signal(number, _ignore) for number in (signal.SIGINT, signal.SIGQUIT)}
    try:
        with subprocess.Popen(command, env=user_environment(os.environ)) as ssh:

            def terminate(number: int, frame: FrameType | None) -> None:
                ssh.terminate()

            signal.signal(signal.SIGTERM, terminate)
            status = ssh.wait()
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for number, handler in previous.items():
            signal.signal(number, handler)
    return status if status >= 0 else 128 - status


def _ignore(number: int, frame: FrameType | None) -> None:
    pass


def _fail(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return FAILED
