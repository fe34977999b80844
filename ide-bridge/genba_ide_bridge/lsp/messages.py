"""Parameters and results of the bridge's requests (docs/bridge.md)."""

from __future__ import annotations

from datetime import datetime

import msgspec


class BridgeMessage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A JSON object with camelCase names; unknown names are ignored when read."""


class OptionalMessage(BridgeMessage, frozen=True, kw_only=True, omit_defaults=True):
    """One whose absent values are left out."""


class NoParameters(BridgeMessage, frozen=True):
    """Of a request that takes none."""


class Nothing(BridgeMessage, frozen=True):
    """The result of a request that only does something."""


class SignInParameters(BridgeMessage, frozen=True, kw_only=True):
    """`genba/signIn`."""

    url: str
    token: str

    def __repr__(self) -> str:
        return f"SignInParameters(url={self.url!r})"


class SignedInUser(BridgeMessage, frozen=True, kw_only=True):
    """Who signed in."""

    id: str
    username: str


class SignInResult(BridgeMessage, frozen=True, kw_only=True):
    """Answer of `genba/signIn`; `url` is complete."""

    url: str
    user: SignedInUser


class SessionResult(OptionalMessage, frozen=True, kw_only=True):
    """Answer of `genba/session`; `version` is the bridge's."""

    signed_in: bool
    version: str
    url: str = ""
    username: str = ""


class Agent(BridgeMessage, frozen=True, kw_only=True):
    """An agent of a workspace's latest build."""

    id: str
    name: str
    status: str
    status_reason: str
    lifecycle: str
    directory: str


class Workspace(BridgeMessage, frozen=True, kw_only=True):
    """A workspace as editors show it."""

    id: str
    name: str
    owner_name: str
    template_name: str
    template_display_name: str
    status: str
    status_reason: str
    outdated: bool
    url: str
    agents: list[Agent]
    build_id: str
    build_number: int
    transition: str


class WatchResult(BridgeMessage, frozen=True, kw_only=True):
    """Answer of `genba/watchWorkspaces`."""

    workspaces: list[Workspace]


class WorkspacesChanged(BridgeMessage, frozen=True, kw_only=True):
    """Notification `genba/workspacesChanged`: what differs from what was told before; `removed` are ids."""

    added: list[Workspace]
    changed: list[Workspace]
    removed: list[str]


class ConnectionState(BridgeMessage, frozen=True, kw_only=True):
    """Notification `genba/connection`: `connected` or `reconnecting`, and why."""

    state: str
    reason: str


class SignedOut(BridgeMessage, frozen=True, kw_only=True):
    """Notification `genba/signedOut`."""

    reason: str


class WorkspaceParameters(BridgeMessage, frozen=True, kw_only=True):
    """`genba/startWorkspace` and `genba/stopWorkspace`."""

    id: str


class BuildResult(BridgeMessage, frozen=True, kw_only=True):
    """Their answer."""

    build_id: str
    build_number: int


class BuildLogParameters(BridgeMessage, frozen=True, kw_only=True):
    """`genba/openBuildLog`."""

    build_id: str


class AgentLogParameters(BridgeMessage, frozen=True, kw_only=True):
    """`genba/openAgentLog`."""

    agent_id: str


class TerminalParameters(BridgeMessage, frozen=True, kw_only=True):
    """`genba/openTerminal`; `reconnect` is the id of a terminal that is there already."""

    agent_id: str
    height: int
    width: int
    command: str = ""
    reconnect: str = ""


class StreamResult(OptionalMessage, frozen=True, kw_only=True):
    """Where the editor opens a stream, and the token that opens it once; `reconnect` is for terminals."""

    id: str
    url: str
    token: str
    reconnect: str = ""

    def __repr__(self) -> str:
        return f"StreamResult(id={self.id!r}, url={self.url!r})"


class StreamParameters(BridgeMessage, frozen=True, kw_only=True):
    """`genba/closeStream`."""

    id: str


class StreamToken(BridgeMessage, frozen=True, kw_only=True):
    """The first message on a stream's websocket."""

    token: str

    def __repr__(self) -> str:
        return "StreamToken(…)"


class LogLine(BridgeMessage, frozen=True, kw_only=True):
    """One line of a log stream."""

    time: datetime
    level: str
    text: str


class LogLines(BridgeMessage, frozen=True, kw_only=True):
    """A message of a log stream."""

    lines: list[LogLine]


class LogEnded(OptionalMessage, frozen=True, kw_only=True):
    """The last message of a log stream."""

    ended: bool
    reason: str = ""


class ScreenSize(BridgeMessage, frozen=True, kw_only=True):
    """Rows and columns."""

    height: int
    width: int


class TerminalControl(BridgeMessage, frozen=True, kw_only=True):
    """A text message of an editor on a terminal's stream."""

    resize: ScreenSize | None = None


class TerminalStateMessage(OptionalMessage, frozen=True, kw_only=True):
    """A text message of the bridge on a terminal's stream."""

    state: str
    reason: str = ""
    exit_code: int | None = None
    hint: str = ""
