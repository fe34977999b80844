"""A `genba` with a gateway of a hundred lines, to see what `make run` and `make smoke` do with any gateway.

Run as a program: `fake_genba.py server …` serves, the other subcommands ask it over HTTP. What was asked is kept in
`requests.log` of the data folder; a workspace is a `sleep` that bears the workspace's id. Variables: FAKE_LEAK keeps
that process alive over a delete, FAKE_NEVER_BACK keeps an agent from coming back after a restart of the gateway.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import types
import urllib.request
import uuid
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from genba_wire.api.agents import WorkspaceAgent
from genba_wire.api.jobs import ProvisionerJob
from genba_wire.api.workspaces import Workspace, WorkspaceBuild, WorkspaceResource

TOKEN = "fake-session"
PASSWORD_VARIABLE = "CODER_FIRST_USER_PASSWORD"


def sample(message: Any, **values: object) -> Any:
    """Build a message with empty values for what is required and not given."""
    hints = get_type_hints(message)
    required = [field.name for field in msgspec.structs.fields(message) if field.required]
    return message(**{name: _empty(hints[name]) for name in required if name not in values}, **values)


def _empty(kind: Any) -> object:
    if get_origin(kind) in (Union, types.UnionType) and type(None) in get_args(kind):
        return None
    if kind is datetime:
        return datetime.now(UTC)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return sample(kind)
    return (get_origin(kind) or kind)()


class FakeGateway:
    """State of the gateway, kept in a JSON file over restarts."""

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self.requests = data_dir / "requests.log"
        self._file = data_dir / "state.json"
        kept: dict[str, Any] = json.loads(self._file.read_text()) if self._file.exists() else {}
        self.state: dict[str, Any] = {"user": None, "templates": [], "workspaces": {}, **kept}
        if os.environ.get("FAKE_NEVER_BACK"):
            for workspace in self.state["workspaces"].values():
                workspace["agent"] = "disconnected"

    def answer(self, method: str, path: str, body: Any, token: str) -> tuple[int, object]:
        """Return status and JSON of one request."""
        with self.requests.open("a") as log:
            log.write(f"{method} {path}\n")
        parts = path.partition("?")[0].strip("/").split("/")
        if path == "/healthz":
            return 200, "OK"
        if path == "/api/v2/users/first" and method == "GET":
            return (200 if self.state["user"] else 404), {"message": "The initial user has not been created!"}
        if path == "/api/v2/users/login":
            known = self.state["user"] == body["password"]
            return (201, {"session_token": TOKEN}) if known else (401, {"message": "Incorrect email or password."})
        if parts[0] == "fake":
            self._act(parts[1:], body)
            self._file.write_text(json.dumps(self.state))
            return 200, self.state
        if token != TOKEN:
            return 401, {"message": "You are signed out."}
        if parts[2:5] == ["users", "me", "workspace"]:
            found = self.state["workspaces"].get(parts[5])
            return (200, self._show(parts[5], found)) if found else (404, {"message": "Resource not found."})
        if parts[2] == "workspaceagents":
            line = {"id": 1, "created_at": datetime.now(UTC), "output": "hello", "level": "info", "source_id": ""}
            return 200, [line] if path.endswith("after=0") else []
        if parts[2:5] == ["organizations", "default", "templates"]:
            return 200, {"id": f"id-of-{parts[5]}"}
        if parts[2:] == ["genba", "sign-in-links"]:
            return 201, {"url": "http://fake/sign-in/once"}
        return 200, {}

    def _act(self, command: list[str], body: Any) -> None:
        match command:
            case ["first"]:
                self.state["user"] = body["password"]
            case ["push", name]:
                self.state["templates"].append(name)
            case ["start", name]:
                made = self.state["workspaces"].setdefault(name, {"id": str(uuid.uuid4())})
                mark = {**os.environ, "FAKE_WORKSPACE_ID": made["id"]}
                made["pid"] = subprocess.Popen(["sleep", "600"], env=mark).pid
                made["agent"] = "connected"
            case ["delete", name]:
                deleted = self.state["workspaces"].pop(name)
                if not os.environ.get("FAKE_LEAK"):
                    os.kill(deleted["pid"], signal.SIGKILL)
                    os.waitpid(deleted["pid"], 0)
            case _:
                raise AssertionError(command)

    def _show(self, name: str, found: dict[str, Any]) -> Workspace:
        lifecycle = "ready" if found["agent"] == "connected" else "off"
        agent = sample(WorkspaceAgent, id=found["id"], name="main", status=found["agent"], lifecycle_state=lifecycle)
        resource = sample(WorkspaceResource, agents=[agent])
        job = sample(ProvisionerJob, status="succeeded")
        build = sample(WorkspaceBuild, resources=[resource], job=job, status="running")
        shown: Workspace = sample(Workspace, id=found["id"], name=name, latest_build=build)
        return shown


def serve(listen: str, data_dir: Path) -> None:
    """Serve until SIGINT, noting how many of them came."""
    gateway = FakeGateway(data_dir)

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            token = self.headers.get("Coder-Session-Token") or ""
            status, answer = gateway.answer(self.command, self.path, body, token)
            content = msgspec.json.encode(answer)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    host, _, port = listen.rpartition(":")
    server = HTTPServer((host, int(port)), Handler)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        with gateway.requests.open("a") as log:
            log.write("SIGINT\n")


def ask(command: list[str]) -> int:
    """Do what a subcommand of the command line does, as far as the scripts depend on it."""
    config = Path(os.environ["GENBA_CONFIG_DIR"])
    if command[0] == "login":
        config.mkdir(exist_ok=True)
        (config / "url").write_text(command[1])
        (config / "session").write_text(os.environ.get("CODER_SESSION_TOKEN", TOKEN))
        if "--use-token-as-session" not in command:
            _post(command[1], "first", {"password": os.environ[PASSWORD_VARIABLE]})
        return 0
    url = (config / "url").read_text()
    match command:
        case ["templates", "list", *_]:
            print(json.dumps([{"Template": {"name": name}} for name in _post(url, "push/none")["templates"]]))
        case ["templates", "push", name, *_]:
            _post(url, f"push/{name}")
        case ["create" | "start" | "restart", name, *_]:
            _post(url, f"start/{name}")
        case ["delete", name, *_]:
            _post(url, f"delete/{name}")
        case ["logs", *_]:
            print("hello")
        case ["terminal", *_]:
            os.execv("/bin/sh", ["sh", "-i"])  # noqa: S606
        case _:
            return 2
    return 0


def _post(url: str, path: str, body: object = None) -> Any:
    request = urllib.request.Request(f"{url}/fake/{path}", method="POST", data=json.dumps(body).encode())  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        return json.loads(answer.read())


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments[0] == "server":
        serve(arguments[arguments.index("--listen") + 1], Path(arguments[arguments.index("--data-dir") + 1]))
    else:
        sys.exit(ask(arguments))
