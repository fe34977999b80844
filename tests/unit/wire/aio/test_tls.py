"""Where the certificate authorities are found."""

from __future__ import annotations

import ssl
from pathlib import Path

import certifi
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from genba_wire.aio import tls
from genba_wire.aio.tls import find_authorities, make_client_context
from genba_wire.errors import GatewayUnreachable
from tests.support.tls import make_authority, make_server_tls


@pytest.fixture
def library_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the C library of TLS looks into; empty, as in an image of another distribution."""
    folder = tmp_path / "library"
    folder.mkdir()
    paths = ssl.DefaultVerifyPaths("", "", "", str(tmp_path / "absent.pem"), "", str(folder))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    return folder


def test_the_librarys_own_folder_is_left_to_it(library_folder: Path, tmp_path: Path) -> None:
    (library_folder / "0a1b2c3d.0").touch()
    assert find_authorities({}, [str(tmp_path)]) is None


def test_a_folder_without_hashed_names_is_no_use_to_the_library(library_folder: Path, tmp_path: Path) -> None:
    (library_folder / "ca-certificates.crt").touch()
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("certificates")
    assert find_authorities({}, [str(bundle)]) == str(bundle)


@pytest.mark.usefixtures("library_folder")
def test_the_first_bundle_of_the_system_that_holds_something_is_taken(tmp_path: Path) -> None:
    empty, first, second = (tmp_path / name for name in ("empty.pem", "first.pem", "second.pem"))
    empty.touch()
    first.write_text("certificates")
    second.write_text("certificates")
    bundles = [str(path) for path in (tmp_path / "absent.pem", empty, first, second)]
    assert find_authorities({}, bundles) == str(first)


@pytest.mark.usefixtures("library_folder")
def test_without_any_the_list_that_travels_along_is_taken() -> None:
    assert find_authorities({}, []) == certifi.where()


@pytest.mark.usefixtures("library_folder")
def test_what_the_environment_names_goes_first_when_it_holds_something(tmp_path: Path) -> None:
    bundle, folder = tmp_path / "bundle.pem", tmp_path / "folder"
    bundle.write_text("certificates")
    folder.mkdir()
    (folder / "0a1b2c3d.0").touch()
    for named in ({"SSL_CERT_FILE": str(bundle)}, {"SSL_CERT_DIR": f"{tmp_path / 'absent'}:{folder}"}):
        assert find_authorities(named, [str(bundle)]) is None, "the library reads the variable itself"


@pytest.mark.parametrize("named", ["", "absent", "empty"])
def test_a_variable_that_names_nothing_takes_nothing_away(library_folder: Path, tmp_path: Path, named: str) -> None:
    (tmp_path / "empty").touch()
    value = str(tmp_path / named) if named else ""
    bundle, own_file = tmp_path / "bundle.pem", tmp_path / "absent.pem"
    bundle.write_text("certificates")
    environs = [{"SSL_CERT_FILE": value}, {"SSL_CERT_DIR": value}]
    assert [find_authorities(environ, [str(bundle)]) for environ in environs] == [str(bundle)] * 2
    # The library reads its own file and folder only while the variable for it is not set at all.
    (library_folder / "0a1b2c3d.0").touch()
    assert [find_authorities(environ, [str(bundle)]) for environ in environs] == [None, str(library_folder)]
    own_file.write_text("certificates")
    assert [find_authorities(environ, [str(bundle)]) for environ in environs] == [str(own_file), None]


def test_authorities_of_the_librarys_own_file_and_folder_are_believed_in_spite_of_the_variables(
    library_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, _key = make_server_tls(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nowhere"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "nowhere"))
    asked: list[dict[str, str | None]] = []
    create = ssl.create_default_context

    def record(**wanted: str | None) -> ssl.SSLContext:
        asked.append(wanted)
        return create(**wanted)  # type: ignore[arg-type]  # its own names

    monkeypatch.setattr(ssl, "create_default_context", record)
    (library_folder / "0a1b2c3d.0").write_bytes(certificate.read_bytes())
    make_client_context()
    (tmp_path / "absent.pem").write_bytes(certificate.read_bytes())
    assert len(make_client_context().get_ca_certs()) == 1
    assert asked == [{"capath": str(library_folder)}, {"cafile": str(tmp_path / "absent.pem")}]


def test_a_chosen_file_is_the_only_one_believed(tmp_path: Path) -> None:
    certificate, _key = make_server_tls(tmp_path)
    assert len(make_client_context(str(certificate)).get_ca_certs()) == 1


def test_a_file_that_is_missing_or_holds_no_certificates_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.pem").write_text("no certificates\n")
    for name in ("absent.pem", "text.pem"):
        with pytest.raises(GatewayUnreachable, match=f"{name} can't be used: .*{tls.CA_FILE_VARIABLE}"):
            make_client_context(str(tmp_path / name))


def test_a_client_certificate_that_is_missing_is_named(tmp_path: Path) -> None:
    certificate, _key = make_server_tls(tmp_path)
    with pytest.raises(GatewayUnreachable, match=r"absent\.pem can't be used: No such file"):
        make_client_context(str(certificate), str(tmp_path / "absent.pem"))


def test_a_client_certificate_may_lie_in_one_file_with_its_key(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    cert, key = authority.issue("client")
    both = tmp_path / "both.pem"
    both.write_bytes(cert.read_bytes() + key.read_bytes())
    make_client_context(str(authority.file), str(both))
    make_client_context(str(authority.file), str(both), "")


def test_a_client_key_that_is_encrypted_or_another_ones_is_named(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    cert, key = authority.issue("client")
    with pytest.raises(GatewayUnreachable, match=r"client\.pem with the key .*server\.key can't be used"):
        make_client_context(str(authority.file), str(cert), str(authority.issue("server")[1]))
    loaded = load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(loaded.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    with pytest.raises(GatewayUnreachable, match="is encrypted"):
        make_client_context(str(authority.file), str(cert), str(key))
