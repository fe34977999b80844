from __future__ import annotations

import httpx
import pytest

from genba_wire.aio.failure_words import explain_failure

CERTIFICATE = "GENBA_CLIENT_CERT"


def test_an_unknown_authority_can_be_named() -> None:
    error = httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get issuer")
    said = explain_failure("https://genba.example", error, shows_certificate=False)
    assert "https://genba.example" in said
    assert "GENBA_CA_FILE" in said


@pytest.mark.parametrize("alert", ["TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_BAD_CERTIFICATE"])
def test_an_alert_about_the_clients_certificate_says_how_to_name_one(alert: str) -> None:
    assert CERTIFICATE in explain_failure("https://genba.example", OSError(f"[SSL: {alert}]"), shows_certificate=True)


@pytest.mark.parametrize(
    ("url", "shows_certificate", "is_named"),
    [
        ("https://genba.example", False, True),
        ("https://genba.example", True, False),
        ("http://genba.example", False, False),
    ],
)
def test_a_server_that_hangs_up_may_want_a_certificate(url: str, shows_certificate: bool, is_named: bool) -> None:
    said = explain_failure(url, httpx.ReadError(""), shows_certificate=shows_certificate)
    assert (CERTIFICATE in said) is is_named
    assert "ReadError" in said


def test_other_failures_are_told_as_they_are() -> None:
    said = explain_failure("http://genba.example", OSError("Connection refused."), shows_certificate=False)
    assert said == (
        "Can't reach the gateway at http://genba.example: Connection refused. Check the URL and that the gateway runs."
    )
