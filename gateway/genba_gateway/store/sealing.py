"""Envelopes around secret columns: `v1:<key id>:<nonce><ciphertext>`.

The keys come from a key file outside the database (0600) or from GENBA_ENCRYPTION_KEYS: `<id>=<base64 of 32 bytes>`,
separated by commas or lines. The first key seals, all open, so that keys can be rotated.
"""

from __future__ import annotations

import base64
import os
import secrets
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from genba_gateway.errors import ConfigError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
_VERSION: Final = b"v1:"


class Sealer:
    """Seals and opens secret columns with AES-256-GCM.

    Args:
        keys: key id to key; the first seals.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._current = next(iter(self._keys))

    def seal(self, plain: bytes) -> bytes:
        """Encrypt under the current key."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        key_id = self._current.encode()
        return _VERSION + key_id + b":" + nonce + self._keys[self._current].encrypt(nonce, plain, key_id)

    def open(self, sealed: bytes) -> bytes:
        """Decrypt.

        Raises:
            ConfigError: not an envelope, sealed under a key that is absent, or altered.
        """
        if not sealed.startswith(_VERSION):
            raise ConfigError("A secret column holds something that is not an envelope: the database is damaged.")
        key_id, _, rest = sealed[len(_VERSION) :].partition(b":")
        key = self._keys.get(key_id.decode(errors="replace"))
        if key is None:
            raise ConfigError(
                f"A secret was sealed under the key {key_id.decode(errors='replace')!r}, which is absent: "
                "add it to GENBA_ENCRYPTION_KEYS or restore the key file."
            )
        try:
            return key.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], key_id)
        except (InvalidTag, ValueError) as error:  # ValueError: cut off within the nonce
            raise ConfigError(
                "A secret can't be opened with its key: the key file is not the database's own."
            ) from error

    def seal_text(self, plain: str) -> bytes:
        """`seal` for text."""
        return self.seal(plain.encode())

    def open_text(self, sealed: bytes) -> str:
        """`open` for text."""
        return self.open(sealed).decode()

    def seal_compressed(self, plain: bytes) -> bytes:
        """Compress, then seal: for Terraform states."""
        return self.seal(zlib.compress(plain, 6))

    def open_compressed(self, sealed: bytes) -> bytes:
        """The inverse of `seal_compressed`."""
        return zlib.decompress(self.open(sealed))


def load_sealer(key_file: Path, environment: Mapping[str, str], *, has_data: bool = False) -> Sealer:
    """Read the keys, making the key file (0600) when there are none.

    Args:
        has_data: there is a database already, whose secrets a new key could not open.

    Raises:
        ConfigError: a key that can't be read, or none beside a database.
    """
    text = environment.get("GENBA_ENCRYPTION_KEYS", "")
    if not text:
        if not key_file.exists():
            if has_data:
                raise ConfigError(
                    f"The encryption keys {key_file} are gone, but the database is there: restore the file from its "
                    "backup, or give its content in GENBA_ENCRYPTION_KEYS."
                )
            _write_new_key(key_file)
        text = key_file.read_text()
    keys: dict[str, bytes] = {}
    for entry in text.replace(",", "\n").split():
        key_id, _, encoded = entry.partition("=")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not key_id or ":" in key_id or len(key) != KEY_BYTES:
            raise ConfigError(
                f"The encryption key {key_id!r} is not `<id>=<base64 of {KEY_BYTES} bytes>`: check "
                f"GENBA_ENCRYPTION_KEYS or {key_file}."
            )
        keys[key_id] = key
    if not keys:
        raise ConfigError(f"{key_file} holds no encryption key: restore it from its backup.")
    return Sealer(keys)


def _write_new_key(key_file: Path) -> None:
    line = f"k{secrets.token_hex(4)}={base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n"
    descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
