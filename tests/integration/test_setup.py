"""The set-up as a user meets it: the real scripts, with other tools on PATH and other folders than one's own."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BASE_PYTHON = os.path.join(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
SYSTEM_PYTHON = "/usr/bin/python3"
NOBODY = 65534

FAKE_UV = """\
#!/bin/sh
echo "$*" >> {calls}
case "$1 $2" in
    "venv "*) for folder; do :; done; exec {python} -m venv --without-pip "$folder" ;;
    "pip install") {install} ;;
esac
"""


@dataclass
class Clone:
    """A copied clone with a PATH, a home and a cache of its own."""

    root: Path
    bin: Path
    home: Path

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        return {"PATH": str(self.bin), "HOME": str(self.home), **(more or {})}

    def set_up(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", str(self.root / "scripts" / "setup.sh"), *(words or ("run",))],
            env=self.environment(more),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def run_script(self, module: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", f"scripts.{module}", *arguments],
            env=self.environment(more),
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def add_tool(self, name: str, script: str) -> None:
        (self.bin / name).write_text(script)
        (self.bin / name).chmod(0o755)

    def add_uv(self, install: str = "exit 0") -> Path:
        """Put a uv on PATH that notes its calls in the file returned."""
        calls = self.home / "uv-calls"
        self.add_tool("uv", FAKE_UV.format(calls=calls, python=BASE_PYTHON, install=install))
        return calls

    def environments(self) -> list[Path]:
        return [path for path in (self.home / ".cache" / "genba").glob("venv-*") if path.is_dir()]


def make_clone(folder: Path) -> Clone:
    clone = Clone(folder / "clone", folder / "bin", folder / "home")
    for path in (clone.root, clone.bin, clone.home):
        path.mkdir(parents=True)
    shutil.copytree(ROOT / "scripts", clone.root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    for lock in ("requirements.lock", "requirements-run.lock"):
        (clone.root / lock).write_text("")
    for name in ("dirname", "sh", "env"):
        (clone.bin / name).symlink_to(str(shutil.which(name)))
    (clone.bin / "python3.11").symlink_to(BASE_PYTHON)
    return clone


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return make_clone(tmp_path)


def only_line(completed: subprocess.CompletedProcess[str]) -> str:
    """Return the one sentence of a failure."""
    assert completed.returncode == 1, completed.stderr
    assert completed.stdout == ""
    assert completed.stderr.count("\n") == 1, completed.stderr
    return completed.stderr.strip()


def test_python_too_old_names_the_version_and_the_remedy(clone: Clone) -> None:
    (clone.bin / "python3.11").unlink()
    clone.add_tool("python3", "#!/bin/sh\ncase $2 in *print*) echo 3.9.2 ;; *) exit 1 ;; esac\n")
    said = only_line(clone.set_up())
    assert "3.11 or later (python3 is 3.9.2)" in said
    assert "apt install python3" in said


def test_no_python_at_all_names_the_remedy(clone: Clone) -> None:
    (clone.bin / "python3.11").unlink()
    assert "no Python found" in only_line(clone.set_up())


def test_chosen_python_that_is_too_old_is_refused(clone: Clone) -> None:
    clone.add_tool("old", "#!/bin/sh\ncase $2 in *print*) echo 3.10.13 ;; *) exit 1 ;; esac\n")
    assert "old is 3.10.13" in only_line(clone.set_up(PYTHON="old"))


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.10"])
def test_real_old_python_can_say_what_is_needed(version: str) -> None:
    found = [*Path(os.path.expanduser("~/.pyenv/versions")).glob(f"{version}.*/bin/python")]
    if not found:
        pytest.skip(f"no Python {version} on this machine")
    completed = subprocess.run(
        [str(found[0]), str(ROOT / "scripts" / "setup.py"), "run"], capture_output=True, text=True, check=False
    )
    assert f"and this is {version}" in only_line(completed)


def test_shim_that_only_fails_is_passed_over(clone: Clone) -> None:
    (clone.bin / "python3.11").rename(clone.bin / "python3.12")
    clone.add_tool("python3.11", "#!/bin/sh\necho 'command not found' >&2\nexit 127\n")
    clone.add_uv()
    completed = clone.set_up()
    assert completed.returncode == 0, completed.stderr


def test_python_without_venv_module_names_debians_package(clone: Clone, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "ensurepip.py").write_text("raise ImportError('Debian puts it into another package')\n")
    completed = clone.set_up(PYTHONPATH=str(hidden))
    assert completed.returncode == 1
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"sudo apt install python{version}-venv" in completed.stderr.splitlines()[-1]


def test_cache_that_cannot_be_made_names_another_place(clone: Clone) -> None:
    (clone.home / ".cache").write_text("a file where a folder should be")
    said = only_line(clone.set_up())
    assert str(clone.home / ".cache" / "genba") in said
    assert "export GENBA_CACHE=" in said


def test_ordinary_user_with_a_read_only_home_is_told_so_and_can_choose_a_cache(short_dir: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("becoming another user needs root")
    if subprocess.run(
        [SYSTEM_PYTHON, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], check=False
    ).returncode:
        pytest.skip("the system's Python, which every user can run, is older than 3.11")
    short_dir.chmod(0o755)
    clone = make_clone(short_dir)
    (clone.bin / "python3.11").unlink()
    (clone.bin / "python3.11").symlink_to(SYSTEM_PYTHON)
    os.chown(clone.root, NOBODY, NOBODY)
    drop = [str(shutil.which("setpriv")), f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]

    def set_up(**more: str) -> subprocess.CompletedProcess[str]:
        command = [*drop, "/bin/sh", str(clone.root / "scripts" / "setup.sh"), "run"]
        return subprocess.run(command, env=clone.environment(more), capture_output=True, text=True, check=False)

    said = only_line(set_up())
    assert "Permission denied" in said
    assert "export GENBA_CACHE=" in said
    cache = short_dir / "cache"
    cache.mkdir()
    os.chown(cache, NOBODY, NOBODY)
    clone.add_tool("uv", FAKE_UV.format(calls=cache / "calls", python=SYSTEM_PYTHON, install="exit 0"))
    completed = set_up(GENBA_CACHE=str(cache))
    assert completed.returncode == 0, completed.stderr
    assert (clone.root / ".genba" / "bin" / "genba").stat().st_uid == NOBODY


def test_clone_that_cannot_be_written_says_so(clone: Clone) -> None:
    clone.add_uv()
    (clone.root / ".genba").write_text("a file where a folder should be")
    completed = clone.set_up()
    assert completed.returncode == 1
    assert "work in a clone that you own" in completed.stderr.splitlines()[-1]


def test_unknown_stage_shows_the_usage(clone: Clone) -> None:
    assert only_line(clone.set_up("everything")) == "usage: scripts/setup.sh run|dev"


def test_second_set_up_does_nothing_and_says_nothing(clone: Clone) -> None:
    calls = clone.add_uv()
    assert clone.set_up().returncode == 0
    before = calls.read_text()
    completed = clone.set_up()
    assert (completed.returncode, completed.stdout, completed.stderr) == (0, "", "")
    assert calls.read_text() == before


def test_both_stages_share_one_environment(clone: Clone) -> None:
    calls = clone.add_uv()
    clone.set_up("run")
    clone.set_up("dev")
    installs = [line for line in calls.read_text().splitlines() if line.startswith("pip install")]
    assert [Path(line.split()[-1]).name for line in installs] == ["requirements-run.lock", "requirements.lock"]
    assert len(clone.environments()) == 1


def test_two_clones_share_the_packages_and_keep_their_own_sources(clone: Clone, tmp_path: Path) -> None:
    calls = clone.add_uv()
    second = Clone(tmp_path / "second", clone.bin, clone.home)
    shutil.copytree(clone.root, second.root)
    for each in (clone, second):
        package = each.root / "wire" / "genba_wire"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        assert each.set_up().returncode == 0
    assert calls.read_text().count("pip install") == 1
    for each in (clone, second):
        show = [
            str(each.root / ".genba" / "venv" / "bin" / "python"),
            "-c",
            "import genba_wire as g; print(g.__file__)",
        ]
        shown = subprocess.run(show, env={}, cwd="/", capture_output=True, text=True, check=True).stdout
        assert Path(shown.strip()).is_relative_to(each.root)


def test_moved_clone_is_linked_anew(clone: Clone, tmp_path: Path) -> None:
    clone.add_uv()
    clone.set_up()
    moved = Clone(clone.root.rename(tmp_path / "moved"), clone.bin, clone.home)
    assert moved.set_up().returncode == 0
    assert str(clone.root) not in (moved.root / ".genba" / "bin" / "genba").read_text()


def test_killed_set_up_leaves_nothing_that_is_used(clone: Clone, tmp_path: Path) -> None:
    installing = tmp_path / "installing"
    os.mkfifo(installing)
    clone.add_uv(install=f"echo half > {clone.home}/half; echo installing > {installing}; read -r never < {installing}")
    command = ["/bin/sh", str(clone.root / "scripts" / "setup.sh"), "run"]
    with subprocess.Popen(command, env=clone.environment(), stderr=subprocess.DEVNULL, start_new_session=True) as first:
        installing.read_text()  # until the install is on its way
        os.killpg(first.pid, signal.SIGKILL)
    (environment,) = clone.environments()
    (environment / "half-made").write_text("")
    calls = clone.add_uv()
    calls.unlink()
    assert clone.set_up().returncode == 0
    assert not (environment / "half-made").exists()
    assert [line.split()[0] for line in calls.read_text().splitlines()] == ["--version", "venv", "pip"]


def test_set_ups_at_the_same_time_install_once(clone: Clone) -> None:
    calls = clone.add_uv()
    command = ["/bin/sh", str(clone.root / "scripts" / "setup.sh"), "run"]
    pair = [subprocess.Popen(command, env=clone.environment(), stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(timeout=60) for process in pair] == [0, 0]
    assert calls.read_text().count("pip install") == 1


def make_wheel(folder: Path, name: str) -> str:
    """Write a wheel with one empty module and return its line for a lock file."""
    folder.mkdir()
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},{len(text)}"
        for path, text in files.items()
    ]
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"}.items():
            archive.writestr(path, text)
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def test_without_uv_pip_installs_the_lock_and_a_wrong_hash_is_refused(clone: Clone, tmp_path: Path) -> None:
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "wheels")}
    good = make_wheel(tmp_path / "wheels", "tiny_package")
    lock = clone.root / "requirements-run.lock"
    lock.write_text(re.sub("sha256:....", "sha256:0000", good))
    refused = clone.set_up(**offline)
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("The packages could not be installed (")
    assert not [*(clone.home / ".cache" / "genba").glob("venv-*/*.stamp")]

    lock.write_text(good)
    completed = clone.set_up(**offline)
    assert completed.returncode == 0, completed.stderr
    python = clone.root / ".genba" / "venv" / "bin" / "python"
    subprocess.run([str(python), "-c", "import tiny_package"], env={}, cwd="/", check=True)


def test_uv_that_fails_leaves_the_work_to_pip(clone: Clone, tmp_path: Path) -> None:
    clone.add_uv(install="echo 'error: no route to the index' >&2; exit 2")
    (clone.root / "requirements-run.lock").write_text(make_wheel(tmp_path / "wheels", "tiny_package"))
    completed = clone.set_up(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path / "wheels"))
    assert completed.returncode == 0, completed.stderr
    assert "uv could not install the packages; trying pip" in completed.stderr


def test_busy_port_is_named_with_another_one(clone: Clone) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = only_line(clone.run_script("run", "--listen", f"127.0.0.1:{port}"))
    assert f"Port {port} on 127.0.0.1 is not to be had (Address already in use)" in said
    assert "make run PORT=" in said


@pytest.mark.parametrize("target", ["run", "smoke"])
def test_macos_is_told_before_anything_is_installed(clone: Clone, target: str) -> None:
    calls = clone.add_uv()
    clone.add_tool("uname", "#!/bin/sh\necho Darwin\n")
    said = only_line(clone.set_up("run", target))
    assert f"`make {target}` needs Linux and this is macOS" in said
    assert not calls.exists()
    assert clone.environments() == []


def test_linux_and_what_macos_can_do_are_set_up(clone: Clone) -> None:
    clone.add_uv()
    clone.add_tool("uname", "#!/bin/sh\necho Linux\n")
    assert clone.set_up("run", "smoke").returncode == 0
    clone.add_tool("uname", "#!/bin/sh\necho Darwin\n")
    assert clone.set_up("run").returncode == 0


def test_macos_is_told_what_the_host_starter_needs(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import platform\nplatform.system = lambda: 'Darwin'\n")
    said = only_line(clone.run_script("run", PYTHONPATH=str(tmp_path)))
    assert "needs Linux and this is macOS" in said


def test_sentence_of_a_gateway_that_cannot_start_is_passed_on(clone: Clone) -> None:
    program = clone.root / ".genba" / "bin" / "genba"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho 'No terraform on PATH: put one there' >&2\nexit 1\n")
    program.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    completed = clone.run_script("run", "--listen", listen)
    assert completed.returncode == 1
    assert completed.stderr.splitlines()[-1] == "No terraform on PATH: put one there"


def test_every_pin_of_the_run_stage_is_the_same_in_the_whole_lock() -> None:
    def pins(lock: str) -> set[str]:
        return set(re.findall(r"^\S+==\S+", (ROOT / lock).read_text(), re.MULTILINE))

    assert pins("requirements-run.lock")
    assert pins("requirements-run.lock") <= pins("requirements.lock")


def test_make_help_lists_every_public_target() -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("no make on this machine")
    shown = subprocess.run([make, "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = set(re.findall(r"^  make (\S+)", shown, re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert targets - listed == {"setup-run"}
