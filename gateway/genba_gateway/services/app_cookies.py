"""The cookies that the gateway keeps on the hosts of apps; apps neither see nor set them (contract 3.5).

All are of their host alone (no Domain). Where browsers reach the gateway by https, their names begin with `__Host-`:
then no other host of the domain, which an app may have, can set one either. Browsers want the path `/` for that, so
those of path apps, which share a host, have a hash of the app's path in their names; what they hold is bound to that
path (the realm).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from genba_gateway.domain.app_access import AppOrigin
from genba_gateway.domain.app_entry import AppEntry
from genba_gateway.domain.users import SESSION_LIFETIME
from genba_gateway.services.app_tokens import TOKEN_LIFE

STATE_LIFE_S: Final = 600
"""Time to sign in on the dashboard; who takes longer is sent there once more."""

DIGEST_CHARS: Final = 16
"""Of a path's hash in a cookie's name: it keeps names apart, and no right rests on it."""

_SESSIONS: Final = {
    AppOrigin.PATH: "coder_path_app_session_token",
    AppOrigin.SUBDOMAIN: "coder_subdomain_app_session_token",
}
_SIGNED: Final = "coder_signed_app_token"
_STATE: Final = "genba_app_state"


@dataclass(frozen=True, slots=True)
class AppCookies:
    """Names and makes them.

    Args:
        is_secure: browsers reach the gateway by https.
    """

    is_secure: bool

    def name_session(self, entry: AppEntry) -> str:
        """The cookie of a browser's session with an app."""
        return self._name(_SESSIONS[entry.address.origin], entry.address.base_path)

    def name_signed(self, entry: AppEntry) -> str:
        """The cookie of a signed app token."""
        return self._name(_SIGNED, entry.address.base_path)

    def name_state(self) -> str:
        """The cookie of the value that a browser keeps while it is at the dashboard."""
        return self._name(_STATE, "/")

    def set_session(self, entry: AppEntry, token: str) -> str:
        """Let the browser keep its session with an app."""
        age_s = int(SESSION_LIFETIME.total_seconds())
        return self._set(self.name_session(entry), token, entry.address.base_path, age_s)

    def set_signed(self, entry: AppEntry, token: str) -> str:
        """Let the browser keep a signed app token."""
        age_s = int(TOKEN_LIFE.total_seconds())
        return self._set(self.name_signed(entry), token, entry.address.base_path, age_s)

    def set_state(self, state: str) -> str:
        """Let the browser keep a value while it is away."""
        return self._set(self.name_state(), state, "/", STATE_LIFE_S)

    def _name(self, name: str, path: str) -> str:
        if not self.is_secure:
            return name
        return f"__Host-{name}" if path == "/" else f"__Host-{name}_{_digest(path)}"

    def _set(self, name: str, value: str, path: str, max_age_s: int) -> str:
        secure, path = ("; Secure", "/") if self.is_secure else ("", path)
        return f"{name}={value}; Max-Age={max_age_s}; Path={path}; HttpOnly; SameSite=Lax{secure}"


def _digest(path: str) -> str:
    return hashlib.sha256(path.encode()).hexdigest()[:DIGEST_CHARS]
