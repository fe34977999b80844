"""The init script, run for real: by the shells that are here, against servers that fail in different ways."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from genba_gateway.bootstrap import read_init_scripts
from tests.support.tls import make_authority, make_server_tls

TOKEN = "44444444-4444-4444-8444-444444444444"
KEY = hashlib.sha256(f"genba-report:{TOKEN}".encode()).hexdigest()
AGENT = b"""#!/bin/sh
[ "$1" = --version ] && echo "Coder v2 (Genba)" && exit
echo "$1 $CODER_AGENT_URL $CODER_AGENT_AUTH"
"""
SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]


class Gateway(HTTPServer):
    """Answers downloads with `answers` in turn, the last one for ever; keeps reports."""

    def __init__(
        self, *answers: bytes | int, tls: tuple[Path, Path] | None = None, client_ca: Path | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        if tls is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*tls)
            if client_ca is not None:
                context.load_verify_locations(client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.answers = list(answers)
        self.reports: list[str] = []
        self.reported = threading.Event()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_address[1]}/"


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
        self.gateway.reported.set()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(
    *answers: bytes | int, tls: tuple[Path, Path] | None = None, client_ca: Path | None = None
) -> Generator[Gateway]:
    with Gateway(*answers, tls=tls, client_ca=client_ca) as gateway:
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
    for name in ("cat", "chmod", "find", "head", "id", "mkdir", "mktemp", "mv", "rm", "sha256sum", "tail", *programs):
        found = shutil.which(name)
        assert found, name
        if not (folder / name).exists():
            (folder / name).symlink_to(found)
    sleep = folder / "sleep"
    sleep.write_text("#!/bin/sh\n")
    sleep.chmod(0o755)
    return str(folder)


def command(
    tmp_path: Path, url: str, *programs: str, shell: str = "dash", environment: dict[str, str]
) -> tuple[list[str], dict[str, str]]:
    script = read_init_scripts()["linux_amd64"].replace("${ACCESS_URL}", url).replace("${AUTH_TYPE}", "token")
    found = shutil.which(shell)
    assert found
    settings = {"PATH": make_path(tmp_path, *programs), "HOME": str(tmp_path / "home"), "CODER_AGENT_TOKEN": TOKEN}
    return [found, *(["sh"] if shell == "busybox" else []), "-c", script], {**settings, **environment}


def run(
    tmp_path: Path, url: str, *programs: str, shell: str = "dash", environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    argv, settings = command(tmp_path, url, *programs, shell=shell, environment=environment or {})
    return subprocess.run(argv, env=settings, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def running(tmp_path: Path, url: str, *programs: str) -> Generator[subprocess.Popen[str]]:
    """The script while it tries for ever; it is ended at the end of the block."""
    argv, settings = command(tmp_path, url, *programs, environment={})
    with subprocess.Popen(argv, env=settings, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("shell", "program"),
    [(shell, program) for shell in SHELLS for program in ("curl", "wget") if shutil.which(program)],
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
    assert len(gateway.reports) == 2, "the same failure is told once"
    for report, status in zip(gateway.reports, ("503", "404"), strict=True):
        key, line = report.splitlines()
        assert key == KEY
        assert line.startswith("download failed: ")
        assert status in line
        assert TOKEN not in report


@pytest.mark.parametrize("program", ["curl", "wget"])
def test_tells_a_gateway_that_answers_without_ever_having_the_agent(tmp_path: Path, program: str) -> None:
    with serving(404) as gateway, running(tmp_path, gateway.url, program):
        assert gateway.reported.wait(30)
    (key, line), *more = [report.splitlines() for report in gateway.reports]
    assert key == KEY
    assert line.startswith("download failed: ")
    assert "404" in line
    assert more == [], "the same failure is told once"


def test_tells_no_more_than_fifty_different_failures(tmp_path: Path) -> None:
    with serving(*(400 + number for number in range(53)), AGENT) as gateway:
        assert run(tmp_path, gateway.url, "curl").returncode == 0
    assert len(gateway.reports) == 50


def test_each_start_takes_the_same_place(tmp_path: Path) -> None:
    folder = tmp_path / "home" / ".cache" / "genba"
    folder.mkdir(parents=True)
    left = folder / ".genba-linux-amd64.AbCdEf"
    left.touch()
    os.utime(left, (1, 1))
    with serving(AGENT) as gateway:
        for _ in range(2):
            assert run(tmp_path, gateway.url, "curl").returncode == 0
    assert [path.name for path in folder.iterdir()] == ["genba-linux-amd64"]
    assert (folder / "genba-linux-amd64").stat().st_mode & 0o777 == 0o700


def test_a_failed_start_leaves_the_program_that_worked(tmp_path: Path) -> None:
    with serving(AGENT, b"#!/bin/sh\nexit 1\n") as gateway:
        assert run(tmp_path, gateway.url, "curl").returncode == 0
        assert run(tmp_path, gateway.url, "curl").returncode == 1
    folder = tmp_path / "home" / ".cache" / "genba"
    assert [path.read_bytes() for path in folder.iterdir()] == [AGENT]


def test_wgets_failures_are_told_apart_without_their_times(tmp_path: Path) -> None:
    folder = Path(make_path(tmp_path))
    count = tmp_path / "tries"
    (folder / "wget").write_text(
        f"#!/bin/sh\n[ $1 != --version ] || exit 0\necho >>{count}\nnumber=$(wc -l <{count})\n"
        "[ $number -lt 4 ] || {\n"
        'for word; do case $word in */.genba*) printf "#!/bin/sh\\n" >"$word"; esac; done; exit; }\n'
        'echo "HTTP request sent, awaiting response... 404 Not Found" >&2\n'
        'echo "2026-01-01 00:00:0$number ERROR 404: Not Found." >&2\nexit 8\n'
    )
    (folder / "wget").chmod(0o755)
    (folder / "wc").symlink_to(shutil.which("wc") or "")
    done = run(tmp_path, "http://genba.example:1/")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "genba: download failed: ERROR 404: Not Found. (http://genba.example:1/)\n"


def test_a_download_that_falls_silent_is_named_and_tried_again(tmp_path: Path) -> None:
    folder = Path(make_path(tmp_path))
    words = tmp_path / "words"
    (folder / "curl").write_text(
        f'#!/bin/sh\nif [ ! -e {words} ]; then echo "$*" >{words}\n'
        "echo 'curl: (28) Operation too slow. Less than 1 bytes/sec transferred the last 60 seconds' >&2; exit 28; fi\n"
        'while [ "$1" != -o ]; do shift; done; printf "#!/bin/sh\\n" >"$2"\n'
    )
    (folder / "curl").chmod(0o755)
    done = run(tmp_path, "http://genba.example:1/")
    assert "genba: download failed: curl: (28) Operation too slow" in done.stderr
    assert "--connect-timeout 20 --speed-limit 1 --speed-time 60" in words.read_text()


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
    with running(tmp_path, url, "curl") as process:
        assert process.stderr is not None
        line = process.stderr.readline()
    assert line.startswith("genba: TCP failed: ")
    assert "--agent-listen" in line


@pytest.mark.parametrize("program", ["curl", "wget"])
def test_names_tls_and_what_to_do_where_the_certificate_is_unknown(tmp_path: Path, program: str) -> None:
    certificate, key = make_server_tls(tmp_path)
    with serving(AGENT, tls=(certificate, key)) as gateway:
        with running(tmp_path, gateway.url, program) as process:
            assert process.stderr is not None
            line = process.stderr.readline()
        assert line.startswith("genba: TLS failed: ")
        assert "Add CA certificates to the image" in line
        assert "set GENBA_CA_FILE to it" in line
        # With the remedy it goes on.
        for name in ("GENBA_CA_FILE", "SSL_CERT_FILE"):
            done = run(tmp_path, gateway.url, program, environment={name: str(certificate)})
            assert (done.returncode, done.stderr) == (0, ""), done.stderr


@pytest.mark.parametrize("program", ["curl", "wget"])
@pytest.mark.parametrize("is_one_file", [True, False])
def test_shows_a_certificate_to_a_gateway_that_asks_for_one(tmp_path: Path, program: str, *, is_one_file: bool) -> None:
    authority = make_authority(tmp_path / "tls")
    cert, key = authority.issue("client")
    environment = {"GENBA_CA_FILE": str(authority.file), "GENBA_CLIENT_CERT": str(cert), "GENBA_CLIENT_KEY": str(key)}
    if is_one_file:
        cert.write_bytes(cert.read_bytes() + key.read_bytes())
        del environment["GENBA_CLIENT_KEY"]
    with serving(AGENT, tls=authority.issue("server"), client_ca=authority.file) as gateway:
        done = run(tmp_path, gateway.url, program, environment=environment)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def test_names_what_to_set_where_the_gateway_asks_for_a_certificate(tmp_path: Path) -> None:
    folder = Path(make_path(tmp_path))
    (folder / "curl").write_text(
        "#!/bin/sh\necho 'curl: (56) OpenSSL SSL_read: tlsv13 alert certificate required, errno 0' >&2; exit 56\n"
    )
    (folder / "curl").chmod(0o755)
    with running(tmp_path, "https://genba.example:1/") as process:
        assert process.stderr is not None
        line = process.stderr.readline()
    assert "certificate required" in line
    assert "set GENBA_CLIENT_CERT and GENBA_CLIENT_KEY" in line


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_a_named_folder_is_used_whoever_owns_it(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    os.chown(volume, 4242, 4242)
    with serving(AGENT) as gateway:
        done = run(tmp_path, gateway.url, "curl", environment={"BINARY_DIR": str(volume)})
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert [path.is_file() for path in volume.iterdir()] == [True]


def test_nothing_writable_is_told_by_name(tmp_path: Path) -> None:
    folder = Path(make_path(tmp_path, "curl"))
    (folder / "mkdir").unlink()
    (folder / "mkdir").write_text("#!/bin/sh\nexit 1\n")
    (folder / "mkdir").chmod(0o755)
    done = run(tmp_path, "http://127.0.0.1:1/")
    assert done.returncode == 1
    assert "genba: unpack failed: no folder can be written to and executed from: set BINARY_DIR" in done.stderr
