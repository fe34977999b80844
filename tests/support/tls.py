"""Certificates made on the spot: an authority, servers at 127.0.0.1, clients."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs certificates and writes them, with their keys, into a folder."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def file(self) -> Path:
        """Its own certificate."""
        return self.folder / "ca.pem"

    def issue(
        self, name: str, *, valid_from: datetime | None = None, valid_for: timedelta = 90 * DAY, mode: int = 0o600
    ) -> tuple[Path, Path]:
        """Write a certificate for 127.0.0.1, good for servers and clients, and its key; earlier ones are replaced."""
        key = ec.generate_private_key(ec.SECP256R1())
        begins = valid_from or datetime.now(UTC) - DAY
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = _begin(name, self.certificate.subject, key, begins, begins + valid_for)
        certificate = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False).sign(
            self.key, hashes.SHA256()
        )
        certificate_file, key_file = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        key_file.chmod(mode)
        return certificate_file, key_file


def make_authority(folder: Path, name: str = "Genba test authority") -> Authority:
    """Make an authority whose files lie in this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = _begin(name, subject, key, now - DAY, now + 365 * DAY)
    certificate = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(
        key, hashes.SHA256()
    )
    authority = Authority(folder, key, certificate)
    authority.file.write_bytes(certificate.public_bytes(Encoding.PEM))
    return authority


def make_server_tls(folder: Path) -> tuple[Path, Path]:
    """Write a self-signed certificate and its key; the certificate is its own CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Genba test")])
    now = datetime.now(UTC)
    certificate = (
        _begin("Genba test", name, key, now - DAY, now + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "server.pem", folder / "server.key"
    certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate_file, key_file


def _begin(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
