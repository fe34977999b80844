"""A real gateway for end-to-end tests and benchmarks: its own process, its own folder, a free loopback port."""

from __future__ import annotations

import asyncio
import functools
import io
import os
import secrets
import signal
import socket
import ssl
import sys
import tarfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from scripts.build_agent import prepare_executable
from tests.support.living_processes import end_processes_of

Condition = Callable[[dict[str, Any]], bool]

CEILING_S = 60.0
"""How long anything may take before a test gives up."""

STARTERS = Path(__file__).parents[2] / "gateway" / "genba_gateway" / "starters"


@functools.cache
def _find_programs() -> Path | None:
    """The folder with the executable that workspaces run; None where it can't be made: they run the source tree."""
    return prepare_executable()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def clean_environment() -> dict[str, str]:
    """This process's environment without settings of Genba, Coder or Terraform."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GENBA_", "CODER_", "TF_")) or name == "GENBA_CACHE"
    }


def make_tar(files: Mapping[str, str]) -> bytes:
    """A tar archive of text files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            data = text.encode()
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def read_starter(name: str, *, code_server: bool = False) -> dict[str, str]:
    """The files of a starter template; by default without those that install and run code-server."""
    files = {path.name: path.read_text() for path in (STARTERS / name).iterdir() if path.is_file()}
    return {file: text for file, text in files.items() if code_server or not file.startswith("code-server.")}


class RealGateway:
    """`genba server` as a process. Use as an async context manager: at its end nothing of it is left."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        port: int | None = None,
        allow_host_workspaces: bool = True,
        environment: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`tls` is the context of this test's own requests, where the arguments make the gateway speak TLS."""
        self.folder = folder
        self.port = port or free_port()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.token = ""
        self.process: asyncio.subprocess.Process | None = None
        self._arguments = (*(["--allow-host-workspaces"] if allow_host_workspaces else []), *arguments)
        self.environment = dict(environment or {})
        """What the next start gets besides this process's."""
        self._log = folder / "server.log"
        self.client = httpx.AsyncClient(base_url=self.url, timeout=CEILING_S, verify=tls if tls else True)

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        bin_dir = await asyncio.to_thread(_find_programs)
        if bin_dir is not None:
            self._arguments = ("--bin-dir", str(bin_dir), *self._arguments)
        await self.start()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.client.aclose()
        await self.stop()
        if exc is not None:
            # Whoever failed has not deleted its workspaces, and nobody else ends their processes.
            await asyncio.to_thread(end_processes_of, self.folder / "data" / "hosts")

    @property
    def headers(self) -> dict[str, str]:
        """What signs a request in; tests poll, so the owner's bypass of the rate limit goes with it."""
        return {"Coder-Session-Token": self.token, "X-Coder-Bypass-Ratelimit": "true"} if self.token else {}

    @property
    def command(self) -> list[str]:
        """How this gateway is started."""
        data = str(self.folder / "data")
        return [
            *(sys.executable, "-m", "genba_gateway", "--listen", f"127.0.0.1:{self.port}", "--data-dir", data),
            *self._arguments,
        ]

    async def start(self) -> float:
        """Start it and wait until it is healthy; the seconds that this took."""
        began = time.monotonic()
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                stdout=log,
                stderr=log,
                env={**clean_environment(), **self.environment},
                start_new_session=True,
            )
        async with asyncio.timeout(CEILING_S):
            while True:
                if self.process.returncode is not None:
                    raise RuntimeError(f"the gateway ended at start:\n{self.read_log()[-4000:]}")
                try:
                    answer = await self.client.get("/healthz")
                    if answer.status_code == 200:
                        return time.monotonic() - began
                except httpx.TransportError:
                    await asyncio.sleep(0.01)

    async def kill(self) -> None:
        """SIGKILL, as a crash."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """SIGINT, and its exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
            try:
                async with asyncio.timeout(CEILING_S):
                    await self.process.wait()
            except TimeoutError:
                await self.kill()
        return self.process.returncode or 0

    def read_log(self) -> str:
        """What the gateway printed so far."""
        return self._log.read_text(errors="replace")

    async def send(self, method: str, path: str, body: object = None, **options: Any) -> httpx.Response:
        """Send a request as the signed-in user; the answer, whatever it is."""
        return await self.client.request(method, path, json=body, headers=self.headers, **options)

    async def request(self, method: str, path: str, body: object = None, **options: Any) -> httpx.Response:
        """Send a request as the signed-in user and insist on success."""
        response = await self.send(method, path, body, **options)
        if response.status_code >= 400:
            raise AssertionError(f"{method} {path}: {response.status_code} {response.text}\n{self.read_log()[-3000:]}")
        return response

    async def fetch(self, method: str, path: str, body: object = None) -> Any:
        """`request`, decoded."""
        return (await self.request(method, path, body)).json()

    async def sign_in(self) -> None:
        """Make the first user and sign in as it."""
        password = secrets.token_urlsafe(20)
        user = {"email": "admin@example.com", "username": "admin", "password": password}
        await self.fetch("POST", "/api/v2/users/first", user)
        said = await self.fetch("POST", "/api/v2/users/login", {"email": user["email"], "password": password})
        self.token = said["session_token"]

    async def import_version(self, files: Mapping[str, str], template_id: str = "", **values: str) -> dict[str, Any]:
        """Upload files and import them; the version when its job has ended, however it ended."""
        return await self.import_archive(make_tar(files), template_id, **values)

    async def import_archive(self, archive: bytes, template_id: str = "", **values: str) -> dict[str, Any]:
        """Upload a tar and import it; the version when its job has ended, however it ended."""
        upload = await self._upload(archive)
        body = {
            "storage_method": "file",
            "provisioner": "terraform",
            "file_id": upload,
            "template_id": template_id,
            "user_variable_values": [{"name": name, "value": value} for name, value in values.items()],
        }
        version = await self.fetch("POST", "/api/v2/organizations/default/templateversions", body)
        return await self.wait_for(
            f"/api/v2/templateversions/{version['id']}", lambda found: found["job"]["status"] not in ACTIVE
        )

    async def _upload(self, archive: bytes) -> str:
        headers = {"Coder-Session-Token": self.token, "Content-Type": "application/x-tar"}
        response = await self.client.post("/api/v2/files", content=archive, headers=headers)
        assert response.status_code in {200, 201}, response.text
        file_id: str = response.json()["hash"]
        return file_id

    async def push_template(self, name: str, files: Mapping[str, str]) -> dict[str, Any]:
        """Import files and make a template of them."""
        version = await self.import_version(files)
        assert version["job"]["status"] == "succeeded", version["job"]
        body = {"name": name, "template_version_id": version["id"]}
        template: dict[str, Any] = await self.fetch("POST", "/api/v2/organizations/default/templates", body)
        return template

    async def create_workspace(self, name: str, template_id: str, **parameters: str) -> dict[str, Any]:
        """Make a workspace; its first build is pending."""
        values = [{"name": key, "value": value} for key, value in parameters.items()]
        body = {"name": name, "template_id": template_id, "rich_parameter_values": values}
        workspace: dict[str, Any] = await self.fetch("POST", "/api/v2/users/me/workspaces", body)
        return workspace

    async def build(self, workspace_id: str, transition: str, **more: object) -> dict[str, Any]:
        """Start a build and wait for its end, however it ends."""
        body = {"transition": transition, **more}
        build = await self.fetch("POST", f"/api/v2/workspaces/{workspace_id}/builds", body)
        return await self.wait_for_build(build["id"])

    async def wait_for_build(self, build_id: str) -> dict[str, Any]:
        """The build when its job has ended, however it ended."""
        return await self.wait_for(
            f"/api/v2/workspacebuilds/{build_id}", lambda found: found["job"]["status"] not in ACTIVE
        )

    async def wait_for_agent(self, workspace_id: str, *, lifecycle: str = "ready") -> dict[str, Any]:
        """The workspace's first agent when it is connected and reached a lifecycle state."""

        def is_there(workspace: dict[str, Any]) -> bool:
            found = agents_of(workspace)
            return bool(found) and found[0]["status"] == "connected" and found[0]["lifecycle_state"] == lifecycle

        return agents_of(await self.wait_for(f"/api/v2/workspaces/{workspace_id}", is_there))[0]

    async def wait_for(self, path: str, condition: Condition, ceiling_s: float = CEILING_S) -> dict[str, Any]:
        """GET until the condition holds for the answer."""
        last: Any = None
        try:
            async with asyncio.timeout(ceiling_s):
                while True:
                    last = await self.fetch("GET", path)
                    if condition(last):
                        found: dict[str, Any] = last
                        return found
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(
                f"{path} did not come to what was waited for: {last}\n{self.read_log()[-3000:]}"
            ) from None


ACTIVE = {"pending", "running", "canceling"}


def agents_of(workspace: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The agents of a workspace's latest build."""
    resources: list[dict[str, Any]] = workspace["latest_build"]["resources"]
    return [agent for resource in resources for agent in _agents(resource)]


def _agents(resource: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] | None = resource["agents"]
    return found or []
