"""`make smoke`: the main job in a throw-away folder on a free port, from nothing to cleaned up.

What goes on is printed on stderr; stdout gets one line of JSON. Its seconds count from the gateway's start. Exit code
0 means that all of it worked and nothing was left.
"""

from __future__ import annotations

import os
import platform
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

import msgspec

from genba_wire.api.workspaces import Workspace
from scripts.api_session import ApiSession, agents_of
from scripts.build_agent import prepare_executable
from scripts.clone import GENBA, STARTER, RunFolders
from scripts.demo_workspace import push_starter
from scripts.environment import cache_folder
from scripts.failures import ScriptFailure
from scripts.first_admin import sign_in_admin
from scripts.gateway_process import GatewayProcess, client_environment, find_free_port
from scripts.genba_command import GenbaCommand
from scripts.leftovers import end_processes, find_files, find_processes, wait_until_gone
from scripts.progress import Ticker, say
from scripts.run import check_platform
from scripts.terminal_echo import echo_in_terminal

READY_WITHIN_S: Final = 90.0
TERMINAL_WITHIN_S: Final = 30.0
POLL_S: Final = 0.02
GONE_WITHIN_S: Final = 1.0
"""A delete build that is done has ended the processes; the kernel gets a moment to bury them."""


class Outcome(msgspec.Struct):
    """The line of JSON; what was not reached is null."""

    server_ready_s: float | None = None
    template_imported_s: float | None = None
    build_done_s: float | None = None
    agent_connected_s: float | None = None
    agent_ready_s: float | None = None
    log_lines: int = 0
    terminal_echo_s: float | None = None
    deleted: bool = False
    processes_left: int | None = None
    files_left: int | None = None
    ok: bool = False


class Smoke:
    """One pass of the main job below one folder."""

    def __init__(self, base: Path, outcome: Outcome) -> None:
        self.outcome = outcome
        self._base = base
        self._folders = RunFolders(base)
        self._workspace = f"smoke-{secrets.token_hex(4)}"
        self._began = 0.0

    def run(self) -> None:
        """Do the main job and note how far it got.

        Raises:
            ScriptFailure: a step failed.
        """
        environment = self._make_environment()
        genba = GenbaCommand(GENBA, self._folders.config, environment)
        bin_dir = prepare_executable()
        self._began = time.monotonic()
        listen = f"127.0.0.1:{find_free_port()}"
        say(f"a gateway starts on {listen} in {self._base}")
        with GatewayProcess.start(
            GENBA,
            listen=listen,
            data_dir=self._folders.data,
            bin_dir=bin_dir,
            log=self._folders.log,
            environment=environment,
        ) as gateway:
            gateway.wait_until_healthy()
            self.outcome.server_ready_s = self._seconds()
            session = sign_in_admin(self._folders, gateway.url, genba)
            # Whether code-server can be installed is not what is asked here, and its installation takes minutes.
            push_starter(self._folders, STARTER, genba, "--var", "code_server=false")
            self.outcome.template_imported_s = self._seconds()
            workspace = self._create(session, genba, gateway)
            self.outcome.log_lines = len(genba.run("the logs are read", "logs", self._workspace))
            self._open_terminal(genba)
            left = self._delete(session, genba, workspace, gateway.process.pid)
            say("the gateway is stopped")
            code = gateway.stop()
        self._judge(left, code)

    def _make_environment(self) -> Mapping[str, str]:
        """Return an environment in which everything that is written lands below the folder."""
        home, temporary = self._base / "home", self._base / "t"
        for folder in (home, temporary, self._folders.config):
            folder.mkdir(mode=0o700)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        places = {"HOME": str(home), "TMPDIR": str(temporary), "GENBA_CACHE": str(cache_folder())}
        return client_environment(kept) | places

    def _seconds(self) -> float:
        return round(time.monotonic() - self._began, 3)

    def _create(self, session: ApiSession, genba: GenbaCommand, gateway: GatewayProcess) -> Workspace:
        """Create the workspace and note when its build was done, its agent connected, its agent ready."""
        say(f"workspace {self._workspace} is created")
        ticker = Ticker(f"workspace {self._workspace} is built and gets ready")
        argv = genba.argv("create", self._workspace, "--template", "host", "-y")
        said = self._base / "create.log"
        with (
            said.open("wb") as output,
            subprocess.Popen(
                argv, env=genba.child_environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            ) as create,
        ):
            try:
                deadline = time.monotonic() + READY_WITHIN_S
                while time.monotonic() < deadline:
                    gateway.check_alive()
                    workspace = session.find_workspace(self._workspace)
                    if workspace is not None and self._note_progress(workspace) and create.poll() == 0:
                        return workspace
                    if create.poll() not in (None, 0):
                        raise ScriptFailure(f"`genba create` failed: {said.read_text(errors='replace').strip()}")
                    ticker.tick()
                    time.sleep(POLL_S)
                raise ScriptFailure(f"no agent was ready within {READY_WITHIN_S:.0f} s of the creation")
            finally:
                create.terminate()

    def _note_progress(self, workspace: Workspace) -> bool:
        """Note what is reached for the first time; tell whether everything is."""
        outcome, build, agents = self.outcome, workspace.latest_build, agents_of(workspace)
        if build.job.status in ("failed", "canceled"):
            raise ScriptFailure(f"the build {build.job.status}: {build.job.error}")
        if outcome.build_done_s is None and build.job.status == "succeeded":
            outcome.build_done_s = self._seconds()
        if outcome.agent_connected_s is None and agents and all(agent.status == "connected" for agent in agents):
            outcome.agent_connected_s = self._seconds()
        if outcome.agent_ready_s is None and agents and all(agent.lifecycle_state == "ready" for agent in agents):
            outcome.agent_ready_s = self._seconds()
        return None not in (outcome.build_done_s, outcome.agent_connected_s, outcome.agent_ready_s)

    def _open_terminal(self, genba: GenbaCommand) -> None:
        """Run a command in a terminal of the workspace and note when its output came."""
        say(f"a terminal of {self._workspace} is opened")
        took_s = echo_in_terminal(genba.argv("terminal", self._workspace), genba.child_environment(), TERMINAL_WITHIN_S)
        self.outcome.terminal_echo_s = self._seconds()
        say(f"its shell answered {took_s:.2f} s after `genba terminal` was started")

    def _delete(self, session: ApiSession, genba: GenbaCommand, workspace: Workspace, gateway: int) -> list[str]:
        """Delete the workspace and return the files that bear its name or one of its ids."""
        marks = [workspace.id, workspace.name, *(agent.id for agent in agents_of(workspace))]
        if not find_processes(marks, but=(gateway,)):
            raise ScriptFailure(
                "the running workspace has no process that can be found, so that none left means nothing"
            )
        say(f"workspace {self._workspace} is deleted")
        genba.run(f"workspace {self._workspace} is deleted", "delete", self._workspace, "-y")
        self.outcome.deleted = session.find_workspace(self._workspace) is None
        processes = wait_until_gone([*marks, str(self._base)], (gateway,), GONE_WITHIN_S)
        self._report("process", [f"{pid} {command}" for pid, command in processes.items()])
        self.outcome.processes_left = len(processes)
        places = [Path(agent.expanded_directory) for agent in agents_of(workspace) if agent.expanded_directory]
        ours = [place for place in places if place.is_relative_to(self._base) and place != self._base / "home"]
        return [str(path) for path in {*find_files(self._base, marks), *(p for p in ours if p.exists())}]

    def _judge(self, left: list[str], gateway_code: int) -> None:
        """Count what is left now that the gateway has ended, and decide."""
        processes = wait_until_gone([str(self._base)], (), GONE_WITHIN_S)
        self._report("process", [f"{pid} {command}" for pid, command in processes.items()])
        files = [*left, *(str(path) for path in sorted((self._base / "t").iterdir()))]
        self._report("file", files)
        outcome = self.outcome
        outcome.processes_left = (outcome.processes_left or 0) + len(processes)
        outcome.files_left = len(files)
        if gateway_code != 0:
            say(f"the gateway ended with exit code {gateway_code}")
        is_clean = outcome.processes_left == 0 and outcome.files_left == 0 and gateway_code == 0
        outcome.ok = is_clean and outcome.deleted and outcome.log_lines > 0 and outcome.terminal_echo_s is not None

    def _report(self, kind: str, found: Collection[str]) -> None:
        for each in found:
            say(f"LEFT {kind}: {each}")


def main() -> int:
    """Run once, clean up and print the outcome, whatever happened."""
    signal.signal(signal.SIGTERM, _on_terminate)
    outcome = Outcome()
    is_whole = False
    try:
        _run_in_folder(outcome)
        is_whole = True
    except ScriptFailure as failure:
        say(f"FAILED: {failure}")
    except KeyboardInterrupt:
        say("stopped")
    except Exception:  # noqa: BLE001  the edge of the program: whoever reads the line of JSON gets one
        say(f"FAILED: {traceback.format_exc()}")
    outcome.ok = outcome.ok and is_whole
    print(msgspec.json.encode(outcome).decode(), flush=True)
    return 0 if outcome.ok else 1


def _run_in_folder(outcome: Outcome) -> None:
    check_platform(platform.system())
    base = Path(tempfile.mkdtemp(prefix="genba-smoke-", dir="/tmp"))
    try:
        Smoke(base, outcome).run()
    except Exception:
        _show_log(base / "gateway.log")
        raise
    finally:
        end_processes([str(base)])
        shutil.rmtree(base, ignore_errors=True)


def _show_log(log: Path) -> None:
    if log.exists():
        say("the gateway's last lines:")
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-40:]:
            say(f"  {line}")


def _on_terminate(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
