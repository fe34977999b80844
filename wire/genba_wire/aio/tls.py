"""Whom a client believes: the certificate authorities behind a gateway's certificate, wherever they lie.

Distributions keep them in different places, and the C library of TLS looks into that of the distribution it was built
for only. The executable carries Debian's, and runs in images of all kinds.
"""

from __future__ import annotations

import os
import re
import ssl
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from genba_wire.errors import GatewayUnreachable

CA_FILE_VARIABLE: Final = "GENBA_CA_FILE"
"""Names the one file that is believed, for agent, command line and bridge."""

CLIENT_CERT_VARIABLE: Final = "GENBA_CLIENT_CERT"
CLIENT_KEY_VARIABLE: Final = "GENBA_CLIENT_KEY"
"""Name what is shown to a gateway, or a proxy before it, that asks for a certificate; one file may hold both."""

SYSTEM_BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch, Gentoo, NixOS
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL and their kin
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # RHEL 7 and later
    "/etc/pki/tls/cacert.pem",  # OpenELEC
    "/etc/ssl/cert.pem",  # Alpine, macOS, the BSDs
)

_HASHED_NAME: Final = re.compile(r"[0-9a-f]{8}\.[0-9]+")
"""How the C library finds an authority in a folder; another name there is as good as none."""


def make_client_context(
    ca_file: str | None = None, client_cert: str | None = None, client_key: str | None = None
) -> ssl.SSLContext:
    """Make the context of connections to a gateway. All three are paths of PEM files.

    Args:
        ca_file: the only authorities to believe; otherwise those of `find_authorities`.

    Raises:
        GatewayUnreachable: one of the files can't be used; says which.
    """
    found = None if ca_file else find_authorities(os.environ)
    chosen = ca_file or found
    try:
        if found is not None and Path(found).is_dir():
            context = ssl.create_default_context(capath=found)
        else:
            context = ssl.create_default_context(cafile=chosen)
    except OSError as error:  # ssl.SSLError is one
        raise GatewayUnreachable(
            f"The certificate authorities in {chosen} can't be used: {_why(error)}. Name a file of PEM certificates "
            f"with {CA_FILE_VARIABLE}."
        ) from error
    if client_cert:
        _load_client_certificate(context, client_cert, client_key or None)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _load_client_certificate(context: ssl.SSLContext, cert: str, key: str | None) -> None:
    def refuse_passphrase() -> str:
        raise GatewayUnreachable(
            f"The key of the client certificate {cert} is encrypted: nobody is there to type its passphrase. Store it "
            f"without one, and name it with {CLIENT_KEY_VARIABLE}."
        )

    try:
        context.load_cert_chain(cert, key, refuse_passphrase)
    except OSError as error:
        files = f"{cert} with the key {key}" if key else cert
        raise GatewayUnreachable(
            f"The client certificate {files} can't be used: {_why(error)}. {CLIENT_CERT_VARIABLE} names its file, "
            f"{CLIENT_KEY_VARIABLE} that of its key, both PEM."
        ) from error


def find_authorities(environ: Mapping[str, str], bundles: Sequence[str] = SYSTEM_BUNDLES) -> str | None:
    """Return the file or folder to read authorities from; None where the C library finds them by itself.

    In this order: what `SSL_CERT_FILE` and `SSL_CERT_DIR` name, the file and the folder that the library knows, the
    first bundle of the system, and the list that travels with us. What isn't there or holds nothing is passed over.
    """
    if sys.platform == "win32":
        return None
    file, folders = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
    if _has_content(file) or any(map(_has_hashed_names, (folders or "").split(os.pathsep))):
        return None
    library = ssl.get_default_verify_paths()
    # A variable takes the place of the library's own path even if it is empty, or names what isn't there.
    if _has_content(library.openssl_cafile):
        return None if file is None else library.openssl_cafile
    if _has_hashed_names(library.openssl_capath):
        return None if folders is None else library.openssl_capath
    for bundle in bundles:
        if _has_content(bundle):
            return bundle
    import certifi

    return certifi.where()


def _has_hashed_names(folder: str) -> bool:
    if not folder:
        return False
    try:
        with os.scandir(folder) as entries:
            return any(_HASHED_NAME.fullmatch(entry.name) for entry in entries)
    except OSError:
        return False


def _has_content(file: str | None) -> bool:
    if not file:
        return False
    try:
        return Path(file).stat().st_size > 0 and os.access(file, os.R_OK)
    except OSError:
        return False


def _why(error: OSError) -> str:
    return error.strerror or str(error)
