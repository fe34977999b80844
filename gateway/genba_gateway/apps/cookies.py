"""Cookies between browsers and apps: ours are never seen nor set by an app, an app's reach no further than itself."""

from __future__ import annotations

from typing import Final

from genba_gateway.domain.app_access import AppAddress, AppOrigin

_OWN_PREFIXES: Final = (
    b"coder_session_token",
    b"coder_signed_app_token",
    b"coder_subdomain_app_session_token",
    b"coder_path_app_session_token",
    b"csrf_token",
    b"oauth_state",
    b"oauth_redirect",
    b"genba_",
)
"""Names of the contract (3.5, 5.1), with whatever follows them, and all that are ours alone."""

_BROWSER_PREFIXES: Final = (b"__host-", b"__secure-", b"__http-", b"__host-http-")
"""What browsers attach rules to; without it the name is what a careless server looks for."""


def is_ours(name: bytes) -> bool:
    """Whether a cookie's name is one of the gateway's, however it is disguised."""
    plain = name.strip().lower()
    while plain.startswith(_BROWSER_PREFIXES):
        plain = plain[max(len(prefix) for prefix in _BROWSER_PREFIXES if plain.startswith(prefix)) :].strip()
    return plain.startswith(_OWN_PREFIXES)


def strip_cookies(value: bytes) -> bytes:
    """What an app may see of a Cookie header; empty when nothing is left.

    It is split at every semicolon, also within quotes, as browsers put it together.
    """
    if b";" not in value:
        return b"" if is_ours(value.partition(b"=")[0]) else value
    return b"; ".join(
        part for each in value.split(b";") if (part := each.strip()) and not is_ours(part.partition(b"=")[0])
    )


def scope_set_cookie(value: bytes, address: AppAddress) -> bytes | None:
    """A Set-Cookie header of an app as the browser may have it; None when it may not.

    Domain is dropped, so that the cookie is its host's alone; on the origin of path apps Path leads below the app.
    A cookie without a name is refused: browsers send the value of `=a=b` as if it were named `a`.
    """
    pair, *attributes = value.split(b";")
    name, equals, _ = pair.partition(b"=")
    if not equals or not name.strip() or is_ours(name):
        return None
    kept = [pair.strip()]
    for attribute in attributes:
        word = attribute.partition(b"=")[0].strip().lower()
        if word == b"domain" or not word:
            continue
        if word == b"path" and address.origin is AppOrigin.PATH:
            kept.append(b"Path=" + _confine(attribute.partition(b"=")[2].strip(), address.base_path.encode()))
        else:
            kept.append(attribute.strip())
    return b"; ".join(kept)


def _confine(path: bytes, base: bytes) -> bytes:
    """A path as the app sees it (or as the browser does, when it knows of `base`) below the app's own."""
    if path.startswith(base):
        return path
    return base + path.lstrip(b"/") if path.startswith(b"/") else base
