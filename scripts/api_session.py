"""The few requests that the scripts make themselves; everything else they do through the `genba` command."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from genba_wire.api.agents import AgentLog, WorkspaceAgent
from genba_wire.api.message import Message, Response, decode_message, encode_message
from genba_wire.api.templates import UpdateTemplateRequest
from genba_wire.api.users import LoginRequest, LoginResponse
from genba_wire.api.workspaces import Workspace
from scripts.failures import ScriptFailure

MessageT = TypeVar("MessageT")

REQUEST_TIMEOUT_S: Final = 30.0


class SignInLink(Message, frozen=True, kw_only=True):
    """POST /genba/sign-in-links: a link that signs a browser in once."""

    url: str
    expires_at: str = ""


class _Template(Message, frozen=True, kw_only=True):
    id: str


class GatewayRefusal(ScriptFailure):
    """The gateway answered a request with an error; `status` is HTTP's."""

    def __init__(self, status: int, request: str, message: str) -> None:
        super().__init__(f"The gateway refused {request} with {status}: {message}")
        self.status = status


class ApiSession:
    """Requests to one gateway, signed in or not."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url
        self._token = token
        # The gateway is on this machine: a proxy from the environment could not reach it.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    @classmethod
    def from_config(cls, config_dir: Path) -> ApiSession:
        """Take over the sign-in of `genba` in a configuration folder.

        Raises:
            ScriptFailure: nobody is signed in there.
        """
        try:
            url = (config_dir / "url").read_text(encoding="utf-8").strip()
            token = (config_dir / "session").read_text(encoding="utf-8").strip()
        except FileNotFoundError as error:
            raise ScriptFailure("Nobody is signed in on this clone yet: start the gateway with `make run`") from error
        return cls(url, token)

    def has_first_user(self) -> bool:
        """Tell whether the gateway has any user."""
        try:
            self._request("GET", "/api/v2/users/first")
        except GatewayRefusal as refusal:
            if refusal.status == 404:
                return False
            raise
        return True

    def is_signed_in(self) -> bool:
        """Tell whether the gateway still accepts the token."""
        try:
            self._request("GET", "/api/v2/users/me")
        except GatewayRefusal as refusal:
            if refusal.status == 401:
                return False
            raise
        return True

    def sign_in(self, email: str, password: str) -> str:
        """Return a new session token."""
        body = LoginRequest(email=email, password=password)
        return self._ask("POST", "/api/v2/users/login", LoginResponse, body).session_token

    def find_workspace(self, name: str) -> Workspace | None:
        """Return a workspace of one's own, or None when there is none of that name."""
        try:
            return self._ask("GET", f"/api/v2/users/me/workspace/{name}", Workspace)
        except GatewayRefusal as refusal:
            if refusal.status in (404, 410):
                return None
            raise

    def describe_template(self, name: str, description: str) -> None:
        """Say what a template is, in a sentence."""
        found = self._ask("GET", f"/api/v2/organizations/default/templates/{name}", _Template)
        self._request("PATCH", f"/api/v2/templates/{found.id}", UpdateTemplateRequest(description=description))

    def list_agent_logs(self, agent_id: str, after: int) -> list[AgentLog]:
        """Return an agent's log lines with ids greater than `after`."""
        return self._ask("GET", f"/api/v2/workspaceagents/{agent_id}/logs?after={after}", list[AgentLog])

    def make_sign_in_link(self) -> SignInLink:
        """Return a link that signs a browser in once."""
        return self._ask("POST", "/api/v2/genba/sign-in-links", SignInLink)

    def _ask(self, method: str, path: str, answer: type[MessageT], body: Message | None = None) -> MessageT:
        return decode_message(self._request(method, path, body), answer)

    def _request(self, method: str, path: str, body: Message | None = None) -> bytes:
        headers = {"Accept": "application/json"}
        if self._token:
            headers["Coder-Session-Token"] = self._token
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(  # noqa: S310 - the URL is our own gateway's
            self.url + path, method=method, headers=headers, data=None if body is None else encode_message(body)
        )
        try:
            with self._opener.open(request, timeout=REQUEST_TIMEOUT_S) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise GatewayRefusal(
                    error.code, f"{method} {path}", _message_of(error.read()) or error.reason
                ) from error
        except OSError as error:
            raise ScriptFailure(
                f"The gateway at {self.url} can't be reached ({error}): is `make run` running?"
            ) from error


def _message_of(body: bytes) -> str:
    try:
        return decode_message(body, Response).message
    except msgspec.MsgspecError:
        return ""


def agents_of(workspace: Workspace) -> list[WorkspaceAgent]:
    """Return the agents of a workspace's latest build."""
    return [agent for resource in workspace.latest_build.resources for agent in resource.agents]
