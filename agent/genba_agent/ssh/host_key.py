"""The SSH server's host key: made once per folder of the agent, then kept there."""

from __future__ import annotations

import logging
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)

logger = logging.getLogger(__name__)

KEY_FILE: Final = "ssh_host_ed25519_key"


@dataclass(frozen=True, slots=True)
class HostIdentity:
    """Who the server is: its key in OpenSSH's formats, and the certificate if it has one."""

    private_key: bytes = field(repr=False)
    public_key: str
    certificate: str = ""


def load_host_key(folder: Path) -> HostIdentity:
    """Return the key that the folder has, else make one and leave it there. Touches the disk: call it in a thread."""
    path = folder / KEY_FILE
    try:
        return _read(path.read_bytes())
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        logger.warning("The SSH host key %s can't be used: making another one (%s).", path, error)
        with suppress(OSError):
            path.unlink()
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return _read(_keep(path, pem))


def _keep(path: Path, pem: bytes) -> bytes:
    """Write the key whole or not at all; returns the one that is kept, which another process may have made."""
    try:
        fd, name = tempfile.mkstemp(dir=path.parent)  # 0600
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(pem)
            os.link(name, path)
        finally:
            os.unlink(name)
    except FileExistsError:
        with suppress(OSError, ValueError):
            kept = path.read_bytes()
            _read(kept)
            return kept
    except OSError as error:
        logger.warning("The SSH host key can't be kept at %s, so the next start has another one: %s", path, error)
    return pem


def _read(pem: bytes) -> HostIdentity:
    key = load_ssh_private_key(pem, None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("it is no ed25519 key")
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return HostIdentity(private_key=pem, public_key=public.decode())
