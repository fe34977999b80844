"""`make run` against a small gateway of our own: what it asks for, what it prints, how it ends."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.gateway_process import find_free_port
from tests.integration.scripts.conftest import environment

SERVING = "Ctrl-C ends the gateway."


@contextmanager
def running(clone: Path, port: int, **more: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """Start it, read until it serves, and end it with SIGINT; yields the process and what it printed until then."""
    argv = [sys.executable, "-m", "scripts.run", "--listen", f"127.0.0.1:{port}"]
    with subprocess.Popen(
        argv, cwd=clone, env=environment(**more), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        said: list[str] = []
        try:
            for line in process.stdout:
                said.append(line)
                if SERVING in line:
                    break
            yield process, "".join(said)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)
            for pid in re.findall(r'"pid": ?(\d+)', _read(clone / ".genba" / "data" / "state.json")):
                _kill(int(pid))


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def test_first_run_does_the_main_job_and_says_what_is_next(clone: Path) -> None:
    port = find_free_port()
    with running(clone, port) as (_, said):
        requests = _read(clone / ".genba" / "data" / "requests.log")
    for each in ("/fake/first", "/fake/push/host", "/fake/start/demo", "/api/v2/genba/sign-in-links"):
        assert f"POST {each}" in requests
    assert "PATCH /api/v2/templates/id-of-host" in requests
    assert "host workspaces run on this machine as your user" in said
    assert "  main: hello\n" in said
    assert ".genba/bin/genba logs -f demo" in said
    # The link is what most people want: on a line of its own, where the eye is.
    (link,) = [number for number, line in enumerate(said.splitlines()) if line == "  http://fake/sign-in/once"]
    assert len(said.splitlines()) - link < 8
    assert said.index("sign-in/once") > said.index(".genba/bin/genba logs -f demo")


def test_password_is_in_a_private_file_and_on_no_command_line(clone: Path) -> None:
    with running(clone, find_free_port()) as (_, said):
        file = clone / ".genba" / "admin-password"
        password = file.read_text().strip()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert len(password) >= 20
        assert password not in said
        assert password not in _read(clone / ".genba" / "gateway.log")
        assert f'"user": "{password}"' in _read(clone / ".genba" / "data" / "state.json")


def test_interrupt_ends_it_cleanly_with_one_interrupt_for_the_gateway(clone: Path) -> None:
    with running(clone, find_free_port()) as (process, _):
        pass
    assert process.returncode == 0
    assert _read(clone / ".genba" / "data" / "requests.log").count("SIGINT") == 1


def test_second_run_goes_on_with_what_is_there(clone: Path) -> None:
    port = find_free_port()
    with running(clone, port):
        pass
    (clone / ".genba" / "data" / "requests.log").unlink()
    with running(clone, port) as (_, said):
        requests = _read(clone / ".genba" / "data" / "requests.log")
    assert "/fake/start" not in requests
    assert "/fake/push/host" not in requests
    assert "PATCH" not in requests  # what its description is by now is its owner's
    assert "main: hello" not in said  # the first run printed that
    assert "workspace demo is ready" in said


def test_changed_starter_is_pushed_again(clone: Path) -> None:
    port = find_free_port()
    with running(clone, port):
        pass
    (clone / "gateway" / "genba_gateway" / "starters" / "host" / "main.tf").write_text("# another")
    with running(clone, port):
        pass
    assert _read(clone / ".genba" / "data" / "requests.log").count("/fake/push/host") == 2


def test_another_port_signs_in_again_by_the_kept_password(clone: Path) -> None:
    with running(clone, find_free_port()):
        pass
    with running(clone, find_free_port()) as (_, said):
        pass
    assert "POST /api/v2/users/login" in _read(clone / ".genba" / "data" / "requests.log")
    assert SERVING in said


def test_agent_that_does_not_come_back_is_started_anew(clone: Path) -> None:
    port = find_free_port()
    with running(clone, port):
        pass
    rules = clone / "scripts" / "demo_workspace.py"
    rules.write_text(rules.read_text().replace("BACK_WITHIN_S: Final = 15.0", "BACK_WITHIN_S: Final = 0.5"))
    with running(clone, port, FAKE_NEVER_BACK="1") as (_, said):
        pass
    assert "is started anew, since its agent did not come back" in said
    assert "workspace demo is ready" in said


def test_second_run_at_the_same_time_is_refused(clone: Path) -> None:
    with running(clone, find_free_port()):
        argv = [sys.executable, "-m", "scripts.run", "--listen", f"127.0.0.1:{find_free_port()}"]
        second = subprocess.run(argv, cwd=clone, env=environment(), capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert second.stderr.startswith("`make run` already serves this clone")
    assert second.stderr.count("\n") == 1


def test_no_terraform_and_no_way_to_the_release_is_the_gateways_own_sentence(clone: Path, tmp_path: Path) -> None:
    empty, home = tmp_path / "bin", tmp_path / "home"
    empty.mkdir()
    home.mkdir()
    real = "import sys; from genba_ide_bridge.cli.main import main; sys.exit(main())"
    program = clone / ".genba" / "bin" / "genba"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{real}' \"$@\"\n")
    nowhere = f"http://127.0.0.1:{find_free_port()}"  # refuses: nobody listens there
    argv = [sys.executable, "-m", "scripts.run", "--listen", f"127.0.0.1:{find_free_port()}"]
    more = {"PATH": str(empty), "HOME": str(home), "HTTPS_PROXY": nowhere, "https_proxy": nowhere}
    run = subprocess.run(
        argv, cwd=clone, env=environment(**more), capture_output=True, text=True, timeout=100, check=False
    )
    assert run.returncode == 1
    last = run.stderr.splitlines()[-1]
    assert last.startswith("genba server: "), run.stderr
    assert "install terraform" in last
    assert "put it on PATH" in last
    assert "Traceback" not in run.stderr


def test_gateway_dies_with_a_killed_run(clone: Path) -> None:
    with running(clone, find_free_port()) as (process, _):
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        gateway = os.pidfd_open(int(children[0]))
        process.kill()
        process.wait(timeout=30)
        assert _ends(gateway)


def _ends(pidfd: int) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    try:
        return bool(poll.poll(30_000))
    finally:
        os.close(pidfd)


def test_ctrl_c_on_a_terminal_ends_make_without_an_error(clone: Path) -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("no make on this machine")
    (clone / "Makefile").write_text(f"run:\n\t@{sys.executable} -m scripts.run --listen 127.0.0.1:{find_free_port()}\n")
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(clone)
        os.execve(make, ["make", "run"], environment())  # noqa: S606 - pty.fork has made the child already
    said = b""
    interrupted = False
    while True:
        try:
            said += os.read(terminal, 4096)
        except OSError:  # the last program on the terminal has ended
            break
        if SERVING.encode() in said and not interrupted:
            interrupted = True
            os.write(terminal, b"\x03")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    for workspace in re.findall(r'"pid": ?(\d+)', _read(clone / ".genba" / "data" / "state.json")):
        _kill(int(workspace))
    assert os.waitstatus_to_exitcode(status) == 0, said.decode()
    assert b"***" not in said
    assert _read(clone / ".genba" / "data" / "requests.log").count("SIGINT") == 1
