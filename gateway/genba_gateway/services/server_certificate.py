"""The certificate that this gateway shows, read from files; read again when they change, while connections stay."""

from __future__ import annotations

import logging
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from genba_gateway.errors import ConfigError
from genba_gateway.services.visibility import Clock

log = logging.getLogger(__name__)

WARN_BEFORE: Final = timedelta(days=14)
"""Renewal by ACME begins 30 days before the end: who is later than this has been forgotten."""

_OTHERS: Final = 0o007

_Stamp = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Paths of PEM files: chain, key, and, where clients have to show a certificate too, its authority."""

    cert: Path
    key: Path
    client_ca: Path | None = None


class ServerCertificate:
    """Checks the files, and puts what they hold into contexts of the listeners.

    Raises:
        ConfigError: by everything that reads: a file that can't be used; the message names it.
    """

    def __init__(self, files: CertificateFiles, now: Clock) -> None:
        self._files = files
        self._now = now
        self._contexts: list[ssl.SSLContext] = []
        self._stamp: _Stamp | None = None

    def check(self) -> None:
        """Look at all files, which blocks.

        No context is touched: a key that does not belong would leave it half changed.
        """
        files = self._files
        self._stamp = _stamp_of(files)
        chain = _read_chain("--tls-cert", files.cert)
        if files.client_ca is not None:
            _read_chain("--tls-client-ca", files.client_ca)
        _check_key(files, chain)
        _warn_of_mode(files.key)
        _warn_of_time(files.cert, chain[0], self._now())

    def install(self, context: ssl.SSLContext) -> None:
        """Let a context show the certificate, from now on always the latest one."""
        self._put_into(context)
        if self._files.client_ca is not None:
            context.load_verify_locations(self._files.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        self._contexts.append(context)

    def has_changed(self) -> bool:
        """Whether a file is another one than when they were last checked; blocks."""
        return _stamp_of(self._files) != self._stamp

    def take_over(self) -> None:
        """Put what was checked into all contexts: connections keep theirs, new handshakes get the new one.

        Not in another thread than that of the handshakes. The authority of clients is added to, never taken from: a
        context can't forget one.
        """
        for context in self._contexts:
            self._put_into(context)
            if self._files.client_ca is not None:
                context.load_verify_locations(self._files.client_ca)

    def _put_into(self, context: ssl.SSLContext) -> None:
        try:
            context.load_cert_chain(self._files.cert, self._files.key)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise ConfigError(
                f"The certificate {self._files.cert} and its key {self._files.key} can't be used: {error}."
            ) from error


def _read_chain(flag: str, file: Path) -> list[x509.Certificate]:
    data = _read(flag, file)
    try:
        return x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise ConfigError(f"{flag} {file} holds no certificate in PEM: {_first_line(error)}.") from error


def _check_key(files: CertificateFiles, chain: list[x509.Certificate]) -> None:
    data = _read("--tls-key", files.key)
    try:
        key = load_pem_private_key(data, password=None)
    except TypeError as error:
        raise ConfigError(
            f"--tls-key {files.key} is encrypted: nobody is there to type its passphrase. Store it without one."
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"--tls-key {files.key} holds no private key in PEM: {_first_line(error)}.") from error
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    matches = [_public_key_of(each) == public for each in chain]
    if any(matches[1:]) and not matches[0]:
        raise ConfigError(
            f"The key {files.key} belongs to a later certificate of {files.cert}: the server's own has to come first, "
            "those of its authorities behind it."
        )
    if not matches[0]:
        raise ConfigError(
            f"The key {files.key} does not belong to the certificate {files.cert}: are both from the same renewal?"
        )


def _public_key_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _warn_of_mode(key: Path) -> None:
    mode = key.stat().st_mode & 0o777
    if mode & _OTHERS:
        log.warning("every user of this machine can read the key %s (mode %04o): chmod o= %s", key, mode, key)


def _warn_of_time(file: Path, certificate: x509.Certificate, now: datetime) -> None:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now >= ends:
        log.warning("the certificate %s expired on %s: clients refuse it; renew it", file, f"{ends:%Y-%m-%d %H:%M} UTC")
    elif now < begins:
        log.warning("the certificate %s is valid from %s on: is the clock right?", file, f"{begins:%Y-%m-%d %H:%M} UTC")
    elif ends - now < WARN_BEFORE:
        log.warning("the certificate %s expires on %s: renew it", file, f"{ends:%Y-%m-%d %H:%M} UTC")


def _read(flag: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{flag} {file} can't be read: {error.strerror}.") from error


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0].split(". See ", 1)[0].rstrip(".") or type(error).__name__


def _stamp_of(files: CertificateFiles) -> _Stamp:
    """What changes when a file is written or replaced, behind links too (certbot swaps links)."""
    paths = [files.cert, files.key, *([files.client_ca] if files.client_ca is not None else [])]
    return tuple(_stat(path) for path in paths)


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
