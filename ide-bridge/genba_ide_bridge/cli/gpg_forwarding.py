"""Lets gpg in a workspace sign and decrypt with the keys of this machine's agent (`genba ssh --forward-gpg`).

Secret keys stay here. The workspace gets the public keyring with its ownertrust, and its agent's socket is joined with
this agent's *extra* socket: the one that gpg-agent has for other machines, on which it lets nobody export or delete.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from genba_ide_bridge.cli.output import note
from genba_ide_bridge.errors import BridgeError

EXIT_NO_GPG: Final = 126
"""The workspace has no gpg: a code of our own script, which says so."""

EXIT_SSH: Final = 255
"""OpenSSH failed, and has said why."""

_SOCKET: Final = re.compile(r"/[\w./+@-]+", re.ASCII)
"""A socket of a workspace. OpenSSH puts this machine's variables and tokens for `${NAME}` and `%` in a forward."""

_TRUST: Final = b"ownertrust "

# No quotation mark of its own, no backslash: it is one word for whichever shell the user has there, fish included.
# The keys come first and the agent is ended last, since gpg may start one.
_PREPARE: Final = """\
umask 077
for tool in gpg gpgconf; do
  if command -v $tool >/dev/null; then :; else exit 126; fi
done
file=$(mktemp) || exit 1
tidy() { rm -f "$file"; }
trap tidy EXIT
cat >"$file"
gpg --batch --no-tty --quiet --list-keys >/dev/null 2>&1
if grep -q "^-----BEGIN PGP" "$file"; then
  sed -n "/^-----BEGIN PGP/,/^-----END PGP/p" "$file" | gpg --batch --no-tty --quiet --import >&2 ||
    echo "Not all public keys could be taken over." >&2
  sed -n "s/^ownertrust //p" "$file" | gpg --batch --no-tty --quiet --import-ownertrust >&2
fi
gpgconf --kill gpg-agent
socket=$(gpgconf --list-dirs agent-socket) || exit 1
rm -f "$socket"
echo "$socket"
"""

PREPARE_COMMAND: Final = f"sh -c {shlex.quote(_PREPARE)}"
"""Run in the workspace with `LocalGpg.keyring` on stdin; its last line says where gpg looks for its agent."""


@dataclass(frozen=True, slots=True)
class LocalGpg:
    """What of this machine's gpg goes to a workspace."""

    extra_socket: str
    keyring: bytes


def read_local_gpg() -> LocalGpg:
    """Start this machine's gpg-agent where none runs, and read the public keyring.

    Raises:
        BridgeError: there is no gpg here, or it fails.
    """
    if sys.platform == "win32":
        raise BridgeError("--forward-gpg does not work on Windows: gpg-agent has no sockets that ssh could forward.")
    if shutil.which("gpg") is None or shutil.which("gpgconf") is None:
        raise BridgeError(
            "GnuPG's `gpg` and `gpgconf` are not on your PATH.", "Leave --forward-gpg out, or install it."
        )
    _run("gpgconf", "--launch", "gpg-agent")
    extra_socket = _run("gpgconf", "--list-dirs", "agent-extra-socket").decode().strip()
    keys = _run("gpg", "--batch", "--no-tty", "--armor", "--export")
    if not keys:
        note("Your keyring has no public keys, so the workspace gets none.")
        return LocalGpg(extra_socket, b"")
    trust = _run("gpg", "--batch", "--no-tty", "--export-ownertrust")
    lines = [_TRUST + line for line in trust.splitlines() if line and not line.startswith(b"#")]
    return LocalGpg(extra_socket, b"\n".join([keys, *lines, b""]))


def prepare_workspace(ssh: Sequence[str], gpg: LocalGpg, environment: dict[str, str], name: str) -> str:
    """Bring the public keyring into a workspace, and make room for the agent's socket.

    Args:
        ssh: the words that run a command in the workspace, but for that command.
        gpg: what goes there.
        environment: of ssh.
        name: of the workspace.

    Returns:
        The forward for ssh's `-R`.

    Raises:
        BridgeError: gpg is not there, or fails.
        SystemExit: ssh failed, and has said why.
    """
    done = subprocess.run(
        [*ssh, PREPARE_COMMAND], input=gpg.keyring, env=environment, stdout=subprocess.PIPE, check=False
    )
    if done.returncode == EXIT_SSH:
        raise SystemExit(EXIT_SSH)
    if done.returncode == EXIT_NO_GPG:
        raise BridgeError(
            f"The workspace {name} has no gpg, to which your keys could be forwarded.",
            "Install GnuPG in the template's image, or leave --forward-gpg out.",
        )
    socket = done.stdout.decode(errors="replace").strip().rpartition("\n")[2]
    # A shell's start-up files may print; what is no path would be taken for a port.
    if done.returncode != 0 or not _SOCKET.fullmatch(socket):
        raise BridgeError(f"gpg in the workspace {name} could not be prepared (exit code {done.returncode}).")
    return f"{socket}:{_as_forward(gpg.extra_socket)}"


def _as_forward(socket: str) -> str:
    """This machine's socket, for ssh to take as it is."""
    if "${" in socket:
        raise BridgeError(f"ssh takes ${{ in {socket}, your gpg-agent's socket, for a variable.")
    return socket.replace("%", "%%")


def _run(*command: str) -> bytes:
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise BridgeError(f"`{' '.join(command)}` failed with exit code {done.returncode}.", said[-1] if said else "")
    return done.stdout
