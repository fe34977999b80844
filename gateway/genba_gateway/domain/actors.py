"""Who asks, and what they may do: roles, permissions, and the two kinds of callers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Resource(StrEnum):
    """What permissions are about (contract appendix C, RBACResource)."""

    USER = "user"
    API_KEY = "api_key"
    GIT_SSH_KEY = "git_ssh_key"
    ORGANIZATION = "organization"
    ORGANIZATION_MEMBER = "organization_member"
    FILE = "file"
    TEMPLATE = "template"
    WORKSPACE = "workspace"
    DEPLOYMENT_CONFIG = "deployment_config"
    DEPLOYMENT_STATS = "deployment_stats"
    DEBUG_INFO = "debug_info"
    WORKSPACE_PROXY = "workspace_proxy"
    ASSIGN_ROLE = "assign_role"
    AUDIT_LOG = "audit_log"


class Action(StrEnum):
    """What is done to it (contract appendix C, RBACAction)."""

    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    DELETE = "delete"
    USE = "use"
    SSH = "ssh"
    APPLICATION_CONNECT = "application_connect"
    ASSIGN = "assign"


CONTRACT_RESOURCES: Final = frozenset(
    {*Resource, *("*", "assign_org_role", "crypto_key", "group", "group_member", "idpsync_settings")}
    | {"license", "notification_message", "notification_preference", "notification_template", "oauth2_app"}
    | {"oauth2_app_code_token", "oauth2_app_secret", "provisioner_daemon", "provisioner_jobs", "replicas", "system"}
    | {"tailnet_coordinator", "workspace_agent_resource_monitor", "workspace_dormant", "workspace_execution"}
    | {"application_connect", "user_data", "user_workspace_build_parameters", "template_insights"}
)
"""All that clients may ask about (contract appendix C), of both eras."""


@dataclass(frozen=True, slots=True)
class Permission:
    """One action on one kind of resource; what a route declares."""

    resource: Resource
    action: Action


class RouteAccess(StrEnum):
    """Routes that need no permission on a resource say which of these they are instead."""

    PUBLIC = "public"
    """Anybody, without a session."""

    SIGNED_IN = "signed in"
    """Any user with a session, about themselves."""

    AGENT = "agent"
    """An agent with its token."""

    TICKET = "ticket"
    """Whoever has a ticket for it, which the handler reads before it does anything else."""


OWNER: Final = "owner"
MEMBER: Final = "member"

_OWN: Final = frozenset(
    {
        Permission(Resource.USER, Action.READ),
        Permission(Resource.USER, Action.UPDATE),
        Permission(Resource.WORKSPACE, Action.CREATE),
        Permission(Resource.WORKSPACE, Action.READ),
        Permission(Resource.WORKSPACE, Action.UPDATE),
        Permission(Resource.WORKSPACE, Action.DELETE),
        Permission(Resource.WORKSPACE, Action.SSH),
        Permission(Resource.WORKSPACE, Action.APPLICATION_CONNECT),
        Permission(Resource.API_KEY, Action.CREATE),
        Permission(Resource.API_KEY, Action.READ),
        Permission(Resource.API_KEY, Action.DELETE),
        Permission(Resource.FILE, Action.READ),
        Permission(Resource.GIT_SSH_KEY, Action.READ),
        Permission(Resource.GIT_SSH_KEY, Action.UPDATE),
    }
)
"""What every user may do to what is theirs."""

_ANYBODYS: Final = frozenset(
    {
        Permission(Resource.TEMPLATE, Action.READ),
        Permission(Resource.TEMPLATE, Action.USE),
        Permission(Resource.ORGANIZATION, Action.READ),
        Permission(Resource.ORGANIZATION_MEMBER, Action.READ),
    }
)
"""What every user may do whoever it belongs to; templates are usable by all until they have access lists."""


@dataclass(frozen=True, slots=True)
class UserActor:
    """A signed-in user, by one of their API keys."""

    user_id: str
    username: str
    roles: tuple[str, ...]
    key_id: str
    ip_address: str = ""
    user_agent: str = ""

    @property
    def is_owner(self) -> bool:
        """Whether the user has the site role owner."""
        return OWNER in self.roles

    def may_ever(self, permission: Permission) -> bool:
        """Whether there could be a resource on which the permission is held: the gate's question."""
        return self.is_owner or permission in _OWN or permission in _ANYBODYS

    def may(self, permission: Permission, owner_id: str | None = None) -> bool:
        """Whether the permission is held on a resource of `owner_id` (None: it belongs to nobody)."""
        if self.is_owner or permission in _ANYBODYS:
            return True
        return permission in _OWN and owner_id == self.user_id


@dataclass(frozen=True, slots=True)
class AgentActor:
    """An agent of a workspace's latest build, by its token."""

    agent_id: str
    agent_name: str
    workspace_id: str
    workspace_name: str
    owner_id: str
    owner_name: str
    build_id: str
