"""The init script, run for real: by the shells that are here, against servers that fail in different ways."""

from __future__ import annotations

import hashlib
import shutil
import socket
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from genba_gateway.bootstrap import read_init_scripts

TOKEN = "44444444-4444-4444-8444-444444444444"
KEY = hashlib.sha256(f"genba-report:{TOKEN}".encode()).hexdigest()
AGENT = b"""#!/bin/sh
[ "$1" = --version ] && echo "Coder v2 (Genba)" && exit
echo "$1 $CODER_AGENT_URL $CODER_AGENT_AUTH"
"""
SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]


class Gateway(HTTPServer):
    """Answers downloads with `answers` in turn, the last one for ever; keeps reports."""

    def __init__(self, *answers: bytes | int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = list(answers)
        self.reports: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/"


class Handler(BaseHTTPRequestHandler):
    @property
    def gateway(self) -> Gateway:
        assert isinstance(self.server, Gateway)
        return self.server

    def do_GET(self) -> None:
        answer = self.gateway.answers.pop(0) if len(self.gateway.answers) > 1 else self.gateway.answers[0]
        if isinstance(answer, int) or self.path != "/bin/genba-linux-amd64":
            self.send_error(answer if isinstance(answer, int) else 404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_POST(self) -> None:
        assert self.path == "/api/v2/agent-reports"
        self.gateway.reports.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(*answers: bytes | int) -> Generator[Gateway]:
    with Gateway(*answers) as gateway:
        thread = threading.Thread(target=gateway.serve_forever)
        thread.start()
        try:
            yield gateway
        finally:
            gateway.shutdown()
            thread.join()


def make_path(tmp_path: Path, *programs: str) -> str:
    """A PATH with a shell's usual programs and these, but none else; `sleep` ends at once."""
    folder = tmp_path / "path"
    folder.mkdir(exist_ok=True)
    for name in ("cat", "chmod", "mkdir", "mktemp", "rm", "sha256sum", "tail", *programs):
        found = shutil.which(name)
        assert found, name
        if not (folder / name).exists():
            (folder / name).symlink_to(found)
    sleep = folder / "sleep"
    sleep.write_text("#!/bin/sh\n")
    sleep.chmod(0o755)
    return str(folder)


def run(
    tmp_path: Path, url: str, *programs: str, shell: str = "dash", environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    script = read_init_scripts()["linux_amd64"].replace("${ACCESS_URL}", url).replace("${AUTH_TYPE}", "token")
    found = shutil.which(shell)
    assert found
    argv = [found, *(["sh"] if shell == "busybox" else []), "-c", script]
    settings = {"PATH": make_path(tmp_path, *programs), "HOME": str(tmp_path / "home"), "CODER_AGENT_TOKEN": TOKEN}
    return subprocess.run(
        argv, env={**settings, **(environment or {})}, capture_output=True, text=True, timeout=60, check=False
    )


# Debian's static busybox takes its own wget for any other, which crashes where the machine's C library differs.
@pytest.mark.parametrize(
    ("shell", "program"),
    [
        (shell, program)
        for shell in SHELLS
        for program in ("curl", "wget")
        if shutil.which(program) and (shell, program) != ("busybox", "wget")
    ],
)
def test_downloads_the_agent_and_starts_it(tmp_path: Path, shell: str, program: str) -> None:
    with serving(AGENT) as gateway:
        done = run(tmp_path, gateway.url, program, shell=shell)
    assert (done.returncode, done.stdout) == (0, f"agent {gateway.url} token\n"), done.stderr
    assert gateway.reports == []


def test_tells_the_gateway_of_failed_tries_once_it_answers(tmp_path: Path) -> None:
    with serving(503, 503, 404, AGENT) as gateway:
        done = run(tmp_path, gateway.url, "curl")
    assert done.returncode == 0, done.stderr
    (report,) = gateway.reports
    key, *lines = report.splitlines()
    assert key == KEY
    assert len(lines) == 2, "the same failure is told once"
    assert all(line.startswith("download failed: ") for line in lines)
    assert "503" in lines[0]
    assert "404" in lines[1]
    assert TOKEN not in report


def test_names_a_program_that_does_not_start(tmp_path: Path) -> None:
    with serving(b"#!/bin/sh\necho broken >&2\nexit 1\n") as gateway:
        done = run(tmp_path, gateway.url, "curl")
    assert done.returncode == 1
    assert "genba: start failed: broken" in done.stderr
    assert gateway.reports == [f"{KEY}\nstart failed: broken\n"]


def test_names_what_could_not_be_unpacked(tmp_path: Path) -> None:
    with serving(b"#!/bin/sh\necho 'genba: no folder to unpack to.' >&2\nexit 70\n") as gateway:
        done = run(tmp_path, gateway.url, "curl")
    assert (done.returncode, "genba: unpack failed: genba: no folder" in done.stderr) == (1, True)


def test_names_the_missing_downloader(tmp_path: Path) -> None:
    done = run(tmp_path, "http://127.0.0.1:1/")
    assert done.returncode == 1
    assert "genba: download failed: neither curl nor wget is here" in done.stderr


@pytest.mark.parametrize(
    ("code", "step"),
    [(6, "DNS"), (7, "TCP"), (28, "TCP"), (60, "TLS"), (35, "TLS"), (22, "download"), (56, "download")],
)
def test_names_the_step_by_the_error_of_curl(tmp_path: Path, code: int, step: str) -> None:
    folder = Path(make_path(tmp_path))
    count = tmp_path / "tries"
    (folder / "curl").write_text(
        f"#!/bin/sh\nif [ -e {count} ]; then printf '#!/bin/sh\\nexit 0\\n' >{tmp_path}/agent\n"
        f'while [ "$1" != -o ]; do shift; done; cat {tmp_path}/agent >"$2"; exit 0; fi\n'
        f"echo hello > {count}; echo said >&2; exit {code}\n"
    )
    (folder / "curl").chmod(0o755)
    done = run(tmp_path, "http://genba.example:1/")
    assert f"genba: {step} failed: said (http://genba.example:1/)" in done.stderr


def test_explains_a_loopback_address_where_no_gateway_listens(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/"
    script = read_init_scripts()["linux_amd64"].replace("${ACCESS_URL}", url).replace("${AUTH_TYPE}", "token")
    environment = {"PATH": make_path(tmp_path, "curl"), "HOME": str(tmp_path / "home")}
    # It tries for ever: what it says first is read, then it is ended.
    shell = shutil.which("sh")
    assert shell
    with subprocess.Popen([shell, "-c", script], env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        process.kill()
    assert line.startswith("genba: TCP failed: ")
    assert "--agent-listen" in line


def test_nothing_writable_is_told_by_name(tmp_path: Path) -> None:
    folder = Path(make_path(tmp_path, "curl"))
    (folder / "mkdir").unlink()
    (folder / "mkdir").write_text("#!/bin/sh\nexit 1\n")
    (folder / "mkdir").chmod(0o755)
    done = run(tmp_path, "http://127.0.0.1:1/")
    assert done.returncode == 1
    assert "genba: unpack failed: no folder can be written to and executed from: set BINARY_DIR" in done.stderr
