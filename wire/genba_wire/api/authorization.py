"""Messages of POST /authcheck (contract 5.2)."""

from __future__ import annotations

from genba_wire.api.message import Message


class AuthorizationObject(Message, frozen=True, kw_only=True):
    """What an action would be on; `owner_id` may be `me`."""

    resource_type: str
    owner_id: str = ""
    organization_id: str = ""
    resource_id: str = ""
    any_org: bool = False


class AuthorizationCheck(Message, frozen=True, kw_only=True):
    """One question."""

    object: AuthorizationObject
    action: str


class AuthorizationRequest(Message, frozen=True, kw_only=True):
    """POST /authcheck; answered with the same names and whether it is allowed."""

    checks: dict[str, AuthorizationCheck]
