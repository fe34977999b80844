"""Messages about users, sign-in and API keys (contract 5)."""

from __future__ import annotations

from datetime import datetime

from genba_wire.api.message import Message


class SlimRole(Message, frozen=True, kw_only=True):
    """A role as listed on a user."""

    name: str
    display_name: str
    organization_id: str = ""


class User(Message, frozen=True, kw_only=True):
    """One user."""

    id: str
    username: str
    avatar_url: str
    name: str
    email: str
    created_at: datetime
    updated_at: datetime
    last_seen_at: datetime
    status: str
    login_type: str
    theme_preference: str
    organization_ids: list[str]
    roles: list[SlimRole]


class UsersResponse(Message, frozen=True, kw_only=True):
    """GET /users."""

    users: list[User]
    count: int


class CreateFirstUserRequest(Message, frozen=True, kw_only=True):
    """POST /users/first; `trial` and `trial_info` of the contract are accepted and ignored."""

    email: str
    username: str
    password: str
    name: str = ""


class CreateFirstUserResponse(Message, frozen=True, kw_only=True):
    """Answer of POST /users/first."""

    user_id: str
    organization_id: str


class CreateUserRequest(Message, frozen=True, kw_only=True):
    """POST /users."""

    email: str
    username: str
    name: str = ""
    password: str = ""
    login_type: str = ""
    user_status: str = ""
    organization_ids: list[str] = []


class UpdateProfileRequest(Message, frozen=True, kw_only=True):
    """PUT /users/{user}/profile."""

    username: str
    name: str = ""


class UpdateThemeRequest(Message, frozen=True, kw_only=True):
    """PUT /users/{user}/appearance."""

    theme_preference: str


class UpdatePasswordRequest(Message, frozen=True, kw_only=True):
    """PUT /users/{user}/password; users tell the old one, administrators of others don't."""

    password: str
    old_password: str = ""


class ValidatePasswordRequest(Message, frozen=True, kw_only=True):
    """POST /users/validate-password; nothing is kept of it."""

    password: str


class ValidatePasswordResponse(Message, frozen=True, kw_only=True):
    """Whether it would be taken, or why not."""

    valid: bool
    details: str


class UpdateRolesRequest(Message, frozen=True, kw_only=True):
    """PUT /users/{user}/roles; `member` is implied."""

    roles: list[str]


class RolePermission(Message, frozen=True, kw_only=True):
    """What a role allows; `*` for all."""

    negate: bool
    resource_type: str
    action: str


class AssignableRole(Message, frozen=True, kw_only=True):
    """GET /users/roles: a role of the site, and whether the caller may give it."""

    name: str
    display_name: str
    site_permissions: list[RolePermission]
    organization_permissions: list[RolePermission]
    user_permissions: list[RolePermission]
    assignable: bool
    built_in: bool
    organization_id: str = ""


class LoginRequest(Message, frozen=True, kw_only=True):
    """POST /users/login."""

    email: str
    password: str


class LoginResponse(Message, frozen=True, kw_only=True):
    """Answer of POST /users/login."""

    session_token: str


class AuthMethod(Message, frozen=True, kw_only=True):
    """Whether one way to sign in is on."""

    enabled: bool


class OIDCAuthMethod(Message, frozen=True, kw_only=True):
    """Whether OIDC is on, with its face; camel case is the contract's."""

    enabled: bool
    signInText: str
    iconUrl: str


class AuthMethods(Message, frozen=True, kw_only=True):
    """GET /users/authmethods."""

    password: AuthMethod
    github: AuthMethod
    oidc: OIDCAuthMethod
    terms_of_service_url: str = ""


class APIKey(Message, frozen=True, kw_only=True):
    """An API key without its secret. `owner_name` (`username` in lists) is in listings only."""

    id: str
    user_id: str
    last_used: datetime
    expires_at: datetime
    created_at: datetime
    updated_at: datetime
    login_type: str
    scope: str
    token_name: str
    lifetime_seconds: int
    username: str = ""


class GenerateKeyResponse(Message, frozen=True, kw_only=True):
    """A fresh key; the only time that its secret is shown."""

    key: str


class CreateTokenRequest(Message, frozen=True, kw_only=True):
    """POST /users/{user}/keys/tokens; `lifetime` in nanoseconds, 0 for the default."""

    lifetime: int = 0
    scope: str = ""
    token_name: str = ""


class TokenConfig(Message, frozen=True, kw_only=True):
    """GET /users/{user}/keys/tokens/tokenconfig; nanoseconds."""

    max_token_lifetime: int


class GitSSHKey(Message, frozen=True, kw_only=True):
    """A user's git SSH key, without the private half."""

    user_id: str
    created_at: datetime
    updated_at: datetime
    public_key: str


class Organization(Message, frozen=True, kw_only=True):
    """One organization."""

    id: str
    name: str
    display_name: str
    icon: str
    description: str
    created_at: datetime
    updated_at: datetime
    is_default: bool


class OrganizationMember(Message, frozen=True, kw_only=True):
    """One member of an organization, with the user's data (contract: OrganizationMemberWithUserData)."""

    username: str
    name: str
    avatar_url: str
    email: str
    global_roles: list[SlimRole]
    user_id: str
    organization_id: str
    created_at: datetime
    updated_at: datetime
    roles: list[SlimRole]


class UserRoles(Message, frozen=True, kw_only=True):
    """GET /users/{user}/roles; the second by organization ids."""

    roles: list[str]
    organization_roles: dict[str, list[str]]


class UserLoginType(Message, frozen=True, kw_only=True):
    """GET /users/{user}/login-type."""

    login_type: str


class SignInLink(Message, frozen=True, kw_only=True):
    """Answer of POST /genba/sign-in-links: a link that signs a browser in once."""

    url: str
    expires_at: datetime
