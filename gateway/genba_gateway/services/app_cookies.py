"""The cookies that the gateway keeps on the hosts of apps; apps neither see nor set them (contract 3.5).

All are of their host alone (no Domain). Where browsers reach the gateway by https and the path allows it, their names
begin with `__Host-`: then no other host of the domain, which an app may have, can set one either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from genba_gateway.domain.app_access import AppOrigin
from genba_gateway.domain.app_entry import AppEntry
from genba_gateway.domain.users import SESSION_LIFETIME
from genba_gateway.services.app_tokens import TOKEN_LIFE

STATE_LIFE_S: Final = 600
"""Time to sign in on the dashboard; who takes longer is sent there once more."""

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
        path = entry.address.base_path
        return self._set(self.name_session(entry), token, path, int(SESSION_LIFETIME.total_seconds()))

    def set_signed(self, entry: AppEntry, token: str) -> str:
        """Let the browser keep a signed app token."""
        path = entry.address.base_path
        return self._set(self.name_signed(entry), token, path, int(TOKEN_LIFE.total_seconds()))

    def set_state(self, state: str) -> str:
        """Let the browser keep a value while it is away."""
        return self._set(self.name_state(), state, "/", STATE_LIFE_S)

    def _name(self, name: str, path: str) -> str:
        return f"__Host-{name}" if self.is_secure and path == "/" else name

    def _set(self, name: str, value: str, path: str, max_age_s: int) -> str:
        secure = "; Secure" if self.is_secure else ""
        return f"{name}={value}; Max-Age={max_age_s}; Path={path}; HttpOnly; SameSite=Lax{secure}"
