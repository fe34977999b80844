"""Real handshakes, in memory."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from genba_gateway.errors import ConfigError
from genba_gateway.services.server_certificate import WARN_BEFORE, CertificateFiles, ServerCertificate
from tests.support.tls import DAY, Authority, make_authority

NOW = datetime.now(UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path / "tls")


def make_certificate(files: tuple[Path, Path], client_ca: Path | None = None) -> ServerCertificate:
    return ServerCertificate(CertificateFiles(*files, client_ca), lambda: NOW)


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLObject:
    """The client's end after a handshake, and after the server had its say on the client's certificate."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    ours = client.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    for _ in range(4):
        for end in (ours, theirs):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ours


def serial_of(server: ssl.SSLContext, authority: Authority) -> str:
    shown = shake_hands(server, ssl.create_default_context(cafile=authority.file)).getpeercert()
    assert shown is not None
    return str(shown["serialNumber"])


def test_a_renewed_certificate_is_shown_from_the_next_handshake_on(authority: Authority) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate = make_certificate(authority.issue("server"))
    certificate.check()
    certificate.install(context)
    first = serial_of(context, authority)
    assert serial_of(context, authority) == first
    assert not certificate.has_changed()

    authority.issue("server")

    assert certificate.has_changed()
    assert serial_of(context, authority) == first
    certificate.check()
    certificate.take_over()
    assert serial_of(context, authority) != first
    assert not certificate.has_changed()


def test_files_that_do_not_belong_together_leave_the_former_in_place(authority: Authority) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    cert, key = authority.issue("server")
    certificate = make_certificate((cert, key))
    certificate.install(context)
    first = serial_of(context, authority)

    _, other_key = authority.issue("other")
    key.write_bytes(other_key.read_bytes())

    with pytest.raises(ConfigError, match="does not belong"):
        certificate.check()
    assert serial_of(context, authority) == first


def test_clients_have_to_show_a_certificate_where_an_authority_is_named(authority: Authority, tmp_path: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    make_certificate(authority.issue("server"), authority.file).install(context)
    known, unknown = (ssl.create_default_context(cafile=authority.file) for _ in range(2))
    known.load_cert_chain(*authority.issue("client"))
    unknown.load_cert_chain(*make_authority(tmp_path / "other", "Another authority").issue("client"))

    shake_hands(context, known)

    with pytest.raises(ssl.SSLError, match="did not return a certificate"):
        shake_hands(context, ssl.create_default_context(cafile=authority.file))
    with pytest.raises(ssl.SSLError, match="certificate verify failed"):
        shake_hands(context, unknown)


def encrypt(key: Path) -> None:
    loaded = load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(loaded.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))


def test_what_is_wrong_with_a_file_is_said_in_a_sentence(authority: Authority) -> None:
    cert, key = authority.issue("server")
    text = authority.folder / "text.pem"
    text.write_text("no certificate\n")
    absent = authority.folder / "absent.pem"
    swapped = authority.folder / "swapped.pem"
    swapped.write_bytes(authority.file.read_bytes() + cert.read_bytes())
    locked = authority.folder / "locked.key"
    locked.write_bytes(key.read_bytes())
    encrypt(locked)
    for files, client_ca, why in (
        ((absent, key), None, r"--tls-cert .*absent\.pem can't be read: No such file or directory\."),
        ((text, key), None, r"--tls-cert .*text\.pem holds no certificate in PEM: .*\."),
        ((cert, absent), None, r"--tls-key .*absent\.pem can't be read"),
        ((cert, text), None, r"--tls-key .*text\.pem holds no private key in PEM: .*\."),
        ((cert, locked), None, r"--tls-key .*locked\.key is encrypted"),
        ((cert, authority.issue("other")[1]), None, "does not belong to the certificate"),
        ((swapped, key), None, "belongs to a later certificate of .*: the server's own has to come first"),
        ((cert, key), text, r"--tls-client-ca .*text\.pem holds no certificate"),
        ((cert.parent, key), None, "--tls-cert .* can't be read: Is a directory"),
    ):
        with pytest.raises(ConfigError, match=why):
            make_certificate(files, client_ca).check()


@pytest.mark.parametrize(
    ("begins", "lasts", "said"),
    [
        (NOW - 90 * DAY, 90 * DAY, "expired on"),
        (NOW + DAY, 90 * DAY, "is valid from"),
        (NOW - DAY, WARN_BEFORE + DAY - timedelta(minutes=1), "expires on"),
        (NOW - DAY, WARN_BEFORE + DAY + timedelta(minutes=1), ""),
    ],
)
def test_a_certificate_out_of_its_time_is_warned_of(
    authority: Authority, caplog: pytest.LogCaptureFixture, begins: datetime, lasts: timedelta, said: str
) -> None:
    make_certificate(authority.issue("server", valid_from=begins, valid_for=lasts)).check()

    assert said in caplog.text
    assert bool(said) == bool(caplog.records)


@pytest.mark.parametrize(("mode", "is_warned_of"), [(0o600, False), (0o640, False), (0o644, True)])
def test_a_key_that_everybody_can_read_is_warned_of(
    authority: Authority, caplog: pytest.LogCaptureFixture, mode: int, *, is_warned_of: bool
) -> None:
    make_certificate(authority.issue("server", mode=mode)).check()

    assert ("every user of this machine can read the key" in caplog.text) == is_warned_of
