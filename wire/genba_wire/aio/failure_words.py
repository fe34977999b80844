"""Words for a gateway that can't be reached, with what to change."""

from __future__ import annotations

from typing import Final

from genba_wire.aio.tls import CA_FILE_VARIABLE, CLIENT_CERT_VARIABLE, CLIENT_KEY_VARIABLE

_ASKS_FOR_CERTIFICATE: Final = (
    "certificate required",
    "alert unknown ca",
    "alert bad certificate",
    "handshake failure",
)
"""Of the alerts by which servers refuse a client's certificate: TLS 1.3's first, OpenSSL's names of the others."""

_HUNG_UP: Final = (
    "without sending a response",
    "did not receive a valid http response",
    "reset",
    "readerror",
    "connecterror",
)
"""Some servers send no alert to who shows no certificate: they are gone, and the libraries say so, or say nothing."""


def explain_failure(base_url: str, error: Exception, *, shows_certificate: bool) -> str:
    """Say why the gateway could not be asked; `shows_certificate` is whether a client certificate was there to show."""
    said = (str(error) or type(error).__name__).rstrip(".")
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return (
            f"Can't reach the gateway at {base_url}: {said}. If its certificate comes from a private authority, name "
            f"that one's file with {CA_FILE_VARIABLE}."
        )
    if any(each in said.lower().replace("_", " ") for each in _ASKS_FOR_CERTIFICATE):
        return (
            f"Can't reach the gateway at {base_url}: it, or a proxy before it, asks for a client certificate that it "
            f"knows ({said}). Name one with {CLIENT_CERT_VARIABLE} and {CLIENT_KEY_VARIABLE}."
        )
    if base_url.startswith("https:") and not shows_certificate and any(each in said.lower() for each in _HUNG_UP):
        return (
            f"Can't reach the gateway at {base_url}: {said}. If it, or a proxy before it, asks for a client "
            f"certificate, name yours with {CLIENT_CERT_VARIABLE} and {CLIENT_KEY_VARIABLE}."
        )
    return f"Can't reach the gateway at {base_url}: {said}. Check the URL and that the gateway runs."
