"""Workspaces on the gateway's machine under real Terraform, with a shell script as the agent."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import psutil
import pytest

from genba_gateway.provider.genba.processes import end_marked
from genba_gateway.provider.host import ProviderHost
from genba_gateway.provider.host_runs import find_lock_holder, list_marked
from genba_gateway.provider.host_workspaces import HostWorkspaces
from genba_gateway.starters import read_starter
from tests.support.provider_terraform import ACCESS_URL, PINNED_TOKEN, Workdir
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="host workspaces need Linux")

TEMPLATE = (read_starter("host") / "main.tf").read_text()
WORKSPACE_ID = "5ad2ad67-1ee7-4f0e-b7c5-0b4f1b5f3a4e"
START = {"CODER_WORKSPACE_ID": WORKSPACE_ID, "CODER_WORKSPACE_TRANSITION": "start"}
STOP = {**START, "CODER_WORKSPACE_TRANSITION": "stop"}

# Leaves a daemon behind that has a session of its own and, unlike the agent, does not care for SIGTERM.
AGENT = """#!/bin/sh
env > "$HOME/environment"
cp "$CODER_AGENT_TOKEN_FILE" "$HOME/token"
(setsid sh -c 'trap "" TERM; echo $$ > "$HOME/daemon"; while :; do sleep 5; done' &)
trap 'echo ended >> "$HOME/log"; exit 0' TERM
echo started >> "$HOME/log"
while :; do sleep 0.05; done
"""


@pytest.fixture
async def hosts(short_dir: Path) -> AsyncGenerator[HostWorkspaces]:
    """Host workspaces with a script as the agent; whatever is left of them at the end is ended."""
    agent = short_dir / "agent"
    agent.write_text(AGENT)
    agent.chmod(0o755)
    root = short_dir / "h"
    yield HostWorkspaces(root, (str(agent),))
    await asyncio.to_thread(end_marked, root)


@pytest.fixture
def workdir(short_dir: Path, hosts: HostWorkspaces) -> Workdir:
    """The starter template, with host workspaces allowed."""
    folder = short_dir / "t"
    folder.mkdir()
    made = Workdir(folder, ProviderHost(short_dir / "r", hosts))
    made.write(TEMPLATE)
    return made


@pytest.fixture
def home(hosts: HostWorkspaces) -> Path:
    return hosts.root / WORKSPACE_ID / "home"


@pytest.fixture
def run_directory(hosts: HostWorkspaces) -> Path:
    return hosts.root / WORKSPACE_ID / "run" / "main"


async def allow(workdir: Workdir, hosts: HostWorkspaces | None) -> Workdir:
    """Give the same template in a gateway with other host workspaces, or none."""
    runtime = workdir.path.parent / "other"
    return Workdir(workdir.path, await asyncio.to_thread(ProviderHost, runtime, hosts))


async def start(workdir: Workdir, home: Path, times: int = 1) -> None:
    """Start the workspace and wait until its agent and the agent's daemon run."""
    (home / "daemon").unlink(missing_ok=True)
    outcome = await workdir.apply(START)
    assert outcome.code == 0, outcome.errors
    await eventually(lambda: read_lines(home / "log").count("started") == times)
    await eventually(lambda: read_lines(home / "daemon") != [])


def read_lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def read_boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def read_command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def read_status(pid: int) -> list[str]:
    """Give the fields of /proc/PID/stat from the state on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


async def test_start_runs_the_agent_with_an_environment_of_its_own(
    workdir: Workdir, home: Path, run_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENBA_ENCRYPTION_KEYS", "gateway-secret")
    await start(workdir, home)
    monkeypatch.delenv("GENBA_ENCRYPTION_KEYS")

    state = await workdir.state()
    host = state["genba_host.workspace[0]"]
    token = state["coder_agent.main"]["token"]
    environment = dict(line.split("=", 1) for line in (home / "environment").read_text().splitlines() if "=" in line)

    assert (home / "token").read_text() == token
    assert environment["CODER_AGENT_URL"] == ACCESS_URL
    assert environment["HOME"] == environment["PWD"] == str(home)
    assert "gateway-secret" not in (home / "environment").read_text()
    assert token not in (home / "environment").read_text()
    assert host["id"] == f"{WORKSPACE_ID}/main"
    assert host["pid"] == find_lock_holder(str(run_directory))
    assert host["machine_boot_id"] == read_boot_id()
    assert stat.S_IMODE((run_directory / "token").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.parent.stat().st_mode) == 0o700
    for pid in list_marked(str(run_directory)):
        assert token not in read_command(pid)


async def test_stop_ends_agent_and_daemons_and_keeps_the_files(
    workdir: Workdir, home: Path, run_directory: Path
) -> None:
    await start(workdir, home)

    outcome = await workdir.apply(STOP)

    assert outcome.code == 0, outcome.errors
    assert list_marked(str(run_directory)) == []
    assert read_lines(home / "log") == ["started", "ended"]
    assert run_directory.name not in os.listdir(run_directory.parent)
    assert "genba_host.workspace[0]" not in await workdir.state()


async def test_start_after_stop_finds_the_files_and_delete_removes_them(
    workdir: Workdir, home: Path, hosts: HostWorkspaces
) -> None:
    await start(workdir, home)
    assert (await workdir.apply(STOP)).code == 0
    await start(workdir, home, times=2)
    # As Go's module cache does.
    locked = home / "go" / "pkg"
    locked.mkdir(parents=True)
    (locked / "mod").write_text("x")
    locked.chmod(0o500)

    outcome = await workdir.destroy({**START, "CODER_WORKSPACE_TRANSITION": "destroy"})

    assert outcome.code == 0, outcome.errors
    assert list(hosts.root.iterdir()) == []
    assert list_marked(str(hosts.root)) == []


async def test_second_start_replaces_the_agent(workdir: Workdir, home: Path, run_directory: Path) -> None:
    await start(workdir, home)
    before = find_lock_holder(str(run_directory))

    await start(workdir, home, times=2)

    assert read_lines(home / "log") == ["started", "ended", "started"]
    supervisor = find_lock_holder(str(run_directory))
    assert supervisor not in (None, before)
    assert find_agent(supervisor or 0)


def find_agent(supervisor: int) -> int:
    """Find the agent among the supervisor's own children: what the agent forks looks like it until it is executed."""
    (agent,) = [child.pid for child in psutil.Process(supervisor).children() if "/agent" in read_command(child.pid)]
    return agent


async def test_unchanged_token_leaves_the_agent_running(workdir: Workdir, home: Path, run_directory: Path) -> None:
    assert (await workdir.apply(START | PINNED_TOKEN)).code == 0
    await eventually(lambda: read_lines(home / "log") == ["started"])
    before = find_lock_holder(str(run_directory))

    assert (await workdir.plan(START | PINNED_TOKEN)).changes == {}
    assert find_lock_holder(str(run_directory)) == before


async def test_stop_finds_what_a_killed_supervisor_left(workdir: Workdir, home: Path, run_directory: Path) -> None:
    await start(workdir, home)
    supervisor = find_lock_holder(str(run_directory))
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    await eventually(lambda: find_lock_holder(str(run_directory)) is None)
    assert list_marked(str(run_directory)) != []

    outcome = await workdir.apply(STOP)

    assert outcome.code == 0, outcome.errors
    assert list_marked(str(run_directory)) == []


async def test_stop_ends_an_agent_that_the_state_does_not_know(
    workdir: Workdir, home: Path, run_directory: Path
) -> None:
    await start(workdir, home)
    # What is left when Terraform was killed before it saved the new resource.
    assert (await workdir.run(START, "state", "rm", "genba_host.workspace"))[0] == 0

    outcome = await workdir.apply(STOP)

    assert outcome.code == 0, outcome.errors
    assert list_marked(str(run_directory)) == []


async def test_clearing_removes_a_workspace_that_no_state_knows(
    workdir: Workdir, home: Path, hosts: HostWorkspaces
) -> None:
    await start(workdir, home)

    await workdir.host.clear_workspace(WORKSPACE_ID)

    assert list(hosts.root.iterdir()) == []
    assert list_marked(str(hosts.root)) == []


async def test_agent_that_crashes_is_started_again(workdir: Workdir, home: Path, run_directory: Path) -> None:
    await start(workdir, home)
    supervisor = find_lock_holder(str(run_directory))
    assert supervisor is not None
    agent = find_agent(supervisor)

    os.kill(agent, signal.SIGKILL)

    await eventually(lambda: read_lines(home / "log") == ["started", "started"])
    assert find_lock_holder(str(run_directory)) == supervisor
    assert "by signal 9" in (run_directory.parents[1] / "logs" / "main" / "output.log").read_text()


async def test_agent_that_ends_by_itself_is_left_alone(workdir: Workdir, home: Path, run_directory: Path) -> None:
    await start(workdir, home)
    supervisor = find_lock_holder(str(run_directory))
    assert supervisor is not None
    agent = find_agent(supervisor)

    os.kill(agent, signal.SIGTERM)

    await eventually(lambda: list_marked(str(run_directory)) == [])
    assert read_lines(home / "log") == ["started", "ended"]
    assert (await workdir.apply(STOP)).code == 0


async def test_dead_agent_of_another_boot_is_still_in_the_state_and_replaced(
    workdir: Workdir, home: Path, run_directory: Path
) -> None:
    await start(workdir, home)
    await asyncio.to_thread(end_marked, run_directory)
    state_file = workdir.path / "terraform.tfstate"
    boot_id = read_boot_id()
    state_file.write_text(state_file.read_text().replace(boot_id, "another-boot"))

    assert (await workdir.plan(STOP)).code == 0
    assert list_marked(str(run_directory)) == []
    await start(workdir, home, times=2)

    assert (await workdir.state())["genba_host.workspace[0]"]["machine_boot_id"] == boot_id


async def test_agent_goes_on_without_gateway(workdir: Workdir, home: Path, run_directory: Path) -> None:
    await start(workdir, home)
    supervisor = find_lock_holder(str(run_directory))
    assert supervisor is not None

    status = read_status(supervisor)

    # Nobody's child but init's (or the nearest subreaper's), and in a session that is not ours.
    assert int(status[1]) != os.getpid()
    assert int(status[3]) != os.getsid(0)
    held = {os.readlink(f"/proc/{supervisor}/fd/{each}") for each in os.listdir(f"/proc/{supervisor}/fd")}
    assert held == {"/dev/null", str(run_directory / "lock")}


async def test_killed_terraform_leaves_no_agent_of_a_create_under_way(
    workdir: Workdir, home: Path, run_directory: Path
) -> None:
    # Opening a named pipe for its output holds up the agent's start until somebody reads.
    logs = home.parent / "logs" / "main"
    logs.mkdir(parents=True)
    os.mkfifo(logs / "output.log")

    async with workdir.start(START, "apply", "-auto-approve") as process:
        await eventually(lambda: find_lock_holder(str(run_directory)) is not None)
        process.kill()
        await process.communicate()
        reader = os.open(logs / "output.log", os.O_RDONLY | os.O_NONBLOCK)

    # The provider undoes the start when it hears of Terraform's end; if its answer was quicker, the agent that no state
    # knows is ended by the deletion.
    assert "genba_host.workspace[0]" not in await workdir.state()
    assert (await workdir.destroy(START)).code == 0
    os.close(reader)
    assert list_marked(str(run_directory)) == []
    assert not os.listdir(home.parents[1])


async def test_agent_that_can_not_be_started_is_an_error_with_its_cause(
    workdir: Workdir, hosts: HostWorkspaces, short_dir: Path
) -> None:
    missing = HostWorkspaces(hosts.root, (str(short_dir / "missing"),))
    broken = await allow(workdir, missing)

    outcome = await broken.apply(START)

    assert outcome.code == 1
    assert "The agent can't be started" in outcome.errors
    assert "No such file" in outcome.errors
    assert list_marked(str(hosts.root)) == []
    # The next start, with the agent in place, is not hindered.
    assert (await workdir.apply(START)).code == 0


async def test_gateway_without_host_workspaces_refuses_and_names_the_flag(
    workdir: Workdir, short_dir: Path, hosts: HostWorkspaces
) -> None:
    forbidden = await allow(workdir, None)

    outcome = await forbidden.apply(START)

    assert outcome.code == 1
    assert "start the gateway with --allow-host-workspaces" in outcome.errors
    assert not hosts.root.exists()


async def test_workspace_is_still_deleted_after_host_workspaces_were_switched_off(
    workdir: Workdir, home: Path, hosts: HostWorkspaces, short_dir: Path
) -> None:
    await start(workdir, home)
    forbidden = await allow(workdir, None)

    assert (await forbidden.destroy(START)).code == 0

    assert list(hosts.root.iterdir()) == []
    assert list_marked(str(hosts.root)) == []


async def test_other_workspaces_folder_is_refused(workdir: Workdir, hosts: HostWorkspaces) -> None:
    workdir.write('resource "genba_host_home" "h" {\n  workspace_id = "another"\n}\n')

    outcome = await workdir.apply(START)

    assert "Use data.coder_workspace.me.id" in outcome.errors
    assert not hosts.root.exists()


async def test_cancel_cuts_the_grace_short(
    workdir: Workdir, home: Path, hosts: HostWorkspaces, short_dir: Path, run_directory: Path
) -> None:
    stubborn = short_dir / "stubborn"
    stubborn.write_text(
        '#!/bin/sh\ntrap \'echo told >> "$HOME/log"\' TERM\necho started >> "$HOME/log"\nwhile :; do sleep 0.05; done\n'
    )
    stubborn.chmod(0o755)
    patient = await allow(workdir, HostWorkspaces(hosts.root, (str(stubborn),)))
    # Longer than a test may take: only the cancel can end it.
    patient.write(TEMPLATE.replace("directory    =", "stop_grace_seconds = 600\n  directory    ="))
    assert (await patient.apply(START)).code == 0
    await eventually(lambda: read_lines(home / "log") == ["started"])

    async with patient.start(STOP, "apply", "-auto-approve") as process:
        await eventually(lambda: "told" in read_lines(home / "log"))
        process.send_signal(signal.SIGINT)
        await process.communicate()

    assert list_marked(str(run_directory)) == []
    assert "genba_host.workspace[0]" not in await patient.state()
