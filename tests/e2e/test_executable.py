"""The executable that workspaces download: assembled for real, started where little is there, served, and used."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from genba_wire.version import VERSION_LINE
from scripts.build_agent import OUTPUT, machine_arch
from scripts.clone import ROOT
from tests.support.host_template import CODER, host_template
from tests.support.living_processes import list_processes_with
from tests.support.real_gateway import RealGateway

IS_ROOT = os.geteuid() == 0
STRANGER = 4242
"""A user of whom /etc/passwd knows nothing."""


@pytest.fixture(scope="module")
def executable() -> Path:
    if shutil.which("apt-get") is None:
        pytest.skip("the executable is assembled from Debian's packages, and there is no apt-get here")
    subprocess.run([sys.executable, "-m", "scripts.build_agent"], cwd=ROOT, check=True, timeout=600)
    return OUTPUT / f"genba-linux-{machine_arch()}"


@pytest.fixture
def cache(short_dir: Path) -> Path:
    short_dir.chmod(0o755)
    folder = short_dir / "cache"
    folder.mkdir()
    return folder


def start(
    executable: Path, *arguments: str, environment: dict[str, str], user: int | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [executable, *arguments],
        env={"PATH": "/usr/bin:/bin", **environment},
        user=user,
        group=user,
        extra_groups=[] if user else None,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_ten_that_start_at_once_unpack_once(executable: Path, cache: Path) -> None:
    with ThreadPoolExecutor(10) as pool:
        starts = [pool.submit(start, executable, "version", environment={"GENBA_CACHE": str(cache)}) for _ in range(10)]
    for each in starts:
        assert (each.result().returncode, each.result().stdout) == (0, VERSION_LINE + "\n"), each.result().stderr
    assert [path.name.startswith("genba-") for path in cache.iterdir()] == [True], "one folder, nothing half done"


def test_an_older_version_goes_once_nobody_runs_it(executable: Path, cache: Path) -> None:
    long_ago = 1_000_000_000
    for name in ("genba-unused", "genba-running", "genba-young", ".new-interrupted"):
        (cache / name).mkdir()
        (cache / name / "main.py").touch()
    shutil.copy(shutil.which("sleep") or "/bin/sleep", cache / "genba-running" / "python")
    for name in ("genba-unused", "genba-running", ".new-interrupted"):
        os.utime(cache / name, (long_ago, long_ago))
    link = cache.with_name("link")
    link.symlink_to(cache.parent)
    with subprocess.Popen([cache / "genba-running" / "python", "1000"]) as process:
        try:
            done = start(executable, "version", environment={"GENBA_CACHE": str(link / cache.name)})
        finally:
            process.kill()
    assert done.returncode == 0, done.stderr
    left = {path.name for path in cache.iterdir()}
    (own,) = left - {"genba-running", "genba-young"}
    assert len(left) == 3
    assert (cache / own / "lib").is_dir()


def test_the_users_own_mask_is_kept_at_the_first_start(executable: Path, cache: Path, short_dir: Path) -> None:
    told = short_dir / "mask"
    arguments = f"list --url http://127.0.0.1:1 --token x --header-command 'umask >{told}'"
    session = {"PATH": "/usr/bin:/bin", "GENBA_CACHE": str(cache), "HOME": str(short_dir)}
    subprocess.run(["/bin/sh", "-c", f"umask 027; exec {executable} {arguments}"], env=session, check=False, timeout=60)
    assert told.read_text() == "0027\n"


def test_holds_all_that_agent_and_command_line_import(executable: Path, cache: Path) -> None:
    assert start(executable, "version", environment={"GENBA_CACHE": str(cache)}).returncode == 0
    (root,) = cache.iterdir()
    (loader,) = (root / "lib").glob("ld-linux-*")
    program = (
        f"import sys; sys.path.append({str(root / 'site')!r})\n"
        "import importlib, pkgutil, genba_wire, genba_agent, genba_ide_bridge\n"
        "for package in (genba_wire, genba_agent, genba_ide_bridge):\n"
        "    for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        if not module.name.endswith('__main__'):\n"
        "            importlib.import_module(module.name)\n"
        f"print(all(m.__file__.startswith({str(root)!r}) for m in sys.modules.values() if getattr(m, '__file__', 0)))\n"
    )
    python: list[str | Path] = [
        loader,
        "--library-path",
        root / "lib",
        root / "bin" / "python3.11",
        "-I",
        "-S",
        "-c",
        program,
    ]
    done = subprocess.run(python, capture_output=True, text=True, timeout=60, check=False, env={})
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


def test_a_file_that_is_cut_off_says_so_and_leaves_nothing(executable: Path, cache: Path, short_dir: Path) -> None:
    cut = short_dir / "genba"
    cut.write_bytes(executable.read_bytes()[:5_000_000])
    cut.chmod(0o755)
    done = start(cut, "version", environment={"GENBA_CACHE": str(cache), "HOME": "/proc/1/none"})
    assert done.returncode == 70
    assert f"{cache}: unpacking failed" in done.stderr
    assert list(cache.iterdir()) == []


@pytest.mark.skipif(not IS_ROOT, reason="needs root to become another user")
def test_starts_for_a_user_without_a_name_or_a_home(executable: Path, short_dir: Path) -> None:
    short_dir.chmod(0o755)
    copied = short_dir / "genba"
    shutil.copy(executable, copied)
    unpacked = Path(f"/var/tmp/genba-{STRANGER}")
    shutil.rmtree(unpacked, ignore_errors=True)
    done = start(copied, "version", environment={"HOME": "/nonexistent"}, user=STRANGER)
    assert (done.returncode, done.stdout) == (0, VERSION_LINE + "\n"), done.stderr
    assert [path.stat().st_uid for path in unpacked.iterdir()] == [STRANGER]
    shutil.rmtree(unpacked)


@pytest.mark.skipif(not IS_ROOT, reason="needs root to become another user")
def test_never_runs_what_another_user_put_into_its_place(executable: Path, cache: Path, short_dir: Path) -> None:
    planted = short_dir / "planted"
    planted.mkdir()
    cache.chmod(0o777)
    done = start(executable, "version", environment={"GENBA_CACHE": str(cache)}, user=STRANGER)
    assert done.returncode == 0, done.stderr
    # Root's own folder in a place that a stranger owns: neither used nor written to.
    os.chown(cache, STRANGER, STRANGER)
    done = start(executable, "version", environment={"GENBA_CACHE": str(cache), "HOME": str(planted)})
    assert done.returncode == 0, done.stderr
    assert list((planted / ".cache" / "genba").iterdir()), "it went on to the next place"


@pytest.mark.skipif(not IS_ROOT, reason="needs root to mount")
def test_passes_over_a_place_where_programs_may_not_run(executable: Path, cache: Path, short_dir: Path) -> None:
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "noexec,size=200m", "tmpfs", cache], capture_output=True, check=False
    )
    if mount.returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        home = short_dir / "home"
        done = start(executable, "version", environment={"GENBA_CACHE": str(cache), "HOME": str(home)})
        assert (done.returncode, done.stdout) == (0, VERSION_LINE + "\n"), done.stderr
        assert list(cache.iterdir()) == []
        assert list((home / ".cache" / "genba").iterdir())
    finally:
        subprocess.run(["umount", cache], check=True)


async def test_the_gateway_serves_it_and_its_own_workspaces_run_it(executable: Path, short_dir: Path) -> None:
    async with RealGateway(short_dir / "gateway", "--bin-dir", str(executable.parent)) as gateway:
        await gateway.sign_in()
        served = await gateway.client.get(f"/bin/coder-linux-{machine_arch()}")
        content = await asyncio.to_thread(executable.read_bytes)
        assert served.content == content
        assert served.headers["ETag"] == f'"{hashlib.sha1(content, usedforsecurity=False).hexdigest()}"'
        template = await gateway.push_template("host", host_template())
        workspace = await gateway.create_workspace("demo", template["id"])
        build = await gateway.wait_for_build(workspace["latest_build"]["id"])
        assert build["job"]["status"] == "succeeded", build["job"]
        await gateway.wait_for_agent(workspace["id"])
        commands = [" ".join(psutil.Process(pid).cmdline()) for pid in list_processes_with(workspace["id"])]
        assert [command for command in commands if "/ld-linux-" in command and command.endswith(" agent")], commands
        await gateway.build(workspace["id"], "delete")
        assert list_processes_with(workspace["id"]) == []


INIT_TEMPLATE = (
    CODER
    + """
data "coder_provisioner" "me" {}

resource "coder_agent" "main" {
  os             = "linux"
  arch           = data.coder_provisioner.me.arch
  startup_script = "echo started by the init script"
}

resource "terraform_data" "machine" {
  count = data.coder_workspace.me.start_count

  provisioner "local-exec" {
    command = "setsid -f sh -c \\"$INIT_SCRIPT\\" >\\"$LOG\\" 2>&1 </dev/null"
    environment = {
      INIT_SCRIPT       = coder_agent.main.init_script
      CODER_AGENT_TOKEN = coder_agent.main.token
      LOG               = "@LOG@"
      MARK              = "mark-${data.coder_workspace.me.id}"
    }
  }
}
"""
)


async def test_an_init_script_downloads_it_and_the_agent_connects(executable: Path, short_dir: Path) -> None:
    async with RealGateway(short_dir / "gateway", "--bin-dir", str(executable.parent)) as gateway:
        await gateway.sign_in()
        main = INIT_TEMPLATE.replace("@LOG@", str(short_dir / "init.log"))
        template = await gateway.push_template("machine", {"main.tf": main})
        workspace = await gateway.create_workspace("demo", template["id"])
        try:
            build = await gateway.wait_for_build(workspace["latest_build"]["id"])
            assert build["job"]["status"] == "succeeded", build["job"]
            agent = await gateway.wait_for_agent(workspace["id"])
            lines = await gateway.fetch("GET", f"/api/v2/workspaceagents/{agent['id']}/logs")
            assert "started by the init script" in [line["output"] for line in lines]
        finally:
            for pid in list_processes_with(f"mark-{workspace['id']}"):
                os.kill(pid, signal.SIGKILL)
