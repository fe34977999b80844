"""Hypercorn's settings; the whole is tests/e2e/test_tls.py."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest

from genba_gateway.config import Config
from genba_gateway.errors import ConfigError
from genba_gateway.serving import find_certificate, make_settings
from tests.support.tls import make_authority


def test_without_a_certificate_nothing_speaks_tls() -> None:
    assert find_certificate(Config()) is None
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings = make_settings([listener], None)
        assert not settings.ssl_enabled
        assert settings.create_ssl_context() is None
        for each in settings.create_sockets().insecure_sockets:
            each.close()


def test_every_listener_speaks_tls_with_one_context(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    cert, key = map(str, authority.issue("server"))
    certificate = find_certificate(Config(tls_cert=cert, tls_key=key, tls_client_ca=str(authority.file)))
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        settings = make_settings([one, other], certificate)
        context = settings.create_ssl_context()
        assert context is not None
        assert (context.verify_mode, context.minimum_version) == (ssl.CERT_REQUIRED, ssl.TLSVersion.TLSv1_2)
        sockets = settings.create_sockets()
        assert (len(sockets.secure_sockets), sockets.insecure_sockets) == (2, [])
        for each in sockets.secure_sockets:
            each.close()


def test_a_certificate_is_checked_before_anything_is_served(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--tls-cert .*absent\.pem can't be read"):
        find_certificate(Config(tls_cert=str(tmp_path / "absent.pem"), tls_key="key.pem"))
